//! Texts as Go's package `fmt` writes them.

/// Writes a float like `%v`: with the fewest digits that identify it, and with an exponent below 10⁻⁴ and from 10⁶ on,
/// such as `10`, `0.5` or `1.234567e+06`.
#[must_use]
pub fn float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => with_exponent(digits, exponent),
        Ok(_) | Err(_) => value.to_string(),
    }
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// Writes a text like `%q`: in double quotes, with escapes for quotes, backslashes and control characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    let letters: String = text.chars().map(escaped).collect();
    format!("\"{letters}\"")
}

fn escaped(letter: char) -> String {
    let short = match letter {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\u{7}' => "\\a",
        '\u{8}' => "\\b",
        '\u{b}' => "\\v",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        control if control.is_ascii_control() => return format!("\\x{:02x}", u32::from(control)),
        control if control.is_control() => return format!("\\u{:04x}", u32::from(control)),
        other => return other.to_string(),
    };
    short.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_an_exponent_when_they_are_large_or_small() {
        for (value, text) in [
            (0.0, "0"),
            (10.0, "10"),
            (-2.5, "-2.5"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (1e100, "1e+100"),
            (0.0001, "0.0001"),
            (0.000_012_5, "1.25e-05"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(float(value), text);
        }
    }

    #[test]
    fn quotes_and_control_characters_are_escaped() {
        for (text, expected) in [
            ("", r#""""#),
            ("a/b", r#""a/b""#),
            ("\"a\"\\", r#""\"a\"\\""#),
            ("\u{7}\u{8}\u{b}\u{c}\r\n\t", r#""\a\b\v\f\r\n\t""#),
            ("\u{1b}\u{7f}\u{85}é", r#""\x1b\x7f\u0085é""#),
        ] {
            assert_eq!(quoted(text), expected);
        }
    }
}

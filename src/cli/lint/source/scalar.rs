//! Types of unquoted words in kubectl's subset of YAML 1.1: `yes` is true, and `0755` is octal.

use serde_json::Number;

use super::node::Content;

const TRUE: [&str; 11] = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const FALSE: [&str; 11] = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];
const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];

/// The value of an unquoted word.
pub(super) fn resolve(word: &str) -> Content {
    if NULL.contains(&word) {
        return Content::Null;
    }
    if TRUE.contains(&word) || FALSE.contains(&word) {
        return Content::Truth(TRUE.contains(&word));
    }
    number(word).map_or_else(|| Content::Text(word.to_owned()), Content::Number)
}

fn number(word: &str) -> Option<Number> {
    if !word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    let plain = word.replace('_', "");
    integer(&plain).or_else(|| is_float(&plain).then(|| plain.parse().ok().and_then(Number::from_f64))?)
}

/// An integer in Go's notations: decimal, `0x`, `0o` or a leading 0, `0b`.
fn integer(text: &str) -> Option<Number> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) if text.starts_with('-') => (-1, digits),
        Some(digits) => (1, digits),
        None => (1, text),
    };
    let bases = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    let prefixed = bases.iter().find_map(|(prefix, base)| Some((digits.strip_prefix(prefix)?, *base)));
    let (digits, base) = match prefixed {
        Some(found) => found,
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    if !digits.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        return None;
    }
    let number = sign * i128::from_str_radix(digits, base).ok()?;
    i64::try_from(number).map(Number::from).or_else(|_| u64::try_from(number).map(Number::from)).ok()
}

fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_exponent = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && has_exponent
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::node::{Mark, Node};
    use super::*;

    #[test]
    fn words_mean_what_they_mean_to_kubectl() {
        for (word, meaning) in [
            ("yes", json!(true)),
            ("Off", json!(false)),
            ("n", json!(false)),
            ("~", json!(null)),
            ("", json!(null)),
            ("12", json!(12)),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("0755", json!(493)),
            ("08", json!(8.0)),
            ("0x1F", json!(31)),
            ("0b11", json!(3)),
            ("1_000", json!(1000)),
            ("18446744073709551615", json!(u64::MAX)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1.2.3", json!("1.2.3")),
            ("2026-01-01", json!("2026-01-01")),
            ("-", json!("-")),
            (".", json!(".")),
            ("1e", json!("1e")),
            ("0x", json!("0x")),
            ("25%", json!("25%")),
            ("yEs", json!("yEs")),
        ] {
            let at = Mark { line: 1, column: 1 };
            let node = Node { at, content: resolve(word), word: None };
            assert_eq!(node.to_json(), meaning, "{word:?}");
        }
    }
}

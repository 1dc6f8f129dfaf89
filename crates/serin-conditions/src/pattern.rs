//! Regular expressions in the syntax of Go, which differs in details from that of the crate `regex`.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// The most bytes of a compiled expression.
const SIZE_MAX: usize = 1 << 20;

/// Compiles `pattern`. An error is in the words of Go where it is known.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translated(pattern);
    RegexBuilder::new(&translated).size_limit(SIZE_MAX).nest_limit(100).build().map_err(|error| {
        let error = error.to_string();
        let reason = if error.contains("unclosed group") {
            format!("missing closing ): `{pattern}`")
        } else if error.contains("unopened group") {
            format!("unexpected ): `{pattern}`")
        } else if error.contains("unclosed character class") {
            format!("missing closing ]: `{}`", &pattern[pattern.rfind('[').unwrap_or(0)..])
        } else if error.contains("repetition operator missing") {
            format!("missing argument to repetition operator: `{pattern}`")
        } else {
            let last = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("{last}: `{pattern}`")
        };
        format!("error parsing regexp: {reason}")
    })
}

/// `pattern` in the syntax of the crate: classes such as `\d` have ASCII characters only, `\Q` quotes, a `{` that begins no
/// repetition is itself, and in classes `[`, `&`, `~` and `-` mean nothing more.
fn translated(pattern: &str) -> String {
    let mut letters = pattern.chars().peekable();
    let mut translated = String::new();
    let mut is_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => escape(&mut letters, is_class, &mut translated),
            '[' if !is_class => {
                is_class = true;
                translated.push('[');
                if letters.next_if_eq(&'^').is_some() {
                    translated.push('^');
                }
                // A bracket at the start is itself.
                if letters.next_if_eq(&']').is_some() {
                    translated.push_str("\\]");
                }
            }
            '[' if letters.peek() == Some(&':') => translated.push('['),
            ']' if is_class && translated.ends_with(':') => {
                translated.push(']');
            }
            ']' if is_class => {
                is_class = false;
                translated.push(']');
            }
            '[' | '&' | '~' if is_class => translated.extend(['\\', letter]),
            '{' if !is_class && !is_repetition(letters.clone()) => translated.push_str("\\{"),
            letter => translated.push(letter),
        }
    }
    translated
}

/// True if `letters` continue a `{` as a repetition.
fn is_repetition(letters: Peekable<Chars<'_>>) -> bool {
    let inside: String = letters.take_while(|letter| *letter != '}').collect();
    let (least, most) = inside.split_once(',').unwrap_or((&inside, "0"));
    let is_number = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

/// Translates what follows a backslash.
fn escape(letters: &mut Peekable<Chars<'_>>, is_class: bool, translated: &mut String) {
    let Some(letter) = letters.next() else {
        translated.push('\\');
        return;
    };
    let class = match letter {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => "\\t\\n\\f\\r ",
        'D' => "^0-9",
        'W' => "^0-9A-Za-z_",
        'S' => "^\\t\\n\\f\\r ",
        _ => "",
    };
    match letter {
        'd' | 'w' | 's' if is_class => translated.push_str(class),
        'd' | 'w' | 's' | 'D' | 'W' | 'S' => translated.extend(["[", class, "]"]),
        'b' if !is_class => translated.push_str("(?-u:\\b)"),
        'B' if !is_class => translated.push_str("(?-u:\\B)"),
        'Q' => {
            let mut quoted = String::new();
            for letter in letters.by_ref() {
                quoted.push(letter);
                if quoted.ends_with("\\E") {
                    quoted.truncate(quoted.len() - 2);
                    break;
                }
            }
            translated.push_str(&regex::escape(&quoted));
        }
        // The end of a quotation that has none before it.
        'E' => {}
        letter => translated.extend(['\\', letter]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_as_in_go() {
        for (pattern, text, expected) in [
            ("^[a-z]+$", "abc", true),
            (r"^\d+$", "12", true),
            (r"^\d+$", "\u{661}", false),
            (r"^[\d.]+$", "1.2", true),
            (r"^[^\W]+$", "a_1", true),
            (r#"{"a": 1}"#, r#"{"a": 1}"#, true),
            ("a{2}", "aa", true),
            ("a{2,}", "a", false),
            ("a{,2}", "a{,2}", true),
            (r"\Qa.b\E+", "a.bb", true),
            (r"\Qa.b", "axb", false),
            ("[[]", "[", true),
            ("[]]", "]", true),
            ("[[:alpha:]]+$", "ab", true),
            ("[a&&b]", "&", true),
            (r"\bok\b", "all ok.", true),
            ("(?i)OK", "ok", true),
        ] {
            let found = compile(pattern).map(|regex| regex.is_match(text));
            assert_eq!(found, Ok(expected), "{pattern} {text}");
        }
    }

    #[test]
    fn invalid_patterns_are_refused() {
        for (pattern, expected) in [
            ("(", "error parsing regexp: missing closing ): `(`"),
            ("a)", "error parsing regexp: unexpected ): `a)`"),
            ("[a", "error parsing regexp: missing closing ]: `[a`"),
        ] {
            assert_eq!(compile(pattern).map(|_| ()), Err(expected.to_owned()));
        }
        for pattern in ["*", "\\", "[b-a]", "((((a{1000}){1000}){1000}){1000})", "\\8"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}

//! Bodies of answers.

use serde_json::Value;

use super::port::{Unfinished, failed};

/// The most of a body that a message quotes, in bytes.
const QUOTED: usize = 1024;

/// Why a body has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Problem {
    /// It is not JSON.
    #[error("the answer is not JSON")]
    NotJson,
    /// It is JSON within JSON within JSON, more than 128 times.
    #[error("the JSON of the answer is nested too deeply")]
    TooDeep,
}

/// Parses JSON.
pub(super) fn parse(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        // The library tells this failure from others by its words only.
        if error.to_string().starts_with("recursion limit") { Problem::TooDeep } else { Problem::NotJson }
    })
}

/// Parses the body of a server that always answers in JSON.
pub(super) fn json(body: &[u8]) -> Result<Value, Unfinished> {
    parse(body).map_err(|problem| failed(format!("Could not parse JSON body: {problem}")))
}

/// A body as text, cut to a length that fits into a message.
pub(super) fn quote(body: &[u8]) -> String {
    cut(&String::from_utf8_lossy(body), QUOTED)
}

/// Text of at most `length` bytes, with a remark where it was cut.
pub(super) fn cut(text: &str, length: usize) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let end = (0..=length).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}... ({} bytes in all)", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_parsed_or_say_why_not() {
        assert_eq!(parse(b"[1]"), Ok(serde_json::json!([1])));
        assert_eq!(parse(b"[1"), Err(Problem::NotJson));
        assert_eq!(parse("[".repeat(1000).as_bytes()), Err(Problem::TooDeep));
    }

    #[test]
    fn long_texts_are_cut_between_letters() {
        assert_eq!(cut("h\u{e9}llo", 2), "h... (6 bytes in all)");
        assert_eq!(cut("hello", 5), "hello");
    }
}

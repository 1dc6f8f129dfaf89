//! Splits a text into its documents.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::node::Mark;

/// A document as text, with its position in the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'t> {
    pub(super) text: Cow<'t, str>,
    /// Number of lines before it.
    lines: usize,
    /// Number of characters before it in its first line.
    columns: usize,
}

impl Part<'_> {
    /// Converts a position in the part to a position in the file.
    pub(super) fn mark(&self, line: usize, column: usize) -> Mark {
        let line = line.max(1);
        let columns = if line == 1 { self.columns } else { 0 };
        Mark { line: self.lines + line, column: columns + column }
    }

    /// The text of a line of the file.
    pub(super) fn line(&self, at: Mark) -> &str {
        self.text.lines().nth(at.line.saturating_sub(self.lines + 1)).unwrap_or_default()
    }

    /// The last line.
    pub(super) fn end(&self) -> Mark {
        self.mark(self.text.lines().count(), 1)
    }
}

/// Splits JSON into documents. Only text that starts with an object or list is JSON.
pub(super) fn json(text: &str) -> Result<Vec<Part<'_>>, serde_json::Error> {
    let is_blank = !text.trim_start().starts_with(['{', '[']);
    let text_or_none = if is_blank { "!" } else { text };
    let mut values = Deserializer::from_str(text_or_none).into_iter::<IgnoredAny>();
    let mut parts = Vec::new();
    let mut start = 0;
    while let Some(value) = values.next() {
        value?;
        let end = values.byte_offset();
        let before = &text[..start];
        let line = before.rsplit('\n').next().unwrap_or_default();
        parts.push(Part {
            text: Cow::Owned(as_yaml(&text[start..end])),
            lines: before.matches('\n').count(),
            columns: line.chars().count(),
        });
        start = end;
    }
    Ok(parts)
}

/// Rewrites JSON so that a YAML parser reads it: YAML does not allow tabs as indentation, and has no surrogate pairs.
/// JSON strings contain no literal tabs.
fn as_yaml(json: &str) -> String {
    let mut yaml = String::with_capacity(json.len());
    let mut rest = json;
    while let Some((before, escape)) = rest.split_once('\\') {
        yaml.push_str(before);
        if let Some(character) = pair(escape) {
            yaml.push(character);
            rest = &escape["udddd\\udddd".len()..];
        } else {
            yaml.push('\\');
            let escaped = escape.chars().next().map_or(0, char::len_utf8);
            yaml.push_str(&escape[..escaped]);
            rest = &escape[escaped..];
        }
    }
    (yaml + rest).replace('\t', " ")
}

/// Parses the surrogate pair at the start of a text: `ud83d\ude00`.
fn pair(text: &str) -> Option<char> {
    let half = |text: &str| u16::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok();
    let halves = [half(text)?, half(text.get(5..)?.strip_prefix('\\')?)?];
    char::decode_utf16(halves).next()?.ok().filter(|character| *character > '\u{ffff}')
}

/// Splits YAML into documents: every line that starts with `---` starts one.
pub(super) fn yaml(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let (mut start, mut lines) = (0, 0);
    let mut end = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if is_separator(line) && end > start {
            parts.push(Part { text: Cow::Borrowed(&text[start..end]), lines, columns: 0 });
            (start, lines) = (end, index);
        }
        end += line.len();
    }
    parts.push(Part { text: Cow::Borrowed(&text[start..]), lines, columns: 0 });
    parts.retain(|part| !is_directives(&part.text));
    parts
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

/// True for a part with YAML directives only. They are ignored, as kubectl does.
fn is_directives(part: &str) -> bool {
    part.lines().any(|line| line.starts_with('%'))
        && part.lines().all(|line| line.trim().is_empty() || line.starts_with(['%', '#']))
}

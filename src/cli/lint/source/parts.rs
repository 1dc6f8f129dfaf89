//! The documents of a text, still as text.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::node::Mark;

/// A document, and where in the text it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'t> {
    pub(super) text: Cow<'t, str>,
    /// Lines before it.
    lines: usize,
    /// Characters of its first line before it.
    columns: usize,
}

impl Part<'_> {
    /// A place of the part as one of the text.
    pub(super) fn mark(&self, line: usize, column: usize) -> Mark {
        let line = line.max(1);
        let columns = if line == 1 { self.columns } else { 0 };
        Mark { line: self.lines + line, column: columns + column }
    }

    /// The line of a place of the text.
    pub(super) fn line(&self, at: Mark) -> &str {
        self.text.lines().nth(at.line.saturating_sub(self.lines + 1)).unwrap_or_default()
    }

    /// The last line.
    pub(super) fn end(&self) -> Mark {
        self.mark(self.text.lines().count(), 1)
    }
}

/// The documents of JSON, one after the other. Only what begins as an object or list is JSON.
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

/// JSON, with the two things that mean something else in YAML: tabs, which are no indentation there, and characters that are
/// written as two escapes. No text has a tab in it.
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

/// The character that begins a text as two halves: `ud83d\ude00`.
fn pair(text: &str) -> Option<char> {
    let half = |text: &str| u16::from_str_radix(text.strip_prefix('u')?.get(..4)?, 16).ok();
    let halves = [half(text)?, half(text.get(5..)?.strip_prefix('\\')?)?];
    char::decode_utf16(halves).next()?.ok().filter(|character| *character > '\u{ffff}')
}

/// The documents of YAML: a line that begins with `---` begins one, wherever it stands.
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

/// Whether a part says only how the next is to be read. All is read as kubectl does.
fn is_directives(part: &str) -> bool {
    part.lines().any(|line| line.starts_with('%'))
        && part.lines().all(|line| line.trim().is_empty() || line.starts_with(['%', '#']))
}

//! Labels and values, one a line.

use super::Look;
use super::text::Text;

/// What a value is preceded by, at least.
const LABEL: usize = 17;
/// How far from the left a value goes on that is not beside its label.
const INDENT: usize = 2;

/// A value, and what it is.
#[derive(Debug)]
pub(super) struct Field {
    label: Text,
    /// How many columns the label takes, at least.
    width: usize,
    value: Text,
}

impl Field {
    pub(super) fn new(label: &str, value: impl Into<Text>) -> Self {
        Self { label: label.into(), width: LABEL, value: value.into() }
    }

    /// What stands above a list.
    pub(super) fn title(label: &str) -> Self {
        Self::item(label.into(), "")
    }

    /// A value whose label is a row of a list, and as wide as it is.
    pub(super) fn item(label: Text, value: impl Into<Text>) -> Self {
        Self { width: label.width(), label, value: value.into() }
    }

    /// A value that says itself what it is.
    pub(super) fn alone(value: Text) -> Self {
        Self::item(Text::default(), value)
    }

    fn lines(&self, look: &Look) -> String {
        let (indent, lines) = match look.columns {
            Some(columns) if look.is_narrow() => (INDENT, self.flowing(columns)),
            Some(columns) => (self.width, self.beside(columns.saturating_sub(self.width))),
            None => (0, vec![self.padded().and(&self.value)]),
        };
        let indents = std::iter::once(0).chain(std::iter::repeat(indent));
        let shown = |(indent, line): (usize, Text)| {
            format!("{}{}\n", " ".repeat(indent), line.shown(look.is_coloured))
        };
        indents.zip(lines).map(shown).collect()
    }

    /// The label, and beside it the value.
    fn beside(&self, columns: usize) -> Vec<Text> {
        let mut lines = self.value.wrapped(columns, columns);
        if let Some(first) = lines.first_mut() {
            *first = self.padded().and(first);
        }
        lines
    }

    /// The label, and after it the value.
    fn flowing(&self, columns: usize) -> Vec<Text> {
        let gap = match (self.label.width(), self.width) {
            (0, LABEL) => " ".repeat(INDENT),
            (_, LABEL) => " ".to_owned(),
            _ => String::new(),
        };
        let text = self.label.clone().with(gap, None).and(&self.value);
        text.wrapped(columns, columns.saturating_sub(INDENT))
    }

    fn padded(&self) -> Text {
        let blanks = self.width.saturating_sub(self.label.width());
        self.label.clone().with(" ".repeat(blanks), None)
    }
}

/// All fields, one below the other.
pub(super) fn lines(fields: &[Field], look: &Look) -> String {
    fields.iter().map(|field| field.lines(look)).collect()
}

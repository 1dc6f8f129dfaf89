//! Labels and values, one per line.

use super::look::Look;
use super::text::Text;

/// The minimum space between label and value.
const LABEL: usize = 17;
/// Indentation of continued values that do not fit beside their labels.
const INDENT: usize = 2;

/// A labelled value.
#[derive(Debug)]
pub(super) struct Field {
    label: Text,
    /// The minimum width of the label column.
    width: usize,
    value: Text,
}

impl Field {
    pub(super) fn new(label: &str, value: impl Into<Text>) -> Self {
        Self { label: label.into(), width: LABEL, value: value.into() }
    }

    /// The heading of a list.
    pub(super) fn title(label: &str) -> Self {
        Self::item(label.into(), "")
    }

    /// A value whose label is a list row of the same width.
    pub(super) fn item(label: Text, value: impl Into<Text>) -> Self {
        Self { width: label.width(), label, value: value.into() }
    }

    /// A value without a label.
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

    /// Puts the value beside its label.
    fn beside(&self, columns: usize) -> Vec<Text> {
        let mut lines = self.value.wrapped(columns, columns);
        if let Some(first) = lines.first_mut() {
            *first = self.padded().and(first);
        }
        lines
    }

    /// Puts the value after its label.
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

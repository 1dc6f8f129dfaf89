//! Text with colours, and tables of it.

use super::mark::Mark;

/// Ends a colour.
const PLAIN: &str = "\x1b[0m";
/// The blanks between two columns.
const GAP: usize = 2;

/// A colour of terminals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
}

impl Colour {
    /// What begins it. Blue is the bright one, which is legible on black.
    const fn begin(self) -> &'static str {
        match self {
            Self::Red => "\x1b[31m",
            Self::Green => "\x1b[32m",
            Self::Yellow => "\x1b[33m",
            Self::Blue => "\x1b[94m",
        }
    }
}

/// Pieces of text, each with the colour that it has where colours are shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Text(Vec<(String, Option<Colour>)>);

impl Text {
    /// This and a further piece.
    pub(super) fn with(mut self, text: impl Into<String>, colour: Option<Colour>) -> Self {
        self.0.push((text.into(), colour));
        self
    }

    /// A sign, and a word for it.
    pub(super) fn marked(mark: Mark, word: &str) -> Self {
        Self::default().with(mark.sign(), mark.colour()).with(format!(" {word}"), None)
    }

    /// Pieces with commas between them.
    pub(super) fn joined(
        pieces: impl IntoIterator<Item = (String, Option<Colour>)>,
        separator: &str,
    ) -> Self {
        let mut text = Self::default();
        for (piece, colour) in pieces {
            if !text.0.is_empty() {
                text = text.with(separator, None);
            }
            text = text.with(piece, colour);
        }
        text
    }

    fn width(&self) -> usize {
        self.0.iter().map(|(piece, _)| piece.chars().count()).sum()
    }

    pub(super) fn shown(&self, is_coloured: bool) -> String {
        let shown = |(piece, colour): &(String, Option<Colour>)| match colour {
            Some(colour) if is_coloured => format!("{}{piece}{PLAIN}", colour.begin()),
            Some(_) | None => piece.clone(),
        };
        self.0.iter().map(shown).collect()
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self::default().with(text, None)
    }
}

/// Lines of equal columns; the last column is as wide as its text.
pub(super) fn table(rows: &[Vec<Text>], is_coloured: bool) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Text::width).max();
    let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or(0) + GAP).collect();
    let mut lines = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            lines += &cell.shown(is_coloured);
            if column + 1 < columns {
                lines += &" ".repeat(widths[column].saturating_sub(cell.width()));
            }
        }
        lines.push('\n');
    }
    lines
}

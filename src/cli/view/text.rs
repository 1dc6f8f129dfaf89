//! Coloured text, and tables.

use unicode_width::UnicodeWidthChar;

use super::colour::Colour;
use super::mark::Symbol;
use serin_insight::mark::Mark;

/// Resets the colour.
const PLAIN: &str = "\x1b[0m";
/// The space between two columns.
const GAP: usize = 2;

/// Pieces of text with their colours.
#[derive(Debug, Clone, Default)]
pub(in crate::cli) struct Text(Vec<(String, Option<Colour>)>);

impl Text {
    /// Appends a piece. Removes control characters of object texts, which could control the terminal.
    pub(in crate::cli) fn with(mut self, text: impl Into<String>, colour: Option<Colour>) -> Self {
        let gives_orders = |character: char| character.is_control() && character != '\n';
        self.0.push((text.into().replace(gives_orders, " "), colour));
        self
    }

    /// A symbol with a word.
    pub(super) fn marked(mark: Mark, word: &str) -> Self {
        Self::default().with(mark.sign(), mark.colour()).with(format!(" {word}"), None)
    }

    /// Joins pieces with commas.
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

    pub(super) fn width(&self) -> usize {
        self.0.iter().map(|(piece, _)| piece.chars().count()).sum()
    }

    /// Appends another text.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// Wraps the text: the first line has `first` columns, the others `others`. Splits only words that are longer
    /// than a line.
    pub(super) fn wrapped(&self, first: usize, others: usize) -> Vec<Self> {
        let letters = self.0.iter().flat_map(|(piece, colour)| piece.chars().map(|letter| (letter, *colour)));
        let letters: Vec<Letter> = letters.collect();
        let mut lines = Lines { all: vec![Self::default()], used: 0, columns: first, others };
        for word in letters.split_inclusive(|(letter, _)| letter.is_whitespace()) {
            let width: usize =
                word.iter().map(|(letter, _)| *letter).filter(|letter| *letter != ' ').map(width).sum();
            if lines.used > 0 && lines.used + width > lines.columns {
                lines.begin();
            }
            for letter in word {
                lines.add(*letter);
            }
        }
        lines.all
    }

    pub(in crate::cli) fn shown(&self, is_coloured: bool) -> String {
        let shown = |(piece, colour): &(String, Option<Colour>)| match colour {
            Some(colour) if is_coloured => format!("{}{piece}{PLAIN}", colour.begin()),
            Some(_) | None => piece.clone(),
        };
        self.0.iter().map(shown).collect()
    }
}

/// A character and its colour.
type Letter = (char, Option<Colour>);

/// Lines under construction.
struct Lines {
    all: Vec<Text>,
    /// The width of the last line.
    used: usize,
    /// The available width of the last line and of the next ones.
    columns: usize,
    others: usize,
}

impl Lines {
    fn begin(&mut self) {
        if let Some((piece, _)) = self.all.last_mut().and_then(|line| line.0.last_mut()) {
            piece.truncate(piece.trim_end().len());
        }
        self.all.push(Text::default());
        (self.used, self.columns) = (0, self.others);
    }

    fn add(&mut self, (letter, colour): Letter) {
        let width = width(letter);
        let has_room = self.used + width <= self.columns;
        if letter == '\n' || !has_room && letter != ' ' {
            self.begin();
        }
        let is_shown = letter != '\n' && (has_room || letter != ' ');
        let Some(line) = self.all.last_mut().filter(|_| is_shown) else { return };
        self.used += width;
        match line.0.last_mut() {
            Some((piece, same)) if *same == colour => piece.push(letter),
            Some(_) | None => line.0.push((letter.to_string(), colour)),
        }
    }
}

fn width(letter: char) -> usize {
    letter.width().unwrap_or(0)
}

/// The width of the widest line. Lines must have no colours.
pub(super) fn columns(lines: &str) -> usize {
    lines.lines().map(|line| line.trim_end().chars().map(width).sum()).max().unwrap_or(0)
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self::default().with(text, None)
    }
}

/// Formats rows as a table. The last column is not padded.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &Text, first: usize, others: usize) -> Vec<String> {
        text.wrapped(first, others).iter().map(|line| line.shown(false)).collect()
    }

    #[test]
    fn words_stay_whole_where_there_is_room() {
        for (text, first, others, expected) in [
            ("one two three", 7, 7, &["one two", "three"][..]),
            ("one two three", 4, 20, &["one", "two three"]),
            ("one  two", 4, 4, &["one", "two"]),
            ("enormous", 3, 3, &["eno", "rmo", "us"]),
            ("two\nlines", 80, 80, &["two", "lines"]),
            ("日本 語", 4, 4, &["日本", "語"]),
            ("", 5, 5, &[""]),
            ("a bc", 1, 1, &["a", "b", "c"]),
        ] {
            assert_eq!(lines(&text.into(), first, others), expected, "{text:?}");
        }
    }

    #[test]
    fn colours_go_on_in_the_next_line() {
        let text = Text::from("an ").with("orange sky", Some(Colour::Yellow));
        let shown: Vec<String> = text.wrapped(10, 10).iter().map(|line| line.shown(true)).collect();
        assert_eq!(shown, ["an \x1b[33morange\x1b[0m", "\x1b[33msky\x1b[0m"]);
    }

    #[test]
    fn what_objects_say_gives_no_orders_to_the_terminal() {
        assert_eq!(Text::from("a\x1b[2Jb\tc").shown(true), "a [2Jb c");
    }
}

//! Draws frames on a terminal.

use std::io::{self, Write};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate,
    EnterAlternateScreen, LeaveAlternateScreen, size,
};
use crossterm::{execute, queue};
use unicode_width::UnicodeWidthChar;

/// The escape sequence that starts a terminal command.
const ESCAPE: char = '\x1b';
/// Marks a line that was cut.
const REST: char = '…';
/// The assumed size of a terminal that does not report its size.
const USUAL: (u16, u16) = (80, 24);

/// The alternate screen of a terminal. Dropping it restores the previous content.
pub(super) struct Screen<W: Write> {
    out: W,
    is_open: bool,
}

impl<W: Write> Screen<W> {
    /// Switches the terminal `out` to its alternate screen.
    pub(super) fn open(mut out: W) -> io::Result<Self> {
        execute!(out, EnterAlternateScreen, Hide, DisableLineWrap, Clear(ClearType::All))?;
        Ok(Self { out, is_open: true })
    }

    /// Draws the lines over those of the last frame, as many as fit. All output is sent at once, and only empty areas
    /// are cleared, to avoid flicker.
    pub(super) fn show(&mut self, picture: &str, room: (u16, u16)) -> io::Result<()> {
        let mut frame = Vec::new();
        queue!(frame, BeginSynchronizedUpdate)?;
        let mut lines = fit(picture, room).into_iter();
        for row in 0..room.1 {
            queue!(frame, MoveTo(0, row))?;
            let Some(line) = lines.next() else {
                queue!(frame, Clear(ClearType::FromCursorDown))?;
                break;
            };
            write!(frame, "{}", line.text)?;
            // At the right edge, the cursor is on the last character.
            if line.columns < room.0.into() {
                queue!(frame, Clear(ClearType::UntilNewLine))?;
            }
        }
        queue!(frame, EndSynchronizedUpdate)?;
        self.out.write_all(&frame)?;
        self.out.flush()
    }

    /// Restores the terminal. Nothing may be drawn afterwards.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            // A closed terminal needs no reset.
            let _gone = execute!(self.out, EnableLineWrap, Show, LeaveAlternateScreen);
        }
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        self.close();
    }
}

/// The visible part of a line, and its width in columns.
#[derive(Debug, PartialEq, Eq)]
struct Line {
    text: String,
    columns: usize,
}

/// The lines that fit. The last one counts the others.
fn fit(picture: &str, (columns, rows): (u16, u16)) -> Vec<Line> {
    let all = picture.lines().count();
    let room = usize::from(rows);
    let shown = if all > room { room.saturating_sub(1) } else { all };
    let mut lines: Vec<Line> = picture.lines().take(shown).map(|line| cut(line, columns.into())).collect();
    if all > room && room > 0 {
        lines.push(cut(&format!("{REST} {} more lines", all - shown), columns.into()));
    }
    lines
}

/// The part of a line that fits into `columns`. Colour sequences have no width and are all kept.
fn cut(line: &str, columns: usize) -> Line {
    let whole = part(line, columns);
    if whole.columns == part(line, usize::MAX).columns {
        return whole;
    }
    let Line { mut text, columns: used } = part(line, columns.saturating_sub(1));
    text.push(REST);
    Line { text, columns: used + 1 }
}

fn part(line: &str, columns: usize) -> Line {
    let (mut text, mut used) = (String::new(), 0);
    let (mut is_sequence, mut is_full) = (false, false);
    for character in line.chars() {
        if is_sequence || character == ESCAPE {
            // An escape sequence ends with its first letter.
            is_sequence = !character.is_ascii_alphabetic();
            text.push(character);
            continue;
        }
        let width = character.width().unwrap_or(0);
        is_full |= used + width > columns;
        if !is_full {
            used += width;
            text.push(character);
        }
    }
    Line { text, columns: used }
}

/// Columns and rows of the terminal.
pub(super) fn room() -> (u16, u16) {
    size().unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminal_is_left_as_it_was() {
        let mut written = Vec::new();
        drop(Screen::open(&mut written).unwrap());
        let written = String::from_utf8(written).unwrap();
        let (entered, left) = written.split_once("\x1b[2J").unwrap();
        for (on, off) in
            [("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h"), ("\x1b[?7l", "\x1b[?7h")]
        {
            assert!(entered.contains(on) && left.contains(off), "{written:?}");
        }
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let texts =
            |picture: &str, room| fit(picture, room).into_iter().map(|line| line.text).collect::<Vec<_>>();
        assert_eq!(texts("one\ntwo\nthree\n", (80, 2)), ["one", "… 2 more lines"]);
        assert_eq!(texts("one\ntwo\n", (80, 2)), ["one", "two"]);
        assert_eq!(texts("one\ntwo\nthree\n", (5, 1)), ["… 3 …"]);
        assert!(fit("one\n", (80, 0)).is_empty());
    }

    #[test]
    fn nothing_is_cleared_but_what_is_left_empty() {
        let mut written = Vec::new();
        let mut screen = Screen::open(&mut written).unwrap();
        screen.show("whole\nx\n", (5, 3)).unwrap();
        drop(screen);
        let written = String::from_utf8(written).unwrap();
        let frame = written.split("\x1b[?2026h").nth(1).unwrap().split("\x1b[?2026l").next().unwrap();
        assert_eq!(frame, "\x1b[1;1Hwhole\x1b[2;1Hx\x1b[K\x1b[3;1H\x1b[J");
    }

    #[test]
    fn lines_are_cut_by_what_they_take_on_the_screen() {
        for (line, columns, text) in [
            ("\x1b[38;5;12m###\x1b[39m and more", 5, "\x1b[38;5;12m###\x1b[39m …"),
            ("short", 5, "short"),
            ("two wide: 日本", 12, "two wide: …"),
            ("two wide: 日本", 13, "two wide: 日…"),
            ("two wide: 日本", 14, "two wide: 日本"),
        ] {
            assert_eq!(cut(line, columns).text, text, "{line}");
        }
    }
}

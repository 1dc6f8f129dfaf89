//! The terminal while a picture is on it.

use std::io::{self, Write};
use std::iter;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::terminal::{
    Clear, ClearType, DisableLineWrap, EnableLineWrap, EnterAlternateScreen, LeaveAlternateScreen, size,
};
use crossterm::{execute, queue};

/// Begins a sequence that tells the terminal something.
const ESCAPE: char = '\x1b';
/// The size that a terminal has which does not tell.
const USUAL: (u16, u16) = (80, 24);

/// The other screen of a terminal. When it is dropped, the terminal shows again what it showed before.
pub(super) struct Screen<W: Write> {
    out: W,
}

impl<W: Write> Screen<W> {
    /// Takes the terminal that `out` is.
    pub(super) fn open(mut out: W) -> io::Result<Self> {
        execute!(out, EnterAlternateScreen, Hide, DisableLineWrap, Clear(ClearType::All))?;
        Ok(Self { out })
    }

    /// Shows the lines of a picture, as many as there is room for. They are sent at once, so that nothing flickers.
    pub(super) fn show(&mut self, picture: &str, (columns, rows): (u16, u16)) -> io::Result<()> {
        let mut frame = Vec::new();
        for (row, line) in (0..rows).zip(picture.lines().chain(iter::repeat(""))) {
            queue!(frame, MoveTo(0, row), Clear(ClearType::CurrentLine))?;
            write!(frame, "{}", cut(line, columns.into()))?;
        }
        self.out.write_all(&frame)?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Screen<W> {
    fn drop(&mut self) {
        // A terminal that is gone needs no order.
        let _gone = execute!(self.out, EnableLineWrap, Show, LeaveAlternateScreen);
    }
}

/// The part of a line that fits into so many columns. Sequences that set colours take none, and are all kept.
fn cut(line: &str, columns: usize) -> String {
    let (mut is_sequence, mut used) = (false, 0);
    let has_room = |character: &char| {
        let is_shown = !is_sequence && *character != ESCAPE;
        // A sequence ends with its first letter.
        is_sequence = !is_shown && !character.is_ascii_alphabetic();
        used += usize::from(is_shown);
        !is_shown || used <= columns
    };
    line.chars().filter(has_room).collect()
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
    fn what_has_no_room_is_left_out() {
        let mut written = Vec::new();
        let mut screen = Screen::open(&mut written).unwrap();
        screen.show("one\ntwo\nthree\n", (80, 2)).unwrap();
        drop(screen);
        let written = String::from_utf8(written).unwrap();
        assert!(written.contains("two") && !written.contains("three"), "{written:?}");
    }

    #[test]
    fn colours_take_no_columns() {
        assert_eq!(cut("\x1b[38;5;12m###\x1b[39m and more", 5), "\x1b[38;5;12m###\x1b[39m a");
        assert_eq!(cut("short", 5), "short");
    }
}

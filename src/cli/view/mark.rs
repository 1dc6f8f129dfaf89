//! Status symbols.

use super::colour::Colour;
use serin_insight::mark::Mark;

/// A state with a symbol.
pub(super) trait Symbol {
    /// The symbol.
    fn sign(self) -> &'static str;

    /// Its colour; `None` for the colour of the terminal.
    fn colour(self) -> Option<Colour>;
}

impl Symbol for Mark {
    fn sign(self) -> &'static str {
        match self {
            Self::Good => "✔",
            Self::Bad => "✖",
            Self::Warning => "⚠",
            Self::Progressing => "◌",
            Self::Waiting => "◷",
            Self::Unknown => "?",
            Self::Paused => "॥",
            Self::Neutral => "•",
        }
    }

    fn colour(self) -> Option<Colour> {
        match self {
            Self::Good => Some(Colour::Green),
            Self::Bad | Self::Warning => Some(Colour::Red),
            Self::Progressing => Some(Colour::Blue),
            Self::Waiting | Self::Unknown => Some(Colour::Yellow),
            Self::Paused | Self::Neutral => None,
        }
    }
}

//! What a story tells while it goes on.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// The lines that were told so far.
#[derive(Debug, Default)]
pub(super) struct Tale {
    lines: Mutex<Vec<String>>,
}

impl Tale {
    /// Tells a line: prints it, or on a terminal keeps it for the picture there.
    pub(super) fn say(&self, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.to_owned());
        if !std::io::stdout().is_terminal() {
            // Whether somebody listens changes nothing in the story.
            let _unheard = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// All lines.
    pub(super) fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

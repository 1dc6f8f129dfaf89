//! The output of a story.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};

/// The lines so far.
#[derive(Debug, Default)]
pub(super) struct Tale {
    lines: Mutex<Vec<String>>,
}

impl Tale {
    /// Reports a line: prints it, or keeps it for the picture on a terminal.
    pub(super) fn say(&self, line: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(line.to_owned());
        if !std::io::stdout().is_terminal() {
            // The story does not depend on a listener.
            let _unheard = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// All lines.
    pub(super) fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}

//! Display options.

use jiff::Timestamp;

/// Display options.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// The current time.
    pub now: Timestamp,
    /// True to colour symbols and roles.
    pub is_coloured: bool,
    /// True to show what the reference's plugin does not show.
    pub is_full: bool,
    /// True to show the node of each pod.
    pub is_wide: bool,
    /// The available columns; `None` for no limit.
    pub columns: Option<usize>,
    /// The available rows; `None` for no limit.
    pub rows: Option<usize>,
}

impl Look {
    /// The options for the reference's output, without colours.
    #[must_use]
    pub const fn plain(now: Timestamp) -> Self {
        Self { now, is_coloured: false, is_full: false, is_wide: false, columns: None, rows: None }
    }

    /// True if the terminal is too narrow for columns.
    pub(super) fn is_narrow(&self) -> bool {
        /// The width below which labels leave no room for values.
        const NARROW: usize = 40;
        self.columns.is_some_and(|columns| columns < NARROW)
    }
}

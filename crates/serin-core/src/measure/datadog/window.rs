//! The time that a query is about.

use jiff::{SignedDuration, Timestamp};

/// The time that is asked about, in whole seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// The time of that length up to `to`.
pub(super) fn window(to: Timestamp, interval: SignedDuration) -> Window {
    Window { from: to.as_second().saturating_sub(interval.as_secs()), to: to.as_second() }
}

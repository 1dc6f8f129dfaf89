//! An Event on its way.

use jiff::Timestamp;

use serin_core::domain::event::EventNote;
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::Precondition;

/// An Event about a primary object, or several of one reason.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    /// What it is about.
    pub(super) object: ObjectRef,
    /// The state in which that was.
    pub(super) state: Precondition,
    pub(super) note: EventNote,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
    pub(super) count: u32,
    pub(super) number: u64,
}

impl Letter {
    pub(super) fn new(
        object: ObjectRef,
        state: Precondition,
        note: EventNote,
        now: Timestamp,
        number: u64,
    ) -> Self {
        Self { object, state, note, first: now, last: now, count: 1, number }
    }

    /// One that stands for this and a later one; the newest message comes first, for the end of a long one is cut.
    pub(super) fn followed_by(self, mut later: Self) -> Self {
        later.note.message = format!("{}; before: {}", later.note.message, self.note.message);
        Self { first: self.first, count: self.count + later.count, ..later }
    }
}

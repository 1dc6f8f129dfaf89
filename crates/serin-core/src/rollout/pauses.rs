//! What a decision changes about the pauses and the abort that the status records.

use super::context::Context;
use crate::api::PauseReason;

/// What is to happen to the pauses and the abort that the status records.
#[derive(Debug, Clone, Default)]
pub(super) struct PauseChanges {
    /// No pause remains.
    pub(super) clear: bool,
    /// The user ended a pause, but what follows from that cannot be done yet: keep the record of it.
    pub(super) hold_resume: bool,
    /// These end.
    pub(super) remove: Vec<PauseReason>,
    /// These begin.
    pub(super) add: Vec<PauseReason>,
    /// An abort is forgotten.
    pub(super) remove_abort: bool,
}

impl PauseChanges {
    /// No pause remains, and no abort.
    pub(super) fn cleared() -> Self {
        Self { clear: true, remove_abort: true, ..Self::default() }
    }

    /// Whether the update was aborted before, and that is not forgotten.
    pub(super) fn is_aborted(&self, cx: &Context<'_>) -> bool {
        cx.status.abort && !self.remove_abort
    }
}

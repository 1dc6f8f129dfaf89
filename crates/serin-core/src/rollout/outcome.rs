//! What a strategy decides, for the status and for what follows from it.

use super::context::Context;
use super::pauses::PauseChanges;
use super::sizes::Sizes;
use crate::api::RolloutStatus;

/// What a strategy decides, beside the writes that it asks for.
#[derive(Debug)]
pub(super) struct Outcome<'a> {
    /// What changes about the sizes of ReplicaSets.
    pub(super) sizes: Sizes<'a>,
    /// What changes about pauses and the abort.
    pub(super) pauses: PauseChanges,
    /// The pause of a step is over, and the plan goes on with the next step.
    pub(super) has_left_pause: bool,
    /// The next status, but for what is counted or derived: counts, pauses, the abort, conditions, phase, duration.
    pub(super) status: RolloutStatus,
}

impl Outcome<'_> {
    /// Nothing changes.
    pub(super) fn unchanged(cx: &Context<'_>) -> Self {
        Self {
            sizes: Sizes::default(),
            pauses: PauseChanges::default(),
            has_left_pause: false,
            status: cx.status.clone(),
        }
    }
}

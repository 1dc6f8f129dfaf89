//! Where an update stands in its steps: known before sizes, Services and weights are decided, which follow from it.

use super::super::context::Context;
use super::super::draft::Draft;
use super::super::pauses::PauseChanges;
use super::pause::{self, State};
use crate::domain::event::EventReason;

/// Where an update stands in its steps.
#[derive(Debug)]
pub(super) struct Position {
    /// The index of the step that the decision is about; none without steps.
    pub(super) index: Option<i32>,
    /// Whether the update was aborted, and that is not forgotten.
    pub(super) is_aborted: bool,
    /// Whether it begins with this decision.
    pub(super) is_restarted: bool,
    /// Whether the pause of the step that the status is at has ended, so that `index` is the step after it.
    pub(super) has_left_pause: bool,
    /// What this means for the pauses and the abort that the status records.
    pub(super) pauses: PauseChanges,
}

impl Position {
    fn new(cx: &Context<'_>, index: Option<i32>, pauses: PauseChanges) -> Self {
        let is_aborted = pauses.is_aborted(cx);
        Self { index, is_aborted, is_restarted: false, has_left_pause: false, pauses }
    }

    /// That of the status.
    pub(super) fn unchanged(cx: &Context<'_>) -> Self {
        Self::new(cx, cx.status.current_step_index, PauseChanges::default())
    }

    /// That of an update that begins: at the first step, unless it goes back to a revision that needs none.
    pub(super) fn restarted(cx: &Context<'_>, draft: &mut Draft) -> Self {
        let total = cx.step_count();
        let mut index = total.map(|_| 0);
        if total.is_some() && cx.new_rs.is_some() {
            if cx.status.stable_rs.as_deref() == Some(cx.current_hash.as_str()) {
                index = total;
                draft.tell(EventReason::SkipSteps, "Rollback to stable ReplicaSets");
            } else if cx.rollback.is_within_window() && cx.new_rs.is_some_and(|rs| rs.replicas > 0) {
                index = total;
                draft.tell(EventReason::SkipSteps, "Rollback to active ReplicaSets within RollbackWindow");
            }
        }
        Self { is_restarted: true, ..Self::new(cx, index, PauseChanges::cleared()) }
    }

    /// An abort goes back to the start, a full promotion or a rollback within the window to the end of the steps.
    pub(super) fn skipped(cx: &Context<'_>) -> Self {
        let mut pauses = PauseChanges::default();
        let mut index = cx.status.current_step_index;
        if cx.rollback.is_within_window() || cx.is_promoting_full() {
            pauses = PauseChanges::cleared();
            index = cx.step_count();
        } else if cx.status.abort {
            index = cx.step_count().map(|total| if cx.is_fully_promoted() { total } else { 0 });
        }
        pauses.remove_abort |= cx.is_fully_promoted();
        Self::new(cx, index, pauses)
    }

    /// The same, or the step after a pause that is over.
    pub(super) fn advanced(cx: &Context<'_>, draft: &mut Draft) -> Self {
        let mut position = Self::skipped(cx);
        if position.is_aborted || position.pauses.clear {
            return position;
        }
        match pause::state(cx, draft) {
            State::None => {}
            State::Holds => position.pauses.hold_resume = pause::is_resumed(cx),
            State::Over => {
                position.has_left_pause = true;
                position.index = pause::next_index(cx);
                position.pauses.remove.push(pause::REASON);
            }
        }
        position
    }
}

//! The step that the status of a canary is at, and how its pause stands.

use jiff::Timestamp;

use super::super::context::Context;
use super::super::draft::Draft;
use crate::api::strategy::PauseStep;
use crate::api::{PauseReason, StepKind};
use crate::domain::event::EventReason;
use crate::domain::step;

/// The reason of a pause that a step begins.
pub(super) const REASON: PauseReason = PauseReason::CanaryPauseStep;

/// How the pause of the step that the status is at stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The step is no pause.
    None,
    /// It goes on, or has not begun, or the user holds the Rollout.
    Holds,
    /// It is over, so that the same plan goes on with the step that follows.
    Over,
}

/// The current step and its index; none without steps or past the last.
pub(super) fn current<'a>(cx: &Context<'a>) -> Option<(usize, StepKind<'a>)> {
    cx.step_of(cx.status)
}

/// The index of the step after the one that the status is at.
pub(super) fn next_index(cx: &Context<'_>) -> Option<i32> {
    cx.status.current_step_index.map(|index| index + 1)
}

/// Whether the user ended the pause of the current step, and it has not been left yet.
pub(super) fn is_resumed(cx: &Context<'_>) -> bool {
    let at_pause = current(cx).is_some_and(|(_, kind)| matches!(kind, StepKind::Pause(_)));
    at_pause && cx.is_resumed_by_user(REASON)
}

/// How the pause of the current step stands.
pub(super) fn state(cx: &Context<'_>, draft: &mut Draft) -> State {
    let Some((index, kind @ StepKind::Pause(pause))) = current(cx) else { return State::None };
    if cx.spec.is_paused || !is_pause_over(cx, draft, pause) {
        return State::Holds;
    }
    draft.tell_first(EventReason::RolloutStepCompleted, completion(cx, index, kind));
    State::Over
}

/// How an Event tells that the step at `index` is complete.
pub(super) fn completion(cx: &Context<'_>, index: usize, kind: StepKind<'_>) -> String {
    let total = cx.step_count().unwrap_or(0);
    format!("Rollout step {}/{total} completed ({})", index + 1, step::label_of(kind))
}

/// Whether the user ended the pause, or its time is over.
fn is_pause_over(cx: &Context<'_>, draft: &mut Draft, pause: &PauseStep) -> bool {
    if is_resumed(cx) {
        return true;
    }
    let Some(begun) = cx.status.pause_conditions.iter().find(|c| c.reason == REASON) else { return false };
    match step::pause_end(pause, begun.start_time.0) {
        Some(end) if end <= cx.now => true,
        Some(end) => {
            draft.wake_at(end);
            false
        }
        None => false,
    }
}

/// Decides again when the pause ends that began at `start`.
pub(super) fn wake_at_end(draft: &mut Draft, pause: &PauseStep, start: Timestamp) {
    if let Some(end) = step::pause_end(pause, start) {
        draft.wake_at(end);
    }
}

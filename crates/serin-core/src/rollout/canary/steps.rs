//! The steps of a canary: which one is current, when it is complete, and what it waits for.

use jiff::Timestamp;

use super::super::context::Context;
use super::super::draft::Draft;
use super::scale;
use crate::api::strategy::PauseStep;
use crate::api::{PauseReason, StepKind};
use crate::domain::event::EventReason;
use crate::domain::step;

/// The current step and its index; none without steps or past the last.
pub(super) fn current<'a>(cx: &Context<'a>) -> Option<(usize, StepKind<'a>)> {
    cx.step_of(cx.status)
}

/// Whether the user ended the pause of the current step, and it has not been left yet.
pub(super) fn is_resumed(cx: &Context<'_>) -> bool {
    let at_pause = current(cx).is_some_and(|(_, kind)| matches!(kind, StepKind::Pause(_)));
    at_pause && cx.is_resumed_by_user(PauseReason::CanaryPauseStep)
}

/// Leaves the pause of the current step if it is over, so that the same plan goes on with the step that follows.
pub(super) fn leave_pause(cx: &Context<'_>, draft: &mut Draft) {
    let Some((index, kind @ StepKind::Pause(pause))) = current(cx) else { return };
    if draft.is_aborted(cx) || draft.pauses.clear {
        return;
    }
    if cx.spec.is_paused || !is_pause_over(cx, draft, pause) {
        draft.pauses.hold_resume = is_resumed(cx);
        return;
    }
    draft.left_step = true;
    draft.tell_first(EventReason::RolloutStepCompleted, completion(cx, index, kind));
    complete(cx, draft);
}

/// Completes the current step, or waits for what it waits for.
pub(super) fn advance(cx: &Context<'_>, draft: &mut Draft) {
    let Some((index, kind)) = current(cx) else { return };
    if draft.is_aborted(cx) || draft.pauses.clear || draft.left_step {
        return;
    }
    let is_complete = match kind {
        StepKind::Pause(pause) => {
            begin_pause(cx, draft, pause);
            false
        }
        StepKind::SetWeight(_) => is_settled(cx, draft),
        StepKind::SetCanaryScale(_) => scale::is_at_desired(cx, draft) && !draft.is_scaling(),
        // Validation refuses these until they are built.
        StepKind::Experiment(_)
        | StepKind::Analysis(_)
        | StepKind::SetHeaderRoute(_)
        | StepKind::SetMirrorRoute(_)
        | StepKind::Plugin(_) => false,
    };
    if cx.spec.is_paused || !is_complete {
        return;
    }
    draft.tell(EventReason::RolloutStepCompleted, completion(cx, index, kind));
    complete(cx, draft);
    // With a dynamic stable revision that one follows the new weight before the pause begins.
    let is_steady = cx.canary().is_some_and(|canary| !canary.is_stable_dynamic);
    let next = cx.steps().get(index + 1);
    if let Some(StepKind::Pause(pause)) = next.filter(|_| is_steady) {
        draft.pauses.add.push(PauseReason::CanaryPauseStep);
        wake_at_end(draft, pause, cx.now);
    }
}

fn complete(cx: &Context<'_>, draft: &mut Draft) {
    draft.pauses.remove.push(PauseReason::CanaryPauseStep);
    draft.status.current_step_index = cx.status.current_step_index.map(|i| i + 1);
    draft.status.canary.current_step_analysis_run_status = None;
}

fn completion(cx: &Context<'_>, index: usize, kind: StepKind<'_>) -> String {
    let total = cx.step_count().unwrap_or(0);
    format!("Rollout step {}/{total} completed ({})", index + 1, step::label_of(kind))
}

/// A weight is set when pods and routers have followed.
fn is_settled(cx: &Context<'_>, draft: &Draft) -> bool {
    let verified = draft.status.canary.weights.as_ref().and_then(|w| w.verified) != Some(false);
    verified && !draft.is_scaling() && scale::is_at_desired(cx, draft)
}

/// Begins the pause of the current step once everything has the size of the step before.
fn begin_pause(cx: &Context<'_>, draft: &mut Draft, pause: &PauseStep) {
    let has_begun = cx.has_pause(PauseReason::CanaryPauseStep) || is_resumed(cx);
    if !has_begun && !draft.is_scaling() && !cx.spec.is_paused {
        draft.pauses.add.push(PauseReason::CanaryPauseStep);
        wake_at_end(draft, pause, cx.now);
    }
}

/// Whether the user ended the pause, or its time is over.
fn is_pause_over(cx: &Context<'_>, draft: &mut Draft, pause: &PauseStep) -> bool {
    if is_resumed(cx) {
        return true;
    }
    let begun = cx.status.pause_conditions.iter().find(|c| c.reason == PauseReason::CanaryPauseStep);
    let Some(begun) = begun else { return false };
    match step::pause_end(pause, begun.start_time.0) {
        Some(end) if end <= cx.now => true,
        Some(end) => {
            draft.wake_at(end);
            false
        }
        None => false,
    }
}

fn wake_at_end(draft: &mut Draft, pause: &PauseStep, start: Timestamp) {
    if let Some(end) = step::pause_end(pause, start) {
        draft.wake_at(end);
    }
}

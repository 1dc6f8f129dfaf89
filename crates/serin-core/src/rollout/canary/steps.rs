//! The current step of a canary: when it is complete, and what it waits for.

use super::super::context::Context;
use super::super::draft::Draft;
use super::super::sizes::Sizes;
use super::position::Position;
use super::{pause, scale};
use crate::api::StepKind;
use crate::api::rollout_status::TrafficWeights;
use crate::api::strategy::PauseStep;
use crate::domain::event::EventReason;

/// What a decision does with the current step.
#[derive(Debug, Default)]
pub(super) struct StepChange {
    /// Whether the step is complete.
    pub(super) is_complete: bool,
    /// Whether a pause begins: that of the step, or of the one after it.
    pub(super) begins_pause: bool,
}

/// Completes the current step, or waits for what it waits for. `weights` are those that the routers have once the plan is
/// carried out, and `sizes` what it changes about sizes.
pub(super) fn advance(
    cx: &Context<'_>,
    at: &Position,
    weights: Option<&TrafficWeights>,
    sizes: &Sizes<'_>,
    draft: &mut Draft,
) -> StepChange {
    let mut change = StepChange::default();
    let Some((index, kind)) = pause::current(cx) else { return change };
    if at.is_aborted || at.pauses.clear || at.has_left_pause {
        return change;
    }
    let is_complete = match kind {
        StepKind::Pause(pause) => {
            change.begins_pause = begins_pause(cx, sizes, draft, pause);
            false
        }
        StepKind::SetWeight(_) => {
            let is_verified = weights.and_then(|weights| weights.verified) != Some(false);
            is_verified && !sizes.is_scaling() && scale::is_reached(cx, at, weights)
        }
        StepKind::SetCanaryScale(_) => !sizes.is_scaling() && scale::is_reached(cx, at, weights),
        // Validation refuses these until they are built.
        StepKind::Experiment(_)
        | StepKind::Analysis(_)
        | StepKind::SetHeaderRoute(_)
        | StepKind::SetMirrorRoute(_)
        | StepKind::Plugin(_) => false,
    };
    if cx.spec.is_paused || !is_complete {
        return change;
    }
    change.is_complete = true;
    draft.tell(EventReason::RolloutStepCompleted, pause::completion(cx, index, kind));
    // With a dynamic stable revision that one follows the new weight before the pause begins.
    let is_steady = cx.canary().is_some_and(|canary| !canary.is_stable_dynamic);
    let next = cx.steps().get(index + 1);
    if let Some(StepKind::Pause(pause)) = next.filter(|_| is_steady) {
        change.begins_pause = true;
        pause::wake_at_end(draft, pause, cx.now);
    }
    change
}

/// Whether the pause of the current step begins: once everything has the size of the step before.
fn begins_pause(cx: &Context<'_>, sizes: &Sizes<'_>, draft: &mut Draft, pause: &PauseStep) -> bool {
    let has_begun = cx.has_pause(pause::REASON) || pause::is_resumed(cx);
    let begins = !has_begun && !sizes.is_scaling() && !cx.spec.is_paused;
    if begins {
        pause::wake_at_end(draft, pause, cx.now);
    }
    begins
}

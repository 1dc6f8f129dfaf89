//! How long an update has taken, and how much of that it waited for people (`status.duration`, and the histograms of
//! ended updates).

use jiff::Timestamp;

use super::conditions;
use super::context::Context;
use super::draft::Draft;
use super::rollback::Rollback;
use crate::api::rollout_status::{CompletionStatus, RolloutDuration};
use crate::api::{PauseCondition, RolloutStatus};
use crate::domain::condition::ConditionReason;
use crate::domain::time::whole_seconds;

/// Brings `next.duration` in line with `next`, which is final but for it.
pub(super) fn track(cx: &Context<'_>, next: &mut RolloutStatus, draft: &mut Draft) {
    let before = cx.status.duration.clone();
    let mut duration = match before {
        Some(going) if going.finished_at.is_none() => match (is_changed(cx), cx.rollback) {
            (false, _) => Some(going),
            (true, Rollback::None) => {
                draft.ended = Some(finished(going, CompletionStatus::Superseded, cx.now));
                Some(started(cx.now))
            }
            (true, Rollback::Ordinary) => Some(marked(going, CompletionStatus::RolledBack)),
            (true, Rollback::Fast | Rollback::WithinWindow) => {
                Some(marked(going, CompletionStatus::FastRolledBack))
            }
        },
        Some(_) | None if begins(cx, next) => Some(started(cx.now)),
        other => other,
    };
    if let Some(going) = duration.as_mut().filter(|duration| duration.finished_at.is_none()) {
        advance(cx, next, going, draft);
    }
    next.duration = duration;
}

/// Whether an update begins with the status `next`: with a change of the spec, or with a retry.
fn begins(cx: &Context<'_>, next: &RolloutStatus) -> bool {
    let was_aborted = conditions::has_reason(cx.status, ConditionReason::RolloutAborted);
    !is_at_target(cx, next) && (is_changed(cx) || was_aborted && !next.abort)
}

fn is_changed(cx: &Context<'_>) -> bool {
    cx.is_changed() || cx.status.current_pod_hash.is_none()
}

/// Whether the revision that the spec asks for is stable, and whole.
fn is_at_target(cx: &Context<'_>, next: &RolloutStatus) -> bool {
    conditions::is_completed(next) && cx.new_rs.is_some_and(|rs| rs.status.available >= cx.replicas)
}

/// Counts the pauses of an update that goes on, and notices its end.
fn advance(cx: &Context<'_>, next: &RolloutStatus, going: &mut RolloutDuration, draft: &mut Draft) {
    let is_over = is_at_target(cx, next) || next.abort;
    if is_waiting(cx, next) && !is_over {
        going.manual_pause_started_at.get_or_insert_with(|| whole_seconds(cx.now));
    } else {
        end_pause(going, cx.now);
    }
    if conditions::is_completed(next) && cx.status.stable_rs != next.stable_rs {
        let how =
            if cx.status.promote_full { CompletionStatus::FastPromoted } else { CompletionStatus::Promoted };
        going.completion_status.get_or_insert(how);
    }
    if is_over {
        let how = if next.abort { CompletionStatus::Aborted } else { CompletionStatus::Promoted };
        *going = finished(going.clone(), how, cx.now);
        draft.ended = Some(going.clone());
    }
}

/// Whether the update stands still until somebody does something.
fn is_waiting(cx: &Context<'_>, next: &RolloutStatus) -> bool {
    let step = cx.step_of(next).map(|(index, _)| index);
    let is_manual = |one: &PauseCondition| cx.spec.pause_end(step, one).is_none();
    cx.spec.is_paused || next.pause_conditions.iter().any(is_manual)
}

fn started(now: Timestamp) -> RolloutDuration {
    RolloutDuration { rollout_started_at: Some(whole_seconds(now)), ..RolloutDuration::default() }
}

fn marked(going: RolloutDuration, how: CompletionStatus) -> RolloutDuration {
    RolloutDuration { completion_status: Some(how), ..going }
}

/// The update ends now, in the way that was recorded, or else in this one.
fn finished(mut going: RolloutDuration, how: CompletionStatus, now: Timestamp) -> RolloutDuration {
    end_pause(&mut going, now);
    going.finished_at = Some(whole_seconds(now));
    going.completion_status.get_or_insert(how);
    going
}

fn end_pause(going: &mut RolloutDuration, now: Timestamp) {
    if let Some(since) = going.manual_pause_started_at.take() {
        let seconds = now.duration_since(since.0).as_secs().max(0);
        going.total_manual_pause_duration_seconds =
            going.total_manual_pause_duration_seconds.saturating_add(seconds);
    }
}

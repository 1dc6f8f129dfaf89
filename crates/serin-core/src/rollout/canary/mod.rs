//! The canary strategy: the new revision gets a growing share of pods or of traffic, step by step.

pub(super) mod ping_pong;
mod route;
mod scale;
mod services;
mod steps;

use super::context::Context;
use super::draft::Draft;
use super::promotion;
use super::{metadata, replica_set, restart, scale as sizes, status};
use crate::domain::event::EventReason;
use crate::traffic::TrafficError;

/// What to do now about a canary whose spec is valid.
pub(super) fn decide(cx: &Context<'_>, draft: &mut Draft) -> Result<(), TrafficError> {
    if cx.new_rs.is_some() {
        replica_set::sync(cx, draft);
    }
    if cx.is_changed() {
        restart(cx, draft);
    } else if cx.new_rs.is_some() {
        advance(cx, draft)?;
    }
    if cx.new_rs.is_none() {
        begin(cx, draft)?;
    }
    status::finish(cx, draft);
    Ok(())
}

/// What to do about a canary whose spec cannot be carried out: sizes follow, and an abort is carried out.
pub(super) fn keep(cx: &Context<'_>, draft: &mut Draft) {
    skip_what_needs_no_steps(cx, draft);
    if !draft.is_aborted(cx) {
        if scale::is_due(cx) {
            scale::apply(cx, draft);
        }
        return;
    }
    services::point(cx, draft);
    route::withdraw(cx, draft);
    scale::apply(cx, draft);
}

/// Begins an update: the steps start anew, and whatever belonged to the previous one is forgotten.
fn restart(cx: &Context<'_>, draft: &mut Draft) {
    let total = cx.step_count();
    draft.pauses.clear = true;
    draft.pauses.remove_abort = true;
    let status = &mut draft.status;
    status.promote_full = false;
    status.current_step_hash = Some(cx.step_hash.clone());
    status.canary.current_step_analysis_run_status = None;
    status.canary.current_background_analysis_run_status = None;
    status.canary.current_experiment = None;
    status.canary.step_plugin_statuses.clear();
    status.current_step_index = total.map(|_| 0);
    if total.is_none() || cx.new_rs.is_none() {
        return;
    }
    if cx.status.stable_rs.as_deref() == Some(cx.current_hash.as_str()) {
        draft.status.current_step_index = total;
        draft.tell(EventReason::SkipSteps, "Rollback to stable ReplicaSets");
    } else if cx.rollback.is_within_window() && cx.new_rs.is_some_and(|rs| rs.replicas > 0) {
        draft.status.current_step_index = total;
        draft.tell(EventReason::SkipSteps, "Rollback to active ReplicaSets within RollbackWindow");
    }
}

/// Makes the ReplicaSet of the new revision, and has the routers know of it.
///
/// Where everything stood still until now it has the size of the first step at once. In the middle of an update older
/// pods may have to go first, so that it begins empty.
fn begin(cx: &Context<'_>, draft: &mut Draft) -> Result<(), TrafficError> {
    let is_settled = cx.is_fully_promoted() && !cx.is_halted() && !scale::is_due(cx);
    let size = if is_settled { scale::first_size(cx, draft) } else { 0 };
    if is_settled {
        route::apply(cx, draft)?;
    }
    replica_set::create(cx, draft, size);
    Ok(())
}

/// Goes on with the update that the status is about.
fn advance(cx: &Context<'_>, draft: &mut Draft) -> Result<(), TrafficError> {
    skip_what_needs_no_steps(cx, draft);
    if scale::is_due(cx) {
        // A new size comes first and alone: shares are judged when all sets have followed it.
        scale::apply(cx, draft);
        hold_pending_resume(cx, draft);
        return Ok(());
    }
    steps::leave_pause(cx, draft);
    restart::advance(cx, draft);
    metadata::sync(cx, draft);
    sizes::clean_history(cx, draft);
    services::point(cx, draft);
    route::apply(cx, draft)?;
    if !cx.is_halted() || cx.status.abort {
        scale::apply(cx, draft);
    }
    if promotion::promote_canary(cx, draft) {
        return Ok(());
    }
    steps::advance(cx, draft);
    Ok(())
}

/// An abort goes back to the start, a full promotion or a rollback within the window to the end of the steps.
fn skip_what_needs_no_steps(cx: &Context<'_>, draft: &mut Draft) {
    if cx.rollback.is_within_window() || cx.is_promoting_full() {
        draft.pauses.clear = true;
        draft.pauses.remove_abort = true;
        draft.status.current_step_index = cx.step_count();
    } else if cx.status.abort {
        draft.status.current_step_index =
            cx.step_count().map(|total| if cx.is_fully_promoted() { total } else { 0 });
    }
    if cx.is_fully_promoted() {
        draft.pauses.remove_abort = true;
    }
}

/// A resume that cannot be acted on yet is not lost.
fn hold_pending_resume(cx: &Context<'_>, draft: &mut Draft) {
    draft.pauses.hold_resume = steps::is_resumed(cx);
}

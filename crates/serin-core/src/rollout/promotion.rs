//! The moment when a revision becomes the stable one.

use super::anti_affinity;
use super::canary;
use super::context::Context;
use super::draft::Draft;
use super::rollback::Rollback;
use crate::domain::event::EventReason;

/// Promotes the current revision of a canary if it has earned that. True if the plan promotes it, or the revision is
/// stable already.
pub(super) fn promote_canary(cx: &Context<'_>, draft: &mut Draft) -> bool {
    let Some(reason) = canary_reason(cx, draft) else { return false };
    promote(cx, draft, &reason);
    true
}

fn canary_reason(cx: &Context<'_>, draft: &Draft) -> Option<String> {
    if cx.status.stable_rs.is_none() {
        return Some("Initial deploy".to_owned());
    }
    let is_aborted = draft.is_aborted(cx);
    if is_aborted || !is_available(cx) {
        return None;
    }
    let total = cx.steps().len();
    let is_past_last =
        total == 0 || cx.status.current_step_index.and_then(|i| usize::try_from(i).ok()) == Some(total);
    if cx.stable_rs.is_none() {
        Some("Stable ReplicaSet is gone".to_owned())
    } else if cx.is_promoting_full() {
        Some("Full promotion requested".to_owned())
    } else if cx.rollback.is_fast() {
        Some(rollback_reason(cx.rollback).to_owned())
    } else {
        is_past_last.then(|| format!("Completed all {total} canary steps"))
    }
}

fn is_available(cx: &Context<'_>) -> bool {
    cx.new_rs.is_some_and(|rs| super::progress::is_met(cx, rs.status.available, cx.replicas))
}

/// Promotes the current revision of a blue-green Rollout if it serves.
pub(super) fn promote_blue_green(cx: &Context<'_>, draft: &mut Draft) {
    if let Some(reason) = blue_green_reason(cx, draft) {
        promote(cx, draft, reason);
    }
}

fn blue_green_reason(cx: &Context<'_>, draft: &Draft) -> Option<&'static str> {
    if cx.status.stable_rs.is_none() {
        return Some("Initial deploy");
    }
    if draft.status.blue_green.active_selector.as_deref() != Some(cx.current_hash.as_str()) {
        return None;
    }
    let is_aborted = draft.is_aborted(cx);
    if cx.is_promoting_full() {
        Some("Full promotion requested")
    } else if cx.rollback.is_fast() {
        Some(rollback_reason(cx.rollback))
    } else {
        (!is_aborted).then_some("Completed blue-green update")
    }
}

const fn rollback_reason(rollback: Rollback) -> &'static str {
    match rollback {
        Rollback::WithinWindow => "Rollback within window",
        Rollback::None | Rollback::Ordinary | Rollback::Fast => "Fast rollback",
    }
}

fn promote(cx: &Context<'_>, draft: &mut Draft, reason: &str) {
    draft.pauses.clear = true;
    draft.pauses.remove_abort = true;
    let status = &mut draft.status;
    status.promote_full = false;
    status.blue_green.scale_up_preview_check_point = false;
    status.current_step_index = cx.step_count();
    if status.stable_rs.as_deref() == Some(cx.current_hash.as_str()) {
        return;
    }
    status.stable_rs = Some(cx.current_hash.clone());
    status.canary.stable_ping_pong = canary::ping_pong::turn(cx).or(status.canary.stable_ping_pong);
    let message =
        format!("Rollout completed update to revision {} ({}): {reason}", cx.revision(), cx.current_hash);
    draft.tell(EventReason::RolloutCompleted, message);
    anti_affinity::release(cx, draft);
}

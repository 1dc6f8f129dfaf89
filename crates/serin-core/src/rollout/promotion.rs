//! The moment when a revision becomes the stable one.

use super::anti_affinity;
use super::context::Context;
use super::draft::Draft;
use super::pauses::PauseChanges;
use super::rollback::Rollback;
use crate::api::RolloutStatus;
use crate::api::rollout_status::PingPongSide;
use crate::domain::event::EventReason;

/// The current revision becomes the stable one, and nothing of the update is left to be done.
#[derive(Debug)]
pub(super) struct Promotion {
    stable_rs: String,
    /// Past the last step; none without steps.
    step_index: Option<i32>,
    stable_ping_pong: Option<PingPongSide>,
    /// What is told, unless the revision is stable already.
    completion: Option<String>,
}

/// Promotes the current revision of a canary if it has earned that; also if it is stable already.
pub(super) fn of_canary(cx: &Context<'_>, is_aborted: bool) -> Option<Promotion> {
    Some(Promotion::new(cx, &canary_reason(cx, is_aborted)?))
}

fn canary_reason(cx: &Context<'_>, is_aborted: bool) -> Option<String> {
    if cx.status.stable_rs.is_none() {
        return Some("Initial deploy".to_owned());
    }
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

/// Promotes the current revision of a blue-green Rollout if it serves: if the active Service selects `active` once the plan
/// is carried out.
pub(super) fn of_blue_green(cx: &Context<'_>, active: Option<&str>, is_aborted: bool) -> Option<Promotion> {
    Some(Promotion::new(cx, blue_green_reason(cx, active, is_aborted)?))
}

fn blue_green_reason(cx: &Context<'_>, active: Option<&str>, is_aborted: bool) -> Option<&'static str> {
    if cx.status.stable_rs.is_none() {
        return Some("Initial deploy");
    }
    if active != Some(cx.current_hash.as_str()) {
        return None;
    }
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

/// The stable Service of a ping-pong pair once the new revision is the stable one.
fn turned(cx: &Context<'_>) -> Option<PingPongSide> {
    cx.canary()?.ping_pong?;
    Some(match cx.status.canary.stable_ping_pong {
        Some(PingPongSide::Ping) => PingPongSide::Pong,
        Some(PingPongSide::Pong) | None => PingPongSide::Ping,
    })
}

impl Promotion {
    fn new(cx: &Context<'_>, reason: &str) -> Self {
        let is_stable = cx.status.stable_rs.as_deref() == Some(cx.current_hash.as_str());
        let recorded = cx.status.canary.stable_ping_pong;
        let (revision, hash) = (cx.revision(), &cx.current_hash);
        let completion = format!("Rollout completed update to revision {revision} ({hash}): {reason}");
        Self {
            stable_rs: hash.clone(),
            step_index: cx.step_count(),
            stable_ping_pong: if is_stable { recorded } else { turned(cx).or(recorded) },
            completion: (!is_stable).then_some(completion),
        }
    }

    /// Tells of it, and takes the anti-affinity from the ReplicaSet of the new stable revision.
    pub(super) fn write(&self, cx: &Context<'_>, draft: &mut Draft) {
        if let Some(completion) = &self.completion {
            draft.tell(EventReason::RolloutCompleted, completion);
            anti_affinity::release(cx, draft);
        }
    }

    /// Changes the next status and the pauses that it records.
    pub(super) fn apply(self, status: &mut RolloutStatus, pauses: &mut PauseChanges) {
        pauses.clear = true;
        pauses.remove_abort = true;
        status.promote_full = false;
        status.blue_green.scale_up_preview_check_point = false;
        status.current_step_index = self.step_index;
        status.stable_rs = Some(self.stable_rs);
        status.canary.stable_ping_pong = self.stable_ping_pong;
    }
}

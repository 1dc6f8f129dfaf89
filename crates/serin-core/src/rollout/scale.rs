//! What both strategies do to the sizes of ReplicaSets: delays before a scale-down, and the history.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::context::Context;
use super::draft::Draft;
use super::snapshot::ReplicaSetView;
use super::valid::ScaleDownDelay;
use super::views::Deadline;
use crate::api::keys;
use crate::domain::plan::Purpose;
use crate::domain::time::after;

/// A ReplicaSet that is in use has no time at which it goes away.
pub(super) fn keep(draft: &mut Draft, rs: &ReplicaSetView) {
    if rs.annotations.contains_key(keys::SCALE_DOWN_DEADLINE) {
        let patch = json!({"metadata": {"annotations": {keys::SCALE_DOWN_DEADLINE: Value::Null}}});
        draft.patch_replica_set(rs, &patch, Purpose::KeepReplicaSet);
    }
}

/// Writes on a ReplicaSet when it is to be scaled to 0, and returns that time.
pub(super) fn delay(cx: &Context<'_>, draft: &mut Draft, rs: &ReplicaSetView, seconds: i32) -> Timestamp {
    let deadline = after(cx.now, SignedDuration::from_secs(seconds.max(0).into()));
    let text = deadline.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let patch = json!({"metadata": {"annotations": {keys::SCALE_DOWN_DEADLINE: text}}});
    draft.patch_replica_set(rs, &patch, Purpose::DelayScaleDown(deadline));
    draft.wake_at(deadline);
    deadline
}

/// Old ReplicaSets that wait for their scale-down, youngest revision first; only so many may.
#[derive(Debug)]
pub(super) struct DelayQueue {
    delay_seconds: i32,
    room: i32,
}

impl DelayQueue {
    pub(super) fn new(delay: ScaleDownDelay) -> Self {
        Self { delay_seconds: delay.seconds, room: delay.revisions.unwrap_or(i32::MAX) }
    }

    /// The size of the next ReplicaSet: `keep` while it waits, 0 when its time has come.
    pub(super) fn size(
        &mut self,
        cx: &Context<'_>,
        draft: &mut Draft,
        rs: &ReplicaSetView,
        keep: i32,
    ) -> i32 {
        let has_room = self.room > 0;
        match rs.deadline() {
            // A delay of 0 means now.
            Deadline::None if !has_room || self.delay_seconds <= 0 => 0,
            Deadline::None => {
                self.room -= 1;
                delay(cx, draft, rs, self.delay_seconds);
                rs.replicas
            }
            Deadline::At(deadline) => {
                self.room -= 1;
                if !has_room || deadline <= cx.now {
                    return 0;
                }
                draft.wake_at(deadline);
                keep
            }
            Deadline::Unreadable => {
                self.room -= 1;
                0
            }
        }
    }
}

/// Whether no pod is available but those of ReplicaSets that are about to go.
pub(super) fn are_needed(cx: &Context<'_>, leaving: &[&ReplicaSetView]) -> bool {
    let stays = |rs: &&&ReplicaSetView| leaving.iter().all(|other| other.id.uid != rs.id.uid);
    cx.replicas > 0 && cx.owned.iter().filter(stays).all(|rs| rs.status.available <= 0)
}

/// Deletes the oldest ReplicaSets that neither run pods nor fit into the revision history.
pub(super) fn clean_history(cx: &Context<'_>, draft: &mut Draft) {
    let old: Vec<_> = cx.others().filter(|rs| !rs.deleting).collect();
    let excess = old.len().saturating_sub(cx.spec.history_limit);
    let is_idle = |rs: &&&ReplicaSetView| {
        rs.status.replicas == 0 && rs.replicas == 0 && rs.generation <= rs.status.observed_generation
    };
    old.iter().take(excess).filter(is_idle).for_each(|rs| draft.delete_replica_set(rs));
}

/// The state of a ReplicaSet whose revision was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AbortDelay {
    /// It is scaled as ever.
    Off,
    /// It keeps its size.
    Hold,
    /// Its time has come.
    Over,
}

/// Holds the pods of an aborted revision for a while, from the moment on when the stable one can carry everything.
pub(super) fn abort_delay(
    cx: &Context<'_>,
    draft: &mut Draft,
    rs: &ReplicaSetView,
    delay_seconds: i32,
) -> AbortDelay {
    match rs.deadline() {
        Deadline::At(deadline) if deadline <= cx.now => AbortDelay::Over,
        Deadline::At(deadline) => {
            draft.wake_at(deadline);
            AbortDelay::Hold
        }
        Deadline::None => {
            if cx.stable_rs.is_some_and(|stable| stable.status.available >= cx.replicas) {
                delay(cx, draft, rs, delay_seconds);
            }
            AbortDelay::Hold
        }
        Deadline::Unreadable => AbortDelay::Off,
    }
}

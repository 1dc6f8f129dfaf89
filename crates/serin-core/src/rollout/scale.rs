//! What both strategies do to the sizes of ReplicaSets: how one gets a size, delays before a scale-down, and the history.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::capacity;
use super::context::Context;
use super::draft::Draft;
use super::sizes::{SizeChange, Sizes};
use super::snapshot::ReplicaSetView;
use super::valid::ScaleDownDelay;
use super::views::Deadline;
use crate::api::keys;
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::Purpose;
use serin_values::time::after;

/// Gives a ReplicaSet a size and records for which size of the Rollout. True if the size changes. One whose pods alone
/// serve keeps them.
pub(super) fn scale<'a>(
    cx: &Context<'a>,
    sizes: &mut Sizes<'a>,
    rs: &'a ReplicaSetView,
    to: i32,
    keep_deadline: bool,
) -> bool {
    let to = if to == 0 && capacity::is_needed(cx, sizes, rs) { rs.replicas } else { to };
    let drops_deadline = to == 0 && !keep_deadline && rs.annotations.contains_key(keys::SCALE_DOWN_DEADLINE);
    let is_recorded = rs.desired_replicas() == Some(cx.replicas);
    if rs.replicas != to || !is_recorded || drops_deadline {
        sizes.push(rs, SizeChange::Scale { to, drops_deadline });
    }
    rs.replicas != to
}

/// A ReplicaSet that is in use has no time at which it goes away.
pub(super) fn keep<'a>(sizes: &mut Sizes<'a>, rs: &'a ReplicaSetView) {
    if rs.annotations.contains_key(keys::SCALE_DOWN_DEADLINE) {
        sizes.push(rs, SizeChange::Keep);
    }
}

/// Decides when a ReplicaSet is to be scaled to 0: after so many seconds.
fn delay<'a>(cx: &Context<'a>, sizes: &mut Sizes<'a>, rs: &'a ReplicaSetView, seconds: i32) {
    let deadline = after(cx.now, SignedDuration::from_secs(seconds.max(0).into()));
    sizes.push(rs, SizeChange::Delay(deadline));
    sizes.wake_at(deadline);
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
    pub(super) fn size<'a>(
        &mut self,
        cx: &Context<'a>,
        sizes: &mut Sizes<'a>,
        rs: &'a ReplicaSetView,
        keep: i32,
    ) -> i32 {
        let has_room = self.room > 0;
        match rs.deadline() {
            // A delay of 0 means now.
            Deadline::None if !has_room || self.delay_seconds <= 0 => 0,
            Deadline::None => {
                self.room -= 1;
                delay(cx, sizes, rs, self.delay_seconds);
                rs.replicas
            }
            Deadline::At(deadline) => {
                self.room -= 1;
                if !has_room || deadline <= cx.now {
                    return 0;
                }
                sizes.wake_at(deadline);
                keep
            }
            Deadline::Unreadable => {
                self.room -= 1;
                0
            }
        }
    }
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
pub(super) fn abort_delay<'a>(
    cx: &Context<'a>,
    sizes: &mut Sizes<'a>,
    rs: &'a ReplicaSetView,
    delay_seconds: i32,
) -> AbortDelay {
    match rs.deadline() {
        Deadline::At(deadline) if deadline <= cx.now => AbortDelay::Over,
        Deadline::At(deadline) => {
            sizes.wake_at(deadline);
            AbortDelay::Hold
        }
        Deadline::None => {
            if cx.stable_rs.is_some_and(|stable| stable.status.available >= cx.replicas) {
                delay(cx, sizes, rs, delay_seconds);
            }
            AbortDelay::Hold
        }
        Deadline::Unreadable => AbortDelay::Off,
    }
}

/// Asks for what makes the sizes true.
pub(super) fn write(cx: &Context<'_>, sizes: &Sizes<'_>, draft: &mut Draft) {
    for (rs, change) in sizes.changes() {
        match change {
            SizeChange::Keep => draft.patch_replica_set(rs, &deadline_patch(None), Purpose::KeepReplicaSet),
            SizeChange::Delay(deadline) => {
                draft.patch_replica_set(
                    rs,
                    &deadline_patch(Some(deadline)),
                    Purpose::DelayScaleDown(deadline),
                );
            }
            SizeChange::Scale { to, drops_deadline } => write_size(cx, rs, to, drops_deadline, draft),
        }
    }
    sizes.wakes().iter().for_each(|time| draft.wake_at(*time));
}

fn deadline_patch(deadline: Option<Timestamp>) -> Value {
    let text = deadline.map(|deadline| deadline.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    json!({"metadata": {"annotations": {keys::SCALE_DOWN_DEADLINE: text}}})
}

fn write_size(cx: &Context<'_>, rs: &ReplicaSetView, to: i32, drops_deadline: bool, draft: &mut Draft) {
    let mut patch = json!({"metadata": {"annotations": {keys::DESIRED_REPLICAS: cx.replicas.to_string()}}});
    if cx.is_new(rs) && !cx.is_pinned {
        for (key, value) in cx.identity.record(rs).annotations {
            patch["metadata"]["annotations"][key] = value;
        }
    }
    if drops_deadline {
        patch["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE] = Value::Null;
    }
    if rs.replicas == to {
        return draft.patch_replica_set(rs, &patch, Purpose::SyncReplicaSet);
    }
    patch["spec"] = json!({"replicas": to});
    let direction = if to > rs.replicas { "up" } else { "down" };
    // The revision may be written in the same plan.
    let revision = if cx.is_new(rs) { cx.revision() } else { rs.revision() };
    let message = format!(
        "Scaled {direction} ReplicaSet {} (revision {revision}) from {} to {to}",
        rs.id.name, rs.replicas,
    );
    let event = EventNote::new(EventReason::ScalingReplicaSet, message);
    draft.scale_replica_set(rs, &patch, to, event);
}

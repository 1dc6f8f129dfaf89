//! The changes that planned writes make, without labels and other bookkeeping.

use jiff::Timestamp;

use serin_core::api::rollout_status::PauseCondition;
use serin_core::api::{PauseReason, Rollout, RolloutStatus};
use serin_core::domain::condition::ConditionType;
use serin_core::domain::plan::{Action, ObjectKind, Op, Purpose};

/// A planned change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A change of an object.
    Object {
        /// Its kind.
        kind: ObjectKind,
        /// Its name.
        name: String,
        /// The change.
        change: Change,
    },
    /// A change of the status of the Rollout.
    Status {
        /// The name of the Rollout.
        rollout: String,
        /// The change.
        change: StatusChange,
    },
}

/// A change of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `spec.replicas` is set to a default.
    DefaultReplicas(i32),
    /// The Rollout takes over a ReplicaSet.
    Adopted,
    /// It is created.
    Created {
        /// The number of its pods, if the request has one.
        pods: Option<i64>,
    },
    /// Its number of pods changes.
    Scaled {
        /// The number before.
        from: i32,
        /// The number after.
        to: i32,
    },
    /// Its scale-down is delayed until that time.
    Delayed(Timestamp),
    /// It is deleted because the revision history is full.
    Deleted,
    /// It is evicted for a restart.
    Evicted,
    /// It selects the pods of another revision.
    Selects {
        /// The hash of the revision.
        revision: String,
    },
    /// It selects all pods of the Rollout again.
    Released,
    /// It gives the new revision that weight.
    Routes {
        /// The weight.
        weight: i32,
    },
}

/// A change of the status of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusChange {
    /// The spec is reported as invalid.
    Invalid,
    /// The update is aborted.
    Aborted,
    /// A revision becomes stable.
    Stable {
        /// The hash of the revision.
        revision: String,
    },
    /// Steps are done.
    Steps {
        /// The number of done steps before.
        from: usize,
        /// The number of done steps after.
        to: usize,
        /// The number of steps.
        all: usize,
    },
    /// A pause starts.
    Pause(PauseReason),
}

/// The changes of a request.
#[must_use]
pub(super) fn of_op(op: &Op) -> Vec<Write> {
    let write = |change| Write::Object { kind: op.kind, name: op.name.clone(), change };
    op.purposes.iter().filter_map(|purpose| of_purpose(op, purpose)).map(write).collect()
}

fn of_purpose(op: &Op, purpose: &Purpose) -> Option<Change> {
    Some(match purpose {
        Purpose::DefaultReplicas(size) => Change::DefaultReplicas(*size),
        Purpose::AdoptReplicaSet => Change::Adopted,
        Purpose::CreateReplicaSet => match &op.action {
            Action::Create { body } => {
                let size = body.pointer("/spec/replicas").and_then(serde_json::Value::as_i64);
                Change::Created { pods: Some(size.unwrap_or(0)) }
            }
            Action::Patch { .. } | Action::Delete { .. } | Action::Evict { .. } => {
                Change::Created { pods: None }
            }
        },
        Purpose::ScaleReplicaSet { from, to } | Purpose::ScaleWorkload { from, to } => {
            Change::Scaled { from: *from, to: *to }
        }
        Purpose::DelayScaleDown(time) => Change::Delayed(*time),
        Purpose::DeleteReplicaSet => Change::Deleted,
        Purpose::EvictPod => Change::Evicted,
        Purpose::PointService { to, .. } => Change::Selects { revision: to.clone() },
        Purpose::ReleaseService => Change::Released,
        Purpose::Route { weight } => Change::Routes { weight: *weight },
        Purpose::RecordRevision(_)
        | Purpose::RecordWorkload(_)
        | Purpose::SyncReplicaSet
        | Purpose::KeepReplicaSet
        | Purpose::LabelReplicaSet
        | Purpose::LabelPod
        | Purpose::DeleteExpired
        | Purpose::CreateJob
        | Purpose::DeleteJob => return None,
    })
}

/// The changes of the status, and true if they end a stretch of the plan: the Rollout then waits for a user or for
/// time.
#[must_use]
pub(super) fn of_status(
    rollout: &Rollout,
    before: &RolloutStatus,
    next: &RolloutStatus,
) -> (Vec<Write>, bool) {
    let mut changes = Vec::new();
    let is_invalid = is_invalid(next) && !is_invalid(before);
    if is_invalid {
        changes.push(StatusChange::Invalid);
    }
    if next.abort && !before.abort {
        changes.push(StatusChange::Aborted);
    }
    let is_promoted = next.stable_rs.is_some() && next.stable_rs != before.stable_rs;
    if let Some(stable) = next.stable_rs.as_ref().filter(|_| is_promoted) {
        changes.push(StatusChange::Stable { revision: stable.clone() });
    }
    let all = rollout.spec.strategy.canary.as_ref().map_or(0, |canary| canary.steps.len());
    let step =
        |status: &RolloutStatus| status.current_step_index.and_then(|index| usize::try_from(index).ok());
    if let (Some(from), Some(to)) = (step(before), step(next))
        && from < to
        && !is_promoted
    {
        changes.push(StatusChange::Steps { from, to, all });
    }
    let begun = next.pause_conditions.iter().find(|pause| !has(before, pause));
    changes.extend(begun.map(|pause| StatusChange::Pause(pause.reason)));
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let write = |change| Write::Status { rollout: name.to_owned(), change };
    (changes.into_iter().map(write).collect(), begun.is_some() || is_promoted || is_invalid)
}

fn has(status: &RolloutStatus, pause: &PauseCondition) -> bool {
    status.pause_conditions.iter().any(|other| other.reason == pause.reason)
}

fn is_invalid(status: &RolloutStatus) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == ConditionType::InvalidSpec.as_str())
}

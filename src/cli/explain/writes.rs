//! Describes planned writes, one line per change.

use crate::cli::view::counted;
use serin_core::api::rollout_status::PauseCondition;
use serin_core::api::{PauseReason, Rollout, RolloutStatus};
use serin_core::domain::condition::ConditionType;
use serin_core::domain::plan::{Action, Op, Purpose};

/// The changes of a request, except labels and other bookkeeping.
#[must_use]
pub(super) fn of_op(op: &Op) -> Vec<String> {
    let object = format!("{} {}", op.kind.name(), op.name);
    op.purposes.iter().filter_map(|purpose| Some(format!("{object}: {}", of_purpose(op, purpose)?))).collect()
}

fn of_purpose(op: &Op, purpose: &Purpose) -> Option<String> {
    let words = match purpose {
        Purpose::DefaultReplicas(size) => format!("spec.replicas is set to {size}"),
        Purpose::AdoptReplicaSet => "taken over by the Rollout".to_owned(),
        Purpose::CreateReplicaSet => match &op.action {
            Action::Create { body } => {
                let size = body.pointer("/spec/replicas").and_then(serde_json::Value::as_i64);
                format!("created, {}", counted(size.unwrap_or(0), "pod"))
            }
            Action::Patch { .. } | Action::Delete { .. } | Action::Evict { .. } => "created".to_owned(),
        },
        Purpose::ScaleReplicaSet { from, to } | Purpose::ScaleWorkload { from, to } => {
            format!("from {from} to {}", counted(*to, "pod"))
        }
        Purpose::DelayScaleDown(time) => {
            format!("its scale-down is delayed until {}", time.strftime("%H:%M:%SZ"))
        }
        Purpose::DeleteReplicaSet => "deleted because the revision history is full".to_owned(),
        Purpose::EvictPod => "evicted for the restart".to_owned(),
        Purpose::PointService { to, .. } => format!("selects the pods of revision {to}"),
        Purpose::ReleaseService => "selects all pods of the Rollout again".to_owned(),
        Purpose::Route { weight } => format!("weight {weight} for the new revision"),
        Purpose::RecordRevision(_)
        | Purpose::RecordWorkload(_)
        | Purpose::SyncReplicaSet
        | Purpose::KeepReplicaSet
        | Purpose::LabelReplicaSet
        | Purpose::LabelPod
        | Purpose::DeleteExpired => return None,
    };
    Some(words)
}

/// The change of the status, and true if it ends a stretch of the plan: the Rollout then waits for a user or for
/// time.
#[must_use]
pub(super) fn of_status(
    rollout: &Rollout,
    before: &RolloutStatus,
    next: &RolloutStatus,
) -> (Vec<String>, bool) {
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let mut lines = Vec::new();
    let mut say = |words: String| lines.push(format!("Rollout {name}: {words}"));
    let is_invalid = is_invalid(next) && !is_invalid(before);
    if is_invalid {
        say("the spec is reported as invalid".to_owned());
    }
    if next.abort && !before.abort {
        say("the update is aborted".to_owned());
    }
    let is_promoted = next.stable_rs.is_some() && next.stable_rs != before.stable_rs;
    if let Some(stable) = next.stable_rs.as_ref().filter(|_| is_promoted) {
        say(format!("revision {stable} becomes stable"));
    }
    let steps = rollout.spec.strategy.canary.as_ref().map_or(0, |canary| canary.steps.len());
    let step =
        |status: &RolloutStatus| status.current_step_index.and_then(|index| usize::try_from(index).ok());
    if let (Some(from), Some(to)) = (step(before), step(next))
        && from < to
        && !is_promoted
    {
        let done = if to - from == 1 { format!("step {to}") } else { format!("steps {} to {to}", from + 1) };
        say(format!("{done} of {steps} done"));
    }
    let begun = next.pause_conditions.iter().find(|pause| !has(before, pause));
    if let Some(pause) = begun {
        let what = match pause.reason {
            PauseReason::CanaryPauseStep => "the pause of the step starts",
            PauseReason::BlueGreenPause => "waits to be promoted",
            PauseReason::InconclusiveAnalysisRun | PauseReason::InconclusiveExperiment => "waits for a user",
        };
        say(what.to_owned());
    }
    (lines, begun.is_some() || is_promoted || is_invalid)
}

fn has(status: &RolloutStatus, pause: &PauseCondition) -> bool {
    status.pause_conditions.iter().any(|other| other.reason == pause.reason)
}

fn is_invalid(status: &RolloutStatus) -> bool {
    status.conditions.iter().any(|condition| condition.type_ == ConditionType::InvalidSpec.as_str())
}

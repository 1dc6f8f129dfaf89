//! Words for planned writes, one line per change.

use crate::cli::view::counted;
use serin_core::api::PauseReason;
use serin_insight::explain::{Change, StatusChange, Write};

/// Describes a planned write.
pub(in crate::cli::explain) fn write(write: &Write) -> String {
    match write {
        Write::Object { kind, name, change } => format!("{} {name}: {}", kind.name(), of_object(change)),
        Write::Status { rollout, change } => format!("Rollout {rollout}: {}", of_status(change)),
    }
}

fn of_object(change: &Change) -> String {
    match change {
        Change::DefaultReplicas(size) => format!("spec.replicas is set to {size}"),
        Change::Adopted => "taken over by the Rollout".to_owned(),
        Change::Created { pods: Some(pods) } => format!("created, {}", counted(*pods, "pod")),
        Change::Created { pods: None } => "created".to_owned(),
        Change::Scaled { from, to } => format!("from {from} to {}", counted(*to, "pod")),
        Change::Delayed(time) => format!("its scale-down is delayed until {}", time.strftime("%H:%M:%SZ")),
        Change::Deleted => "deleted because the revision history is full".to_owned(),
        Change::Evicted => "evicted for the restart".to_owned(),
        Change::Selects { revision } => format!("selects the pods of revision {revision}"),
        Change::Released => "selects all pods of the Rollout again".to_owned(),
        Change::Routes { weight } => format!("weight {weight} for the new revision"),
    }
}

fn of_status(change: &StatusChange) -> String {
    match change {
        StatusChange::Invalid => "the spec is reported as invalid".to_owned(),
        StatusChange::Aborted => "the update is aborted".to_owned(),
        StatusChange::Stable { revision } => format!("revision {revision} becomes stable"),
        StatusChange::Steps { from, to, all } if to - from == 1 => format!("step {to} of {all} done"),
        StatusChange::Steps { from, to, all } => format!("steps {} to {to} of {all} done", from + 1),
        StatusChange::Pause(PauseReason::CanaryPauseStep) => "the pause of the step starts".to_owned(),
        StatusChange::Pause(PauseReason::BlueGreenPause) => "waits to be promoted".to_owned(),
        StatusChange::Pause(PauseReason::InconclusiveAnalysisRun | PauseReason::InconclusiveExperiment) => {
            "waits for a user".to_owned()
        }
    }
}

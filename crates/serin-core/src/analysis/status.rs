//! The writes of the status of a run.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::run::Run;
use crate::api::Time;
use crate::api::analysis::{AnalysisPhase, AnalysisRunStatus};
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::StatusWrite;
use serin_values::merge_patch::merge_patch;

/// Ends a run that cannot be carried out.
pub(super) fn fail(run: &Run, message: &str, now: Timestamp) -> StatusWrite {
    let status = AnalysisRunStatus {
        phase: AnalysisPhase::Error,
        message: Some(message.to_owned()),
        started_at: run.status.started_at.clone().or(Some(Time(now))),
        completed_at: Some(Time(now)),
        ..run.status.clone()
    };
    let event = EventNote::new(EventReason::AnalysisRunError, "Analysis Completed. Result: Error");
    write(run, &status, vec![event])
}

/// The write that makes `status` that of the run.
pub(super) fn write(run: &Run, status: &AnalysisRunStatus, events: Vec<EventNote>) -> StatusWrite {
    let patch = merge_patch(&json!(run.status), &json!(status));
    let patch = patch.map_or(Value::Null, |status| json!({"status": status}));
    StatusWrite { patch, events, ..StatusWrite::nothing() }
}

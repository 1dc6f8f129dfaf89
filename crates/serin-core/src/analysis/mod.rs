//! What to do about an AnalysisRun: [`decide`] and its parts.
//!
//! A run whose spec is wrong ends with the reason, and a run that has ended is deleted when its time to live is over. A
//! run that is right is left alone: nothing is measured yet.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::analysis::{AnalysisPhase, AnalysisRunSpec, AnalysisRunStatus};
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Action, ObjectKind, Op, Plan, Purpose, Stage, StageName, StatusWrite, Wake};
use crate::rollout::snapshot::Identity;
use serin_values::time::after;

pub use crate::analysis_template::validate;

/// An AnalysisRun, as far as decisions look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which one it is.
    pub id: Identity,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `spec`, or where it cannot be read and why.
    pub spec: Result<AnalysisRunSpec, Unreadable>,
    /// `status`; as if it were new where that cannot be read.
    pub status: AnalysisRunStatus,
}

/// Why the spec of a run cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Where in the object the problem is, e.g. `spec.metrics[0].count`.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

impl Run {
    /// Reads `spec` and `status` of the AnalysisRun with that identity.
    #[must_use]
    pub fn read(id: Identity, deleting: bool, spec: &Value, status: &Value) -> Self {
        let spec = serde_path_to_error::deserialize(spec).map_err(|error| Unreadable {
            path: format!("spec.{}", error.path()),
            problem: error.into_inner().to_string(),
        });
        let status = serde_json::from_value(status.clone()).unwrap_or_default();
        Self { id, deleting, spec, status }
    }
}

/// What to do now about a run. Total: what is wrong with it ends in its status.
///
/// As in the reference, a run that has ended is only looked at for its time to live.
#[must_use]
pub fn decide(run: &Run, now: Timestamp) -> Plan {
    let mut plan = Plan::nothing(run.id.precondition());
    if run.deleting {
        return plan;
    }
    if run.status.phase.is_completed() {
        match end_of_life(run) {
            Some(end) if now >= end => plan.stages.push(delete(run)),
            Some(end) => plan.wake = Wake::At(end),
            None => {}
        }
        return plan;
    }
    let problem = match &run.spec {
        Ok(spec) => validate(spec).err(),
        Err(Unreadable { path, problem }) => Some(format!("{path}: {problem}")),
    };
    if let Some(problem) = problem {
        plan.status = fail(&format!("Analysis spec invalid: {problem}"));
    }
    plan
}

/// Ends a run that was never begun: it has neither a start nor an end.
fn fail(message: &str) -> StatusWrite {
    let patch = json!({"status": {"phase": AnalysisPhase::Error, "message": message}});
    let event = EventNote::new(EventReason::AnalysisRunError, "Analysis Completed. Result: Error");
    StatusWrite { patch, events: vec![event], ..StatusWrite::nothing() }
}

/// When a run that has ended is deleted. It is deleted once more seconds than its time to live have passed, which is one
/// second later than one would think.
fn end_of_life(run: &Run) -> Option<Timestamp> {
    let ttl = run.spec.as_ref().ok()?.ttl_strategy.as_ref()?;
    let of_phase = match run.status.phase {
        AnalysisPhase::Successful => ttl.seconds_after_success,
        AnalysisPhase::Failed => ttl.seconds_after_failure,
        AnalysisPhase::Unknown
        | AnalysisPhase::Pending
        | AnalysisPhase::Running
        | AnalysisPhase::Error
        | AnalysisPhase::Inconclusive => None,
    };
    let seconds = of_phase.or(ttl.seconds_after_completion)?;
    let end = run.status.completed_at.as_ref()?.0;
    Some(after(end, SignedDuration::from_secs(i64::from(seconds) + 1)))
}

fn delete(run: &Run) -> Stage {
    let op = Op {
        kind: ObjectKind::AnalysisRun,
        namespace: None,
        name: run.id.name.clone(),
        action: Action::Delete { precondition: run.id.precondition() },
        purposes: vec![Purpose::DeleteExpired],
        events: Vec::new(),
    };
    Stage { name: StageName::Scale, ops: vec![op], events: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(spec: &Value, status: &Value) -> Run {
        let id = Identity { name: "run".into(), uid: "u".into(), resource_version: "1".into() };
        Run::read(id, false, spec, status)
    }

    const START: &str = "2026-01-01T00:00:00Z";

    fn at(seconds: i64) -> Timestamp {
        START.parse::<Timestamp>().expect("a time") + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn a_run_that_has_ended_is_deleted_when_its_time_to_live_is_over() {
        let completion = json!({"secondsAfterCompletion": 86_400});
        let success = json!({"secondsAfterSuccess": 86_400, "secondsAfterCompletion": 172_800});
        let failure = json!({"secondsAfterFailure": 86_400, "secondsAfterCompletion": 172_800});
        for (ttl, phase, elapsed, is_deleted) in [
            (&completion, "Successful", 86_400, false),
            (&completion, "Successful", 86_401, true),
            (&completion, "Inconclusive", 86_401, true),
            (&success, "Successful", 86_401, true),
            (&success, "Failed", 86_401, false),
            (&failure, "Successful", 86_401, false),
            (&failure, "Failed", 86_401, true),
            (&failure, "Error", 172_801, true),
        ] {
            let run = run(
                &json!({"metrics": [], "ttlStrategy": ttl}),
                &json!({"phase": phase, "completedAt": START}),
            );
            let plan = decide(&run, at(elapsed));
            assert_eq!(plan.ops().count() == 1, is_deleted, "{ttl} {phase} {elapsed}");
            assert!(plan.status.patch.is_null());
            assert_eq!(matches!(plan.wake, Wake::At(_)), !is_deleted, "it is looked at again in time");
        }
    }

    #[test]
    fn a_run_without_an_end_or_a_time_to_live_stays() {
        let ttl = json!({"metrics": [], "ttlStrategy": {"secondsAfterCompletion": 1}});
        let never_ended = run(&ttl, &json!({"phase": "Error"}));
        let mut leaving = run(&ttl, &json!({"phase": "Error", "completedAt": START}));
        leaving.deleting = true;
        let kept = run(&json!({"metrics": []}), &json!({"phase": "Failed", "completedAt": START}));
        for run in [never_ended, leaving, kept] {
            let plan = decide(&run, at(1_000_000));
            assert!(plan.is_empty() && plan.wake == Wake::OnChange, "{run:?}");
        }
    }

    #[test]
    fn a_run_that_is_wrong_ends_once_with_the_reason() {
        let plan = decide(&run(&json!({"metrics": []}), &Value::Null), at(0));
        let status = json!({"phase": "Error", "message": "Analysis spec invalid: no metrics specified"});
        assert_eq!(plan.status.patch, json!({"status": status}));
        assert_eq!(plan.status.events[0].message, "Analysis Completed. Result: Error");
        assert!(decide(&run(&json!({"metrics": []}), &status), at(1)).is_empty(), "it has ended");

        let unreadable = run(&json!({"metrics": [{"name": "m", "count": {}, "provider": {}}]}), &Value::Null);
        let message = decide(&unreadable, at(0)).status.patch["status"]["message"].clone();
        assert!(message.as_str().is_some_and(|text| text.contains("spec.metrics[0].count: ")), "{message}");
    }

    #[test]
    fn a_run_that_is_right_is_left_alone() {
        let metric = json!({"name": "m", "provider": {"web": {"url": "http://127.0.0.1/"}}});
        assert!(decide(&run(&json!({"metrics": [metric]}), &Value::Null), at(0)).is_empty());
    }
}

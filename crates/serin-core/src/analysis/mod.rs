//! What to do about an AnalysisRun: [`decide`] and its parts.
//!
//! A run measures its metrics when they are due, until they or somebody else end it, and is deleted when its time to live is
//! over. What it waits for is an effect of the plan, what it has found is its status, and nothing else is known of it: a
//! measurement counts once it is in the status, so that one which a controller did not live to write down is made again.

mod arguments;
mod assess;
mod job;
mod limits;
mod made;
mod measuring;
mod pass;
mod record;
mod run;
mod schedule;
mod status;
mod verdict;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::api::analysis::{AnalysisPhase, AnalysisRunSpec};
use crate::domain::object::ObjectKey;
use crate::domain::plan::{Action, ObjectKind, Op, Plan, Purpose, Stage, StageName, Wake};
use crate::measure::Settings;
use arguments::Arguments;
use serin_values::time::after;

pub use crate::analysis_template::validate;
pub use job::UID_LABEL;
pub use run::{Run, Unreadable};
use status::fail;

/// The Jobs that a decision about the run looks at beside those that it owns: those of measurements that were begun, and
/// those that are made next, in `namespace` where that is set.
#[must_use]
pub fn job_keys(run: &Run, namespace: Option<&str>) -> BTreeSet<ObjectKey> {
    let Ok(spec) = &run.spec else { return BTreeSet::new() };
    if run.status.phase.is_completed() {
        return BTreeSet::new();
    }
    let of_jobs = spec.metrics.iter().filter(|metric| metric.provider.job.is_some());
    let results = &run.status.metric_results;
    let keys = of_jobs.flat_map(|metric| {
        let result = results.iter().find(|result| result.name == metric.name);
        let begun = result.and_then(|result| job::begun_key(result.measurements.last()?));
        let next = job::key(run, &metric.name, measuring::number(result), namespace);
        begun.into_iter().chain([next])
    });
    keys.collect()
}

/// What to do now about a run. Total: what is wrong with it ends in its status.
///
/// As in the reference, a run that has ended is only looked at for its time to live.
#[must_use]
pub fn decide(run: &Run, settings: &Settings, now: Timestamp) -> Plan {
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
    match sound_spec(run) {
        Ok(spec) => pass::pass(run, spec, settings, now, plan),
        Err(problem) => {
            plan.status = fail(run, &problem, now);
            plan
        }
    }
}

/// The spec of a run, if it makes sense with its arguments.
fn sound_spec(run: &Run) -> Result<&AnalysisRunSpec, String> {
    let spec = run.spec.as_ref();
    let spec =
        spec.map_err(|Unreadable { path, problem }| format!("Analysis spec invalid: {path}: {problem}"))?;
    let unresolved = |problem| format!("Unable to resolve metric arguments: {problem}");
    let arguments = Arguments::without_secrets(&spec.args).map_err(unresolved)?;
    let filled = spec.metrics.iter().map(|metric| arguments.fill_in(metric)).collect::<Result<_, _>>();
    let filled = AnalysisRunSpec { metrics: filled.map_err(unresolved)?, ..spec.clone() };
    validate(&filled).map_err(|problem| format!("Analysis spec invalid: {problem}"))?;
    Ok(spec)
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
mod tests;

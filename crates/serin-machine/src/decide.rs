//! From what was observed to a plan that does no harm.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use thiserror::Error;

use crate::bulkhead::bulkhead;
use crate::caches::Caches;
use crate::entry::{Entry, Term};
use crate::observe::{Observed, observe};
use serin_core::analysis::{self, Run};
use serin_core::domain::object::{ObjectKey, ObjectRef};
use serin_core::domain::plan::{ObjectKind, Plan, Precondition};
use serin_core::guard;
use serin_core::measure::Settings;
use serin_core::rollout::snapshot::{Identity, Remembered, Snapshot};
use serin_core::rollout::{decide, decide_unreadable};

/// What came of a look at a primary object.
#[derive(Debug)]
pub enum Deliberation {
    /// There is no such object.
    Absent,
    /// It was decided on.
    Made {
        /// The state of the object that was decided on.
        seen: Precondition,
        /// What to do, or why nothing is done.
        plan: Box<Result<Plan, Stall>>,
    },
}

/// Why there is no plan to carry out.
#[derive(Debug, Error)]
pub enum Stall {
    /// The decision panicked.
    #[error("The controller has a bug that this {} brings out: {problem}", kind.name())]
    Bug {
        /// The kind of the primary object.
        kind: ObjectKind,
        /// What the panic said.
        problem: String,
    },
    /// The plan would do harm.
    #[error("The controller holds back a write that would be unsafe: {0}")]
    Unsafe(#[from] guard::Refusal),
}

/// What to do about a primary object now.
#[must_use]
#[allow(clippy::wildcard_enum_match_arm, reason = "most kinds are not decided on")]
pub fn deliberate(
    object: &ObjectRef,
    caches: &Caches,
    remembered: Remembered,
    settings: &Settings,
    now: Timestamp,
) -> Deliberation {
    match object.kind {
        ObjectKind::Rollout => decide_rollout(&object.key, caches, remembered, now),
        ObjectKind::AnalysisRun => decide_analysis_run(object, caches, remembered, settings, now),
        _ => Deliberation::Absent,
    }
}

/// The plan that `decide` makes about an object of `kind`; a panic in it is a bug that stalls this object alone.
fn planned(kind: ObjectKind, decide: impl FnOnce() -> Plan) -> Result<Plan, Stall> {
    bulkhead(decide).map_err(|problem| Stall::Bug { kind, problem })
}

/// What to do about a Rollout, if it does no harm.
fn safe_plan(snapshot: &Snapshot, now: Timestamp) -> Result<Plan, Stall> {
    let plan = planned(ObjectKind::Rollout, || decide(snapshot, now))?;
    guard::check(snapshot, &plan)?;
    Ok(plan)
}

fn decide_rollout(key: &ObjectKey, caches: &Caches, remembered: Remembered, now: Timestamp) -> Deliberation {
    match observe(key, caches, remembered) {
        Observed::Absent => Deliberation::Absent,
        Observed::Unreadable(unreadable) => {
            let plan = planned(ObjectKind::Rollout, || decide_unreadable(&unreadable, now));
            Deliberation::Made { seen: unreadable.id.precondition(), plan: Box::new(plan) }
        }
        Observed::Complete(snapshot) => {
            let seen = Identity::of(&snapshot.rollout).precondition();
            Deliberation::Made { seen, plan: Box::new(safe_plan(&snapshot, now)) }
        }
    }
}

fn decide_analysis_run(
    object: &ObjectRef,
    caches: &Caches,
    remembered: Remembered,
    settings: &Settings,
    now: Timestamp,
) -> Deliberation {
    let Some(entry) = caches.find(object) else { return Deliberation::Absent };
    let Some(json) = entry.json() else { return Deliberation::Absent };
    let namespace = &object.key.namespace;
    let run = Run::read(entry.id.clone(), namespace, entry.deleting, &json["spec"], &json["status"]);
    let Remembered { effects, last_failure, .. } = remembered;
    let run = Run { effects, last_failure, jobs: jobs(&entry, &run, caches, settings), ..run };
    let plan = planned(ObjectKind::AnalysisRun, || analysis::decide(&run, settings, now));
    Deliberation::Made { seen: entry.id.precondition(), plan: Box::new(plan) }
}

/// The Jobs that the run owns, and those that it looks at by their names.
fn jobs(entry: &Entry, run: &Run, caches: &Caches, settings: &Settings) -> BTreeMap<ObjectKey, Value> {
    let of_run = Term::ControlledBy(entry.id.uid.clone());
    let cache = caches.of(ObjectKind::Job).read();
    let named = analysis::job_keys(run, settings.job_namespace.as_deref()).into_iter();
    let named = named.filter_map(|key| Some((key.clone(), cache.get(&key)?.json()?)));
    let owned = cache.find(&of_run).filter_map(|(key, job)| Some((key.clone(), job.json()?)));
    owned.chain(named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::carry::Carrying;
    use crate::request::Verb;

    fn caches(spec: &Value) -> Caches {
        let caches = Caches::default();
        let metadata = json!({"name": "run", "namespace": "shop", "uid": "u", "resourceVersion": "1"});
        let wire = serde_json::from_value(json!({"metadata": metadata, "spec": spec})).expect("an object");
        caches.of(ObjectKind::AnalysisRun).write().put(wire);
        caches
    }

    #[test]
    fn the_status_of_a_run_is_written_with_the_run_itself() {
        let caches = caches(&json!({"metrics": []}));
        let object = ObjectRef::new(ObjectKind::AnalysisRun, "shop", "run");
        let made =
            deliberate(&object, &caches, Remembered::default(), &Settings::default(), Timestamp::UNIX_EPOCH);
        let Deliberation::Made { plan, .. } = made else { panic!("{made:?}") };
        let plan = plan.expect("no stall");
        let (_, request) = Carrying::new(&plan, &object).next_request().expect("a status");
        assert!(matches!(request.verb, Verb::PatchStatus { .. }), "{request:?}");
        let http = request.to_http("v1alpha1").expect("a request");
        assert_eq!(http.uri().path(), "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/run");
    }

    #[test]
    fn a_run_that_is_gone_is_not_decided_on() {
        let gone = ObjectRef::new(ObjectKind::AnalysisRun, "shop", "other");
        let made = deliberate(
            &gone,
            &caches(&json!({})),
            Remembered::default(),
            &Settings::default(),
            Timestamp::UNIX_EPOCH,
        );
        assert!(matches!(made, Deliberation::Absent), "{made:?}");
    }
}

//! AnalysisRuns: a primary kind.

use jiff::Timestamp;
use serde_json::Value;

use super::{Demand, Extent, KindRow, rollout, whole};
use crate::cache::Caches;
use crate::decide::{Deliberation, planned};
use crate::entry::Entry;
use crate::object::RawObject;
use crate::trigger;
use serin_core::analysis::{self, Run};
use serin_core::domain::object::ObjectKey;
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::Remembered;

/// How AnalysisRuns are watched and decided on.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Own,
    extent: Extent::Whole,
    labels: rollout::of_instance,
    prune,
    differs: Entry::is_other_version,
    watchers: trigger::itself_and_owner,
    decide: Some(decide),
};

fn prune(wire: RawObject) -> Entry {
    whole(ObjectKind::AnalysisRun, wire)
}

fn decide(key: &ObjectKey, caches: &Caches, _: Remembered, now: Timestamp) -> Deliberation {
    let entry = caches.of(ObjectKind::AnalysisRun).read().get(key).cloned();
    let Some((entry, object)) = entry.and_then(|entry| Some((entry.clone(), entry.json()?))) else {
        return Deliberation::Absent;
    };
    let part = |field: &str| object.get(field).unwrap_or(&Value::Null);
    let run = Run::read(entry.id.clone(), entry.deleting, part("spec"), part("status"));
    let plan = planned(ObjectKind::AnalysisRun, || analysis::decide(&run, now));
    Deliberation::Made { seen: entry.id.precondition(), plan }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::carry::Carrying;
    use crate::request::Verb;
    use serin_core::domain::object::ObjectRef;

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
        let made = decide(&object.key, &caches, Remembered::default(), Timestamp::UNIX_EPOCH);
        let Deliberation::Made { plan: Ok(plan), .. } = made else { panic!("{made:?}") };
        let (_, request) = Carrying::new(&plan, &object).next_request().expect("a status");
        assert!(matches!(request.verb, Verb::PatchStatus { .. }), "{request:?}");
        let http = request.to_http("v1alpha1").expect("a request");
        assert_eq!(http.uri().path(), "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/run");
    }

    #[test]
    fn a_run_that_is_gone_is_not_decided_on() {
        let gone = ObjectKey::new("shop", "other");
        let made = decide(&gone, &caches(&json!({})), Remembered::default(), Timestamp::UNIX_EPOCH);
        assert!(matches!(made, Deliberation::Absent), "{made:?}");
    }
}

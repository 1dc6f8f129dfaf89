//! Jobs that measure something, of which only the outcome is kept.

use serde_json::Value;

use super::{KindRow, named, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::domain::plan::ObjectKind;

/// How Jobs are watched.
pub(super) const ROW: KindRow = named(prune);

/// What the Job runs is of no interest once it exists.
fn prune(wire: RawObject) -> Entry {
    whole(ObjectKind::Job, RawObject { spec: Value::Null, ..wire })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::cache::Caches;
    use crate::trigger::concerned;

    fn job(owner: &Value) -> RawObject {
        let owners = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": owner, "name": "web", "uid": "u", "controller": true}]);
        let wire = json!({
            "metadata": {"name": "measure", "namespace": "shop", "ownerReferences": owners},
            "spec": {"template": {"spec": {"containers": []}}},
            "status": {"succeeded": 1},
        });
        serde_json::from_value(wire).expect("an object")
    }

    #[test]
    fn a_job_keeps_its_outcome() {
        let kept = prune(job(&json!("AnalysisRun"))).json().expect("JSON");
        assert_eq!((&kept["spec"], &kept["status"]), (&Value::Null, &json!({"succeeded": 1})));
    }

    #[test]
    fn a_job_concerns_the_primary_object_that_owns_it() {
        let caches = Caches::default();
        let change = |owner: &str| caches.of(ObjectKind::Job).write().put(job(&json!(owner))).expect("news");
        let of_rollout = change("Rollout");
        let names: BTreeSet<_> =
            concerned(&of_rollout, &caches).into_iter().map(|object| object.to_string()).collect();
        assert_eq!(names, BTreeSet::from(["Rollout shop/web".to_owned()]));
        caches.of(ObjectKind::Job).write().clear();
        assert!(concerned(&change("CronJob"), &caches).is_empty());
    }
}

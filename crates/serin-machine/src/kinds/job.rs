//! Jobs that measure something, of which only the outcome is kept.

use serde_json::Value;

use super::row::{KindRow, Labels, named, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::domain::plan::ObjectKind;

/// How Jobs are watched.
pub(super) const ROW: KindRow = KindRow { labels: Labels::AnalysisRun, ..named(prune) };

/// What the Job runs is of no interest once it exists.
fn prune(wire: &mut RawObject) -> Entry {
    wire.spec = Value::Null;
    whole(ObjectKind::Job, wire)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let kept = prune(&mut job(&json!("AnalysisRun"))).json().expect("JSON");
        assert_eq!((&kept["spec"], &kept["status"]), (&Value::Null, &json!({"succeeded": 1})));
    }
}

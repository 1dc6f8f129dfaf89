//! Experiments.

use super::{KindRow, named, whole};
use crate::entry::Entry;
use crate::object::RawObject;
use serin_core::domain::plan::ObjectKind;

/// How Experiments are watched. Nothing decides on them yet, so that they are watched only while they are named.
pub(super) const ROW: KindRow = named(prune);

fn prune(wire: RawObject) -> Entry {
    whole(ObjectKind::Experiment, wire)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cache::Caches;
    use crate::trigger::concerned;

    #[test]
    fn an_experiment_concerns_the_rollout_that_made_it() {
        let owners = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "u", "controller": true}]);
        let metadata = json!({"name": "trial", "namespace": "shop", "ownerReferences": owners});
        let wire = json!({"metadata": metadata, "spec": {"templates": []}, "status": {"phase": "Running"}});
        let caches = Caches::default();
        let experiments = caches.of(ObjectKind::Experiment);
        let change = experiments.write().put(serde_json::from_value(wire).expect("an object")).expect("news");
        let names: Vec<_> = concerned(&change, &caches).iter().map(ToString::to_string).collect();
        assert_eq!(names, ["Rollout shop/web"]);
        let kept = caches.find(&change.object).and_then(|entry| entry.json()).expect("JSON");
        assert_eq!(kept["status"]["phase"], "Running");
    }
}

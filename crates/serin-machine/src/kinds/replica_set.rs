//! ReplicaSets with the hash label: the pods of revisions.

use super::row::{Demand, KindRow, Labels, named};
use crate::content::{Content, ReplicaSet};
use crate::entry::Entry;
use crate::object::RawObject;

/// How ReplicaSets are watched.
pub(super) const ROW: KindRow = KindRow { demand: Demand::Always, labels: Labels::Hash, ..named(prune) };

fn prune(wire: &mut RawObject) -> Entry {
    wire.slim();
    let replica_set = ReplicaSet::of(wire);
    Entry::new(wire, Content::ReplicaSet(Box::new(replica_set)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::entry::Term;
    use serin_core::domain::object::ObjectKey;
    use serin_core::domain::plan::ObjectKind;
    use serin_core::rollout::snapshot::ReplicaSetView;

    fn pruned(object: Value) -> Entry {
        prune(&mut serde_json::from_value(object).expect("an object"))
    }

    fn view(entry: &Entry) -> ReplicaSetView {
        entry.replica_set().expect("a ReplicaSet").view(&entry.id, entry.deleting, false)
    }

    #[test]
    fn a_replica_set_keeps_what_decisions_read() {
        let entry = pruned(json!({
            "metadata": {
                "name": "web-1", "namespace": "shop", "uid": "u1", "resourceVersion": "7", "generation": 3,
                "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"app": "web"},
                "annotations": {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"},
                "managedFields": [{"manager": "kubectl"}],
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Other", "name": "x", "uid": "u8"},
                    {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "u9", "controller": true},
                ],
            },
            "spec": {"replicas": 4, "minReadySeconds": 5, "template": {"spec": {"future": true}}},
            "status": {"replicas": 4, "readyReplicas": 3, "availableReplicas": 2, "observedGeneration": 3, "conditions": [
                {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota",
                 "lastTransitionTime": "2026-01-02T03:04:06Z"},
            ]},
        }));
        assert!(entry.owner.as_ref().is_some_and(|owner| owner.is_rollout() && &*owner.uid == "u9"));
        let view = view(&entry);
        assert_eq!((view.replicas, view.min_ready_seconds, view.generation), (4, 5, 3));
        assert_eq!((view.status.ready, view.status.available), (3, 2));
        assert_eq!(view.template, json!({"spec": {"future": true}}));
        assert_eq!(view.annotations.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(view.owner_references.len(), 2);
        assert_eq!(view.created.to_string(), "2026-01-02T03:04:05Z");
        assert_eq!(view.status.failure.map(|f| f.reason).as_deref(), Some("FailedCreate"));
    }

    #[test]
    fn an_absent_size_is_one() {
        assert_eq!(view(&pruned(json!({"metadata": {"name": "x"}}))).replicas, 1);
    }

    #[test]
    fn an_orphan_is_found_by_its_namespace() {
        let entry = pruned(json!({"metadata": {"name": "x", "namespace": "shop"}}));
        let terms = entry.terms(ObjectKind::ReplicaSet, &ObjectKey::new("shop", "x"));
        assert_eq!(terms, [Term::Orphan("shop".into())]);
    }
}

//! ReplicaSets with the hash label: the pods of revisions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Demand, Extent, KindRow};
use crate::cache::Caches;
use crate::entry::{Content, Entry};
use crate::object::{RawObject, integer, text};
use crate::packed::Packed;
use crate::trigger::{adopters, owning_primary};
use serin_core::api::keys;
use serin_core::domain::object::ObjectRef;
use serin_core::rollout::snapshot::{Identity, ReplicaFailure, ReplicaSetStatusView, ReplicaSetView};

/// How ReplicaSets are watched.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Always,
    extent: Extent::Whole,
    labels: with_hash,
    prune,
    differs: Entry::is_other_version,
    watchers,
    decide: None,
};

/// What is kept of a ReplicaSet.
#[derive(Debug, Clone)]
pub struct ReplicaSet {
    created: Timestamp,
    generation: i64,
    replicas: i32,
    min_ready_seconds: i32,
    status: ReplicaSetStatusView,
    body: Packed<Body>,
}

/// What is read only when the ReplicaSet is observed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Body {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    owner_references: Vec<OwnerReference>,
    template: Value,
}

impl ReplicaSet {
    /// What decisions read of the ReplicaSet of that entry, which the Rollout owns or may adopt.
    #[must_use]
    pub fn view(&self, id: &Identity, deleting: bool, owned: bool) -> ReplicaSetView {
        let Body { labels, annotations, owner_references, template } = self.body.get().unwrap_or_default();
        ReplicaSetView {
            id: id.clone(),
            created: self.created,
            deleting,
            owned,
            labels,
            annotations,
            owner_references: owner_references.iter().map(|owner| serde_json::json!(owner)).collect(),
            generation: self.generation,
            replicas: self.replicas,
            min_ready_seconds: self.min_ready_seconds,
            template,
            status: self.status.clone(),
        }
    }

    /// `metadata.labels`.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        self.body.get().map(|body| body.labels).unwrap_or_default()
    }

    /// `status.availableReplicas`.
    #[must_use]
    pub const fn available(&self) -> i32 {
        self.status.available
    }
}

/// Those with the hash label.
pub(super) fn with_hash(_: Option<&str>) -> Option<String> {
    Some(keys::POD_HASH_LABEL.to_owned())
}

fn prune(mut wire: RawObject) -> Entry {
    wire.slim();
    let meta = &mut wire.metadata;
    let body = Body {
        labels: meta.labels.take().unwrap_or_default(),
        annotations: meta.annotations.take().unwrap_or_default(),
        owner_references: meta.owner_references.clone().unwrap_or_default(),
        template: wire.spec.get_mut("template").map(Value::take).unwrap_or_default(),
    };
    let replica_set = ReplicaSet {
        created: meta.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        generation: meta.generation.unwrap_or_default(),
        replicas: integer(&wire.spec, "replicas").unwrap_or(1),
        min_ready_seconds: integer(&wire.spec, "minReadySeconds").unwrap_or_default(),
        status: status(&wire.status),
        body: Packed::new(&body),
    };
    Entry::new(&wire, Content::ReplicaSet(Box::new(replica_set)))
}

fn status(status: &Value) -> ReplicaSetStatusView {
    let conditions = status.get("conditions").and_then(Value::as_array);
    let failed = |c: &&Value| text(c, "type") == "ReplicaFailure" && text(c, "status") == "True";
    let failure = conditions.into_iter().flatten().find(failed).map(|condition| ReplicaFailure {
        reason: text(condition, "reason"),
        message: text(condition, "message"),
        since: text(condition, "lastTransitionTime").parse().unwrap_or(Timestamp::UNIX_EPOCH),
    });
    ReplicaSetStatusView {
        replicas: integer(status, "replicas").unwrap_or_default(),
        ready: integer(status, "readyReplicas").unwrap_or_default(),
        available: integer(status, "availableReplicas").unwrap_or_default(),
        observed_generation: status.get("observedGeneration").and_then(Value::as_i64).unwrap_or_default(),
        failure,
    }
}

/// The Rollout that controls it; where nothing does, those that might adopt it.
fn watchers(entry: &Entry, object: &ObjectRef, caches: &Caches) -> BTreeSet<ObjectRef> {
    match &entry.owner {
        Some(owner) => owning_primary(owner, &object.key.namespace).into_iter().collect(),
        None => adopters(entry, &object.key.namespace, caches),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Term;
    use serin_core::domain::object::ObjectKey;
    use serin_core::domain::plan::ObjectKind;

    fn pruned(object: Value) -> Entry {
        prune(serde_json::from_value(object).expect("an object"))
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

//! Pods with the hash label, of which only the metadata is asked for.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Demand, Extent, KindRow, replica_set};
use crate::cache::Caches;
use crate::entry::{Content, Entry};
use crate::object::RawObject;
use crate::packed::Packed;
use crate::trigger::owning_primary;
use serin_core::domain::object::{ObjectKey, ObjectRef};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::PodView;

/// How Pods are watched.
pub(super) const ROW: KindRow = KindRow {
    demand: Demand::Always,
    extent: Extent::Metadata,
    labels: replica_set::with_hash,
    prune,
    differs,
    watchers,
    decide: None,
};

/// What is kept of a Pod.
#[derive(Debug, Clone, PartialEq)]
pub struct Pod {
    created: Timestamp,
    metadata: Packed<Metadata>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Metadata {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Pod {
    /// What decisions read of the Pod of that entry.
    #[must_use]
    pub fn view(&self, entry: &Entry) -> PodView {
        let Metadata { labels, annotations } = self.metadata.get().unwrap_or_default();
        PodView {
            id: entry.id.clone(),
            created: self.created,
            owner_uid: entry.owner.as_ref().map(|owner| owner.uid.to_string()).unwrap_or_default(),
            deleting: entry.deleting,
            labels,
            annotations,
        }
    }
}

fn prune(mut wire: RawObject) -> Entry {
    wire.slim();
    let meta = &mut wire.metadata;
    let metadata = Metadata {
        labels: meta.labels.take().unwrap_or_default(),
        annotations: meta.annotations.take().unwrap_or_default(),
    };
    let pod = Pod {
        created: meta.creation_timestamp.as_ref().map_or(Timestamp::UNIX_EPOCH, |time| time.0),
        metadata: Packed::new(&metadata),
    };
    Entry::new(&wire, Content::Pod(Box::new(pod)))
}

fn differs(now: &Entry, before: &Entry) -> bool {
    now.id.uid != before.id.uid
        || now.owner != before.owner
        || now.deleting != before.deleting
        || now.pod() != before.pod()
}

/// The Rollout of its ReplicaSet, if it looks at Pods.
fn watchers(entry: &Entry, pod: &ObjectRef, caches: &Caches) -> BTreeSet<ObjectRef> {
    let namespace = &pod.key.namespace;
    let replica_set = entry.owner.as_ref().map(|owner| ObjectKey::new(namespace, &*owner.name));
    let owner = replica_set.and_then(|key| caches.of(ObjectKind::ReplicaSet).read().get(&key)?.owner.clone());
    let primary = owner.and_then(|owner| owning_primary(&owner, namespace));
    let looks = |one: &ObjectRef| caches.of(one.kind).read().get(&one.key).is_some_and(|e| e.observed.pods);
    primary.into_iter().filter(looks).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_that_only_reports_its_health_does_not_differ() {
        let pod = |version: &str, label: &str| {
            let wire = json!({"metadata": {"name": "p", "uid": "u", "resourceVersion": version, "labels": {"l": label}}});
            prune(serde_json::from_value(wire).expect("a pod"))
        };
        assert!(!differs(&pod("2", "a"), &pod("1", "a")));
        assert!(differs(&pod("2", "b"), &pod("1", "a")));
    }
}

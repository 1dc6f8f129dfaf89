//! The revisions of a Rollout, from its `ReplicaSets`.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::api::{DynamicObject, ListParams};
use kube::core::{ApiResource, TypeMeta};
use serde_json::Value;

use super::super::client::{self, Cluster};
use super::super::failure::Failure;
use serin_core::api::Rollout;
use serin_core::domain::template::EphemeralMetadata;
use serin_insight::object::revision;

/// A revision, with its stored ReplicaSet.
pub(super) struct Revision {
    pub(super) number: i64,
    pub(super) set: DynamicObject,
}

impl Revision {
    /// The pod template.
    pub(super) fn template(&self) -> &Value {
        self.set.data.pointer("/spec/template").unwrap_or(&Value::Null)
    }

    /// The metadata that the controller added to the template for its role.
    pub(super) fn ephemeral(&self) -> EphemeralMetadata {
        self.set.metadata.annotations.as_ref().map(EphemeralMetadata::recorded).unwrap_or_default()
    }
}

/// The revisions of a Rollout, newest first.
pub(super) async fn revisions(cluster: &Cluster, rollout: &Rollout) -> Result<Vec<Revision>, Failure> {
    let params = client::own_selector(rollout)
        .map_or_else(ListParams::default, |own| ListParams::default().labels_from(&own));
    let sets = cluster.objects_of(&ApiResource::erase::<ReplicaSet>(&()));
    let sets = cluster.ask(sets.list(&params)).await?.items;
    // List items have no kind.
    let typed = |set| DynamicObject { types: Some(TypeMeta::resource::<ReplicaSet>()), ..set };
    let owned = sets.into_iter().filter(|set| is_controlled(set, rollout)).map(typed);
    let mut revisions: Vec<_> = owned.map(|set| Revision { number: revision(&set.metadata), set }).collect();
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    Ok(revisions)
}

fn is_controlled(set: &DynamicObject, rollout: &Rollout) -> bool {
    let mut owners = set.metadata.owner_references.iter().flatten();
    owners.any(|owner| owner.controller == Some(true) && Some(&owner.uid) == rollout.metadata.uid.as_ref())
}

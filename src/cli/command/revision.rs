//! The revisions of a Rollout, by its `ReplicaSets`.

use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::api::{DynamicObject, ListParams};
use kube::core::{ApiResource, Selector, TypeMeta};
use serde_json::Value;

use super::super::client::Cluster;
use super::super::failure::Failure;
use crate::api::{Rollout, keys};
use crate::domain::template::EphemeralMetadata;

/// One revision, as its ReplicaSet is stored.
pub(super) struct Revision {
    pub(super) number: i64,
    pub(super) set: DynamicObject,
}

impl Revision {
    /// The pod template.
    pub(super) fn template(&self) -> &Value {
        self.set.data.pointer("/spec/template").unwrap_or(&Value::Null)
    }

    /// What the template was given for its role.
    pub(super) fn ephemeral(&self) -> EphemeralMetadata {
        let annotations = self.set.metadata.annotations.as_ref();
        let recorded = annotations.and_then(|all| all.get(keys::EPHEMERAL_METADATA));
        recorded.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

/// The revisions of a Rollout, the newest first.
pub(super) async fn revisions(cluster: &Cluster, rollout: &Rollout) -> Result<Vec<Revision>, Failure> {
    let selector = rollout.spec.selector.clone().and_then(|selector| Selector::try_from(selector).ok());
    let params = selector.map_or_else(ListParams::default, |own| ListParams::default().labels_from(&own));
    let sets = cluster.objects_of(&ApiResource::erase::<ReplicaSet>(&()));
    let sets = cluster.ask(sets.list(&params)).await?.items;
    // The items of a list do not say what they are.
    let typed = |set| DynamicObject { types: Some(TypeMeta::resource::<ReplicaSet>()), ..set };
    let owned = sets.into_iter().filter(|set| is_controlled(set, rollout)).map(typed);
    let mut revisions: Vec<_> = owned.map(|set| Revision { number: number(&set), set }).collect();
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    Ok(revisions)
}

fn is_controlled(set: &DynamicObject, rollout: &Rollout) -> bool {
    let mut owners = set.metadata.owner_references.iter().flatten();
    owners.any(|owner| owner.controller == Some(true) && Some(&owner.uid) == rollout.metadata.uid.as_ref())
}

/// The number of the revision; 0 where there is none.
fn number(set: &DynamicObject) -> i64 {
    let annotations = set.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(keys::REVISION)?.parse().ok()).unwrap_or(0)
}

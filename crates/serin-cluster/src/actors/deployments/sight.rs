//! A Deployment with its ReplicaSets, as its controller sees them.

use serde_json::{Value, json};

use super::fields::{COMPONENT, DESIRED, HASH_LABEL, MOST, replicas, set_place};
use super::limits::limits;
use crate::actors::replica_sets::REPLICA_SETS;
use crate::actors::request::{Call, Report};
use crate::view::{Object, Place, View};

/// A Deployment and its ReplicaSets.
pub(super) struct Sight<'a> {
    pub(super) view: &'a View,
    pub(super) place: &'a Place,
    pub(super) deployment: &'a Object,
    pub(super) new: Option<&'a Object>,
    /// Oldest first.
    pub(super) old: Vec<&'a Object>,
}

impl<'a> Sight<'a> {
    pub(super) fn of(view: &'a View, place: &'a Place, deployment: &'a Object) -> Self {
        let dependents =
            view.dependents(deployment.uid()).filter(|(place, _)| &*place.resource == REPLICA_SETS);
        let controlled = |set: &&Object| set.controller().is_some_and(|owner| owner.uid == deployment.uid());
        let mut sets: Vec<&Object> = dependents.map(|(_, set)| set).filter(controlled).collect();
        sets.sort_by_key(|set| (set.time("/metadata/creationTimestamp"), set.name().to_owned()));
        let desired = deployment.at("/spec/template");
        // Both are stored, with the defaults of the API server.
        let is_new = |set: &&&Object| bare(set.at("/spec/template")) == *desired;
        let new = sets.iter().find(is_new).copied();
        let old = sets.into_iter().filter(|set| new.is_none_or(|new| new.uid() != set.uid())).collect();
        Self { view, place, deployment, new, old }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'a Object> {
        self.old.iter().copied().chain(self.new)
    }

    /// Pods that all ReplicaSets ask for.
    pub(super) fn total(&self) -> i64 {
        self.all().map(replicas).sum()
    }

    /// Makes `set` have `count` pods, and tells.
    pub(super) fn scaled(&self, set: &Object, count: i64) -> Option<Call> {
        let present = replicas(set);
        if present == count {
            return None;
        }
        let verb = if present < count { "up" } else { "down" };
        let message = format!("Scaled {verb} replica set {} from {present} to {count}", set.name());
        let patch = json!({
            "metadata": {"annotations": self.sizes()},
            "spec": {"replicas": count},
        });
        let report = Report::new(self.deployment, COMPONENT).done("ScalingReplicaSet", message);
        Some(Call::patch(self.view, &set_place(set), set, patch).reporting(report))
    }

    pub(super) fn sizes(&self) -> Value {
        let desired = replicas(self.deployment);
        let most = desired + limits(self.deployment).surge;
        json!({DESIRED: desired.to_string(), MOST: most.to_string()})
    }
}

/// A template without the label that makes it that of one ReplicaSet.
fn bare(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove(HASH_LABEL);
    }
    template
}

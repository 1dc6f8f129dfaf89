//! The controller of Deployments, as far as a Deployment is needed here: one ReplicaSet a template, rolled from the old
//! to the new one within `maxSurge` and `maxUnavailable`, a status, revisions and their history.
//!
//! Deliberately absent: sharing a change of `replicas` among several ReplicaSets in proportion. The new one gets what
//! there is room for, and the old ones go as its pods become available.

mod fields;
mod hash;
mod limits;
mod rolling;
mod sight;
mod status;

use std::cmp::Reverse;

use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) use self::fields::DEPLOYMENTS;
use self::fields::{COMPONENT, HASH_LABEL, LAST_APPLIED, REVISION, replicas, revision, set_place};
use self::hash::template_hash;
use self::sight::Sight;
use super::actor::{Actor, Step};
use super::pods::{adopt, is_selected};
use super::replica_sets::REPLICA_SETS;
use super::request::{Call, Report, controlled_by};
use crate::view::{Change, Object, Place, View};

/// The controller of Deployments.
#[derive(Debug)]
pub(super) struct Deployments;

impl Actor for Deployments {
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place> {
        match &*change.place.resource {
            DEPLOYMENTS => vec![change.place.clone()],
            REPLICA_SETS => {
                let mut places = Vec::new();
                for set in change.objects() {
                    match set.controller() {
                        Some(owner) if owner.kind == "Deployment" => {
                            places.push(Place::new(DEPLOYMENTS, set.namespace(), owner.name));
                        }
                        Some(_) => {}
                        None => {
                            let all = view.within(DEPLOYMENTS, set.namespace());
                            let all = all.filter(|object| is_selected(object.at("/spec/selector"), set));
                            places
                                .extend(all.map(|one| Place::new(DEPLOYMENTS, one.namespace(), one.name())));
                        }
                    }
                }
                places
            }
            _ => Vec::new(),
        }
    }

    fn step(&self, view: &View, place: &Place, now: Timestamp) -> Step {
        let Some(deployment) = view.get(place) else { return Step::default() };
        if !view.is_listed(REPLICA_SETS) {
            return Step::default();
        }
        if deployment.is_deleted() {
            return Step::default();
        }
        let adopted = adoptions(view, deployment);
        if !adopted.is_empty() {
            return Step::ask(adopted);
        }
        let sight = Sight::of(view, place, deployment);
        let is_paused = deployment.at("/spec/paused") == true;
        let changes = if is_paused { sight.scale_paused() } else { sight.progress() };
        if !changes.is_empty() {
            return Step::ask(changes);
        }
        let (patch, wake) = status::status(&sight, now);
        match patch {
            Some(patch) => Step { calls: vec![Call::patch_status(view, place, deployment, &patch)], wake },
            None => Step { calls: sight.forgotten(), wake },
        }
    }
}

fn adoptions(view: &View, deployment: &Object) -> Vec<Call> {
    let selector = deployment.at("/spec/selector");
    let sets = view.within(REPLICA_SETS, deployment.namespace());
    let orphans =
        sets.filter(|set| set.controller().is_none() && !set.is_deleted() && is_selected(selector, set));
    orphans.map(|set| adopt(view, &set_place(set), set, deployment)).collect()
}

impl Sight<'_> {
    /// While paused, only the size changes, and only where it is clear of which ReplicaSet.
    fn scale_paused(&self) -> Vec<Call> {
        let active: Vec<&Object> = self.all().filter(|set| replicas(set) > 0).collect();
        let one = match active[..] {
            [one] => Some(one),
            [] => self.new.or(self.old.last().copied()),
            [_, ..] => None,
        };
        one.into_iter().filter_map(|set| self.scaled(set, replicas(self.deployment))).collect()
    }

    fn progress(&self) -> Vec<Call> {
        let Some(new) = self.new else {
            return vec![self.created()];
        };
        let revised = self.revised(new);
        if !revised.is_empty() {
            return revised;
        }
        rolling::next(self)
    }

    fn created(&self) -> Call {
        let deployment = self.deployment;
        let template = deployment.at("/spec/template");
        let collisions =
            deployment.integer("/status/collisionCount").and_then(|count| i32::try_from(count).ok());
        let hash = template_hash(template, collisions);
        let name = format!("{}-{hash}", deployment.name());
        let taken = Place::new(REPLICA_SETS, deployment.namespace(), &name);
        if self.view.get(&taken).is_some() {
            // Another template has this hash, or another owner this name: the next count gives another name.
            let count = collisions.unwrap_or(0) + 1;
            return Call::patch_status(self.view, self.place, deployment, &json!({"collisionCount": count}));
        }
        let count = rolling::first_size(self);
        let mut template = template.clone();
        let mut selector = deployment.at("/spec/selector").clone();
        template["metadata"]["labels"][HASH_LABEL] = hash.clone().into();
        selector["matchLabels"][HASH_LABEL] = hash.into();
        let annotations = self.annotations(self.sizes());
        let body = json!({
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": deployment.namespace(),
                "labels": template["metadata"]["labels"],
                "annotations": annotations,
                "ownerReferences": [controlled_by(deployment)],
            },
            "spec": {
                "replicas": count,
                "minReadySeconds": deployment.at("/spec/minReadySeconds").as_i64().unwrap_or(0),
                "selector": selector,
                "template": template,
            },
        });
        let message = format!("Scaled up replica set {name} from 0 to {count}");
        let mut report = Report::new(deployment, COMPONENT)
            .refused("ReplicaSetCreateError", "Failed to create new replica set: ");
        if count > 0 {
            report = report.done("ScalingReplicaSet", message);
        }
        Call::create(self.view, REPLICA_SETS, deployment.namespace(), body).reporting(report)
    }

    /// The annotations of the new ReplicaSet: those of the Deployment, its size and its revision.
    fn annotations(&self, mut annotations: Value) -> Value {
        let own = self.deployment.at("/metadata/annotations").as_object().into_iter().flatten();
        for (key, value) in own.filter(|(key, _)| !matches!(key.as_str(), LAST_APPLIED | REVISION)) {
            annotations[key] = value.clone();
        }
        annotations[REVISION] = self.next_revision().to_string().into();
        annotations
    }

    fn next_revision(&self) -> i64 {
        self.old.iter().map(|set| revision(set)).max().unwrap_or(0) + 1
    }

    /// Gives the new ReplicaSet the highest revision, and the Deployment the same.
    fn revised(&self, new: &Object) -> Vec<Call> {
        let wanted = revision(new).max(self.next_revision());
        let patch = json!({"metadata": {"annotations": {REVISION: wanted.to_string()}}});
        if revision(new) != wanted {
            return vec![Call::patch(self.view, &set_place(new), new, patch)];
        }
        if revision(self.deployment) != wanted {
            return vec![Call::patch(self.view, self.place, self.deployment, patch).through_status()];
        }
        let seconds = self.deployment.integer("/spec/minReadySeconds").unwrap_or(0);
        if new.integer("/spec/minReadySeconds").unwrap_or(0) != seconds {
            let patch = json!({"spec": {"minReadySeconds": seconds}});
            return vec![Call::patch(self.view, &set_place(new), new, patch)];
        }
        Vec::new()
    }

    /// Old ReplicaSets beyond `revisionHistoryLimit`, once nothing is going on.
    fn forgotten(&self) -> Vec<Call> {
        let limit = self.deployment.integer("/spec/revisionHistoryLimit").unwrap_or(10);
        let limit = usize::try_from(limit).unwrap_or(0);
        if !status::is_complete(self) {
            return Vec::new();
        }
        let mut empty: Vec<&Object> = self.old.iter().copied().filter(|set| is_empty(set)).collect();
        empty.sort_by_key(|set| Reverse(revision(set)));
        empty.into_iter().skip(limit).map(|set| Call::delete(self.view, &set_place(set), set, None)).collect()
    }
}

fn is_empty(set: &Object) -> bool {
    let count = set.integer("/status/replicas").unwrap_or(0);
    replicas(set) == 0 && count == 0 && !set.is_deleted()
}

#[cfg(test)]
mod tests;

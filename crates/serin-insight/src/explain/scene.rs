//! A Rollout as its controller sees it: the snapshot, the plan, and additional facts for people.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use super::cause::{Revision, Serving, WayBack};
use super::picture::Picture;
use serin_core::api::{Rollout, RolloutCondition, RolloutStatus, keys};
use serin_core::domain::condition::ConditionType;
use serin_core::domain::plan::Plan;
use serin_core::rollout::snapshot::{ReplicaSetView, Snapshot};
use serin_core::rollout::{decide, workload};
use serin_values::merge_patch::apply_merge_patch;

/// The input of an explanation of a readable Rollout.
pub(super) struct Scene<'a> {
    pub(super) picture: &'a Picture,
    pub(super) now: Timestamp,
    pub(super) snapshot: &'a Snapshot,
    /// The Rollout with the template of its workload.
    pub(super) rollout: Rollout,
    /// The controller's next plan.
    pub(super) plan: Plan,
    /// The current status.
    pub(super) before: RolloutStatus,
    /// The status after the plan.
    pub(super) next: RolloutStatus,
    pub(super) pods: Vec<Pod>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(picture: &'a Picture, snapshot: &'a Snapshot) -> Self {
        let now = picture.explain.time;
        let plan = decide(snapshot, now);
        let before = snapshot.rollout.status.clone().unwrap_or_default();
        let next = next_status(&before, &plan);
        let rollout = workload::filled(snapshot).into_owned();
        Self { picture, now, snapshot, rollout, plan, before, next, pods: picture.all("Pod") }
    }

    pub(super) fn name(&self) -> &str {
        &self.picture.explain.rollout
    }

    /// A condition in the current status.
    pub(super) fn condition(&self, kind: ConditionType) -> Option<&RolloutCondition> {
        self.before.conditions.iter().find(|condition| condition.type_ == kind.as_str())
    }

    /// True if the status was written for the current spec.
    pub(super) fn is_observed(&self) -> bool {
        let generation = self.rollout.metadata.generation.map(|generation| generation.to_string());
        generation == self.before.observed_generation
    }

    /// True if the plan does more than update counts.
    pub(super) fn acts(&self) -> bool {
        let (before, next) = (&self.before, &self.next);
        self.plan.ops().next().is_some()
            || before.observed_generation != next.observed_generation
            || before.current_step_index != next.current_step_index
            || before.stable_rs != next.stable_rs
            || before.current_pod_hash != next.current_pod_hash
            || before.pause_conditions != next.pause_conditions
            || before.abort != next.abort
            || before.promote_full != next.promote_full
    }

    /// The ReplicaSets with pods, the newest revision first.
    pub(super) fn replica_sets(&self) -> Vec<&'a ReplicaSetView> {
        let mut sets: Vec<_> = self.snapshot.replica_sets.iter().collect();
        let rank = |rs: &ReplicaSetView| match hash(rs) {
            hash if hash == self.next.current_pod_hash.as_deref() => 0,
            hash if hash == self.next.stable_rs.as_deref() => 1,
            _ => 2,
        };
        sets.sort_by_key(|rs| rank(rs));
        sets
    }

    /// The pods of a ReplicaSet, by name.
    pub(super) fn pods_of<'s>(&'s self, rs: &'s ReplicaSetView) -> impl Iterator<Item = &'s Pod> {
        self.pods.iter().filter(|pod| {
            let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
            owners.iter().any(|owner| owner.controller == Some(true) && owner.uid == rs.id.uid)
        })
    }

    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        let labels = self.rollout.spec.template.labels();
        labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
    }

    /// The labels of the Rollout's selector, or of its template without a selector.
    pub(super) fn selected_labels(&self) -> BTreeMap<String, String> {
        let selector = self.rollout.spec.selector.clone();
        let labels = selector.and_then(|selector| selector.match_labels);
        labels.unwrap_or_else(|| self.labels())
    }

    /// The possible rollback of the update.
    pub(super) fn way_back(&self) -> WayBack {
        let current = self.next.current_pod_hash.as_deref();
        let container = self.rollout.spec.template.as_value().pointer("/spec/containers/0/name");
        WayBack {
            stable: self.stable().filter(|stable| Some(stable.hash.as_str()) != current),
            new_available: self.newest().available,
            is_aborted: self.next.abort,
            container: container.and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
        }
    }

    /// The stable revision, if its ReplicaSet exists.
    fn stable(&self) -> Option<Revision> {
        self.revision(self.next.stable_rs.as_deref()?)
    }

    /// The newest revision. Its ReplicaSet may be missing.
    fn newest(&self) -> Revision {
        let hash = self.next.current_pod_hash.as_deref().unwrap_or_default();
        self.revision(hash).unwrap_or_else(|| Revision { hash: hash.to_owned(), ..Revision::default() })
    }

    fn revision(&self, wanted: &str) -> Option<Revision> {
        let rs = self.snapshot.replica_sets.iter().find(|rs| hash(rs) == Some(wanted))?;
        Some(Revision {
            hash: wanted.to_owned(),
            number: rs.annotations.get(keys::REVISION).and_then(|number| number.parse().ok()),
            available: rs.status.available,
            wants: rs.replicas,
        })
    }

    /// True if the controller would carry out an abort, according to `decide`.
    pub(super) fn would_carry_out_abort(&self) -> bool {
        let mut snapshot = self.snapshot.clone();
        snapshot.rollout.status.get_or_insert_default().abort = true;
        decide(&snapshot, self.now).ops().next().is_some()
    }

    /// The revision that users reach: by the active Service, else by the router's weight, else by available pods.
    pub(super) fn serving(&self) -> Serving {
        let new = self.newest();
        let Some(stable) = self.stable() else { return Serving::Neither };
        let strategy = &self.rollout.spec.strategy;
        let (stable_gets, new_gets) = if strategy.blue_green.is_some() {
            let active = self.before.blue_green.active_selector.as_deref();
            (active == Some(&stable.hash), active == Some(&new.hash))
        } else if let Some(weights) = &self.before.canary.weights {
            (weights.stable.weight > 0, weights.canary.weight > 0)
        } else {
            (true, true)
        };
        let is_same = stable.hash == new.hash;
        match (stable_gets && stable.available > 0, new_gets && new.available > 0 && !is_same) {
            (true, false) => Serving::Stable(stable),
            (true, true) => Serving::Both(stable),
            (false, true) => Serving::New { new, stable },
            (false, false) => Serving::Neither,
        }
    }
}

/// The status after `plan`.
fn next_status(before: &RolloutStatus, plan: &Plan) -> RolloutStatus {
    let Some(patch) = plan.status.patch.get("status") else { return before.clone() };
    let stored = serde_json::to_value(before).unwrap_or_default();
    serde_json::from_value(apply_merge_patch(&stored, patch)).unwrap_or_default()
}

fn hash(rs: &ReplicaSetView) -> Option<&str> {
    rs.labels.get(keys::POD_HASH_LABEL).map(String::as_str)
}

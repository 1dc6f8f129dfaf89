//! The objects that belong to a Rollout or an Experiment.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::mark::Mark;
use crate::object::{is_owned, revision};
use crate::surroundings::Surroundings;
use serin_core::api::{AnalysisRun, Experiment};

/// The direct dependents of an object, oldest first.
#[derive(Debug, Clone)]
pub struct Dependents<'a> {
    /// Its ReplicaSets.
    pub sets: Vec<&'a ReplicaSet>,
    /// Its Experiments.
    pub experiments: Vec<&'a Experiment>,
    /// Its AnalysisRuns.
    pub runs: Vec<&'a AnalysisRun>,
}

impl<'a> Dependents<'a> {
    /// The dependents of `owner`.
    #[must_use]
    pub fn of(owner: &ObjectMeta, around: &'a Surroundings) -> Self {
        Self {
            sets: owned_by(owner, &around.replica_sets, |set| &set.metadata),
            experiments: owned_by(owner, &around.experiments, |one| &one.metadata),
            runs: owned_by(owner, &around.analysis_runs, |run| &run.metadata),
        }
    }

    /// The revision numbers, newest first.
    #[must_use]
    pub fn revisions(&self) -> Vec<i64> {
        let metas = self.sets.iter().map(|set| &set.metadata);
        let metas = metas.chain(self.experiments.iter().map(|one| &one.metadata));
        let metas = metas.chain(self.runs.iter().map(|run| &run.metadata));
        let numbers: BTreeSet<_> = metas.map(|meta| Reverse(revision(meta))).collect();
        numbers.into_iter().map(|Reverse(number)| number).collect()
    }
}

/// The objects of `all` that `owner` owns, oldest first. `meta` returns the metadata of one.
pub fn owned_by<'a, T>(owner: &ObjectMeta, all: &'a [T], meta: impl Fn(&T) -> &ObjectMeta) -> Vec<&'a T> {
    let mut found: Vec<&T> = all.iter().filter(|object| is_owned(meta(object), owner)).collect();
    found.sort_by_key(|object| {
        let ObjectMeta { creation_timestamp, name, .. } = meta(object);
        (creation_timestamp.as_ref().map(|time| time.0), name.clone())
    });
    found
}

/// The health of a ReplicaSet, and its name.
#[must_use]
pub fn replica_set_health(set: &ReplicaSet) -> (Mark, &'static str) {
    let spec_replicas = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let status = set.status.clone().unwrap_or_default();
    let is_failing = |kind: &str, value: &str| kind == "ReplicaFailure" && value == "True";
    if set.metadata.generation > Some(status.observed_generation.unwrap_or(0)) {
        (Mark::Progressing, "Progressing")
    } else if status.conditions.iter().flatten().any(|one| is_failing(&one.type_, &one.status)) {
        (Mark::Bad, "ReplicaFailure")
    } else if status.available_replicas.unwrap_or(0) < spec_replicas {
        (Mark::Progressing, "Progressing")
    } else if spec_replicas == 0 {
        (Mark::Neutral, "ScaledDown")
    } else {
        (Mark::Good, "Healthy")
    }
}

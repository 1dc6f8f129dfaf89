//! The objects around a Rollout.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;

use serin_core::api::{AnalysisRun, Experiment};

/// The objects of a namespace, from which views select the dependents of a Rollout.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `ReplicaSets` of Rollouts and Experiments.
    pub replica_sets: Vec<ReplicaSet>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// Experiments.
    pub experiments: Vec<Experiment>,
    /// `AnalysisRuns` of Rollouts and Experiments.
    pub analysis_runs: Vec<AnalysisRun>,
}

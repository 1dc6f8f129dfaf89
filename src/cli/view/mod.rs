//! What users are shown of Rollouts, as text: pure functions of objects and time.
//!
//! Labels, signs, order and widths are those of the reference's plugin, which scripts and people read.

mod facts;
mod header;
mod history;
mod list;
mod mark;
mod node;
mod standing;
mod text;
mod tree;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::api::{AnalysisRun, Experiment, Rollout, keys};

pub(super) use facts::waits_for_user;
pub use history::{RevisionFacts, history};
pub use list::{ListColumns, list};
pub use standing::Standing;

/// The objects of a namespace among which those of a Rollout are.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// `ReplicaSets`, of Rollouts and Experiments.
    pub replica_sets: Vec<ReplicaSet>,
    /// Pods.
    pub pods: Vec<Pod>,
    /// Experiments.
    pub experiments: Vec<Experiment>,
    /// `AnalysisRuns`, of Rollouts and Experiments.
    pub analysis_runs: Vec<AnalysisRun>,
}

/// A Rollout in full: how it stands, and the tree of what belongs to it.
#[must_use]
pub fn rollout(rollout: &Rollout, around: &Surroundings, now: Timestamp, is_coloured: bool) -> String {
    let header = header::rollout(rollout, around, is_coloured);
    let tree = tree::lines(&node::rollout(rollout, around, now), is_coloured);
    format!("{header}\n{tree}")
}

/// Whether `object` belongs to the one of this uid.
pub(super) fn is_owned(object: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let references = object.owner_references.as_deref().unwrap_or_default();
    references.iter().any(|reference| Some(&reference.uid) == owner.uid.as_ref())
}

/// The number of the revision that an object is of; 0 where it does not say.
fn revision(object: &ObjectMeta) -> i64 {
    annotation(object, keys::REVISION).parse().unwrap_or(0)
}

fn annotation<'a>(object: &'a ObjectMeta, key: &str) -> &'a str {
    object.annotations.as_ref().and_then(|all| all.get(key)).map_or("", String::as_str)
}

/// The pod hash of a ReplicaSet.
fn hash(set: &ReplicaSet) -> &str {
    let labels = set.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(keys::POD_HASH_LABEL)).map_or("", String::as_str)
}

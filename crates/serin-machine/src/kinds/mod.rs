//! The table of kinds that are watched. One line a kind says how it is watched, what is kept of an object, when two states
//! of it differ, whom a change concerns and, for a primary kind, how it is decided on.

mod analysis_run;
mod experiment;
mod http_route;
mod ingress;
mod job;
pub mod pod;
pub mod replica_set;
pub mod rollout;
pub mod service;
pub mod workload;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::cache::Caches;
use crate::decide::Deliberation;
use crate::entry::{Content, Entry};
use crate::object::RawObject;
use crate::packed::Packed;
use crate::trigger;
use serin_core::domain::object::{ObjectKey, ObjectRef};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::Remembered;

/// When a kind is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Always; nothing is decided before it has been listed.
    Always,
    /// Always, for its own sake: where it cannot be, all others are decided on without it.
    Own,
    /// While a primary object looks at one of it.
    WhenNamed,
}

/// What of an object is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// `metadata`.
    Metadata,
}

/// How primary objects of a kind are decided on.
pub type Decide = fn(&ObjectKey, &Caches, Remembered, Timestamp) -> Deliberation;

/// A line of the table.
pub struct KindRow {
    /// When it is watched.
    pub demand: Demand,
    /// What of it is asked for.
    pub extent: Extent,
    /// The label selector of the objects that a controller of that instance watches, if not all of the kind.
    pub labels: fn(instance_id: Option<&str>) -> Option<String>,
    /// What is kept of an object.
    pub prune: fn(RawObject) -> Entry,
    /// Whether a decision that was made on the second state may be a different one now that it is the first.
    pub differs: fn(&Entry, &Entry) -> bool,
    /// The primary objects that look at this object.
    pub watchers: fn(&Entry, &ObjectRef, &Caches) -> BTreeSet<ObjectRef>,
    /// How it is decided on, if it is a primary kind.
    pub decide: Option<Decide>,
}

/// The line of `kind`.
#[must_use]
pub const fn row(kind: ObjectKind) -> &'static KindRow {
    match kind {
        ObjectKind::Rollout => &rollout::ROW,
        ObjectKind::ReplicaSet => &replica_set::ROW,
        ObjectKind::Service => &service::ROW,
        ObjectKind::Ingress => &ingress::ROW,
        ObjectKind::Pod => &pod::ROW,
        ObjectKind::Deployment => &workload::DEPLOYMENT,
        ObjectKind::WorkloadReplicaSet => &workload::REPLICA_SET,
        ObjectKind::PodTemplate => &workload::POD_TEMPLATE,
        ObjectKind::AnalysisRun => &analysis_run::ROW,
        ObjectKind::Experiment => &experiment::ROW,
        ObjectKind::Job => &job::ROW,
        ObjectKind::HttpRoute => &http_route::ROW,
    }
}

/// The kinds that are decided on.
pub fn primaries() -> impl Iterator<Item = ObjectKind> {
    ObjectKind::ALL.iter().copied().filter(|kind| row(*kind).decide.is_some())
}

/// The kinds without which nothing is decided.
pub fn always() -> impl Iterator<Item = ObjectKind> {
    ObjectKind::ALL.iter().copied().filter(|kind| row(*kind).demand == Demand::Always)
}

/// Every object of the kind is watched.
pub(crate) const fn every(_: Option<&str>) -> Option<String> {
    None
}

/// All of an object of `kind` but what nobody reads, as JSON. The API version is left out: it is the one that is served.
pub(crate) fn whole(kind: ObjectKind, mut object: RawObject) -> Entry {
    object.slim();
    let RawObject { metadata, spec, status, .. } = &object;
    let json = json!({"kind": kind.name(), "metadata": metadata, "spec": spec, "status": status});
    Entry::new(&object, Content::Json(Packed::new(&json)))
}

/// A kind that is watched while it is named, and kept as JSON by `prune`. A change concerns those who name it, and its
/// owner.
#[must_use]
pub(crate) const fn named(prune: fn(RawObject) -> Entry) -> KindRow {
    KindRow {
        demand: Demand::WhenNamed,
        extent: Extent::Whole,
        labels: every,
        prune,
        differs: Entry::is_other_version,
        watchers: trigger::namers_and_owner,
        decide: None,
    }
}

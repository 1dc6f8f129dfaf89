//! The table of kinds that are watched. One line a kind says how it is watched, what is kept of an object, and when two
//! states of it differ.

mod analysis_run;
mod experiment;
mod http_route;
mod ingress;
mod job;
mod pod;
mod replica_set;
mod rollout;
mod row;
mod service;
mod workload;

use serin_core::domain::plan::ObjectKind;

pub use row::{Demand, Extent, KindRow, Labels};

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
    ObjectKind::ALL.iter().copied().filter(|kind| row(*kind).is_primary)
}

/// The kinds without which nothing is decided.
pub fn always() -> impl Iterator<Item = ObjectKind> {
    ObjectKind::ALL.iter().copied().filter(|kind| row(*kind).demand == Demand::Always)
}

//! What is kept of objects, by kind.

mod pod;
mod replica_set;
mod rollout;
mod service;
mod workload;

use serde_json::Value;

use crate::packed::Packed;

pub use pod::Pod;
pub use replica_set::ReplicaSet;
pub use rollout::Rollout;
pub use service::Service;
pub use workload::Workload;

/// What decisions read of an object.
#[derive(Debug, Clone)]
pub enum Content {
    /// A Rollout.
    Rollout(Box<Rollout>),
    /// A ReplicaSet.
    ReplicaSet(Box<ReplicaSet>),
    /// A Service.
    Service(Box<Service>),
    /// A Pod.
    Pod(Box<Pod>),
    /// A workload that a template may come from.
    Workload(Box<Workload>),
    /// An object of any other kind, as JSON.
    Json(Packed<Value>),
}

//! What to do about a Rollout: [`decide`] and its parts.

pub mod snapshot;
pub mod validate;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::Rollout;
use crate::domain::plan::Plan;
use snapshot::{Identity, Snapshot};

/// The objects beside its ReplicaSets that a decision about a Rollout looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedKeys {
    /// Names of Services in the Rollout's namespace.
    pub services: BTreeSet<String>,
    /// Names of Ingresses in the Rollout's namespace.
    pub ingresses: BTreeSet<String>,
    /// Whether the Pods of its ReplicaSets are looked at.
    pub pods: bool,
}

/// Which objects a decision about `rollout` looks at.
#[must_use]
pub fn observed_keys(rollout: &Rollout) -> ObservedKeys {
    let _ = rollout;
    ObservedKeys::default()
}

/// What to do now. Total: mistakes of users and missing objects become conditions in the plan's status.
#[must_use]
pub fn decide(snapshot: &Snapshot, now: Timestamp) -> Plan {
    let _ = (snapshot, now);
    todo!()
}

/// A Rollout whose JSON is not what the kind's types say.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Which one it is.
    pub id: Identity,
    /// `metadata.generation`.
    pub generation: i64,
    /// The whole object as it was received.
    pub object: Value,
    /// Where in the object the problem is, e.g. `spec.strategy.canary.steps[2].setWeight`.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

/// What to do about a Rollout that cannot be read: a condition that says where and why, and nothing else.
#[must_use]
pub fn decide_unreadable(rollout: &Unreadable, now: Timestamp) -> Plan {
    let _ = (rollout, now);
    todo!()
}

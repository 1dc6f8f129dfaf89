//! The fields of Deployments and of their ReplicaSets.

use super::super::replica_sets::REPLICA_SETS;
use crate::view::{Object, Place};

/// The resource of Deployments.
pub(in crate::actors) const DEPLOYMENTS: &str = "deployments.apps";
/// The label by which the ReplicaSets of a Deployment differ.
pub(super) const HASH_LABEL: &str = "pod-template-hash";
pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MOST: &str = "deployment.kubernetes.io/max-replicas";
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Who its Events come from.
pub(super) const COMPONENT: &str = "deployment-controller";

/// The place of a ReplicaSet.
pub(super) fn set_place(set: &Object) -> Place {
    Place::new(REPLICA_SETS, set.namespace(), set.name())
}

/// `spec.replicas`.
pub(super) fn replicas(object: &Object) -> i64 {
    object.integer("/spec/replicas").unwrap_or(1)
}

/// `status.availableReplicas`.
pub(super) fn available(object: &Object) -> i64 {
    object.integer("/status/availableReplicas").unwrap_or(0)
}

/// The revision annotation; 0 if absent or not a number.
pub(super) fn revision(object: &Object) -> i64 {
    object.annotation(REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

//! When a ReplicaSet counts as having enough pods.

use super::context::Context;
use crate::domain::replicas::{ReplicaSetCounts, Threshold};

/// `replicaProgressThreshold`, or all pods where the Rollout has none.
pub(super) fn threshold(cx: &Context<'_>) -> Threshold {
    cx.canary().map_or(Threshold::All, |canary| canary.threshold)
}

/// Whether `available` pods are enough where `desired` are wanted: all of them, or what the threshold asks for.
pub(super) fn is_met(cx: &Context<'_>, available: i32, desired: i32) -> bool {
    let counts = ReplicaSetCounts { spec: desired, available, status: available };
    available >= desired || threshold(cx).is_met(counts, desired)
}

//! When a ReplicaSet counts as having enough pods.

use super::context::Context;
use crate::domain::replicas::{ReplicaSetCounts, Threshold};

/// `replicaProgressThreshold`, or all pods where the Rollout has none.
pub(super) fn threshold(cx: &Context<'_>) -> Threshold {
    let threshold = cx.canary().and_then(|c| c.replica_progress_threshold.as_ref());
    match threshold {
        Some(threshold) if threshold.value < 0 => Threshold::All,
        Some(threshold) if threshold.type_ == "Percent" => Threshold::Percent(threshold.value),
        Some(threshold) => Threshold::Pods(threshold.value),
        None => Threshold::All,
    }
}

/// Whether `available` pods are enough where `desired` are wanted: all of them, or what the threshold asks for.
pub(super) fn is_met(cx: &Context<'_>, available: i32, desired: i32) -> bool {
    let counts = ReplicaSetCounts { spec: desired, available, status: available };
    available >= desired || threshold(cx).is_met(counts, desired)
}

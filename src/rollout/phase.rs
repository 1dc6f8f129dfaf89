//! Phase and message: the one-line answer to "what is it doing?", derived from the status and nothing else.

use crate::api::{Rollout, RolloutPhase as Phase, RolloutStatus};
use crate::domain::condition::{ConditionReason, ConditionType};

/// Writes `status.phase` and `status.message`.
pub(super) fn derive(rollout: &Rollout, status: &mut RolloutStatus) {
    let (phase, message) = degraded(status)
        .or_else(|| paused(rollout, status))
        .or_else(|| progressing(rollout, status))
        .unwrap_or((Phase::Healthy, String::new()));
    status.phase = Some(phase);
    status.message = Some(message).filter(|m| !m.is_empty());
}

fn degraded(status: &RolloutStatus) -> Option<(Phase, String)> {
    status.conditions.iter().find_map(|c| {
        let reason = if c.type_ == ConditionType::InvalidSpec.as_str() {
            ConditionType::InvalidSpec.as_str()
        } else {
            let failed = [ConditionReason::RolloutAborted, ConditionReason::ProgressDeadlineExceeded];
            failed.iter().map(|r| r.as_str()).find(|r| *r == c.reason)?
        };
        Some((Phase::Degraded, format!("{reason}: {}", c.message)))
    })
}

fn paused(rollout: &Rollout, status: &RolloutStatus) -> Option<(Phase, String)> {
    if rollout.spec.paused {
        return Some((Phase::Paused, "manually paused".to_owned()));
    }
    status.pause_conditions.first().map(|c| (Phase::Paused, c.reason.as_str().to_owned()))
}

fn progressing(rollout: &Rollout, status: &RolloutStatus) -> Option<(Phase, String)> {
    let replicas = rollout.spec.replicas.unwrap_or(1);
    let is_current = |hash: &Option<String>| hash.is_some() && *hash == status.current_pod_hash;
    let strategy = &rollout.spec.strategy;
    let blue_green = strategy.blue_green.as_ref();
    let routed = strategy.canary.as_ref().is_some_and(|c| c.traffic_routing.is_some());
    let restarting = rollout.spec.restart_at.is_some() && rollout.spec.restart_at != status.restarted_at;
    let message = if restarting {
        "rollout is restarting"
    } else if status.updated_replicas < replicas {
        "more replicas need to be updated"
    } else if status.available_replicas < status.updated_replicas {
        "updated replicas are still becoming available"
    } else if let Some(blue_green) = blue_green {
        if !is_current(&status.blue_green.active_selector) {
            "active service cutover pending"
        } else if is_current(&status.stable_rs) {
            return None;
        } else if blue_green.post_promotion_analysis.is_some() {
            "waiting for analysis to complete"
        } else {
            "waiting for post-promotion verification to complete"
        }
    } else if !routed && status.replicas > status.updated_replicas {
        "old replicas are pending termination"
    } else if is_current(&status.stable_rs) {
        return None;
    } else {
        "waiting for all steps to complete"
    };
    Some((Phase::Progressing, message.to_owned()))
}

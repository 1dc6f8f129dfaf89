//! Phase and message: the one-line answer to "what is it doing?", derived from the status and nothing else.

use crate::api::{CanaryStrategy, Rollout, RolloutPhase as Phase, RolloutSpec, RolloutStatus, Time};
use crate::domain::condition::{ConditionReason, ConditionType};

/// What phase and message depend on beside the status.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Pods that are wanted.
    replicas: i32,
    is_paused: bool,
    restart_at: Option<&'a Time>,
    /// Whether weights are set on a router.
    is_routed: bool,
    /// For blue-green: whether an analysis follows the switch.
    blue_green: Option<bool>,
}

impl<'a> Target<'a> {
    /// That of a spec, valid or not.
    pub(super) fn of(spec: &'a RolloutSpec) -> Self {
        let (canary, blue_green) = (&spec.strategy.canary, &spec.strategy.blue_green);
        Self {
            replicas: spec.desired_replicas(),
            is_paused: spec.paused,
            restart_at: spec.restart_at.as_ref(),
            is_routed: canary.as_ref().is_some_and(CanaryStrategy::is_routed),
            blue_green: blue_green.as_ref().map(|b| b.post_promotion_analysis.is_some()),
        }
    }
}

/// Writes `status.phase` and `status.message` of a Rollout, whether its spec is valid or not.
pub fn derive(rollout: &Rollout, status: &mut RolloutStatus) {
    derive_for(Target::of(&rollout.spec), status);
}

/// Writes `status.phase` and `status.message`.
pub(super) fn derive_for(target: Target<'_>, status: &mut RolloutStatus) {
    let (phase, message) = degraded(status)
        .or_else(|| paused(target, status))
        .or_else(|| progressing(target, status))
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

fn paused(target: Target<'_>, status: &RolloutStatus) -> Option<(Phase, String)> {
    if target.is_paused {
        return Some((Phase::Paused, "manually paused".to_owned()));
    }
    status.pause_conditions.first().map(|c| (Phase::Paused, c.reason.as_str().to_owned()))
}

/// Whether something that the spec asks for is still missing.
pub(super) fn is_progressing(target: Target<'_>, status: &RolloutStatus) -> bool {
    progressing(target, status).is_some()
}

fn progressing(target: Target<'_>, status: &RolloutStatus) -> Option<(Phase, String)> {
    let is_current = |hash: &Option<String>| hash.is_some() && *hash == status.current_pod_hash;
    let restarting = target.restart_at.is_some() && target.restart_at != status.restarted_at.as_ref();
    let blocked = status.conditions.iter().find(|c| c.type_ == ConditionType::Blocked.as_str());
    let message = if let Some(blocked) = blocked {
        blocked.message.as_str()
    } else if restarting {
        "rollout is restarting"
    } else if status.updated_replicas < target.replicas {
        "more replicas need to be updated"
    } else if status.available_replicas < status.updated_replicas {
        "updated replicas are still becoming available"
    } else if let Some(is_analysed) = target.blue_green {
        if !is_current(&status.blue_green.active_selector) {
            "active service cutover pending"
        } else if is_current(&status.stable_rs) {
            return None;
        } else if is_analysed {
            "waiting for analysis to complete"
        } else {
            "waiting for post-promotion verification to complete"
        }
    } else if !target.is_routed && status.replicas > status.updated_replicas {
        "old replicas are pending termination"
    } else if is_current(&status.stable_rs) {
        return None;
    } else {
        "waiting for all steps to complete"
    };
    Some((Phase::Progressing, message.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use serin_values::merge_patch::apply_merge_patch;

    /// Phase and message of a settled Rollout of 2 pods, with these differences.
    fn phase(strategy: &str, spec: &Value, status: &Value) -> String {
        let of_strategy = match strategy {
            "blueGreen" => json!({"blueGreen": {"activeService": "active"}}),
            "routed" => json!({"canary": {"trafficRouting": {"nginx": {}}}}),
            _ => json!({"canary": {}}),
        };
        let spec = apply_merge_patch(&json!({"replicas": 2, "strategy": of_strategy}), spec);
        let settled = json!({
            "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "stableRS": "a", "currentPodHash": "a",
            "blueGreen": {"activeSelector": "a"},
        });
        let rollout: Rollout = serde_json::from_value(json!({"metadata": {}, "spec": spec})).unwrap();
        let mut status: RolloutStatus = serde_json::from_value(apply_merge_patch(&settled, status)).unwrap();
        derive(&rollout, &mut status);
        let phase = format!("{:?}", status.phase.unwrap());
        status.message.map_or(phase.clone(), |message| format!("{phase}: {message}"))
    }

    fn condition(kind: &str, reason: &str) -> Value {
        let time = "2026-01-01T00:00:00Z";
        json!({
            "type": kind, "status": "False", "reason": reason, "message": "why", "lastUpdateTime": time,
            "lastTransitionTime": time,
        })
    }

    #[test]
    fn each_row_comes_before_the_next() {
        let rows = [
            (json!({}), json!({"conditions": [condition("InvalidSpec", "x")]}), "Degraded: InvalidSpec: why"),
            (
                json!({}),
                json!({"conditions": [condition("Progressing", "RolloutAborted")]}),
                "Degraded: RolloutAborted: why",
            ),
            (
                json!({}),
                json!({"conditions": [condition("Progressing", "ProgressDeadlineExceeded")]}),
                "Degraded: ProgressDeadlineExceeded: why",
            ),
            (json!({"paused": true}), json!({}), "Paused: manually paused"),
            (
                json!({}),
                json!({"pauseConditions": [
                    {"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"},
                    {"reason": "BlueGreenPause", "startTime": "2026-01-01T00:00:00Z"},
                ]}),
                "Paused: CanaryPauseStep",
            ),
            (json!({"restartAt": "2026-01-01T00:00:00Z"}), json!({}), "Progressing: rollout is restarting"),
            (json!({}), json!({"updatedReplicas": 1}), "Progressing: more replicas need to be updated"),
            (
                json!({}),
                json!({"availableReplicas": 1}),
                "Progressing: updated replicas are still becoming available",
            ),
        ];
        let (mut spec, mut status) = (json!({}), json!({}));
        for strategy in ["blueGreen", "canary", "routed"] {
            assert_eq!(phase(strategy, &json!({}), &json!({})), "Healthy");
            for (of_spec, of_status, expected) in rows.iter().rev() {
                spec = apply_merge_patch(&spec, of_spec);
                status = apply_merge_patch(&status, of_status);
                assert_eq!(phase(strategy, &spec, &status), *expected, "{strategy}");
            }
            (spec, status) = (json!({}), json!({}));
        }
    }

    #[test]
    fn an_update_waits_for_its_last_part() {
        let stable = json!({"stableRS": "b"});
        let analysed = json!({"strategy": {"blueGreen": {"postPromotionAnalysis": {}}}});
        for (strategy, spec, status, expected) in [
            (
                "blueGreen",
                json!({}),
                json!({"blueGreen": {"activeSelector": "b"}}),
                "active service cutover pending",
            ),
            (
                "blueGreen",
                json!({}),
                json!({"blueGreen": {"activeSelector": null}}),
                "active service cutover pending",
            ),
            ("blueGreen", json!({}), stable.clone(), "waiting for post-promotion verification to complete"),
            ("blueGreen", analysed, stable.clone(), "waiting for analysis to complete"),
            ("canary", json!({}), json!({"replicas": 3}), "old replicas are pending termination"),
            ("canary", json!({}), stable.clone(), "waiting for all steps to complete"),
            ("canary", json!({}), json!({"stableRS": null}), "waiting for all steps to complete"),
            ("routed", json!({}), stable, "waiting for all steps to complete"),
        ] {
            assert_eq!(
                phase(strategy, &spec, &status),
                format!("Progressing: {expected}"),
                "{strategy} {status}"
            );
        }
        assert_eq!(
            phase("routed", &json!({}), &json!({"replicas": 3})),
            "Healthy",
            "old pods may wait behind a router"
        );
        let restarted = json!({"restartedAt": "2026-01-01T00:00:00Z"});
        assert_eq!(phase("canary", &json!({"restartAt": "2026-01-01T00:00:00Z"}), &restarted), "Healthy");
    }
}

//! Facts about a Rollout that several views show: roles, steps, weights, pauses, and reported problems.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;

use crate::object::{hash, is_owned};
use crate::standing::is_observed;
use crate::surroundings::Surroundings;
use serin_core::api::rollout_status::PingPongSide;
use serin_core::api::{CanaryStrategy, ConditionStatus, Experiment, Rollout, RolloutCondition, StepKind};
use serin_core::domain::condition::ConditionType;
use serin_core::domain::pause;
use serin_core::domain::weight::WEIGHT_MAX_DEFAULT;
use serin_values::duration::go_duration;
use serin_values::time::after;

/// The role of a ReplicaSet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The stable revision of a canary.
    Stable,
    /// The new revision of a canary.
    Canary,
    /// The revision that the active Service selects.
    Active,
    /// The revision that only the preview Service selects.
    Preview,
    /// The revision of the ping Service.
    Ping,
    /// The revision of the pong Service.
    Pong,
}

impl Role {
    /// The role as users read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Canary => "canary",
            Self::Active => "active",
            Self::Preview => "preview",
            Self::Ping => "ping",
            Self::Pong => "pong",
        }
    }
}

/// The roles of the ReplicaSet with this pod hash, in display order.
#[must_use]
pub fn roles(rollout: &Rollout, hash: &str) -> Vec<Role> {
    let Some(status) = &rollout.status else { return Vec::new() };
    let is = |field: &Option<String>| field.as_deref() == Some(hash);
    let strategy = &rollout.spec.strategy;
    let is_stable = is(&status.stable_rs);
    let mut roles: Vec<Role> = is_stable.then_some(Role::Stable).into_iter().collect();
    if let Some(canary) = &strategy.canary {
        let is_canary = !is_stable && is(&status.current_pod_hash);
        roles.extend(is_canary.then_some(Role::Canary));
        if canary.ping_pong.is_some() && (is_stable || is_canary) {
            let is_ping = (status.canary.stable_ping_pong == Some(PingPongSide::Ping)) == is_stable;
            roles.push(if is_ping { Role::Ping } else { Role::Pong });
        }
    } else if strategy.blue_green.is_some() {
        if is(&status.blue_green.active_selector) {
            roles.push(Role::Active);
        } else if is(&status.blue_green.preview_selector) {
            roles.push(Role::Preview);
        }
    }
    roles
}

/// The name of the strategy; `unset` without one.
#[must_use]
pub fn strategy(rollout: &Rollout) -> &'static str {
    let strategy = &rollout.spec.strategy;
    match (&strategy.canary, &strategy.blue_green) {
        (Some(_), _) => "Canary",
        (None, Some(_)) => "BlueGreen",
        (None, None) => "unset",
    }
}

/// The completed steps of a canary, and their total. `None` without steps, or before the first one.
#[must_use]
pub fn step_counts(rollout: &Rollout) -> Option<(i32, usize)> {
    let steps = rollout.spec.strategy.canary.as_ref()?.steps.len();
    let index = rollout.status.as_ref()?.current_step_index?;
    (steps > 0).then_some((index, steps))
}

/// True if only a user can end the pause of a Rollout.
#[must_use]
pub fn waits_for_user(rollout: &Rollout) -> bool {
    rollout.spec.paused || pause_ends(rollout).any(|end| end.is_none())
}

/// The end of each pause of a Rollout; `None` if only a user ends it.
pub fn pause_ends(rollout: &Rollout) -> impl Iterator<Item = Option<Timestamp>> {
    let pauses = rollout.status.iter().flat_map(|status| &status.pause_conditions);
    let step = current_step(rollout);
    pauses.map(move |one| pause::end(&rollout.spec.strategy, step, one))
}

/// The reason why the current spec is invalid, as reported by the controller.
#[must_use]
pub fn invalid_spec(rollout: &Rollout) -> Option<&str> {
    told(rollout, ConditionType::InvalidSpec).filter(|_| is_observed(rollout))
}

/// The write that the API server refuses, and the reason.
#[must_use]
pub fn blocked(rollout: &Rollout) -> Option<&str> {
    told(rollout, ConditionType::Blocked)
}

/// The message of a condition that is true.
fn told(rollout: &Rollout, kind: ConditionType) -> Option<&str> {
    let mut conditions = rollout.status.iter().flat_map(|status| &status.conditions);
    let is_true = |one: &&RolloutCondition| one.type_ == kind.as_str() && one.status == ConditionStatus::True;
    conditions.find(is_true).map(|condition| condition.message.as_str())
}

/// The weight that stands for all traffic.
fn max_weight(rollout: &Rollout) -> i32 {
    rollout.spec.strategy.canary.as_ref().map_or(WEIGHT_MAX_DEFAULT, CanaryStrategy::total_weight)
}

/// The index of the current step; `None` after the last one.
#[must_use]
pub fn current_step(rollout: &Rollout) -> Option<usize> {
    let steps = rollout.spec.strategy.canary.as_ref()?.steps.len();
    let index = rollout.status.as_ref().and_then(|status| status.current_step_index).unwrap_or(0);
    usize::try_from(index).ok().filter(|index| *index < steps)
}

/// The share of traffic that the steps give to the canary.
#[must_use]
pub fn set_weight(rollout: &Rollout) -> i32 {
    if rollout.status.as_ref().is_some_and(|status| status.abort) {
        return 0;
    }
    let (Some(index), Some(canary)) = (current_step(rollout), &rollout.spec.strategy.canary) else {
        return max_weight(rollout);
    };
    let weight = |step: &serin_core::api::CanaryStep| match step.kind() {
        Some(StepKind::SetWeight(weight)) => Some(weight),
        _ => None,
    };
    canary.steps.iter().take(index + 1).rev().find_map(weight).unwrap_or(0)
}

/// The canary's actual share of traffic: by the router, else by available pods.
#[must_use]
pub fn actual_weight(rollout: &Rollout, around: &Surroundings) -> i32 {
    if current_step(rollout).is_none() {
        return max_weight(rollout);
    }
    let status = rollout.status.clone().unwrap_or_default();
    if status.available_replicas == 0 {
        return 0;
    }
    let canary = rollout.spec.strategy.canary.as_ref();
    if canary.is_some_and(CanaryStrategy::is_routed) {
        return status.canary.weights.map_or_else(|| set_weight(rollout), |weights| weights.canary.weight);
    }
    let is_canary = |set: &&ReplicaSet| status.current_pod_hash.as_deref() == Some(hash(set));
    let canary = replica_sets(rollout, around).find(is_canary);
    let available = canary.and_then(|set| set.status.as_ref()?.available_replicas).unwrap_or(0);
    let share = i64::from(available) * i64::from(max_weight(rollout)) / i64::from(status.available_replicas);
    i32::try_from(share).unwrap_or(i32::MAX)
}

/// The ReplicaSets of a Rollout, without those of its Experiments.
pub fn replica_sets<'a>(
    rollout: &'a Rollout,
    around: &'a Surroundings,
) -> impl Iterator<Item = &'a ReplicaSet> {
    around.replica_sets.iter().filter(|set| is_owned(&set.metadata, &rollout.metadata))
}

/// The end of an Experiment that is available.
#[must_use]
pub fn experiment_end(experiment: &Experiment) -> Option<Timestamp> {
    let available = experiment.status.as_ref()?.available_at.as_ref()?;
    let duration = go_duration(experiment.spec.duration.as_deref()?)?;
    Some(after(available.0, duration))
}

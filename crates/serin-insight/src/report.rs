//! The status of a Rollout, for programs.

use serde::Serialize;

use crate::facts::{set_weight, step_counts};
use crate::standing::Standing;
use serin_core::api::{Rollout, RolloutPhase};

/// The status of a Rollout. Field names are stable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// Namespace of the Rollout.
    pub namespace: String,
    /// Name of the Rollout.
    pub name: String,
    /// The phase.
    pub phase: RolloutPhase,
    /// The message; may be empty.
    pub message: String,
    /// The number of completed steps; `None` for blue-green, and without steps.
    pub step: Option<i32>,
    /// The number of steps.
    pub steps: Option<usize>,
    /// The share of traffic that the steps give to the canary; `None` for blue-green.
    pub set_weight: Option<i32>,
    /// Pod counts.
    pub replicas: Counts,
}

/// Pod counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Pods that the spec asks for.
    pub desired: i32,
    /// All pods.
    pub current: i32,
    /// Pods of the current template.
    pub updated: i32,
    /// Ready pods.
    pub ready: i32,
    /// Available pods.
    pub available: i32,
}

impl StatusReport {
    /// The report about `rollout`.
    #[must_use]
    pub fn of(rollout: &Rollout) -> Self {
        let Standing { phase, message } = Standing::of(rollout);
        let steps = step_counts(rollout);
        Self {
            namespace: rollout.metadata.namespace.clone().unwrap_or_default(),
            name: rollout.metadata.name.clone().unwrap_or_default(),
            phase,
            message,
            step: steps.map(|(done, _)| done),
            steps: steps.map(|(_, all)| all),
            set_weight: rollout.spec.strategy.canary.as_ref().map(|_| set_weight(rollout)),
            replicas: Counts::of(rollout),
        }
    }
}

impl Counts {
    /// The pod counts of `rollout`.
    #[must_use]
    pub fn of(rollout: &Rollout) -> Self {
        let status = rollout.status.clone().unwrap_or_default();
        Self {
            desired: rollout.spec.desired_replicas(),
            current: status.replicas,
            updated: status.updated_replicas,
            ready: status.ready_replicas,
            available: status.available_replicas,
        }
    }
}

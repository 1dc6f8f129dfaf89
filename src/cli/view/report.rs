//! How a Rollout stands, for programs.

use serde::Serialize;

use super::facts::{set_weight, step_counts};
use super::standing::Standing;
use serin_core::api::{Rollout, RolloutPhase};

/// How a Rollout stands. The names of the fields do not change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusReport {
    /// The namespace of the Rollout.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The status in one word.
    pub phase: RolloutPhase,
    /// Why it is so; empty where there is nothing to say.
    pub message: String,
    /// How many steps are done; none for blue-green, and without steps.
    pub step: Option<i32>,
    /// How many steps there are.
    pub steps: Option<usize>,
    /// The share of traffic that the steps give to the canary; none for blue-green.
    pub set_weight: Option<i32>,
    /// How many pods there are.
    pub replicas: Counts,
}

/// Counts of pods.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// As many as the spec asks for.
    pub desired: i32,
    /// All.
    pub current: i32,
    /// Those of the current template.
    pub updated: i32,
    /// Those that are ready.
    pub ready: i32,
    /// Those that have been ready for long enough.
    pub available: i32,
}

impl StatusReport {
    /// How `rollout` stands.
    #[must_use]
    pub fn of(rollout: &Rollout) -> Self {
        let Standing { phase, message } = Standing::of(rollout);
        let status = rollout.status.clone().unwrap_or_default();
        let steps = step_counts(rollout);
        Self {
            namespace: rollout.metadata.namespace.clone().unwrap_or_default(),
            name: rollout.metadata.name.clone().unwrap_or_default(),
            phase,
            message,
            step: steps.map(|(done, _)| done),
            steps: steps.map(|(_, all)| all),
            set_weight: rollout.spec.strategy.canary.as_ref().map(|_| set_weight(rollout)),
            replicas: Counts {
                desired: rollout.spec.replicas.unwrap_or(1),
                current: status.replicas,
                updated: status.updated_replicas,
                ready: status.ready_replicas,
                available: status.available_replicas,
            },
        }
    }
}

//! Conditions: typed facts in a status, in the order in which they last changed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Time;

/// Condition type: the spec cannot be acted on.
pub const INVALID_SPEC: &str = "InvalidSpec";
/// Condition type: enough pods are available.
pub const AVAILABLE: &str = "Available";
/// Condition type: the update moves on, or has ended well.
pub const PROGRESSING: &str = "Progressing";
/// Condition type: pods could not be created or deleted.
pub const REPLICA_FAILURE: &str = "ReplicaFailure";
/// Condition type: the update waits for a time or for a user.
pub const PAUSED: &str = "Paused";
/// Condition type: the newest revision is the stable one.
pub const COMPLETED: &str = "Completed";
/// Condition type: the newest revision is the stable one, and all its pods are available.
pub const HEALTHY: &str = "Healthy";

/// One typed fact about an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RolloutCondition {
    /// What the condition is about.
    #[serde(rename = "type")]
    pub type_: String,
    /// Whether it holds: True, False or Unknown.
    pub status: ConditionStatus,
    /// When the condition was last written.
    pub last_update_time: Time,
    /// When the status last changed.
    pub last_transition_time: Time,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody can say.
    Unknown,
}

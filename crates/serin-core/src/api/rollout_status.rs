//! The status of a Rollout: what the controller observed, and how far it has come.
//!
//! A value that equals its default is left out, so that a merge patch between two statuses removes it.

use macro_rules_attribute::apply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::analysis::AnalysisPhase;
use super::wire::{blank_as_none, is_default, null_as_default, wire};
use super::{RolloutCondition, Time};

/// What was observed of a Rollout, and how far its update has come.
#[apply(wire)]
pub struct RolloutStatus {
    /// Whether the update is aborted; set by a user or by the controller.
    pub abort: bool,
    /// When the controller first saw the abort.
    pub aborted_at: Option<Time>,
    /// Why the update waits for a user or a time; a user resumes it by clearing the list.
    pub pause_conditions: Vec<PauseCondition>,
    /// Whether the controller added a pause condition; with none left, a user has resumed the update.
    pub controller_pause: bool,
    /// Pod hash of the newest revision.
    pub current_pod_hash: Option<String>,
    /// Hash of the list of steps that `currentStepIndex` counts in.
    pub current_step_hash: Option<String>,
    /// Index of the current step; the number of steps when all are done.
    pub current_step_index: Option<i32>,
    /// How many pod hashes were found taken by another template.
    pub collision_count: Option<i32>,
    /// Number of pods of all revisions.
    pub replicas: i32,
    /// Number of pods of the newest revision.
    pub updated_replicas: i32,
    /// Number of ready pods.
    pub ready_replicas: i32,
    /// Number of available pods.
    pub available_replicas: i32,
    /// Number of pods that a HorizontalPodAutoscaler measures.
    #[serde(rename = "HPAReplicas")]
    pub hpa_replicas: i32,
    /// Selector of those pods, as text.
    pub selector: Option<String>,
    /// Pod hash of the stable revision.
    #[serde(rename = "stableRS")]
    pub stable_rs: Option<String>,
    /// Generation of the Rollout that this status describes, as text.
    pub observed_generation: Option<String>,
    /// Generation of the referenced workload that this status describes, as text.
    pub workload_observed_generation: Option<String>,
    /// Typed facts about the Rollout.
    pub conditions: Vec<RolloutCondition>,
    /// The status in one word: Healthy, Progressing, Paused or Degraded.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub phase: Option<RolloutPhase>,
    /// Why the Rollout is in its phase.
    pub message: Option<String>,
    /// Whether a user asked to skip everything up to the end of the update.
    pub promote_full: bool,
    /// The `restartAt` of the last completed restart.
    pub restarted_at: Option<Time>,
    /// Facts of the canary strategy.
    #[serde(default, deserialize_with = "null_as_default")]
    pub canary: CanaryStatus,
    /// Facts of the blue-green strategy.
    #[serde(default, deserialize_with = "null_as_default")]
    pub blue_green: BlueGreenStatus,
    /// Load balancer of the last ALB Ingress.
    pub alb: Option<AlbStatus>,
    /// Load balancers of all ALB Ingresses.
    pub albs: Vec<AlbStatus>,
    /// How long the update has taken.
    pub duration: Option<RolloutDuration>,
}

/// Healthy, or why not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum RolloutPhase {
    /// Every pod is of the stable revision and available.
    Healthy,
    /// Something failed; it needs a user.
    Degraded,
    /// On the way.
    Progressing,
    /// Waiting for a time or for a user.
    Paused,
}

/// Why an update waits, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PauseCondition {
    /// Why the update waits.
    pub reason: PauseReason,
    /// Since when it waits.
    pub start_time: Time,
}

/// Why an update waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum PauseReason {
    /// An analysis could not tell.
    InconclusiveAnalysisRun,
    /// An experiment could not tell.
    InconclusiveExperiment,
    /// A pause step.
    CanaryPauseStep,
    /// The preview waits to be promoted.
    BlueGreenPause,
}

impl PauseReason {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InconclusiveAnalysisRun => "InconclusiveAnalysisRun",
            Self::InconclusiveExperiment => "InconclusiveExperiment",
            Self::CanaryPauseStep => "CanaryPauseStep",
            Self::BlueGreenPause => "BlueGreenPause",
        }
    }
}

/// Facts of the canary strategy.
#[apply(wire)]
pub struct CanaryStatus {
    /// AnalysisRun of the current step.
    pub current_step_analysis_run_status: Option<AnalysisRunReference>,
    /// AnalysisRun beside the steps.
    pub current_background_analysis_run_status: Option<AnalysisRunReference>,
    /// Experiment of the current step.
    pub current_experiment: Option<String>,
    /// Traffic weights that were last set.
    pub weights: Option<TrafficWeights>,
    /// Which of the ping and pong Services is the stable one.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub stable_ping_pong: Option<PingPongSide>,
    /// Calls of step plugins.
    pub step_plugin_statuses: Vec<StepPluginStatus>,
}

/// One of the two ping-pong Services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PingPongSide {
    /// `pingService`.
    Ping,
    /// `pongService`.
    Pong,
}

/// An AnalysisRun and its outcome.
#[apply(wire)]
#[derive(Eq)]
pub struct AnalysisRunReference {
    /// Name of the AnalysisRun.
    #[serde_with(skip_apply)]
    pub name: String,
    /// Phase of the AnalysisRun; blank until it has one.
    pub status: AnalysisPhase,
    /// Message of the AnalysisRun.
    pub message: Option<String>,
}

/// Traffic weights that were last set.
#[apply(wire)]
#[derive(Eq)]
pub struct TrafficWeights {
    /// Share of the canary.
    pub canary: WeightDestination,
    /// Share of the stable revision.
    pub stable: WeightDestination,
    /// Shares of experiments.
    pub additional: Vec<WeightDestination>,
    /// Whether the router was seen to use the weights; absent where it cannot tell.
    pub verified: Option<bool>,
}

/// One destination of traffic, and its share.
#[apply(wire)]
#[derive(Eq)]
pub struct WeightDestination {
    /// Share, in parts of the maximum weight.
    #[serde_with(skip_apply)]
    pub weight: i32,
    /// Service that gets it.
    pub service_name: Option<String>,
    /// Pod hash of the revision that gets it.
    pub pod_template_hash: Option<String>,
}

/// One call of a step plugin.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StepPluginStatus {
    /// Index of the step.
    pub index: i32,
    /// Name of the plugin.
    pub name: String,
    /// What the plugin was asked for.
    pub operation: StepPluginOperation,
    /// What came of it.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub phase: Option<StepPluginPhase>,
    /// Why, in a sentence.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub message: Option<String>,
    /// When the plugin was first called.
    pub started_at: Option<Time>,
    /// When the plugin was last called.
    pub updated_at: Option<Time>,
    /// When the plugin was done.
    pub finished_at: Option<Time>,
    /// How long to wait before the next call, as a duration.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub backoff: Option<String>,
    /// How often the plugin was called.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub executions: i32,
    /// Whether the plugin was turned off.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub disabled: bool,
    /// What the plugin wants to be given at the next call.
    pub status: Option<Value>,
}

/// What a step plugin was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum StepPluginOperation {
    /// To do its work.
    Run,
    /// To stop, for the update is promoted.
    Terminate,
    /// To undo, for the update is aborted.
    Abort,
}

/// What came of a call of a step plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum StepPluginPhase {
    /// Not done yet.
    Running,
    /// Done.
    Successful,
    /// Done, and the update must be aborted.
    Failed,
    /// The call went wrong and is repeated.
    Error,
}

/// Facts of the blue-green strategy.
#[apply(wire)]
pub struct BlueGreenStatus {
    /// Pod hash that the preview Service selects.
    pub preview_selector: Option<String>,
    /// Pod hash that the active Service selects.
    pub active_selector: Option<String>,
    /// Whether the preview may grow to its full size.
    pub scale_up_preview_check_point: bool,
    /// AnalysisRun before the switch.
    pub pre_promotion_analysis_run_status: Option<AnalysisRunReference>,
    /// AnalysisRun after the switch.
    pub post_promotion_analysis_run_status: Option<AnalysisRunReference>,
}

/// Load balancer of an ALB Ingress, and the target groups of the two revisions.
#[apply(wire)]
#[derive(Eq)]
pub struct AlbStatus {
    /// Name of the Ingress.
    pub ingress: Option<String>,
    /// The load balancer.
    #[serde(default, deserialize_with = "null_as_default")]
    pub load_balancer: AwsResource,
    /// Target group of the canary.
    #[serde(default, deserialize_with = "null_as_default")]
    pub canary_target_group: AwsResource,
    /// Target group of the stable revision.
    #[serde(default, deserialize_with = "null_as_default")]
    pub stable_target_group: AwsResource,
}

/// A thing in AWS.
#[apply(wire)]
#[derive(Eq)]
pub struct AwsResource {
    /// Its name.
    #[serde_with(skip_apply)]
    pub name: String,
    /// Its Amazon resource name.
    #[serde_with(skip_apply)]
    pub arn: String,
    /// The part of the resource name that metrics use.
    pub full_name: Option<String>,
}

/// How long an update has taken.
#[apply(wire)]
#[derive(Eq)]
pub struct RolloutDuration {
    /// When the update started.
    pub rollout_started_at: Option<Time>,
    /// Since when it waits for a user.
    pub manual_pause_started_at: Option<Time>,
    /// Seconds that it waited for users before.
    pub total_manual_pause_duration_seconds: i64,
    /// When the update ended.
    pub finished_at: Option<Time>,
    /// How the update ended.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub completion_status: Option<CompletionStatus>,
}

/// How an update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum CompletionStatus {
    /// It became stable.
    Promoted,
    /// A user had it skip its steps.
    FastPromoted,
    /// It was aborted.
    Aborted,
    /// A newer revision took its place.
    Superseded,
    /// An older revision took its place.
    RolledBack,
    /// An older revision within the rollback window took its place.
    FastRolledBack,
}

impl CompletionStatus {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Promoted => "Promoted",
            Self::FastPromoted => "FastPromoted",
            Self::Aborted => "Aborted",
            Self::Superseded => "Superseded",
            Self::RolledBack => "RolledBack",
            Self::FastRolledBack => "FastRolledBack",
        }
    }
}

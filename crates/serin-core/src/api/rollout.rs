//! The Rollout: what the user asks for.

use kube_derive::CustomResource;
use macro_rules_attribute::apply;

use super::rollout_status::RolloutStatus;
use super::strategy::{BlueGreenStrategy, CanaryStrategy};
use super::wire::{is_default, null_as_default, wire};
use super::{LabelSelector, PodTemplate, Time};

/// What a Rollout should run, and how a new revision takes over.
#[apply(wire)]
#[derive(CustomResource)]
#[kube(
    group = "argoproj.io",
    version = "v1alpha1",
    kind = "Rollout",
    namespaced,
    status = "RolloutStatus",
    derive = "PartialEq",
    derive = "Default",
    crates(kube_core = "::kube_core"),
    schema = "disabled",
    doc = "A Rollout, as the API server stores it.",
    shortname = "ro",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.HPAReplicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn = r#"{"name": "Desired", "type": "integer", "jsonPath": ".spec.replicas", "description": "Number of desired pods"}"#,
    printcolumn = r#"{"name": "Current", "type": "integer", "jsonPath": ".status.replicas", "description": "Number of pods that exist"}"#,
    printcolumn = r#"{"name": "Up-to-date", "type": "integer", "jsonPath": ".status.updatedReplicas", "description": "Number of pods of the newest revision"}"#,
    printcolumn = r#"{"name": "Available", "type": "integer", "jsonPath": ".status.availableReplicas", "description": "Number of available pods"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": "Time since the Rollout was created"}"#
)]
pub struct RolloutSpec {
    /// Number of desired pods; 1 if not set.
    pub replicas: Option<i32>,
    /// Which pods belong to the Rollout; cannot be changed later.
    pub selector: Option<LabelSelector>,
    /// The pods to run; left out when `workloadRef` names their source.
    #[serde(default, skip_serializing_if = "PodTemplate::is_empty")]
    pub template: PodTemplate,
    /// A workload whose pod template is used in place of `template`.
    pub workload_ref: Option<WorkloadRef>,
    /// Seconds that a pod must be ready before it counts as available.
    pub min_ready_seconds: i32,
    /// Recent revisions to which a rollback skips steps, pauses and analysis.
    pub rollback_window: Option<RollbackWindow>,
    /// How a new revision takes over: exactly one of `blueGreen` and `canary`.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub strategy: RolloutStrategy,
    /// Number of old ReplicaSets to keep; 10 if not set.
    pub revision_history_limit: Option<i32>,
    /// Whether the user holds the Rollout where it is.
    pub paused: bool,
    /// Seconds without progress after which the Rollout counts as failed; 600 if not set.
    pub progress_deadline_seconds: Option<i32>,
    /// Whether passing the progress deadline aborts the update.
    pub progress_deadline_abort: bool,
    /// Pods created before this time are replaced, once it has come.
    pub restart_at: Option<Time>,
    /// How many finished AnalysisRuns and Experiments are kept.
    pub analysis: Option<RunHistoryLimits>,
}

/// How a new revision takes over; exactly one of the two must be set.
#[apply(wire)]
pub struct RolloutStrategy {
    /// Both revisions run side by side, and one Service is switched between them.
    pub blue_green: Option<BlueGreenStrategy>,
    /// The new revision gets a growing share of pods or traffic.
    pub canary: Option<CanaryStrategy>,
}

/// A workload whose pod template a Rollout runs.
#[apply(wire)]
pub struct WorkloadRef {
    /// API group and version of the workload, such as `apps/v1`.
    pub api_version: Option<String>,
    /// Kind of the workload: Deployment, ReplicaSet or PodTemplate.
    pub kind: Option<String>,
    /// Name of the workload, in the Rollout's namespace.
    pub name: Option<String>,
    /// When a referenced Deployment is scaled down: never (if not set), onsuccess or progressively.
    pub scale_down: Option<String>,
}

/// Recent revisions to which a rollback is fast.
#[apply(wire)]
pub struct RollbackWindow {
    /// Number of revisions in the window; 0 turns it off.
    pub revisions: i32,
}

/// How many finished AnalysisRuns and Experiments are kept.
#[apply(wire)]
pub struct RunHistoryLimits {
    /// Number of successful runs and experiments to keep; 5 if not set.
    pub successful_run_history_limit: Option<i32>,
    /// Number of failed, errored and inconclusive runs and experiments to keep; 5 if not set.
    pub unsuccessful_run_history_limit: Option<i32>,
}

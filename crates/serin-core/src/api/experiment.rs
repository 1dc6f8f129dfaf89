//! Experiments: ReplicaSets that run for a time, to be analysed.

use kube_derive::CustomResource;
use macro_rules_attribute::apply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::analysis::{AnalysisPhase, Argument, DryRun, MeasurementRetention};
use super::wire::{blank_as_none, is_default, null_as_default, wire};
use super::{LabelSelector, PodTemplate, RolloutCondition, TemplateMetadata, Time};

/// ReplicaSets that run for a time, and what is measured of them.
#[apply(wire)]
#[derive(CustomResource)]
#[kube(
    group = "argoproj.io",
    version = "v1alpha1",
    kind = "Experiment",
    namespaced,
    status = "ExperimentStatus",
    derive = "PartialEq",
    derive = "Default",
    crates(kube_core = "::kube_core"),
    schema = "disabled",
    doc = "An Experiment, as the API server stores it.",
    shortname = "exp",
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.phase", "description": "Outcome of the experiment"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": "Time since the experiment was created"}"#
)]
pub struct ExperimentSpec {
    /// What is run.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub templates: Vec<ExperimentTemplate>,
    /// How long it runs once it is available, as a duration; until its analyses end if not set.
    pub duration: Option<String>,
    /// Seconds without progress after which a template counts as failed; 600 if not set.
    pub progress_deadline_seconds: Option<i32>,
    /// What is measured.
    pub analyses: Vec<ExperimentAnalysis>,
    /// Seconds before finished templates are scaled to zero; 30 if not set.
    pub scale_down_delay_seconds: Option<i32>,
    /// Whether the experiment is to end now.
    pub terminate: bool,
    /// Metrics whose failure has no effect.
    pub dry_run: Vec<DryRun>,
    /// How many measurements of which metrics are kept.
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Labels and annotations of the AnalysisRuns.
    pub analysis_run_metadata: Option<TemplateMetadata>,
}

/// One ReplicaSet of an experiment.
#[apply(wire)]
pub struct ExperimentTemplate {
    /// Name of the template, unique within the experiment.
    pub name: String,
    /// Number of pods; 1 if not set.
    pub replicas: Option<i32>,
    /// Seconds that a pod must be ready before it counts as available.
    pub min_ready_seconds: i32,
    /// Which pods belong to the template.
    #[schemars(required)]
    pub selector: Option<LabelSelector>,
    /// The pods to run.
    pub template: PodTemplate,
    /// A Service for its pods.
    pub service: Option<TemplateService>,
}

/// A Service for the pods of a template.
#[apply(wire)]
#[derive(Eq)]
pub struct TemplateService {
    /// Name of the Service; that of the ReplicaSet if not set.
    pub name: Option<String>,
}

/// One analysis of an experiment.
#[apply(wire)]
pub struct ExperimentAnalysis {
    /// Name of the analysis, unique within the experiment.
    pub name: String,
    /// Name of the template.
    pub template_name: String,
    /// Whether it is a ClusterAnalysisTemplate.
    pub cluster_scope: bool,
    /// Arguments for the template.
    pub args: Vec<Argument>,
    /// Whether the experiment ends only after this analysis.
    pub required_for_completion: bool,
}

/// How far an experiment has come.
#[apply(wire)]
pub struct ExperimentStatus {
    /// Outcome of the experiment.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub phase: AnalysisPhase,
    /// Why it has its outcome.
    pub message: Option<String>,
    /// When all templates became available.
    pub available_at: Option<Time>,
    /// Typed facts about the experiment.
    pub conditions: Vec<RolloutCondition>,
    /// Analyses by name.
    pub analysis_runs: Vec<ExperimentAnalysisRunStatus>,
    /// Templates by name.
    pub template_statuses: Vec<TemplateStatus>,
}

/// How far one analysis of an experiment has come.
#[apply(wire)]
#[derive(Eq)]
pub struct ExperimentAnalysisRunStatus {
    /// Name of the analysis.
    #[serde_with(skip_apply)]
    pub name: String,
    /// Name of the AnalysisRun.
    #[serde_with(skip_apply)]
    pub analysis_run: String,
    /// Phase of the AnalysisRun.
    pub phase: AnalysisPhase,
    /// Message of the AnalysisRun.
    pub message: Option<String>,
}

/// How far one template of an experiment has come.
#[apply(wire)]
#[derive(Eq)]
pub struct TemplateStatus {
    /// Name of the template.
    #[serde_with(skip_apply)]
    pub name: String,
    /// Number of pods.
    #[serde_with(skip_apply)]
    pub replicas: i32,
    /// Number of pods of the template as it is now.
    #[serde_with(skip_apply)]
    pub updated_replicas: i32,
    /// Number of ready pods.
    #[serde_with(skip_apply)]
    pub ready_replicas: i32,
    /// Number of available pods.
    #[serde_with(skip_apply)]
    pub available_replicas: i32,
    /// How many pod hashes were found taken by another template.
    pub collision_count: Option<i32>,
    /// Outcome of the template.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub status: Option<TemplateStatusCode>,
    /// Why it has its outcome.
    pub message: Option<String>,
    /// When the outcome last changed.
    pub last_transition_time: Option<Time>,
    /// Name of the Service of its pods.
    pub service_name: Option<String>,
    /// Pod hash of its pods.
    pub pod_template_hash: Option<String>,
}

/// Outcome of a template, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum TemplateStatusCode {
    /// Ended well.
    Successful,
    /// Available.
    Running,
    /// On the way to being available.
    Progressing,
    /// Could not be run.
    Error,
    /// Was not available in time.
    Failed,
}

impl TemplateStatusCode {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_completed(self) -> bool {
        match self {
            Self::Successful | Self::Error | Self::Failed => true,
            Self::Running | Self::Progressing => false,
        }
    }
}

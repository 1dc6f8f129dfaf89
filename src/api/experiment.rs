//! Experiments: ReplicaSets that run for a time, to be analysed.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::analysis::{AnalysisPhase, Argument, DryRun, MeasurementRetention};
use super::wire::{blank_as_none, is_default, null_as_default};
use super::{LabelSelector, PodTemplate, RolloutCondition, TemplateMetadata, Time};

/// ReplicaSets that run for a time, and what is measured of them.
#[skip_serializing_none]
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "argoproj.io",
    version = "v1alpha1",
    kind = "Experiment",
    namespaced,
    status = "ExperimentStatus",
    derive = "PartialEq",
    derive = "Default",
    schema = "disabled",
    doc = "An Experiment, as the API server stores it.",
    shortname = "exp",
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.phase", "description": "Outcome of the experiment"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": "Time since the experiment was created"}"#
)]
pub struct ExperimentSpec {
    /// What is run.
    #[serde(default, deserialize_with = "null_as_default")]
    pub templates: Vec<ExperimentTemplate>,
    /// How long it runs once it is available, as a duration; until its analyses end if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub duration: Option<String>,
    /// Seconds without progress after which a template counts as failed; 600 if not set.
    pub progress_deadline_seconds: Option<i32>,
    /// What is measured.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub analyses: Vec<ExperimentAnalysis>,
    /// Seconds before finished templates are scaled to zero; 30 if not set.
    pub scale_down_delay_seconds: Option<i32>,
    /// Whether the experiment is to end now.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub terminate: bool,
    /// Metrics whose failure has no effect.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub dry_run: Vec<DryRun>,
    /// How many measurements of which metrics are kept.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Labels and annotations of the AnalysisRuns.
    pub analysis_run_metadata: Option<TemplateMetadata>,
}

/// One ReplicaSet of an experiment.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExperimentTemplate {
    /// Name of the template, unique within the experiment.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Number of pods; 1 if not set.
    pub replicas: Option<i32>,
    /// Seconds that a pod must be ready before it counts as available.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
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
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateService {
    /// Name of the Service; that of the ReplicaSet if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub name: Option<String>,
}

/// One analysis of an experiment.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExperimentAnalysis {
    /// Name of the analysis, unique within the experiment.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Name of the template.
    #[serde(default, deserialize_with = "null_as_default")]
    pub template_name: String,
    /// Whether it is a ClusterAnalysisTemplate.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub cluster_scope: bool,
    /// Arguments for the template.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub args: Vec<Argument>,
    /// Whether the experiment ends only after this analysis.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub required_for_completion: bool,
}

/// How far an experiment has come.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExperimentStatus {
    /// Outcome of the experiment.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub phase: AnalysisPhase,
    /// Why it has its outcome.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub message: Option<String>,
    /// When all templates became available.
    pub available_at: Option<Time>,
    /// Typed facts about the experiment.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub conditions: Vec<RolloutCondition>,
    /// Analyses by name.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub analysis_runs: Vec<ExperimentAnalysisRunStatus>,
    /// Templates by name.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub template_statuses: Vec<TemplateStatus>,
}

/// How far one analysis of an experiment has come.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExperimentAnalysisRunStatus {
    /// Name of the analysis.
    pub name: String,
    /// Name of the AnalysisRun.
    pub analysis_run: String,
    /// Phase of the AnalysisRun.
    pub phase: AnalysisPhase,
    /// Message of the AnalysisRun.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub message: Option<String>,
}

/// How far one template of an experiment has come.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TemplateStatus {
    /// Name of the template.
    pub name: String,
    /// Number of pods.
    pub replicas: i32,
    /// Number of pods of the template as it is now.
    pub updated_replicas: i32,
    /// Number of ready pods.
    pub ready_replicas: i32,
    /// Number of available pods.
    pub available_replicas: i32,
    /// How many pod hashes were found taken by another template.
    pub collision_count: Option<i32>,
    /// Outcome of the template.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub status: Option<TemplateStatusCode>,
    /// Why it has its outcome.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub message: Option<String>,
    /// When the outcome last changed.
    pub last_transition_time: Option<Time>,
    /// Name of the Service of its pods.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub service_name: Option<String>,
    /// Pod hash of its pods.
    #[serde(default, deserialize_with = "blank_as_none")]
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

//! AnalysisTemplates and AnalysisRuns, and how a Rollout refers to them.

use std::collections::BTreeMap;

use kube_derive::CustomResource;
use macro_rules_attribute::apply;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::Metric;
use super::wire::{null_as_default, wire};
use super::{TemplateMetadata, Time};

/// Metrics to be measured, for use in any number of runs.
#[apply(wire)]
#[derive(CustomResource)]
#[kube(
    group = "argoproj.io",
    version = "v1alpha1",
    kind = "AnalysisTemplate",
    namespaced,
    derive = "PartialEq",
    derive = "Default",
    crates(kube_core = "::kube_core"),
    schema = "disabled",
    doc = "An AnalysisTemplate, as the API server stores it.",
    shortname = "at",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": "Time since the template was created"}"#
)]
pub struct AnalysisTemplateSpec {
    /// What is measured.
    pub metrics: Vec<Metric>,
    /// Arguments that the metrics use, and their defaults.
    pub args: Vec<Argument>,
    /// Metrics whose failure has no effect.
    pub dry_run: Vec<DryRun>,
    /// How many measurements of which metrics are kept.
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Other templates whose metrics are measured as well.
    pub templates: Vec<TemplateRef>,
}

/// An [`AnalysisTemplate`] for all namespaces.
#[derive(CustomResource, Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[kube(
    group = "argoproj.io",
    version = "v1alpha1",
    kind = "ClusterAnalysisTemplate",
    derive = "PartialEq",
    derive = "Default",
    crates(kube_core = "::kube_core"),
    schema = "disabled",
    doc = "A ClusterAnalysisTemplate, as the API server stores it.",
    shortname = "cat",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": "Time since the template was created"}"#
)]
pub struct ClusterAnalysisTemplateSpec(pub AnalysisTemplateSpec);

/// One evaluation of metrics.
#[apply(wire)]
#[derive(CustomResource)]
#[kube(
    group = "argoproj.io",
    version = "v1alpha1",
    kind = "AnalysisRun",
    namespaced,
    status = "AnalysisRunStatus",
    derive = "PartialEq",
    derive = "Default",
    crates(kube_core = "::kube_core"),
    schema = "disabled",
    doc = "An AnalysisRun, as the API server stores it.",
    shortname = "ar",
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.phase", "description": "Outcome of the run"}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "description": "Time since the run was created"}"#
)]
pub struct AnalysisRunSpec {
    /// What is measured.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub metrics: Vec<Metric>,
    /// Arguments that the metrics use.
    pub args: Vec<Argument>,
    /// Metrics whose failure has no effect.
    pub dry_run: Vec<DryRun>,
    /// How many measurements of which metrics are kept.
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Whether the run is to end now.
    pub terminate: bool,
    /// When the finished run is deleted; never if not set.
    pub ttl_strategy: Option<TtlStrategy>,
}

/// When a finished run is deleted.
#[apply(wire)]
#[derive(Eq)]
pub struct TtlStrategy {
    /// Seconds after its end, whatever the outcome.
    pub seconds_after_completion: Option<i32>,
    /// Seconds after a failure.
    pub seconds_after_failure: Option<i32>,
    /// Seconds after a success.
    pub seconds_after_success: Option<i32>,
}

/// An argument of a template or run, for use as `{{args.name}}`.
#[apply(wire)]
#[derive(Eq)]
pub struct Argument {
    /// Name of the argument.
    pub name: String,
    /// Its value; must be given by the user of the template if not set here.
    #[serde_with(skip_apply)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where its value comes from.
    pub value_from: Option<ValueFrom>,
}

/// Where the value of an argument comes from.
#[apply(wire)]
#[derive(Eq)]
pub struct ValueFrom {
    /// A key of a Secret in the namespace of the run.
    pub secret_key_ref: Option<SecretKeyRef>,
    /// A field of the Rollout.
    pub field_ref: Option<FieldRef>,
}

/// A key of a Secret.
#[apply(wire)]
#[derive(Eq)]
pub struct SecretKeyRef {
    /// Name of the Secret.
    pub name: String,
    /// Key in the Secret.
    pub key: String,
}

/// A field of an object.
#[apply(wire)]
#[derive(Eq)]
pub struct FieldRef {
    /// Path of the field, such as `metadata.labels['app']`.
    pub field_path: String,
}

/// Metrics whose failure has no effect.
#[apply(wire)]
#[derive(Eq)]
pub struct DryRun {
    /// Regular expression for the names of the metrics.
    pub metric_name: String,
}

/// How many measurements are kept.
#[apply(wire)]
#[derive(Eq)]
pub struct MeasurementRetention {
    /// Regular expression for the names of the metrics.
    pub metric_name: String,
    /// Number of measurements to keep.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub limit: i32,
}

/// A template by its name.
#[apply(wire)]
#[derive(Eq)]
pub struct TemplateRef {
    /// Name of the template.
    pub template_name: Option<String>,
    /// Whether it is a ClusterAnalysisTemplate.
    pub cluster_scope: Option<bool>,
}

/// An analysis that a Rollout runs; with no templates it counts as absent.
#[apply(wire)]
pub struct RolloutAnalysis {
    /// Templates whose metrics are measured.
    pub templates: Vec<TemplateRef>,
    /// Arguments for the templates.
    pub args: Vec<RolloutArgument>,
    /// Metrics whose failure has no effect.
    pub dry_run: Vec<DryRun>,
    /// How many measurements of which metrics are kept.
    pub measurement_retention: Vec<MeasurementRetention>,
    /// Labels and annotations of the AnalysisRun.
    pub analysis_run_metadata: Option<TemplateMetadata>,
}

/// An argument that a Rollout gives to its templates.
#[apply(wire)]
#[derive(Eq)]
pub struct RolloutArgument {
    /// Name of the argument.
    pub name: String,
    /// Its value.
    pub value: Option<String>,
    /// Where its value comes from.
    pub value_from: Option<RolloutValueFrom>,
}

/// Where the value of a Rollout's argument comes from.
#[apply(wire)]
#[derive(Eq)]
pub struct RolloutValueFrom {
    /// The pod hash of a revision: `Latest` or `Stable`.
    pub pod_template_hash_value: Option<String>,
    /// A field of the Rollout.
    pub field_ref: Option<FieldRef>,
}

/// How far a run, a metric, a measurement or an experiment has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum AnalysisPhase {
    /// Nothing is known yet.
    #[default]
    #[serde(rename = "")]
    Unknown,
    /// Not started.
    Pending,
    /// Started, not ended.
    Running,
    /// Ended well.
    Successful,
    /// Ended badly.
    Failed,
    /// Could not be measured.
    Error,
    /// Neither good nor bad; a user must judge.
    Inconclusive,
}

impl AnalysisPhase {
    /// Whether nothing more will happen.
    #[must_use]
    pub fn is_completed(self) -> bool {
        match self {
            Self::Successful | Self::Failed | Self::Error | Self::Inconclusive => true,
            Self::Unknown | Self::Pending | Self::Running => false,
        }
    }
}

/// What an AnalysisRun has found.
#[apply(wire)]
pub struct AnalysisRunStatus {
    /// Outcome of the run.
    #[serde(default, deserialize_with = "null_as_default")]
    pub phase: AnalysisPhase,
    /// Why the run has its outcome.
    pub message: Option<String>,
    /// When the run was first assessed.
    pub started_at: Option<Time>,
    /// When the run ended.
    pub completed_at: Option<Time>,
    /// Results by metric, in the order of the first measurements.
    pub metric_results: Vec<MetricResult>,
    /// How many metrics came out how, dry runs aside.
    #[serde(default, deserialize_with = "null_as_default")]
    pub run_summary: RunSummary,
    /// How many metrics came out how, dry runs only.
    pub dry_run_summary: Option<RunSummary>,
}

/// How many metrics came out how.
#[apply(wire)]
#[derive(Eq)]
pub struct RunSummary {
    /// Number of metrics.
    pub count: i32,
    /// Number of successful metrics.
    pub successful: i32,
    /// Number of failed metrics.
    pub failed: i32,
    /// Number of inconclusive metrics.
    pub inconclusive: i32,
    /// Number of metrics that could not be measured.
    pub error: i32,
}

/// What was measured of one metric.
#[apply(wire)]
pub struct MetricResult {
    /// Name of the metric.
    #[serde_with(skip_apply)]
    pub name: String,
    /// Outcome so far.
    #[serde(default, deserialize_with = "null_as_default")]
    pub phase: AnalysisPhase,
    /// The latest measurements.
    pub measurements: Vec<Measurement>,
    /// Why the metric has its outcome.
    pub message: Option<String>,
    /// Number of measurements, errors aside.
    pub count: i32,
    /// Number of successful measurements.
    pub successful: i32,
    /// Number of failed measurements.
    pub failed: i32,
    /// Number of inconclusive measurements.
    pub inconclusive: i32,
    /// Number of errors.
    pub error: i32,
    /// Number of errors since the last measurement that was none.
    pub consecutive_error: i32,
    /// Number of successful measurements since the last one that was not.
    pub consecutive_success: i32,
    /// Whether the outcome has no effect.
    pub dry_run: bool,
    /// Facts that the provider adds.
    pub metadata: BTreeMap<String, String>,
}

/// One measurement.
#[apply(wire)]
pub struct Measurement {
    /// Outcome.
    #[serde(default, deserialize_with = "null_as_default")]
    pub phase: AnalysisPhase,
    /// Why it has its outcome.
    pub message: Option<String>,
    /// When it was begun.
    pub started_at: Option<Time>,
    /// When it was done.
    pub finished_at: Option<Time>,
    /// What was measured, as text.
    pub value: Option<String>,
    /// Facts that the provider adds.
    pub metadata: BTreeMap<String, String>,
    /// When to look again.
    pub resume_at: Option<Time>,
}

//! The custom resources of the group `argoproj.io/v1alpha1`: their Rust types, their names on the wire, and their
//! definitions (CRDs).
//!
//! What holds for every type here:
//!
//! - An optional field accepts an explicit `null`, and a list or map accepts `null` as empty.
//! - A number, word or list that the definitions require is read as blank when it is missing, so that validation can
//!   say what is wrong. It is always written.
//! - Where a blank string means "not set" to the reference, it reads as `None`.
//! - Pod templates ([`PodTemplate`]) and job specs ([`JobSpec`]) stay JSON: a field that is newer than this program
//!   must pass through it unharmed.
//! - Words that users write (reasons to scale down, aggregators, ...) are strings, so that a wrong one can be
//!   reported instead of making the object unreadable. Words that only controllers write are enums.
#![deny(missing_docs)]
#![allow(
    clippy::doc_markdown,
    reason = "users read these comments in `kubectl explain`, where backticks are noise"
)]

pub mod analysis;
pub mod condition;
pub mod decode;
pub mod experiment;
pub mod keys;
pub mod metric;
pub mod pod_template;
pub mod rollout;
pub mod rollout_status;
pub mod routing;
pub mod schema;
mod schema_template;
pub mod strategy;
mod wire;

pub use analysis::{
    AnalysisPhase, AnalysisRun, AnalysisRunSpec, AnalysisRunStatus, AnalysisTemplate, AnalysisTemplateSpec,
    ClusterAnalysisTemplate,
};
pub use condition::{ConditionStatus, RolloutCondition};
pub use decode::{DecodeError, decode};
pub use experiment::{Experiment, ExperimentSpec, ExperimentStatus};
pub use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, Time};
pub use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
pub use metric::{Metric, MetricProvider};
pub use pod_template::{JobSpec, PodTemplate, TemplateMetadata};
pub use rollout::{Rollout, RolloutSpec, RolloutStrategy};
pub use rollout_status::{PauseCondition, PauseReason, RolloutPhase, RolloutStatus};
pub use routing::TrafficRouting;
pub use strategy::{BlueGreenStrategy, CanaryStep, CanaryStrategy, StepKind};

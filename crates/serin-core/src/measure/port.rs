//! What providers are given and what they give.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::notation;
use crate::api::analysis::{AnalysisPhase, Measurement};

/// What surrounds a measurement.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// When the measurement began.
    pub at: Timestamp,
    /// The namespace of the run.
    pub namespace: &'a str,
    /// When the run was first assessed, if it was.
    pub run_started: Option<Timestamp>,
    /// The measurement as it was left to be looked at again, for providers that need several looks.
    pub begun: Option<&'a Measurement>,
    /// What the controller was started with.
    pub settings: &'a Settings,
    /// What evaluates expressions of times.
    pub time_of: TimeOf,
}

/// Evaluates an expression of a time, such as `now() - duration("1h")`, at a time. An error says what is wrong with it.
pub type TimeOf = fn(&str, Timestamp) -> Result<Timestamp, String>;

/// What the controller was started with that providers use.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The namespace of the controller, where Secrets of providers without a namespace are.
    pub namespace: String,
    /// The Prometheus server of metrics that name none (`ARGO_ROLLOUTS_PROMETHEUS_ADDRESS`).
    pub prometheus_address: Option<String>,
    /// The namespace of Jobs that measure, if that is not the one of their run (`ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE`).
    pub job_namespace: Option<String>,
    /// The account of metrics that name no Secret (`DD_API_KEY`, `DD_APP_KEY`, `DD_ADDRESS`).
    pub datadog: Option<DatadogAccount>,
}

impl std::fmt::Debug for Settings {
    /// Keys are not shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

/// An account of Datadog.
#[derive(Clone, PartialEq, Eq)]
pub struct DatadogAccount {
    /// The server.
    pub address: String,
    /// The API key.
    pub api_key: String,
    /// The application key.
    pub app_key: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// A result, which the conditions of the metric are about.
    Result(Reading),
    /// The provider has judged by itself.
    Verdict {
        /// Successful, Failed or Inconclusive.
        phase: AnalysisPhase,
        /// Why.
        message: Option<String>,
        /// `value` of the measurement.
        value: String,
    },
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// What conditions see as `result`.
    pub result: Datum,
    /// `value` of the measurement.
    pub value: String,
    /// `metadata` of the measurement.
    pub metadata: BTreeMap<String, String>,
}

impl Reading {
    /// A result without metadata.
    #[must_use]
    pub fn new(result: Datum, value: impl Into<String>) -> Self {
        Self { result, value: value.into(), metadata: BTreeMap::new() }
    }

    /// JSON as it was found, and as text.
    pub(super) fn json(value: Value) -> Self {
        let text = notation::json(&value);
        Self::new(if value.is_null() { Datum::Nil } else { Datum::Json(value) }, text)
    }
}

/// A result, with the type by which conditions are checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    /// Nothing.
    Nil,
    /// A number.
    Float(f64),
    /// Numbers.
    Floats(Vec<f64>),
    /// Text.
    Text(String),
    /// JSON; its numbers are floats.
    Json(Value),
}

/// Why there is no finding.
#[derive(Debug, Clone, PartialEq)]
pub enum Unfinished {
    /// Some effects have no answer yet.
    Waiting,
    /// The server wants more time: look again then.
    Later {
        /// When.
        at: Timestamp,
        /// `metadata` of the measurement, by which the next look finds what was begun.
        metadata: BTreeMap<String, String>,
    },
    /// It cannot be measured; why.
    Failed(String),
}

/// A measurement that cannot be made.
pub fn failed(message: impl Into<String>) -> Unfinished {
    Unfinished::Failed(message.into())
}

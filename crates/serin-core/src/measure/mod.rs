//! From a metric to a measurement: what to ask which server, and what its answer says.
//!
//! A provider is one module with one function, `measure`, of the metric, the [`Scene`] and an [`Inquiry`]. It has neither I/O
//! nor a clock: what it asks becomes effects of the plan, and it is called again with each answer.

mod address;
mod body;
mod cloud_watch;
mod datadog;
mod graphite;
mod graphql;
mod influxdb;
mod inquiry;
mod kayenta;
mod login;
mod new_relic;
mod notation;
mod prometheus;
mod skywalking;
mod span;
mod wavefront;
mod web;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::api::analysis::{AnalysisPhase, Measurement};
use crate::api::metric::Metric;
use body::cut;

pub use inquiry::{Inquiry, Response};

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
    fn json(value: Value) -> Self {
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

/// The most bytes of `value`, of an entry of `metadata`, and of a message. A status must fit into an object.
const LONGEST: usize = 32 << 10;

/// Measures once.
///
/// Neither the finding nor an error shows what a metric logs in with, and both are cut to a length that fits into a status.
///
/// # Errors
/// There is no finding yet, or there will be none.
pub fn measure(metric: &Metric, scene: &Scene<'_>, inquiry: &mut Inquiry<'_>) -> Result<Finding, Unfinished> {
    let outcome = ask(metric, scene, inquiry);
    let shown = |text: &str| cut(&inquiry.without_secrets(text), LONGEST);
    let all = |metadata: BTreeMap<String, String>| {
        metadata.into_iter().map(|(name, text)| (name, shown(&text))).collect()
    };
    match outcome {
        Ok(Finding::Result(Reading { result, value, metadata })) => {
            Ok(Finding::Result(Reading { result, value: shown(&value), metadata: all(metadata) }))
        }
        Ok(Finding::Verdict { phase, message, value }) => {
            Ok(Finding::Verdict { phase, message: message.map(|text| shown(&text)), value: shown(&value) })
        }
        Err(Unfinished::Failed(message)) => Err(Unfinished::Failed(shown(&message))),
        Err(unfinished @ (Unfinished::Waiting | Unfinished::Later { .. })) => Err(unfinished),
    }
}

/// Asks the first provider that is set, in the order of the reference. A run with several is refused before.
fn ask(metric: &Metric, scene: &Scene<'_>, inquiry: &mut Inquiry<'_>) -> Result<Finding, Unfinished> {
    let provider = &metric.provider;
    if let Some(prometheus) = &provider.prometheus {
        prometheus::measure(prometheus, scene, inquiry)
    } else if let Some(kayenta) = &provider.kayenta {
        kayenta::measure(kayenta, metric, scene, inquiry)
    } else if let Some(web) = &provider.web {
        web::measure(web, inquiry)
    } else if let Some(datadog) = &provider.datadog {
        datadog::measure(datadog, scene, inquiry)
    } else if let Some(wavefront) = &provider.wavefront {
        wavefront::measure(wavefront, scene, inquiry)
    } else if let Some(new_relic) = &provider.new_relic {
        new_relic::measure(new_relic, scene, inquiry)
    } else if let Some(cloud_watch) = &provider.cloud_watch {
        cloud_watch::measure(cloud_watch, scene, inquiry)
    } else if let Some(graphite) = &provider.graphite {
        graphite::measure(graphite, inquiry)
    } else if let Some(influxdb) = &provider.influxdb {
        influxdb::measure(influxdb, scene, inquiry)
    } else if let Some(skywalking) = &provider.skywalking {
        skywalking::measure(skywalking, scene, inquiry)
    } else {
        Err(failed("no provider specified"))
    }
}

/// `metadata` of the results of a metric.
#[must_use]
pub fn metadata(metric: &Metric) -> BTreeMap<String, String> {
    let provider = &metric.provider;
    let prometheus = provider.prometheus.as_ref().and_then(|prometheus| prometheus.query.clone());
    let new_relic = provider.new_relic.as_ref().map(|new_relic| new_relic.query.clone());
    let queries = [("ResolvedPrometheusQuery", prometheus), ("ResolvedNewRelicQuery", new_relic)];
    let set = queries
        .into_iter()
        .filter_map(|(name, query)| Some((name, query.filter(|query| !query.is_empty())?)));
    set.map(|(name, query)| (name.to_owned(), query)).collect()
}

//! One measurement: from its arguments to its verdict.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::arguments::{Arguments, Unresolved};
use super::job::{JobOf, JobStep};
use super::made::error;
use super::run::Run;
use super::verdict::{judge, time_of};
use crate::api::Time;
use crate::api::analysis::{AnalysisPhase, AnalysisRunSpec, Measurement, MetricResult};
use crate::api::metric::Metric;
use crate::domain::effect::Effect;
use crate::domain::plan::Op;
use crate::measure::{self, Finding, Inquiry, Scene, Settings, Unfinished};

/// How far a measurement has come.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    /// It waits for these effects since that time.
    Waiting {
        /// What it asks for.
        effects: Vec<Effect>,
        /// Since when.
        since: Timestamp,
        /// When to look again if nothing happens.
        next: Option<Timestamp>,
    },
    /// A Job is to be made.
    Create(Box<Op>),
    /// It is over, or is to be looked at again.
    Made {
        /// The measurement.
        measurement: Measurement,
        /// `metadata` of the results of the metric.
        metadata: BTreeMap<String, String>,
    },
    /// The arguments of the metric cannot be resolved, which ends the run.
    Unresolvable(String),
}

/// The next step of a measurement of `metric`; `begun` is the measurement if it was begun before.
#[must_use]
pub(super) fn step(
    run: &Run,
    spec: &AnalysisRunSpec,
    metric: &Metric,
    begun: Option<&Measurement>,
    settings: &Settings,
    now: Timestamp,
) -> Step {
    let result = run.status.metric_results.iter().find(|result| result.name == metric.name);
    let mut inquiry = Inquiry::new(format!("{}/{}", metric.name, number(result)), &run.effects);
    let at = inquiry.begun().unwrap_or(now);
    let arguments = match Arguments::resolve(&spec.args, metric, &run.namespace, &mut inquiry) {
        Ok(arguments) => arguments,
        Err(Unresolved::Waiting) => return waiting(inquiry, at),
        Err(Unresolved::Missing(problem)) => return Step::Unresolvable(problem),
        Err(Unresolved::Unreadable(problem)) => {
            return Step::Made { measurement: error(at, now, problem), metadata: BTreeMap::new() };
        }
    };
    let metric = match arguments.fill_in(metric) {
        Ok(metric) => metric,
        Err(problem) => return Step::Unresolvable(problem),
    };
    if let Some(spec) = &metric.provider.job {
        let job = JobOf { run, metric: &metric.name, spec, namespace: settings.job_namespace.as_deref() };
        return match job.step(number(result), begun, now) {
            JobStep::Create(op) => Step::Create(op),
            JobStep::Waiting { effects, next } => Step::Waiting { effects, since: at, next: Some(next) },
            JobStep::Made(measurement) => redacted(measurement, BTreeMap::new(), &arguments),
        };
    }
    let scene = Scene {
        at,
        namespace: &run.namespace,
        run_started: run.status.started_at.as_ref().map(|time| time.0),
        begun,
        settings,
        time_of,
    };
    let mut made = match measure::measure(&metric, &scene, &mut inquiry) {
        Ok(finding) => finished(&metric, finding, at, now),
        Err(Unfinished::Waiting) => return waiting(inquiry, at),
        Err(Unfinished::Later { at: resume, metadata }) => Measurement {
            phase: AnalysisPhase::Running,
            started_at: Some(Time(at)),
            resume_at: Some(Time(resume)),
            metadata,
            ..Measurement::default()
        },
        Err(Unfinished::Failed(problem)) => error(at, now, problem),
    };
    if let Some(begun) = begun {
        made.started_at.clone_from(&begun.started_at);
    }
    redacted(made, measure::metadata(&metric), &arguments)
}

fn waiting(inquiry: Inquiry<'_>, since: Timestamp) -> Step {
    Step::Waiting { effects: inquiry.into_effects(), since, next: None }
}

/// The number of the measurement that is next, which no other of its metric has had.
pub(super) fn number(result: Option<&MetricResult>) -> i64 {
    result.map_or(1, |result| i64::from(result.count) + i64::from(result.error) + 1)
}

fn finished(metric: &Metric, finding: Finding, at: Timestamp, now: Timestamp) -> Measurement {
    let made =
        Measurement { started_at: Some(Time(at)), finished_at: Some(Time(now)), ..Measurement::default() };
    match finding {
        Finding::Verdict { phase, message, value } => {
            Measurement { phase, message, value: Some(value).filter(|value| !value.is_empty()), ..made }
        }
        Finding::Result(reading) => {
            let (phase, message) = match judge(metric, &reading.result, now) {
                Ok(phase) => (phase, None),
                Err(problem) => (AnalysisPhase::Error, Some(problem)),
            };
            let value = Some(reading.value).filter(|value| !value.is_empty());
            Measurement { phase, message, value, metadata: reading.metadata, ..made }
        }
    }
}

/// No value of a Secret is for people to read.
fn redacted(
    mut measurement: Measurement,
    mut metadata: BTreeMap<String, String>,
    arguments: &Arguments,
) -> Step {
    let texts = [&mut measurement.message, &mut measurement.value].into_iter().flatten();
    let texts = texts.chain(measurement.metadata.values_mut()).chain(metadata.values_mut());
    for text in texts {
        *text = arguments.redact(text);
    }
    Step::Made { measurement, metadata }
}

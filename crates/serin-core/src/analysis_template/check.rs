//! Checks of the templates that a Rollout names.

use thiserror::Error;

use super::arguments::{Unresolved, merge_arguments};
use super::collect::{Collected, TemplateError};
use super::flatten::{Conflict, flatten};
use super::name::TemplateName;
use super::place::Place;
use super::validate::{runs_indefinitely, validate_metrics};
use crate::api::analysis::{Argument, RolloutAnalysis};
use crate::api::metric::Metric;
use crate::api::{AnalysisTemplateSpec, IntOrString};

/// A problem of an analysis with the field, its value, and the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnalysisFinding {
    /// Path of the field, such as `spec.strategy.canary.analysis.templates`.
    pub path: String,
    /// The part of its value that is wrong: the name of a template, or `templateNames: [a b]` for all of them.
    pub value: String,
    /// The reason.
    pub problem: AnalysisProblem,
}

/// The reason why a Rollout cannot use an analysis. The texts contain those of the reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnalysisProblem {
    /// A template cannot be used.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Templates contradict each other.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// An argument of a step or promotion has no value.
    #[error(transparent)]
    Unresolved(#[from] Unresolved),
    /// An argument of the background analysis has no value.
    #[error("missing analysis arguments in rollout spec: {0}")]
    MissingArgument(Unresolved),
    /// No template has a metric.
    #[error("no metrics specified")]
    NoMetrics,
    /// Metrics of a template are invalid.
    #[error("{} {}: {problem}", .template.kind(), .template.name)]
    Metrics {
        /// Which template.
        template: TemplateName,
        /// The first problem of its metrics.
        problem: String,
    },
    /// A metric has no end, but the update waits for it.
    #[error(
        "{} {} has metric {metric} which runs indefinitely. Invalid value for count: {count}",
        .template.kind(), .template.name
    )]
    Endless {
        /// Which template.
        template: TemplateName,
        /// Name of the metric.
        metric: String,
        /// Its `count`; `<nil>` if it is not set.
        count: String,
    },
}

/// Checks an analysis of a Rollout. `collected` are its templates.
///
/// Metrics of the background analysis are not judged, as in the reference. Sources of arguments are not resolved: the
/// fields that they name may not exist yet.
#[must_use]
pub fn check(place: Place, analysis: &RolloutAnalysis, collected: &Collected<'_>) -> Vec<AnalysisFinding> {
    let found = |value: String, problem| AnalysisFinding {
        path: format!("{}.templates", place.path()),
        value,
        problem,
    };
    if !collected.errors.is_empty() {
        let errors = collected.errors.iter().cloned();
        return errors.map(|error| found(subject(&error, collected), error.into())).collect();
    }
    let all = all_names(collected);
    let template = match flatten(collected) {
        Ok(template) => template,
        Err(conflict) => return vec![found(all, conflict.into())],
    };
    if let Err(unresolved) = merge_arguments(&template.args, &placeholders(analysis)) {
        let problem = if place.must_end() {
            AnalysisProblem::Unresolved(unresolved)
        } else {
            AnalysisProblem::MissingArgument(unresolved)
        };
        return vec![found(all, problem)];
    }
    if !place.must_end() {
        return Vec::new();
    }
    if template.metrics.is_empty() {
        return vec![found(all, AnalysisProblem::NoMetrics)];
    }
    let problems = collected.templates().flat_map(|(name, spec)| {
        problems_of(name, spec).into_iter().map(|problem| (name.name.clone(), problem))
    });
    problems.map(|(name, problem)| found(name, problem)).collect()
}

/// The argument of a Rollout always has a value when the AnalysisRun is created.
fn placeholders(analysis: &RolloutAnalysis) -> Vec<Argument> {
    let given = analysis.args.iter();
    given
        .map(|argument| Argument {
            name: argument.name.clone(),
            value: Some(String::new()),
            value_from: None,
        })
        .collect()
}

fn problems_of(name: &TemplateName, spec: &AnalysisTemplateSpec) -> Vec<AnalysisProblem> {
    if let Err(problem) = validate_metrics(&spec.metrics) {
        return vec![AnalysisProblem::Metrics { template: name.clone(), problem }];
    }
    let endless = spec.metrics.iter().filter(|metric| runs_indefinitely(metric));
    endless
        .map(|metric| AnalysisProblem::Endless {
            template: name.clone(),
            metric: metric.name.clone(),
            count: count(metric),
        })
        .collect()
}

fn count(metric: &Metric) -> String {
    match &metric.count {
        None => "<nil>".to_owned(),
        Some(IntOrString::Int(count)) => count.to_string(),
        Some(IntOrString::String(count)) => count.clone(),
    }
}

fn subject(error: &TemplateError, collected: &Collected<'_>) -> String {
    match error {
        TemplateError::Missing(name) | TemplateError::Unreadable { name, .. } => name.name.clone(),
        TemplateError::Cycle(_) | TemplateError::TooMany => all_names(collected),
    }
}

fn all_names(collected: &Collected<'_>) -> String {
    let names: Vec<&str> = collected.templates().map(|(name, _)| name.name.as_str()).collect();
    format!("templateNames: [{}]", names.join(" "))
}

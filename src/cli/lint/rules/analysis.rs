//! Rules about analyses whose templates are known.

use serde_json::json;

use super::subject::{BLUE_GREEN, CANARY, Subject, step_path};
use crate::cli::lint::finding::Remark;
use crate::cli::lint::rule::{Rule, Severity};
use serin_core::api::analysis::{AnalysisTemplateSpec, RolloutArgument, TemplateRef};
use serin_core::api::{CanaryStep, IntOrString, Metric, StepKind};
use serin_values::duration::{go_duration, pause_seconds};

/// Maximum depth of templates that reference each other.
const DEPTH_MAX: usize = 8;

/// An analysis in a Rollout.
pub(in crate::cli::lint) struct Run<'s> {
    /// Path of the analysis.
    pub(in crate::cli::lint) path: String,
    pub(in crate::cli::lint) templates: &'s [TemplateRef],
    args: &'s [RolloutArgument],
    /// True if the Rollout waits for its end.
    is_awaited: bool,
}

/// Every analysis of a Rollout, except those of Experiments.
pub(in crate::cli::lint) fn runs<'s>(subject: &Subject<'s>) -> Vec<Run<'s>> {
    let strategy = &subject.rollout.spec.strategy;
    let mut all = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        for (field, analysis) in [
            ("prePromotionAnalysis", &blue_green.pre_promotion_analysis),
            ("postPromotionAnalysis", &blue_green.post_promotion_analysis),
        ] {
            all.extend(analysis.iter().map(|analysis| Run {
                path: format!("{BLUE_GREEN}.{field}"),
                templates: &analysis.templates,
                args: &analysis.args,
                is_awaited: true,
            }));
        }
    }
    let Some(canary) = &strategy.canary else { return all };
    all.extend(canary.analysis.iter().map(|analysis| Run {
        path: format!("{CANARY}.analysis"),
        templates: &analysis.templates,
        args: &analysis.args,
        is_awaited: false,
    }));
    let steps = canary.steps.iter().enumerate();
    all.extend(steps.filter_map(|(index, step)| Some((index, step.analysis.as_ref()?))).map(
        |(index, analysis)| {
            let path = format!("{}.analysis", step_path(index));
            Run { path, templates: &analysis.templates, args: &analysis.args, is_awaited: true }
        },
    ));
    all
}

pub(super) static ENDLESS_ANALYSIS: Rule = Rule {
    id: "endless-analysis",
    severity: Severity::Error,
    summary: "a step, pre- or post-promotion analysis with a metric that has an interval and no count",
    why: "It never ends, so the Rollout would wait forever; the controller refuses it.",
};

pub(super) fn endless(subject: &Subject<'_>) -> Vec<Remark> {
    each_template(subject, |run, template| {
        if !run.is_awaited {
            return Vec::new();
        }
        let metrics = template.metrics.iter().filter(|metric| measurements(metric).is_none());
        metrics
            .map(|metric| {
                format!("the metric {:?} has an interval and no count, so it never ends", metric.name)
            })
            .map(|problem| (problem, "give it a count".to_owned()))
            .collect()
    })
}

pub(super) static MISSING_ARGUMENT: Rule = Rule {
    id: "missing-argument",
    severity: Severity::Error,
    summary: "an analysis without an argument that its template requires",
    why: "The AnalysisRun cannot be created, and the Rollout does not continue.",
};

pub(super) fn missing_argument(subject: &Subject<'_>) -> Vec<Remark> {
    each_template(subject, |run, template| {
        let needed = template.args.iter().filter(|arg| arg.value.is_none() && arg.value_from.is_none());
        needed
            .filter(|needed| run.args.iter().all(|given| given.name != needed.name))
            .map(|needed| format!("the argument {:?} has no value", needed.name))
            .map(|problem| (problem, format!("set it in {}.args", run.path)))
            .collect()
    })
}

/// Applies `remark` to the known templates of each analysis.
fn each_template(
    subject: &Subject<'_>,
    look: impl Fn(&Run<'_>, &AnalysisTemplateSpec) -> Vec<(String, String)>,
) -> Vec<Remark> {
    let mut all = Vec::new();
    for run in runs(subject) {
        for (index, reference) in run.templates.iter().enumerate() {
            let mut known = Vec::new();
            collect(subject, reference, DEPTH_MAX, &mut known);
            let said = known.into_iter().flat_map(|template| look(&run, template));
            let name = reference.template_name.as_deref().unwrap_or_default();
            all.extend(said.map(|(problem, remedy)| {
                Remark::new(format!("{}.templates[{index}].templateName", run.path), name, problem, remedy)
            }));
        }
    }
    all
}

/// The named template and the templates that it references, as far as they are known.
fn collect<'s>(
    subject: &Subject<'s>,
    reference: &TemplateRef,
    depth: usize,
    found: &mut Vec<&'s AnalysisTemplateSpec>,
) {
    let Some(template) = subject.template(reference).filter(|_| depth > 0) else { return };
    found.push(template);
    for inner in &template.templates {
        collect(subject, inner, depth - 1, found);
    }
}

/// The number of measurements of a metric; `None` if it is endless.
fn measurements(metric: &Metric) -> Option<i64> {
    let count = match &metric.count {
        Some(IntOrString::Int(count)) => Some(i64::from(*count)),
        // The value of an argument is unknown until the analysis starts.
        Some(IntOrString::String(text)) => Some(text.parse().unwrap_or(1)),
        None => None,
    };
    match count.filter(|count| *count != 0) {
        Some(count) => Some(count),
        None if metric.interval.is_none() => Some(1),
        None => None,
    }
}

/// Seconds from the start of an analysis to the last measurement of a metric; `None` if unknown.
fn seconds(metric: &Metric) -> Option<i64> {
    let length = |text: &Option<String>| match text {
        Some(text) => go_duration(text).map(|duration| duration.as_secs()),
        None => Some(0),
    };
    let interval = length(&metric.interval)?;
    Some(length(&metric.initial_delay)? + interval * (measurements(metric)? - 1))
}

pub(super) static PAUSES_SHORTER: Rule = Rule {
    id: "pauses-shorter-than-analysis",
    severity: Severity::Warning,
    summary: "pauses that end before the background analysis",
    why: "The Rollout does not wait for a background analysis: it ends with the steps, and later \
          measurements are never made.",
};

pub(super) fn pauses_shorter(subject: &Subject<'_>) -> Vec<Remark> {
    let Some(canary) = subject.canary() else { return Vec::new() };
    let Some(analysis) = &canary.analysis else { return Vec::new() };
    let mut templates = Vec::new();
    for reference in &analysis.templates {
        collect(subject, reference, DEPTH_MAX, &mut templates);
    }
    let longest =
        templates.iter().flat_map(|template| &template.metrics).filter_map(seconds).max().unwrap_or(0);
    let start = usize::try_from(analysis.starting_step.unwrap_or(0)).unwrap_or(0);
    let Some(paused) = paused_seconds(canary.steps.get(start..).unwrap_or_default()) else {
        return Vec::new();
    };
    if longest <= paused || start >= canary.steps.len() {
        return Vec::new();
    }
    let problem =
        format!("the analysis takes {longest} s to its last measurement, and all pauses take {paused} s");
    let remedy = "lengthen the pauses, shorten the analysis, or make it a step";
    vec![Remark::new(format!("{CANARY}.analysis.templates"), json!(analysis.templates), problem, remedy)]
}

/// Total duration of the pauses; `None` if unknown.
fn paused_seconds(steps: &[CanaryStep]) -> Option<i64> {
    steps.iter().try_fold(0, |sum, step| match step.kind() {
        Some(StepKind::Pause(pause)) => Some(sum + i64::from(pause_seconds(pause.duration.as_ref()?)?)),
        Some(StepKind::Experiment(_) | StepKind::Analysis(_) | StepKind::Plugin(_)) => None,
        Some(
            StepKind::SetCanaryScale(_)
            | StepKind::SetWeight(_)
            | StepKind::SetHeaderRoute(_)
            | StepKind::SetMirrorRoute(_),
        )
        | None => Some(sum),
    })
}

pub(super) static NEVER_STARTS: Rule = Rule {
    id: "analysis-never-starts",
    severity: Severity::Warning,
    summary: "a background analysis whose startingStep is after the last step",
    why: "The steps end before it would start; nothing is measured.",
};

pub(super) fn never_starts(subject: &Subject<'_>) -> Vec<Remark> {
    let Some(canary) = subject.canary() else { return Vec::new() };
    let start = canary.analysis.as_ref().and_then(|analysis| analysis.starting_step);
    let Some(start) =
        start.filter(|start| usize::try_from(*start).is_ok_and(|start| start >= canary.steps.len()))
    else {
        return Vec::new();
    };
    let last = canary.steps.len();
    let problem = format!("there are {last} steps, and they count from 0");
    vec![Remark::new(format!("{CANARY}.analysis.startingStep"), start, problem, "name a step that exists")]
}

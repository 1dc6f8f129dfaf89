//! The steps of a canary.
//!
//! Three checks go beyond the reference: that a step is of one kind is checked for all eight kinds and not for four, the
//! header matches of a mirror route are checked like those of a header route, and a canary is not scaled below no pods.

use serde_json::json;

use super::error::{Findings, Path};
use super::limits::{self, not_negative};
use super::names;
use super::routing::{self, check_managed, check_match};
use crate::api::analysis::RolloutArgument;
use crate::api::strategy::{ExperimentStep, PauseStep, SetHeaderRoute, SetMirrorRoute};
use crate::api::{CanaryStep, StepKind, TrafficRouting};
use serin_values::duration;

const KINDS: &str =
    "setWeight, pause, setCanaryScale, analysis, experiment, setHeaderRoute, setMirrorRoute, plugin";

/// Checks the step at `index`; `path` is that of the strategy.
pub(super) fn check(
    step: &CanaryStep,
    routing: Option<&TrafficRouting>,
    path: &Path,
    index: usize,
    found: &mut Findings,
) {
    let at = path.field("steps").index(index);
    let names: Vec<&str> = step.kinds_set().map(name_of).collect();
    match names.as_slice() {
        [] => found.required(&at, format!("a step must have one of {KINDS}")),
        [_] => {}
        several => {
            found.invalid_but(
                &at,
                several.join(", "),
                "a step does one thing",
                "make a step of each of them",
            );
        }
    }
    for kind in step.kinds_set() {
        let at = at.field(name_of(kind));
        match kind {
            StepKind::SetWeight(weight) => check_weight(weight, routing, &at, found),
            StepKind::Pause(pause) => check_pause(pause, &at, found),
            StepKind::SetCanaryScale(scale) => {
                not_negative(scale.replicas, &at.field("replicas"), found);
                not_negative(scale.weight, &at.field("weight"), found);
                if routing.is_none() {
                    let remedy = "remove the step or set trafficRouting";
                    found.invalid_but(&at, json!(scale), "works with trafficRouting only", remedy);
                }
            }
            StepKind::Experiment(experiment) => check_experiment(experiment, routing, &at, found),
            StepKind::Analysis(analysis) => check_arguments(&analysis.args, &at, found),
            StepKind::SetHeaderRoute(route) => check_header_route(route, routing, path, &at, found),
            StepKind::SetMirrorRoute(route) => check_mirror_route(route, routing, path, &at, found),
            StepKind::Plugin(_) => {}
        }
    }
}

fn name_of(kind: StepKind<'_>) -> &'static str {
    match kind {
        StepKind::Pause(_) => "pause",
        StepKind::SetCanaryScale(_) => "setCanaryScale",
        StepKind::SetWeight(_) => "setWeight",
        StepKind::Experiment(_) => "experiment",
        StepKind::Analysis(_) => "analysis",
        StepKind::SetHeaderRoute(_) => "setHeaderRoute",
        StepKind::SetMirrorRoute(_) => "setMirrorRoute",
        StepKind::Plugin(_) => "plugin",
    }
}

fn check_weight(weight: i32, routing: Option<&TrafficRouting>, at: &Path, found: &mut Findings) {
    let full = routing::full_weight(routing);
    if !(0..=full).contains(&weight) {
        found.invalid(at, weight, format!("must be between 0 and {full}"));
    }
}

fn check_pause(pause: &PauseStep, at: &Path, found: &mut Findings) {
    let Some(written) = &pause.duration else { return };
    if duration::pause_seconds(written).is_none() {
        let value = limits::written(written);
        let problem = "must be seconds that are not negative, or a duration such as 30s, 10m or 1h30m";
        found.invalid_but(&at.field("duration"), value, problem, "leave it out to wait for a promotion");
    }
}

fn check_experiment(
    experiment: &ExperimentStep,
    routing: Option<&TrafficRouting>,
    at: &Path,
    found: &mut Findings,
) {
    let takes_weights = routing.is_some_and(|routing| {
        routing.alb.is_some()
            || routing.smi.is_some()
            || routing.istio.is_some()
            || !routing.plugins.is_empty()
    });
    for (index, template) in experiment.templates.iter().enumerate() {
        if let Some(weight) = template.weight.filter(|_| !takes_weights) {
            found.invalid_but(
                &at.field("templates").index(index).field("weight"),
                weight,
                "the weight of an experiment works with the routers smi, alb, istio and plugins only",
                "remove it",
            );
        }
    }
    for (index, analysis) in experiment.analyses.iter().enumerate() {
        check_arguments(&analysis.args, &at.field("analyses").index(index), found);
    }
}

/// Paths that do not start with `metadata` are looked up in the Rollout when the analysis starts.
fn check_arguments(arguments: &[RolloutArgument], at: &Path, found: &mut Findings) {
    for (index, argument) in arguments.iter().enumerate() {
        let from = argument.value_from.as_ref().and_then(|from| from.field_ref.as_ref());
        let Some(field) = from.map(|from| from.field_path.as_str()) else {
            continue;
        };
        if field.starts_with("metadata") && !is_metadata_field(field) {
            found.invalid(
                &at.field("args").index(index).field("valueFrom.fieldRef.fieldPath"),
                field,
                "must be metadata.name, .namespace, .uid, .labels, .annotations, or one of the last two with a key \
                 in the form metadata.labels['KEY']",
            );
        }
    }
}

fn is_metadata_field(field: &str) -> bool {
    let whole =
        ["metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"];
    let key_of = |map: &str| field.strip_prefix(map)?.strip_prefix("['")?.strip_suffix("']");
    whole.contains(&field)
        || key_of("metadata.labels").is_some_and(|key| names::qualified_name(key).is_ok())
        || key_of("metadata.annotations")
            .is_some_and(|key| names::qualified_name(&key.to_lowercase()).is_ok())
}

fn check_header_route(
    route: &SetHeaderRoute,
    routing: Option<&TrafficRouting>,
    path: &Path,
    at: &Path,
    found: &mut Findings,
) {
    let able = |routing: &&TrafficRouting| {
        routing.istio.is_some()
            || routing.alb.is_some()
            || routing.apisix.is_some()
            || !routing.plugins.is_empty()
    };
    let name = route.name.as_deref().unwrap_or_default();
    let Some(routing) = routing.filter(able) else {
        return found.invalid_but(
            at,
            name,
            "header routes work with the routers istio, alb, apisix and plugins only",
            "remove the step, or use one of them",
        );
    };
    for (index, header) in route.matches.iter().enumerate() {
        let at = at.field("match").index(index).field("headerValue");
        check_match(&header.header_value, &at, found);
        if routing.alb.is_some() && header.header_value.exact.is_none() {
            found.required(&at.field("exact"), "alb compares whole header values only");
        }
    }
    check_managed(name, routing, path, at, found);
}

fn check_mirror_route(
    route: &SetMirrorRoute,
    routing: Option<&TrafficRouting>,
    path: &Path,
    at: &Path,
    found: &mut Findings,
) {
    let able = |routing: &&TrafficRouting| routing.istio.is_some() || !routing.plugins.is_empty();
    let Some(routing) = routing.filter(able) else {
        return found.invalid_but(
            at,
            route.name.as_str(),
            "mirror routes work with the routers istio and plugins only",
            "remove the step, or use one of them",
        );
    };
    for (index, request) in route.matches.iter().enumerate() {
        let at = at.field("match").index(index);
        for (name, text) in [("method", &request.method), ("path", &request.path)] {
            if let Some(text) = text {
                check_match(text, &at.field(name), found);
            }
        }
        for (name, text) in &request.headers {
            check_match(text, &at.field("headers").field(name), found);
        }
    }
    check_managed(&route.name, routing, path, at, found);
}

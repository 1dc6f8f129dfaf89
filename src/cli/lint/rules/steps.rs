//! Rules about steps that do not do what their author intended.

use serde_json::json;

use super::subject::{Subject, full_weight, lasts, step_path, weights};
use crate::cli::lint::finding::Remark;
use crate::cli::lint::rule::{Rule, Severity};
use serin_core::api::{CanaryStep, StepKind};

pub(super) static WEIGHT_NOT_HELD: Rule = Rule {
    id: "weight-not-held",
    severity: Severity::Warning,
    summary: "a setWeight below 100 % without a pause or an analysis after it",
    why: "The next weight, or all traffic at the end of the steps, follows at once; no user and no \
          analysis can judge the canary. Without a router, and with dynamicStableScale, consecutive \
          weights count as a slow start.",
};

pub(super) fn weight_not_held(subject: &Subject<'_>) -> Vec<Remark> {
    let Some(canary) = subject.canary() else { return Vec::new() };
    let (full, weights) = (full_weight(canary), weights(canary));
    let may_ramp = !canary.is_routed() || canary.dynamic_stable_scale;
    // A list of only weights is a slow start from the first to the last.
    let is_ramp_alone = may_ramp && weights.len() > 1 && !canary.steps.iter().any(lasts);
    let is_lost = |place: usize| {
        let (index, weight) = weights[place];
        let next = weights.get(place + 1).copied();
        let end = next.map_or(canary.steps.len(), |(index, _)| index);
        let is_partial = 0 < weight && weight < full;
        let is_ramp = next.is_some_and(|(_, next)| may_ramp || next == weight);
        is_partial && !is_ramp && !is_ramp_alone && !canary.steps[index..end].iter().any(lasts)
    };
    (0..weights.len())
        .filter(|place| is_lost(*place))
        .map(|place| {
            let (index, weight) = weights[place];
            let next = weights.get(place + 1).map_or(full, |(_, next)| *next);
            let problem = format!("no step waits at this weight: the canary gets {next} of {full} at once");
            Remark::new(
                set_weight(index),
                weight,
                problem,
                "put a pause or an analysis after it, or leave it out",
            )
        })
        .collect()
}

pub(super) static WEIGHT_REPEATED: Rule = Rule {
    id: "weight-repeated",
    severity: Severity::Warning,
    summary: "a setWeight with the weight that is already set",
    why: "The step has no effect. Often a number was forgotten when steps were copied.",
};

pub(super) fn weight_repeated(subject: &Subject<'_>) -> Vec<Remark> {
    pairs(
        subject,
        |before, weight| before == weight,
        |before, _| {
            let problem = format!("the weight is already {before}, so the step has no effect");
            (problem, "raise it, or remove the step")
        },
    )
}

pub(super) static WEIGHT_FALLS: Rule = Rule {
    id: "weight-falls",
    severity: Severity::Warning,
    summary: "a setWeight that is smaller than the one before, and not 0",
    why: "Traffic goes back to the old revision in the middle of an update. Often steps are in the wrong order.",
};

pub(super) fn weight_falls(subject: &Subject<'_>) -> Vec<Remark> {
    pairs(
        subject,
        |before, weight| 0 < weight && weight < before,
        |before, weight| {
            let problem = format!("the weight falls from {before} to {weight}");
            (problem, "sort the steps by weight")
        },
    )
}

/// Compares each weight with the one before it.
fn pairs(
    subject: &Subject<'_>,
    is_wrong: impl Fn(i32, i32) -> bool,
    words: impl Fn(i32, i32) -> (String, &'static str),
) -> Vec<Remark> {
    let Some(canary) = subject.canary() else { return Vec::new() };
    let weights = weights(canary);
    let pairs = weights.iter().zip(weights.iter().skip(1));
    pairs
        .filter(|((_, before), (_, weight))| is_wrong(*before, *weight))
        .map(|((_, before), (index, weight))| {
            let (problem, remedy) = words(*before, *weight);
            Remark::new(set_weight(*index), *weight, problem, remedy)
        })
        .collect()
}

fn set_weight(index: usize) -> String {
    format!("{}.setWeight", step_path(index))
}

pub(super) static SCALE_OVERWRITTEN: Rule = Rule {
    id: "scale-overwritten",
    severity: Severity::Warning,
    summary: "a setCanaryScale that the next step overwrites",
    why: "Pods are started for nothing.",
};

pub(super) fn scale_overwritten(subject: &Subject<'_>) -> Vec<Remark> {
    let steps = subject.canary().map(|canary| canary.steps.as_slice()).unwrap_or_default();
    let is_scale = |step: &CanaryStep| matches!(step.kind(), Some(StepKind::SetCanaryScale(_)));
    let pairs = steps.windows(2).enumerate().filter(|(_, pair)| pair.iter().all(is_scale));
    pairs
        .map(|(index, pair)| {
            let field = format!("{}.setCanaryScale", step_path(index));
            let problem = "the next step sets another scale at once";
            Remark::new(
                field,
                json!(pair[0].set_canary_scale),
                problem,
                "remove one of the two, or wait between them",
            )
        })
        .collect()
}

pub(super) static SCALE_AMBIGUOUS: Rule = Rule {
    id: "scale-ambiguous",
    severity: Severity::Warning,
    summary: "a setCanaryScale with several sizes, or with none",
    why: "Only one counts: matchTrafficWeight before replicas, and replicas before weight. Without any the step has no effect.",
};

pub(super) fn scale_ambiguous(subject: &Subject<'_>) -> Vec<Remark> {
    let steps = subject.canary().map(|canary| canary.steps.as_slice()).unwrap_or_default();
    let scales =
        steps.iter().enumerate().filter_map(|(index, step)| Some((index, step.set_canary_scale.as_ref()?)));
    scales
        .filter_map(|(index, scale)| {
            let sizes = [
                ("matchTrafficWeight", scale.match_traffic_weight),
                ("replicas", scale.replicas.is_some()),
                ("weight", scale.weight.is_some()),
            ];
            let set: Vec<&str> = sizes.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
            let problem = match set.as_slice() {
                [_] => return None,
                [] => "sets no size".to_owned(),
                [first, rest @ ..] => format!("{first} counts, and {} has no effect", rest.join(" and ")),
            };
            let field = format!("{}.setCanaryScale", step_path(index));
            Some(Remark::new(
                field,
                json!(scale),
                problem,
                "set one of weight, replicas and matchTrafficWeight",
            ))
        })
        .collect()
}

pub(super) static JUMP_TO_FULL: Rule = Rule {
    id: "jump-to-full",
    severity: Severity::Warning,
    summary: "steps from 10 % of the traffic or less to all of it, without a manual pause or an analysis \
              in between",
    why: "Problems under load appear only when all users are affected.",
};

pub(super) fn jump_to_full(subject: &Subject<'_>) -> Vec<Remark> {
    let Some(canary) = subject.canary().filter(|canary| canary.analysis.is_none()) else { return Vec::new() };
    let full = full_weight(canary);
    let Some((index, weight)) = weights(canary).last().copied() else { return Vec::new() };
    let asks = |step: &CanaryStep| match step.kind() {
        Some(StepKind::Pause(pause)) => pause.duration.is_none(),
        Some(StepKind::Experiment(_) | StepKind::Analysis(_) | StepKind::Plugin(_)) => true,
        Some(
            StepKind::SetCanaryScale(_)
            | StepKind::SetWeight(_)
            | StepKind::SetHeaderRoute(_)
            | StepKind::SetMirrorRoute(_),
        )
        | None => false,
    };
    let rest = &canary.steps[index..];
    // A weight that is not held has a rule of its own.
    let is_small = weight > 0 && i64::from(weight) * 10 <= i64::from(full);
    if !is_small || rest.iter().any(asks) || !rest.iter().any(lasts) {
        return Vec::new();
    }
    let problem = format!("the last step before all traffic gives the canary only {weight} of {full}");
    let remedy = "add steps with greater weights, a pause without a duration, or an analysis";
    vec![Remark::new(set_weight(index), weight, problem, remedy)]
}

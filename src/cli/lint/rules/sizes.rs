//! Rules about pod counts, computed by the controller's own functions.

use serde_json::json;

use super::subject::{CANARY, Subject, full_weight, step_path, weights};
use crate::cli::lint::finding::Remark;
use crate::cli::lint::rule::{Rule, Severity};
use serin_core::api::{CanaryStrategy, IntOrString, StepKind};
use serin_core::domain::replicas::{
    AbortDelay, BasicCanaryInput, CanaryPosition, Counts, IntOrPercent, ReplicaSetCounts, RoutedCanaryInput,
    StepSize, basic_canary_target, desired_weight, routed_canary_counts,
};
use serin_core::domain::spec::REPLICAS_DEFAULT;

pub(super) static PAUSE_WITHOUT_CANARY: Rule = Rule {
    id: "pause-without-canary",
    severity: Severity::Warning,
    summary: "a pause or an analysis while the canary has neither pods nor traffic",
    why: "There is nothing to judge yet: before the first setWeight the weight is 0, and no pod of the new \
          revision runs.",
};

pub(super) fn pause_without_canary(subject: &Subject<'_>) -> Vec<Remark> {
    let Some(canary) = subject.canary() else { return Vec::new() };
    let steps = canary.step_sizes();
    let replicas = subject.rollout.spec.desired_replicas().max(1);
    let waits = canary.steps.iter().enumerate().filter_map(|(index, step)| match step.kind() {
        Some(StepKind::Pause(_)) => Some((index, "pause")),
        Some(StepKind::Analysis(_)) => Some((index, "analysis")),
        Some(
            StepKind::SetCanaryScale(_)
            | StepKind::SetWeight(_)
            | StepKind::Experiment(_)
            | StepKind::SetHeaderRoute(_)
            | StepKind::SetMirrorRoute(_)
            | StepKind::Plugin(_),
        )
        | None => None,
    });
    // A canary that was scaled back to 0 is intended.
    let waits =
        waits.filter(|(index, _)| weights(canary).iter().all(|(at, weight)| at > index || *weight == 0));
    waits
        .filter(|(index, _)| counts(canary, &steps, *index, replicas).canary == 0)
        .map(|(index, kind)| {
            let value = if kind == "pause" {
                json!(canary.steps[index].pause)
            } else {
                json!(canary.steps[index].analysis)
            };
            let problem = "the canary has no pod at this step";
            Remark::new(
                format!("{}.{kind}", step_path(index)),
                value,
                problem,
                "put a setWeight above 0 before it",
            )
        })
        .collect()
}

pub(super) static WEIGHT_ROUNDED: Rule = Rule {
    id: "weight-rounded",
    severity: Severity::Warning,
    summary: "a setWeight without a router that the number of pods cannot express",
    why: "Without a router the share of pods is the share of traffic. Reported if the share of the new or \
          of the old revision is at least twice or at most half of the requested share, and differs by 10 \
          points or more.",
};

pub(super) fn weight_rounded(subject: &Subject<'_>) -> Vec<Remark> {
    /// A difference of one pod is not significant.
    const REPLICAS_MAX: i32 = 1000;
    let (Some(canary), Some(replicas)) = (subject.canary(), subject.replicas()) else { return Vec::new() };
    if canary.is_routed() || replicas > REPLICAS_MAX {
        return Vec::new();
    }
    let steps = canary.step_sizes();
    weights(canary)
        .into_iter()
        .filter_map(|(index, weight)| {
            let Counts { canary: pods, stable } = counts(canary, &steps, index, replicas);
            let (pods, total) = (i64::from(pods), i64::from(pods) + i64::from(stable));
            let (real, asked) = ((pods * 100).checked_div(total)?, i64::from(weight));
            let is_multiple = |real: i64, asked: i64| real >= 2 * asked || 2 * real <= asked;
            let is_multiple = is_multiple(real, asked) || is_multiple(100 - real, 100 - asked);
            let is_off = (real - asked).abs() >= 10 && is_multiple;
            let is_whole = weight < 100 && pods == total || weight > 0 && pods == 0;
            (is_off || is_whole).then(|| {
                let noun = if replicas == 1 { "replica" } else { "replicas" };
                let problem = format!(
                    "with {replicas} {noun} the canary gets {pods} of {total} pods, which is {real} % of the traffic"
                );
                let remedy = "use a weight that the pods can express, more replicas, or trafficRouting";
                Remark::new(format!("{}.setWeight", step_path(index)), weight, problem, remedy)
            })
        })
        .collect()
}

pub(super) static TOO_FEW_PODS: Rule = Rule {
    id: "too-few-pods",
    severity: Severity::Warning,
    summary: "a setCanaryScale that leaves the canary less than half of the pods that its weight needs, or none",
    why: "A router sends the canary its share of the traffic, regardless of its number of pods.",
};

pub(super) fn too_few_pods(subject: &Subject<'_>) -> Vec<Remark> {
    let Some(canary) = subject.canary().filter(|canary| canary.is_routed()) else {
        return Vec::new();
    };
    let (steps, full) = (canary.step_sizes(), full_weight(canary));
    let replicas = subject.replicas();
    let sets = (0..steps.len()).filter(|index| steps[*index] != StepSize::default());
    sets.filter_map(|index| {
        let weight = desired_weight(&position(&steps, index, full));
        let pods = counts(canary, &steps, index, replicas.unwrap_or(REPLICAS_DEFAULT)).canary;
        let needed =
            replicas.map_or(1, |replicas| ceil(i64::from(replicas) * i64::from(weight), full.into()));
        (weight > 0 && (pods == 0 || 2 * i64::from(pods) < needed)).then(|| {
            let problem = format!(
                "the canary gets {weight} of {full} of the traffic with {pods} of the {needed} pods for that"
            );
            let remedy = "put setCanaryScale with matchTrafficWeight: true, or a greater scale, before it";
            let (field, value) = match &canary.steps[index].set_canary_scale {
                Some(scale) => ("setCanaryScale", json!(scale)),
                None => ("setWeight", json!(weight)),
            };
            Remark::new(format!("{}.{field}", step_path(index)), value, problem, remedy)
        })
    })
    .collect()
}

fn ceil(amount: i64, whole: i64) -> i64 {
    -(-amount).div_euclid(whole)
}

fn position(steps: &[StepSize], index: usize, full: i32) -> CanaryPosition<'_> {
    let index = i32::try_from(index).ok();
    CanaryPosition { steps, index, max_weight: full, is_aborted: false, is_promoted: false }
}

/// The sizes that a step asks for in an update of a settled Rollout.
fn counts(canary: &CanaryStrategy, steps: &[StepSize], index: usize, replicas: i32) -> Counts {
    let position = position(steps, index, full_weight(canary));
    let stable = ReplicaSetCounts { spec: replicas, available: replicas, status: replicas };
    let (new, stable) = (Some(ReplicaSetCounts::default()), Some(stable));
    if !canary.is_routed() {
        return settled(canary, position, replicas);
    }
    routed_canary_counts(&RoutedCanaryInput {
        replicas,
        position,
        canary: new,
        stable,
        min_pods: canary.min_pods_per_replica_set,
        is_stable_dynamic: canary.dynamic_stable_scale,
        abort_delay: AbortDelay::from_field(canary.abort_scale_down_delay_seconds),
        weights: None,
    })
}

/// The final sizes without a router. Each change may allow another one.
fn settled(canary: &CanaryStrategy, position: CanaryPosition<'_>, replicas: i32) -> Counts {
    const MOVES_MAX: usize = 1000;
    let limits = canary.limits(replicas);
    let mut sizes = Counts { canary: 0, stable: replicas };
    for _ in 0..MOVES_MAX {
        let whole = |size| Some(ReplicaSetCounts { spec: size, available: size, status: size });
        let next = basic_canary_target(&BasicCanaryInput {
            replicas,
            limits,
            position,
            canary: whole(sizes.canary),
            stable: whole(sizes.stable),
            others_spec: 0,
        });
        if next == sizes {
            break;
        }
        sizes = next;
    }
    sizes
}

pub(super) static ALL_UNAVAILABLE: Rule = Rule {
    id: "all-unavailable",
    severity: Severity::Warning,
    summary: "limits that allow an update to replace all pods at once",
    why: "No pod serves until a new one is ready.",
};

pub(super) fn all_unavailable(subject: &Subject<'_>) -> Vec<Remark> {
    let Some((canary, replicas)) = limited(subject) else { return Vec::new() };
    if canary.limits(replicas).unavailable < replicas {
        return Vec::new();
    }
    let problem = format!("all of {replicas} replicas may be unavailable at once");
    let remedy = "set maxUnavailable to 0 and maxSurge to 1 or more";
    vec![limit_remark(canary, problem, remedy)]
}

pub(super) static LIMITS_ROUND_TO_ZERO: Rule = Rule {
    id: "limits-round-to-zero",
    severity: Severity::Warning,
    summary: "maxSurge and maxUnavailable that both round to 0 pods",
    why: "An update could not progress, so the controller allows one unavailable pod, which is more than \
          the spec allows.",
};

pub(super) fn limits_round_to_zero(subject: &Subject<'_>) -> Vec<Remark> {
    let Some((canary, replicas)) = limited(subject) else { return Vec::new() };
    let read = |limit: &Option<IntOrString>| match limit {
        None => Some(IntOrPercent::DEFAULT),
        Some(limit) => IntOrPercent::parse(limit),
    };
    let (Some(surge), Some(unavailable)) = (read(&canary.max_surge), read(&canary.max_unavailable)) else {
        return Vec::new();
    };
    let is_written_zero = matches!(unavailable, IntOrPercent::Count(0) | IntOrPercent::Percent(0));
    // Other rules report a single replica and explicit zeros.
    let is_rounded = surge.rounded_up(replicas) == 0 && unavailable.rounded_down(replicas) == 0;
    if !is_rounded || is_written_zero || replicas == 1 {
        return Vec::new();
    }
    let problem = format!(
        "with {replicas} replicas, maxSurge and maxUnavailable are both 0 pods; the controller allows one \
         unavailable pod"
    );
    vec![limit_remark(canary, problem, "give maxSurge or maxUnavailable as a number of pods")]
}

/// A canary whose size depends on its limits, and its replicas.
fn limited<'s>(subject: &Subject<'s>) -> Option<(&'s CanaryStrategy, i32)> {
    let canary = subject.canary().filter(|canary| !canary.is_routed())?;
    Some((canary, subject.replicas()?))
}

fn limit_remark(canary: &CanaryStrategy, problem: String, remedy: &str) -> Remark {
    let (field, limit) = match (&canary.max_unavailable, &canary.max_surge) {
        (Some(limit), _) => ("maxUnavailable", Some(limit)),
        (None, limit) => ("maxSurge", limit.as_ref()),
    };
    Remark::new(format!("{CANARY}.{field}"), json!(limit), problem, remedy)
}

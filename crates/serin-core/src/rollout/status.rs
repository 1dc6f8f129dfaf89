//! The status that closes a plan: what was counted, what is paused, and the patch that writes it.

use jiff::Timestamp;

use super::conditions;
use super::context::Context;
use super::draft::Draft;
use super::duration;
use super::outcome::Outcome;
use super::pauses::PauseChanges;
use super::phase;
use super::snapshot::ReplicaSetView;
use super::valid::Strategy;
use super::views::total;
use crate::api::rollout_status::{BlueGreenStatus, CanaryStatus};
use crate::api::{LabelSelector, PauseCondition, PauseReason, Rollout, RolloutStatus};
use crate::domain::event::EventReason;
use crate::domain::time::whole_seconds;

/// The status as it was read, but such as it can be: an index within the steps, weights within the whole of the
/// traffic, nothing that has begun in the future. Others may write a status, too.
pub(super) fn sound(rollout: &Rollout, now: Timestamp) -> RolloutStatus {
    let mut status = rollout.status.clone().unwrap_or_default();
    forget_foreign_pause(rollout, &mut status);
    let Some(canary) = &rollout.spec.strategy.canary else { return not_later(status, now) };
    let count = i32::try_from(canary.steps.len()).unwrap_or(i32::MAX);
    if count > 0 && status.current_step_hash.is_some() {
        status.current_step_index = Some(status.current_step_index.unwrap_or(0).clamp(0, count));
    }
    let max = canary.total_weight();
    if let Some(weights) = &mut status.canary.weights {
        weights.canary.weight = weights.canary.weight.clamp(0, max.max(0));
        weights.stable.weight = weights.stable.weight.clamp(0, max.max(0));
    }
    not_later(status, now)
}

/// A pause that the other strategy began is none of this one, and neither is its end.
fn forget_foreign_pause(rollout: &Rollout, status: &mut RolloutStatus) {
    let (is_foreign, foreign) = if rollout.spec.strategy.blue_green.is_some() {
        (status.current_step_hash.is_some(), PauseReason::CanaryPauseStep)
    } else {
        (status.blue_green.active_selector.is_some(), PauseReason::BlueGreenPause)
    };
    if is_foreign {
        status.pause_conditions.retain(|pause| pause.reason != foreign);
        status.controller_pause &= !status.pause_conditions.is_empty();
    }
}

fn not_later(mut status: RolloutStatus, now: Timestamp) -> RolloutStatus {
    for pause in status.pause_conditions.iter_mut().filter(|pause| pause.start_time.0 > now) {
        pause.start_time = whole_seconds(now);
    }
    for condition in status.conditions.iter_mut().filter(|condition| condition.last_update_time.0 > now) {
        condition.last_update_time = whole_seconds(now);
    }
    status
}

/// Counts pods, folds pauses and the abort into the status, and derives conditions, phase and message from it.
pub(super) fn finish(cx: &Context<'_>, outcome: Outcome<'_>, draft: &mut Draft) {
    let Outcome { pauses, has_left_pause, status: mut next, .. } = outcome;
    next.workload_observed_generation = cx.workload.map(|workload| workload.generation.to_string());
    count(cx, &mut next);
    next.observed_generation = Some(cx.spec.generation().to_string());
    next.current_pod_hash = Some(cx.current_hash.clone());
    forget_other_strategy(cx, &mut next);
    let stuck = conditions::stuck(cx, &next, draft);
    fold_abort(cx, stuck.is_some() || pauses.is_aborted(cx), &mut next);
    fold_pauses(cx, &pauses, has_left_pause, &mut next, draft);
    conditions::derive(cx, stuck.as_deref(), &mut next, draft);
    phase::derive_for(cx.spec.target(), &mut next);
    duration::track(cx, &mut next, draft);
    draft.observed = observed(cx, &next);
    draft.status = next;
}

/// Counts pods and folds an abort into the status; all else stays as it was read.
pub(super) fn keep(cx: &Context<'_>, outcome: Outcome<'_>, draft: &mut Draft) {
    let Outcome { pauses, has_left_pause, status: mut next, .. } = outcome;
    let selector = next.selector.take();
    count(cx, &mut next);
    next.selector = next.selector.filter(|text| !text.is_empty()).or(selector);
    if pauses.is_aborted(cx) {
        fold_abort(cx, true, &mut next);
        fold_pauses(cx, &pauses, has_left_pause, &mut next, draft);
        conditions::derive_abort(cx, None, &mut next, draft);
    }
    draft.observed = observed(cx, &next);
    draft.status = next;
}

/// What only the other strategy has; it may be left from before the strategy changed.
fn forget_other_strategy(cx: &Context<'_>, status: &mut RolloutStatus) {
    match cx.spec.strategy {
        Strategy::Canary(_) => status.blue_green = BlueGreenStatus::default(),
        Strategy::BlueGreen(_) => {
            status.canary = CanaryStatus::default();
            status.current_step_index = None;
            status.current_step_hash = None;
        }
    }
}

/// The sums of what the ReplicaSets report.
pub(super) fn count_pods(owned: &[&ReplicaSetView], status: &mut RolloutStatus) {
    let sum = |of: fn(&ReplicaSetView) -> i32| total(owned.iter().map(|rs| of(rs)));
    status.replicas = sum(|rs| rs.status.replicas);
    status.ready_replicas = sum(|rs| rs.status.ready);
    status.available_replicas = sum(|rs| rs.status.available);
    status.hpa_replicas = status.replicas;
}

/// What the ReplicaSets report, and the selector by which an autoscaler finds the pods.
fn count(cx: &Context<'_>, status: &mut RolloutStatus) {
    let selector = cx.spec.selector;
    count_pods(&cx.owned, status);
    status.updated_replicas = cx.new_rs.map_or(0, |rs| rs.status.replicas);
    status.selector = selector.map(|s| format_selector(s, None));
    if let Strategy::BlueGreen(_) = cx.spec.strategy
        && let Some(active) = cx.active_replica_set(status)
    {
        status.ready_replicas = active.status.ready;
        status.available_replicas = active.status.available;
        status.hpa_replicas = active.status.replicas;
        status.selector = selector.map(|s| format_selector(s, Some(active.hash())));
    }
}

/// A selector as kubectl writes it: `a=b,c in (d,e)`, sorted by key.
fn format_selector(selector: &LabelSelector, hash: Option<&str>) -> String {
    let mut parts: Vec<(&str, String)> = Vec::new();
    for (key, value) in selector.match_labels.iter().flatten() {
        parts.push((key, format!("{key}={value}")));
    }
    if let Some(hash) = hash {
        let key = crate::api::keys::POD_HASH_LABEL;
        parts.push((key, format!("{key}={hash}")));
    }
    for expression in selector.match_expressions.iter().flatten() {
        let key = expression.key.as_str();
        let mut values = expression.values.clone().unwrap_or_default();
        values.sort();
        let values = values.join(",");
        let part = match expression.operator.as_str() {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        };
        parts.push((key, part));
    }
    parts.sort();
    parts.into_iter().map(|(_, part)| part).collect::<Vec<_>>().join(",")
}

fn fold_abort(cx: &Context<'_>, aborted: bool, next: &mut RolloutStatus) {
    next.abort = aborted;
    next.promote_full &= !aborted;
    next.aborted_at = aborted.then(|| cx.status.aborted_at.clone().unwrap_or_else(|| whole_seconds(cx.now)));
}

fn fold_pauses(
    cx: &Context<'_>,
    changes: &PauseChanges,
    has_left_pause: bool,
    next: &mut RolloutStatus,
    draft: &mut Draft,
) {
    let before = &cx.status.pause_conditions;
    let mut pauses = Vec::new();
    let mut controller_pause = false;
    if !next.abort && !changes.clear {
        pauses.extend(before.iter().filter(|c| !changes.remove.contains(&c.reason)).cloned());
        controller_pause = cx.status.controller_pause;
        for reason in &changes.add {
            if pauses.iter().all(|c| c.reason != *reason) {
                pauses.push(PauseCondition { reason: *reason, start_time: whole_seconds(cx.now) });
                controller_pause = true;
            }
        }
    }
    next.controller_pause = controller_pause && (!pauses.is_empty() || changes.hold_resume);
    let ended = pauses.is_empty() && !before.is_empty() && !next.abort;
    let begun = pauses.first().filter(|_| before.is_empty()).map(|c| c.reason);
    next.pause_conditions = pauses;
    if let Some(reason) = begun {
        draft.tell(EventReason::RolloutPaused, format!("Rollout is paused ({})", reason.as_str()));
    }
    if ended && has_left_pause {
        draft.tell_first(EventReason::RolloutResumed, "Rollout is resumed");
    } else if ended {
        draft.tell(EventReason::RolloutResumed, "Rollout is resumed");
    }
}

/// What may be said even if a write of the plan fails: counts, and what the API server refused before.
fn observed(cx: &Context<'_>, next: &RolloutStatus) -> RolloutStatus {
    let mut observed = RolloutStatus {
        replicas: next.replicas,
        updated_replicas: next.updated_replicas,
        ready_replicas: next.ready_replicas,
        available_replicas: next.available_replicas,
        hpa_replicas: next.hpa_replicas,
        ..cx.status.clone()
    };
    conditions::derive_failure(cx, &mut observed);
    phase::derive_for(cx.spec.target(), &mut observed);
    observed
}

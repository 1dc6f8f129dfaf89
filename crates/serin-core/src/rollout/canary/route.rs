//! The share of traffic that the canary gets, and the writes that give it.

use super::super::context::Context;
use super::super::draft::Draft;
use super::super::progress;
use super::super::snapshot::ReplicaSetView;
use super::position::Position;
use super::scale;
use crate::api::rollout_status::{TrafficWeights, WeightDestination};
use crate::domain::event::EventReason;
use crate::domain::plan::{ObjectKind, Op, StageName};
use crate::traffic::{self, TrafficError};

/// The weights that the routers get, and how.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// Those that they have once the plan is carried out.
    pub(super) weights: Option<TrafficWeights>,
    ops: Vec<Op>,
    /// What is told about a change of the weights.
    change: Option<String>,
    /// Why the weights stay as they are.
    note: Option<String>,
}

impl Route {
    /// The weights that the status records.
    pub(super) fn unchanged(cx: &Context<'_>) -> Self {
        Self { weights: cx.status.canary.weights.clone(), ..Self::default() }
    }

    /// Asks for the writes of the routers' objects.
    pub(super) fn write(&self, cx: &Context<'_>, draft: &mut Draft) {
        self.note.iter().for_each(|note| draft.note(note));
        self.ops.iter().for_each(|op| draft.push(op.clone()));
        let Some(change) = &self.change else { return };
        if cx.new_rs.is_some() {
            draft.tell_after(StageName::Route, EventReason::TrafficWeightUpdated, change);
        } else {
            // Nothing is routed to a revision that is only being made.
            draft.tell_last(EventReason::TrafficWeightUpdated, change);
        }
    }
}

/// The weights that the routers get in line with the step.
pub(super) fn decide(cx: &Context<'_>, at: &Position) -> Result<Route, TrafficError> {
    let routers = cx.canary().map_or(&[][..], |canary| &canary.routers);
    if routers.is_empty() {
        return Ok(Route::default());
    }
    let max = cx.max_weight();
    let weight = desired_weight(cx, at);
    if !can_stable_carry(cx, max, weight) {
        let left = max - weight;
        let note = format!("Traffic stays as it is until the stable revision can carry {left} of {max}");
        return Ok(Route { note: Some(note), ..Route::unchanged(cx) });
    }
    if weight == 0 && at.is_aborted && was_refused(cx) {
        // What was refused is no part of an abort.
        return Ok(withdraw(cx, at));
    }
    let mut ops = Vec::new();
    for router in routers {
        ops.extend(router.render(&cx.snapshot.objects, weight)?);
    }
    Ok(Route { ops, ..recorded(cx, max, weight) })
}

/// Whether the API server refused the last write of an object of a router.
fn was_refused(cx: &Context<'_>) -> bool {
    cx.snapshot.last_failure.as_ref().is_some_and(|failure| failure.kind == ObjectKind::Ingress)
}

/// Takes all traffic from an aborted canary by the smallest writes, of what is there alone. Traffic stays while the stable
/// revision cannot carry it.
pub(super) fn withdraw(cx: &Context<'_>, at: &Position) -> Route {
    let max = cx.max_weight();
    if desired_weight(cx, at) > 0 || !can_stable_carry(cx, max, 0) {
        return Route::unchanged(cx);
    }
    let objects = cx.snapshot.objects.iter();
    let ops = objects.filter_map(|(_, object)| traffic::withdraw(cx.spec.uid(), object)).collect();
    if cx.is_routed() && cx.status.canary.weights.is_some() {
        return Route { ops, ..recorded(cx, max, 0) };
    }
    Route { ops, ..Route::unchanged(cx) }
}

/// Whether the canary gets traffic without an available pod while the stable revision has one: then that one gets all,
/// whatever it can carry.
fn is_canary_lost(cx: &Context<'_>) -> bool {
    let has_traffic = cx.status.canary.weights.as_ref().is_some_and(|weights| weights.canary.weight > 0);
    let has_pods = |rs: &&ReplicaSetView| rs.status.available > 0;
    let mut up = cx.owned.iter().copied().filter(has_pods);
    has_traffic && cx.stable_rs.is_some_and(|rs| has_pods(&rs)) && up.all(|rs| cx.is_stable(rs))
}

fn desired_weight(cx: &Context<'_>, at: &Position) -> i32 {
    if is_canary_lost(cx) {
        return 0;
    }
    let is_canary_up = cx.new_rs.is_some_and(|rs| rs.status.available > 0 && !cx.is_stable(rs));
    if is_rolling_back(cx) || at.is_aborted {
        return scale::abort_weight(cx, at);
    }
    if cx.is_fully_promoted() || !is_canary_up {
        return 0;
    }
    if cx.is_promoting_full() {
        return promotion_weight(cx);
    }
    let steps = cx.canary().map_or(&[][..], |canary| &canary.step_sizes);
    if steps.is_empty() {
        return 0;
    }
    let index = at.index.and_then(|i| usize::try_from(i).ok()).unwrap_or(0);
    let last_weight = |until: usize| steps.iter().take(until).rev().find_map(|s| s.set_weight).unwrap_or(0);
    if !scale::is_at_desired(cx, at, cx.status.canary.weights.as_ref()) {
        // More traffic waits for the pods that are to get it; less does not wait for pods to go.
        last_weight(index).min(last_weight(index + 1))
    } else if index < steps.len() {
        last_weight(index + 1)
    } else {
        cx.max_weight()
    }
}

/// Whether the user went back to the stable template while the stable revision has given up pods: then the canary
/// that was keeps its traffic until they are there again.
pub(super) fn is_rolling_back(cx: &Context<'_>) -> bool {
    let is_dynamic = cx.canary().is_some_and(|canary| canary.is_stable_dynamic);
    let weights = cx.status.canary.weights.as_ref();
    let of_another = weights.is_some_and(|w| w.canary.pod_template_hash.as_deref() != Some(&cx.current_hash));
    let is_short = cx.new_rs.is_some_and(|rs| rs.status.available < cx.replicas);
    cx.is_fully_promoted() && cx.is_routed() && is_dynamic && of_another && is_short
}

/// A full promotion leaves the weight as it is, unless the stable revision gives up pods as the new one gets them.
fn promotion_weight(cx: &Context<'_>) -> i32 {
    let is_dynamic = cx.canary().is_some_and(|canary| canary.is_stable_dynamic);
    let recorded = cx.status.canary.weights.as_ref().map_or(0, |w| w.canary.weight);
    let available = cx.new_rs.map_or(0, |rs| rs.status.available.min(cx.replicas));
    if !is_dynamic || cx.replicas == 0 {
        return recorded;
    }
    let share = i64::from(cx.max_weight()) * i64::from(available) / i64::from(cx.replicas);
    i32::try_from(share).unwrap_or(i32::MAX)
}

/// Whether the stable revision has the pods for what the canary leaves to it.
fn can_stable_carry(cx: &Context<'_>, max: i32, weight: i32) -> bool {
    let Some(stable) = cx.stable_rs else { return false };
    let share = i64::from(max - weight) * i64::from(cx.replicas) / i64::from(max.max(1));
    let need = i32::try_from(share).unwrap_or(i32::MAX);
    is_canary_lost(cx) || progress::is_met(cx, stable.status.available, need)
}

/// The weights that give `weight` of `max` to the canary, and what is told about them.
fn recorded(cx: &Context<'_>, max: i32, weight: i32) -> Route {
    let Some(canary) = cx.canary() else { return Route::unchanged(cx) };
    let destination = |weight, service: Option<&str>, hash: &str| WeightDestination {
        weight,
        service_name: service.map(ToOwned::to_owned),
        pod_template_hash: Some(hash.to_owned()),
    };
    let before = cx.status.canary.weights.as_ref();
    let recorded = before.and_then(|w| w.canary.pod_template_hash.as_deref());
    let canary_hash = recorded.filter(|_| is_rolling_back(cx)).unwrap_or(&cx.current_hash);
    let stable_hash = cx.stable_rs.map_or("", |rs| rs.hash());
    let weights = TrafficWeights {
        canary: destination(weight, canary.canary_service, canary_hash),
        stable: destination(max - weight, canary.stable_service, stable_hash),
        additional: Vec::new(),
        verified: None,
    };
    let change = (before != Some(&weights)).then(|| {
        let change = match before.map(|w| w.canary.weight) {
            None => format!(" to {weight}"),
            Some(old) if old == weight => String::new(),
            Some(old) => format!(" from {old} to {weight}"),
        };
        format!("Traffic weight updated{change}")
    });
    Route { weights: Some(weights), change, ..Route::default() }
}

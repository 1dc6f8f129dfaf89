//! The sizes of a canary's ReplicaSets.

use super::super::context::Context;
use super::super::scale::{self as scaling, AbortDelay, DelayQueue};
use super::super::sizes::Sizes;
use super::super::snapshot::ReplicaSetView;
use super::super::valid::Canary;
use super::super::views::{Deadline, total};
use super::super::{capacity, conditions, requests, restart};
use super::position::Position;
use crate::api::rollout_status::TrafficWeights;
use crate::domain::condition::ConditionReason;
use crate::domain::replicas::{
    self, AtDesiredInput, BasicCanaryInput, CanaryPosition, Counts, RecordedWeights, ReplicaSetCounts,
    RoutedCanaryInput,
};

/// Whether a ReplicaSet that has pods was sized for another size of the Rollout than today's.
pub(super) fn is_due(cx: &Context<'_>) -> bool {
    let active = cx.new_rs.into_iter().chain(cx.stable_rs);
    active
        .filter(|rs| rs.replicas > 0)
        .any(|rs| rs.desired_replicas().is_some_and(|desired| desired != cx.replicas))
}

/// Moves the sizes towards those of the current step: the stable ReplicaSet first, then the new one, then the rest;
/// whatever changes first changes alone. `weights` are those that the routers have once the plan is carried out.
pub(super) fn decide<'a>(cx: &Context<'a>, at: &Position, weights: Option<&TrafficWeights>) -> Sizes<'a> {
    let mut sizes = Sizes::default();
    let (Some(strategy), Some(new)) = (cx.canary(), cx.new_rs) else { return sizes };
    let exchange = exchange(cx, at, strategy);
    let next = exchange.unwrap_or_else(|| next_counts(cx, at, weights, strategy));
    let is_empty = is_canary_empty(cx, at, weights);
    if let Some(stable) = cx.stable_rs.filter(|rs| !cx.is_new(rs)) {
        scaling::keep(&mut sizes, stable);
        let size = served_size(cx, stable, next.stable, is_empty);
        if scaling::scale(cx, &mut sizes, stable, size, false) && exchange.is_none() {
            return sizes;
        }
    }
    let size = restart::size(cx).unwrap_or_else(|| served_size(cx, new, next.canary, is_empty));
    if scale_new(cx, at, &mut sizes, new, size) {
        return sizes;
    }
    if cx.is_routed() {
        drain_routed(cx, &mut sizes, strategy);
    } else {
        drain_by_pods(cx, &mut sizes, strategy, is_empty);
    }
    sizes
}

/// The size to go to on the way to `size`, as long as a Service selects the ReplicaSet. Behind a router it stays as it is
/// until the Service has moved; without one its pods have to make room for those of the other revision.
fn served_size(cx: &Context<'_>, rs: &ReplicaSetView, size: i32, is_empty: bool) -> i32 {
    let floor = capacity::served_floor(cx, rs, is_empty);
    if size >= floor {
        size
    } else if cx.is_routed() {
        rs.replicas
    } else {
        floor
    }
}

/// Whether the stable Service goes over to the new revision before that is promoted: where the step leaves the stable
/// revision no pod, or where that one has to make room for the last pods of the new one. The Service goes first, then
/// the last stable pod.
pub(super) fn must_hand_over(cx: &Context<'_>, at: &Position, weights: Option<&TrafficWeights>) -> bool {
    let (Some(strategy), Some(new)) = (cx.canary(), cx.new_rs) else { return false };
    let limits = strategy.limits;
    let is_past_last = cx.step_count().is_none_or(|count| cx.status.current_step_index == Some(count));
    let is_due = if is_past_last {
        limits.surge == 0
    } else {
        target_counts(cx, at, weights, strategy).stable == 0 && cx.replicas > 0
    };
    let is_last = cx.stable_rs.is_some_and(|rs| !cx.is_new(rs) && rs.replicas <= 1);
    let enough = (cx.replicas - limits.unavailable).max(1);
    !cx.is_routed() && is_due && is_last && !cx.is_changed() && new.status.available >= enough
}

/// The size with which the ReplicaSet of a new revision begins: that of the first step, unless the stable one has to
/// make room before.
pub(super) fn first_size(cx: &Context<'_>, at: &Position) -> i32 {
    let Some(strategy) = cx.canary() else { return 0 };
    let next = next_counts(cx, at, cx.status.canary.weights.as_ref(), strategy);
    if cx.stable_rs.is_none_or(|rs| next.stable == rs.replicas) { next.canary } else { 0 }
}

fn scale_new<'a>(
    cx: &Context<'a>,
    at: &Position,
    sizes: &mut Sizes<'a>,
    new: &'a ReplicaSetView,
    size: i32,
) -> bool {
    match abort_delay(cx, at, sizes, new) {
        AbortDelay::Off => {
            scaling::keep(sizes, new);
            scaling::scale(cx, sizes, new, size, false)
        }
        AbortDelay::Hold => scaling::scale(cx, sizes, new, new.replicas, true),
        AbortDelay::Over => scaling::scale(cx, sizes, new, 0, true),
    }
}

fn abort_delay<'a>(
    cx: &Context<'a>,
    at: &Position,
    sizes: &mut Sizes<'a>,
    new: &'a ReplicaSetView,
) -> AbortDelay {
    let stands_apart = cx.stable_rs.is_some_and(|rs| !cx.is_new(rs));
    match cx.canary().and_then(|canary| canary.abort_hold_seconds) {
        Some(seconds) if at.is_aborted && stands_apart => scaling::abort_delay(cx, sizes, new, seconds),
        Some(_) | None => AbortDelay::Off,
    }
}

/// Whether the current step may complete: the sizes are those that it asks for, or the new revision has its pods and the
/// others did not get theirs within the deadline. They may have none that become available, and the new revision is what
/// replaces them.
pub(super) fn is_reached(cx: &Context<'_>, at: &Position, weights: Option<&TrafficWeights>) -> bool {
    let (Some(strategy), Some(new)) = (cx.canary(), cx.new_rs) else { return false };
    let has_its_pods = || {
        let counts = counts(new);
        let target = target_counts(cx, at, weights, strategy).canary;
        counts.spec >= target && strategy.threshold.is_met(counts, counts.spec)
    };
    let is_overdue = conditions::has_reason(cx.status, ConditionReason::ProgressDeadlineExceeded);
    is_at_desired(cx, at, weights) || is_overdue && has_its_pods()
}

/// Whether the sizes are those of the current step, so that traffic may follow.
pub(super) fn is_at_desired(cx: &Context<'_>, at: &Position, weights: Option<&TrafficWeights>) -> bool {
    let Some(strategy) = cx.canary() else { return false };
    let is_routed = cx.is_routed();
    replicas::is_at_desired(&AtDesiredInput {
        target: target_counts(cx, at, weights, strategy),
        threshold: strategy.threshold,
        canary: cx.new_rs.map(counts),
        stable: cx.stable_rs.map(counts),
        is_stable_counted: !(is_routed && strategy.is_stable_dynamic),
        others_available: if is_routed { 0 } else { total(cx.others().map(|rs| rs.status.available)) },
    })
}

fn counts(rs: &ReplicaSetView) -> ReplicaSetCounts {
    ReplicaSetCounts { spec: rs.replicas, available: rs.status.available, status: rs.status.replicas }
}

/// The sizes to move to now. The stable revision gives up pods only for traffic that is known to have moved.
fn next_counts(
    cx: &Context<'_>,
    at: &Position,
    weights: Option<&TrafficWeights>,
    strategy: &Canary<'_>,
) -> Counts {
    if !cx.is_routed() {
        let input = basic_input(cx, at, strategy);
        return replicas::basic_canary_counts(&input);
    }
    let set = routed_input(cx, at, strategy, weights);
    let observed = routed_input(cx, at, strategy, cx.status.canary.weights.as_ref());
    // As long as no weight is known, all traffic is the stable revision's.
    let unrouted = RecordedWeights { canary: 0, stable: cx.max_weight() };
    let observed = RoutedCanaryInput { weights: observed.weights.or(Some(unrouted)), ..observed };
    let next = Counts {
        canary: replicas::routed_canary_counts(&set).canary,
        stable: replicas::routed_canary_counts(&observed).stable,
    };
    with_traffic(cx, at, weights, next)
}

/// `counts`, where a canary that gets traffic keeps a pod, also where `setCanaryScale` takes all from it. Else the step would
/// wait for ever for a pod that is not allowed to go.
fn with_traffic(cx: &Context<'_>, at: &Position, weights: Option<&TrafficWeights>, counts: Counts) -> Counts {
    let has_traffic = weights.is_some_and(|weights| weights.canary.weight > 0) && !at.is_aborted;
    let is_on_trial = cx.new_rs.is_some_and(|rs| !cx.is_stable(rs)) && cx.replicas > 0;
    Counts { canary: counts.canary.max(i32::from(has_traffic && is_on_trial)), ..counts }
}

/// Pods that are not available hold no room: where nothing else can move, those of the revision that is to shrink go, and
/// a revision that is below its target gets the place of those of the other one, in one step. To take them costs nothing.
fn exchange(cx: &Context<'_>, at: &Position, strategy: &Canary<'_>) -> Option<Counts> {
    if cx.is_routed() {
        return None;
    }
    let input = basic_input(cx, at, strategy);
    let (canary, stable) = (input.canary?, input.stable?);
    let present = Counts { canary: canary.spec, stable: stable.spec };
    if replicas::basic_canary_counts(&input) != present {
        return None;
    }
    let target = replicas::basic_canary_target(&input);
    let idle = |counts: ReplicaSetCounts| (counts.spec - counts.available).max(0);
    let (to_canary, to_stable) = (target.canary - canary.spec, target.stable - stable.spec);
    // The stable pods that start are waited for where users are with an abandoned revision, and are to come back.
    let is_awaited = cx.others().any(|rs| capacity::is_served(cx, rs));
    let from_stable = if is_awaited { 0 } else { idle(stable).min(to_canary.max(-to_stable)).max(0) };
    // The new revision keeps what its step gives to it: else the two would take each other's place by turns.
    let from_canary = idle(canary).min(-to_canary).max(0);
    let next = if from_stable > 0 {
        Counts { canary: canary.spec + from_stable.min(to_canary.max(0)), stable: stable.spec - from_stable }
    } else {
        Counts { canary: canary.spec - from_canary, stable: stable.spec + from_canary.min(to_stable.max(0)) }
    };
    (next != present).then_some(next)
}

/// Whether the step gives the canary neither pods nor traffic: then its Service selects the stable revision, so that the
/// pods of the canary can go.
pub(super) fn is_canary_empty(cx: &Context<'_>, at: &Position, weights: Option<&TrafficWeights>) -> bool {
    let Some(strategy) = cx.canary() else { return false };
    let recorded = cx.status.canary.weights.as_ref();
    let has_traffic = cx.is_routed() && recorded.is_some_and(|weights| weights.canary.weight > 0);
    let is_on_trial = cx.new_rs.is_some_and(|rs| !cx.is_stable(rs)) && cx.stable_rs.is_some();
    is_on_trial && cx.replicas > 0 && !has_traffic && target_counts(cx, at, weights, strategy).canary == 0
}

/// The weight that the canary keeps while an abort, or a return to the stable template, takes its traffic away.
pub(super) fn abort_weight(cx: &Context<'_>, at: &Position) -> i32 {
    let Some(strategy) = cx.canary().filter(|_| cx.is_routed()) else { return 0 };
    let weights = cx.status.canary.weights.as_ref();
    replicas::abort_route_weight(&routed_input(cx, at, strategy, weights))
}

/// The sizes that the current step asks for in the end.
fn target_counts(
    cx: &Context<'_>,
    at: &Position,
    weights: Option<&TrafficWeights>,
    strategy: &Canary<'_>,
) -> Counts {
    if cx.is_routed() {
        let target = replicas::routed_canary_counts(&routed_input(cx, at, strategy, weights));
        with_traffic(cx, at, weights, target)
    } else {
        replicas::basic_canary_target(&basic_input(cx, at, strategy))
    }
}

fn position<'s>(cx: &Context<'_>, at: &Position, strategy: &'s Canary<'_>) -> CanaryPosition<'s> {
    let is_stable = cx.status.stable_rs.as_deref() == Some(cx.current_hash.as_str());
    CanaryPosition {
        steps: &strategy.step_sizes,
        index: at.index.or_else(|| cx.step_count()),
        max_weight: cx.max_weight(),
        is_aborted: at.is_aborted,
        is_promoted: !at.is_restarted && cx.is_promoting_full() || cx.status.stable_rs.is_none() || is_stable,
    }
}

fn basic_input<'s>(cx: &Context<'_>, at: &Position, strategy: &'s Canary<'_>) -> BasicCanaryInput<'s> {
    BasicCanaryInput {
        replicas: cx.replicas,
        limits: strategy.limits,
        position: position(cx, at, strategy),
        canary: cx.new_rs.map(counts),
        stable: cx.stable_rs.filter(|rs| !cx.is_new(rs)).map(counts),
        others_spec: total(cx.others().map(|rs| rs.replicas)),
    }
}

fn routed_input<'s>(
    cx: &Context<'_>,
    at: &Position,
    strategy: &'s Canary<'_>,
    weights: Option<&TrafficWeights>,
) -> RoutedCanaryInput<'s> {
    RoutedCanaryInput {
        replicas: cx.replicas,
        position: position(cx, at, strategy),
        canary: cx.new_rs.map(counts),
        stable: cx.stable_rs.map(counts),
        min_pods: strategy.min_pods,
        is_stable_dynamic: strategy.is_stable_dynamic,
        abort_delay: strategy.abort_delay,
        weights: weights.map(|w| RecordedWeights { canary: w.canary.weight, stable: w.stable.weight }),
    }
}

/// The other ReplicaSets, those with broken pods cut to what works, youngest revision first.
fn others_to_drain<'a>(cx: &Context<'a>, sizes: &mut Sizes<'a>) -> Vec<(&'a ReplicaSetView, i32)> {
    let mut others: Vec<_> = cx.others().filter(|rs| rs.replicas > 0).map(|rs| (rs, rs.replicas)).collect();
    for (rs, size) in &mut others {
        if rs.status.available < *size {
            *size = rs.status.available;
            scaling::scale(cx, sizes, rs, *size, false);
        }
    }
    others.retain(|(_, size)| *size > 0);
    others.sort_by_key(|(rs, _)| std::cmp::Reverse(rs.revision()));
    others
}

/// How many available pods there are beyond those that must be.
fn spare(cx: &Context<'_>, strategy: &Canary<'_>) -> i32 {
    cx.available_total().saturating_sub(cx.replicas - strategy.limits.unavailable)
}

/// Old pods still serve: they go as far as availability allows.
fn drain_by_pods<'a>(cx: &Context<'a>, sizes: &mut Sizes<'a>, strategy: &Canary<'_>, is_empty: bool) {
    let mut spare = spare(cx, strategy);
    for (rs, size) in others_to_drain(cx, sizes) {
        let cut = (size - capacity::served_floor(cx, rs, is_empty)).min(spare.max(0));
        if cut > 0 {
            scaling::scale(cx, sizes, rs, size - cut, false);
            spare -= cut;
        }
    }
}

/// Nothing routes to old pods: those of the last stable revision go after a delay, the rest at once.
fn drain_routed<'a>(cx: &Context<'a>, sizes: &mut Sizes<'a>, strategy: &Canary<'_>) {
    let others = others_to_drain(cx, sizes);
    if spare(cx, strategy) <= 0 {
        return;
    }
    let mut queue = DelayQueue::new(strategy.scale_down);
    let (leaving, present): (Vec<_>, Vec<_>) =
        others.into_iter().filter(|(rs, _)| !requests::reach(cx, rs)).unzip();
    if capacity::are_needed(cx, sizes, &leaving) {
        return;
    }
    for (rs, size) in leaving.into_iter().zip(present) {
        let was_stable = cx.is_fully_promoted() || rs.deadline() != Deadline::None;
        let size =
            if was_stable && !strategy.is_stable_dynamic { queue.size(cx, sizes, rs, size) } else { 0 };
        scaling::scale(cx, sizes, rs, size, false);
    }
}

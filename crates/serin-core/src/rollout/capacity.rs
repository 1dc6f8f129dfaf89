//! Which pods must stay, whatever the steps say: those that alone are available, and those that requests are sent to.

use super::context::Context;
use super::requests;
use super::sizes::Sizes;
use super::snapshot::{ReplicaSetView, ServiceView};
use super::views::total;

/// Whether users are sent to the pods of the ReplicaSet alone.
pub(super) fn is_served(cx: &Context<'_>, rs: &ReplicaSetView) -> bool {
    let selects = |service: &&ServiceView| service.selected_hash() == Some(rs.hash());
    let mut services = cx.snapshot.services.values().filter(selects);
    let stable = cx.status.canary.stable_ping_pong;
    services.any(|service| cx.spec.carries_users(&service.id.name, stable))
}

/// Whether no pod is available but those of the ReplicaSets that are `leaving`, once the others have the sizes that are
/// decided so far.
fn are_last(cx: &Context<'_>, sizes: &Sizes<'_>, leaving: &[&ReplicaSetView]) -> bool {
    let stays = |rs: &&&ReplicaSetView| leaving.iter().all(|other| other.id.uid != rs.id.uid);
    total(cx.owned.iter().filter(stays).map(|rs| rs.status.available.min(sizes.of(rs)))) <= 0
}

/// Whether ReplicaSets that are about to go are needed together: there are no other available pods.
pub(super) fn are_needed(cx: &Context<'_>, sizes: &Sizes<'_>, leaving: &[&ReplicaSetView]) -> bool {
    cx.replicas > 0 && are_last(cx, sizes, leaving)
}

/// Whether nothing but the ReplicaSet serves: no other pod is available, or users are sent to its pods alone. They go when
/// others do.
pub(super) fn is_needed(cx: &Context<'_>, sizes: &Sizes<'_>, rs: &ReplicaSetView) -> bool {
    let is_serving = rs.status.available > 0 && cx.spec.must_have_pods;
    is_serving && (are_last(cx, sizes, &[rs]) || is_served(cx, rs))
}

/// Pods that the ReplicaSet keeps for as long as a Service selects it, which is moved first: the last available one. The
/// Service moves to a revision that has an available pod, so that the rule gives way where there is room for a single pod
/// only. It does for the other Service of a ping-pong pair, too, where `is_empty` says that the step gives the new revision
/// neither pods nor traffic.
pub(super) fn served_floor(cx: &Context<'_>, rs: &ReplicaSetView, is_empty: bool) -> i32 {
    let is_selected = if cx.is_new(rs) && is_empty {
        requests::reach_but_by_trial(cx, rs)
    } else {
        requests::reach_by_service(cx, rs)
    };
    let is_served = is_selected && rs.replicas > 0 && rs.status.available > 0;
    let surge = cx.canary().map_or(0, |canary| canary.limits.surge);
    let has_room = cx.is_routed() || cx.replicas.saturating_add(surge) > 1;
    i32::from(is_served && cx.replicas > 0 && has_room)
}

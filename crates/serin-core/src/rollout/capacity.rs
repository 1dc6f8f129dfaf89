//! Which pods must stay, whatever the steps say.

use super::context::Context;
use super::draft::Draft;
use super::snapshot::{ReplicaSetView, ServiceView};
use super::views::total;
use crate::api::Rollout;
use crate::domain::replicas::fenceposts;

/// Whether the Rollout wants pods, and does not itself allow all of them to be missing for a while.
#[must_use]
pub fn may_not_be_empty(rollout: &Rollout) -> bool {
    let wanted = rollout.spec.replicas.unwrap_or(1);
    let by_pods = rollout.spec.strategy.canary.as_ref().filter(|c| c.traffic_routing.is_none());
    let unavailable = by_pods
        .map_or(0, |c| fenceposts(c.max_surge.as_ref(), c.max_unavailable.as_ref(), wanted).unavailable);
    wanted > unavailable
}

/// Whether users reach the Rollout through the Service whatever the weights are.
#[must_use]
pub fn carries_users(rollout: &Rollout, service: &str) -> bool {
    let canary = rollout.spec.strategy.canary.as_ref();
    let blue_green = rollout.spec.strategy.blue_green.as_ref();
    let side = rollout.status.as_ref().and_then(|status| status.canary.stable_ping_pong);
    let of_pair = canary.and_then(|c| c.ping_pong.as_ref()).map(|pair| pair.roles(side).0);
    let stable = canary.and_then(|c| c.stable_service.as_deref());
    let active = blue_green.map(|b| b.active_service.as_str());
    [of_pair, stable, active].contains(&Some(service))
}

/// Whether users are sent to the pods of the ReplicaSet alone.
pub(super) fn is_served(cx: &Context<'_>, rs: &ReplicaSetView) -> bool {
    let selects = |service: &&ServiceView| service.selected_hash() == Some(rs.hash());
    let mut services = cx.snapshot.services.values().filter(selects);
    services.any(|service| carries_users(cx.rollout, &service.id.name))
}

/// Whether nothing but the ReplicaSet serves once the plan so far is carried out: no other pod is available, or users are
/// sent to its pods alone. They go when others do.
pub(super) fn is_needed(cx: &Context<'_>, draft: &Draft, rs: &ReplicaSetView) -> bool {
    let others = cx.owned.iter().filter(|other| other.id.uid != rs.id.uid);
    let others = total(others.map(|other| other.status.available.min(draft.planned_size(other))));
    rs.status.available > 0 && may_not_be_empty(cx.rollout) && (others <= 0 || is_served(cx, rs))
}

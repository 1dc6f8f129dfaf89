//! Which pods must stay, whatever the steps say.

use super::context::Context;
use super::draft::Draft;
use super::snapshot::{ReplicaSetView, ServiceView};
use super::views::total;

/// Whether users are sent to the pods of the ReplicaSet alone.
pub(super) fn is_served(cx: &Context<'_>, rs: &ReplicaSetView) -> bool {
    let selects = |service: &&ServiceView| service.selected_hash() == Some(rs.hash());
    let mut services = cx.snapshot.services.values().filter(selects);
    services.any(|service| cx.spec.carries_users(&service.id.name, cx.status.canary.stable_ping_pong))
}

/// Whether nothing but the ReplicaSet serves once the plan so far is carried out: no other pod is available, or users are
/// sent to its pods alone. They go when others do.
pub(super) fn is_needed(cx: &Context<'_>, draft: &Draft, rs: &ReplicaSetView) -> bool {
    let others = cx.owned.iter().filter(|other| other.id.uid != rs.id.uid);
    let others = total(others.map(|other| other.status.available.min(draft.planned_size(other))));
    rs.status.available > 0 && cx.spec.must_have_pods && (others <= 0 || is_served(cx, rs))
}

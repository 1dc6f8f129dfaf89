//! The stable and the canary Service of a canary: which revision each selects.

use super::super::context::Context;
use super::super::draft::Draft;
use super::super::snapshot::ReplicaSetView;
use super::{ping_pong, route, scale};

/// Points both Services at their revisions, as soon as those can serve.
pub(super) fn point(cx: &Context<'_>, draft: &mut Draft) {
    let Some(canary) = cx.canary() else { return };
    let is_aborted = draft.is_aborted(cx);
    let of_stable = if !is_aborted && scale::must_hand_over(cx, draft) { cx.new_rs } else { cx.stable_rs };
    ping_pong::point(cx, draft, of_stable);
    point_when_able(cx, draft, canary.stable_service, of_stable);
    if route::is_rolling_back(cx) || is_aborted && scale::abort_weight(cx, draft) > 0 {
        // Requests still reach the canary through its Service.
        return;
    }
    let of_canary = if is_aborted || scale::is_canary_empty(cx, draft) { cx.stable_rs } else { cx.new_rs };
    point_when_able(cx, draft, canary.canary_service, of_canary);
    leave_abandoned(cx, draft, canary.canary_service);
}

/// A Service does not keep an abandoned revision, whose pods have to make room: it selects the stable one until the new
/// one can serve. Behind a router no pod has to make room.
fn leave_abandoned(cx: &Context<'_>, draft: &mut Draft, name: Option<&str>) {
    let (Some(service), Some(stable)) = (name.and_then(|name| cx.service(name)), cx.stable_rs) else {
        return;
    };
    let selected = draft.selected_hash(service);
    let is_abandoned = cx.others().any(|rs| rs.hash() == selected);
    if is_abandoned && !cx.is_routed() && stable.status.available > 0 {
        draft.point(cx, service, stable.hash());
    }
}

/// A Service that was never ours selects pods of the user's choosing; it is narrowed to one revision only when
/// that one is complete. Later one available pod is enough.
pub(super) fn point_when_able(
    cx: &Context<'_>,
    draft: &mut Draft,
    name: Option<&str>,
    rs: Option<&ReplicaSetView>,
) {
    let (Some(service), Some(rs)) = (name.and_then(|name| cx.service(name)), rs) else { return };
    if service.selected_hash() == Some(rs.hash()) {
        return;
    }
    let available = rs.status.available;
    let can_serve = available > 0 && (service.managed_by.is_some() || available >= rs.replicas);
    if can_serve {
        draft.point(cx, service, rs.hash());
    } else {
        draft.note(format!("Service {} waits for pods of {}", service.id.name, rs.id.name));
    }
}

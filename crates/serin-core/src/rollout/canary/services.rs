//! The stable and the canary Service of a canary: which revision each selects.

use super::super::context::Context;
use super::super::draft::Draft;
use super::super::selections::Selections;
use super::super::snapshot::ReplicaSetView;
use super::position::Position;
use super::{ping_pong, route, scale};

/// The revisions of both Services, as soon as those can serve.
pub(super) fn decide<'a>(cx: &Context<'a>, at: &Position, draft: &mut Draft) -> Selections<'a> {
    let mut selections = Selections::default();
    let Some(canary) = cx.canary() else { return selections };
    let weights = cx.status.canary.weights.as_ref();
    let hands_over = !at.is_aborted && scale::must_hand_over(cx, at, weights);
    let of_stable = if hands_over { cx.new_rs } else { cx.stable_rs };
    if let Some((stable, trial)) = ping_pong::roles(cx) {
        point_when_able(cx, &mut selections, Some(stable), of_stable, draft);
        ping_pong::point_trial(cx, &mut selections, trial);
    }
    point_when_able(cx, &mut selections, canary.stable_service, of_stable, draft);
    if route::is_rolling_back(cx) || at.is_aborted && scale::abort_weight(cx, at) > 0 {
        // Requests still reach the canary through its Service.
        return selections;
    }
    let leaves = at.is_aborted || scale::is_canary_empty(cx, at, weights);
    let of_canary = if leaves { cx.stable_rs } else { cx.new_rs };
    point_when_able(cx, &mut selections, canary.canary_service, of_canary, draft);
    leave_abandoned(cx, &mut selections, canary.canary_service);
    selections
}

/// A Service does not keep an abandoned revision, whose pods have to make room: it selects the stable one until the new
/// one can serve. Behind a router no pod has to make room.
fn leave_abandoned<'a>(cx: &Context<'a>, selections: &mut Selections<'a>, name: Option<&str>) {
    let (Some(service), Some(stable)) = (name.and_then(|name| cx.service(name)), cx.stable_rs) else {
        return;
    };
    let selected = selections.of(service);
    let is_abandoned = cx.others().any(|rs| rs.hash() == selected);
    if is_abandoned && !cx.is_routed() && stable.status.available > 0 {
        selections.point(service, stable.hash());
    }
}

/// A Service that was never ours selects pods of the user's choosing; it is narrowed to one revision only when
/// that one is complete. Later one available pod is enough.
fn point_when_able<'a>(
    cx: &Context<'a>,
    selections: &mut Selections<'a>,
    name: Option<&str>,
    rs: Option<&ReplicaSetView>,
    draft: &mut Draft,
) {
    let (Some(service), Some(rs)) = (name.and_then(|name| cx.service(name)), rs) else { return };
    if service.selected_hash() == Some(rs.hash()) {
        return;
    }
    let available = rs.status.available;
    let can_serve = available > 0 && (service.managed_by.is_some() || available >= rs.replicas);
    if can_serve {
        selections.point(service, rs.hash());
    } else {
        draft.note(format!("Service {} waits for pods of {}", service.id.name, rs.id.name));
    }
}

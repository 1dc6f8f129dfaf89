//! Ping and pong: two Services that take turns in being the stable one.
//!
//! Where other Services are moved from revision to revision, these stay with theirs, so that what is behind them - the
//! targets of a load balancer, say - need not change at the moment of a promotion. What changes then is which of the two
//! is the stable one, in the same write as the stable revision.

use super::super::context::Context;
use super::super::draft::Draft;
use super::super::snapshot::ReplicaSetView;
use super::services::point_when_able;
use crate::api::rollout_status::PingPongSide;

/// Points the one Service at the revision `of_stable`, should it select others, too; and, during an update, the other one
/// at the new revision, before that has pods.
pub(super) fn point(cx: &Context<'_>, draft: &mut Draft, of_stable: Option<&ReplicaSetView>) {
    let Some(pair) = cx.canary().and_then(|canary| canary.ping_pong) else { return };
    let (stable, trial) = pair.roles(cx.status.canary.stable_ping_pong);
    point_when_able(cx, draft, Some(stable), of_stable);
    if cx.is_fully_promoted() {
        return;
    }
    let (Some(service), Some(new)) = (cx.service(trial), cx.new_rs) else { return };
    if service.selected_hash() != Some(new.hash()) {
        draft.point(cx, service, new.hash());
    }
}

/// The stable one of the two once the new revision is the stable one.
pub(in super::super) fn turn(cx: &Context<'_>) -> Option<PingPongSide> {
    cx.canary()?.ping_pong?;
    Some(match cx.status.canary.stable_ping_pong {
        Some(PingPongSide::Ping) => PingPongSide::Pong,
        Some(PingPongSide::Pong) | None => PingPongSide::Ping,
    })
}

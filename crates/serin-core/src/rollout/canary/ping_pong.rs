//! Ping and pong: two Services that take turns in being the stable one.
//!
//! Where other Services are moved from revision to revision, these stay with theirs, so that what is behind them - the
//! targets of a load balancer, say - need not change at the moment of a promotion. What changes then is which of the two
//! is the stable one, in the same write as the stable revision.

use super::super::context::Context;
use super::super::selections::Selections;

/// The stable Service of the pair and the other one, if there is a pair.
pub(super) fn roles<'a>(cx: &Context<'a>) -> Option<(&'a str, &'a str)> {
    Some(cx.canary()?.ping_pong?.roles(cx.status.canary.stable_ping_pong))
}

/// Points the Service that is not the stable one at the new revision during an update, before that has pods.
pub(super) fn point_trial<'a>(cx: &Context<'a>, selections: &mut Selections<'a>, trial: &str) {
    if cx.is_fully_promoted() {
        return;
    }
    let (Some(service), Some(new)) = (cx.service(trial), cx.new_rs) else { return };
    if service.selected_hash() != Some(new.hash()) {
        selections.point(service, new.hash());
    }
}

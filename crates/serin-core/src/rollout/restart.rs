//! `spec.restartAt`: every pod that is older than that is evicted, as many at a time as may be missing. Where the user
//! says that none may, and there may be more pods than the Rollout asks for, one is added first.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::context::Context;
use super::draft::Draft;
use super::snapshot::{PodView, ReplicaSetView};
use super::views::total;
use serin_values::time::after;

/// Seconds after which a pod that could not be evicted is tried again; a change of any pod comes sooner.
const RETRY_SECONDS: i64 = 30;

/// Evicts pods that are to be restarted, the stable revision's first. Returns the restart that is done, once all pods are
/// replaced.
pub(super) fn advance(cx: &Context<'_>, draft: &mut Draft) -> Option<Time> {
    let done = cx.status.restarted_at.clone();
    let Some(at) = pending(cx) else { return done };
    if at.0 > cx.now {
        draft.wake_at(at.0);
        return done;
    }
    let due = due_pods(cx, at.0);
    if due.is_empty() {
        return if is_replaced(cx) { Some(at.clone()) } else { done };
    }
    for (pod, rs) in due.iter().take(usize::try_from(spare(cx)).unwrap_or(0)) {
        draft.evict(pod, rs);
    }
    draft.wake_at(after(cx.now, SignedDuration::from_secs(RETRY_SECONDS)));
    done
}

/// The restart that was asked for and is not done.
fn pending<'a>(cx: &Context<'a>) -> Option<&'a Time> {
    let at = cx.spec.restart_at?;
    (cx.status.restarted_at.as_ref() != Some(at)).then_some(at)
}

/// The size of the current revision for the time of a restart of its pods: one pod more than the Rollout asks for, where
/// its `maxUnavailable` is none and there may be more; that the default of 25 % is none of a few pods keeps nothing. It is
/// added between updates only, for within one all pods that may be added are the update's.
pub(super) fn size(cx: &Context<'_>) -> Option<i32> {
    let at = pending(cx).filter(|at| at.0 <= cx.now)?;
    let is_due = due_pods(cx, at.0).iter().any(|(_, rs)| cx.is_new(rs));
    (is_due && adds_first(cx)).then(|| cx.replicas.saturating_add(1))
}

fn adds_first(cx: &Context<'_>) -> bool {
    let Some(canary) = cx.canary() else { return false };
    let limits = canary.limits;
    let is_between = cx.is_fully_promoted() && !cx.is_changed() && !cx.is_halted();
    let is_asked_for = canary.common.sets_max_unavailable;
    is_asked_for && is_between && cx.replicas > 0 && limits.surge > 0 && limits.unavailable == 0
}

/// Whether there is a new pod for each that was evicted.
fn is_replaced(cx: &Context<'_>) -> bool {
    let pods_of =
        |rs: &ReplicaSetView| cx.snapshot.pods.iter().filter(|pod| pod.owner_uid == rs.id.uid).count();
    let is_full = |rs: &&ReplicaSetView| usize::try_from(rs.replicas).is_ok_and(|size| pods_of(rs) >= size);
    cx.available_total() >= cx.replicas && going(cx) == 0 && cx.owned.iter().all(is_full)
}

fn due_pods<'a>(cx: &Context<'a>, at: Timestamp) -> Vec<(&'a PodView, &'a ReplicaSetView)> {
    let rank = |rs: &ReplicaSetView| match (cx.is_stable(rs), cx.is_new(rs)) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    };
    let mut sets = cx.owned.clone();
    sets.sort_by_key(|rs| rank(rs));
    let is_due = |pod: &&PodView| !pod.deleting && pod.created < at;
    let due = cx.snapshot.pods.iter().filter(is_due);
    sets.into_iter()
        .flat_map(|rs| due.clone().filter(|pod| pod.owner_uid == rs.id.uid).map(move |pod| (pod, rs)))
        .collect()
}

/// How many available pods there are beyond those that must be; pods that are going count as gone already.
fn spare(cx: &Context<'_>) -> i32 {
    let adds_first = adds_first(cx);
    let fewest = i32::from(!adds_first);
    let unavailable = cx.spec.common().restart_limit.max(fewest);
    let sizes = cx.owned.iter().map(|rs| match rs.replicas {
        size if adds_first && cx.is_new(rs) => size.min(cx.replicas),
        size => size,
    });
    let wanted = cx.replicas.max(total(sizes));
    cx.available_total().saturating_sub(going(cx)).saturating_sub(wanted.saturating_sub(unavailable))
}

fn going(cx: &Context<'_>) -> i32 {
    let going = cx.snapshot.pods.iter().filter(|pod| pod.deleting).count();
    i32::try_from(going).unwrap_or(i32::MAX)
}

//! `spec.restartAt`: every pod that is older than that is evicted, as many at a time as may be missing.

use jiff::{SignedDuration, Timestamp};

use super::context::{Context, Strategy};
use super::draft::Draft;
use super::snapshot::{PodView, ReplicaSetView};
use super::views::total;
use crate::domain::replicas::IntOrPercent;
use crate::domain::time::after;

/// Seconds after which a pod that could not be evicted is tried again; a change of any pod comes sooner.
const RETRY_SECONDS: i64 = 30;

/// Evicts pods that are to be restarted, the stable revision's first, and records when all of them are replaced.
pub(super) fn advance(cx: &Context<'_>, draft: &mut Draft) {
    let Some(at) = cx.rollout.spec.restart_at.as_ref() else { return };
    if cx.status.restarted_at.as_ref() == Some(at) {
        return;
    }
    if at.0 > cx.now {
        draft.wake_at(at.0);
        return;
    }
    let due = due_pods(cx, at.0);
    if due.is_empty() {
        if is_replaced(cx) {
            draft.status.restarted_at = Some(at.clone());
        }
        return;
    }
    for pod in due.iter().take(usize::try_from(spare(cx)).unwrap_or(0)) {
        draft.evict(pod);
    }
    draft.wake_at(after(cx.now, SignedDuration::from_secs(RETRY_SECONDS)));
}

/// Whether there is a new pod for each that was evicted.
fn is_replaced(cx: &Context<'_>) -> bool {
    let pods_of =
        |rs: &ReplicaSetView| cx.snapshot.pods.iter().filter(|pod| pod.owner_uid == rs.id.uid).count();
    let is_full = |rs: &&ReplicaSetView| usize::try_from(rs.replicas).is_ok_and(|size| pods_of(rs) >= size);
    cx.available_total() >= cx.replicas && going(cx) == 0 && cx.owned.iter().all(is_full)
}

fn due_pods<'a>(cx: &Context<'a>, at: Timestamp) -> Vec<&'a PodView> {
    let rank = |rs: &ReplicaSetView| match (cx.is_stable(rs), cx.is_new(rs)) {
        (true, _) => 0,
        (false, true) => 1,
        (false, false) => 2,
    };
    let mut sets = cx.owned.clone();
    sets.sort_by_key(|rs| rank(rs));
    let pods_of = |rs: &ReplicaSetView| {
        let uid = rs.id.uid.clone();
        cx.snapshot.pods.iter().filter(move |pod| pod.owner_uid == uid)
    };
    sets.into_iter().flat_map(pods_of).filter(|pod| !pod.deleting && pod.created < at).collect()
}

/// How many available pods there are beyond those that must be; pods that are going count as gone already.
fn spare(cx: &Context<'_>) -> i32 {
    let field = match cx.strategy {
        Strategy::Canary(canary) => canary.max_unavailable.as_ref(),
        Strategy::BlueGreen(blue_green) => blue_green.max_unavailable.as_ref(),
    };
    let limit = field.map_or(Some(IntOrPercent::DEFAULT), IntOrPercent::parse);
    let unavailable = limit.map_or(0, |limit| limit.rounded_down(cx.replicas)).max(1);
    let wanted = cx.replicas.max(total(cx.owned.iter().map(|rs| rs.replicas)));
    cx.available_total().saturating_sub(going(cx)).saturating_sub(wanted.saturating_sub(unavailable))
}

fn going(cx: &Context<'_>) -> i32 {
    let going = cx.snapshot.pods.iter().filter(|pod| pod.deleting).count();
    i32::try_from(going).unwrap_or(i32::MAX)
}

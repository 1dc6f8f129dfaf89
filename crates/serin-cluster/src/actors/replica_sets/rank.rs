//! Which pods go first when a ReplicaSet shrinks.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::pods::{is_active, is_ready, ready_since};
use super::controlled::{REPLICA_SETS, controlled};
use crate::view::{Object, View};

/// The annotation that says how much is lost with a pod.
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";

/// The pods of `active`, those first that are to go first: without a node, pending, not ready, cheap, together with many
/// others of the same owner on a node, young in readiness, often restarted, young. Ages differ only by powers of two.
pub(super) fn first_to_go<'a>(
    view: &View,
    set: &Object,
    active: &[&'a Object],
    now: Timestamp,
) -> Vec<&'a Object> {
    let crowds = crowds(view, set);
    let mut pods = active.to_vec();
    pods.sort_by_cached_key(|pod| {
        let node = pod.text("/spec/nodeName");
        let cost = pod.annotation(DELETION_COST).and_then(|cost| cost.parse::<i64>().ok()).unwrap_or(0);
        let crowd = crowds.get(node).copied().unwrap_or(0);
        let restarts: i64 =
            pod.list("/status/containerStatuses").filter_map(|c| c["restartCount"].as_i64()).sum();
        (
            (!node.is_empty(), phase_rank(pod.text("/status/phase")), is_ready(pod), cost, Reverse(crowd)),
            (ready_since(pod).map(|since| magnitude(since, now)), Reverse(restarts)),
            pod.time("/metadata/creationTimestamp").map(|time| magnitude(time, now)),
            pod.uid().to_owned(),
        )
    });
    pods
}

fn phase_rank(phase: &str) -> u8 {
    match phase {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    }
}

/// The age of `time` as a power of two of nanoseconds.
fn magnitude(time: Timestamp, now: Timestamp) -> Option<u32> {
    u128::try_from(now.duration_since(time).as_nanos()).ok()?.checked_ilog2()
}

/// How many active pods of ReplicaSets with the same owner each node has.
fn crowds(view: &View, set: &Object) -> BTreeMap<String, usize> {
    let owner = set.controller().map(|owner| owner.uid);
    let siblings = view.within(REPLICA_SETS, set.namespace()).filter(|other| {
        other.uid() == set.uid() || (owner.is_some() && other.controller().map(|owner| owner.uid) == owner)
    });
    let mut crowds = BTreeMap::new();
    for sibling in siblings {
        for pod in controlled(view, sibling).filter(|pod| is_active(pod)) {
            *crowds.entry(pod.text("/spec/nodeName").to_owned()).or_insert(0) += 1;
        }
    }
    crowds
}

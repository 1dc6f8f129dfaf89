//! The status of a ReplicaSet.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::pods::{available_at, is_ready};
use super::super::request::{is_merged, nonzero, with_condition};
use crate::view::{Object, texts};

/// The changes that the status of `set` needs, if any, and when a pod becomes available next.
pub(super) fn status(
    set: &Object,
    active: &[&Object],
    failure: Option<&str>,
    now: Timestamp,
) -> (Option<Value>, Option<Timestamp>) {
    let labels = texts(set.at("/spec/template/metadata/labels"));
    let min_ready = set.integer("/spec/minReadySeconds").unwrap_or(0);
    let is_labelled = |pod: &Object| labels.iter().all(|(key, value)| pod.label(key) == Some(value));
    let count = |holds: &dyn Fn(&Object) -> bool| {
        nonzero(i64::try_from(active.iter().filter(|pod| holds(pod)).count()).unwrap_or(i64::MAX))
    };
    let available: Vec<Timestamp> = active.iter().filter_map(|pod| available_at(pod, min_ready)).collect();
    let wake = available.iter().filter(|time| **time > now).min().copied();
    let is_available = |pod: &Object| available_at(pod, min_ready).is_some_and(|time| time <= now);
    let patch = json!({
        "replicas": active.len(),
        "fullyLabeledReplicas": count(&is_labelled),
        "readyReplicas": count(&|pod| is_ready(pod)),
        "availableReplicas": count(&is_available),
        "observedGeneration": set.at("/metadata/generation"),
        "conditions": conditions(set, failure, now),
    });
    let is_new = !is_merged(set.at("/status"), &patch);
    (is_new.then_some(patch), wake)
}

fn conditions(set: &Object, failure: Option<&str>, now: Timestamp) -> Value {
    let present: Vec<Value> = set.list("/status/conditions").cloned().collect();
    let conditions = match failure {
        Some(message) => {
            let is_said = set.is_true("ReplicaFailure");
            // The first refusal stands until it is over.
            if is_said {
                present
            } else {
                with_condition(&present, "ReplicaFailure", ("True", "FailedCreate", message), now)
            }
        }
        None => present.into_iter().filter(|condition| condition["type"] != "ReplicaFailure").collect(),
    };
    if conditions.is_empty() { Value::Null } else { conditions.into() }
}

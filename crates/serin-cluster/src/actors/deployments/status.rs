//! The status of a Deployment.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{available, replicas};
use super::limits::limits;
use super::sight::Sight;
use crate::actors::request::{is_merged, nonzero, seconds, with_condition};
use crate::view::Object;
use serin_values::time::after;

/// Whether all pods are new and available.
pub(super) fn is_complete(sight: &Sight<'_>) -> bool {
    let wanted = replicas(sight.deployment);
    let count = |sets: &mut dyn Iterator<Item = &Object>| sets.map(present).sum::<i64>();
    sight.new.is_some_and(|new| present(new) == wanted)
        && count(&mut sight.all()) == wanted
        && sight.all().map(available).sum::<i64>() >= wanted
}

fn present(set: &Object) -> i64 {
    set.integer("/status/replicas").unwrap_or(0)
}

/// The changes that the status needs, if any, and when the deadline of progress is over.
pub(super) fn status(sight: &Sight<'_>, now: Timestamp) -> (Option<Value>, Option<Timestamp>) {
    let deployment = sight.deployment;
    let total_available = sight.all().map(available).sum::<i64>();
    let ready = sight.all().filter_map(|set| set.integer("/status/readyReplicas")).sum();
    let mut patch = json!({
        "observedGeneration": deployment.at("/metadata/generation"),
        "replicas": nonzero(sight.all().map(present).sum()),
        "updatedReplicas": nonzero(sight.new.map_or(0, present)),
        "readyReplicas": nonzero(ready),
        "availableReplicas": nonzero(total_available),
        "unavailableReplicas": nonzero((sight.total() - total_available).max(0)),
    });
    let has_moved = !is_merged(deployment.at("/status"), &patch);
    let least = replicas(deployment) - limits(deployment).unavailable;
    let (value, reason, message) = if total_available >= least {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let conditions: Vec<Value> = deployment.list("/status/conditions").cloned().collect();
    let conditions = updated(&conditions, "Available", (value, reason, message), false, now);
    let (progress, wake) = progress(sight, &conditions, has_moved, now);
    let (value, reason, message) = progress;
    let conditions = updated(&conditions, "Progressing", (value, reason, &message), has_moved, now);
    patch["conditions"] = conditions.into();
    (Some(patch).filter(|patch| !is_merged(deployment.at("/status"), patch)), wake)
}

type Said = (&'static str, &'static str, String);

fn progress(
    sight: &Sight<'_>,
    conditions: &[Value],
    has_moved: bool,
    now: Timestamp,
) -> (Said, Option<Timestamp>) {
    let name = sight.new.map_or("", Object::name);
    if sight.deployment.at("/spec/paused") == true {
        return (("Unknown", "DeploymentPaused", "Deployment is paused".to_owned()), None);
    }
    if is_complete(sight) {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        return (("True", "NewReplicaSetAvailable", message), None);
    }
    let old = conditions.iter().find(|condition| condition["type"] == "Progressing");
    let is_moving = old
        .is_none_or(|old| old["reason"] == "NewReplicaSetAvailable" || old["reason"] == "DeploymentPaused");
    let patience = sight.deployment.integer("/spec/progressDeadlineSeconds").unwrap_or(600);
    let since =
        old.filter(|_| !has_moved && !is_moving).and_then(|old| old["lastUpdateTime"].as_str()?.parse().ok());
    let patience = Duration::from_secs(u64::try_from(patience).unwrap_or(0));
    let deadline = after(since.unwrap_or(now), patience);
    let is_over = old.is_some_and(|old| old["reason"] == "ProgressDeadlineExceeded") && !has_moved;
    if is_over || deadline <= now {
        let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
        return (("False", "ProgressDeadlineExceeded", message), None);
    }
    (("True", "ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing.")), Some(deadline))
}

/// As [`with_condition`], with the time of the last news that Deployments have besides.
fn updated(
    conditions: &[Value],
    kind: &str,
    said: (&str, &str, &str),
    has_moved: bool,
    now: Timestamp,
) -> Vec<Value> {
    let old = conditions.iter().find(|condition| condition["type"] == kind);
    let is_news = has_moved
        || old
            .is_none_or(|old| old["status"] != said.0 || old["reason"] != said.1 || old["message"] != said.2);
    let mut conditions = with_condition(conditions, kind, said, now);
    for condition in conditions.iter_mut().filter(|condition| is_news && condition["type"] == kind) {
        condition["lastUpdateTime"] = seconds(now).into();
    }
    conditions
}

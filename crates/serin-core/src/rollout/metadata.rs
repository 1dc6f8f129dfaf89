//! Ephemeral metadata: labels and annotations that pods carry only while their revision has a role.
//!
//! They are put on the ReplicaSet's template for pods to come, and on live pods in place, so that no pod restarts
//! when its revision changes its role. The ReplicaSet remembers in an annotation what was put on it.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::context::Context;
use super::draft::Draft;
use super::snapshot::{PodView, ReplicaSetView};
use crate::api::keys;
use crate::domain::plan::Purpose;
use crate::domain::template::EphemeralMetadata as Ephemeral;
use serin_values::selector::asks_for;
use serin_values::time::after;

fn is_empty(metadata: &Ephemeral) -> bool {
    metadata.labels.is_empty() && metadata.annotations.is_empty()
}

/// What the ReplicaSet's annotation says.
pub(super) fn annotation(metadata: &Ephemeral) -> Option<String> {
    if is_empty(metadata) { None } else { serde_json::to_string(metadata).ok() }
}

/// The merge patch that brings an object's `metadata` from `earlier` to `wanted`, nothing if it is so already.
fn patch(
    wanted: &Ephemeral,
    earlier: &Ephemeral,
    labels: &BTreeMap<String, String>,
    annotations: &BTreeMap<String, String>,
) -> Option<Value> {
    let mut patch = Map::new();
    let labels = changes(&wanted.labels, &earlier.labels, labels);
    let annotations = changes(&wanted.annotations, &earlier.annotations, annotations);
    if !labels.is_empty() {
        patch.insert("labels".into(), labels.into());
    }
    if !annotations.is_empty() {
        patch.insert("annotations".into(), annotations.into());
    }
    (!patch.is_empty()).then(|| json!({"metadata": patch}))
}

/// The merge patch of a new template that has none of it.
pub(super) fn template_patch(wanted: &Ephemeral) -> Value {
    patch(wanted, &Ephemeral::default(), &BTreeMap::new(), &BTreeMap::new()).unwrap_or_else(|| json!({}))
}

fn changes(
    wanted: &BTreeMap<String, String>,
    earlier: &BTreeMap<String, String>,
    live: &BTreeMap<String, String>,
) -> Map<String, Value> {
    let added = wanted.iter().filter(|(key, value)| live.get(*key) != Some(value));
    let dropped = earlier.keys().filter(|key| !wanted.contains_key(*key) && live.contains_key(*key));
    added
        .map(|(key, value)| (key.clone(), Value::from(value.clone())))
        .chain(dropped.map(|key| (key.clone(), Value::Null)))
        .collect()
}

/// The roles' metadata: of the revision that serves by default, and of the one on trial.
fn roles<'a>(cx: &Context<'a>) -> (&'a Ephemeral, &'a Ephemeral) {
    let common = cx.spec.common();
    (&common.stable_metadata, &common.trial_metadata)
}

/// What the ReplicaSet of a new template is made with.
pub(super) fn of_created(cx: &Context<'_>, hash: &str) -> Ephemeral {
    let (stable, trial) = roles(cx);
    if cx.stable_rs.is_some_and(|rs| rs.hash() != hash) { trial } else { stable }.clone()
}

fn of_existing(cx: &Context<'_>, rs: &ReplicaSetView) -> Ephemeral {
    let (stable, trial) = roles(cx);
    let promoted = cx.status.stable_rs.as_ref().is_none_or(|hash| *hash == cx.current_hash);
    match (cx.is_new(rs), cx.is_stable(rs)) {
        (true, _) if promoted => stable.clone(),
        (true, _) => trial.clone(),
        (false, true) => stable.clone(),
        (false, false) => Ephemeral::default(),
    }
}

/// Whether pods need the label to belong to their ReplicaSet. Nobody put it there for a time, whatever the record says.
fn is_needed(cx: &Context<'_>, key: &str) -> bool {
    key == keys::POD_HASH_LABEL || cx.spec.selector.is_some_and(|s| asks_for(s, key))
}

/// Gives every ReplicaSet that has pods, and those pods, the metadata of its role.
pub(super) fn sync(cx: &Context<'_>, draft: &mut Draft) {
    for rs in cx.owned.iter().copied().filter(|rs| rs.replicas > 0) {
        let wanted = of_existing(cx, rs);
        let mut earlier = rs.injected();
        earlier.labels.retain(|key, _| !is_needed(cx, key));
        if is_empty(&wanted) && !rs.annotations.contains_key(keys::EPHEMERAL_METADATA) {
            continue;
        }
        let pods = cx.snapshot.pods.iter().filter(|pod| pod.owner_uid == rs.id.uid && !pod.deleting);
        let stale: Vec<_> =
            pods.filter_map(|pod| Some((pod, pod_patch(cx, pod, &wanted, &earlier)?))).collect();
        let record = if stale.is_empty() { wanted.clone() } else { with_dropped(cx, &wanted, &earlier) };
        if record != wanted {
            draft.wake_at(after(cx.now, CLEANED));
        }
        label_replica_set(draft, rs, &wanted, &earlier, &record);
        for (pod, patch) in stale {
            draft.patch_pod(pod, &patch);
        }
    }
}

/// When pods whose labels were taken away are looked at again, so that the record of those ends.
const CLEANED: SignedDuration = SignedDuration::from_secs(2);

/// What a ReplicaSet records while its pods still carry metadata that no role has any more: without the record nobody
/// would know of it if the controller ended now.
fn with_dropped(cx: &Context<'_>, wanted: &Ephemeral, earlier: &Ephemeral) -> Ephemeral {
    let (stable, trial) = roles(cx);
    let add = |wanted: &BTreeMap<String, String>,
               earlier: &BTreeMap<String, String>,
               roles: [&BTreeMap<String, String>; 2]| {
        let dropped = earlier.iter().filter(|(key, _)| roles.iter().all(|role| !role.contains_key(*key)));
        let dropped = dropped.map(|(key, value)| (key.clone(), value.clone()));
        dropped.chain(wanted.clone()).collect()
    };
    Ephemeral {
        labels: add(&wanted.labels, &earlier.labels, [&stable.labels, &trial.labels]),
        annotations: add(
            &wanted.annotations,
            &earlier.annotations,
            [&stable.annotations, &trial.annotations],
        ),
    }
}

fn label_replica_set(
    draft: &mut Draft,
    rs: &ReplicaSetView,
    wanted: &Ephemeral,
    earlier: &Ephemeral,
    record: &Ephemeral,
) {
    let map = |field: &str| -> BTreeMap<String, String> {
        let value = rs.template.pointer(&format!("/metadata/{field}")).cloned();
        value.and_then(|map| serde_json::from_value(map).ok()).unwrap_or_default()
    };
    let template = patch(wanted, earlier, &map("labels"), &map("annotations"));
    let recorded = annotation(record).map_or(Value::Null, Value::from);
    let is_recorded = rs.annotations.get(keys::EPHEMERAL_METADATA).map(String::as_str) == recorded.as_str();
    if template.is_none() && is_recorded {
        return;
    }
    let mut patch = json!({"metadata": {"annotations": {keys::EPHEMERAL_METADATA: recorded}}});
    if let Some(template) = template {
        patch["spec"] = json!({"template": template});
    }
    draft.patch_replica_set(rs, &patch, Purpose::LabelReplicaSet);
}

/// A pod may have been made before or after its ReplicaSet was labelled, so every role's keys are looked at.
fn pod_patch(cx: &Context<'_>, pod: &PodView, wanted: &Ephemeral, earlier: &Ephemeral) -> Option<Value> {
    let (stable, trial) = roles(cx);
    let mut known = earlier.clone();
    for role in [stable, trial] {
        known.labels.extend(role.labels.clone());
        known.annotations.extend(role.annotations.clone());
    }
    let template = cx.spec.template;
    known.labels.retain(|key, _| !template.labels().contains_key(key.as_str()));
    known.annotations.retain(|key, _| !template.annotations().contains_key(key.as_str()));
    patch(wanted, &known, &pod.labels, &pod.annotations)
}

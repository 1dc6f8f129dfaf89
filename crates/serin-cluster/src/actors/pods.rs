//! What controllers ask of pods.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::{Value, json};

use super::request::{Call, controlled_by};
use crate::view::{Object, Place, View, texts};
use serin_values::selector::selects;
use serin_values::time::after;

/// The resource of pods.
pub(super) const PODS: &str = "pods";

/// Where `pod` is.
pub(super) fn pod_place(pod: &Object) -> Place {
    Place::new(PODS, pod.namespace(), pod.name())
}

/// Whether the pod counts: it neither has ended nor is being deleted.
pub(super) fn is_active(pod: &Object) -> bool {
    !is_over(pod) && !pod.is_deleted()
}

/// Whether the pod has ended.
pub(super) fn is_over(pod: &Object) -> bool {
    matches!(pod.text("/status/phase"), "Succeeded" | "Failed")
}

/// Whether the pod is ready.
pub(super) fn is_ready(pod: &Object) -> bool {
    pod.is_true("Ready")
}

/// Since when the pod is ready.
pub(super) fn ready_since(pod: &Object) -> Option<Timestamp> {
    let condition = pod.condition("Ready").filter(|condition| condition["status"] == "True")?;
    condition["lastTransitionTime"].as_str()?.parse().ok()
}

/// When a ready pod is available; none for one that is not ready.
pub(super) fn available_at(pod: &Object, min_ready_seconds: i64) -> Option<Timestamp> {
    if min_ready_seconds == 0 {
        return is_ready(pod).then_some(Timestamp::MIN);
    }
    let since = ready_since(pod)?;
    Some(after(since, SignedDuration::from_secs(min_ready_seconds)))
}

/// Whether the label selector `selector`, as JSON, selects an object with the labels of `object`.
pub(super) fn is_selected(selector: &Value, object: &Object) -> bool {
    serde_json::from_value::<LabelSelector>(selector.clone())
        .is_ok_and(|selector| selects(&selector, &object.labels()))
}

/// Whether a plain map of labels selects `object`; an empty map selects nothing.
pub(super) fn has_labels(wanted: &Value, object: &Object) -> bool {
    let wanted = texts(wanted);
    !wanted.is_empty() && wanted.iter().all(|(key, value)| object.label(key) == Some(value))
}

/// The pod that `owner` makes from the template at `/spec/template`.
pub(super) fn pod_of(owner: &Object) -> Value {
    let template = owner.at("/spec/template");
    let mut metadata = json!({
        "generateName": format!("{}-", owner.name()),
        "namespace": owner.namespace(),
        "ownerReferences": [controlled_by(owner)],
    });
    for field in ["labels", "annotations", "finalizers"] {
        let value = &template["metadata"][field];
        if !value.is_null() {
            metadata[field] = value.clone();
        }
    }
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})
}

/// Makes `owner` the controller of `object` at `place`.
pub(super) fn adopt(view: &View, place: &Place, object: &Object, owner: &Object) -> Call {
    let mut owners: Vec<Value> = object.list("/metadata/ownerReferences").cloned().collect();
    owners.push(controlled_by(owner));
    Call::patch(view, place, object, json!({"metadata": {"ownerReferences": owners}}))
}

/// Takes `object` at `place` from the owner `uid`.
pub(super) fn release(view: &View, place: &Place, object: &Object, uid: &str) -> Call {
    let owners = object.list("/metadata/ownerReferences").filter(|owner| owner["uid"] != uid);
    let owners: Vec<Value> = owners.cloned().collect();
    Call::patch(view, place, object, json!({"metadata": {"ownerReferences": owners}}))
}

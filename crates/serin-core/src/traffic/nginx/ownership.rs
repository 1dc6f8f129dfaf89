//! Which Ingresses, and which annotations of one, are the Rollout's own.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::op::patch_op;
use crate::domain::plan::Op;
use crate::traffic::error::TrafficError;

/// Refuses a canary Ingress that the Rollout with `uid` does not control.
pub(super) fn check_is_ours(rollout: &str, uid: &str, canary: &Value) -> Result<(), TrafficError> {
    let controller = controller_of(canary);
    if controller.and_then(|owner| owner.get("uid")).and_then(Value::as_str) == Some(uid) {
        return Ok(());
    }
    let text =
        |owner: &Value, field: &str| owner.get(field).and_then(Value::as_str).unwrap_or("?").to_owned();
    Err(TrafficError::ForeignIngress {
        ingress: canary.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default().to_owned(),
        rollout: rollout.to_owned(),
        owner: controller.map_or_else(
            || "it has no controller".to_owned(),
            |owner| format!("{} {} (uid {})", text(owner, "kind"), text(owner, "name"), text(owner, "uid")),
        ),
    })
}

fn controller_of(object: &Value) -> Option<&Value> {
    object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array)?
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))
}

/// Annotations of `object` that `manager` set and nobody else did, by what the API server recorded.
///
/// Empty when the record is missing; then no annotation is ever taken away.
pub(super) fn annotations_of<'v>(object: &'v Value, manager: &str) -> BTreeSet<&'v str> {
    let entries = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let keys_where = |ours: bool| -> BTreeSet<&'v str> {
        entries
            .into_iter()
            .flatten()
            .filter(|entry| (entry.get("manager").and_then(Value::as_str) == Some(manager)) == ours)
            .filter_map(|entry| entry.pointer("/fieldsV1/f:metadata/f:annotations")?.as_object())
            .flat_map(Map::keys)
            .filter_map(|field| field.strip_prefix("f:"))
            .collect()
    };
    &keys_where(true) - &keys_where(false)
}

/// What to write so that a canary Ingress that its Rollout no longer refers to gets no more traffic.
///
/// Without it the last weight would go on serving for as long as the Rollout lives. Nothing when the Ingress is
/// not marked as a canary, has no weight, or is somebody else's.
pub fn release(uid: &str, canary: &Value) -> Result<Option<Op>, TrafficError> {
    if check_is_ours("", uid, canary).is_err() {
        return Ok(None);
    }
    let annotations = canary.pointer("/metadata/annotations").and_then(Value::as_object);
    let zeros: Map<String, Value> = annotations
        .into_iter()
        .flatten()
        .filter(|(key, value)| key.ends_with("/canary-weight") && *value != "0")
        .map(|(key, _)| (key.clone(), Value::from("0")))
        .collect();
    if zeros.is_empty() {
        return Ok(None);
    }
    patch_op(canary, json!({"metadata": {"annotations": zeros}}), 0).map(Some)
}

//! The writes of canary Ingresses.

use serde_json::Value;

use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Action, ObjectKind, Op, Precondition, Purpose};
use crate::traffic::error::TrafficError;

/// Should the Ingress exist by the time it is created, it has to be read and rendered again: it may be ours.
pub(super) fn create_op(name: String, body: Value, weight: i32) -> Op {
    let message = format!("Creating canary ingress `{name}` with weight `{weight}`");
    ingress_op(
        name,
        Action::Create { body },
        weight,
        EventNote::new(EventReason::CreatingCanaryIngress, message),
    )
}

/// Changes a canary Ingress that must still be as it was read.
pub(super) fn patch_op(canary: &Value, patch: Value, weight: i32) -> Result<Op, TrafficError> {
    let name = required(canary, "", "metadata.name", "/metadata/name")?;
    let uid = required(canary, name, "metadata.uid", "/metadata/uid")?;
    let version = required(canary, name, "metadata.resourceVersion", "/metadata/resourceVersion")?;
    let precondition = Precondition { uid: uid.to_owned(), resource_version: version.to_owned() };
    let message = format!("Updating Ingress `{name}` to desiredWeight '{weight}'");
    let event = EventNote::new(EventReason::PatchingCanaryIngress, message);
    Ok(ingress_op(name.to_owned(), Action::Patch { precondition, patch }, weight, event))
}

fn ingress_op(name: String, action: Action, weight: i32, event: EventNote) -> Op {
    let purposes = vec![Purpose::Route { weight }];
    Op { kind: ObjectKind::Ingress, namespace: None, name, action, purposes, events: vec![event] }
}

/// The text of a field that the API server always sets.
pub(super) fn required<'v>(
    ingress: &'v Value,
    name: &str,
    field: &'static str,
    pointer: &str,
) -> Result<&'v str, TrafficError> {
    ingress
        .pointer(pointer)
        .and_then(Value::as_str)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| TrafficError::Incomplete { kind: "Ingress", name: name.to_owned(), field })
}

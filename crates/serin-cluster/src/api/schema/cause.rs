//! The causes of a refusal, worded as the API server does.

use serde_json::{Value, json};

use super::super::status::{Cause, Reason, Status};

/// The path of causes that belong to no field.
pub(super) const NO_FIELD: &str = "<nil>";

pub(super) fn cause(reason: &str, field: impl Into<String>, message: impl Into<String>) -> Cause {
    Cause { reason: reason.to_owned(), message: message.into(), field: field.into() }
}

/// A field that must be there; `detail` may be empty.
pub(super) fn required(field: impl Into<String>, detail: &str) -> Cause {
    let message =
        if detail.is_empty() { "Required value".to_owned() } else { format!("Required value: {detail}") };
    cause("FieldValueRequired", field, message)
}

pub(super) fn forbidden(field: impl Into<String>, detail: &str) -> Cause {
    cause("FieldValueForbidden", field, format!("Forbidden: {detail}"))
}

pub(super) fn invalid_value(field: impl Into<String>, value: &Value, detail: &str) -> Cause {
    cause("FieldValueInvalid", field, format!("Invalid value: {value}: {detail}"))
}

/// A value that is none of those that are allowed.
pub(super) fn unsupported<'a>(
    field: impl Into<String>,
    value: &Value,
    supported: impl Iterator<Item = &'a str>,
) -> Cause {
    let supported: Vec<String> = supported.map(|value| format!("{value:?}")).collect();
    let message = format!("Unsupported value: {value}: supported values: {}", supported.join(", "));
    cause("FieldValueNotSupported", field, message)
}

/// The refusal of the object `name` of a kind for `causes`, of which there is at least one.
#[must_use]
pub fn invalid(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Status {
    let texts: Vec<String> =
        causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect();
    let text = if let [one] = texts.as_slice() { one.clone() } else { format!("[{}]", texts.join(", ")) };
    let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    let causes: Vec<Value> = causes
        .iter()
        .map(|cause| json!({"reason": cause.reason, "message": cause.message, "field": cause.field}))
        .collect();
    let mut details = json!({"name": name, "kind": kind, "causes": causes});
    if !group.is_empty() {
        details["group"] = Value::from(group);
    }
    Status::with(Reason::Invalid, format!("{qualified} {name:?} is invalid: {text}"), details)
}

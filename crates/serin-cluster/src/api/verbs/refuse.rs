//! The refusals of a Kubernetes API, in its words.

use serde_json::{Map, Value, json};

use super::super::status::{Cause, Reason, Status};
use super::super::store::Resource;
use super::super::store::object::{name, text};

/// `details` of a refusal that names an object of a resource.
fn details(name: &str, group: &str, kind: &str) -> Map<String, Value> {
    let parts = [("name", name), ("group", group), ("kind", kind)];
    parts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect()
}

fn about(reason: Reason, resource: &Resource, name: &str, message: String) -> Status {
    Status::with(reason, message, details(name, &resource.group, &resource.plural).into())
}

pub(crate) fn bad_request(message: impl Into<String>) -> Status {
    Status::new(Reason::BadRequest, message)
}

/// The body does not fit the type of its kind.
pub(crate) fn undecodable(resource: &Resource, why: &str) -> Status {
    let (kind, version) = (&resource.kind, &resource.version);
    bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"))
}

/// The server cannot do what it should.
pub(crate) fn internal(why: &str) -> Status {
    let details = json!({"causes": [{"message": why}]});
    Status::with(Reason::InternalError, format!("Internal error occurred: {why}"), details)
}

/// The resource of the URL does not exist.
pub(crate) fn no_resource() -> Status {
    let message = "the server could not find the requested resource";
    Status::with(Reason::NotFound, message, json!({}))
}

pub(crate) fn method_not_allowed() -> Status {
    let message = "the server does not allow this method on the requested resource";
    Status::with(Reason::MethodNotAllowed, message, json!({}))
}

pub(crate) fn unsupported_media_type() -> Status {
    let message = "415: Unsupported Media Type";
    Status::with(Reason::UnsupportedMediaType, message, json!({}))
}

/// A custom resource cannot be patched so.
pub(crate) fn unsupported_patch() -> Status {
    let message = "the body of the request was in an unknown format - accepted media types include: \
                   application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    Status::new(Reason::UnsupportedMediaType, message)
}

pub(crate) fn not_found(resource: &Resource, name: &str) -> Status {
    about(Reason::NotFound, resource, name, format!("{} \"{name}\" not found", resource.qualified()))
}

/// An object that is to be made is there. Who asked for a generated name may ask again.
pub(crate) fn already_exists(resource: &Resource, object: &Value, is_terminating: bool) -> Status {
    let name = name(object);
    let state = if is_terminating { "object is being deleted: " } else { "" };
    let message = format!("{state}{} \"{name}\" already exists", resource.qualified());
    let mut status = about(Reason::AlreadyExists, resource, name, message);
    if !text(object, &["metadata", "generateName"]).is_empty() {
        status.message.push_str(", the server was not able to generate a unique name for the object");
        status.details["retryAfterSeconds"] = 1.into();
    }
    status
}

pub(crate) fn conflict(resource: &Resource, name: &str, why: &str) -> Status {
    let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", resource.qualified());
    about(Reason::Conflict, resource, name, message)
}

/// The object is not at the resourceVersion that the request names.
pub(crate) fn modified(resource: &Resource, name: &str) -> Status {
    let why = "the object has been modified; please apply your changes to the latest version and try again";
    conflict(resource, name, why)
}

/// A precondition of a DELETE does not hold; such refusals name the kind instead of the resource.
pub(crate) fn precondition(resource: &Resource, name: &str, why: &str) -> Status {
    let kind = resource.qualified_kind();
    let message = format!("Operation cannot be fulfilled on {kind} \"{name}\": {why}");
    Status::with(Reason::Conflict, message, details(name, &resource.group, &resource.kind).into())
}

pub(crate) fn forbidden(resource: &Resource, name: &str, why: &str) -> Status {
    let message = format!("{} \"{name}\" is forbidden: {why}", resource.qualified());
    about(Reason::Forbidden, resource, name, message)
}

/// A disruption budget that cannot be right.
pub(crate) fn forbidden_budget(name: &str, why: &str) -> Status {
    let message = format!("poddisruptionbudget.policy \"{name}\" is forbidden: {why}");
    Status::with(Reason::Forbidden, message, details(name, "policy", "poddisruptionbudget").into())
}

/// The object is not valid, for these causes. A custom resource goes by the type that it says it has.
pub(crate) fn invalid(resource: &Resource, object: &Value, causes: &[Cause]) -> Status {
    if resource.custom.is_none() {
        return invalid_kind(&resource.stored.0, &resource.kind, name(object), causes);
    }
    let version = text(object, &["apiVersion"]);
    let group = version.split_once('/').map_or("", |(group, _)| group);
    invalid_kind(group, text(object, &["kind"]), name(object), causes)
}

/// As [`invalid`], for a kind that is no resource of its own, e.g. `DeleteOptions`.
pub(crate) fn invalid_kind(group: &str, kind: &str, name: &str, causes: &[Cause]) -> Status {
    let mut lines: Vec<String> = Vec::new();
    for cause in causes {
        let line = format!("{}: {}", cause.field, cause.message);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let what = if lines.len() == 1 { lines.concat() } else { format!("[{}]", lines.join(", ")) };
    let qualified = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
    let mut details = details(name, group, kind);
    details.insert("causes".to_owned(), causes.iter().map(cause_json).collect());
    let message = format!("{qualified} \"{name}\" is invalid: {what}");
    Status::with(Reason::Invalid, message, details.into())
}

fn cause_json(cause: &Cause) -> Value {
    json!({"reason": cause.reason, "message": cause.message, "field": cause.field})
}

/// A request that asks for a revision that is not there yet.
pub(crate) fn too_large_revision(asked: u64, current: u64) -> Status {
    let details = json!({
        "causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
        "retryAfterSeconds": 1,
    });
    let message = format!("Timeout: Too large resource version: {asked}, current: {current}");
    Status::with(Reason::Timeout, message, details)
}

fn cause(reason: &str, field: impl Into<String>, message: String) -> Cause {
    Cause { reason: reason.to_owned(), message, field: field.into() }
}

/// The value of a field is wrong.
pub(crate) fn wrong(field: impl Into<String>, value: &Value, why: &str) -> Cause {
    wrong_inside(field, &value.to_string(), why)
}

/// As [`wrong`], for what the API server shows otherwise than a client sent it.
pub(crate) fn wrong_inside(field: impl Into<String>, shown: &str, why: &str) -> Cause {
    cause("FieldValueInvalid", field, format!("Invalid value: {shown}: {why}"))
}

/// A field is missing; `why` may be empty.
pub(crate) fn required(field: impl Into<String>, why: &str) -> Cause {
    let message = if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
    cause("FieldValueRequired", field, message)
}

/// A field may not be set or changed.
pub(crate) fn not_allowed(field: impl Into<String>, why: &str) -> Cause {
    cause("FieldValueForbidden", field, format!("Forbidden: {why}"))
}

/// A text is there twice where it may be once.
pub(crate) fn duplicate(field: impl Into<String>, value: &str) -> Cause {
    duplicate_inside(field, &Value::from(value).to_string())
}

/// As [`duplicate`], for anything, as it is shown.
pub(crate) fn duplicate_inside(field: impl Into<String>, shown: &str) -> Cause {
    cause("FieldValueDuplicate", field, format!("Duplicate value: {shown}"))
}

/// What a field names is not there.
pub(crate) fn missing(field: impl Into<String>, value: &str) -> Cause {
    cause("FieldValueNotFound", field, format!("Not found: \"{value}\""))
}

/// A field has none of the values that it may have.
pub(crate) fn unsupported(field: impl Into<String>, value: &str, supported: &[&str]) -> Cause {
    unsupported_value(field, &value.into(), supported)
}

/// As [`unsupported`], for any value.
pub(crate) fn unsupported_value(field: impl Into<String>, value: &Value, supported: &[&str]) -> Cause {
    let list: Vec<String> = supported.iter().map(|known| format!("\"{known}\"")).collect();
    let message = format!("Unsupported value: {value}: supported values: {}", list.join(", "));
    cause("FieldValueNotSupported", field, message)
}

/// A text is too long.
pub(crate) fn too_long(field: impl Into<String>, bytes_max: usize) -> Cause {
    cause("FieldValueTooLong", field, format!("Too long: may not be more than {bytes_max} bytes"))
}

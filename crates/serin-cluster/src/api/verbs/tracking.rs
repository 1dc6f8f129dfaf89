//! Field ownership (`managedFields`) of what a write stores.

use serde_json::Value;

use super::super::patch::{self, Manager};
use super::super::store::Resource;
use super::super::store::object::{remove, set};
use super::call::{Call, Part};
use super::custom;
use super::versions::encode;

/// Who writes, and through which endpoint, for `managedFields`.
pub(super) fn manager<'a>(call: &'a Call<'_>, part: Part) -> Manager<'a> {
    let options = &call.request.options;
    let reset: &[&[&str]] = match part {
        Part::Main if call.resource.status => &[&["status"]],
        Part::Main => &[],
        Part::Status => reset_by_status(&call.resource),
        Part::Finalize => &[&["status"]],
    };
    Manager {
        name: if options.field_manager.is_empty() { "unknown" } else { &options.field_manager },
        subresource: call.request.target.subresource.as_deref().unwrap_or_default(),
        force: options.force == Some(true),
        reset,
    }
}

/// What a write of the status does not write.
fn reset_by_status(resource: &Resource) -> &'static [&'static [&'static str]] {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if resource.custom.is_some() => &[&["metadata"], &["spec"]],
        ("", "pods") => &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
        ("apps", "deployments") => &[&["spec"], &["metadata", "labels"]],
        _ => &[&["spec"]],
    }
}

/// An object as it is to be stored, with its owners, whose fields are those of the version that the request is in;
/// `before` is what it was, in that version.
pub(super) fn track(call: &Call<'_>, part: Part, before: &Value, mut candidate: Value) -> Value {
    let resource = &call.resource;
    let after = encode(resource, &candidate);
    let lists = custom::lists(resource);
    let mut tracked = patch::track(&*lists, before, after, &manager(call, part), call.now);
    match remove(&mut tracked, &["metadata", "managedFields"]) {
        Some(owners) => set(&mut candidate, &["metadata", "managedFields"], owners),
        None => _ = remove(&mut candidate, &["metadata", "managedFields"]),
    }
    candidate
}

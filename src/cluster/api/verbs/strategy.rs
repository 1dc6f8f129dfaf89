//! What is particular to a kind on its way in: decoding, defaults, what the system sets, what is refused.

use serde_json::{Value, json};

use super::super::status::{Cause, Status};
use super::super::store::object::{at, items, name, set};
use super::super::store::{Resource, Store};
use super::update::Part;
use super::{Call, refuse};

/// The namespaces that may not be deleted.
const LASTING_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];

/// An object as it is stored, of what a client sent.
pub(super) fn decode(_call: &Call<'_>, object: Value) -> Result<Value, Status> {
    Ok(object)
}

/// What the system sets on a new object.
pub(super) fn before_create(_store: &mut Store, call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
    let resource = &call.resource;
    if resource.status && !resource.is("", "nodes") {
        super::super::store::object::remove(object, &["status"]);
    }
    if let ("", "namespaces") = (resource.group.as_str(), resource.plural.as_str()) {
        let label = name(object).to_owned();
        set(object, &["metadata", "labels", "kubernetes.io/metadata.name"], label.into());
        set(object, &["spec", "finalizers"], json!(["kubernetes"]));
        set(object, &["status"], json!({"phase": "Active"}));
    }
    super::create::drop_empty_metadata(object);
    Ok(())
}

/// What is wrong with a new object, beside its metadata.
pub(super) fn check_new(_resource: &Resource, _object: &Value) -> Vec<Cause> {
    Vec::new()
}

/// What the system sets on an object that changes.
pub(super) fn before_update(
    _store: &mut Store,
    call: &Call<'_>,
    part: Part,
    live: &Value,
    candidate: &mut Value,
) -> Result<(), Status> {
    if call.resource.is("", "namespaces") && part == Part::Main {
        super::super::store::object::copy(candidate, live, &["spec", "finalizers"]);
    }
    Ok(())
}

/// What is wrong with a change, beside the metadata.
pub(super) fn check_changed(_resource: &Resource, _part: Part, _live: &Value, _new: &Value) -> Vec<Cause> {
    Vec::new()
}

/// Refuses to delete what a cluster cannot be without.
pub(super) fn admit_delete(call: &Call<'_>, name: &str) -> Result<(), Status> {
    if call.resource.is("", "namespaces") && LASTING_NAMESPACES.contains(&name) {
        return Err(refuse::forbidden(&call.resource, name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Whether something beside finalizers in the metadata holds an object up; marks what has to be done.
pub(super) fn hold(resource: &Resource, object: &mut Value) -> bool {
    resource.is("", "namespaces") && !items(at(object, &["spec"]), &["finalizers"]).is_empty()
}

/// Shows on the object itself that it is being deleted.
pub(super) fn mark_terminating(resource: &Resource, object: &mut Value) {
    if resource.is("", "namespaces") {
        set(object, &["status", "phase"], "Terminating".into());
    }
}

//! What is particular to a kind on its way in: decoding, defaults, what the system sets, what is refused.

use serde_json::{Value, json};

use super::super::codec::{self, Reader};
use super::super::status::{Cause, Status};
use super::super::store::object::{at, copy, items, name, set, text};
use super::super::store::{Generation, Resource, Store};
use super::update::Part;
use super::{Call, check, custom, defaults, definitions, events, jobs, pods, refuse, secrets, services};

/// The namespaces that may not be deleted.
const LASTING_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];

/// An object as it is stored, of what a client sent: decoded, with defaults, in the version of the store.
pub(super) fn decode(call: &Call<'_>, object: &Value) -> Result<Value, Status> {
    let resource = &call.resource;
    if resource.custom.is_some() {
        return custom::decode(call, &with_metadata(resource, object)?);
    }
    let mut object = match codec::decode(&resource.entry.table_name(), object, call.reader()) {
        Some(decoded) => {
            let decoded = decoded.map_err(|why| refuse::undecodable(resource, &why))?;
            call.report_unknown(&decoded.unknown)?;
            decoded.object
        }
        // The schemas in definitions hold values of any form.
        None => with_metadata(resource, object)?,
    };
    if resource.plural == "events" {
        object = events::to_stored(resource, object);
    }
    if resource.is("", "secrets") {
        secrets::fold(&mut object);
    }
    defaults::fill_in(resource, &mut object);
    Ok(object)
}

/// An object whose metadata alone has a type.
fn with_metadata(resource: &Resource, object: &Value) -> Result<Value, Status> {
    let mut object = object.clone();
    if let Some(decoded) = codec::decode("meta/v1.ObjectMeta", at(&object, &["metadata"]), Reader::Json) {
        let decoded = decoded.map_err(|why| refuse::undecodable(resource, &why))?;
        set(&mut object, &["metadata"], decoded.object);
    }
    Ok(object)
}

/// What admission adds to a new object, before the system does.
pub(super) fn admit_new(store: &mut Store, call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
    if call.resource.is("", "pods") {
        return pods::admit(store, call, object);
    }
    Ok(())
}

/// What the system gives to a new object before it is looked at.
pub(super) fn begin_create(store: &mut Store, call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
    if call.resource.is("", "services") {
        services::begin_create(store, object, call.dry_run())
    } else {
        Ok(())
    }
}

/// What the system gives to an object that changes before it is looked at.
pub(super) fn begin_update(
    store: &mut Store,
    call: &Call<'_>,
    part: Part,
    live: &Value,
    candidate: &mut Value,
) -> Result<(), Status> {
    if part == Part::Main && call.resource.is("", "services") {
        return services::begin_update(store, live, candidate, call.dry_run());
    }
    Ok(())
}

/// What the system sets on a new object.
pub(super) fn before_create(call: &Call<'_>, object: &mut Value) {
    let resource = &call.resource;
    if resource.generation != Generation::Never {
        set(object, &["metadata", "generation"], 1.into());
    }
    if resource.status && !resource.is("", "nodes") {
        let empty = codec::empty(&resource.entry.table_name());
        copy(object, &empty, &["status"]);
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") => {
            let label = name(object).to_owned();
            set(object, &["metadata", "labels", "kubernetes.io/metadata.name"], label.into());
            set(object, &["spec", "finalizers"], json!(["kubernetes"]));
            set(object, &["status"], json!({"phase": "Active"}));
        }
        ("", "pods") => pods::before_create(object),
        ("", "nodes") => pods::taint_node(object),
        ("batch", "jobs") => jobs::before_create(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => definitions::accept(call, object),
        _ => {}
    }
}

/// What a write of the status does not write.
pub(super) fn reset_by_status(resource: &Resource) -> &'static [&'static [&'static str]] {
    match (resource.group.as_str(), resource.plural.as_str()) {
        _ if resource.custom.is_some() => &[&["metadata"], &["spec"]],
        ("", "pods") => &[&["spec"], &["metadata", "deletionTimestamp"], &["metadata", "ownerReferences"]],
        ("apps", "deployments") => &[&["spec"], &["metadata", "labels"]],
        _ => &[&["spec"]],
    }
}

/// What is wrong with a new object, beside its metadata.
pub(super) fn check_new(resource: &Resource, object: &Value) -> Vec<Cause> {
    if resource.custom.is_some() {
        return custom::check(resource, Part::Main, object, None);
    }
    check::object(resource, object)
}

/// What the system sets on an object that changes.
pub(super) fn before_update(call: &Call<'_>, part: Part, live: &Value, candidate: &mut Value) {
    let resource = &call.resource;
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") if part != Part::Finalize => copy(candidate, live, &["spec", "finalizers"]),
        ("", "services") if part == Part::Main => services::drop_unneeded(live, candidate),
        ("", "pods") if part == Part::Main => pods::before_update(live, candidate),
        ("batch", "jobs") if part == Part::Main => jobs::before_update(live, candidate),
        ("apiextensions.k8s.io", "customresourcedefinitions") if part == Part::Main => {
            definitions::accept(call, candidate);
        }
        _ => {}
    }
}

/// What is wrong with a change, beside the metadata.
pub(super) fn check_changed(resource: &Resource, part: Part, live: &Value, new: &Value) -> Vec<Cause> {
    if resource.custom.is_some() {
        return custom::check(resource, part, new, Some(live));
    }
    match part {
        Part::Main => {
            let mut causes = check::object(resource, new);
            causes.extend(check::change(resource, live, new));
            causes
        }
        Part::Status => check::status(resource, live, new),
        Part::Finalize => Vec::new(),
    }
}

/// Refuses to delete what a cluster cannot be without.
pub(super) fn admit_delete(call: &Call<'_>, name: &str) -> Result<(), Status> {
    if call.resource.is("", "namespaces") && LASTING_NAMESPACES.contains(&name) {
        return Err(refuse::forbidden(&call.resource, name, "this namespace may not be deleted"));
    }
    Ok(())
}

/// Whether something beside finalizers in the metadata holds an object up.
pub(super) fn is_held(resource: &Resource, object: &Value) -> bool {
    resource.is("", "namespaces") && !items(object, &["spec", "finalizers"]).is_empty()
}

/// Shows on the object itself that it is being deleted.
pub(super) fn mark_terminating(resource: &Resource, object: &mut Value) {
    if resource.is("", "namespaces") && text(object, &["status", "phase"]) != "Terminating" {
        set(object, &["status", "phase"], "Terminating".into());
    }
}

/// A stored object as a resource shows it: the other view of events, or another version of a custom resource.
pub(super) fn encode(resource: &Resource, stored: &Value) -> Value {
    let mut shown = if resource.group == "events.k8s.io" { events::to_new(stored) } else { stored.clone() };
    set(&mut shown, &["apiVersion"], resource.api_version().into());
    debug_assert!(!at(&shown, &["kind"]).is_null());
    shown
}

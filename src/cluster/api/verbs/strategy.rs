//! What is particular to a kind on its way in: decoding, defaults, what the system sets, what is refused.

use serde_json::{Value, json};

use super::super::status::{Cause, Status};
use super::super::store::object::{at, copy, items, name, remove, set, text};
use super::super::store::{Resource, Store};
use super::update::Part;
use super::{
    Call, check, custom, decode, defaults, definitions, events, jobs, pods, refuse, secrets, services,
};

/// The namespaces that may not be deleted.
const LASTING_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];

/// An object as it is stored, of what a client sent: decoded, with defaults, in the version of the store.
pub(super) fn decode(call: &Call<'_>, object: &Value) -> Result<Value, Status> {
    let resource = &call.resource;
    if resource.custom.is_some() {
        return custom::decode(call, object);
    }
    let decoded = decode::built_in(resource, object)?;
    call.report_unknown(&decoded.unknown)?;
    let mut object = decoded.object;
    if resource.plural == "events" {
        object = events::to_stored(resource, object);
    }
    if resource.is("", "secrets") {
        secrets::fold(&mut object);
    }
    defaults::fill_in(resource, &mut object);
    Ok(object)
}

/// What the system sets on a new object.
pub(super) fn before_create(store: &mut Store, call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
    let resource = &call.resource;
    if resource.status && !resource.is("", "nodes") {
        remove(object, &["status"]);
    }
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") => {
            let label = name(object).to_owned();
            set(object, &["metadata", "labels", "kubernetes.io/metadata.name"], label.into());
            set(object, &["spec", "finalizers"], json!(["kubernetes"]));
            set(object, &["status"], json!({"phase": "Active"}));
        }
        ("", "pods") => pods::before_create(store, call, object)?,
        ("", "services") => services::before_create(store, object),
        ("", "nodes") => pods::fill_node(object),
        ("batch", "jobs") => jobs::before_create(object),
        ("apps", "replicasets") => set(object, &["status"], json!({"replicas": 0})),
        ("apps", "deployments") => set(object, &["status"], json!({})),
        ("networking.k8s.io", "ingresses") => set(object, &["status"], json!({"loadBalancer": {}})),
        ("policy", "poddisruptionbudgets") => {
            let status =
                json!({"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0});
            set(object, &["status"], status);
        }
        ("autoscaling", "horizontalpodautoscalers") => {
            set(object, &["status"], json!({"desiredReplicas": 0, "currentMetrics": null}));
        }
        ("apiextensions.k8s.io", "customresourcedefinitions") => definitions::accept(call, object),
        _ => {}
    }
    super::create::drop_empty_metadata(object);
    Ok(())
}

/// What is wrong with a new object, beside its metadata.
pub(super) fn check_new(resource: &Resource, object: &Value) -> Vec<Cause> {
    if resource.custom.is_some() {
        return custom::check(resource, object, None);
    }
    check::object(resource, object)
}

/// What the system sets on an object that changes.
pub(super) fn before_update(
    store: &mut Store,
    call: &Call<'_>,
    part: Part,
    live: &Value,
    candidate: &mut Value,
) {
    let resource = &call.resource;
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "namespaces") if part != Part::Finalize => copy(candidate, live, &["spec", "finalizers"]),
        ("", "services") if part == Part::Main => services::before_update(store, live, candidate),
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
        return custom::check(resource, new, Some(live));
    }
    match part {
        Part::Main => {
            let mut causes = check::object(resource, new);
            causes.extend(check::change(resource, live, new));
            causes
        }
        Part::Status => check::status(resource, new),
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

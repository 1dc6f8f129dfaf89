//! What is particular to a kind on its way in: decoding, defaults, what the system sets, what is refused.

use serde_json::{Value, json};

use super::super::codec;
use super::super::conversion;
use super::super::status::{Cause, Status};
use super::super::store::object::{copy, items, name, set, text};
use super::super::store::{Generation, Resource, Store};
use super::call::{Call, Part};
use super::check::Again;
use super::metadata_codec::decode_metadata;
use super::{check, custom, defaults, definitions, jobs, metadata, pods, refuse, secrets, services};

/// The namespaces that may not be deleted.
const LASTING_NAMESPACES: [&str; 3] = ["default", "kube-system", "kube-public"];

/// An object as it is stored, of what a client sent: decoded, with defaults, in the version of the store.
pub(super) fn decode(call: &Call<'_>, object: &Value) -> Result<Value, Status> {
    let resource = &call.resource;
    if resource.custom.is_some() {
        return custom::decode(call, object);
    }
    let mut object = if let Some(decoded) = codec::decode(&resource.entry.table_name(), object, call.reader())
    {
        let decoded = decoded.map_err(|why| refuse::undecodable(resource, &why))?;
        call.report_fields(&decoded.unknown)?;
        decoded.object
    } else {
        // The schemas in definitions hold values of any form.
        let mut object = object.clone();
        decode_metadata(resource, &mut object)?;
        object
    };
    if resource.is("", "secrets") {
        secrets::fold(&mut object);
    }
    defaults::fill_in(resource, &mut object);
    Ok(conversion::to_stored(&resource.entry, object))
}

/// What admission adds to a new object, before the system does.
pub(super) fn admit_new(store: &mut Store, call: &Call<'_>, object: &mut Value) -> Result<(), Status> {
    if call.resource.is("", "pods") {
        return pods::admit(store, call, object);
    }
    Ok(())
}

/// What the system gives to a new object before it is looked at.
pub(super) fn begin_create(
    store: &mut Store,
    call: &Call<'_>,
    part: Part,
    object: &mut Value,
) -> Result<(), Status> {
    if part == Part::Main && call.resource.is("", "services") {
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
        let empty = conversion::to_stored(&resource.entry, codec::empty(&resource.entry.table_name()));
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
        ("batch", "jobs") => jobs::before_create(&call.request.body, object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => definitions::accept(call, object),
        _ => {}
    }
}

/// What a kind has against a new object. What every object is looked at for comes after that.
pub(super) fn check_new(resource: &Resource, object: &Value) -> Vec<Cause> {
    let of_metadata = || {
        let own = check::metadata_check(resource, Part::Main);
        let looks = own.on_update != Again::Never;
        let mut causes = if looks { metadata::check(resource, object) } else { Vec::new() };
        if own.of_finalizers {
            causes.extend(metadata::check_finalizers(object));
        }
        causes
    };
    if resource.custom.is_some() {
        return custom::check(resource, Part::Main, object, None, of_metadata);
    }
    let mut causes = of_metadata();
    causes.extend(check::object(resource, object));
    causes
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

/// What a kind has against a change, after what every change is looked at for.
pub(super) fn check_changed(resource: &Resource, part: Part, live: &Value, new: &Value) -> Vec<Cause> {
    let of_metadata = || {
        let own = check::metadata_check(resource, part);
        let mut causes = Vec::new();
        if own.on_update != Again::Never {
            causes.extend(metadata::check_changed(live, new));
        }
        if own.of_finalizers {
            causes.extend(metadata::check_finalizers(new));
        }
        if own.on_update == Again::All {
            causes.extend(metadata::check(resource, new));
            causes.extend(metadata::check_finalizers(new));
        }
        causes
    };
    if resource.custom.is_some() {
        return custom::check(resource, part, new, Some(live), of_metadata);
    }
    let mut causes = of_metadata();
    causes.extend(match part {
        Part::Main => check::change(resource, live, new),
        Part::Status => check::status(resource, live, new),
        Part::Finalize => Vec::new(),
    });
    causes
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

//! Changing objects: PUT and PATCH, of an object or of its status.

use std::sync::Arc;

use serde_json::Value;

use super::super::patch;
use super::super::request::{PatchType, Verb};
use super::super::status::{Reason, Status};
use super::super::store::object::{
    self, at, copy, finalizers, generation, is_terminating, items, name, remove, resource_version, set, uid,
};
use super::super::store::{Generation, Key, Resource, Store};
use super::body::{check_type, named_body, sent_version, undecodable, unpatchable};
use super::call::{Answer, Call, Part};
use super::tracking::{manager, track};
use super::versions::{stamp, view};
use super::{custom, metadata, refuse, strategy, warn};

impl Store {
    pub(super) fn update(&mut self, call: &Call<'_>, part: Part) -> Result<Answer, Status> {
        let key = call.key(call.name());
        let found = self.read(&key).cloned();
        if call.request.verb == Verb::Patch {
            if call.resource.custom.is_some() && call.request.patch_type == Some(PatchType::Strategic) {
                return Err(refuse::unsupported_patch());
            }
            return self.patch(call, part, found);
        }
        let candidate = named_body(call, &call.request.body)?;
        let expected = uid(&candidate);
        let Some(live) = found else {
            if part != Part::Finalize && call.resource.habits.create_on_update {
                check_uid(call, &key, expected, "")?;
                let made = self.create_object(call, part, candidate)?;
                return Ok(Answer::created((*view(&call.resource, &made)).clone()));
            }
            return Err(refuse::not_found(&call.resource, call.name()));
        };
        check_uid(call, &key, expected, uid(&live))?;
        let candidate = track(call, part, &view(&call.resource, &live), candidate);
        self.change(call, part, &live, candidate).map(shown(call))
    }

    fn patch(&mut self, call: &Call<'_>, part: Part, found: Option<Arc<Value>>) -> Result<Answer, Status> {
        if call.request.patch_type == Some(PatchType::Apply) {
            return self.apply(call, part, found);
        }
        let live = found.ok_or_else(|| refuse::not_found(&call.resource, call.name()))?;
        let candidate = track(call, part, &view(&call.resource, &live), patched(call, &live)?);
        self.change(call, part, &live, candidate).map(shown(call))
    }

    /// Server-side apply: makes the object where there is none.
    fn apply(&mut self, call: &Call<'_>, part: Part, found: Option<Arc<Value>>) -> Result<Answer, Status> {
        let may_create = part == Part::Main || call.resource.habits.create_on_update;
        if found.is_none() && !may_create {
            return Err(refuse::not_found(&call.resource, call.name()));
        }
        let config = &call.request.body;
        check_type(config, &call.resource.api_version(), &call.resource.kind)?;
        let lists = custom::lists(&call.resource);
        let shown_live = found.as_ref().map(|live| view(&call.resource, live));
        let manager = manager(call, part);
        let applied = patch::apply(&*lists, shown_live.as_deref(), config, &manager, call.now)?;
        let candidate = named_body(call, &applied).map_err(|status| match undecodable(&status) {
            Some(why) => unappliable(call, why),
            None => status,
        })?;
        call.report_repeated()?;
        if let Some(live) = found {
            return self.change(call, part, &live, candidate).map(shown(call));
        }
        let uid = uid(&candidate);
        if !uid.is_empty() {
            let why = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            );
            return Err(refuse::conflict(&call.resource, call.name(), &why));
        }
        let made = self.create_object(call, part, candidate)?;
        Ok(Answer::created((*view(&call.resource, &made)).clone()))
    }

    /// Makes `live` what `candidate` says, as far as the request may: the one way of every update. Who owns which field is
    /// the caller's to say.
    pub(super) fn change(
        &mut self,
        call: &Call<'_>,
        part: Part,
        live: &Arc<Value>,
        mut candidate: Value,
    ) -> Result<Arc<Value>, Status> {
        let resource = &call.resource;
        check_version(call, live, &candidate)?;
        strategy::begin_update(self, call, part, live, &mut candidate)?;
        keep_system_metadata(live, &mut candidate);
        isolate(resource, part, live, &mut candidate);
        strategy::before_update(call, part, live, &mut candidate);
        if part == Part::Main {
            count_generation(resource, live, &mut candidate);
        }
        let mut causes = metadata::check(resource, &candidate);
        causes.extend(metadata::check_changed(live, &candidate));
        // Most kinds look at the metadata, too, and both are heard.
        causes.extend(strategy::check_changed(resource, part, live, &candidate));
        if !causes.is_empty() {
            return Err(refuse::invalid(resource, &candidate, &causes));
        }
        call.warn(warn::changed(resource, part, live, &candidate));
        Ok(self.commit(call, live, candidate))
    }

    /// Stores an update: not at all where nothing changes, and as a deletion where it was the last that held it up.
    fn commit(&mut self, call: &Call<'_>, live: &Arc<Value>, mut candidate: Value) -> Arc<Value> {
        if !call.dry_run() {
            remove(&mut candidate, &["metadata", "selfLink"]);
        }
        if patch::is_same_but_for_times(live, &candidate) && !is_to_go(live, &candidate) {
            return Arc::clone(live);
        }
        let key = call.key(call.name());
        if call.dry_run() {
            return Arc::new(candidate);
        }
        if is_to_go(live, &candidate) {
            self.drop_object(&call.resource, &key);
            return Arc::new(candidate);
        }
        self.put(&key, candidate)
    }
}

/// A uid in what a PUT sent is a precondition.
pub(super) fn check_uid(call: &Call<'_>, key: &Key, expected: &str, found: &str) -> Result<(), Status> {
    if expected.is_empty() || expected == found {
        return Ok(());
    }
    let why = format!(
        "StorageError: invalid object, Code: 4, Key: {}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID \
         in precondition: {expected}, UID in object meta: {found}",
        storage_key(call, key),
    );
    Err(refuse::conflict(&call.resource, call.name(), &why))
}

/// The object as the patch of a request makes it.
fn patched(call: &Call<'_>, live: &Arc<Value>) -> Result<Value, Status> {
    let shown = view(&call.resource, live);
    let sent = &call.request.body;
    let patched = match call.request.patch_type {
        Some(PatchType::Merge) => patch::merge(&shown, sent)?,
        Some(PatchType::Json) => patch::json(&shown, sent)?,
        Some(PatchType::Strategic) => {
            let mut patched = patch::strategic(&*custom::lists(&call.resource), &shown, sent)?;
            // What it makes is read by the type of the object, whatever it says of its kind.
            stamp(&call.resource, &mut patched);
            patched
        }
        Some(PatchType::Apply) | None => return Err(refuse::unsupported_media_type()),
    };
    named_body(call, &patched).map_err(|status| match (call.request.patch_type, undecodable(&status)) {
        (Some(PatchType::Strategic), Some(why)) => unpatchable(&patch::spent(&shown, sent), why),
        (_, Some(why)) => unpatchable(&patched.to_string(), why),
        (_, None) => status,
    })
}

/// What an applied configuration makes is no object of the kind.
fn unappliable(call: &Call<'_>, why: &str) -> Status {
    let config = &call.request.body;
    let (namespace, name) = (object::namespace(config), name(config));
    let (group, version, kind) = (&call.resource.group, &call.resource.version, &call.resource.kind);
    let kind = format!("{group}/{version}, Kind={kind}");
    let message = format!(
        "failed to convert new object ({namespace}/{name}; {kind}) to proper version: unable to convert unstructured \
         object to {kind}: {why}"
    );
    Status::new(Reason::Unknown, message)
}

fn shown<'a>(call: &'a Call<'_>) -> impl FnOnce(Arc<Value>) -> Answer + 'a {
    |object| Answer::ok((*view(&call.resource, &object)).clone())
}

/// A resourceVersion in what was sent is a precondition; some kinds must have one.
fn check_version(call: &Call<'_>, live: &Value, candidate: &Value) -> Result<(), Status> {
    let resource = &call.resource;
    let sent = sent_version(candidate)?;
    if sent == 0 {
        if !resource.habits.needs_version {
            return Ok(());
        }
        let why = "must be specified for an update";
        let causes = [refuse::wrong("metadata.resourceVersion", &0.into(), why)];
        return Err(refuse::invalid_kind(&resource.group, &resource.plural, call.name(), &causes));
    }
    if sent.to_string() != resource_version(live) {
        return Err(refuse::modified(resource, call.name()));
    }
    Ok(())
}

/// What only the system sets stays as it is, whatever was sent.
fn keep_system_metadata(live: &Value, candidate: &mut Value) {
    for field in ["creationTimestamp", "generation", "resourceVersion"] {
        copy(candidate, live, &["metadata", field]);
    }
    if uid(candidate).is_empty() {
        copy(candidate, live, &["metadata", "uid"]);
    }
    if is_terminating(live) {
        copy(candidate, live, &["metadata", "deletionTimestamp"]);
        if at(candidate, &["metadata", "deletionGracePeriodSeconds"]).is_null() {
            copy(candidate, live, &["metadata", "deletionGracePeriodSeconds"]);
        }
    }
}

/// A request to the status changes nothing else, and every other request leaves the status alone.
fn isolate(resource: &Resource, part: Part, live: &Value, candidate: &mut Value) {
    if part == Part::Finalize {
        let finalizers = at(candidate, &["spec", "finalizers"]).clone();
        *candidate = live.clone();
        set(candidate, &["spec"], serde_json::json!({}));
        if !finalizers.is_null() {
            set(candidate, &["spec", "finalizers"], finalizers);
        }
        return;
    }
    if !resource.status {
        return;
    }
    match part {
        Part::Finalize => {}
        Part::Main => copy(candidate, live, &["status"]),
        Part::Status if resource.custom.is_some() => {
            let status = remove(candidate, &["status"]);
            let managed = remove(candidate, &["metadata", "managedFields"]);
            *candidate = live.clone();
            for (path, value) in [(&["status"][..], status), (&["metadata", "managedFields"][..], managed)] {
                match value {
                    Some(value) => set(candidate, path, value),
                    None => _ = remove(candidate, path),
                }
            }
        }
        Part::Status => {
            copy(candidate, live, &["spec"]);
            if resource.is("apps", "deployments") {
                copy(candidate, live, &["metadata", "labels"]);
            }
            if resource.is("", "pods") {
                copy(candidate, live, &["metadata", "ownerReferences"]);
            }
        }
    }
}

fn count_generation(resource: &Resource, live: &Value, candidate: &mut Value) {
    let differs = |path: &[&str]| at(live, path) != at(candidate, path);
    let counts = match resource.generation {
        Generation::Never => false,
        Generation::Spec => differs(&["spec"]),
        Generation::SpecAndAnnotations => differs(&["spec"]) || differs(&["metadata", "annotations"]),
        Generation::ContentAndLabels => {
            differs(&["metadata", "labels"]) || content(live, false) != content(candidate, false)
        }
        Generation::Content => content(live, resource.status) != content(candidate, resource.status),
    };
    if let (true, Some(generation)) = (counts, generation(live)) {
        set(candidate, &["metadata", "generation"], (generation + 1).into());
    }
}

/// An object without its metadata, its version and, where it is a subresource, its status.
fn content(object: &Value, without_status: bool) -> Vec<(&String, &Value)> {
    let members = object.as_object().into_iter().flatten();
    members
        .filter(|(key, _)| !matches!(key.as_str(), "metadata" | "apiVersion" | "kind"))
        .filter(|(key, _)| !(without_status && key.as_str() == "status"))
        .collect()
}

/// Whether an object that was being deleted has nothing left that holds it up.
fn is_to_go(live: &Value, candidate: &Value) -> bool {
    let grace = at(live, &["metadata", "deletionGracePeriodSeconds"]).as_i64().unwrap_or(0);
    let namespace_held =
        candidate["kind"] == "Namespace" && !items(candidate, &["spec", "finalizers"]).is_empty();
    is_terminating(live) && finalizers(candidate).is_empty() && grace == 0 && !namespace_held
}

/// The key that etcd would have the object under, which a conflict about a uid names. What is only tried does not come to
/// know the root of all keys.
fn storage_key(call: &Call<'_>, key: &Key) -> String {
    let resource = &call.resource;
    let root = if call.dry_run() { "" } else { "/registry" };
    let directory = match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "services") => "services/specs".to_owned(),
        ("", "endpoints") => "services/endpoints".to_owned(),
        ("", "nodes") => "minions".to_owned(),
        ("networking.k8s.io", "ingresses") => "ingress".to_owned(),
        _ if resource.custom.is_some() => format!("{}/{}", resource.group, resource.plural),
        _ => resource.plural.clone(),
    };
    format!("{root}/{directory}/{}", key.path)
}

//! Making objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::codec;
use super::super::kinds;
use super::super::request::{PatchType, Verb};
use super::super::status::{Reason, Status};
use super::super::store::object::{
    asked_name, at, fill, is_terminating, name, namespace, remove, resource_version, set, text, time,
};
use super::super::store::{Key, Resource, Store};
use super::update::{self, Part, sent_version};
use super::{Answer, Call, custom, metadata, refuse, stamp, strategy, view, warn};

/// How often a generated name that is taken is generated anew.
const GENERATED_TRIES: u32 = 8;

impl Store {
    pub(super) fn create(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        if call.resource.namespaced && call.namespace().is_none() {
            return Err(refuse::method_not_allowed());
        }
        let object = body(call, &call.request.body)?;
        let made = self.create_object(call, Part::Main, object)?;
        Ok(Answer::created((*view(&call.resource, &made)).clone()))
    }

    /// Makes an object of what a client sent, as POST, PUT and apply do, even if that was sent to a part of it.
    pub(super) fn create_object(
        &mut self,
        call: &Call<'_>,
        part: Part,
        mut object: Value,
    ) -> Result<Arc<Value>, Status> {
        let resource = &call.resource;
        let is_post = call.request.verb == Verb::Create;
        if is_post {
            wipe_system_metadata(&mut object);
        }
        if call.request.patch_type != Some(PatchType::Apply) || call.request.verb != Verb::Patch {
            let empty = codec::empty(&resource.entry.table_name());
            object = update::track(call, part, &empty, object);
        }
        self.admit_into_namespace(call, &object)?;
        strategy::admit_new(self, call, &mut object)?;
        if !is_post {
            sent_version(&object)?;
        }
        self.fill_system_metadata(call, &mut object);
        if name(&object).is_empty() && !text(&object, &["metadata", "generateName"]).is_empty() {
            self.generate_name(call, &mut object);
        }
        strategy::begin_create(self, call, part, &mut object)?;
        strategy::before_create(call, &mut object);
        let mut causes = strategy::check_new(resource, &object);
        if causes.is_empty() {
            causes = metadata::check(resource, &object);
        }
        if !causes.is_empty() {
            return Err(refuse::invalid(resource, &object, &causes));
        }
        call.warn(warn::created(resource, &object));
        let has_version = resource_version(&object).parse::<u64>().is_ok_and(|version| version != 0);
        if is_post && !call.dry_run() && has_version {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(Status::new(Reason::Unknown, message));
        }
        let key = call.key(name(&object));
        if let Some(found) = self.read(&key) {
            return Err(refuse::already_exists(resource, &object, is_terminating(found)));
        }
        if call.dry_run() {
            return Ok(Arc::new(object));
        }
        Ok(self.put(&key, object))
    }

    fn generate_name(&mut self, call: &Call<'_>, object: &mut Value) {
        let prefix = text(object, &["metadata", "generateName"]).to_owned();
        for _ in 0..GENERATED_TRIES {
            let candidate = metadata::generated(&prefix, &self.draw.suffix());
            let taken = self.read(&call.key(&candidate)).is_some();
            set(object, &["metadata", "name"], candidate.into());
            if !taken {
                return;
            }
        }
    }

    fn fill_system_metadata(&mut self, call: &Call<'_>, object: &mut Value) {
        set(object, &["metadata", "uid"], self.draw.uid().into());
        set(object, &["metadata", "creationTimestamp"], time(call.now).into());
        if let Some(namespace) = call.namespace() {
            set(object, &["metadata", "namespace"], namespace.into());
        } else {
            remove(object, &["metadata", "namespace"]);
        }
    }

    /// Nothing is made in a namespace that is not there or that is going.
    fn admit_into_namespace(&self, call: &Call<'_>, object: &Value) -> Result<(), Status> {
        let Some(namespace) = call.namespace() else {
            return Ok(());
        };
        let namespaces = self.registry.find("", "v1", "namespaces").ok_or_else(refuse::no_resource)?;
        let Some(found) = self.read(&Key::new("", "namespaces", None, namespace)) else {
            return Err(refuse::not_found(&namespaces, namespace));
        };
        if !is_terminating(found) {
            return Ok(());
        }
        let name = asked_name(object);
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut status = refuse::forbidden(&call.resource, name, &why);
        let cause = json!([{
            "reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
        set(&mut status.details, &["causes"], cause);
        Err(status)
    }
}

/// The object that a client sent: of the right kind, and for the namespace of the URL.
pub(super) fn body(call: &Call<'_>, sent: &Value) -> Result<Value, Status> {
    let resource = &call.resource;
    if !sent.is_object() {
        let message = format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: \
             json: cannot unmarshal into Go value of type struct {{ APIVersion string; Kind string }} ({sent})",
            resource.kind
        );
        return Err(refuse::bad_request(message));
    }
    if resource.custom.is_some() {
        custom::check_kind(call, sent)?;
    } else {
        check_kind(resource, sent)?;
    }
    let mut object = sent.clone();
    fill(&mut object, &["metadata"], json!({}));
    if resource.custom.is_none() {
        stamp(resource, &mut object);
    }
    let mut object = strategy::decode(call, &object)?;
    let is_patch = call.request.verb == Verb::Patch;
    let (given, expected) = (text(&object, &["apiVersion"]), resource.api_version());
    if resource.custom.is_some() && !is_patch && given != expected {
        return Err(refuse::bad_request(format!(
            "the API version in the data ({given}) does not match the expected API version ({expected})"
        )));
    }
    let is_own = given == expected;
    let empties = at(sent, &["metadata", "managedFields"]).as_array().is_some_and(Vec::is_empty);
    if empties && resource.custom.is_none() {
        // Other than no list, an empty one says that all is to be forgotten.
        set(&mut object, &["metadata", "managedFields"], json!([]));
    }
    let (inside, asked) = (namespace(&object).to_owned(), call.namespace().unwrap_or_default());
    if inside.is_empty() && !asked.is_empty() {
        set(&mut object, &["metadata", "namespace"], asked.into());
    } else if inside != asked && resource.namespaced {
        let why = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(refuse::bad_request(why));
    }
    if is_own {
        set(&mut object, &["apiVersion"], resource.stored_version.clone().into());
    }
    Ok(object)
}

/// A client does not say what the system does.
fn wipe_system_metadata(object: &mut Value) {
    for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        remove(object, &["metadata", field]);
    }
}

/// A client may leave out kind and version of a built-in kind, but not send others.
fn check_kind(resource: &Resource, sent: &Value) -> Result<(), Status> {
    let (kind, version) = (text(sent, &["kind"]), text(sent, &["apiVersion"]));
    let expected = resource.api_version();
    if (kind.is_empty() || kind == resource.kind) && (version.is_empty() || version == expected) {
        return Ok(());
    }
    let kind = if kind.is_empty() { &resource.kind } else { kind };
    let version = if version.is_empty() { &expected } else { version };
    let known = kinds::built_in().iter().any(|known| known.kind == kind && known.api_version() == version);
    let why = if known {
        let (from, to) = (version.rsplit('/').next().unwrap_or(version), resource.group.split('.').next());
        let to = to.filter(|group| !group.is_empty()).unwrap_or("core");
        format!("converting ({from}.{kind}) to ({to}.{}): unknown conversion", resource.kind)
    } else {
        format!(
            "no kind \"{kind}\" is registered for version \"{version}\" in scheme \"pkg/runtime/scheme.go:111\""
        )
    };
    let message =
        format!("{kind} in version \"{}\" cannot be handled as a {}: {why}", resource.version, resource.kind);
    Err(refuse::bad_request(message))
}

//! Making objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::codec;
use super::super::request::{PatchType, Verb};
use super::super::status::{Reason, Status};
use super::super::store::object::{
    asked_name, is_terminating, name, remove, resource_version, set, text, time,
};
use super::super::store::{Key, Store};
use super::body::{body, sent_version};
use super::call::{Answer, Call, Part};
use super::tracking::track;
use super::versions::view;
use super::{metadata, refuse, strategy, warn};

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
            object = track(call, part, &empty, object);
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

/// A client does not say what the system does.
fn wipe_system_metadata(object: &mut Value) {
    for field in ["uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"] {
        remove(object, &["metadata", field]);
    }
}

//! What requests do: reads, writes and the subresources, in the ways of a Kubernetes API server.

mod create;
mod delete;
mod metadata;
mod page;
mod read;
mod refuse;
mod strategy;
mod update;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub(super) use page::{check_list_options, fields_with_name, parse_revision};

use super::request::{Request, Target, Verb};
use super::status::Status;
use super::store::object::{members, set};
use super::store::{Key, Resource, Store};

/// What a request that is not refused is answered with.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) body: Value,
    pub(super) warnings: Vec<String>,
}

impl Answer {
    fn ok(body: Value) -> Self {
        Self { code: 200, body, warnings: Vec::new() }
    }

    fn created(body: Value) -> Self {
        Self { code: 201, body, warnings: Vec::new() }
    }
}

/// One request, with what was looked up for it.
struct Call<'a> {
    request: &'a Request,
    resource: Arc<Resource>,
    now: Timestamp,
}

impl Call<'_> {
    /// The namespace of the object; none for what is in no namespace.
    fn namespace(&self) -> Option<&str> {
        self.request.target.namespace.as_deref().filter(|_| self.resource.namespaced)
    }

    /// The name in the URL; empty for collections.
    fn name(&self) -> &str {
        self.request.target.name.as_deref().unwrap_or_default()
    }

    fn key(&self, name: &str) -> Key {
        let (group, plural) = &self.resource.stored;
        Key::new(group, plural, self.namespace(), name)
    }

    fn dry_run(&self) -> bool {
        self.request.options.dry_run
    }
}

/// The resource that a request is about.
pub(super) fn resolve(store: &Store, target: &Target) -> Result<Arc<Resource>, Status> {
    let found = store.registry.find(&target.group, &target.version, &target.resource);
    let resource = found.ok_or_else(refuse::no_resource)?;
    if !resource.namespaced && target.namespace.is_some() {
        return Err(refuse::no_resource());
    }
    Ok(resource)
}

/// A stored object as a resource shows it: in its version.
pub(super) fn view(resource: &Resource, object: &Arc<Value>) -> Arc<Value> {
    let version = resource.api_version();
    if object.get("apiVersion").and_then(Value::as_str) == Some(version.as_str()) {
        return Arc::clone(object);
    }
    let mut shown = (**object).clone();
    set(&mut shown, &["apiVersion"], version.into());
    Arc::new(shown)
}

/// A kind and version in front of an object, as the resource has them.
fn stamp(resource: &Resource, object: &mut Value) {
    members(object).insert("kind".to_owned(), resource.kind.clone().into());
    members(object).insert("apiVersion".to_owned(), resource.api_version().into());
}

impl Store {
    /// Does what a request asks for.
    pub(super) fn dispatch(&mut self, request: &Request, now: Timestamp) -> Result<Answer, Status> {
        let resource = resolve(self, &request.target)?;
        let call = Call { request, resource, now };
        let named = request.target.name.is_some();
        match (request.target.subresource.as_deref(), request.verb) {
            (None, Verb::Get) if named => self.get(&call),
            (None, Verb::List | Verb::Watch) => self.list(&call),
            (None, Verb::Create) if !named => self.create(&call),
            (None, Verb::Update | Verb::Patch) if named => self.update(&call, update::Part::Main),
            (None, Verb::Delete) if named => self.delete(&call),
            (None, Verb::DeleteCollection) if !named => self.delete_collection(&call),
            (Some(_), _) => self.subresource(&call),
            (None, Verb::Get | Verb::Create | Verb::Update | Verb::Patch | Verb::Delete)
            | (None, Verb::DeleteCollection) => Err(refuse::method_not_allowed()),
        }
    }

    fn subresource(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let subresource = call.request.target.subresource.as_deref().unwrap_or_default();
        match (subresource, call.request.verb) {
            ("status", Verb::Get) if call.resource.status => self.get(call),
            ("status", Verb::Update | Verb::Patch) if call.resource.status => {
                self.update(call, update::Part::Status)
            }
            ("status", _) if call.resource.status => Err(refuse::method_not_allowed()),
            _ => Err(refuse::no_resource()),
        }
    }

    /// Plants what a cluster has from its beginning.
    pub(super) fn seed(&mut self, resource: &str, namespace: Option<&str>, body: Value, now: Timestamp) {
        let target = Target {
            version: "v1".to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
            ..Target::default()
        };
        let options = super::request::Options::default();
        let request = Request { verb: Verb::Create, patch_type: None, target, options, body };
        let seeded = self.dispatch(&request, now);
        debug_assert!(seeded.is_ok(), "{seeded:?}");
    }
}

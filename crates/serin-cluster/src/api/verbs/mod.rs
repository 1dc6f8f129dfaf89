//! What requests do: reads, writes and the subresources, in the ways of a Kubernetes API server.

mod check;
mod create;
mod custom;
mod defaults;
mod definitions;
mod delete;
mod jobs;
mod metadata;
mod options;
mod page;
mod pods;
mod read;
mod refuse;
mod scale;
mod secrets;
mod services;
mod strategy;
mod update;
mod warn;

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

pub(super) use metadata::{label_value_faults, qualified_name_faults};
pub(super) use page::{check_list_options, fields_with_name, parse_revision};

use super::codec::Reader;
use super::patch::Manager;
use super::request::{PatchType, Request, Target, Verb};
use super::status::Status;
use super::store::object::members;
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
    warnings: RefCell<Vec<String>>,
}

impl<'a> Call<'a> {
    const fn new(request: &'a Request, resource: Arc<Resource>, now: Timestamp) -> Self {
        Self { request, resource, now, warnings: RefCell::new(Vec::new()) }
    }

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
        !self.request.options.dry_run.is_empty()
    }

    /// Which decoder reads what the request makes.
    fn reader(&self) -> Reader {
        match self.request.patch_type {
            Some(PatchType::Strategic | PatchType::Apply) if self.request.verb == Verb::Patch => {
                Reader::Merged
            }
            Some(_) | None => Reader::Json,
        }
    }

    /// Who writes, and through which endpoint, for `managedFields`.
    fn manager(&self, part: update::Part) -> Manager<'_> {
        let options = &self.request.options;
        let reset: &[&[&str]] = match part {
            update::Part::Main if self.resource.status => &[&["status"]],
            update::Part::Main => &[],
            update::Part::Status => strategy::reset_by_status(&self.resource),
            update::Part::Finalize => &[&["status"]],
        };
        Manager {
            name: if options.field_manager.is_empty() { "unknown" } else { &options.field_manager },
            subresource: self.request.target.subresource.as_deref().unwrap_or_default(),
            force: options.force == Some(true),
            reset,
        }
    }

    /// Warns of fields that the body has more than once and of fields that the kind does not have, or refuses them, as
    /// the request wishes.
    fn report_fields(&self, unknown: &[String]) -> Result<(), Status> {
        let (patch_type, form) = (self.request.patch_type, &self.request.form);
        let of_patch = self.request.verb == Verb::Patch;
        let of_unknown = || unknown.iter().map(|path| format!("unknown field \"{path}\""));
        let texts: Vec<String> = match patch_type.filter(|_| of_patch) {
            // What was applied is looked at by itself.
            Some(PatchType::Apply) => of_unknown().collect(),
            Some(PatchType::Json) => {
                let repeated = form.repeated().into_iter().map(|text| format!("json patch {text}"));
                repeated.chain(of_unknown()).collect()
            }
            Some(PatchType::Merge | PatchType::Strategic) => {
                form.repeated().into_iter().chain(of_unknown()).collect()
            }
            // A custom resource is looked at when it was read as a whole.
            None if self.resource.custom.is_some() => {
                form.repeated().into_iter().chain(of_unknown()).collect()
            }
            None => form.complaints(unknown),
        };
        if texts.is_empty() {
            return Ok(());
        }
        match self.request.options.field_validation.as_deref() {
            Some("Strict") => {
                let mut texts = texts;
                if let Some(lines) = yaml_fault(&form.lines) {
                    texts.splice(..form.lines.len(), [lines]);
                }
                let why = format!("strict decoding error: {}", texts.join(", "));
                Err(refuse::undecodable(&self.resource, &why))
            }
            Some("Ignore") => Ok(()),
            Some(_) | None => {
                self.warn(texts);
                Ok(())
            }
        }
    }

    /// As [`Self::report_fields`], of what an applied configuration has more than once.
    fn report_repeated(&self) -> Result<(), Status> {
        match (self.request.options.field_validation.as_deref(), yaml_fault(&self.request.form.lines)) {
            (_, None) | (Some("Ignore"), _) => Ok(()),
            (Some("Strict"), Some(why)) => {
                Err(refuse::bad_request(format!("error strict decoding YAML: {why}")))
            }
            (Some(_) | None, Some(_)) => {
                self.warn(self.request.form.lines.clone());
                Ok(())
            }
        }
    }

    /// Has the answer say something beside; nothing is said twice.
    fn warn(&self, texts: Vec<String>) {
        let mut said = self.warnings.borrow_mut();
        for text in texts {
            if !said.contains(&text) {
                said.push(text);
            }
        }
    }
}

/// What the reader of YAML says of lines that repeat a field; nothing where there are none.
fn yaml_fault(lines: &[String]) -> Option<String> {
    let why = "error converting YAML to JSON: yaml: unmarshal errors:";
    (!lines.is_empty()).then(|| format!("{why}\n  {}", lines.join("\n  ")))
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
    let version = object.get("apiVersion").and_then(Value::as_str);
    if version == Some(resource.api_version().as_str()) {
        return Arc::clone(object);
    }
    Arc::new(strategy::encode(resource, object))
}

/// Sets kind and version of an object as a client sends it.
fn stamp(resource: &Resource, object: &mut Value) {
    members(object).insert("kind".to_owned(), resource.kind.clone().into());
    members(object).insert("apiVersion".to_owned(), resource.api_version().into());
}

impl Store {
    /// Does what a request asks for.
    pub(super) fn dispatch(&mut self, request: &Request, now: Timestamp) -> Result<Answer, Status> {
        let resource = resolve(self, &request.target)?;
        let call = Call::new(request, resource, now);
        options::check(&call)?;
        let answer = match request.target.subresource.as_deref() {
            None => self.resource_verb(&call),
            Some(subresource) => self.subresource_verb(&call, subresource),
        };
        let warnings = call.warnings.take();
        match answer {
            Ok(answer) => Ok(Answer { warnings, ..answer }),
            Err(status) => Err(Status { warnings, ..status }),
        }
    }

    fn resource_verb(&mut self, call: &Call<'_>) -> Result<Answer, Status> {
        let named = call.request.target.name.is_some();
        match call.request.verb {
            Verb::Get if named => self.get(call),
            Verb::List | Verb::Watch => self.list(call),
            Verb::Create if !named => self.create(call),
            Verb::Update | Verb::Patch if named => self.update(call, update::Part::Main),
            Verb::Delete if named => self.delete(call),
            Verb::DeleteCollection if !named && call.resource.entry.allows("deletecollection") => {
                self.delete_collection(call)
            }
            Verb::Get | Verb::Create | Verb::Update | Verb::Patch | Verb::Delete | Verb::DeleteCollection => {
                Err(refuse::method_not_allowed())
            }
        }
    }

    fn subresource_verb(&mut self, call: &Call<'_>, subresource: &str) -> Result<Answer, Status> {
        let known = call.resource.entry.subresource(subresource).is_some();
        match (subresource, call.request.verb) {
            _ if !known => Err(refuse::no_resource()),
            ("status", Verb::Get) => self.get(call),
            ("status", Verb::Update | Verb::Patch) => self.update(call, update::Part::Status),
            ("finalize", Verb::Update) => self.update(call, update::Part::Finalize),
            ("scale", _) => self.scale(call),
            ("binding", Verb::Create) => self.bind(call),
            ("eviction", Verb::Create) => self.evict(call),
            _ => Err(refuse::method_not_allowed()),
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
        let request = Request { verb: Verb::Create, target, body, ..Request::default() };
        let seeded = self.dispatch(&request, now);
        debug_assert!(seeded.is_ok(), "{seeded:?}");
    }
}

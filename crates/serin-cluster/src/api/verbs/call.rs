//! A request with the resource that it is about, and its answer.

use std::cell::RefCell;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::super::codec::Reader;
use super::super::request::{PatchType, Request, Target, Verb};
use super::super::status::Status;
use super::super::store::{Key, Resource, Store};
use super::refuse;

/// Which half of an object a request changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All but the status, where status is a subresource.
    Main,
    /// The status.
    Status,
    /// What holds up a namespace that is being deleted.
    Finalize,
}

/// What a request that is not refused is answered with.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) body: Value,
    pub(super) warnings: Vec<String>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self { code: 200, body, warnings: Vec::new() }
    }

    pub(super) fn created(body: Value) -> Self {
        Self { code: 201, body, warnings: Vec::new() }
    }
}

/// One request, with what was looked up for it.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) resource: Arc<Resource>,
    pub(super) now: Timestamp,
    pub(super) warnings: RefCell<Vec<String>>,
}

impl<'a> Call<'a> {
    pub(super) const fn new(request: &'a Request, resource: Arc<Resource>, now: Timestamp) -> Self {
        Self { request, resource, now, warnings: RefCell::new(Vec::new()) }
    }

    /// The namespace of the object; none for what is in no namespace.
    pub(super) fn namespace(&self) -> Option<&str> {
        self.request.target.namespace.as_deref().filter(|_| self.resource.namespaced)
    }

    /// The name in the URL; empty for collections.
    pub(super) fn name(&self) -> &str {
        self.request.target.name.as_deref().unwrap_or_default()
    }

    pub(super) fn key(&self, name: &str) -> Key {
        let (group, plural) = &self.resource.stored;
        Key::new(group, plural, self.namespace(), name)
    }

    pub(super) fn dry_run(&self) -> bool {
        !self.request.options.dry_run.is_empty()
    }

    /// Which decoder reads what the request makes.
    pub(super) fn reader(&self) -> Reader {
        match self.request.patch_type {
            Some(PatchType::Strategic | PatchType::Apply) if self.request.verb == Verb::Patch => {
                Reader::Merged
            }
            Some(_) | None => Reader::Json,
        }
    }

    /// Warns of fields that the body has more than once and of fields that the kind does not have, or refuses them, as
    /// the request wishes.
    pub(super) fn report_fields(&self, unknown: &[String]) -> Result<(), Status> {
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
    pub(super) fn report_repeated(&self) -> Result<(), Status> {
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
    pub(super) fn warn(&self, texts: Vec<String>) {
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
pub(in crate::api) fn resolve(store: &Store, target: &Target) -> Result<Arc<Resource>, Status> {
    let found = store.registry.find(&target.group, &target.version, &target.resource);
    let resource = found.ok_or_else(refuse::no_resource)?;
    if !resource.namespaced && target.namespace.is_some() {
        return Err(refuse::no_resource());
    }
    Ok(resource)
}

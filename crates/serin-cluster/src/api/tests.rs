//! The API as its clients use it, without HTTP.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::request::{Options, PatchType, Request, Response, Target, Verb};
use super::status::{Reason, Status};
use super::store::{Settings, Store, object};
use super::watch::{Cursor, EventType};

mod collections;
mod kinds;
mod objects;

/// A store and a client of it.
struct World {
    store: Store,
    now: Timestamp,
}

fn target(path: &str) -> Target {
    let mut parts = path.trim_start_matches('/').split('/');
    let mut next = || parts.next().map(str::to_owned);
    let first = next().expect("api or apis");
    let group = if first == "apis" { next().expect("a group") } else { String::new() };
    let mut target = Target { group, version: next().expect("a version"), ..Target::default() };
    let mut resource = next().expect("a resource");
    if resource == "namespaces" {
        let name = next();
        match next() {
            Some(inner) if !["finalize", "status"].contains(&inner.as_str()) => {
                target.namespace = name;
                resource = inner;
            }
            subresource => {
                return Target { resource, name, subresource, ..target };
            }
        }
    }
    Target { resource, name: next(), subresource: next(), ..target }
}

fn request(verb: Verb, path: &str, body: Value) -> Request {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut options = Options::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').expect("key=value");
        let value = value.to_owned();
        match key {
            "labelSelector" => options.label_selector = Some(value),
            "fieldSelector" => options.field_selector = Some(value),
            "limit" => options.limit = value.parse().ok(),
            "continue" => options.continue_token = Some(value),
            "resourceVersion" => options.resource_version = Some(value),
            "resourceVersionMatch" => options.resource_version_match = Some(value),
            "allowWatchBookmarks" => options.allow_bookmarks = value == "true",
            "sendInitialEvents" => options.send_initial_events = Some(value == "true"),
            "timeoutSeconds" => options.timeout_seconds = value.parse().ok(),
            "dryRun" => options.dry_run.push(value.clone()),
            other => panic!("{other} is no option of these tests"),
        }
    }
    Request {
        verb,
        patch_type: Some(PatchType::Merge),
        target: target(path),
        options,
        body,
        ..Request::default()
    }
}

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

impl World {
    fn new() -> Self {
        Self::with(&Settings::default())
    }

    fn with(settings: &Settings) -> Self {
        let now: Timestamp = "2026-01-01T00:00:00.75Z".parse().expect("a time");
        Self { store: Store::new(settings, now), now }
    }

    fn send(&mut self, verb: Verb, path: &str, body: Value) -> Result<(u16, Value), Status> {
        match self.store.handle(&request(verb, path, body), self.now) {
            Response::Done { code, body, .. } => Ok((code, body)),
            Response::Refused(status) => Err(status),
        }
    }

    fn ok(&mut self, verb: Verb, path: &str, body: Value) -> Value {
        self.send(verb, path, body).unwrap_or_else(|status| panic!("{path}: {}", status.message)).1
    }

    fn refused(&mut self, verb: Verb, path: &str, body: Value) -> Status {
        match self.send(verb, path, body) {
            Err(status) => status,
            Ok((code, body)) => panic!("{path}: {code} {body}"),
        }
    }

    fn get(&mut self, path: &str) -> Value {
        self.ok(Verb::Get, path, Value::Null)
    }

    fn patch(&mut self, path: &str, change: Value) -> Value {
        self.ok(Verb::Patch, path, change)
    }

    fn make_map(&mut self, name: &str) -> Value {
        self.ok(Verb::Create, MAPS, json!({"metadata": {"name": name}}))
    }

    fn watch(&mut self, path: &str) -> Cursor {
        self.store.watch(&request(Verb::Watch, path, Value::Null), self.now).expect("a watch")
    }

    /// The events that a watch has not seen, as `TYPE name`.
    fn seen(&self, cursor: &mut Cursor) -> Vec<String> {
        let events = self.store.next(cursor, self.now);
        events
            .iter()
            .map(|event| format!("{} {}", event.event.as_str(), object::name(&event.object)))
            .collect()
    }

    fn pass(&mut self, seconds: i64) {
        self.now += jiff::SignedDuration::from_secs(seconds);
    }
}

fn version(object: &Value) -> &str {
    object::resource_version(object)
}

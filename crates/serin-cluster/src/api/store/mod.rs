//! The store: objects, one resourceVersion for all of them, and the log of what happened.
//!
//! A [`Store`] is the whole API: [`Store::handle`] answers a request, [`Store::watch`] gives a [`Cursor`] that
//! [`Store::next`] reads on from. Nothing in it waits, and its only sources of time and chance are the `now` that is
//! passed in and the seed of its [`Settings`]: the same requests at the same times give the same answers.
//!
//! Reads and watches see whole writes only. The log holds the latest changes (their number is a setting): a watch from
//! before them ends with 410, and a list of an older revision is made by undoing changes.

mod cursor;
mod key;
mod labels;
mod log;
pub(super) mod object;
mod random;
mod resource;
pub(super) mod selector;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

pub use cursor::{Cursor, EventType, WatchEvent};
pub(super) use key::Key;
pub(super) use log::{Change, Log};
pub(super) use random::Draw;
pub(super) use resource::Registry;
pub use resource::{Custom, Generation, Habits, Resource, ScalePaths};

use super::request::{Request, Response};
use super::status::Status;

/// What a store can be told at its making.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where generated names and uids start from.
    pub seed: u64,
    /// How many changes are remembered for watchers and lists of an older revision.
    pub log_capacity: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 0, log_capacity: 10_000 }
    }
}

/// An in-memory Kubernetes API. A clone goes its own way from there.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) registry: Registry,
    pub(super) objects: BTreeMap<Key, Arc<Value>>,
    pub(super) log: Log,
    pub(super) draw: Draw,
    revision: u64,
    definitions_revision: u64,
}

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

impl Store {
    /// A store with the namespaces and the service that every cluster has.
    #[must_use]
    pub fn new(settings: &Settings, now: Timestamp) -> Self {
        let mut store = Self {
            registry: Registry::built_in(),
            objects: BTreeMap::new(),
            log: Log::new(settings.log_capacity),
            draw: Draw::seeded(settings.seed),
            revision: 0,
            definitions_revision: 0,
        };
        for name in NAMESPACES {
            store.seed("namespaces", None, json!({"metadata": {"name": name}}), now);
        }
        let service = json!({
            "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
            "spec": {
                "clusterIP": "10.96.0.1",
                "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}],
            },
        });
        store.seed("services", Some("default"), service, now);
        store
    }

    /// Answers a request. A watch is answered by [`Store::watch`] instead.
    pub fn handle(&mut self, request: &Request, now: Timestamp) -> Response {
        match self.dispatch(request, now) {
            Ok(answer) => Response::Done { code: answer.code, body: answer.body, warnings: answer.warnings },
            Err(status) => Response::Refused(status),
        }
    }

    /// Begins a watch.
    pub fn watch(&mut self, request: &Request, now: Timestamp) -> Result<Cursor, Status> {
        cursor::open(self, request, now)
    }

    /// What a watch has not yet seen. After an [`EventType::Error`] the watch is over.
    #[must_use]
    pub fn next(&self, cursor: &mut Cursor, now: Timestamp) -> Vec<WatchEvent> {
        cursor.advance(self, now)
    }

    /// The resourceVersion of the latest write.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// All resources, built-in and defined, by group, version and plural name.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.registry.iter()
    }

    /// A resource by group, version and plural name.
    #[must_use]
    pub fn resource(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.registry.find(group, version, plural)
    }

    /// All custom resource definitions.
    #[must_use]
    pub fn definitions(&self) -> Vec<Arc<Value>> {
        let all = self.range("apiextensions.k8s.io", "customresourcedefinitions", None);
        all.map(|(_, definition)| Arc::clone(definition)).collect()
    }

    /// The resourceVersion of the latest write of a custom resource definition.
    #[must_use]
    pub const fn definitions_revision(&self) -> u64 {
        self.definitions_revision
    }

    /// Forgets the past up to and with `revision`: watches and lists from before it get 410.
    pub fn compact(&mut self, revision: u64) {
        self.log.compact(revision.min(self.revision));
    }

    /// The stored object.
    pub(super) fn read(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// Stores an object under a new resourceVersion, and without what is not stored.
    pub(super) fn put(&mut self, key: &Key, mut value: Value) -> Arc<Value> {
        self.revision += 1;
        object::remove(&mut value, &["metadata", "selfLink"]);
        object::set(&mut value, &["metadata", "resourceVersion"], self.revision.to_string().into());
        let after = Arc::new(value);
        let before = self.objects.insert(key.clone(), Arc::clone(&after));
        self.record(key, before, Some(Arc::clone(&after)));
        after
    }

    /// Removes an object. What is given back has the resourceVersion of the removal.
    pub(super) fn take(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.revision += 1;
        let mut last = (*before).clone();
        object::set(&mut last, &["metadata", "resourceVersion"], self.revision.to_string().into());
        self.record(key, Some(before), None);
        Some(Arc::new(last))
    }

    fn record(&mut self, key: &Key, before: Option<Arc<Value>>, after: Option<Arc<Value>>) {
        if key.group == "apiextensions.k8s.io" {
            self.definitions_revision = self.revision;
            match (&before, &after) {
                (_, Some(definition)) => self.registry.define(definition),
                (Some(definition), None) => self.registry.forget(object::name(definition)),
                (None, None) => {}
            }
        }
        self.log.push(Change { revision: self.revision, key: key.clone(), before, after });
    }

    /// The objects of a resource, in a namespace where one is given, in the order of lists.
    pub(super) fn range<'a>(
        &'a self,
        group: &'a str,
        resource: &'a str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let path = namespace.map_or_else(String::new, |namespace| format!("{namespace}/"));
        let start = Key { group: group.to_owned(), resource: resource.to_owned(), path };
        self.objects.range(start..).take_while(move |(key, _)| key.is_in(group, resource, namespace))
    }
}

#[cfg(test)]
mod tests;

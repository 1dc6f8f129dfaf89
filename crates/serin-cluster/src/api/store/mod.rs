//! The store: objects, one resourceVersion for all of them, and the log of what happened.
//!
//! A [`Store`] is the whole API: [`Store::handle`] answers a request, [`Store::watch`] gives a
//! [`Cursor`](super::watch::Cursor) that [`Store::next`] reads on from. Both are in modules above this one, which keeps
//! the objects and knows nothing of requests. Nothing in it waits, and its only sources of time and chance are the `now` that is
//! passed in and the seed of its [`Settings`]: the same requests at the same times give the same answers.
//!
//! Reads and watches see whole writes only. The log holds the latest changes (their number is a setting): a watch from
//! before them ends with 410, and a list of an older revision is made by undoing changes.

mod key;
mod labels;
mod log;
pub(super) mod object;
mod random;
mod resource;
pub(super) mod selector;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

pub(super) use key::Key;
pub(super) use log::{Change, Log};
pub(super) use random::Draw;
pub(super) use resource::Registry;
pub use resource::{Custom, Generation, Habits, Resource, ScalePaths};

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

impl Store {
    /// A store without objects.
    pub(super) fn empty(settings: &Settings) -> Self {
        Self {
            registry: Registry::built_in(),
            objects: BTreeMap::new(),
            log: Log::new(settings.log_capacity),
            draw: Draw::seeded(settings.seed),
            revision: 0,
            definitions_revision: 0,
        }
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

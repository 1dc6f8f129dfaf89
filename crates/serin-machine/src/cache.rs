//! What the cluster looks like, as far as the watches have told.
//!
//! A cache changes in two ways: by one object (a watch event), or as a whole (a list). A list is collected aside and
//! swapped in at once, so that no reader ever sees half of it; what differs from before, objects that vanished
//! unseen included, comes back as [`Change`]s. Readers are triggered by changes only after the cache shows them.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use crate::entry::{Entry, Term};
use crate::kinds;
use crate::object::RawObject;
use serin_core::domain::object::{ObjectKey, ObjectRef};
use serin_core::domain::plan::ObjectKind;

/// A difference between the cache before and after an event.
#[derive(Debug)]
pub struct Change {
    /// Which object it is.
    pub object: ObjectRef,
    /// What was known of it, if anything.
    pub before: Option<Arc<Entry>>,
    /// What is known of it now; `None` when it is gone.
    pub after: Option<Arc<Entry>>,
}

/// Why nothing is known of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// The cluster does not serve it: its definition is not installed.
    Absent,
    /// The API server refuses to list or watch it, with these words.
    Refused(String),
}

/// The objects of one kind.
#[derive(Debug)]
pub struct Cache {
    kind: ObjectKind,
    objects: BTreeMap<ObjectKey, Arc<Entry>>,
    /// The keys of the objects of which a term holds, in order.
    index: BTreeMap<Term, Vec<ObjectKey>>,
    /// A list that is being received.
    incoming: BTreeMap<ObjectKey, Arc<Entry>>,
    ready: bool,
    reached: u64,
    /// Until then something newer may be out of sight.
    doubted_until: Option<Timestamp>,
    /// Why nothing is received.
    closed: Option<Closed>,
    /// When the API server last broke off.
    silent_at: Option<Timestamp>,
    /// The API version in which the cluster serves the kind.
    version: &'static str,
}

impl Cache {
    /// The empty cache of `kind`.
    #[must_use]
    pub const fn new(kind: ObjectKind) -> Self {
        Self {
            kind,
            objects: BTreeMap::new(),
            index: BTreeMap::new(),
            incoming: BTreeMap::new(),
            ready: false,
            reached: 0,
            doubted_until: None,
            closed: None,
            silent_at: None,
            version: kind.resource().versions[0],
        }
    }

    /// A list begins; what was received of an unfinished one is dropped.
    pub fn begin(&mut self) {
        self.incoming.clear();
    }

    /// An object of the list that began last.
    pub fn collect(&mut self, object: RawObject) {
        let (key, entry) = self.entry(object);
        self.incoming.insert(key, entry);
    }

    /// The list is complete: it takes the place of everything known before.
    pub fn swap(&mut self) -> Vec<Change> {
        let incoming = std::mem::take(&mut self.incoming);
        let gone: Vec<_> = self.objects.keys().filter(|key| !incoming.contains_key(key)).cloned().collect();
        let mut changes: Vec<_> = gone.into_iter().filter_map(|key| self.take(&key)).collect();
        changes.extend(incoming.into_iter().filter_map(|(key, entry)| self.set(key, entry)));
        self.ready = true;
        self.doubted_until = None;
        self.closed = None;
        changes
    }

    /// An object was added or changed. `None` when no decision can depend on the difference.
    pub fn put(&mut self, object: RawObject) -> Option<Change> {
        let (key, entry) = self.entry(object);
        self.set(key, entry)
    }

    /// An object is gone; this is its last state.
    pub fn remove(&mut self, last: RawObject) -> Option<Change> {
        let (key, last) = self.entry(last);
        self.note(&last);
        self.take(&key)
    }

    /// Nobody looks at objects of the kind any more: nothing is known of it.
    pub fn clear(&mut self) {
        *self = Self { reached: self.reached, version: self.version, ..Self::new(self.kind) };
    }

    /// The API version in which the cluster serves the kind; the best one until that is known.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        self.version
    }

    /// The cluster serves the kind in that API version.
    pub const fn serve_in(&mut self, version: &'static str) {
        self.version = version;
    }

    fn entry(&self, mut object: RawObject) -> (ObjectKey, Arc<Entry>) {
        let key = object.key();
        (key, Arc::new((kinds::row(self.kind).prune)(&mut object)))
    }

    /// The object of that key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<Entry>> {
        self.objects.get(key)
    }

    /// All objects, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectKey, &Arc<Entry>)> {
        self.objects.iter()
    }

    /// The objects of which `term` holds, by key.
    pub fn find<'a>(
        &'a self,
        term: &Term,
    ) -> impl Iterator<Item = (&'a ObjectKey, &'a Arc<Entry>)> + use<'a> {
        let keys = self.index.get(term).into_iter().flatten();
        keys.filter_map(|key| self.objects.get_key_value(key))
    }

    /// Whether `term` holds of any object.
    #[must_use]
    pub fn has(&self, term: &Term) -> bool {
        self.index.contains_key(term)
    }

    /// Whether a whole list has been received.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Nothing is received, for this reason; what has changed by that, if it is news. Where the definition of a kind is
    /// gone so are its objects; those that may no longer be read stay as they were last seen.
    pub fn close(&mut self, why: Closed) -> Option<Vec<Change>> {
        if self.closed.as_ref() == Some(&why) {
            return None;
        }
        let is_absent = why == Closed::Absent;
        self.closed = Some(why);
        if !is_absent {
            return Some(Vec::new());
        }
        self.ready = false;
        self.incoming.clear();
        let gone: Vec<_> = self.objects.keys().cloned().collect();
        Some(gone.into_iter().filter_map(|key| self.take(&key)).collect())
    }

    /// Why nothing has been received since the last list, if that is known.
    #[must_use]
    pub const fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// Whether everything is known that happened up to `resource_version`.
    ///
    /// The events of a kind arrive in the order of their resource versions, so one that is as new or newer says that
    /// nothing older is still to come. A resource version that is no number counts as reached.
    #[must_use]
    pub fn has_reached(&self, resource_version: &str) -> bool {
        match resource_version.parse::<u64>() {
            Ok(version) => self.reached >= version,
            Err(_) => true,
        }
    }

    /// The watch is interrupted and will have been taken up again by `time`, unless that is said anew.
    pub const fn doubt_until(&mut self, time: Timestamp) {
        self.doubted_until = Some(time);
    }

    /// Until when something newer may be out of sight, if that is after `now`.
    #[must_use]
    pub fn doubted_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.doubted_until.filter(|until| *until > now)
    }

    /// The API server has broken off.
    pub const fn silent(&mut self, now: Timestamp) {
        self.silent_at = Some(now);
    }

    /// Whether the API server has broken off since `time`.
    #[must_use]
    pub fn was_silent_since(&self, time: Timestamp) -> bool {
        self.silent_at.is_some_and(|silent| silent >= time)
    }

    fn note(&mut self, entry: &Entry) {
        self.doubted_until = None;
        self.reached = self.reached.max(entry.id.resource_version.parse().unwrap_or(0));
    }

    fn set(&mut self, key: ObjectKey, entry: Arc<Entry>) -> Option<Change> {
        self.note(&entry);
        let before = self.objects.insert(key.clone(), Arc::clone(&entry));
        if let Some(before) = &before {
            self.unindex(&key, before);
        }
        for term in entry.terms(self.kind, &key) {
            let keys = self.index.entry(term).or_default();
            if let Err(place) = keys.binary_search(&key) {
                keys.insert(place, key.clone());
            }
        }
        let differs = before.as_ref().is_none_or(|before| (kinds::row(self.kind).differs)(&entry, before));
        differs.then(|| Change { object: key.of_kind(self.kind), before, after: Some(entry) })
    }

    fn take(&mut self, key: &ObjectKey) -> Option<Change> {
        let (key, before) = self.objects.remove_entry(key)?;
        self.unindex(&key, &before);
        Some(Change { object: key.of_kind(self.kind), before: Some(before), after: None })
    }

    fn unindex(&mut self, key: &ObjectKey, entry: &Entry) {
        for term in entry.terms(self.kind, key) {
            if let Some(keys) = self.index.get_mut(&term) {
                keys.retain(|one| one != key);
                if keys.is_empty() {
                    self.index.remove(&term);
                }
            }
        }
    }
}

/// A cache that a watch writes and many readers read.
#[derive(Debug)]
pub struct Shared(RwLock<Cache>);

impl Shared {
    /// The empty cache of `kind`.
    #[must_use]
    pub const fn new(kind: ObjectKind) -> Self {
        Self(RwLock::new(Cache::new(kind)))
    }

    /// The cache, to read.
    pub fn read(&self) -> RwLockReadGuard<'_, Cache> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cache, to change.
    pub fn write(&self) -> RwLockWriteGuard<'_, Cache> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::raw;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn services() -> Cache {
        Cache::new(ObjectKind::Service)
    }

    fn service(name: &str, version: &str, app: &str) -> RawObject {
        raw(json!({
            "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version},
            "spec": {"selector": {"app": app}},
        }))
    }

    fn listed(cache: &mut Cache, objects: Vec<RawObject>) -> Vec<String> {
        cache.begin();
        for object in objects {
            cache.collect(object);
        }
        cache.swap().into_iter().map(|change| change.object.key.name).collect()
    }

    #[test]
    fn a_list_reports_what_is_new_changed_and_gone() {
        let mut cache = services();
        assert!(!cache.is_ready());
        let first = vec![service("a", "1", "x"), service("b", "2", "x"), service("c", "3", "x")];
        assert_eq!(listed(&mut cache, first), ["a", "b", "c"]);
        assert!(cache.is_ready());
        let second = vec![service("b", "2", "x"), service("c", "4", "y"), service("d", "5", "x")];
        assert_eq!(listed(&mut cache, second), ["a", "c", "d"]);
        assert!(cache.get(&key("a")).is_none() && cache.get(&key("b")).is_some());
    }

    #[test]
    fn an_unfinished_list_is_not_seen() {
        let mut cache = services();
        listed(&mut cache, vec![service("a", "1", "x")]);
        cache.begin();
        cache.collect(service("b", "2", "x"));
        assert!(cache.get(&key("a")).is_some() && cache.get(&key("b")).is_none());
        cache.begin();
        assert_eq!(cache.swap().len(), 1, "the second list is empty: only `a` has gone");
        assert!(cache.get(&key("b")).is_none());
    }

    #[test]
    fn a_difference_that_no_decision_reads_is_no_change() {
        let mut cache = services();
        assert!(cache.put(service("a", "1", "x")).is_some());
        assert!(cache.put(service("a", "2", "x")).is_none());
        assert_eq!(cache.get(&key("a")).map(|e| e.id.resource_version.as_str()), Some("2"));
        assert!(cache.put(service("a", "3", "y")).is_some());
    }

    #[test]
    fn a_version_is_reached_when_anything_newer_was_seen() {
        let mut cache = services();
        assert!(!cache.has_reached("5"));
        cache.put(service("a", "4", "x"));
        assert!(cache.has_reached("4") && !cache.has_reached("5"));
        cache.remove(service("a", "6", "x"));
        assert!(cache.has_reached("5"), "its deletion came after");
        assert!(cache.has_reached("not-a-number"));
        cache.put(service("a", "9", "x"));
        assert!(cache.has_reached("9") && !cache.has_reached("10"), "versions are numbers");
        listed(&mut cache, vec![]);
        assert!(cache.has_reached("9"));
    }

    #[test]
    fn an_interrupted_watch_is_doubted_until_it_goes_on() {
        let (now, soon) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(3).expect("a time"));
        let mut cache = services();
        cache.doubt_until(soon);
        assert_eq!((cache.doubted_until(now), cache.doubted_until(soon)), (Some(soon), None));
        cache.put(service("a", "1", "x"));
        assert_eq!(cache.doubted_until(now), None, "an event has come");
        cache.doubt_until(soon);
        cache.swap();
        assert_eq!(cache.doubted_until(now), None, "a list has come");
    }

    #[test]
    fn objects_go_with_their_definition_and_stay_where_they_may_not_be_read() {
        let mut cache = services();
        listed(&mut cache, vec![service("a", "1", "x")]);
        let refused = cache.close(Closed::Refused("no".into()));
        assert!(refused.is_some_and(|changes| changes.is_empty()) && cache.get(&key("a")).is_some());
        assert_eq!(cache.close(Closed::Absent).map(|changes| changes.len()), Some(1));
        assert!(cache.get(&key("a")).is_none() && !cache.is_ready() && cache.index.is_empty());
        assert!(cache.close(Closed::Absent).is_none(), "that is known");
    }

    #[test]
    fn objects_are_found_by_owner_and_no_longer_when_it_changes() {
        let replica_set = |owner: Option<&str>| {
            let owners = owner.map(|uid| {
                json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": uid,
                    "controller": true}])
            });
            raw(json!({"metadata": {"name": "r", "namespace": "shop", "ownerReferences": owners}}))
        };
        let (owned, orphan) = (Term::ControlledBy("u1".into()), Term::Orphan("shop".into()));
        let mut cache = Cache::new(ObjectKind::ReplicaSet);
        cache.put(replica_set(Some("u1")));
        assert_eq!((cache.find(&owned).count(), cache.find(&orphan).count()), (1, 0));
        cache.put(replica_set(None));
        assert_eq!((cache.find(&owned).count(), cache.find(&orphan).count()), (0, 1));
        cache.remove(replica_set(None));
        assert!(cache.index.is_empty());
    }
}

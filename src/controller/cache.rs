//! What the cluster looks like, as far as the watches have told.
//!
//! A cache changes in two ways: by one object (a watch event), or as a whole (a list). A list is collected aside and
//! swapped in at once, so that no reader ever sees half of it; what differs from before, objects that vanished
//! unseen included, comes back as [`Change`]s. Readers are triggered by changes only after the cache shows them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use jiff::Timestamp;

use super::entry::{Entry, IngressEntry, PodEntry, ReplicaSetEntry, RolloutEntry, ServiceEntry, Term};
use super::object::ObjectKey;
use super::workload::Workloads;
use serin_core::domain::plan::ObjectKind;

/// A difference between the cache before and after an event.
#[derive(Debug)]
pub struct Change<T> {
    /// Which object it is.
    pub key: ObjectKey,
    /// What was known of it, if anything.
    pub before: Option<Arc<T>>,
    /// What is known of it now; `None` when it is gone.
    pub after: Option<Arc<T>>,
}

/// The objects of one kind.
#[derive(Debug)]
pub struct Cache<T> {
    objects: BTreeMap<ObjectKey, Arc<T>>,
    index: BTreeMap<Term, BTreeSet<ObjectKey>>,
    /// A list that is being received.
    incoming: BTreeMap<ObjectKey, Arc<T>>,
    ready: bool,
    reached: u64,
    /// Until then something newer may be out of sight.
    doubted_until: Option<Timestamp>,
    /// Why nothing is received.
    refusal: Option<String>,
    /// When the API server last broke off.
    silent_at: Option<Timestamp>,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        let (objects, index, incoming) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let (doubted_until, refusal, silent_at) = (None, None, None);
        Self { objects, index, incoming, ready: false, reached: 0, doubted_until, refusal, silent_at }
    }
}

impl<T: Entry> Cache<T> {
    /// A list begins; what was received of an unfinished one is dropped.
    pub fn begin(&mut self) {
        self.incoming.clear();
    }

    /// An object of the list that began last.
    pub fn collect(&mut self, key: ObjectKey, entry: T) {
        self.incoming.insert(key, Arc::new(entry));
    }

    /// The list is complete: it takes the place of everything known before.
    pub fn swap(&mut self) -> Vec<Change<T>> {
        let incoming = std::mem::take(&mut self.incoming);
        let gone: Vec<_> = self.objects.keys().filter(|key| !incoming.contains_key(key)).cloned().collect();
        let mut changes: Vec<_> = gone.into_iter().filter_map(|key| self.take(key)).collect();
        changes.extend(incoming.into_iter().filter_map(|(key, entry)| self.set(key, entry)));
        self.ready = true;
        self.doubted_until = None;
        self.refusal = None;
        changes
    }

    /// An object was added or changed. `None` when no decision can depend on the difference.
    pub fn put(&mut self, key: ObjectKey, entry: T) -> Option<Change<T>> {
        self.set(key, Arc::new(entry))
    }

    /// An object is gone; `last` is its last state.
    pub fn remove(&mut self, key: ObjectKey, last: &T) -> Option<Change<T>> {
        self.note(last);
        self.take(key)
    }

    /// The object of that key.
    #[must_use]
    pub fn get(&self, key: &ObjectKey) -> Option<&Arc<T>> {
        self.objects.get(key)
    }

    /// All objects, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectKey, &Arc<T>)> {
        self.objects.iter()
    }

    /// The objects of which `term` holds, by key.
    pub fn find<'a>(&'a self, term: &Term) -> impl Iterator<Item = (&'a ObjectKey, &'a Arc<T>)> + use<'a, T> {
        let keys = self.index.get(term).into_iter().flatten();
        keys.filter_map(|key| self.objects.get_key_value(key))
    }

    /// Whether a whole list has been received.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// The API server refuses to list or watch the objects, with these words. True if that is news.
    pub fn refuse(&mut self, said: String) -> bool {
        let is_news = self.refusal.as_ref() != Some(&said);
        self.refusal = Some(said);
        is_news
    }

    /// What the API server has said about that since the last list.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
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
    pub fn doubt_until(&mut self, time: Timestamp) {
        self.doubted_until = Some(time);
    }

    /// Until when something newer may be out of sight, if that is after `now`.
    #[must_use]
    pub fn doubted_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.doubted_until.filter(|until| *until > now)
    }

    /// The API server has broken off.
    pub fn silent(&mut self, now: Timestamp) {
        self.silent_at = Some(now);
    }

    /// Whether the API server has broken off since `time`.
    #[must_use]
    pub fn was_silent_since(&self, time: Timestamp) -> bool {
        self.silent_at.is_some_and(|silent| silent >= time)
    }

    fn note(&mut self, entry: &T) {
        self.doubted_until = None;
        self.reached = self.reached.max(entry.id().resource_version.parse().unwrap_or(0));
    }

    fn set(&mut self, key: ObjectKey, entry: Arc<T>) -> Option<Change<T>> {
        self.note(&entry);
        let before = self.objects.insert(key.clone(), Arc::clone(&entry));
        if let Some(before) = &before {
            self.unindex(&key, before);
        }
        for term in entry.terms(&key) {
            self.index.entry(term).or_default().insert(key.clone());
        }
        let differs = before.as_ref().is_none_or(|before| entry.differs(before));
        differs.then_some(Change { key, before, after: Some(entry) })
    }

    fn take(&mut self, key: ObjectKey) -> Option<Change<T>> {
        let before = self.objects.remove(&key)?;
        self.unindex(&key, &before);
        Some(Change { key, before: Some(before), after: None })
    }

    fn unindex(&mut self, key: &ObjectKey, entry: &T) {
        for term in entry.terms(key) {
            if let Some(keys) = self.index.get_mut(&term) {
                keys.remove(key);
                if keys.is_empty() {
                    self.index.remove(&term);
                }
            }
        }
    }
}

/// A cache that a watch writes and many readers read.
#[derive(Debug)]
pub struct Shared<T>(RwLock<Cache<T>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(RwLock::new(Cache::default()))
    }
}

impl<T> Shared<T> {
    /// The cache, to read.
    pub fn read(&self) -> RwLockReadGuard<'_, Cache<T>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The cache, to change.
    pub fn write(&self) -> RwLockWriteGuard<'_, Cache<T>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One cache a kind.
#[derive(Debug, Default)]
pub struct Caches {
    /// Rollouts.
    pub rollouts: Shared<RolloutEntry>,
    /// ReplicaSets that carry the hash label.
    pub replica_sets: Shared<ReplicaSetEntry>,
    /// Services.
    pub services: Shared<ServiceEntry>,
    /// Ingresses.
    pub ingresses: Shared<IngressEntry>,
    /// Pods that carry the hash label.
    pub pods: Shared<PodEntry>,
    /// What Rollouts take their templates from.
    pub workloads: Workloads,
}

impl Caches {
    /// The kinds of which no whole list has been received yet, of those that every decision needs.
    #[must_use]
    pub fn missing(&self) -> Vec<ObjectKind> {
        let ready = [
            (ObjectKind::Rollout, self.rollouts.read().is_ready()),
            (ObjectKind::ReplicaSet, self.replica_sets.read().is_ready()),
            (ObjectKind::Service, self.services.read().is_ready()),
            (ObjectKind::Ingress, self.ingresses.read().is_ready()),
            (ObjectKind::Pod, self.pods.read().is_ready()),
        ];
        ready.into_iter().filter(|(_, ready)| !ready).map(|(kind, _)| kind).collect()
    }

    /// Whether the cache of `kind` shows everything up to `resource_version`.
    #[must_use]
    pub fn have_reached(&self, kind: ObjectKind, resource_version: &str) -> bool {
        match kind {
            ObjectKind::Rollout => self.rollouts.read().has_reached(resource_version),
            ObjectKind::ReplicaSet => self.replica_sets.read().has_reached(resource_version),
            ObjectKind::Service => self.services.read().has_reached(resource_version),
            ObjectKind::Ingress => self.ingresses.read().has_reached(resource_version),
            ObjectKind::Pod => self.pods.read().has_reached(resource_version),
            ObjectKind::Deployment => self.workloads.deployments.read().has_reached(resource_version),
            ObjectKind::PodTemplate => self.workloads.pod_templates.read().has_reached(resource_version),
        }
    }

    /// Whether the API server has broken off a watch since `time`.
    #[must_use]
    pub fn were_silent_since(&self, time: Timestamp) -> bool {
        self.rollouts.read().was_silent_since(time)
            || self.replica_sets.read().was_silent_since(time)
            || self.services.read().was_silent_since(time)
            || self.ingresses.read().was_silent_since(time)
            || self.pods.read().was_silent_since(time)
    }

    /// Whether the object is there with that uid and nobody has begun to delete it.
    #[must_use]
    pub fn has_living(&self, kind: ObjectKind, key: &ObjectKey, uid: &str) -> bool {
        match kind {
            ObjectKind::Rollout => self.rollouts.read().get(key).is_some_and(|e| e.id.uid == uid),
            ObjectKind::ReplicaSet => {
                self.replica_sets.read().get(key).is_some_and(|e| e.view.id.uid == uid && !e.view.deleting)
            }
            ObjectKind::Service => self.services.read().get(key).is_some_and(|e| e.0.id.uid == uid),
            ObjectKind::Ingress => self.ingresses.read().get(key).is_some_and(|e| e.id.uid == uid),
            ObjectKind::Pod => {
                self.pods.read().get(key).is_some_and(|e| e.view.id.uid == uid && !e.view.deleting)
            }
            ObjectKind::Deployment => {
                self.workloads.deployments.read().get(key).is_some_and(|e| e.id().uid == uid)
            }
            ObjectKind::PodTemplate => {
                self.workloads.pod_templates.read().get(key).is_some_and(|e| e.id().uid == uid)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn service(name: &str, version: &str, app: &str) -> ServiceEntry {
        let object = json!({
            "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": version},
            "spec": {"selector": {"app": app}},
        });
        ServiceEntry::prune(serde_json::from_value(object).expect("an object"))
    }

    fn listed(cache: &mut Cache<ServiceEntry>, entries: Vec<ServiceEntry>) -> Vec<String> {
        cache.begin();
        for entry in entries {
            cache.collect(key(&entry.0.id.name), entry);
        }
        cache.swap().into_iter().map(|change| change.key.name).collect()
    }

    #[test]
    fn a_list_reports_what_is_new_changed_and_gone() {
        let mut cache = Cache::default();
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
        let mut cache = Cache::default();
        listed(&mut cache, vec![service("a", "1", "x")]);
        cache.begin();
        cache.collect(key("b"), service("b", "2", "x"));
        assert!(cache.get(&key("a")).is_some() && cache.get(&key("b")).is_none());
        cache.begin();
        assert_eq!(cache.swap().len(), 1, "the second list is empty: only `a` has gone");
        assert!(cache.get(&key("b")).is_none());
    }

    #[test]
    fn a_difference_that_no_decision_reads_is_no_change() {
        let mut cache = Cache::default();
        assert!(cache.put(key("a"), service("a", "1", "x")).is_some());
        assert!(cache.put(key("a"), service("a", "2", "x")).is_none());
        assert_eq!(cache.get(&key("a")).map(|e| e.id().resource_version.as_str()), Some("2"));
        assert!(cache.put(key("a"), service("a", "3", "y")).is_some());
    }

    #[test]
    fn a_version_is_reached_when_anything_newer_was_seen() {
        let mut cache = Cache::default();
        assert!(!cache.has_reached("5"));
        cache.put(key("a"), service("a", "4", "x"));
        assert!(cache.has_reached("4") && !cache.has_reached("5"));
        cache.remove(key("a"), &service("a", "6", "x"));
        assert!(cache.has_reached("5"), "its deletion came after");
        assert!(cache.has_reached("not-a-number"));
        cache.put(key("a"), service("a", "9", "x"));
        assert!(cache.has_reached("9") && !cache.has_reached("10"), "versions are numbers");
        listed(&mut cache, vec![]);
        assert!(cache.has_reached("9"));
    }

    #[test]
    fn an_interrupted_watch_is_doubted_until_it_goes_on() {
        let (now, soon) = (Timestamp::UNIX_EPOCH, Timestamp::from_second(3).expect("a time"));
        let mut cache = Cache::default();
        cache.doubt_until(soon);
        assert_eq!((cache.doubted_until(now), cache.doubted_until(soon)), (Some(soon), None));
        cache.put(key("a"), service("a", "1", "x"));
        assert_eq!(cache.doubted_until(now), None, "an event has come");
        cache.doubt_until(soon);
        cache.swap();
        assert_eq!(cache.doubted_until(now), None, "a list has come");
    }

    #[test]
    fn objects_are_found_by_owner_and_no_longer_when_it_changes() {
        let replica_set = |owner: Option<&str>| {
            let owners = owner.map(|uid| {
                json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": uid,
                    "controller": true}])
            });
            let object = json!({"metadata": {"name": "r", "namespace": "shop", "ownerReferences": owners}});
            ReplicaSetEntry::prune(serde_json::from_value(object).expect("an object"))
        };
        let (owned, orphan) = (Term::ControlledBy("u1".into()), Term::Orphan("shop".into()));
        let mut cache = Cache::default();
        cache.put(key("r"), replica_set(Some("u1")));
        assert_eq!((cache.find(&owned).count(), cache.find(&orphan).count()), (1, 0));
        cache.put(key("r"), replica_set(None));
        assert_eq!((cache.find(&owned).count(), cache.find(&orphan).count()), (0, 1));
        cache.remove(key("r"), &replica_set(None));
        assert!(cache.index.is_empty());
    }
}

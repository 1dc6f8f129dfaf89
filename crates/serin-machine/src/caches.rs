//! The caches of all kinds, and what can be asked of them together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::cache::Shared;
use crate::entry::{Entry, Term};
use crate::kinds::{self, Demand};
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::ObjectKind;

/// When a decision is tried again that waits for the first list of a kind; the list comes sooner.
pub const UNSEEN: Duration = Duration::from_secs(1);

/// One cache a kind.
#[derive(Debug)]
pub struct Caches(BTreeMap<ObjectKind, Shared>);

impl Default for Caches {
    fn default() -> Self {
        Self(ObjectKind::ALL.iter().map(|kind| (*kind, Shared::new(*kind))).collect())
    }
}

impl Caches {
    /// The objects of `kind`.
    #[must_use]
    pub fn of(&self, kind: ObjectKind) -> &Shared {
        &self.0[&kind]
    }

    /// The object, if it is known.
    #[must_use]
    pub fn find(&self, object: &ObjectRef) -> Option<Arc<Entry>> {
        self.of(object.kind).read().get(&object.key).cloned()
    }

    /// The API version in which the cluster serves `kind`.
    #[must_use]
    pub fn version(&self, kind: ObjectKind) -> &'static str {
        self.of(kind).read().version()
    }

    /// The keys of the primary objects of which `term` holds.
    #[must_use]
    pub fn primaries_with(&self, term: &Term) -> BTreeSet<ObjectRef> {
        let of_kind = |kind: ObjectKind| {
            let cache = self.of(kind).read();
            cache.find(term).map(|(key, _)| key.clone().of_kind(kind)).collect::<Vec<_>>()
        };
        kinds::primaries().flat_map(of_kind).collect()
    }

    /// The kinds of which no whole list has been received yet, of those that every decision needs.
    #[must_use]
    pub fn missing(&self) -> Vec<ObjectKind> {
        kinds::always().filter(|kind| !self.of(*kind).read().is_ready()).collect()
    }

    /// The kinds that have to be watched: those that always are, and those that a primary object looks at.
    #[must_use]
    pub fn needed(&self) -> BTreeSet<ObjectKind> {
        let is_named = |kind: &ObjectKind| {
            let term = Term::Needs(*kind);
            kinds::primaries().any(|primary| self.of(primary).read().has(&term))
        };
        let is_needed = |kind: &ObjectKind| match kinds::row(*kind).demand {
            Demand::Always | Demand::Own => true,
            Demand::WhenNamed => is_named(kind),
        };
        ObjectKind::ALL.iter().copied().filter(is_needed).collect()
    }

    /// Whether the cache of `kind` shows everything up to `resource_version`.
    #[must_use]
    pub fn have_reached(&self, kind: ObjectKind, resource_version: &str) -> bool {
        self.of(kind).read().has_reached(resource_version)
    }

    /// Whether the API server has broken off a watch since `time`, of the kinds that are always watched.
    #[must_use]
    pub fn were_silent_since(&self, time: Timestamp) -> bool {
        kinds::always().any(|kind| self.of(kind).read().was_silent_since(time))
    }

    /// Whether the object is there with that uid and nobody has begun to delete it.
    #[must_use]
    pub fn has_living(&self, object: &ObjectRef, uid: &str) -> bool {
        self.find(object).is_some_and(|entry| entry.id.uid == uid && !entry.deleting)
    }

    /// How long the decision about the primary object has to wait until enough is known of what it looks at; `None` if
    /// it can be made now.
    ///
    /// What a user asks for must not be judged by an old copy while newer copies of the rest are known: a ReplicaSet that
    /// another controller made for the newest template would look like one to be scaled down.
    #[must_use]
    pub fn wait(&self, primary: &ObjectRef, now: Timestamp) -> Option<(ObjectKind, Duration)> {
        let left = |until: Timestamp| Duration::try_from(until.duration_since(now)).unwrap_or(UNSEEN);
        if let Some(until) = self.of(primary.kind).read().doubted_until(now) {
            return Some((primary.kind, left(until)));
        }
        let entry = self.find(primary)?;
        let of_kind = |object: &ObjectRef| {
            if kinds::row(object.kind).demand != Demand::WhenNamed {
                return None;
            }
            let cache = self.of(object.kind).read();
            match (cache.is_ready(), cache.closed()) {
                (_, Some(_)) => None,
                (false, None) => Some((object.kind, UNSEEN)),
                (true, None) => Some((object.kind, left(cache.doubted_until(now)?))),
            }
        };
        entry.observed.objects.iter().find_map(of_kind)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cache::Closed;
    use crate::object::RawObject;
    use crate::testing::raw;

    fn rollout(spec: &serde_json::Value) -> RawObject {
        let metadata = json!({"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "1"});
        raw(json!({"metadata": metadata, "spec": spec}))
    }

    fn of_deployment() -> RawObject {
        let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
        rollout(&json!({"workloadRef": reference, "strategy": {"canary": {}}}))
    }

    #[test]
    fn a_kind_is_needed_while_a_primary_object_looks_at_one_of_it() {
        let caches = Caches::default();
        let always = caches.needed();
        assert!(kinds::always().chain(kinds::primaries()).all(|kind| always.contains(&kind)));
        caches.of(ObjectKind::Rollout).write().put(of_deployment());
        let named: Vec<_> = caches.needed().difference(&always).copied().collect();
        assert_eq!(named, [ObjectKind::Deployment]);
        caches.of(ObjectKind::Rollout).write().put(rollout(&json!({"strategy": {"canary": {}}})));
        assert_eq!(caches.needed(), always);
    }

    #[test]
    fn a_decision_waits_for_the_first_list_and_for_an_interrupted_watch() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a time");
        let caches = Caches::default();
        caches.of(ObjectKind::Rollout).write().put(of_deployment());
        let web = ObjectRef::new(ObjectKind::Rollout, "shop", "web");
        let wait = || caches.wait(&web, at(0)).map(|(kind, left)| (kind, left.as_secs()));
        let deployments = || caches.of(ObjectKind::Deployment).write();
        assert_eq!(wait(), Some((ObjectKind::Deployment, 1)));
        assert!(deployments().close(Closed::Refused("no".into())).is_some());
        assert!(deployments().close(Closed::Refused("no".into())).is_none(), "that is known");
        deployments().doubt_until(at(3));
        assert_eq!(wait(), None, "there is nothing to wait for");
        deployments().swap();
        assert_eq!(wait(), None);
        deployments().doubt_until(at(3));
        assert_eq!(wait(), Some((ObjectKind::Deployment, 3)));
        caches.of(ObjectKind::Rollout).write().doubt_until(at(5));
        assert_eq!(wait(), Some((ObjectKind::Rollout, 5)), "an old spec must not be judged");
    }
}

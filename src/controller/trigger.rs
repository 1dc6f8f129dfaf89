//! Which Rollouts are decided on again when an object has changed.

use std::collections::BTreeSet;

use super::cache::{Caches, Change};
use super::entry::{Entry, IngressEntry, Owner, PodEntry, ReplicaSetEntry, RolloutEntry, ServiceEntry, Term};
use super::object::ObjectKey;
use super::workload::selector_of;
use serin_values::selector::selects;

/// A kind whose changes concern Rollouts.
pub trait Trigger: Entry {
    /// The Rollouts that look at this object.
    fn watchers(&self, key: &ObjectKey, caches: &Caches) -> BTreeSet<ObjectKey>;

    /// The Rollouts that cannot be decided on before the kind has been listed, or it is known that this is refused.
    #[must_use]
    fn waiting(_: &Caches) -> BTreeSet<ObjectKey> {
        BTreeSet::new()
    }
}

/// The Rollouts that looked at the object before the change, or do so after it.
#[must_use]
pub fn rollouts<T: Trigger>(change: &Change<T>, caches: &Caches) -> BTreeSet<ObjectKey> {
    let states = [&change.before, &change.after];
    states.into_iter().flatten().flat_map(|entry| entry.watchers(&change.key, caches)).collect()
}

pub(super) fn rollouts_with(term: &Term, caches: &Caches) -> BTreeSet<ObjectKey> {
    caches.rollouts.read().find(term).map(|(key, _)| key.clone()).collect()
}

impl Trigger for RolloutEntry {
    fn watchers(&self, key: &ObjectKey, _: &Caches) -> BTreeSet<ObjectKey> {
        BTreeSet::from([key.clone()])
    }
}

impl Trigger for ReplicaSetEntry {
    /// The Rollout that controls it; where nothing does, those that might adopt it.
    fn watchers(&self, key: &ObjectKey, caches: &Caches) -> BTreeSet<ObjectKey> {
        match &self.owner {
            Some(owner) => owning_rollout(owner, &key.namespace).into_iter().collect(),
            None => adopters(self, &key.namespace, caches),
        }
    }
}

fn owning_rollout(owner: &Owner, namespace: &str) -> Option<ObjectKey> {
    owner.is_rollout().then(|| ObjectKey::new(namespace, &owner.name))
}

fn adopters(orphan: &ReplicaSetEntry, namespace: &str, caches: &Caches) -> BTreeSet<ObjectKey> {
    let rollouts = caches.rollouts.read();
    let in_namespace = rollouts.find(&Term::Namespace(namespace.to_owned()));
    let adopts = |entry: &RolloutEntry| {
        let selector = selector_of(entry, namespace, caches);
        selector.is_some_and(|selector| selects(&selector, &orphan.view.labels))
    };
    in_namespace.filter(|(_, entry)| adopts(entry)).map(|(key, _)| key.clone()).collect()
}

impl Trigger for ServiceEntry {
    fn watchers(&self, key: &ObjectKey, caches: &Caches) -> BTreeSet<ObjectKey> {
        rollouts_with(&Term::NamesService(key.clone()), caches)
    }
}

impl Trigger for IngressEntry {
    fn watchers(&self, key: &ObjectKey, caches: &Caches) -> BTreeSet<ObjectKey> {
        let owner = self.owner.as_ref().and_then(|owner| owning_rollout(owner, &key.namespace));
        rollouts_with(&Term::NamesIngress(key.clone()), caches).into_iter().chain(owner).collect()
    }
}

impl Trigger for PodEntry {
    /// The Rollout of its ReplicaSet, if it looks at Pods.
    fn watchers(&self, key: &ObjectKey, caches: &Caches) -> BTreeSet<ObjectKey> {
        let replica_set = self.owner.as_ref().map(|owner| ObjectKey::new(&key.namespace, &owner.name));
        let owner = replica_set.and_then(|rs| caches.replica_sets.read().get(&rs)?.owner.clone());
        let rollout = owner.and_then(|owner| owning_rollout(&owner, &key.namespace));
        let looks = |key: &ObjectKey| caches.rollouts.read().get(key).is_some_and(|e| e.observed.pods);
        rollout.into_iter().filter(looks).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use serin_core::rollout::ObservedKeys;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn entry<T: Entry>(object: Value) -> T {
        T::prune(serde_json::from_value(object).expect("an object"))
    }

    /// A Rollout `web` that selects `app=web`, names the Service `stable`, the Ingress `front` and looks at Pods.
    fn caches() -> Caches {
        let caches = Caches::default();
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}});
        let mut web: RolloutEntry =
            entry(json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec}));
        web.observed = ObservedKeys {
            services: ["stable".to_owned()].into(),
            ingresses: ["front".to_owned()].into(),
            pods: true,
            workload: None,
        };
        caches.rollouts.write().put(key("web"), web);
        caches
    }

    fn replica_set(owner: Option<&str>, app: &str) -> ReplicaSetEntry {
        let owners = owner.map(|name| {
            json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": name, "uid": "u", "controller": true}])
        });
        let metadata =
            json!({"name": "r", "namespace": "shop", "labels": {"app": app}, "ownerReferences": owners});
        entry(json!({"metadata": metadata}))
    }

    fn triggered<T: Trigger>(
        caches: &Caches,
        name: &str,
        before: Option<T>,
        after: Option<T>,
    ) -> Vec<String> {
        let change = Change { key: key(name), before: before.map(Arc::new), after: after.map(Arc::new) };
        rollouts(&change, caches).into_iter().map(|key| key.name).collect()
    }

    #[test]
    fn a_replica_set_concerns_the_rollouts_that_own_it_before_and_after() {
        let caches = caches();
        let (old, new) = (replica_set(Some("web"), "web"), replica_set(Some("api"), "web"));
        assert_eq!(triggered(&caches, "r", Some(old), Some(new)), ["api", "web"]);
        assert_eq!(
            triggered(&caches, "r", Some(replica_set(Some("web"), "x")), None),
            ["web"],
            "its deletion"
        );
    }

    #[test]
    fn an_orphan_concerns_the_rollouts_whose_selector_matches() {
        let caches = caches();
        assert_eq!(triggered(&caches, "r", None, Some(replica_set(None, "web"))), ["web"]);
        assert!(triggered(&caches, "r", None, Some(replica_set(None, "api"))).is_empty());
    }

    #[test]
    fn services_and_ingresses_concern_the_rollouts_that_name_them() {
        let caches = caches();
        let service = |name: &str| entry::<ServiceEntry>(json!({"metadata": {"name": name}}));
        assert_eq!(triggered(&caches, "stable", None, Some(service("stable"))), ["web"]);
        assert!(triggered(&caches, "other", None, Some(service("other"))).is_empty());
        let ingress = entry::<IngressEntry>(json!({"metadata": {"name": "front"}}));
        assert_eq!(triggered(&caches, "front", Some(ingress), None), ["web"]);
    }

    #[test]
    fn a_pod_concerns_the_rollout_of_its_replica_set() {
        let caches = caches();
        let owners = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": true}]);
        let pod = || entry::<PodEntry>(json!({"metadata": {"name": "p", "ownerReferences": owners}}));
        assert!(triggered(&caches, "p", None, Some(pod())).is_empty());
        caches.replica_sets.write().put(key("r"), replica_set(Some("web"), "web"));
        assert_eq!(triggered(&caches, "p", None, Some(pod())), ["web"]);
    }
}

//! From the caches to a [`Snapshot`]: everything that a decision about one Rollout may look at.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cache::Caches;
use super::entry::{ReplicaSetEntry, RolloutEntry, Term};
use super::object::ObjectKey;
use super::workload::selector_of;
use serin_core::api::{LabelSelector, Rollout, keys};
use serin_core::rollout::snapshot::{
    PodView, Remembered, ReplicaSetView, ServiceView, Snapshot, Unresolved, WorkloadView,
};
use serin_core::rollout::{ObservedKeys, Unreadable};
use serin_values::selector::selects;

/// What the caches say about one key.
#[derive(Debug)]
pub enum Observed {
    /// There is no such Rollout.
    Absent,
    /// It is there, but not what the kind's types say.
    Unreadable(Box<Unreadable>),
    /// It, and all that belongs to it.
    Complete(Box<Snapshot>),
}

/// Observes the Rollout of that key.
#[must_use]
pub fn observe(key: &ObjectKey, caches: &Caches, remembered: Remembered) -> Observed {
    let entry = caches.rollouts.read().get(key).cloned();
    let Some(entry) = entry else {
        return Observed::Absent;
    };
    let RolloutEntry { id, content, observed } = entry.as_ref();
    let rollout = match content {
        Ok(rollout) => rollout,
        Err(unreadable) => return Observed::Unreadable(unreadable.clone()),
    };
    let selector = selector_of(&entry, &key.namespace, caches);
    let replica_sets = replica_sets(&key.namespace, &id.uid, selector.as_ref(), caches);
    // Pods whose role has metadata no more still carry it.
    let is_labelled = |rs: &ReplicaSetView| rs.annotations.contains_key(keys::EPHEMERAL_METADATA);
    let looks_at_pods = observed.pods || replica_sets.iter().any(is_labelled);
    let pods = if looks_at_pods { pods(&replica_sets, caches) } else { Vec::new() };
    Observed::Complete(Box::new(Snapshot {
        rollout: Rollout::clone(rollout),
        replica_sets,
        services: services(key, observed, caches),
        ingresses: ingresses(&key.namespace, &id.uid, observed, caches),
        pods,
        workload: workload(&key.namespace, observed, caches),
        last_failure: remembered.last_failure,
        held_since: remembered.held_since,
    }))
}

/// The ReplicaSets that the Rollout controls, and the orphans that its selector matches.
fn replica_sets(
    namespace: &str,
    uid: &str,
    selector: Option<&LabelSelector>,
    caches: &Caches,
) -> Vec<ReplicaSetView> {
    let cache = caches.replica_sets.read();
    let owned = Term::ControlledBy(uid.to_owned());
    let owned = cache.find(&owned).filter(|(key, entry)| {
        key.namespace == namespace && entry.owner.as_ref().is_some_and(super::entry::Owner::is_rollout)
    });
    let orphan = Term::Orphan(namespace.to_owned());
    let matches = |entry: &ReplicaSetEntry| selector.is_some_and(|s| selects(s, &entry.view.labels));
    let orphans = cache.find(&orphan).filter(|(_, entry)| matches(entry));
    let view = |entry: &ReplicaSetEntry, owned: bool| ReplicaSetView { owned, ..entry.view.clone() };
    let mut views: Vec<_> = owned.map(|(_, entry)| view(entry, true)).collect();
    views.extend(orphans.map(|(_, entry)| view(entry, false)));
    views.sort_by(|a, b| (a.created, &a.id.name).cmp(&(b.created, &b.id.name)));
    views
}

/// The Services that the Rollout names, and those that say it manages them.
fn services(key: &ObjectKey, observed: &ObservedKeys, caches: &Caches) -> BTreeMap<String, ServiceView> {
    let cache = caches.services.read();
    let service =
        |name: &String| Some((name.clone(), cache.get(&ObjectKey::new(&key.namespace, name))?.0.clone()));
    let managed = cache.find(&Term::ManagedBy(key.clone()));
    let managed = managed.map(|(_, entry)| (entry.0.id.name.clone(), entry.0.clone()));
    observed.services.iter().filter_map(service).chain(managed).collect()
}

/// The Ingresses that the Rollout names, and those that it controls.
fn ingresses(
    namespace: &str,
    uid: &str,
    observed: &ObservedKeys,
    caches: &Caches,
) -> BTreeMap<String, Value> {
    let cache = caches.ingresses.read();
    let ingress =
        |name: &String| Some((name.clone(), cache.get(&ObjectKey::new(namespace, name))?.object.clone()));
    let controlled = cache.find(&Term::ControlledBy(uid.to_owned()));
    let controlled = controlled.filter(|(key, _)| key.namespace == namespace);
    let controlled = controlled.map(|(key, entry)| (key.name.clone(), entry.object.clone()));
    observed.ingresses.iter().filter_map(ingress).chain(controlled).collect()
}

fn pods(replica_sets: &[ReplicaSetView], caches: &Caches) -> Vec<PodView> {
    let cache = caches.pods.read();
    let terms = replica_sets.iter().map(|rs| Term::ControlledBy(rs.id.uid.clone()));
    let found =
        terms.flat_map(|term| cache.find(&term).map(|(_, entry)| entry.view.clone()).collect::<Vec<_>>());
    let mut pods: Vec<_> = found.collect();
    pods.sort_by(|a, b| a.id.name.cmp(&b.id.name));
    pods
}

fn workload(
    namespace: &str,
    observed: &ObservedKeys,
    caches: &Caches,
) -> Option<Result<WorkloadView, Unresolved>> {
    let name = observed.workload.as_ref()?;
    let unlisted = || Err(Unresolved::Unreadable("there has been no list of them yet".to_owned()));
    Some(caches.workloads.get(namespace, name).unwrap_or_else(unlisted))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controller::entry::{Entry, IngressEntry, PodEntry, ServiceEntry};

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn entry<T: Entry>(object: Value) -> T {
        T::prune(serde_json::from_value(object).expect("an object"))
    }

    fn controlled_by(kind: &str, api_version: &str, uid: &str) -> Value {
        json!([{"apiVersion": api_version, "kind": kind, "name": "web", "uid": uid, "controller": true}])
    }

    fn put_replica_set(caches: &Caches, name: &str, owners: &Value, app: &str, created: &str) {
        let metadata = json!({
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "ownerReferences": owners,
            "labels": {"app": app}, "creationTimestamp": created,
        });
        caches.replica_sets.write().put(key(name), entry(json!({"metadata": metadata})));
    }

    fn world() -> Caches {
        let caches = Caches::default();
        let mut web: RolloutEntry = entry(json!({
            "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}},
        }));
        web.observed = ObservedKeys {
            services: ["stable".to_owned(), "missing".to_owned()].into(),
            ingresses: ["front".to_owned()].into(),
            pods: true,
            workload: None,
        };
        caches.rollouts.write().put(key("web"), web);
        let mine = controlled_by("Rollout", "argoproj.io/v1alpha1", "u1");
        put_replica_set(&caches, "c-newest", &mine, "web", "2026-01-03T00:00:00Z");
        put_replica_set(&caches, "b-older", &mine, "odd", "2026-01-01T00:00:00Z");
        put_replica_set(&caches, "a-older", &mine, "web", "2026-01-01T00:00:00Z");
        put_replica_set(&caches, "orphan", &Value::Null, "web", "2026-01-02T00:00:00Z");
        put_replica_set(&caches, "stranger", &Value::Null, "api", "2026-01-02T00:00:00Z");
        let other = controlled_by("Rollout", "argoproj.io/v1alpha1", "u0");
        put_replica_set(&caches, "of-the-one-before", &other, "web", "2026-01-01T00:00:00Z");
        let deployment = controlled_by("Deployment", "apps/v1", "u1");
        put_replica_set(&caches, "of-a-deployment", &deployment, "web", "2026-01-01T00:00:00Z");
        caches
    }

    fn snapshot(caches: &Caches) -> Snapshot {
        match observe(&key("web"), caches, Remembered::default()) {
            Observed::Complete(snapshot) => *snapshot,
            other @ (Observed::Absent | Observed::Unreadable(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn replica_sets_are_its_own_and_matching_orphans_by_age_then_name() {
        let snapshot = snapshot(&world());
        let seen: Vec<_> = snapshot.replica_sets.iter().map(|rs| (rs.id.name.as_str(), rs.owned)).collect();
        assert_eq!(seen, [("a-older", true), ("b-older", true), ("orphan", false), ("c-newest", true)]);
    }

    #[test]
    fn services_ingresses_and_pods_are_those_that_the_rollout_looks_at() {
        let caches = world();
        for name in ["stable", "other"] {
            let object = json!({"metadata": {"name": name, "namespace": "shop"}});
            caches.services.write().put(key(name), entry::<ServiceEntry>(object));
        }
        caches
            .ingresses
            .write()
            .put(key("front"), entry::<IngressEntry>(json!({"metadata": {"name": "front"}})));
        for (name, uid) in [("p2", "uid-orphan"), ("p1", "uid-c-newest"), ("p0", "uid-stranger")] {
            let owners = controlled_by("ReplicaSet", "apps/v1", uid);
            let pod = json!({"metadata": {"name": name, "ownerReferences": owners}});
            caches.pods.write().put(key(name), entry::<PodEntry>(pod));
        }
        let snapshot = snapshot(&caches);
        assert_eq!(snapshot.services.keys().collect::<Vec<_>>(), ["stable"]);
        assert_eq!(snapshot.ingresses["front"]["kind"], "Ingress");
        assert_eq!(snapshot.pods.iter().map(|pod| pod.id.name.as_str()).collect::<Vec<_>>(), ["p1", "p2"]);
    }

    #[test]
    fn what_is_not_there_or_not_readable_is_said_so() {
        let caches = world();
        assert!(matches!(observe(&key("none"), &caches, Remembered::default()), Observed::Absent));
        let broken = json!({"metadata": {"name": "bad"}, "spec": {"replicas": "x"}});
        caches.rollouts.write().put(key("bad"), entry(broken));
        assert!(
            matches!(observe(&key("bad"), &caches, Remembered::default()), Observed::Unreadable(u) if u.path == "spec.replicas")
        );
    }
}

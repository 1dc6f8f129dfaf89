//! From the caches to a [`Snapshot`]: everything that a decision about one Rollout may look at.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cache::{Cache, Closed};
use crate::caches::Caches;
use crate::content::Rollout;
use crate::entry::{Entry, Owner, Term};
use serin_core::api::{LabelSelector, keys};
use serin_core::domain::object::{ObjectKey, ObjectRef, Objects};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::{
    PodView, Remembered, ReplicaSetView, ServiceView, Snapshot, Unresolved, WorkloadView,
};
use serin_core::rollout::{ObservedKeys, Unreadable};
use serin_core::traffic;
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
    let entry = caches.of(ObjectKind::Rollout).read().get(key).cloned();
    let Some(entry) = entry else {
        return Observed::Absent;
    };
    let rollout = match entry.rollout() {
        None => return Observed::Absent,
        Some(Rollout::Unreadable(unreadable)) => return Observed::Unreadable(unreadable.clone()),
        Some(Rollout::Readable { object, .. }) => object.get(),
    };
    let Some(rollout) = rollout else { return Observed::Absent };
    let (uid, observed) = (entry.id.uid.as_str(), &entry.observed);
    let replica_sets = replica_sets(&key.namespace, uid, selector_of(&entry, caches).as_ref(), caches);
    // Pods whose role has metadata no more still carry it.
    let is_labelled = |rs: &ReplicaSetView| rs.annotations.contains_key(keys::EPHEMERAL_METADATA);
    let looks_at_pods = observed.pods || replica_sets.iter().any(is_labelled);
    let pods = if looks_at_pods { pods(&replica_sets, caches) } else { Vec::new() };
    Observed::Complete(Box::new(Snapshot {
        rollout,
        replica_sets,
        services: services(key, observed, caches),
        objects: objects(&key.namespace, uid, observed, caches),
        pods,
        workload: observed.workload().map(|workload| self::workload(workload, caches)),
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
    let cache = caches.of(ObjectKind::ReplicaSet).read();
    let owned = controlled(&cache, namespace, uid);
    let view = |entry: &Entry, owned: bool| Some(entry.replica_set()?.view(&entry.id, entry.deleting, owned));
    let mut views: Vec<_> = owned.filter_map(|(_, entry)| view(entry, true)).collect();
    if let Some(selector) = selector {
        let orphans = cache.find(&Term::Orphan(namespace.to_owned()));
        let orphans = orphans.filter_map(|(_, entry)| view(entry, false));
        views.extend(orphans.filter(|orphan| selects(selector, &orphan.labels)));
    }
    views.sort_by(|a, b| (a.created, &a.id.name).cmp(&(b.created, &b.id.name)));
    views
}

/// The objects of a cache that the Rollout of that uid controls.
fn controlled<'a>(
    cache: &'a Cache,
    namespace: &'a str,
    uid: &str,
) -> impl Iterator<Item = (&'a ObjectKey, &'a Arc<Entry>)> {
    let of_rollout = |entry: &Entry| entry.owner.as_ref().is_some_and(Owner::is_rollout);
    let found = cache.find(&Term::ControlledBy(uid.to_owned()));
    found.filter(move |(key, entry)| key.namespace == namespace && of_rollout(entry))
}

/// The Services that the Rollout names, and those that say it manages them.
fn services(key: &ObjectKey, observed: &ObservedKeys, caches: &Caches) -> BTreeMap<String, ServiceView> {
    let cache = caches.of(ObjectKind::Service).read();
    let view = |entry: &Arc<Entry>| Some((entry.id.name.clone(), entry.service()?.view(&entry.id)));
    let named = observed.of_kind(ObjectKind::Service).filter_map(|key| view(cache.get(key)?));
    let managed = cache.find(&Term::ManagedBy(key.clone())).filter_map(|(_, entry)| view(entry));
    named.chain(managed).collect()
}

/// The objects that the Rollout names and that stay JSON, and those that it controls of the kinds that routers create.
fn objects(namespace: &str, uid: &str, observed: &ObservedKeys, caches: &Caches) -> Objects {
    let named = observed.objects.iter();
    let named = named.filter_map(|object| Some((object.clone(), caches.find(object)?.json()?)));
    let controlled = |kind: ObjectKind| {
        let cache = caches.of(kind).read();
        let found = controlled(&cache, namespace, uid);
        found.filter_map(|(key, entry)| Some((key.clone().of_kind(kind), entry.json()?))).collect::<Vec<_>>()
    };
    named.chain(traffic::CREATED.into_iter().flat_map(controlled)).collect()
}

fn pods(replica_sets: &[ReplicaSetView], caches: &Caches) -> Vec<PodView> {
    let cache = caches.of(ObjectKind::Pod).read();
    let terms = replica_sets.iter().map(|rs| Term::ControlledBy(rs.id.uid.clone()));
    let view = |(_, entry): (&ObjectKey, &Arc<Entry>)| {
        let owner = entry.owner.as_ref().map(|owner| &*owner.uid);
        Some(entry.pod()?.view(&entry.id, owner, entry.deleting))
    };
    let mut pods: Vec<_> =
        terms.flat_map(|term| cache.find(&term).filter_map(view).collect::<Vec<_>>()).collect();
    pods.sort_by(|a, b| a.id.name.cmp(&b.id.name));
    pods
}

fn workload(object: &ObjectRef, caches: &Caches) -> Result<WorkloadView, Unresolved> {
    let cache = caches.of(object.kind).read();
    let found = cache.get(&object.key).and_then(|entry| Some(entry.workload()?.view(&entry.id)));
    found.ok_or_else(|| match cache.closed() {
        Some(Closed::Refused(said)) => Unresolved::Unreadable(said.clone()),
        Some(Closed::Absent) => {
            Unresolved::Unreadable(format!("the cluster does not serve {}", object.kind.name()))
        }
        None if cache.is_ready() => Unresolved::Absent,
        None => Unresolved::Unreadable("there has been no list of them yet".to_owned()),
    })
}

/// The selector of a Rollout, its own or its workload's.
pub(crate) fn selector_of(entry: &Entry, caches: &Caches) -> Option<LabelSelector> {
    let own = entry.rollout()?.selector().cloned();
    own.or_else(|| caches.find(entry.observed.workload()?)?.workload()?.selector().cloned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::object::RawObject;
    use crate::testing::raw;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    fn put(caches: &Caches, kind: ObjectKind, object: Value) {
        caches.of(kind).write().put(raw(object));
    }

    fn controlled_by(kind: &str, api_version: &str, uid: &str) -> Value {
        json!([{"apiVersion": api_version, "kind": kind, "name": "web", "uid": uid, "controller": true}])
    }

    fn put_replica_set(caches: &Caches, name: &str, owners: &Value, app: &str, created: &str) {
        let metadata = json!({
            "name": name, "namespace": "shop", "uid": format!("uid-{name}"), "ownerReferences": owners,
            "labels": {"app": app}, "creationTimestamp": created,
        });
        put(caches, ObjectKind::ReplicaSet, json!({"metadata": metadata}));
    }

    fn world() -> Caches {
        let caches = Caches::default();
        let canary = json!({
            "stableService": "stable", "canaryService": "missing", "canaryMetadata": {"labels": {"role": "canary"}},
            "trafficRouting": {"nginx": {"stableIngress": "front"}},
        });
        put(
            &caches,
            ObjectKind::Rollout,
            json!({
                "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
                "spec": {"selector": {"matchLabels": {"app": "web"}}, "strategy": {"canary": canary}},
            }),
        );
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
            put(&caches, ObjectKind::Service, json!({"metadata": {"name": name, "namespace": "shop"}}));
        }
        put(&caches, ObjectKind::Ingress, json!({"metadata": {"name": "front", "namespace": "shop"}}));
        for (name, uid) in [("p2", "uid-orphan"), ("p1", "uid-c-newest"), ("p0", "uid-stranger")] {
            let owners = controlled_by("ReplicaSet", "apps/v1", uid);
            let metadata = json!({"name": name, "namespace": "shop", "ownerReferences": owners});
            put(&caches, ObjectKind::Pod, json!({"metadata": metadata}));
        }
        let snapshot = snapshot(&caches);
        assert_eq!(snapshot.services.keys().collect::<Vec<_>>(), ["stable"]);
        let front = snapshot.objects.get(ObjectKind::Ingress, "shop", "front");
        assert_eq!(front.map(|object| object["kind"].clone()), Some(json!("Ingress")));
        assert_eq!(snapshot.pods.iter().map(|pod| pod.id.name.as_str()).collect::<Vec<_>>(), ["p1", "p2"]);
    }

    /// Routers withdraw weights from what the Rollout controls: nothing but what they have made is shown to them.
    #[test]
    fn of_what_the_rollout_controls_routers_see_only_what_they_create() {
        let caches = world();
        let owners = controlled_by("Rollout", "argoproj.io/v1alpha1", "u1");
        for (kind, name) in [(ObjectKind::Ingress, "web-old-canary"), (ObjectKind::AnalysisRun, "run")] {
            let metadata = json!({"name": name, "namespace": "shop", "ownerReferences": owners});
            put(&caches, kind, json!({"metadata": metadata}));
        }
        let snapshot = snapshot(&caches);
        let names: Vec<_> = snapshot.objects.iter().map(|(object, _)| object.key.name.as_str()).collect();
        assert_eq!(names, ["web-old-canary"]);
    }

    #[test]
    fn what_is_not_there_or_not_readable_is_said_so() {
        let caches = world();
        assert!(matches!(observe(&key("none"), &caches, Remembered::default()), Observed::Absent));
        let metadata = json!({"name": "bad", "namespace": "shop"});
        put(&caches, ObjectKind::Rollout, json!({"metadata": metadata, "spec": {"replicas": "x"}}));
        assert!(
            matches!(observe(&key("bad"), &caches, Remembered::default()), Observed::Unreadable(u) if u.path == "spec.replicas")
        );
    }

    #[test]
    fn a_snapshot_has_the_workload_and_the_orphans_that_it_selects() {
        let caches = Caches::default();
        let put = |kind: ObjectKind, object: RawObject| drop(caches.of(kind).write().put(object));
        let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
        put(
            ObjectKind::Rollout,
            raw(json!({
                "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "resourceVersion": "1", "generation": 1},
                "spec": {"workloadRef": reference, "strategy": {"canary": {}}},
            })),
        );
        let deployment = raw(json!({
            "metadata": {"name": "d", "namespace": "shop", "uid": "u2", "resourceVersion": "7", "generation": 2},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"spec": {"future": [1]}}},
        }));
        let orphan = |name: &str, app: &str| {
            raw(json!({"metadata": {"name": name, "namespace": "shop", "uid": name, "labels": {"app": app}}}))
        };
        put(ObjectKind::ReplicaSet, orphan("web", "web"));
        put(ObjectKind::ReplicaSet, orphan("api", "api"));
        let snapshot = || -> Snapshot {
            match observe(&key("web"), &caches, Remembered::default()) {
                Observed::Complete(snapshot) => *snapshot,
                other @ (Observed::Absent | Observed::Unreadable(_)) => panic!("{other:?}"),
            }
        };
        assert!(matches!(snapshot().workload, Some(Err(Unresolved::Unreadable(_)))));
        assert!(snapshot().replica_sets.is_empty(), "nothing is known to be selected");
        caches.of(ObjectKind::Deployment).write().close(Closed::Refused("no".into()));
        assert_eq!(snapshot().workload, Some(Err(Unresolved::Unreadable("no".into()))));
        caches.of(ObjectKind::Deployment).write().swap();
        assert_eq!(snapshot().workload, Some(Err(Unresolved::Absent)));
        put(ObjectKind::Deployment, deployment.clone());
        let names: Vec<_> = snapshot().replica_sets.iter().map(|rs| rs.id.name.clone()).collect();
        assert_eq!(names, ["web"]);
        assert_eq!(
            snapshot().workload,
            Some(Ok({
                let entry =
                    caches.of(ObjectKind::Deployment).read().get(&key("d")).cloned().expect("it is there");
                entry.workload().expect("a workload").view(&entry.id)
            }))
        );
    }
}

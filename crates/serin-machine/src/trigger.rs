//! Which primary objects are decided on again when an object has changed.

use std::collections::BTreeSet;

use crate::cache::Change;
use crate::caches::Caches;
use crate::content::{Content, ReplicaSet};
use crate::entry::{Entry, Owner, Term};
use crate::kinds;
use crate::observe::selector_of;
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::ObjectKind;
use serin_values::selector::selects;

/// The primary objects that looked at the object before the change, or do so after it.
#[must_use]
pub fn concerned(change: &Change, caches: &Caches) -> BTreeSet<ObjectRef> {
    let states = [&change.before, &change.after];
    states.into_iter().flatten().flat_map(|entry| watchers(entry, &change.object, caches)).collect()
}

/// The primary objects that look at the object in this state.
fn watchers(entry: &Entry, object: &ObjectRef, caches: &Caches) -> BTreeSet<ObjectRef> {
    match &entry.content {
        Content::ReplicaSet(_) => match &entry.owner {
            Some(owner) => owning_primary(owner, &object.key.namespace).into_iter().collect(),
            None => adopters(entry, &object.key.namespace, caches),
        },
        Content::Pod(_) => owner_of_pod(entry, &object.key.namespace, caches).into_iter().collect(),
        Content::Rollout(_) | Content::Service(_) | Content::Workload(_) | Content::Json(_) => {
            let itself = kinds::row(object.kind).is_primary.then(|| object.clone());
            namers_and_owner(entry, object, caches).into_iter().chain(itself).collect()
        }
    }
}

/// The primary objects that cannot be decided on before `kind` has been listed, or it is known why it cannot be.
#[must_use]
pub fn waiting(kind: ObjectKind, caches: &Caches) -> BTreeSet<ObjectRef> {
    caches.primaries_with(&Term::Needs(kind))
}

/// Those that look at the object by its name, and its owner if that is a primary object.
fn namers_and_owner(entry: &Entry, object: &ObjectRef, caches: &Caches) -> BTreeSet<ObjectRef> {
    let owner = entry.owner.as_ref().and_then(|owner| owning_primary(owner, &object.key.namespace));
    caches.primaries_with(&Term::Names(object.clone())).into_iter().chain(owner).collect()
}

/// The primary object that `owner` is, in the namespace of what it owns.
fn owning_primary(owner: &Owner, namespace: &str) -> Option<ObjectRef> {
    let kind = kinds::primaries().find(|kind| owner.is(*kind))?;
    Some(ObjectRef::new(kind, namespace, &*owner.name))
}

/// The Rollouts whose selector matches a ReplicaSet that nobody controls.
fn adopters(orphan: &Entry, namespace: &str, caches: &Caches) -> BTreeSet<ObjectRef> {
    let Some(labels) = orphan.replica_set().map(ReplicaSet::labels) else { return BTreeSet::new() };
    let rollouts = caches.of(ObjectKind::Rollout).read();
    let in_namespace = rollouts.find(&Term::Namespace(namespace.to_owned()));
    let adopts = |entry: &Entry| {
        let selector = selector_of(entry, caches);
        selector.is_some_and(|selector| selects(&selector, &labels))
    };
    let adopting = in_namespace.filter(|(_, entry)| adopts(entry));
    adopting.map(|(key, _)| key.clone().of_kind(ObjectKind::Rollout)).collect()
}

/// The Rollout of the ReplicaSet of a Pod, if it looks at Pods.
fn owner_of_pod(pod: &Entry, namespace: &str, caches: &Caches) -> Option<ObjectRef> {
    let replica_set = ObjectRef::new(ObjectKind::ReplicaSet, namespace, &*pod.owner.as_ref()?.name);
    let primary = owning_primary(caches.find(&replica_set)?.owner.as_ref()?, namespace)?;
    caches.find(&primary)?.observed.pods.then_some(primary)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::object::RawObject;
    use crate::testing::raw;
    use serin_core::domain::object::ObjectKey;

    fn key(name: &str) -> ObjectKey {
        ObjectKey::new("shop", name)
    }

    /// A Rollout `web` that selects `app=web`, names the Service `stable`, the Ingress `front` and looks at Pods.
    fn caches() -> Caches {
        let caches = Caches::default();
        let canary = json!({
            "stableService": "stable", "canaryMetadata": {"labels": {"role": "canary"}},
            "trafficRouting": {"nginx": {"stableIngress": "front"}},
        });
        let spec = json!({"selector": {"matchLabels": {"app": "web"}}, "strategy": {"canary": canary}});
        let web = json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
        caches.of(ObjectKind::Rollout).write().put(raw(web));
        caches
    }

    fn replica_set(owner: Option<&str>, app: &str) -> RawObject {
        let owners = owner.map(|name| {
            json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": name, "uid": "u", "controller": true}])
        });
        let metadata =
            json!({"name": "r", "namespace": "shop", "labels": {"app": app}, "ownerReferences": owners});
        raw(json!({"metadata": metadata}))
    }

    fn triggered(
        caches: &Caches,
        (kind, name): (ObjectKind, &str),
        before: Option<RawObject>,
        after: Option<RawObject>,
    ) -> Vec<String> {
        let pruned = |mut object: RawObject| Arc::new((kinds::row(kind).prune)(&mut object));
        let change =
            Change { object: key(name).of_kind(kind), before: before.map(pruned), after: after.map(pruned) };
        concerned(&change, caches).into_iter().map(|object| object.key.name).collect()
    }

    const REPLICA_SET: (ObjectKind, &str) = (ObjectKind::ReplicaSet, "r");

    #[test]
    fn a_replica_set_concerns_the_rollouts_that_own_it_before_and_after() {
        let caches = caches();
        let (old, new) = (replica_set(Some("web"), "web"), replica_set(Some("api"), "web"));
        assert_eq!(triggered(&caches, REPLICA_SET, Some(old), Some(new)), ["api", "web"]);
        let gone = replica_set(Some("web"), "x");
        assert_eq!(triggered(&caches, REPLICA_SET, Some(gone), None), ["web"], "its deletion");
    }

    #[test]
    fn an_orphan_concerns_the_rollouts_whose_selector_matches() {
        let caches = caches();
        assert_eq!(triggered(&caches, REPLICA_SET, None, Some(replica_set(None, "web"))), ["web"]);
        assert!(triggered(&caches, REPLICA_SET, None, Some(replica_set(None, "api"))).is_empty());
    }

    #[test]
    fn services_and_ingresses_concern_the_rollouts_that_name_them() {
        let caches = caches();
        let named = |kind, name: &str| {
            let object = raw(json!({"metadata": {"name": name, "namespace": "shop"}}));
            triggered(&caches, (kind, name), None, Some(object))
        };
        assert_eq!(named(ObjectKind::Service, "stable"), ["web"]);
        assert!(named(ObjectKind::Service, "other").is_empty());
        assert_eq!(named(ObjectKind::Ingress, "front"), ["web"]);
    }

    #[test]
    fn a_pod_concerns_the_rollout_of_its_replica_set() {
        let caches = caches();
        let owners = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "r", "uid": "u", "controller": true}]);
        let pod = || raw(json!({"metadata": {"name": "p", "ownerReferences": owners}}));
        let of_pod = (ObjectKind::Pod, "p");
        assert!(triggered(&caches, of_pod, None, Some(pod())).is_empty());
        caches.of(ObjectKind::ReplicaSet).write().put(replica_set(Some("web"), "web"));
        assert_eq!(triggered(&caches, of_pod, None, Some(pod())), ["web"]);
    }

    #[test]
    fn a_workload_concerns_the_rollouts_that_name_it() {
        let caches = Caches::default();
        let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
        let web =
            json!({"metadata": {"name": "web", "namespace": "shop"}, "spec": {"workloadRef": reference}});
        caches.of(ObjectKind::Rollout).write().put(raw(web));
        let named = |name: &str| {
            let object = raw(json!({"metadata": {"name": name, "namespace": "shop"}}));
            triggered(&caches, (ObjectKind::Deployment, name), None, Some(object))
        };
        assert_eq!(named("d"), ["web"]);
        assert!(named("other").is_empty());
        let web = key("web").of_kind(ObjectKind::Rollout);
        assert_eq!(waiting(ObjectKind::Deployment, &caches), BTreeSet::from([web]));
        assert!(waiting(ObjectKind::PodTemplate, &caches).is_empty());
    }

    /// What a primary object has made concerns it, of whatever kind that is.
    #[test]
    fn an_object_concerns_the_primary_object_that_owns_it() {
        let caches = caches();
        let owned = |kind: ObjectKind, owner: &str| {
            let owners = json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": owner, "name": "web", "uid": "u", "controller": true}]);
            let metadata = json!({"name": "one", "namespace": "shop", "ownerReferences": owners});
            let change = caches.of(kind).write().put(raw(json!({"metadata": metadata}))).expect("news");
            let all: Vec<_> = concerned(&change, &caches).iter().map(ToString::to_string).collect();
            caches.of(kind).write().clear();
            all
        };
        for kind in [ObjectKind::Job, ObjectKind::Experiment, ObjectKind::HttpRoute, ObjectKind::Ingress] {
            assert_eq!(owned(kind, "Rollout"), ["Rollout shop/web"], "{kind:?}");
            assert!(owned(kind, "CronJob").is_empty(), "{kind:?}");
        }
        assert_eq!(owned(ObjectKind::Job, "AnalysisRun"), ["AnalysisRun shop/web"]);
        assert_eq!(owned(ObjectKind::AnalysisRun, "Rollout"), ["Rollout shop/web", "AnalysisRun shop/one"]);
    }
}

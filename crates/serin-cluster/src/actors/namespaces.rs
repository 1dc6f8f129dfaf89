//! Namespaces: empties one that is being deleted and lets it go then; furnishes a new one with the service account
//! `default` and the config map with the root certificate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::actor::{Actor, Step};
use super::request::{Call, is_merged, with_condition};
use crate::api::request::{Response, Verb};
use crate::view::{Change, Object, Place, Resource, View};
use serin_values::time::after;

const NAMESPACES: &str = "namespaces";
const ACCOUNTS: &str = "serviceaccounts";
const CONFIG_MAPS: &str = "configmaps";
/// The finalizer in the spec of a namespace that holds it until it is empty.
const FINALIZER: &str = "kubernetes";
/// The config map with the certificate of the API server.
const ROOT_CERTIFICATE: &str = "kube-root-ca.crt";
/// While something is left, the namespace is looked at again after this long.
const RETRY: Duration = Duration::from_secs(2);

/// Empties namespaces that are being deleted.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    /// Resources whose objects have been asked to go, by the name of the namespace.
    emptied: BTreeMap<String, BTreeSet<Arc<str>>>,
}

impl Actor for Namespaces {
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place> {
        if &*change.place.resource == NAMESPACES {
            return vec![change.place.clone()];
        }
        // The last object of a namespace that is being deleted may have gone.
        let namespace = view.find(NAMESPACES, "", &change.place.namespace);
        let is_ending = namespace.is_some_and(Object::is_deleted);
        if is_ending { vec![Place::new(NAMESPACES, "", &change.place.namespace)] } else { Vec::new() }
    }

    fn step(&self, view: &View, place: &Place, now: Timestamp) -> Step {
        let Some(namespace) = view.get(place) else { return Step::default() };
        let is_held = namespace.list("/spec/finalizers").any(|finalizer| finalizer == FINALIZER);
        if !namespace.is_deleted() || !is_held {
            return Step::default();
        }
        let done = self.emptied.get(namespace.name());
        let is_pending = |resource: &&Resource| {
            resource.is_namespaced
                && resource.is_deletable
                && done.is_none_or(|done| !done.contains(&resource.name))
                // The same Events are served by two groups.
                && &*resource.name != "events.events.k8s.io"
        };
        let pending = view.resources().filter(is_pending);
        let calls: Vec<Call> =
            pending.map(|resource| Call::delete_all(view, &resource.name, namespace.name())).collect();
        if !calls.is_empty() {
            return Step::ask(calls);
        }
        let left = left(view, namespace.name());
        if left.is_empty() {
            return Step::ask(vec![finalized(view, place, namespace)]);
        }
        // What has come meanwhile goes, too.
        let late: Vec<Call> = left
            .iter()
            .flat_map(|(_, objects)| objects)
            .filter(|(_, object)| !object.is_deleted())
            .map(|(place, object)| Call::delete(view, place, object, None))
            .collect();
        if !late.is_empty() {
            return Step::ask(late);
        }
        let patch = json!({"conditions": conditions(namespace, &left, now)});
        let wake = Some(after(now, RETRY));
        if is_merged(namespace.at("/status"), &patch) {
            return Step::wait(wake);
        }
        Step { calls: vec![Call::patch_status(view, place, namespace, &patch)], wake }
    }

    fn answered(&mut self, place: &Place, call: &Call, response: &Response, _: Timestamp) {
        if call.request.verb == Verb::DeleteCollection && matches!(response, Response::Done { .. }) {
            let emptied = self.emptied.entry(place.name.clone()).or_default();
            emptied.insert(Arc::clone(&call.place.resource));
        }
        if call.request.target.subresource.as_deref() == Some("finalize") {
            self.emptied.remove(&place.name);
        }
    }
}

type Left<'a> = Vec<(&'a str, Vec<(Place, &'a Object)>)>;

/// What is still in the namespace, by resource.
fn left<'a>(view: &'a View, namespace: &'a str) -> Left<'a> {
    let mut left = Vec::new();
    for resource in view.resources().filter(|resource| resource.is_namespaced) {
        let objects = view.within(&resource.name, namespace);
        let objects: Vec<(Place, &Object)> =
            objects.map(|object| (Place::new(&resource.name, namespace, object.name()), object)).collect();
        if !objects.is_empty() {
            left.push((&*resource.name, objects));
        }
    }
    left
}

fn finalized(view: &View, place: &Place, namespace: &Object) -> Call {
    let mut body = namespace.json().clone();
    let finalizers = namespace.list("/spec/finalizers").filter(|finalizer| *finalizer != FINALIZER);
    body["spec"]["finalizers"] = finalizers.cloned().collect();
    Call::update(view, place, body).through("finalize")
}

fn conditions(namespace: &Object, left: &Left<'_>, now: Timestamp) -> Vec<Value> {
    let remaining: Vec<String> = left
        .iter()
        .map(|(name, objects)| {
            let name = if name.contains('.') { (*name).to_owned() } else { format!("{name}.") };
            format!("{name} has {} resource instances", objects.len())
        })
        .collect();
    let remaining = format!("Some resources are remaining: {}", remaining.join(", "));
    let mut finalizers: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, object) in left.iter().flat_map(|(_, objects)| objects) {
        for finalizer in object.finalizers() {
            *finalizers.entry(finalizer).or_default() += 1;
        }
    }
    let held: Vec<String> =
        finalizers.iter().map(|(name, count)| format!("{name} in {count} resource instances")).collect();
    let held = format!("Some content in the namespace has finalizers remaining: {}", held.join(", "));
    let present: Vec<Value> = namespace.list("/status/conditions").cloned().collect();
    let said = ("True", "SomeResourcesRemain", remaining.as_str());
    let conditions = with_condition(&present, "NamespaceContentRemaining", said, now);
    let said = if finalizers.is_empty() {
        ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    } else {
        ("True", "SomeFinalizersRemain", held.as_str())
    };
    with_condition(&conditions, "NamespaceFinalizersRemaining", said, now)
}

/// Gives every namespace its service account and the root certificate.
#[derive(Debug)]
pub(super) struct Furniture;

impl Actor for Furniture {
    fn concerned(&self, _: &View, change: &Change) -> Vec<Place> {
        match (&*change.place.resource, change.place.name.as_str()) {
            (NAMESPACES, name) => vec![Place::new(NAMESPACES, "", name)],
            (ACCOUNTS, "default") | (CONFIG_MAPS, ROOT_CERTIFICATE) if change.new.is_none() => {
                vec![Place::new(NAMESPACES, "", &change.place.namespace)]
            }
            _ => Vec::new(),
        }
    }

    fn step(&self, view: &View, place: &Place, now: Timestamp) -> Step {
        let is_wanted = view.get(place).is_some_and(|namespace| !namespace.is_deleted());
        if !is_wanted {
            return Step::default();
        }
        if !view.is_listed(ACCOUNTS) || !view.is_listed(CONFIG_MAPS) {
            return Step::wait(Some(after(now, RETRY)));
        }
        let name = place.name.as_str();
        let mut calls = Vec::new();
        if view.find(ACCOUNTS, name, "default").is_none() {
            let body = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": name}});
            calls.push(Call::create(view, ACCOUNTS, name, body));
        }
        if view.find(CONFIG_MAPS, name, ROOT_CERTIFICATE).is_none() {
            let note = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal \
                endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed \
                across distributions of Kubernetes clusters.";
            let body = json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": ROOT_CERTIFICATE, "namespace": name, "annotations": {"kubernetes.io/description": note}},
                "data": {"ca.crt": ""}});
            calls.push(Call::create(view, CONFIG_MAPS, name, body));
        }
        Step::ask(calls)
    }
}

#[cfg(test)]
mod tests {
    use super::super::ActorName;
    use super::super::world::World;
    use super::*;

    fn world() -> World {
        let mut world = World::new(ActorName::Namespaces);
        world.put(NAMESPACES, "", "shop", json!({"metadata": {}, "spec": {"finalizers": [FINALIZER]}}));
        world.settle();
        world
    }

    #[test]
    fn a_namespace_is_furnished_and_refurnished() {
        let mut world = world();
        for _ in 0..2 {
            assert!(world.get(ACCOUNTS, "shop", "default").is_some());
            assert!(world.get(CONFIG_MAPS, "shop", ROOT_CERTIFICATE).is_some());
            world.remove(ACCOUNTS, "shop", "default");
            world.remove(CONFIG_MAPS, "shop", ROOT_CERTIFICATE);
            world.settle();
        }
    }

    #[test]
    fn a_deleted_namespace_is_emptied_and_let_go() {
        let mut world = world();
        world.put("pods", "shop", "p", json!({"metadata": {}}));
        world.put("rollouts.argoproj.io", "shop", "r", json!({"metadata": {}}));
        world.put("pods", "other", "p", json!({"metadata": {}}));
        world.settle();
        world.delete(&Place::new(NAMESPACES, "", "shop"), "");
        world.settle();
        assert!(world.get(NAMESPACES, "", "shop").is_none());
        assert_eq!(world.all("pods").len(), 1);
        assert!(world.all("rollouts.argoproj.io").is_empty() && world.all(ACCOUNTS).is_empty());
    }

    #[test]
    fn a_namespace_waits_for_what_a_finalizer_holds_and_says_so() {
        let mut world = world();
        world.put("pods", "shop", "p", json!({"metadata": {"finalizers": ["held/here"]}}));
        world.settle();
        world.delete(&Place::new(NAMESPACES, "", "shop"), "");
        world.settle();
        let namespace = world.get(NAMESPACES, "", "shop").unwrap();
        assert_eq!(
            namespace.condition("NamespaceContentRemaining").unwrap()["message"],
            "Some resources are remaining: pods. has 1 resource instances"
        );
        assert_eq!(
            namespace.condition("NamespaceFinalizersRemaining").unwrap()["message"],
            "Some content in the namespace has finalizers remaining: held/here in 1 resource instances"
        );
        world.remove("pods", "shop", "p");
        world.settle();
        assert!(world.get(NAMESPACES, "", "shop").is_none());
    }
}

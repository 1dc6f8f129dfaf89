//! For tests of actors: a store so small that it has no rules but those that actors rely on, and a clock.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::crew::Crew;
use super::roster::ActorName;
use crate::api::request::{Request, Response, Verb};
use crate::api::status::{Reason, Status};
use crate::view::{Object, Place, Resource, Sight};
use serin_values::merge_patch::apply_merge_patch;

/// A crew with its world. The watch lags until [`Self::settle`] or [`Self::catch_up`].
pub(super) struct World {
    pub(super) crew: Crew,
    pub(super) now: Timestamp,
    pub(super) log: Vec<Request>,
    /// Creations of this resource are refused with this message.
    pub(super) refuse: Option<(&'static str, &'static str)>,
    objects: std::collections::BTreeMap<Place, Value>,
    pending: Vec<(Arc<str>, Sight)>,
    version: u64,
}

const RESOURCES: [(&str, &str, bool); 17] = [
    ("pods", "Pod", true),
    ("services", "Service", true),
    ("endpoints", "Endpoints", true),
    ("configmaps", "ConfigMap", true),
    ("secrets", "Secret", true),
    ("serviceaccounts", "ServiceAccount", true),
    ("namespaces", "Namespace", false),
    ("nodes", "Node", false),
    ("events", "Event", true),
    ("replicasets.apps", "ReplicaSet", true),
    ("deployments.apps", "Deployment", true),
    ("jobs.batch", "Job", true),
    ("endpointslices.discovery.k8s.io", "EndpointSlice", true),
    ("poddisruptionbudgets.policy", "PodDisruptionBudget", true),
    ("ingresses.networking.k8s.io", "Ingress", true),
    ("rollouts.argoproj.io", "Rollout", true),
    ("clusterthings.example.com", "ClusterThing", false),
];

impl World {
    pub(super) fn new(name: ActorName) -> Self {
        let mut crew = Crew::new(&BTreeSet::from([name]));
        let now = Timestamp::from_second(1_000_000).unwrap();
        let resources = RESOURCES.map(|(name, kind, is_namespaced)| Resource {
            name: name.into(),
            version: if name.ends_with("argoproj.io") { "v1alpha1".into() } else { "v1".into() },
            kind: kind.into(),
            is_namespaced,
            is_watchable: true,
            is_deletable: true,
        });
        crew.know(resources.to_vec(), now);
        for (name, _, _) in RESOURCES.iter().filter(|(name, _, _)| *name != "events") {
            crew.saw(&Arc::from(*name), Sight::Listed(Vec::new(), 0), now);
        }
        let objects = std::collections::BTreeMap::new();
        Self { crew, now, log: Vec::new(), refuse: None, objects, pending: Vec::new(), version: 0 }
    }

    /// Puts an object into the world and shows it to the crew with the next catching up.
    pub(super) fn put(&mut self, resource: &str, namespace: &str, name: &str, mut object: Value) {
        let place = Place::new(resource, namespace, name);
        let (name, kind, _) = RESOURCES.iter().find(|(known, _, _)| *known == resource).unwrap();
        self.version += 1;
        let old_uid = self.objects.get(&place).map(|old| old["metadata"]["uid"].clone());
        let group = name.split_once('.').map_or("v1".to_owned(), |(_, group)| format!("{group}/v1"));
        object["apiVersion"] = group.into();
        object["kind"] = (*kind).into();
        object["metadata"]["name"] = place.name.clone().into();
        if !namespace.is_empty() {
            object["metadata"]["namespace"] = namespace.into();
        }
        object["metadata"]["uid"] = match old_uid {
            Some(uid) => uid,
            None if object["metadata"]["uid"].is_string() => object["metadata"]["uid"].clone(),
            None => format!("uid-{}", self.version).into(),
        };
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        if object["metadata"]["creationTimestamp"].is_null() {
            object["metadata"]["creationTimestamp"] = self.now.to_string().into();
        }
        self.pending.push((place.resource.clone(), Sight::Applied(object.clone())));
        self.objects.insert(place, object);
    }

    /// Changes an object as another client would.
    pub(super) fn change(
        &mut self,
        resource: &str,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) {
        let mut object = self.objects[&Place::new(resource, namespace, name)].clone();
        change(&mut object);
        self.put(resource, namespace, name, object);
    }

    pub(super) fn remove(&mut self, resource: &str, namespace: &str, name: &str) {
        let place = Place::new(resource, namespace, name);
        let mut object = self.objects.remove(&place).unwrap();
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.pending.push((place.resource, Sight::Deleted(object)));
    }

    pub(super) fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Object> {
        self.objects.get(&Place::new(resource, namespace, name)).cloned().map(Object::new)
    }

    pub(super) fn all(&self, resource: &str) -> Vec<Object> {
        let all = self.objects.iter().filter(|(place, _)| &*place.resource == resource);
        all.map(|(_, object)| Object::new(object.clone())).collect()
    }

    /// Reason and message of the Events, sorted.
    pub(super) fn events(&self) -> Vec<String> {
        let text = |event: &Object| format!("{} {}", event.text("/reason"), event.text("/message"));
        let mut events: Vec<String> = self.all("events").iter().map(text).collect();
        events.sort();
        events
    }

    /// Shows the crew what has happened.
    pub(super) fn catch_up(&mut self) {
        for (resource, sight) in std::mem::take(&mut self.pending) {
            self.crew.saw(&resource, sight, self.now);
        }
    }

    /// Lets the crew act on what it sees until it has nothing to do now; the watch shows nothing meanwhile.
    pub(super) fn act(&mut self) {
        for round in 0.. {
            assert!(round < 100, "no end: {:?}", &self.log[self.log.len() - 3..]);
            let calls = self.crew.step(self.now, 1_000);
            if calls.is_empty() {
                return;
            }
            for (ticket, request) in calls {
                let response = self.handle(&request);
                if request.target.resource != "events" {
                    self.log.push(request);
                }
                self.crew.finished(ticket, &response, self.now);
            }
        }
    }

    /// Acts and catches up until nothing happens any more.
    pub(super) fn settle(&mut self) {
        loop {
            self.catch_up();
            self.act();
            if self.pending.is_empty() {
                return;
            }
        }
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self.settle();
    }

    fn handle(&mut self, request: &Request) -> Response {
        let target = &request.target;
        let resource = if target.group.is_empty() {
            target.resource.clone()
        } else {
            format!("{}.{}", target.resource, target.group)
        };
        let namespace = target.namespace.clone().unwrap_or_default();
        let name = target.name.clone().unwrap_or_default();
        let place = Place::new(&resource, &namespace, &name);
        let missing =
            || Response::Refused(Status::new(Reason::NotFound, format!("{resource} {name} not found")));
        match request.verb {
            Verb::Create => self.create(&resource, &namespace, request.body.clone()),
            Verb::DeleteCollection => {
                let places: Vec<Place> = self.objects.keys().cloned().collect();
                for place in places.iter().filter(|p| *p.resource == *resource && p.namespace == namespace) {
                    self.delete(place, "");
                }
                Response::Done { code: 200, body: json!({"kind": "Status"}), warnings: Vec::new() }
            }
            _ if !self.objects.contains_key(&place) => missing(),
            Verb::Get => done(self.objects[&place].clone()),
            Verb::Patch | Verb::Update => self.modify(&place, request),
            Verb::Delete => {
                let uid = &request.body["preconditions"]["uid"];
                if uid.is_string() && *uid != self.objects[&place]["metadata"]["uid"] {
                    return Response::Refused(Status::new(
                        Reason::Conflict,
                        "the UID in the precondition differs",
                    ));
                }
                self.delete(&place, request.body["propagationPolicy"].as_str().unwrap_or_default())
            }
            Verb::List | Verb::Watch => missing(),
        }
    }

    fn create(&mut self, resource: &str, namespace: &str, mut body: Value) -> Response {
        if let Some((_, message)) = self.refuse.filter(|(refused, _)| *refused == resource) {
            return Response::Refused(Status::new(Reason::Forbidden, message));
        }
        let name = match body["metadata"]["name"].as_str() {
            Some(name) => name.to_owned(),
            None => format!("{}{}", body["metadata"]["generateName"].as_str().unwrap(), self.version),
        };
        if self.objects.contains_key(&Place::new(resource, namespace, &name)) {
            return Response::Refused(Status::new(Reason::AlreadyExists, format!("{name} already exists")));
        }
        body["metadata"]["generation"] = 1.into();
        self.put(resource, namespace, &name, body);
        done(self.objects[&Place::new(resource, namespace, &name)].clone())
    }

    fn modify(&mut self, place: &Place, request: &Request) -> Response {
        let old = self.objects[place].clone();
        let version = &request.body["metadata"]["resourceVersion"];
        if version.is_string() && *version != old["metadata"]["resourceVersion"] {
            return Response::Refused(Status::new(Reason::Conflict, "the object has been modified"));
        }
        let new = if request.verb == Verb::Update {
            request.body.clone()
        } else {
            apply_merge_patch(&old, &request.body)
        };
        if new == old {
            return done(old);
        }
        let is_finished = new["metadata"]["deletionTimestamp"].is_string()
            && new["metadata"]["finalizers"].as_array().is_none_or(Vec::is_empty)
            && new["spec"]["finalizers"].as_array().is_none_or(Vec::is_empty)
            && new["metadata"]["deletionGracePeriodSeconds"].as_i64().is_none_or(|seconds| seconds == 0);
        self.put(&place.resource, &place.namespace, &place.name, new);
        let answer = self.objects[place].clone();
        if is_finished {
            self.remove(&place.resource, &place.namespace, &place.name);
        }
        done(answer)
    }

    /// Deletes at once, unless a finalizer holds the object or a node has the pod.
    pub(super) fn delete(&mut self, place: &Place, policy: &str) -> Response {
        let mut object = self.objects[place].clone();
        let mut finalizers = object["metadata"]["finalizers"].as_array().cloned().unwrap_or_default();
        match policy {
            "Foreground" => finalizers.push("foregroundDeletion".into()),
            "Orphan" => finalizers.push("orphan".into()),
            _ => {}
        }
        let is_running = &*place.resource == "pods" && object["spec"]["nodeName"].is_string();
        let is_held =
            !finalizers.is_empty() || object["spec"]["finalizers"].as_array().is_some_and(|f| !f.is_empty());
        if !is_held && !is_running {
            self.remove(&place.resource, &place.namespace, &place.name);
            return Response::Done { code: 200, body: json!({"kind": "Status"}), warnings: Vec::new() };
        }
        object["metadata"]["deletionTimestamp"] = self.now.to_string().into();
        object["metadata"]["finalizers"] = finalizers.into();
        object["metadata"]["deletionGracePeriodSeconds"] = if is_running { 30 } else { 0 }.into();
        self.put(&place.resource, &place.namespace, &place.name, object);
        done(self.objects[place].clone())
    }
}

fn done(body: Value) -> Response {
    Response::Done { code: 200, body, warnings: Vec::new() }
}

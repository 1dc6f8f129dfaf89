//! A small model of a cluster in virtual time: it carries out plans, and plays ReplicaSet controller and kubelet.
//!
//! It knows nothing of what a Rollout should do. Its own honesty is vouched for by the recordings of a real cluster
//! that the tests compare it with.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serin::controller::cache::Caches;
use serin::controller::entry::Entry;
use serin::controller::object::ObjectKey;
use serin::controller::observe::{Observed, observe};
use serin::domain::event::EventNote;
use serin::domain::merge_patch::apply_merge_patch;
use serin::domain::plan::{Action, ObjectKind, Op, Plan, Wake};
use serin::guard;
use serin::rollout::decide;
use serin::rollout::snapshot::Snapshot;

use crate::conformance::journal::{Journal, Run};
use crate::conformance::kinds::Kind;

const NAMESPACE: &str = "default";

/// A pod of a ReplicaSet.
#[derive(Debug, Clone)]
struct Pod {
    ready_at: Timestamp,
}

/// Objects by kind and name, and the time.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<String>,
    pub(crate) writes: Vec<String>,
    journal: Journal,
    objects: BTreeMap<(ObjectKind, String), Value>,
    pods: BTreeMap<String, Vec<Pod>>,
    version: u64,
    /// The controller dies after the write of this number, counted from 1, and begins anew.
    pub(crate) dies_after: Option<usize>,
    start_latency: SignedDuration,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            events: Vec::new(),
            writes: Vec::new(),
            journal: Journal::default(),
            objects: BTreeMap::new(),
            pods: BTreeMap::new(),
            version: 0,
            dies_after: None,
            start_latency: SignedDuration::from_millis(2500),
        }
    }

    /// Creates or updates what a manifest of several documents holds, as `kubectl apply` does.
    pub(crate) fn apply(&mut self, manifest: &str) {
        for document in serde_yaml::Deserializer::from_str(manifest) {
            let object: Value = serde::Deserialize::deserialize(document).unwrap();
            let kind = match object["kind"].as_str() {
                Some("Rollout") => ObjectKind::Rollout,
                Some("Service") => ObjectKind::Service,
                Some("Ingress") => ObjectKind::Ingress,
                other => panic!("the model has no {other:?}"),
            };
            self.create(kind, object);
        }
    }

    fn create(&mut self, kind: ObjectKind, mut object: Value) {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        assert!(!self.objects.contains_key(&(kind, name.clone())), "{name} exists");
        object["metadata"]["namespace"] = NAMESPACE.into();
        object["metadata"]["uid"] = format!("uid-{name}").into();
        object["metadata"]["creationTimestamp"] = self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into();
        object["metadata"]["generation"] = 1.into();
        self.store(kind, name, object);
    }

    fn store(&mut self, kind: ObjectKind, name: String, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        if let Some(kind) = of_journal(kind) {
            self.journal.saw(kind, &object);
        }
        self.objects.insert((kind, name), object);
    }

    /// What has been seen so far.
    pub(crate) fn run_so_far(&self) -> Run {
        Run { events: self.events.clone(), ..self.journal.run(NAMESPACE) }
    }

    /// A JSON merge patch of a main resource.
    pub(crate) fn patch(&mut self, kind: ObjectKind, name: &str, patch: &Value) {
        let before = self.objects[&(kind, name.to_owned())].clone();
        let mut after = apply_merge_patch(&before, patch);
        if after == before {
            return;
        }
        if after["spec"] != before["spec"] {
            after["metadata"]["generation"] = (before["metadata"]["generation"].as_i64().unwrap() + 1).into();
        }
        self.store(kind, name.to_owned(), after);
    }

    pub(crate) fn rollout(&self) -> &Value {
        let rollouts = self.objects.iter().filter(|((kind, _), _)| *kind == ObjectKind::Rollout);
        rollouts.map(|(_, object)| object).next().expect("a Rollout")
    }

    pub(crate) fn rollout_name(&self) -> String {
        self.rollout()["metadata"]["name"].as_str().unwrap().to_owned()
    }

    pub(crate) fn all(&self, kind: ObjectKind) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |((k, _), _)| *k == kind).map(|(_, object)| object)
    }

    /// Everything that a decision looks at.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let caches = Caches::default();
        let key = |object: &Value| ObjectKey::new(NAMESPACE, object["metadata"]["name"].as_str().unwrap());
        for ((kind, _), object) in &self.objects {
            let (key, object) = (key(object), object.clone());
            match kind {
                ObjectKind::Rollout => {
                    caches.rollouts.write().put(key, pruned(object));
                }
                ObjectKind::ReplicaSet => {
                    caches.replica_sets.write().put(key, pruned(object));
                }
                ObjectKind::Service => {
                    caches.services.write().put(key, pruned(object));
                }
                ObjectKind::Ingress => {
                    caches.ingresses.write().put(key, pruned(object));
                }
                ObjectKind::Pod => {
                    caches.pods.write().put(key, pruned(object));
                }
            }
        }
        match observe(&key(self.rollout()), &caches, None) {
            Observed::Complete(snapshot) => *snapshot,
            Observed::Absent | Observed::Unreadable(_) => panic!("the Rollout of the model cannot be read"),
        }
    }

    /// What the decision about the Rollout is now.
    pub(crate) fn plan(&self) -> Plan {
        let snapshot = self.snapshot();
        let plan = decide(&snapshot, self.now);
        assert_eq!(plan, decide(&snapshot, self.now), "a decision is a function of the snapshot");
        if let Err(refusal) = guard::check(&snapshot, &plan) {
            panic!("{refusal}: {plan:#?}");
        }
        plan
    }

    fn carry_out(&mut self, plan: &Plan) {
        for stage in &plan.stages {
            for op in &stage.ops {
                self.request(op);
                if self.dies_after == Some(self.writes.len()) {
                    return;
                }
                self.tell(&op.events);
            }
            self.tell(&stage.events);
        }
        if !plan.status.patch.is_null() {
            self.writes.push(format!("status {}", plan.status.patch));
            let name = self.rollout_name();
            self.patch(ObjectKind::Rollout, &name, &plan.status.patch);
            if self.dies_after == Some(self.writes.len()) {
                return;
            }
        }
        self.tell(&plan.status.events);
    }

    fn request(&mut self, op: &Op) {
        self.writes.push(format!("{:?} {} {:?}", op.kind, op.name, op.purposes));
        match &op.action {
            Action::Create { body } => self.create(op.kind, body.clone()),
            Action::Patch { patch, precondition } => {
                let live = &self.objects[&(op.kind, op.name.clone())];
                assert_eq!(live["metadata"]["uid"], precondition.uid.as_str());
                self.patch(op.kind, &op.name, patch);
            }
            Action::Evict { .. } => panic!("the model has no Pods of their own"),
            Action::Delete { .. } => {
                self.objects.remove(&(op.kind, op.name.clone()));
                self.pods.remove(&op.name);
            }
        }
    }

    fn tell(&mut self, events: &[EventNote]) {
        self.events.extend(events.iter().map(|e| format!("{} {}", e.reason.event_type().as_str(), e.reason)));
    }

    /// The ReplicaSet controller and the kubelet: pods come and go, and the counts follow.
    fn run_pods(&mut self) {
        let sets: Vec<Value> = self.all(ObjectKind::ReplicaSet).cloned().collect();
        for mut rs in sets {
            let name = rs["metadata"]["name"].as_str().unwrap().to_owned();
            let wanted = usize::try_from(rs["spec"]["replicas"].as_i64().unwrap()).unwrap();
            let image = rs["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
            let starts = !image.contains("nonexistent") && !image.contains("error");
            let ready_at = if starts { self.now + self.start_latency } else { Timestamp::MAX };
            let pods = self.pods.entry(name.clone()).or_default();
            pods.sort_by_key(|pod| pod.ready_at);
            pods.truncate(wanted);
            pods.resize(wanted, Pod { ready_at });
            let ready = pods.iter().filter(|pod| pod.ready_at <= self.now).count();
            let status = json!({
                "replicas": wanted,
                "readyReplicas": ready,
                "availableReplicas": ready,
                "observedGeneration": rs["metadata"]["generation"],
            });
            if rs["status"] != status {
                rs["status"] = status;
                self.store(ObjectKind::ReplicaSet, name, rs);
            }
        }
    }

    fn next_pod(&self) -> Option<Timestamp> {
        self.pods
            .values()
            .flatten()
            .map(|pod| pod.ready_at)
            .filter(|at| *at > self.now && *at < Timestamp::MAX)
            .min()
    }

    /// Lets everything happen until `end`, or until `done` says so; false if it never did.
    pub(crate) fn run(&mut self, end: Timestamp, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            let mut rounds = 0;
            let wake = loop {
                self.run_pods();
                let plan = self.plan();
                if plan.is_empty() {
                    break plan.wake;
                }
                self.carry_out(&plan);
                rounds += 1;
                assert!(rounds < 50, "no end of writes: {:#?}", self.writes.last());
            };
            if done(self) {
                return true;
            }
            let wake = match wake {
                Wake::At(time) => Some(time.max(self.now + SignedDuration::from_millis(1))),
                Wake::OnChange => None,
            };
            match wake.into_iter().chain(self.next_pod()).min() {
                Some(next) if next <= end => self.now = next,
                Some(_) | None => {
                    self.now = end;
                    return done(self);
                }
            }
        }
    }
}

fn pruned<E: Entry>(object: Value) -> E {
    E::prune(serde_json::from_value(object).expect("an object of its kind"))
}

fn of_journal(kind: ObjectKind) -> Option<Kind> {
    match kind {
        ObjectKind::Rollout => Some(Kind::Rollout),
        ObjectKind::ReplicaSet => Some(Kind::ReplicaSet),
        ObjectKind::Service => Some(Kind::Service),
        ObjectKind::Ingress => Some(Kind::Ingress),
        ObjectKind::Pod => None,
    }
}

//! A small model of a cluster in virtual time: it carries out plans, and plays ReplicaSet controller and kubelet.
//!
//! It knows nothing of what a Rollout should do. Its own honesty is vouched for by the recordings of a real cluster
//! that the tests compare it with.

mod healthy;
mod pods;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::api::rollout_status::RolloutDuration;
use serin_core::domain::event::EventNote;
use serin_core::domain::object::{ObjectKey, ObjectRef};
use serin_core::domain::plan::{ObjectKind, Plan, Wake};
use serin_core::guard;
use serin_core::rollout::snapshot::{Failure, Remembered, Snapshot};
use serin_core::rollout::{decide, decide_unreadable};
use serin_machine::cache::Closed;
use serin_machine::caches::Caches;
use serin_machine::carry::{Carrying, Ending};
use serin_machine::failure::WriteError;
use serin_machine::object::RawObject;
use serin_machine::observe::{Observed, observe};
use serin_machine::request::{Request, Verb};
use serin_values::merge_patch::apply_merge_patch;

use crate::conformance::journal::{Journal, Run};
use crate::conformance::kinds::Kind;
use pods::Pod;

const NAMESPACE: &str = "default";

/// Each decision of so many is made a second time, to be compared.
const ANEW: usize = 8;

/// How long a write that was refused waits before it is tried again.
const PATIENCE: SignedDuration = SignedDuration::from_secs(10);

/// Objects by kind and name, and the time.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) events: Vec<String>,
    pub(crate) writes: Vec<String>,
    /// The updates that have ended, as the metrics hear of them.
    pub(crate) ended: Vec<RolloutDuration>,
    journal: Journal,
    objects: BTreeMap<(ObjectKind, String), Value>,
    /// The same objects as the controller sees them.
    caches: Caches,
    pods: BTreeMap<String, Vec<Pod>>,
    pods_made: u64,
    version: u64,
    /// By Rollout: what the shell remembers of the last attempt.
    kept: BTreeMap<String, Remembered>,
    /// The controller dies after the write of this number, counted from 1, and begins anew.
    pub(crate) dies_after: Option<usize>,
    is_dead: bool,
    /// How long pods that are made from now on take to become ready.
    pub(crate) start_latency: SignedDuration,
    /// How often something was decided.
    pub(crate) decisions: usize,
    /// How much later than the one before it a pod becomes ready that was made at the same time.
    pub(crate) stagger: SignedDuration,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            events: Vec::new(),
            writes: Vec::new(),
            ended: Vec::new(),
            journal: Journal::default(),
            objects: BTreeMap::new(),
            caches: watched(),
            pods: BTreeMap::new(),
            pods_made: 0,
            version: 0,
            kept: BTreeMap::new(),
            dies_after: None,
            is_dead: false,
            start_latency: SignedDuration::from_millis(2500),
            decisions: 0,
            stagger: SignedDuration::ZERO,
        }
    }

    /// Creates or updates what a manifest of several documents holds, as `kubectl apply` does.
    pub(crate) fn apply(&mut self, manifest: &str) {
        for document in serde_yaml::Deserializer::from_str(manifest) {
            let object: Value = serde::Deserialize::deserialize(document).unwrap();
            let kind = kind_of(&object);
            self.create(kind, object);
        }
    }

    /// Creates an object; what the API server sets is set where the object does not say.
    pub(crate) fn create(&mut self, kind: ObjectKind, mut object: Value) {
        let name = name_of(&object).to_owned();
        assert!(!self.objects.contains_key(&(kind, name.clone())), "{name} exists");
        let set = [
            ("namespace", NAMESPACE.into()),
            ("uid", format!("uid-{name}").into()),
            ("creationTimestamp", self.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()),
            ("generation", 1.into()),
        ];
        for (field, value) in set {
            if object["metadata"][field].is_null() {
                object["metadata"][field] = value;
            }
        }
        if kind == ObjectKind::Deployment {
            object["spec"]["template"] = with_defaults(&object["spec"]["template"]);
        }
        self.store(kind, name, object);
    }

    fn store(&mut self, kind: ObjectKind, name: String, mut object: Value) {
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        if let Some(kind) = of_journal(kind) {
            self.journal.saw(kind, &object);
        }
        self.show(kind, &name, object.clone());
        self.objects.insert((kind, name), object);
    }

    /// The successive values of something that can be seen, as text.
    pub(crate) fn seen(&self, facet: &str) -> Vec<String> {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        self.run_so_far().sequences.get(facet).into_iter().flatten().map(text).collect()
    }

    /// What has been seen so far.
    pub(crate) fn run_so_far(&self) -> Run {
        Run { events: self.events.clone(), ..self.journal.run(NAMESPACE) }
    }

    /// As the watches do, which select ReplicaSets and Pods by the hash label.
    fn show(&self, kind: ObjectKind, name: &str, object: Value) {
        let has_hash = !object["metadata"]["labels"][keys::POD_HASH_LABEL].is_null();
        let is_seen = has_hash || !matches!(kind, ObjectKind::ReplicaSet | ObjectKind::Pod);
        if !is_seen {
            return self.hide(kind, name);
        }
        let mut cache = self.caches.of(kind).write();
        if cache.closed().is_none() {
            cache.put(raw(object));
        }
    }

    fn hide(&self, kind: ObjectKind, name: &str) {
        let last = json!({"metadata": {"namespace": NAMESPACE, "name": name}});
        self.caches.of(kind).write().remove(raw(last));
    }

    /// Deletes an object, and nothing that belongs to it.
    pub(crate) fn forget(&mut self, kind: ObjectKind, name: &str) {
        self.objects.remove(&(kind, name.to_owned()));
        self.hide(kind, name);
    }

    /// A controller that has begun anew may not list Deployments.
    pub(crate) fn forbid_deployments(&mut self) {
        let mut cache = self.caches.of(ObjectKind::Deployment).write();
        cache.clear();
        cache.close(Closed::Refused("deployments.apps is forbidden".to_owned()));
    }

    /// It may, and has listed them.
    pub(crate) fn permit_deployments(&mut self) {
        let mut cache = self.caches.of(ObjectKind::Deployment).write();
        self.all(ObjectKind::Deployment).for_each(|object| cache.collect(raw(object.clone())));
        cache.swap();
    }

    /// A JSON merge patch of a main resource.
    pub(crate) fn patch(&mut self, kind: ObjectKind, name: &str, patch: &Value) {
        let before = self.objects[&(kind, name.to_owned())].clone();
        let mut after = apply_merge_patch(&before, patch);
        if kind == ObjectKind::Deployment {
            after["spec"]["template"] = with_defaults(&after["spec"]["template"]);
        }
        if after == before {
            return;
        }
        if after["spec"] != before["spec"] || after["template"] != before["template"] {
            after["metadata"]["generation"] = (before["metadata"]["generation"].as_i64().unwrap() + 1).into();
        }
        self.store(kind, name.to_owned(), after);
    }

    pub(crate) fn rollout(&self) -> &Value {
        let rollouts = self.objects.iter().filter(|((kind, _), _)| *kind == ObjectKind::Rollout);
        rollouts.map(|(_, object)| object).next().expect("a Rollout")
    }

    pub(crate) fn rollout_name(&self) -> String {
        name_of(self.rollout()).to_owned()
    }

    pub(crate) fn get(&self, kind: ObjectKind, name: &str) -> Option<&Value> {
        self.objects.get(&(kind, name.to_owned()))
    }

    /// Every object, by kind and name.
    pub(crate) fn objects(&self) -> &BTreeMap<(ObjectKind, String), Value> {
        &self.objects
    }

    pub(crate) fn all(&self, kind: ObjectKind) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |((k, _), _)| *k == kind).map(|(_, object)| object)
    }

    /// Everything that a decision about the first Rollout looks at.
    pub(crate) fn snapshot(&self) -> Snapshot {
        match self.observe(&self.rollout_name()) {
            Observed::Complete(snapshot) => *snapshot,
            Observed::Absent | Observed::Unreadable(_) => panic!("the Rollout of the model cannot be read"),
        }
    }

    fn observe(&self, rollout: &str) -> Observed {
        let kept = self.kept.get(rollout).cloned().unwrap_or_default();
        observe(&ObjectKey::new(NAMESPACE, rollout), &self.caches, kept)
    }

    /// What the decision about the first Rollout is now.
    pub(crate) fn plan(&self) -> Plan {
        self.plan_of(&self.rollout_name())
    }

    /// What the decision about a Rollout is now.
    pub(crate) fn plan_of(&self, rollout: &str) -> Plan {
        let snapshot = match self.observe(rollout) {
            Observed::Complete(snapshot) => snapshot,
            Observed::Unreadable(unreadable) => return decide_unreadable(&unreadable, self.now),
            Observed::Absent => panic!("there is no Rollout {rollout}"),
        };
        let plan = decide(&snapshot, self.now);
        if self.decisions.is_multiple_of(ANEW) {
            assert_eq!(plan, decide(&snapshot, self.now), "a decision is a function of the snapshot");
        }
        if let Err(refusal) = guard::check(&snapshot, &plan) {
            panic!("{refusal}: {plan:#?}");
        }
        let mut asked = BTreeSet::new();
        let twice = plan.ops().find(|op| !asked.insert((op.kind, &op.name)));
        assert_eq!(twice, None, "a plan asks once about an object");
        plan
    }

    fn carry_out(&mut self, rollout: &str, plan: &Plan) {
        self.is_dead = false;
        let kept = self.kept.entry(rollout.to_owned()).or_default();
        kept.last_failure = None;
        kept.held_since = kept.held_since.or(Some(self.now)).filter(|_| plan.status.held);
        let object = ObjectRef::new(ObjectKind::Rollout, NAMESPACE, rollout);
        let mut carrying = Carrying::new(plan, &object);
        while let Some((ticket, request)) = carrying.next_request() {
            let answer = self.answer(plan, request);
            if self.is_dead {
                return;
            }
            carrying.answered(ticket, answer);
        }
        let outcome = carrying.end();
        self.ended.extend(outcome.ended);
        self.tell(&outcome.events);
        if let Ending::Refused(failure) = outcome.ending {
            self.refuse(rollout, failure);
        }
    }

    /// Notes a write. It may be the controller's last, of which nobody hears.
    fn wrote(&mut self, what: String) {
        self.writes.push(what);
        self.is_dead = self.dies_after == Some(self.writes.len());
    }

    /// What the API server says to a request of `plan`.
    fn answer(&mut self, plan: &Plan, request: Request) -> Result<RawObject, WriteError> {
        let Request { target: ObjectRef { kind, key: ObjectKey { name, .. } }, verb } = request;
        let live = self.objects.get(&(kind, name.clone()));
        let decided_on = match &verb {
            Verb::Patch { precondition, .. }
            | Verb::PatchStatus { precondition, .. }
            | Verb::Delete { precondition }
            | Verb::Evict { precondition } => Some(precondition),
            Verb::Create { .. } | Verb::Read => None,
        };
        if let Some(decided_on) = decided_on {
            let live = live.unwrap_or_else(|| panic!("there is no {kind:?} {name}"));
            assert_eq!(live["metadata"]["uid"], decided_on.uid.as_str());
        }
        let after = match (&verb, live) {
            (Verb::Create { .. }, Some(_)) => return Err(WriteError::AlreadyExists),
            (Verb::Create { body }, None) => body.clone(),
            (Verb::Read, live) => {
                return live.cloned().map(raw).ok_or_else(|| WriteError::Conflict("not found".to_owned()));
            }
            (Verb::Patch { patch, .. }, Some(live)) => apply_merge_patch(live, patch),
            (_, live) => live.cloned().unwrap_or_default(),
        };
        if let Some(why) = fault(kind, &after) {
            return Err(WriteError::Rejected(why.to_owned()));
        }
        match verb {
            Verb::Create { body } => {
                self.wrote_for(plan, kind, &name);
                self.create(kind, body);
            }
            Verb::Patch { patch, .. } => {
                self.wrote_for(plan, kind, &name);
                self.patch(kind, &name, &patch);
            }
            Verb::PatchStatus { patch, .. } => {
                self.wrote(format!("status {patch}"));
                self.patch(kind, &name, &patch);
            }
            Verb::Delete { .. } | Verb::Evict { .. } => {
                self.wrote_for(plan, kind, &name);
                self.remove(kind, &name);
            }
            Verb::Read => {}
        }
        Ok(self.objects.get(&(kind, name)).map(metadata).unwrap_or_default())
    }

    fn wrote_for(&mut self, plan: &Plan, kind: ObjectKind, name: &str) {
        let op = plan.ops().find(|op| op.kind == kind && op.name == name).expect("an op of the plan");
        self.wrote(format!("{:?} {} {:?}", op.kind, op.name, op.purposes));
    }

    /// Deletes an object; the pods of a ReplicaSet go with it, and a pod that goes is missing to its ReplicaSet.
    pub(crate) fn remove(&mut self, kind: ObjectKind, name: &str) {
        self.forget(kind, name);
        for pod in self.pods.remove(name).into_iter().flatten() {
            self.forget(ObjectKind::Pod, &pod.name);
        }
        self.pods.values_mut().for_each(|pods| pods.retain(|pod| pod.name != name));
    }

    fn tell(&mut self, events: &[EventNote]) {
        self.events.extend(events.iter().map(|e| format!("{} {}", e.reason.event_type().as_str(), e.reason)));
    }

    /// Decides and acts until no Rollout has anything to do; the time when the first one wants to be looked at again.
    fn settle(&mut self) -> Option<Timestamp> {
        let rollouts: Vec<String> = self.all(ObjectKind::Rollout).map(|r| name_of(r).to_owned()).collect();
        for _ in 0..400 {
            self.run_pods();
            let mut wake = Wake::OnChange;
            let mut is_quiet = true;
            for rollout in &rollouts {
                let before = self.writes.len();
                let plan = self.plan_of(rollout);
                self.decisions += 1;
                self.carry_out(rollout, &plan);
                // A refusal is tried again after a while.
                let is_refused = self.kept[rollout].last_failure.is_some() && self.writes.len() == before;
                is_quiet &= plan.is_empty() || is_refused;
                wake = wake.earliest(if is_refused { Wake::At(self.now + PATIENCE) } else { plan.wake });
            }
            if is_quiet {
                for rollout in &rollouts {
                    self.check_healthy(rollout);
                }
            }
            match wake {
                Wake::At(time) if is_quiet => {
                    return Some(time.max(self.now + SignedDuration::from_millis(1)));
                }
                Wake::OnChange if is_quiet => return None,
                Wake::At(_) | Wake::OnChange => {}
            }
        }
        panic!("no end of writes: {:#?}", self.writes.iter().rev().take(8).collect::<Vec<_>>());
    }

    /// The API server refused that at the last attempt to do something about a Rollout.
    pub(crate) fn refuse(&mut self, rollout: &str, failure: Failure) {
        self.kept.entry(rollout.to_owned()).or_default().last_failure = Some(failure);
    }

    /// No difference of a status waits for a later write.
    pub(crate) fn write_at_once(&mut self, rollout: &str) {
        self.kept.entry(rollout.to_owned()).or_default().held_since = Some(Timestamp::UNIX_EPOCH);
    }

    /// Lets that much time pass.
    pub(crate) fn pass(&mut self, milliseconds: i64) {
        let end = self.now + SignedDuration::from_millis(milliseconds);
        self.run(end, |_| false);
    }

    /// Lets everything happen until `end`, or until `done` says so; false if it never did.
    pub(crate) fn run(&mut self, end: Timestamp, done: impl Fn(&Self) -> bool) -> bool {
        loop {
            let wake = self.settle();
            if done(self) {
                return true;
            }
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

/// Caches whose watches of workloads have begun.
fn watched() -> Caches {
    let caches = Caches::default();
    caches.of(ObjectKind::Deployment).write().swap();
    caches.of(ObjectKind::PodTemplate).write().swap();
    caches
}

/// The kind of an object.
pub(crate) fn kind_of(object: &Value) -> ObjectKind {
    let kind = ObjectKind::ALL.iter().find(|kind| object["kind"] == kind.name());
    *kind.unwrap_or_else(|| panic!("the model has no {}", object["kind"]))
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().expect("a name")
}

/// Why the API server would not store an object.
fn fault(kind: ObjectKind, object: &Value) -> Option<&'static str> {
    if name_of(object).len() > 253 {
        return Some("metadata.name: must be no more than 253 characters");
    }
    let spec = &object["spec"];
    if kind != ObjectKind::ReplicaSet {
        return None;
    }
    if spec["replicas"].as_i64().is_some_and(|replicas| replicas < 0) {
        return Some("spec.replicas: must be greater than or equal to 0");
    }
    let mut asked = spec["selector"]["matchLabels"].as_object().into_iter().flatten();
    let is_unlike = spec["template"].is_object()
        && asked.any(|(key, value)| spec["template"]["metadata"]["labels"][key] != *value);
    is_unlike.then_some("spec.template.metadata.labels: `selector` does not match template `labels`")
}

fn raw(object: Value) -> RawObject {
    serde_json::from_value(object).expect("an object")
}

/// What the answer to a write is read for.
fn metadata(object: &Value) -> RawObject {
    let mut answer = RawObject::default();
    let text = |field: &str| object["metadata"][field].as_str().map(ToOwned::to_owned);
    answer.metadata.uid = text("uid");
    answer.metadata.resource_version = text("resourceVersion");
    answer
}

/// A pod template with what the API server fills in that these tests come by.
fn with_defaults(template: &Value) -> Value {
    let of_container = json!({
        "imagePullPolicy": "IfNotPresent", "resources": {},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
    });
    let mut filled = apply_merge_patch(
        &json!({"spec": {
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
            "securityContext": {}, "terminationGracePeriodSeconds": 30,
        }}),
        template,
    );
    for container in filled["spec"]["containers"].as_array_mut().unwrap() {
        *container = apply_merge_patch(&of_container, container);
    }
    filled
}

#[allow(clippy::wildcard_enum_match_arm, reason = "a kind that is added is one of the others")]
fn of_journal(kind: ObjectKind) -> Option<Kind> {
    match kind {
        ObjectKind::Rollout => Some(Kind::Rollout),
        ObjectKind::ReplicaSet => Some(Kind::ReplicaSet),
        ObjectKind::Service => Some(Kind::Service),
        ObjectKind::Ingress => Some(Kind::Ingress),
        ObjectKind::Deployment => Some(Kind::Deployment),
        _ => None,
    }
}

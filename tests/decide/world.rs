//! A small model of a cluster in virtual time: it carries out plans, and plays ReplicaSet controller and kubelet.
//!
//! It knows nothing of what a Rollout should do. Its own honesty is vouched for by the recordings of a real cluster
//! that the tests compare it with.

mod healthy;
mod pods;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serin::controller::cache::{Cache, Caches, Shared};
use serin::controller::entry::Entry;
use serin::controller::object::ObjectKey;
use serin::controller::observe::{Observed, observe};
use serin_core::api::keys;
use serin_core::api::rollout_status::RolloutDuration;
use serin_core::domain::event::EventNote;
use serin_core::domain::plan::{Action, ObjectKind, Op, Plan, Stage, StageName, Wake};
use serin_core::guard;
use serin_core::rollout::snapshot::{Failure, FailureCause, Remembered, Snapshot};
use serin_core::rollout::{decide, decide_unreadable};
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
            let kind = match object["kind"].as_str() {
                Some("Rollout") => ObjectKind::Rollout,
                Some("ReplicaSet") => ObjectKind::ReplicaSet,
                Some("Service") => ObjectKind::Service,
                Some("Ingress") => ObjectKind::Ingress,
                Some("Pod") => ObjectKind::Pod,
                Some("Deployment") => ObjectKind::Deployment,
                Some("PodTemplate") => ObjectKind::PodTemplate,
                other => panic!("the model has no {other:?}"),
            };
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
        match kind {
            ObjectKind::Rollout => put(&self.caches.rollouts, name, object),
            ObjectKind::ReplicaSet if has_hash => put(&self.caches.replica_sets, name, object),
            ObjectKind::Service => put(&self.caches.services, name, object),
            ObjectKind::Ingress => put(&self.caches.ingresses, name, object),
            ObjectKind::Pod if has_hash => put(&self.caches.pods, name, object),
            ObjectKind::ReplicaSet => hide(&self.caches.replica_sets, name),
            ObjectKind::Pod => hide(&self.caches.pods, name),
            ObjectKind::Deployment => put(&self.caches.workloads.deployments, name, object),
            ObjectKind::PodTemplate => put(&self.caches.workloads.pod_templates, name, object),
        }
    }

    /// Deletes an object, and nothing that belongs to it.
    pub(crate) fn forget(&mut self, kind: ObjectKind, name: &str) {
        self.objects.remove(&(kind, name.to_owned()));
        match kind {
            ObjectKind::Rollout => hide(&self.caches.rollouts, name),
            ObjectKind::ReplicaSet => hide(&self.caches.replica_sets, name),
            ObjectKind::Service => hide(&self.caches.services, name),
            ObjectKind::Ingress => hide(&self.caches.ingresses, name),
            ObjectKind::Pod => hide(&self.caches.pods, name),
            ObjectKind::Deployment => hide(&self.caches.workloads.deployments, name),
            ObjectKind::PodTemplate => hide(&self.caches.workloads.pod_templates, name),
        }
    }

    /// A controller that has begun anew may not list Deployments.
    pub(crate) fn forbid_deployments(&mut self) {
        let mut cache = self.caches.workloads.deployments.write();
        *cache = Cache::default();
        cache.refuse("deployments.apps is forbidden".to_owned());
    }

    /// It may, and has listed them.
    pub(crate) fn permit_deployments(&mut self) {
        let mut cache = self.caches.workloads.deployments.write();
        for object in self.all(ObjectKind::Deployment) {
            cache.collect(ObjectKey::new(NAMESPACE, name_of(object)), entry(object.clone()));
        }
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
        let told = self.events.len();
        let (after, before): (Vec<_>, Vec<_>) =
            plan.stages.iter().partition(|stage| stage.name >= StageName::Pods);
        let done = before.iter().take_while(|stage| self.stage(rollout, stage)).count();
        if done < before.len() {
            let is_routed = before[..done].iter().any(|stage| stage.name == StageName::Route);
            let routed = Some(&plan.status.routed).filter(|patch| is_routed && !patch.is_null());
            return self.status(rollout, routed.unwrap_or(&plan.status.observed));
        }
        self.status(rollout, &plan.status.patch);
        if !self.is_dead {
            let of_ops = self.events.split_off(told);
            self.ended.extend(plan.status.ended.clone());
            self.tell(&plan.status.first);
            self.events.extend(of_ops);
            self.tell(&plan.status.events);
            after.into_iter().all(|stage| self.stage(rollout, stage));
        }
    }

    /// Notes a write. It may be the controller's last, of which nobody hears.
    fn wrote(&mut self, what: String) {
        self.writes.push(what);
        self.is_dead = self.dies_after == Some(self.writes.len());
    }

    /// Whether all of a stage could be carried out, so that the next may follow.
    fn stage(&mut self, rollout: &str, stage: &Stage) -> bool {
        let mut is_done = true;
        for op in &stage.ops {
            if let Err(failure) = self.request(op) {
                self.refuse(rollout, failure);
                is_done = false;
            } else if self.is_dead {
                return false;
            } else {
                self.tell(&op.events);
            }
        }
        if is_done {
            self.tell(&stage.events);
        }
        is_done
    }

    fn status(&mut self, rollout: &str, patch: &Value) {
        if !patch.is_null() && !self.is_dead {
            self.wrote(format!("status {patch}"));
            self.patch(ObjectKind::Rollout, rollout, patch);
        }
    }

    fn request(&mut self, op: &Op) -> Result<(), Failure> {
        let live = self.objects.get(&(op.kind, op.name.clone()));
        let after = match (&op.action, live) {
            (Action::Create { body }, None) => body.clone(),
            (Action::Create { .. }, Some(live)) => return Err(failure(op, in_the_way(live))),
            (Action::Patch { patch, precondition }, Some(live)) => {
                assert_eq!(live["metadata"]["uid"], precondition.uid.as_str());
                apply_merge_patch(live, patch)
            }
            (Action::Delete { precondition } | Action::Evict { precondition, .. }, Some(live)) => {
                assert_eq!(live["metadata"]["uid"], precondition.uid.as_str());
                live.clone()
            }
            (Action::Patch { .. } | Action::Delete { .. } | Action::Evict { .. }, None) => {
                panic!("there is no {:?} {}", op.kind, op.name)
            }
        };
        if let Some(why) = fault(op.kind, &after) {
            return Err(failure(op, FailureCause::Rejected(why.to_owned())));
        }
        self.wrote(format!("{:?} {} {:?}", op.kind, op.name, op.purposes));
        match &op.action {
            Action::Create { body } => self.create(op.kind, body.clone()),
            Action::Patch { patch, .. } => self.patch(op.kind, &op.name, patch),
            Action::Delete { .. } | Action::Evict { .. } => self.remove(op.kind, &op.name),
        }
        Ok(())
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
    caches.workloads.deployments.write().swap();
    caches.workloads.pod_templates.write().swap();
    caches
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().expect("a name")
}

fn failure(op: &Op, cause: FailureCause) -> Failure {
    Failure { kind: op.kind, name: op.name.clone(), cause }
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

/// What the shell tells the next decision about an object that is where one was to be created.
fn in_the_way(live: &Value) -> FailureCause {
    let owners = live["metadata"]["ownerReferences"].as_array();
    let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == true);
    FailureCause::AlreadyExists {
        owner_uid: owner.and_then(|owner| owner["uid"].as_str()).map(ToOwned::to_owned),
        template: live["spec"]["template"].clone(),
        digest: live["metadata"]["annotations"][keys::TEMPLATE_DIGEST].as_str().map(ToOwned::to_owned),
        has_hash: live["metadata"]["labels"][keys::POD_HASH_LABEL]
            .as_str()
            .is_some_and(|hash| !hash.is_empty()),
    }
}

fn entry<E: Entry>(object: Value) -> E {
    E::prune(serde_json::from_value(object).expect("an object of its kind"))
}

fn put<E: Entry>(cache: &Shared<E>, name: &str, object: Value) {
    let mut cache = cache.write();
    if cache.refusal().is_none() {
        cache.put(ObjectKey::new(NAMESPACE, name), entry(object));
    }
}

fn hide<E: Entry>(cache: &Shared<E>, name: &str) {
    let key = ObjectKey::new(NAMESPACE, name);
    let last = cache.read().get(&key).cloned();
    if let Some(last) = last {
        cache.write().remove(key, &last);
    }
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

fn of_journal(kind: ObjectKind) -> Option<Kind> {
    match kind {
        ObjectKind::Rollout => Some(Kind::Rollout),
        ObjectKind::ReplicaSet => Some(Kind::ReplicaSet),
        ObjectKind::Service => Some(Kind::Service),
        ObjectKind::Ingress => Some(Kind::Ingress),
        ObjectKind::Deployment => Some(Kind::Deployment),
        ObjectKind::Pod | ObjectKind::PodTemplate => None,
    }
}

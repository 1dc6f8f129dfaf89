//! A small model of a cluster in virtual time: it carries out plans, and plays ReplicaSet controller and kubelet.
//!
//! It knows nothing of what a Rollout should do. Its own honesty is vouched for by the recordings of a real cluster
//! that the tests compare it with.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serin::api::keys;
use serin::controller::cache::{Caches, Shared};
use serin::controller::entry::Entry;
use serin::controller::object::ObjectKey;
use serin::controller::observe::{Observed, observe};
use serin::domain::event::EventNote;
use serin::domain::merge_patch::apply_merge_patch;
use serin::domain::plan::{Action, ObjectKind, Op, Plan, Stage, StageName, Wake};
use serin::guard;
use serin::rollout::snapshot::{Failure, FailureCause, Remembered, Snapshot};
use serin::rollout::{decide, decide_unreadable};

use crate::conformance::journal::{Journal, Run};
use crate::conformance::kinds::Kind;

const NAMESPACE: &str = "default";

/// What is known of a pod beside its object.
#[derive(Debug, Clone)]
struct Pod {
    name: String,
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

    /// Creates a ReplicaSet whose status is as it says, with as many available pods, and the rest broken.
    pub(crate) fn create_settled(&mut self, rs: Value) {
        let name = name_of(&rs).to_owned();
        self.create(ObjectKind::ReplicaSet, rs);
        let rs = self.objects[&(ObjectKind::ReplicaSet, name.clone())].clone();
        let count = |field: &str| rs["status"][field].as_u64().unwrap_or(0);
        let settled = self.now - settling_time(&rs);
        let mut pods = Vec::new();
        for number in 0..count("replicas") {
            self.pods_made += 1;
            let pod = Pod {
                name: format!("{name}-{}", self.pods_made),
                ready_at: if number < count("availableReplicas") { settled } else { Timestamp::MAX },
            };
            let mut object = pod_of(&rs, &pod.name);
            object["metadata"]["creationTimestamp"] = rs["metadata"]["creationTimestamp"].clone();
            self.create(ObjectKind::Pod, object);
            pods.push(pod);
        }
        self.pods.insert(name, pods);
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

    /// A JSON merge patch of a main resource.
    pub(crate) fn patch(&mut self, kind: ObjectKind, name: &str, patch: &Value) {
        let before = self.objects[&(kind, name.to_owned())].clone();
        let mut after = apply_merge_patch(&before, patch);
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
        assert_eq!(plan, decide(&snapshot, self.now), "a decision is a function of the snapshot");
        if let Err(refusal) = guard::check(&snapshot, &plan) {
            panic!("{refusal}: {plan:#?}");
        }
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
        if !before.into_iter().all(|stage| self.stage(rollout, stage)) {
            return self.status(rollout, &plan.status.observed);
        }
        self.status(rollout, &plan.status.patch);
        if !self.is_dead {
            let of_ops = self.events.split_off(told);
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
        let key = (op.kind, op.name.clone());
        let live = self.objects.get(&key);
        match &op.action {
            Action::Create { .. } => {
                if let Some(cause) = live.map(in_the_way) {
                    return Err(Failure { kind: op.kind, name: op.name.clone(), cause });
                }
            }
            Action::Patch { precondition, .. }
            | Action::Delete { precondition }
            | Action::Evict { precondition } => {
                let live = live.unwrap_or_else(|| panic!("there is no {:?} {}", op.kind, op.name));
                assert_eq!(live["metadata"]["uid"], precondition.uid.as_str());
            }
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

    /// The ReplicaSet controller and the kubelet: pods come and go, and the counts follow.
    fn run_pods(&mut self) {
        let sets: Vec<Value> = self.all(ObjectKind::ReplicaSet).cloned().collect();
        for mut rs in sets {
            let name = name_of(&rs).to_owned();
            self.resize(&rs);
            let pods = self.pods.get(&name).map_or(&[][..], Vec::as_slice);
            let settling = settling_time(&rs);
            let count =
                |since: SignedDuration| pods.iter().filter(|p| p.ready_at <= self.now - since).count();
            let status = json!({
                "replicas": pods.len(),
                "readyReplicas": count(SignedDuration::ZERO),
                "availableReplicas": count(settling),
                "observedGeneration": rs["metadata"]["generation"],
            });
            if rs["status"] != status {
                rs["status"] = status;
                self.store(ObjectKind::ReplicaSet, name, rs);
            }
        }
    }

    /// Gives a ReplicaSet as many pods as it asks for; those that are ready longest stay.
    fn resize(&mut self, rs: &Value) {
        let name = name_of(rs).to_owned();
        let wanted = usize::try_from(rs["spec"]["replicas"].as_i64().unwrap_or(1)).unwrap_or(0);
        let image = rs["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        let starts = !image.contains("nonexistent") && !image.contains("error");
        let mut ready_at = if starts { self.now + self.start_latency } else { Timestamp::MAX };
        let mut pods = self.pods.remove(&name).unwrap_or_default();
        pods.sort_by_key(|pod| pod.ready_at);
        for gone in pods.split_off(wanted.min(pods.len())) {
            self.forget(ObjectKind::Pod, &gone.name);
        }
        while pods.len() < wanted {
            self.pods_made += 1;
            let pod = Pod { name: format!("{name}-{}", self.pods_made), ready_at };
            self.create(ObjectKind::Pod, pod_of(rs, &pod.name));
            pods.push(pod);
            ready_at = ready_at.saturating_add(self.stagger).unwrap();
        }
        self.pods.insert(name, pods);
    }

    /// So many pods of the ReplicaSet of that hash that are not ready become so now.
    pub(crate) fn ready_pods(&mut self, hash: &str, count: usize) {
        let now = self.now;
        let sets = self.pods.iter_mut().filter(|(name, _)| name.ends_with(hash));
        let waiting = sets.flat_map(|(_, pods)| pods).filter(|pod| pod.ready_at > now);
        waiting.take(count).for_each(|pod| pod.ready_at = now);
    }

    fn next_pod(&self) -> Option<Timestamp> {
        let sets = self.all(ObjectKind::ReplicaSet);
        let times = sets.flat_map(|rs| {
            let pods = self.pods.get(name_of(rs)).into_iter().flatten();
            let pods = pods.filter(|pod| pod.ready_at < Timestamp::MAX);
            pods.flat_map(|pod| [pod.ready_at, pod.ready_at + settling_time(rs)])
        });
        times.filter(|at| *at > self.now).min()
    }

    /// Decides and acts until no Rollout has anything to do; the time when the first one wants to be looked at again.
    fn settle(&mut self) -> Option<Timestamp> {
        let rollouts: Vec<String> = self.all(ObjectKind::Rollout).map(|r| name_of(r).to_owned()).collect();
        for _ in 0..50 {
            self.run_pods();
            let mut wake = Wake::OnChange;
            let mut is_quiet = true;
            for rollout in &rollouts {
                let plan = self.plan_of(rollout);
                self.decisions += 1;
                wake = wake.earliest(plan.wake);
                self.carry_out(rollout, &plan);
                is_quiet &= plan.is_empty();
            }
            match wake {
                Wake::At(time) if is_quiet => {
                    return Some(time.max(self.now + SignedDuration::from_millis(1)));
                }
                Wake::OnChange if is_quiet => return None,
                Wake::At(_) | Wake::OnChange => {}
            }
        }
        panic!("no end of writes: {:#?}", self.writes.last());
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

/// How long a ready pod takes to count as available.
fn settling_time(rs: &Value) -> SignedDuration {
    SignedDuration::from_secs(rs["spec"]["minReadySeconds"].as_i64().unwrap_or(0))
}

fn pod_of(rs: &Value, name: &str) -> Value {
    let template = &rs["spec"]["template"]["metadata"];
    json!({
        "metadata": {
            "name": name,
            "labels": template["labels"],
            "annotations": template["annotations"],
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name_of(rs),
                "uid": rs["metadata"]["uid"], "controller": true,
            }],
        },
    })
}

/// What the shell tells the next decision about an object that is where one was to be created.
fn in_the_way(live: &Value) -> FailureCause {
    let owners = live["metadata"]["ownerReferences"].as_array();
    let owner = owners.into_iter().flatten().find(|owner| owner["controller"] == true);
    FailureCause::AlreadyExists {
        owner_uid: owner.and_then(|owner| owner["uid"].as_str()).map(ToOwned::to_owned),
        template: live["spec"]["template"].clone(),
    }
}

fn put<E: Entry>(cache: &Shared<E>, name: &str, object: Value) {
    let entry = E::prune(serde_json::from_value(object).expect("an object of its kind"));
    cache.write().put(ObjectKey::new(NAMESPACE, name), entry);
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

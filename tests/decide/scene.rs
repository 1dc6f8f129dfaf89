//! Hand-written moments in the life of a Rollout, and what is decided on them.
//!
//! A scene is a Rollout `demo` with the ReplicaSets `r1`, `r2`, … of its templates 1, 2, …, and a status that fits
//! them. A test says what is special about its moment, and reads the decision as a few words.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::hash::{pod_template_hash, step_hash};
use serin_core::domain::plan::{Action, ObjectKind, Op, Plan, Purpose, Wake};
use serin_values::merge_patch::apply_merge_patch;

use crate::world::World;

/// When the ReplicaSet of template 0 would have been made; each later one is a minute younger.
const BIRTH: &str = "2025-12-31T00:00:00Z";

/// A moment in the making.
pub(crate) struct Scene {
    rollout: Value,
    sets: Vec<(u32, Value)>,
    others: Vec<(ObjectKind, Value)>,
    stable: Option<u32>,
    current: Option<u32>,
    status: Value,
}

/// The template of that number.
pub(crate) fn template(number: u32) -> Value {
    json!({
        "metadata": {"labels": {"app": "demo"}, "annotations": {"v": number.to_string()}},
        "spec": {"containers": [{"name": "demo", "image": "demo:1"}]},
    })
}

/// The pod hash of the template of that number.
pub(crate) fn hash(number: u32) -> String {
    pod_template_hash(&template(number), None)
}

/// `text` with r1 for the hash of template 1 and for the name of its ReplicaSet, and so on.
pub(crate) fn short(text: &str) -> String {
    let named = |text: String, n: u32| text.replace(&format!("demo-{}", hash(n)), &format!("r{n}"));
    let numbers = || (1..=12).rev();
    let text = numbers().fold(text.to_owned(), named);
    numbers().fold(text, |text, n| text.replace(&hash(n), &format!("r{n}")))
}

/// A time as the API server has it, so many seconds after the model's first moment.
pub(crate) fn at(seconds: i64) -> String {
    let time = World::new().now + SignedDuration::from_secs(seconds);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Scene {
    /// A canary of 10 pods.
    pub(crate) fn canary(fields: &Value) -> Self {
        Self::new(json!({"canary": fields}))
    }

    /// A canary of 10 pods behind the Ingress `web`, with the Services `stable` and `canary`.
    pub(crate) fn routed(fields: &Value) -> Self {
        let routing = json!({
            "stableService": "stable", "canaryService": "canary",
            "trafficRouting": {"nginx": {"stableIngress": "web"}},
        });
        let path = json!({
            "path": "/", "pathType": "Prefix",
            "backend": {"service": {"name": "stable", "port": {"number": 80}}},
        });
        let rules = json!([{"http": {"paths": [path]}}]);
        let ingress =
            json!({"metadata": {"name": "web"}, "spec": {"ingressClassName": "nginx", "rules": rules}});
        let scene = Self::canary(&apply_merge_patch(&routing, fields)).object(ObjectKind::Ingress, ingress);
        scene.fresh_service("stable").fresh_service("canary")
    }

    /// A blue-green Rollout of 10 pods with the Service `active`.
    pub(crate) fn blue_green(fields: &Value) -> Self {
        Self::new(json!({"blueGreen": apply_merge_patch(&json!({"activeService": "active"}), fields)}))
    }

    #[allow(clippy::needless_pass_by_value, reason = "a value is written where it is called")]
    fn new(strategy: Value) -> Self {
        let selector = json!({"matchLabels": {"app": "demo"}});
        let rollout = json!({
            "apiVersion": keys::API_VERSION,
            "kind": keys::ROLLOUT,
            "metadata": {"name": "demo"},
            "spec": {"replicas": 10, "selector": selector, "strategy": strategy},
        });
        let (sets, others) = (Vec::new(), Vec::new());
        Self { rollout, sets, others, stable: None, current: None, status: json!({}) }
    }

    /// Merges `patch` into the Rollout.
    pub(crate) fn rollout(mut self, patch: &Value) -> Self {
        self.rollout = apply_merge_patch(&self.rollout, patch);
        self
    }

    /// Merges `patch` into the Rollout's spec.
    pub(crate) fn spec(self, patch: &Value) -> Self {
        self.rollout(&json!({"spec": patch}))
    }

    /// Merges `patch` into the status that fits the scene.
    pub(crate) fn status(mut self, patch: &Value) -> Self {
        self.status = merged(&self.status, patch);
        self
    }

    /// The ReplicaSet of a template, with its size and how many of its pods are available.
    pub(crate) fn set(mut self, number: u32, size: i32, available: i32) -> Self {
        let born: Timestamp = BIRTH.parse().unwrap();
        let labels = json!({"app": "demo", keys::POD_HASH_LABEL: hash(number)});
        let owner = json!({
            "apiVersion": keys::API_VERSION, "kind": keys::ROLLOUT, "name": "demo", "uid": "uid-demo", "controller": true,
        });
        let set = json!({
            "metadata": {
                "name": format!("demo-{}", hash(number)),
                "creationTimestamp": (born + SignedDuration::from_mins(number.into())).to_string(),
                "labels": labels,
                "annotations": {keys::REVISION: number.to_string()},
                "ownerReferences": [owner],
            },
            "spec": {
                "replicas": size,
                "selector": {"matchLabels": labels},
                "template": apply_merge_patch(&template(number), &json!({"metadata": {"labels": labels}})),
            },
            "status": {
                "replicas": size, "readyReplicas": available, "availableReplicas": available, "observedGeneration": 1,
            },
        });
        self.sets.push((number, set));
        self
    }

    /// Merges `patch` into the ReplicaSet that was added last.
    pub(crate) fn with(mut self, patch: &Value) -> Self {
        let (_, set) = self.sets.last_mut().expect("a ReplicaSet to change");
        *set = apply_merge_patch(set, patch);
        self
    }

    /// Annotates the ReplicaSet that was added last.
    pub(crate) fn noted(self, key: &str, value: &str) -> Self {
        self.with(&json!({"metadata": {"annotations": {key: value}}}))
    }

    /// The template that the spec asks for; else that of the last ReplicaSet.
    pub(crate) fn asks_for(mut self, number: u32) -> Self {
        self.current = Some(number);
        self
    }

    /// The template that is stable; else that of the first ReplicaSet.
    pub(crate) fn stable(mut self, number: u32) -> Self {
        self.stable = Some(number);
        self
    }

    /// A Service that the Rollout manages and that selects the pods of a template.
    pub(crate) fn service(self, name: &str, number: u32) -> Self {
        let managed = json!({"annotations": {keys::MANAGED_BY_ROLLOUTS: "demo"}});
        let selector = json!({"app": "demo", keys::POD_HASH_LABEL: hash(number)});
        let metadata = apply_merge_patch(&managed, &json!({"name": name}));
        self.object(ObjectKind::Service, json!({"metadata": metadata, "spec": {"selector": selector}}))
    }

    /// A Service as a user makes it.
    pub(crate) fn fresh_service(self, name: &str) -> Self {
        let service = json!({"metadata": {"name": name}, "spec": {"selector": {"app": "demo"}}});
        self.object(ObjectKind::Service, service)
    }

    /// Any other object; it takes the place of one of the same name.
    pub(crate) fn object(mut self, kind: ObjectKind, object: Value) -> Self {
        let name = object["metadata"]["name"].clone();
        self.others.retain(|(other, present)| *other != kind || present["metadata"]["name"] != name);
        self.others.push((kind, object));
        self
    }

    /// The weights that the status records: the canary's, and the template that has it.
    pub(crate) fn weight(self, canary: i32, number: u32) -> Self {
        let stable = self.stable.or_else(|| self.sets.first().map(|(n, _)| *n)).unwrap_or(1);
        let max = &self.rollout["spec"]["strategy"]["canary"]["trafficRouting"]["maxTrafficWeight"];
        let rest = max.as_i64().unwrap_or(100) - i64::from(canary);
        self.status(&json!({"canary": {"weights": {
            "canary": {"weight": canary, "serviceName": "canary", "podTemplateHash": hash(number)},
            "stable": {"weight": rest, "serviceName": "stable", "podTemplateHash": hash(stable)},
        }}}))
    }

    /// The size of the Rollout for which the ReplicaSets were last scaled, where that is not today's.
    pub(crate) fn sized_for(mut self, replicas: i32) -> Self {
        for (_, set) in &mut self.sets {
            set["metadata"]["annotations"][keys::DESIRED_REPLICAS] = replicas.to_string().into();
        }
        self
    }

    /// The scene as a world that has not been looked at yet: the Rollout has no status.
    pub(crate) fn unseen(&self) -> World {
        let mut world = self.world();
        world.patch(ObjectKind::Rollout, "demo", &json!({"status": null}));
        world
    }

    /// The scene when its first template runs.
    pub(crate) fn deployed(&self) -> World {
        let mut world = self.unseen();
        world.pass(30_000);
        assert_eq!(world.rollout()["status"]["phase"], "Healthy", "{:#}", world.rollout()["status"]);
        world
    }

    /// The scene as a world that can go on.
    pub(crate) fn world(&self) -> World {
        let mut world = World::new();
        let mut rollout = self.rollout.clone();
        let current = self.current.or_else(|| self.sets.last().map(|(n, _)| *n)).unwrap_or(1);
        if rollout["spec"]["template"].is_null() {
            rollout["spec"]["template"] = template(current);
        }
        rollout["status"] = self.whole_status(current);
        world.create(ObjectKind::Rollout, rollout);
        world.write_at_once("demo");
        for (_, set) in &self.sets {
            let mut set = set.clone();
            let desired = &mut set["metadata"]["annotations"][keys::DESIRED_REPLICAS];
            if desired.is_null() {
                *desired = self.rollout["spec"]["replicas"].to_string().into();
            }
            world.create_settled(set);
        }
        for (kind, object) in &self.others {
            world.create(*kind, object.clone());
        }
        world
    }

    fn whole_status(&self, current: u32) -> Value {
        let stable = self.stable.or_else(|| self.sets.first().map(|(n, _)| *n));
        let sum =
            |field: &str| self.sets.iter().filter_map(|(_, s)| s["status"][field].as_i64()).sum::<i64>();
        let new = self.sets.iter().find(|(n, _)| *n == current).map(|(_, set)| &set["status"]["replicas"]);
        let steps = &self.rollout["spec"]["strategy"]["canary"]["steps"];
        let selected = |field: &str| {
            let name = self.rollout["spec"]["strategy"]["blueGreen"][field].as_str()?;
            let named = |(kind, object): &&(_, Value)| {
                *kind == ObjectKind::Service && object["metadata"]["name"] == name
            };
            let (_, service) = self.others.iter().find(named)?;
            service["spec"]["selector"][keys::POD_HASH_LABEL].as_str()
        };
        let is_canary = self.rollout["spec"]["strategy"]["canary"].is_object();
        let status = json!({
            "currentPodHash": hash(current),
            "stableRS": stable.map(hash),
            "currentStepHash": is_canary.then(|| step_hash(Some(steps))),
            "currentStepIndex": steps.as_array().map(|_| 0),
            "observedGeneration": "1",
            "phase": "Progressing",
            "replicas": sum("replicas"),
            "readyReplicas": sum("readyReplicas"),
            "availableReplicas": sum("availableReplicas"),
            "updatedReplicas": new.cloned().unwrap_or_else(|| 0.into()),
            "blueGreen": {
                "activeSelector": selected("activeService"), "previewSelector": selected("previewService"),
            },
        });
        apply_merge_patch(&status, &self.status)
    }

    /// What is decided now.
    pub(crate) fn decide(&self) -> Decision {
        let world = self.world();
        Decision::on(&world)
    }
}

/// Merges patches, so that the nulls of both stay.
fn merged(earlier: &Value, later: &Value) -> Value {
    match (earlier, later) {
        (Value::Object(earlier), Value::Object(later)) => {
            let mut both = earlier.clone();
            for (key, value) in later {
                let before = both.get(key).cloned().unwrap_or_default();
                both.insert(key.clone(), merged(&before, value));
            }
            both.into()
        }
        _ => later.clone(),
    }
}

/// A decision, in words.
pub(crate) struct Decision {
    pub(crate) plan: Plan,
    /// The status once the plan has been carried out.
    pub(crate) status: Value,
    now: Timestamp,
}

impl Decision {
    /// What is decided in `world` now.
    pub(crate) fn on(world: &World) -> Self {
        let plan = world.plan();
        let patch = if plan.status.patch.is_null() { &json!({}) } else { &plan.status.patch };
        let status = apply_merge_patch(world.rollout(), patch)["status"].clone();
        Self { plan, status, now: world.now }
    }

    /// The requests but for the status, in order, as in `create r2, scale r1 10 to 8, delay r1 30`.
    pub(crate) fn requests(&self) -> String {
        let ops = self.plan.ops();
        let words = ops.flat_map(|op| op.purposes.iter().map(|purpose| self.words(op, purpose)));
        words.collect::<Vec<_>>().join(", ")
    }

    /// The requests that begin with `verb`.
    pub(crate) fn only(&self, verb: &str) -> String {
        let all = self.requests();
        all.split(", ").filter(|words| words.split(' ').next() == Some(verb)).collect::<Vec<_>>().join(", ")
    }

    fn words(&self, op: &Op, purpose: &Purpose) -> String {
        let name = short(&op.name);
        match purpose {
            Purpose::DefaultReplicas(size) => format!("default replicas {size}"),
            Purpose::RecordRevision(number) => format!("revision {number}"),
            Purpose::RecordWorkload(generation) => format!("workload generation {generation}"),
            Purpose::ScaleWorkload { from, to } => format!("scale workload {name} {from} to {to}"),
            Purpose::AdoptReplicaSet => format!("adopt {name}"),
            Purpose::CreateReplicaSet | Purpose::CreateJob => format!("create {name}"),
            Purpose::SyncReplicaSet => format!("sync {name}"),
            Purpose::ScaleReplicaSet { from, to } => format!("scale {name} {from} to {to}"),
            Purpose::DelayScaleDown(time) => format!("delay {name} {}", self.seconds_to(*time)),
            Purpose::KeepReplicaSet => format!("keep {name}"),
            Purpose::DeleteReplicaSet | Purpose::DeleteExpired | Purpose::DeleteJob => {
                format!("delete {name}")
            }
            Purpose::LabelReplicaSet | Purpose::LabelPod => format!("label {name}"),
            Purpose::EvictPod => format!("evict {name}"),
            Purpose::PointService { from, to } => format!("point {name} {} to {}", short(from), short(to)),
            Purpose::ReleaseService => format!("release {name}"),
            Purpose::Route { weight } => format!("route {weight}"),
        }
    }

    fn seconds_to(&self, time: Timestamp) -> i64 {
        time.duration_since(self.now).as_secs()
    }

    /// In how many seconds to look again, if a time is set.
    pub(crate) fn wakes_in(&self) -> Option<i64> {
        match self.plan.wake {
            Wake::At(time) => Some(self.seconds_to(time)),
            Wake::OnChange => None,
        }
    }

    /// What is sent about an object: the body of its creation, or its patch; null if nothing is.
    pub(crate) fn sent(&self, name: &str) -> Value {
        let op = self.plan.ops().find(|op| short(&op.name) == name);
        match op.map(|op| &op.action) {
            Some(Action::Create { body }) => body.clone(),
            Some(Action::Patch { patch, .. }) => patch.clone(),
            Some(Action::Delete { .. } | Action::Evict { .. }) | None => Value::Null,
        }
    }

    /// The Events, as in `RolloutPaused: Rollout is paused (CanaryPauseStep)`, those of the status last.
    pub(crate) fn events(&self) -> Vec<String> {
        let stages = self.plan.stages.iter();
        let of_stages = stages.flat_map(|s| s.ops.iter().flat_map(|op| &op.events).chain(&s.events));
        let all = self.plan.status.first.iter().chain(of_stages).chain(&self.plan.status.events);
        all.map(|event| short(&format!("{}: {}", event.reason, event.message))).collect()
    }

    /// A condition, as in `True NewReplicaSetAvailable`, nothing if it is not there.
    pub(crate) fn condition(&self, kind: &str) -> String {
        let mut text = String::new();
        let conditions = self.status["conditions"].as_array().into_iter().flatten();
        for condition in conditions.filter(|condition| condition["type"] == kind) {
            let field = |name: &str| condition[name].as_str().unwrap_or_default().to_owned();
            write!(text, "{} {}", field("status"), field("reason")).unwrap();
        }
        text
    }

    /// Phase and message, as in `Paused: CanaryPauseStep`.
    pub(crate) fn phase(&self) -> String {
        let phase = self.status["phase"].as_str().unwrap_or_default();
        match self.status["message"].as_str() {
            Some(message) => short(&format!("{phase}: {message}")),
            None => phase.to_owned(),
        }
    }

    /// The reasons of the pauses, separated by blanks.
    pub(crate) fn pauses(&self) -> String {
        let pauses = self.status["pauseConditions"].as_array().into_iter().flatten();
        pauses.filter_map(|pause| pause["reason"].as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl World {
    /// The sizes of the ReplicaSets, as in `r1 9, r2 1`.
    pub(crate) fn sizes(&self) -> String {
        let size = |rs: &Value| {
            format!("{} {}", short(rs["metadata"]["name"].as_str().unwrap()), rs["spec"]["replicas"])
        };
        let mut all: Vec<String> = self.all(ObjectKind::ReplicaSet).map(size).collect();
        all.sort();
        all.join(", ")
    }

    /// The revision that a Service selects, as in `r1`; empty if it selects none.
    pub(crate) fn selected(&self, service: &str) -> String {
        let service = self.get(ObjectKind::Service, service).expect("a Service");
        short(service["spec"]["selector"][keys::POD_HASH_LABEL].as_str().unwrap_or_default())
    }

    /// The weight that ingress-nginx is told; empty as long as it is told nothing.
    pub(crate) fn weight(&self) -> String {
        let ingress = self.get(ObjectKind::Ingress, "demo-web-canary");
        let weight =
            ingress.map(|i| &i["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"]);
        weight.and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// A condition of a status, last changed so many seconds after the model's first moment.
pub(crate) fn condition(kind: &str, status: &str, reason: &str, seconds: i64) -> Value {
    let time = at(seconds);
    json!({
        "type": kind, "status": status, "reason": reason, "message": "as it was",
        "lastUpdateTime": time, "lastTransitionTime": time,
    })
}

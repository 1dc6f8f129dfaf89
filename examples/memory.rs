//! How much memory the caches of the controller take for each Rollout: `cargo run --release --example memory [ROLLOUTS]`.
//!
//! The caches are filled as the watches fill them, with canaries behind NGINX of one pod: each has two ReplicaSets, two
//! Services and two Ingresses. After that, each Rollout goes through two updates and an hour of news of its status, and
//! what is kept is counted again. Bytes are those that the allocator was asked for.

use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;
use serin_machine::caches::Caches;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The objects of a kind that a Rollout has.
type Objects = fn(&State) -> Vec<Value>;

/// The kinds that each Rollout has objects of.
const KINDS: [(ObjectKind, Objects); 5] = [
    (ObjectKind::Rollout, State::rollout),
    (ObjectKind::ReplicaSet, State::replica_sets),
    (ObjectKind::Service, State::services),
    (ObjectKind::Ingress, State::ingresses),
    (ObjectKind::Pod, State::pods),
];

/// How often the status of a Rollout changes in the hour.
const NEWS: usize = 60;

fn main() {
    let rollouts: usize = std::env::args().nth(1).map_or(1_000, |text| text.parse().expect("a number"));
    let caches = Caches::default();
    let mut version = 0;
    for (kind, objects) in KINDS {
        let before = bytes();
        for index in 0..rollouts {
            for object in objects(&State { index, update: 0 }) {
                show(&caches, kind, object, &mut version);
            }
        }
        println!("{:<12} {:>6} bytes a Rollout", kind.plural(), (bytes() - before) / rollouts);
    }
    let first = bytes();
    println!("{:<12} {:>6} bytes a Rollout", "all", first / rollouts);
    for update in 1..=2 {
        for (kind, objects) in KINDS {
            for index in 0..rollouts {
                for object in objects(&State { index, update }) {
                    show(&caches, kind, object, &mut version);
                }
            }
        }
    }
    for _ in 0..NEWS {
        for index in 0..rollouts {
            for object in (State { index, update: 2 }).rollout() {
                show(&caches, ObjectKind::Rollout, object, &mut version);
            }
        }
    }
    println!("{:<12} {:>6} bytes a Rollout, after two updates and an hour", "all", bytes() / rollouts);
}

/// What is allocated now.
fn bytes() -> usize {
    ALLOCATOR.current_usage()
}

/// A watch event.
fn show(caches: &Caches, kind: ObjectKind, mut object: Value, version: &mut u64) {
    *version += 1;
    object["metadata"]["resourceVersion"] = version.to_string().into();
    caches.of(kind).write().put(serde_json::from_value(object).expect("an object"));
}

/// The Rollout of that number after so many updates. A revision has the name of the one before the last, as ReplicaSets
/// come and go with a history limit.
struct State {
    index: usize,
    update: usize,
}

impl State {
    fn name(&self) -> String {
        format!("checkout-service-{:05}", self.index)
    }

    fn hash(revision: usize) -> String {
        format!("{:010}", revision % 2)
    }

    fn revision(&self, number: usize) -> String {
        format!("{}-{}", self.name(), Self::hash(number))
    }

    fn metadata(&self, name: &str) -> Value {
        json!({
            "name": name, "namespace": "shop", "uid": format!("0f8fad5b-d9cb-469f-a165-{name}"),
            "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 3,
            "labels": {"app": self.name(), "app.kubernetes.io/part-of": "shop"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x".repeat(1_500)},
            "managedFields": [{"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:spec": {}}}],
        })
    }

    fn owned(&self, name: &str, owner: &str, kind: &str, version: &str) -> Value {
        let mut metadata = self.metadata(name);
        metadata["ownerReferences"] = json!([{
            "apiVersion": version, "kind": kind, "name": owner, "uid": format!("0f8fad5b-d9cb-469f-a165-{owner}"),
            "controller": true, "blockOwnerDeletion": true,
        }]);
        metadata
    }

    fn template(&self, revision: usize) -> Value {
        json!({
            "metadata": {"labels": {"app": self.name()}},
            "spec": {"containers": [{
                "name": "checkout", "image": format!("registry.example.net/shop/checkout:{}", revision % 2),
                "imagePullPolicy": "IfNotPresent",
                "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
                "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "REGION", "value": "eu-central-1"}],
                "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
                "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}, "periodSeconds": 5},
            }]},
        })
    }

    fn rollout(&self) -> Vec<Value> {
        let name = self.name();
        let canary = json!({
            "canaryService": format!("{name}-canary"), "stableService": format!("{name}-stable"),
            "trafficRouting": {"nginx": {"stableIngress": name}},
            "steps": [{"setWeight": 20}, {"pause": {"duration": "5m"}}, {"setWeight": 50}, {"pause": {}}],
        });
        let spec = json!({
            "replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": self.template(self.update),
            "strategy": {"canary": canary},
        });
        let condition = |kind: &str| {
            json!({"type": kind, "status": "True", "reason": "NewReplicaSetAvailable", "message": "it is available",
                "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"})
        };
        let conditions = ["Progressing", "Available", "Healthy", "Completed"].map(condition);
        let hash = Self::hash(self.update);
        let status = json!({
            "phase": "Healthy", "replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1,
            "stableRS": hash, "currentPodHash": hash, "currentStepIndex": 4, "HPAReplicas": 1,
            "currentStepHash": "5f8d9f6b7d", "observedGeneration": "3", "selector": format!("app={name}"),
            "conditions": conditions, "canary": {"weights": {"canary": {"weight": 0}, "stable": {"weight": 100}}},
        });
        vec![json!({"metadata": self.metadata(&name), "spec": spec, "status": status})]
    }

    fn replica_sets(&self) -> Vec<Value> {
        let set = |number: usize| {
            let version = "argoproj.io/v1alpha1";
            let mut metadata = self.owned(&self.revision(number), &self.name(), "Rollout", version);
            metadata["labels"]["rollouts-pod-template-hash"] = Self::hash(number).into();
            let spec = json!({"replicas": 1, "template": self.template(number)});
            json!({"metadata": metadata, "spec": spec, "status": {"replicas": 1, "availableReplicas": 1}})
        };
        [self.update, self.update + 1].map(set).into()
    }

    fn services(&self) -> Vec<Value> {
        let service = |role: &str| {
            let selector = json!({"app": self.name(), "rollouts-pod-template-hash": Self::hash(self.update)});
            json!({"metadata": self.metadata(&format!("{}-{role}", self.name())), "spec": {"selector": selector}})
        };
        ["canary", "stable"].map(service).into()
    }

    fn ingresses(&self) -> Vec<Value> {
        let name = self.name();
        let ingress = |suffix: &str| {
            let backend = json!({"service": {"name": format!("{name}-stable"), "port": {"number": 80}}});
            let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
            let rule = json!({"host": format!("{name}.example.net"), "http": {"paths": [path]}});
            let spec = json!({"ingressClassName": "nginx", "rules": [rule]});
            json!({"metadata": self.metadata(&format!("{name}{suffix}")), "spec": spec})
        };
        ["", "-canary"].map(ingress).into()
    }

    fn pods(&self) -> Vec<Value> {
        let owner = self.revision(self.update);
        let mut metadata = self.owned(&format!("{}-abcde", self.name()), &owner, "ReplicaSet", "apps/v1");
        metadata["labels"]["rollouts-pod-template-hash"] = Self::hash(self.update).into();
        vec![json!({"metadata": metadata})]
    }
}

//! Situations that a cluster of tests does not come to, made of recordings.

use serde_json::{Value, json};

use super::offline::saved;
use crate::recorded::recordings;

/// Saved objects, what is waited for, and a part of what is said.
pub(super) type Situation = (Value, &'static str, &'static str);

/// All of them.
pub(super) fn situations() -> Vec<Situation> {
    [of_objects(), of_controllers(), of_pods()].concat()
}

/// The object of that kind whose name contains `part`.
pub(super) fn object<'a>(saved: &'a mut Value, kind: &str, part: &str) -> &'a mut Value {
    let items = saved["items"].as_array_mut().expect("items").iter_mut();
    let mut found = items.filter(|one| one["kind"] == kind);
    found
        .find(|one| one["metadata"]["name"].as_str().is_some_and(|name| name.contains(part)))
        .expect("an object")
}

/// The recording of that name, saved, after a change.
pub(super) fn changed(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let recordings = recordings();
    let mut saved = saved(recordings.iter().find(|one| one.name == name).expect("a recording"));
    change(&mut saved);
    saved
}

/// The stable revision of a settled Rollout has one available pod less, which is like this.
fn with_pod(status: &Value) -> Value {
    changed("basic-create", |saved| {
        let set = object(saved, "ReplicaSet", "");
        set["status"]["availableReplicas"] = 1.into();
        set["status"]["readyReplicas"] = 1.into();
        object(saved, "Pod", "")["status"] = status.clone();
    })
}

pub(super) fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let time = "2026-11-21T02:28:30Z";
    json!({
        "type": kind, "status": status, "reason": reason, "message": message, "lastUpdateTime": time,
        "lastTransitionTime": time,
    })
}

pub(super) fn lease(name: &str, holder: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name, "namespace": "ops"},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15, "renewTime": "2026-11-21T02:20:00.000000Z"},
    })
}

pub(super) fn container(state: &Value) -> Value {
    json!({"containerStatuses": [
        {"name": "demo", "image": "a", "imageID": "", "ready": false, "restartCount": 0, "state": state},
    ]})
}

fn of_objects() -> Vec<Situation> {
    let metadata =
        |saved: &mut Value, key: &str, value: Value| object(saved, "Rollout", "")["metadata"][key] = value;
    vec![
        (
            changed("basic-create", |saved| {
                metadata(saved, "deletionTimestamp", "2026-11-21T02:28:35Z".into());
                metadata(saved, "finalizers", json!(["shop.example/keep"]));
            }),
            "deletion",
            "stays until these finalizers are gone: shop.example/keep.",
        ),
        (
            changed("basic-create", |saved| object(saved, "Rollout", "")["spec"]["replicas"] = "x".into()),
            "readableRollout",
            "cannot read the Rollout: spec.replicas: invalid type: string \"x\", expected i32.",
        ),
        (
            changed("nginx-steps", |saved| {
                object(saved, "Ingress", "canary")["metadata"]["ownerReferences"] = Value::Null;
            }),
            "router",
            "The router cannot be configured: ",
        ),
        (
            changed("basic-create", |saved| {
                let said = "The API server refused a write of Service stable: quota";
                let conditions = &mut object(saved, "Rollout", "")["status"]["conditions"];
                let blocked = condition("Blocked", "True", "Forbidden", said);
                conditions.as_array_mut().expect("conditions").push(blocked);
            }),
            "acceptedWrite",
            "The API server refused a write of Service stable: quota. Correct the cause that it names; the controller retries",
        ),
    ]
}

/// A Rollout that was changed and not looked at since, after another change.
fn unobserved(change: impl FnOnce(&mut Value)) -> Value {
    changed("basic-create", |saved| {
        object(saved, "Rollout", "")["metadata"]["generation"] = 99.into();
        change(saved);
    })
}

fn of_controllers() -> Vec<Situation> {
    let add = |saved: &mut Value, one: Value| saved["items"].as_array_mut().expect("items").push(one);
    vec![
        (
            unobserved(|saved| {
                add(saved, lease("argo-rollouts-controller-lock", "old-node_1"));
            }),
            "controller",
            "generation 99 of the Rollout yet: the last controller, old-node_1, no longer renews Lease \
             ops/argo-rollouts-controller-lock. Start a controller",
        ),
        (
            unobserved(|saved| {
                add(saved, lease("argo-rollouts-controller-lock", ""));
            }),
            "controller",
            "no controller holds Lease ops/argo-rollouts-controller-lock.",
        ),
        (
            unobserved(|saved| {
                saved["explain"]["unread"] = json!({"leases": "jane may not"});
            }),
            "controller",
            "and Leases are not readable, so it is unknown if one runs.",
        ),
    ]
}

fn of_pods() -> Vec<Situation> {
    vec![
        (
            with_pod(&json!({"conditions": [
                condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available: too little memory"),
            ]})),
            "pod",
            "cannot be scheduled: 0/3 nodes are available: too little memory.",
        ),
        (
            with_pod(&container(&json!({"waiting": {
                "reason": "CreateContainerConfigError", "message": "secret \"key\" not found",
            }}))),
            "pod",
            "cannot start container demo: CreateContainerConfigError: secret \"key\" not found.",
        ),
        (
            with_pod(&container(&json!({"running": {}}))),
            "podsReady",
            "has 1 of 2 pods available. Container demo of Pod ",
        ),
        (
            with_pod(&container(&json!({"waiting": {"reason": "ContainerCreating"}}))),
            "podsReady",
            "is starting.",
        ),
        (
            changed("basic-create", |saved| {
                object(saved, "ReplicaSet", "")["status"]["observedGeneration"] = 0.into();
            }),
            "replicaSetController",
            "check that kube-controller-manager runs",
        ),
        (
            changed("restart", |saved| {
                object(saved, "Rollout", "")["spec"]["restartAt"] = "2026-11-21T02:30:49Z".into();
                object(saved, "Pod", "")["metadata"]["deletionTimestamp"] = "2026-11-21T02:31:20Z".into();
            }),
            "restart",
            "The restart continues: 1 pod not replaced yet, 0 starting.",
        ),
        (
            changed("basic-promote-full", |saved| {
                let old = object(saved, "ReplicaSet", "demo-6c89d8f565");
                old["status"]["replicas"] = 1.into();
            }),
            "podsEnded",
            "Old pods are terminating: 1 pod left (ReplicaSet demo-6c89d8f565).",
        ),
        (
            changed("deadline-abort", |saved| {
                let conditions = object(saved, "Rollout", "")["status"]["conditions"].as_array_mut();
                for progressing in conditions.into_iter().flatten().filter(|one| one["type"] == "Progressing")
                {
                    progressing["message"] = "Rollout aborted update to revision 2: it has timed out.".into();
                }
            }),
            "retry",
            "The update was aborted: it has timed out. The stable revision 6c89d8f565 serves",
        ),
    ]
}

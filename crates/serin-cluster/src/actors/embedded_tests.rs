//! The actors and the kubelet on the embedded API, within one process and without sockets.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

use super::{ActorName, run};
use crate::api::store::{Settings, Store};
use crate::http::Front;
use crate::kubelet::{self, KubeletSettings};
use serin_clock::{self as clock, Clock};

/// A cluster at work; it ends with the test.
fn cluster() -> Client {
    let store = Store::new(&Settings::default(), Clock::System.now());
    let client = Front::new(store, Clock::System).client("default");
    let fast = Duration::from_millis(20);
    let settings = KubeletSettings { start_latency: fast, drain: fast, ..KubeletSettings::default() };
    tokio::spawn(kubelet::run(client.clone(), settings, Clock::System));
    tokio::spawn(run(client.clone(), ActorName::all(), Clock::System));
    client
}

fn api(client: &Client, kind: &str, namespace: &str) -> Api<DynamicObject> {
    let (group, kind) = kind.rsplit_once('/').unwrap_or(("", kind));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    if namespace.is_empty() {
        return Api::all_with(client.clone(), &resource);
    }
    Api::namespaced_with(client.clone(), namespace, &resource)
}

async fn create(client: &Client, kind: &str, namespace: &str, name: &str, mut object: Value) {
    let (group, short) = kind.rsplit_once('/').unwrap_or(("", kind));
    object["apiVersion"] = if group.is_empty() { "v1".into() } else { format!("{group}/v1").into() };
    object["kind"] = short.into();
    object["metadata"]["name"] = name.into();
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api(client, kind, namespace).create(&PostParams::default(), &object).await.unwrap();
}

/// Waits until `holds` of all objects of a kind.
async fn until(client: &Client, kind: &str, namespace: &str, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let mut seen = Vec::new();
    for _ in 0..200 {
        let list = api(client, kind, namespace).list(&ListParams::default()).await.unwrap();
        seen = list.items.iter().map(|item| serde_json::to_value(item).unwrap()).collect();
        if holds(&seen) {
            return seen;
        }
        clock::sleep(Duration::from_millis(25)).await;
    }
    panic!("{kind} in {namespace}: {seen:#?}");
}

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "rollouts-demo:blue"}]}})
}

fn workload(replicas: u32) -> Value {
    json!({"spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template()}})
}

#[tokio::test]
async fn a_replica_set_gets_its_pods_and_loses_them_with_itself() {
    let client = cluster();
    create(&client, "apps/ReplicaSet", "default", "web", workload(3)).await;
    let ready = |sets: &[Value]| sets[0]["status"]["availableReplicas"] == 3;
    let sets = until(&client, "apps/ReplicaSet", "default", ready).await;
    assert_eq!(
        (&sets[0]["status"]["replicas"], &sets[0]["status"]["observedGeneration"]),
        (&json!(3), &json!(1))
    );
    let sets = api(&client, "apps/ReplicaSet", "default");
    let patch = Patch::Merge(json!({"spec": {"replicas": 1}}));
    sets.patch("web", &PatchParams::default(), &patch).await.unwrap();
    until(&client, "Pod", "default", |pods| pods.len() == 1).await;
    sets.delete("web", &DeleteParams::default()).await.unwrap();
    until(&client, "Pod", "default", <[Value]>::is_empty).await;
    let events = until(&client, "Event", "default", |events| events.len() >= 5).await;
    let created = events.iter().filter(|event| event["reason"] == "SuccessfulCreate").count();
    assert_eq!(created, 3);
}

#[tokio::test]
async fn a_deployment_behind_a_service_has_endpoints_and_a_budget() {
    let client = cluster();
    let service = json!({"spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}});
    create(&client, "Service", "default", "web", service).await;
    let budget = json!({"spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}});
    create(&client, "policy/PodDisruptionBudget", "default", "web", budget).await;
    create(&client, "apps/Deployment", "default", "web", workload(2)).await;
    let complete = |all: &[Value]| {
        all[0]["status"]["availableReplicas"] == 2 && all[0]["status"]["updatedReplicas"] == 2
    };
    until(&client, "apps/Deployment", "default", complete).await;
    let full = |all: &[Value]| {
        let web = all.iter().find(|one| one["metadata"]["name"] == "web");
        web.is_some_and(|web| web["subsets"][0]["addresses"].as_array().is_some_and(|some| some.len() == 2))
    };
    until(&client, "Endpoints", "default", full).await;
    let sliced = |all: &[Value]| {
        all.iter().any(|slice| {
            slice["endpoints"].as_array().is_some_and(|endpoints| {
                endpoints.len() == 2 && endpoints.iter().all(|one| one["conditions"]["ready"] == true)
            })
        })
    };
    until(&client, "discovery.k8s.io/EndpointSlice", "default", sliced).await;
    let allowed = |all: &[Value]| all[0]["status"]["disruptionsAllowed"] == 1;
    until(&client, "policy/PodDisruptionBudget", "default", allowed).await;
}

#[tokio::test]
async fn a_job_runs_to_its_end() {
    let client = cluster();
    let pod = json!({"spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "busybox", "command": ["true"]}]}});
    create(
        &client,
        "batch/Job",
        "default",
        "sum",
        json!({"spec": {"completions": 2, "parallelism": 2, "template": pod}}),
    )
    .await;
    let ended = |jobs: &[Value]| {
        let conditions = jobs[0]["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|one| one["type"] == "Complete" && one["status"] == "True")
    };
    let jobs = until(&client, "batch/Job", "default", ended).await;
    assert_eq!(jobs[0]["status"]["succeeded"], 2);
}

#[tokio::test]
async fn a_namespace_is_furnished_and_vanishes_with_its_contents() {
    let client = cluster();
    create(&client, "Namespace", "", "shop", json!({})).await;
    until(&client, "ServiceAccount", "shop", |all| {
        all.iter().any(|one| one["metadata"]["name"] == "default")
    })
    .await;
    until(&client, "ConfigMap", "shop", |all| all.len() == 1).await;
    create(&client, "apps/ReplicaSet", "shop", "web", workload(2)).await;
    until(&client, "Pod", "shop", |pods| pods.len() == 2).await;
    api(&client, "Namespace", "").delete("shop", &DeleteParams::default()).await.unwrap();
    until(&client, "Namespace", "", |all| all.iter().all(|one| one["metadata"]["name"] != "shop")).await;
    assert!(
        Api::<Pod>::namespaced(client, "shop").list(&ListParams::default()).await.unwrap().items.is_empty()
    );
}

#[tokio::test]
async fn propagation_policies_are_carried_out() {
    let client = cluster();
    create(&client, "apps/ReplicaSet", "default", "web", workload(1)).await;
    until(&client, "Pod", "default", |pods| pods.len() == 1).await;
    let sets = api(&client, "apps/ReplicaSet", "default");
    sets.delete("web", &DeleteParams::orphan()).await.unwrap();
    until(&client, "apps/ReplicaSet", "default", <[Value]>::is_empty).await;
    let pods = until(&client, "Pod", "default", |pods| pods.len() == 1).await;
    assert!(pods[0]["metadata"]["ownerReferences"].as_array().is_none_or(Vec::is_empty));
    create(&client, "apps/ReplicaSet", "default", "web", workload(1)).await;
    let uid = sets.get("web").await.unwrap().uid().unwrap();
    until(&client, "Pod", "default", |pods| pods[0]["metadata"]["ownerReferences"][0]["uid"] == uid).await;
    sets.delete("web", &DeleteParams::foreground()).await.unwrap();
    until(&client, "apps/ReplicaSet", "default", <[Value]>::is_empty).await;
    until(&client, "Pod", "default", <[Value]>::is_empty).await;
}

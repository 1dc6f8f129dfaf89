//! The kubelet actor against a real API server, which accepts or refuses what it writes.

use std::time::Duration;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::support::{cluster, eventually};

const SOON: Duration = Duration::from_secs(20);

/// A pod with one container `c` of `container`, and with `spec` over it.
fn pod(name: &str, container: &Value, spec: &Value) -> Pod {
    let mut whole = json!({"name": "c", "image": "demo:blue"});
    whole.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let mut value = json!({"metadata": {"name": name}, "spec": {"containers": [whole]}});
    value["spec"].as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
    serde_json::from_value(value).unwrap()
}

async fn pods(prefix: &str) -> Option<(Client, String, Api<Pod>)> {
    let plane = &cluster().await?.plane;
    let namespace = plane.namespace(prefix).await.unwrap();
    let client = plane.client().await.unwrap();
    let pods = Api::namespaced(client.clone(), &namespace);
    Some((client, namespace, pods))
}

async fn until(pods: &Api<Pod>, name: &str, what: &str, is_so: impl Fn(&PodStatus) -> bool) -> PodStatus {
    eventually(&format!("{name}: {what}"), SOON, async || {
        pods.get(name).await.unwrap().status.filter(|status| is_so(status))
    })
    .await
}

fn condition<'a>(status: &'a PodStatus, kind: &str) -> Option<&'a str> {
    let found = status.conditions.iter().flatten().find(|condition| condition.type_ == kind)?;
    Some(&found.status)
}

fn is_ready(status: &PodStatus) -> bool {
    condition(status, "Ready") == Some("True")
}

fn waits_for(status: &PodStatus) -> Option<&str> {
    status.container_statuses.as_ref()?.first()?.state.as_ref()?.waiting.as_ref()?.reason.as_deref()
}

#[tokio::test]
async fn pods_become_ready_when_their_spec_says() {
    let Some((_, _, pods)) = pods("ready").await else {
        return;
    };
    let probe = json!({"readinessProbe": {"httpGet": {"port": 80}, "initialDelaySeconds": 2}});
    let gate = json!({"readinessGates": [{"conditionType": "example.com/open"}]});
    for pod in [pod("probed", &probe, &json!({})), pod("gated", &json!({}), &gate)] {
        pods.create(&PostParams::default(), &pod).await.unwrap();
    }

    let status = until(&pods, "probed", "runs", |status| status.phase.as_deref() == Some("Running")).await;
    assert!(!is_ready(&status), "the probe's delay is not over");
    until(&pods, "probed", "is ready", is_ready).await;

    let status =
        until(&pods, "gated", "runs", |status| condition(status, "ContainersReady") == Some("True")).await;
    assert!(!is_ready(&status), "the gate is closed");
    let open = json!({"status": {"conditions": [{"type": "example.com/open", "status": "True"}]}});
    pods.patch_status("gated", &PatchParams::default(), &Patch::Strategic(open)).await.unwrap();
    let status = until(&pods, "gated", "is ready", is_ready).await;
    assert_eq!(condition(&status, "example.com/open"), Some("True"));
}

#[tokio::test]
async fn bad_pods_wait() {
    let Some((_, _, pods)) = pods("bad").await else {
        return;
    };
    let bad = [("crash", json!({"command": ["/bad-command"]})), ("pull", json!({"image": "demo:error"}))];
    for (name, container) in &bad {
        pods.create(&PostParams::default(), &pod(name, container, &json!({}))).await.unwrap();
    }
    until(&pods, "crash", "crash-loops", |status| waits_for(status) == Some("CrashLoopBackOff")).await;
    until(&pods, "pull", "fails", |status| waits_for(status) == Some("ErrImagePull")).await;
    let status =
        until(&pods, "pull", "backs off", |status| waits_for(status) == Some("ImagePullBackOff")).await;
    assert_eq!(status.phase.as_deref(), Some("Pending"));
}

#[tokio::test]
async fn jobs_succeed_fail_and_can_be_deleted() {
    let Some((client, namespace, pods)) = pods("jobs").await else {
        return;
    };
    let jobs = Api::<Job>::namespaced(client, &namespace);
    let commands = [("works", "sleep 1"), ("fails", "exit 7"), ("lasts", "sleep 1h")];
    for (name, script) in commands {
        let job = serde_json::from_value(json!({
            "metadata": {"name": name},
            "spec": {"backoffLimit": 0, "template": {"spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "c", "image": "busybox", "command": ["sh", "-c", script]}],
            }}},
        }));
        jobs.create(&PostParams::default(), &job.unwrap()).await.unwrap();
    }
    for (name, outcome) in [("works", "Complete"), ("fails", "Failed")] {
        eventually(&format!("job {name}: {outcome}"), SOON, async || {
            let status = jobs.get(name).await.unwrap().status?;
            status.conditions?.iter().any(|it| it.type_ == outcome && it.status == "True").then_some(())
        })
        .await;
    }
    let running =
        eventually("the third job runs", SOON, async || jobs.get("lasts").await.unwrap().status?.ready).await;
    assert_eq!(running, 1);
    jobs.delete("lasts", &DeleteParams::background()).await.unwrap();
    eventually("its pod is gone, with the job controller's finalizer", SOON, async || {
        let left = pods.list(&kube::api::ListParams::default().labels("job-name=lasts")).await.unwrap();
        left.items.is_empty().then_some(())
    })
    .await;
}

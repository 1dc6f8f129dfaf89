//! The stage itself: what later tests take for granted.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, ListParams, PostParams};
use serde_json::json;

use crate::support::{cluster, eventually};

fn deployment(name: &str, replicas: i32) -> Deployment {
    let labels = json!({"app": name});
    serde_json::from_value(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": "argoproj/rollouts-demo:blue"}]},
            },
        },
    }))
    .unwrap()
}

#[tokio::test]
async fn control_plane_works() {
    let Some(cluster) = cluster().await else { return };
    let plane = &cluster.plane;
    eprintln!("ready after {:?}", plane.ready_after().await);
    let namespace = plane.namespace("works").await.unwrap();
    let client = plane.client().await.unwrap();
    let deployments = Api::<Deployment>::namespaced(client.clone(), &namespace);
    let pods = Api::<Pod>::namespaced(client, &namespace);

    deployments
        .create(&PostParams::default(), &deployment("web", 2))
        .await
        .unwrap();
    eventually("2 replicas are available", Duration::from_secs(30), async || {
        let status = deployments.get_status("web").await.unwrap().status?;
        (status.available_replicas == Some(2)).then_some(())
    })
    .await;
    for pod in pods.list(&ListParams::default()).await.unwrap() {
        let status = pod.status.unwrap();
        assert_eq!(status.phase.as_deref(), Some("Running"));
        assert!(status.pod_ip.unwrap().starts_with("10.244."));
        assert_eq!(status.container_statuses.unwrap()[0].restart_count, 0);
    }

    deployments
        .delete("web", &DeleteParams::background())
        .await
        .unwrap();
    eventually(
        "the pods drain, still there with a deletion timestamp",
        Duration::from_secs(10),
        async || {
            let list = pods.list(&ListParams::default()).await.unwrap();
            (list.items.len() == 2 && list.iter().all(|pod| pod.metadata.deletion_timestamp.is_some()))
                .then_some(())
        },
    )
    .await;
    eventually("the pods are gone", Duration::from_secs(10), async || {
        pods.list(&ListParams::default())
            .await
            .unwrap()
            .items
            .is_empty()
            .then_some(())
    })
    .await;
    for server in plane.reports().await {
        let megabytes = server.resident_bytes.unwrap_or(0) / 1_000_000;
        eprintln!("{}: {megabytes} MB", server.name);
    }
}

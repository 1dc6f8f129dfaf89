//! The stage itself: what later tests take for granted.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Secret};
use kube::Error;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::discovery::ApiResource;
use serde_json::json;
use serin_testbed::resident_bytes;

use crate::support::{cluster, eventually, own_plane};

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

    deployments.create(&PostParams::default(), &deployment("web", 2)).await.unwrap();
    eventually("2 replicas are available", Duration::from_secs(30), async || {
        let status = deployments.get_status("web").await.unwrap().status?;
        (status.available_replicas == Some(2)).then_some(())
    })
    .await;
    for pod in pods.list(&ListParams::default()).await.unwrap() {
        let status = pod.status.unwrap();
        assert_eq!(status.phase.as_deref(), Some("Running"));
        assert!(plane.is_borrowed() || status.pod_ip.unwrap().starts_with("10.244."));
        assert_eq!(status.container_statuses.unwrap()[0].restart_count, 0);
    }

    deployments.delete("web", &DeleteParams::background()).await.unwrap();
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
        pods.list(&ListParams::default()).await.unwrap().items.is_empty().then_some(())
    })
    .await;
    for server in plane.reports().await {
        let megabytes = server.resident_bytes.unwrap_or(0) / 1_000_000;
        eprintln!("{}: {megabytes} MB", server.name);
    }
}

#[tokio::test]
async fn the_user_serin_may_do_what_deploy_grants_and_is_recorded() {
    let Some(cluster) = cluster().await else { return };
    let plane = &cluster.plane;
    if plane.is_borrowed() {
        return;
    }
    let namespace = plane.namespace("rights").await.unwrap();
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "web", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {"canary": {}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "demo:blue"}]},
            },
        },
    });
    let applied = plane.apply(&rollout.to_string()).await.unwrap();
    assert_eq!(applied, ["rollout.argoproj.io/web"]);

    let serin = plane.serin_client().await.unwrap();
    let kind = ApiResource {
        group: "argoproj.io".into(),
        version: "v1alpha1".into(),
        api_version: "argoproj.io/v1alpha1".into(),
        kind: "Rollout".into(),
        plural: "rollouts".into(),
    };
    let rollouts = Api::<DynamicObject>::namespaced_with(serin.clone(), &namespace, &kind);
    let status = Patch::Merge(json!({"status": {"phase": "Progressing"}}));
    rollouts.patch_status("web", &PatchParams::default(), &status).await.unwrap();
    let secrets = Api::<Secret>::namespaced(serin, &namespace).list(&ListParams::default()).await;
    assert!(matches!(secrets, Err(Error::Api(status)) if status.code == 403));

    let ours: Vec<_> =
        plane.audit().unwrap().into_iter().filter(|entry| entry.namespace == namespace).collect();
    let seen: Vec<_> = ours
        .iter()
        .map(|entry| (entry.verb.as_str(), entry.resource.as_str(), entry.subresource.as_str(), entry.code))
        .collect();
    assert_eq!(seen, [("patch", "rollouts", "status", 200), ("list", "secrets", "", 403)]);
    assert_eq!(ours[0].name, "web");
    assert!(ours[0].is_write() && !ours[1].is_write());
}

#[tokio::test]
async fn the_api_server_can_go_away_and_come_back() {
    // One of its own, since the other tests need theirs.
    let Some(plane) = own_plane().await else { return };
    let maps = Api::<ConfigMap>::namespaced(plane.client().await.unwrap(), "default");
    let map = ConfigMap {
        metadata: kube::api::ObjectMeta { name: Some("kept".into()), ..Default::default() },
        ..Default::default()
    };
    maps.create(&PostParams::default(), &map).await.unwrap();
    plane.stop_api_server().await.unwrap();
    assert!(maps.get("kept").await.is_err());
    plane.start_api_server().await.unwrap();
    maps.get("kept").await.unwrap();

    let directory = plane.directory().to_owned();
    let servers = plane.reports().await;
    assert_eq!(servers.len(), 3);
    drop(plane);
    assert!(!directory.exists());
    for server in servers {
        assert_eq!(resident_bytes(server.id), None, "{} is gone", server.name);
    }
}

#[tokio::test]
async fn kubectl_speaks_for_itself() {
    let Some(cluster) = cluster().await else { return };
    let output = cluster.plane.kubectl(&["get", "deployment", "absent"]).await.unwrap();
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("NotFound"), "{}", output.stderr);
    let failed = output.success().unwrap_err().to_string();
    assert!(failed.contains("NotFound"), "{failed}");
}

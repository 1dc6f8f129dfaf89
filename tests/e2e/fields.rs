//! Fields whose effect an API server has a part in: what it makes of an anti-affinity, and Services that take turns.

use std::time::Duration;

use serde_json::{Value, json};
use serin_core::api::keys;

use crate::rollouts::{Stage, controller};
use crate::support::cluster;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// A Rollout of two pods that stops once in the middle, its strategy with `fields` beside the steps.
fn rollout(name: &str, fields: &Value) -> Value {
    let labels = json!({"app": name});
    let mut canary = fields.clone();
    canary["steps"] = json!([{"setWeight": 50}, {"pause": {}}]);
    let spec = json!({
        "replicas": 2,
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
        "strategy": {"canary": canary},
    });
    json!({"apiVersion": keys::API_VERSION, "kind": "Rollout", "metadata": {"name": name}, "spec": spec})
}

/// The anti-affinity of the ReplicaSet of a revision.
async fn anti_affinity(stage: &Stage<'_>, revision: i64) -> Value {
    stage.replica_sets().await[&revision]["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"].clone()
}

/// Waits until the Rollout is like that, after which nothing of its ReplicaSets is written any more.
async fn settles(stage: &Stage<'_>, view: &str) {
    stage.stays(Duration::from_secs(2), view).await;
    let generations = async || -> Vec<_> {
        stage.replica_sets().await.values().map(|set| set["metadata"]["generation"].clone()).collect()
    };
    let before = generations().await;
    stage.stays(Duration::from_secs(2), view).await;
    assert_eq!(generations().await, before);
}

#[tokio::test]
async fn an_anti_affinity_is_written_once_and_taken_away_once() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "required").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    for (name, list, affinity) in [
        ("required", REQUIRED, json!({REQUIRED: {}})),
        ("preferred", PREFERRED, json!({PREFERRED: {"weight": 9}})),
    ] {
        let stage = stage.beside(name);
        stage.apply(&rollout(name, &json!({"antiAffinity": affinity}))).await;
        stage.wait_healthy().await;
        stage.set_image("demo:green").await;
        settles(&stage, "Paused: CanaryPauseStep, step 1\npods r1=1 r2=1").await;
        let first = &stage.replica_sets().await[&1]["metadata"]["labels"][keys::POD_HASH_LABEL];
        let found = anti_affinity(&stage, 2).await;
        let term = if list == REQUIRED { &found[list][0] } else { &found[list][0]["podAffinityTerm"] };
        let expression = json!({"key": keys::POD_HASH_LABEL, "operator": "In", "values": [first]});
        assert_eq!(term["labelSelector"], json!({"matchExpressions": [expression]}), "{found}");
        assert_eq!(term["namespaces"], json!([stage.namespace]));

        stage.promote().await;
        settles(&stage, "Healthy, step 2\npods r1=0 r2=2").await;
        assert_eq!(anti_affinity(&stage, 2).await, Value::Null);
    }
}

#[tokio::test]
async fn two_services_take_turns() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "turns").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    for name in ["ping", "pong"] {
        let spec = json!({"selector": {"app": "turns"}, "ports": [{"port": 80}]});
        stage
            .apply(&json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}))
            .await;
    }
    stage
        .apply(&rollout("turns", &json!({"pingPong": {"pingService": "ping", "pongService": "pong"}})))
        .await;
    let side = async || stage.rollout().await["status"]["canary"]["stablePingPong"].take();
    stage.shows("Healthy, step 2\npods r1=2\nping -> r1\npong -> all").await;
    assert_eq!(side().await, "ping");
    stage.set_image("demo:green").await;
    stage.shows("Paused: CanaryPauseStep, step 1\npods r1=1 r2=1\nping -> r1\npong -> r2").await;
    stage.promote().await;
    stage.shows("Healthy, step 2\npods r1=0 r2=2\nping -> r1\npong -> r2").await;
    assert_eq!(side().await, "pong");
    stage.set_image("demo:red").await;
    stage.shows("Paused: CanaryPauseStep, step 1\npods r1=0 r2=1 r3=1\nping -> r3\npong -> r2").await;
}

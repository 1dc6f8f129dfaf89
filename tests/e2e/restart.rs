//! A restart, with evictions that a real API server allows or refuses.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use serin_clock as clock;
use tokio::time::Instant;

use crate::rollouts::{SOON, Stage, controller};
use crate::support::cluster;

/// Four pods that take a moment to become ready, of which three may be missing; a quarter is updated, then it pauses.
fn rollout(name: &str) -> Value {
    let labels = json!({"app": name});
    let probe = json!({"httpGet": {"port": 80}, "initialDelaySeconds": 3});
    let container = json!({"name": "web", "image": "demo:blue", "readinessProbe": probe});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            "strategy": {"canary": {"maxUnavailable": "75%", "steps": [{"setWeight": 25}, {"pause": {}}]}},
        },
    })
}

/// A Rollout of that name at its pause, and the pods that it has then.
async fn paused(stage: &Stage<'_>) -> BTreeSet<String> {
    stage.apply(&rollout(&stage.name)).await;
    stage.wait_healthy().await;
    stage.set_image("demo:green").await;
    stage.shows("Paused: CanaryPauseStep, step 1\npods r1=3 r2=1").await;
    stage.pod_uids().await
}

/// Asks for a restart of all pods that are there now; times count in whole seconds.
async fn restart(stage: &Stage<'_>) {
    clock::sleep(Duration::from_millis(1_100)).await;
    let now = clock::Clock::System.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    stage.patch(&json!({"spec": {"restartAt": now}})).await;
}

#[tokio::test]
async fn a_restart_leaves_what_must_be_available() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "restarted").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    let old = paused(&stage).await;
    restart(&stage).await;
    let mut fewest = i64::MAX;
    let deadline = Instant::now() + SOON;
    loop {
        let rollout = stage.rollout().await;
        fewest = fewest.min(rollout["status"]["availableReplicas"].as_i64().unwrap_or(0));
        if rollout["status"]["restartedAt"].is_string() {
            break;
        }
        assert!(Instant::now() < deadline, "{:#}", rollout["status"]);
        clock::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(fewest, 1, "of four, three may be missing");
    assert!(stage.pod_uids().await.is_disjoint(&old), "every pod was replaced");
    stage.shows("Paused: CanaryPauseStep, step 1\npods r1=3 r2=1").await;
}

#[tokio::test]
async fn a_restart_waits_for_a_disruption_budget() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "guarded").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    let old = paused(&stage).await;
    let budget = json!({
        "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "all"},
        "spec": {"minAvailable": 4, "selector": {"matchLabels": {"app": "guarded"}}},
    });
    stage.apply(&budget).await;
    let counted = "--for=jsonpath={.status.currentHealthy}=4";
    stage.kubectl(&["wait", counted, "pdb/all", "--timeout=60s"]).await;
    restart(&stage).await;
    let blocked = stage.until_condition("Blocked").await;
    assert!(blocked.contains("a write of Pod") && blocked.contains("disruption budget"), "{blocked}");
    clock::sleep(Duration::from_secs(5)).await;
    let told = stage.events().await;
    let told = told.iter().filter(|it| it.contains("disruption budget")).count();
    assert_eq!(told, 1, "it is told once: {:#?}", stage.events().await);
    assert_eq!(stage.pod_uids().await, old, "no pod may be missing");
    assert_eq!(stage.rollout().await["status"]["restartedAt"], Value::Null);

    stage.kubectl(&["patch", "pdb", "all", "--type=merge", "-p", r#"{"spec":{"minAvailable":1}}"#]).await;
    let restarted = "--for=jsonpath={.status.restartedAt}";
    stage.kubectl(&["wait", restarted, "rollout/guarded", "--timeout=90s"]).await;
    assert!(stage.pod_uids().await.is_disjoint(&old));
    assert_eq!(stage.condition("Blocked").await, None);
}

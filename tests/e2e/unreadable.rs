//! A Rollout that the API server stores, but that is not what the kind's types say, beside one that works.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rollouts::{Stage, controller};
use crate::support::cluster;

/// A canary with one pod. `surge` is what makes it readable or not: the schema knows a number or a text, and does not
/// know how long a number may be.
fn rollout(name: &str, surge: &Value) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                         "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
            "strategy": {"canary": {"maxSurge": surge, "steps": [{"setWeight": 100}, {"pause": {}}]}},
        },
    })
}

#[tokio::test]
async fn one_rollout_that_cannot_be_read_harms_itself_alone() {
    let Some(cluster) = cluster().await else { return };
    let bad = Stage::new(&cluster.plane, "bad").await;
    let good = bad.beside("good");
    bad.apply(&rollout("bad", &json!(3_000_000_000_u32))).await;
    // It is there from the first list on.
    let _controller = controller(&cluster.plane, &bad.namespace);
    let message = bad.until_condition("InvalidSpec").await;
    assert_eq!(
        message,
        "The Rollout \"bad\" is invalid: spec.strategy.canary.maxSurge: invalid value: integer `3000000000`, expected a \
         32-bit integer"
    );
    let refused = format!("Degraded: InvalidSpec: {message}\npods");
    bad.shows(&refused).await;

    good.apply(&rollout("good", &json!(1))).await;
    good.wait_healthy().await;
    good.set_image("demo:green").await;
    good.shows("Paused: CanaryPauseStep, step 1\npods r1=0 r2=1").await;
    good.promote().await;
    good.shows("Healthy, step 2\npods r1=0 r2=1").await;
    bad.stays(Duration::from_secs(1), &refused).await;

    bad.patch(&json!({"spec": {"strategy": {"canary": {"maxSurge": "25%"}}}})).await;
    bad.wait_healthy().await;
    bad.shows("Healthy, step 2\npods r1=1").await;
    assert_eq!(bad.condition("InvalidSpec").await, None);

    // One that runs becomes unreadable: its pods stay.
    let running = bad.pod_uids().await;
    bad.patch(&json!({"spec": {"strategy": {"canary": {"maxSurge": 3_000_000_000_u32}}}})).await;
    bad.set_image("demo:green").await;
    assert_eq!(bad.until_condition("InvalidSpec").await, message);
    bad.stays(Duration::from_secs(2), &format!("Degraded: InvalidSpec: {message}, step 2\npods r1=1")).await;
    assert!(bad.pod_uids().await.is_superset(&running));
    bad.patch(&json!({"spec": {"strategy": {"canary": {"maxSurge": 1}}}})).await;
    bad.shows("Paused: CanaryPauseStep, step 1\npods r1=0 r2=1").await;
}

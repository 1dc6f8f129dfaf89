//! `kubectl wait` on the conditions of a Rollout, as scripts use it.

use serde_json::json;

use crate::rollouts::{Stage, controller, example};
use crate::support::cluster;

#[tokio::test]
async fn scripts_can_wait_for_conditions() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "myapp-rollout").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("canary-basic.yaml")).await;
    let until = async |condition: &str| {
        let condition = format!("--for=condition={condition}");
        stage.kubectl(&["wait", &condition, "rollout/myapp-rollout", "--timeout=60s"]).await;
    };
    until("Healthy=True").await;
    until("Completed").await;
    stage.set_image("argoproj/rollouts-demo:green").await;
    until("Paused").await;
    until("Healthy=False").await;
    until("Completed=False").await;
    let full = json!({"status": {"promoteFull": true}}).to_string();
    let args = ["patch", "rollout", "myapp-rollout", "--subresource=status", "--type=merge", "-p", &full];
    stage.kubectl(&args).await;
    until("Paused=False").await;
    until("Healthy").await;
    until("Available").await;
}

//! Controllers that share a namespace by the label of the instance: each looks after its own Rollouts.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rollouts::{SERIN, Stage, controller};
use crate::support::cluster;

const LABEL: &str = "argo-rollouts.argoproj.io/controller-instance-id";

fn rollout(name: &str, instance: Option<&str>) -> Value {
    let labels = json!({"app": name});
    let of_rollout = instance.map(|id| json!({LABEL: id}));
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name, "labels": of_rollout},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                         "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
            "strategy": {"canary": {}},
        },
    })
}

#[tokio::test]
async fn each_instance_looks_after_its_own_rollouts() {
    let Some(cluster) = cluster().await else { return };
    let mine = Stage::new(&cluster.plane, "mine").await;
    let (plain, strange) = (mine.beside("plain"), mine.beside("strange"));
    let args = ["--namespaced", "--namespace", &mine.namespace, "--instance-id", "blue"];
    let _blue = cluster.plane.start_controller(Path::new(SERIN), &args).unwrap();
    mine.apply(&rollout("mine", Some("blue"))).await;
    plain.apply(&rollout("plain", None)).await;
    strange.apply(&rollout("strange", Some("green"))).await;
    mine.wait_healthy().await;
    let untouched = "none\npods";
    plain.stays(Duration::from_secs(1), untouched).await;
    strange.shows_within(Duration::ZERO, untouched).await;

    let _without = controller(&cluster.plane, &mine.namespace);
    plain.wait_healthy().await;
    strange.stays(Duration::from_secs(1), untouched).await;
}

//! Rollouts that are deleted, alone or with their namespace.

use std::path::Path;
use std::time::Duration;

use serin::cluster::control_plane::{AuditEntry, EndsBy, Held};

use crate::rollouts::{SERIN, Stage, controller, example};
use crate::support::{cluster, eventually};

const SOON: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_deleted_rollout_is_told_of() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "myapp-rollout").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("canary-basic.yaml")).await;
    stage.wait_healthy().await;
    stage.kubectl(&["delete", "rollout", &stage.name]).await;
    let expected = format!("RolloutDeleted: Rollout myapp-rollout/{} is deleted.", stage.namespace);
    eventually("its deletion is told", SOON, async || {
        (stage.events().await.last() == Some(&expected)).then_some(())
    })
    .await;
}

/// Whatever goes first with a namespace, nothing is made anew in it again and again.
#[tokio::test]
async fn a_namespace_that_is_deleted_is_left_in_peace() {
    let Some(cluster) = cluster().await else { return };
    if cluster.plane.is_borrowed() {
        return;
    }
    let plane = &cluster.plane;
    let stage = Stage::new(plane, "myapp-rollout").await;
    let log = plane.directory().join(format!("{}.log", stage.namespace));
    let kubeconfig = plane.serin_kubeconfig().to_str().unwrap();
    let args = ["controller", "--kubeconfig", kubeconfig, "--namespaced", "--namespace", &stage.namespace];
    let apart = ["--healthzPort=0", "--metricsPort=0", "--leader-elect=false"];
    let _controller =
        Held::start(Path::new(SERIN), &[&args[..], &apart].concat(), &[], &log, EndsBy::Guard).unwrap();
    stage.apply_file(&example("canary-basic.yaml")).await;
    stage.wait_healthy().await;
    // The Rollout stays for a while when all of its ReplicaSets are gone.
    let finalizers = serde_json::json!({"metadata": {"finalizers": ["example.com/later"]}});
    stage.patch(&finalizers).await;
    let said = std::fs::read_to_string(&log).unwrap().len();
    let delete = ["delete", "namespace", &stage.namespace, "--wait=false"];
    plane.kubectl(&delete).await.unwrap().success().unwrap();
    eventually("the ReplicaSets are gone", SOON, async || {
        stage.replica_sets().await.is_empty().then_some(())
    })
    .await;
    serin::clock::sleep(Duration::from_secs(5)).await;
    stage.patch(&serde_json::json!({"metadata": {"finalizers": null}})).await;
    eventually("the Rollout is gone", SOON, async || stage.rollout().await.is_null().then_some(())).await;

    let refused = |entry: &AuditEntry| entry.namespace == stage.namespace && entry.code == 403;
    let refused: Vec<_> = plane.audit().unwrap().into_iter().filter(refused).collect();
    // One ReplicaSet, and one Event each about its loss and about the end of the Rollout.
    assert!(refused.len() <= 3, "{refused:#?}");
    let log = std::fs::read_to_string(&log).unwrap().split_off(said);
    assert!(log.contains("waits for its end with its namespace"), "{log}");
    assert!(!log.contains(" WARN ") && !log.contains(" ERROR "), "{log}");
}

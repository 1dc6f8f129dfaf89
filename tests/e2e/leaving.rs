//! Rollouts that are deleted, alone or with their namespace.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use serin_testbed::{AuditEntry, EndsBy, Held};

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

/// Has the API server refuse to delete the Rollouts of a namespace.
async fn keep_rollouts(stage: &Stage<'_>) {
    let name = &stage.namespace;
    let rule = json!({"apiGroups": ["argoproj.io"], "apiVersions": ["v1alpha1"], "operations": ["DELETE"],
                      "resources": ["rollouts"]});
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": [rule]},
                 "validations": [{"expression": "false", "message": "not yet"}]},
    });
    let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": name}});
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"],
                 "matchResources": {"namespaceSelector": selector}},
    });
    stage
        .plane
        .apply(&json!({"apiVersion": "v1", "kind": "List", "items": [policy, binding]}).to_string())
        .await
        .unwrap();
    let try_out = ["delete", "rollout", &stage.name, "--namespace", name, "--dry-run=server"];
    eventually("the API server refuses it", SOON, async || {
        stage.plane.kubectl(&try_out).await.unwrap().stderr.contains("not yet").then_some(())
    })
    .await;
}

/// A Rollout outlives its ReplicaSets for a while: they are not made anew again and again.
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
    keep_rollouts(&stage).await;
    let said = std::fs::read_to_string(&log).unwrap().len();
    let log = || std::fs::read_to_string(&log).unwrap().split_off(said);
    let delete = ["delete", "namespace", &stage.namespace, "--wait=false"];
    plane.kubectl(&delete).await.unwrap().success().unwrap();
    eventually("the controller understands", SOON, async || {
        log().contains("waits for its end with its namespace").then_some(())
    })
    .await;
    // Time for more attempts.
    serin_clock::sleep(Duration::from_secs(5)).await;
    for kind in ["validatingadmissionpolicybinding", "validatingadmissionpolicy"] {
        plane.kubectl(&["delete", kind, &stage.namespace]).await.unwrap().success().unwrap();
    }
    eventually("the Rollout is gone", 2 * SOON, async || stage.rollout().await.is_null().then_some(())).await;
    // Its Event has been tried, too.
    serin_clock::sleep(Duration::from_secs(1)).await;

    let refused = |entry: &AuditEntry| entry.namespace == stage.namespace && entry.code == 403;
    let refused: Vec<_> = plane.audit().unwrap().into_iter().filter(refused).collect();
    let of = |resource: &str| refused.iter().filter(|entry| entry.resource == resource).count();
    assert_eq!((of("replicasets"), of("events"), refused.len()), (1, 1, 2), "{refused:#?}");
    assert!(!log().contains(" WARN ") && !log().contains(" ERROR "), "{}", log());
}

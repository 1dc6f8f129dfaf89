//! The manifests of `examples/`, as they are: from `kubectl apply` to healthy, and through an update.

use std::time::Duration;

use serde_json::json;

use crate::rollouts::{Stage, controller, example};
use crate::support::cluster;

const GREEN: &str = "argoproj/rollouts-demo:green";

/// How long a change may take that waits for a delay of 30 seconds, too.
const LATER: Duration = Duration::from_secs(90);

#[tokio::test]
async fn blue_green_switches_by_itself() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "bluegreen-demo").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("blue-green.yaml")).await;
    stage.wait_healthy().await;
    let first = "Healthy
                 pods r1=3
                 bluegreen-demo -> r1";
    stage.shows(first).await;
    stage
        .tells_exactly(&[
            "RolloutAddedToInformer: Rollout resource added to informer: NAMESPACE/bluegreen-demo",
            "RolloutUpdated: Rollout updated to revision 1",
            "NewReplicaSetCreated: Created ReplicaSet bluegreen-demo-r1 (revision 1)",
            "ScalingReplicaSet: Scaled up ReplicaSet bluegreen-demo-r1 (revision 1) from 0 to 3",
            "RolloutCompleted: Rollout completed update to revision 1 (r1): Initial deploy",
            "SwitchService: Switched selector for service 'bluegreen-demo' from '' to 'r1'",
        ])
        .await;

    stage.set_image(GREEN).await;
    let switched = "Healthy
                    pods r1=3 r2=3
                    bluegreen-demo -> r2";
    stage.shows(switched).await;
    let scaled_down = "Healthy
                       pods r1=0 r2=3
                       bluegreen-demo -> r2";
    stage.shows_within(LATER, scaled_down).await;
    stage
        .tells_exactly(&[
            "RolloutUpdated: Rollout updated to revision 2",
            "NewReplicaSetCreated: Created ReplicaSet bluegreen-demo-r2 (revision 2)",
            "RolloutNotCompleted: Rollout not completed, started update to revision 2 (r2)",
            "ScalingReplicaSet: Scaled up ReplicaSet bluegreen-demo-r2 (revision 2) from 0 to 3",
            "SwitchService: Switched selector for service 'bluegreen-demo' from 'r1' to 'r2'",
            "RolloutCompleted: Rollout completed update to revision 2 (r2): Completed blue-green update",
            "ScalingReplicaSet: Scaled down ReplicaSet bluegreen-demo-r1 (revision 1) from 3 to 0",
        ])
        .await;
}

#[tokio::test]
async fn blue_green_with_a_preview_waits_for_a_hand() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "bluegreen-rollout").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("blue-green-preview.yaml")).await;
    stage.wait_healthy().await;
    let first = "Healthy
                 pods r1=2
                 myapp-active -> r1
                 myapp-preview -> r1";
    stage.shows(first).await;
    stage
        .tells_exactly(&[
            "RolloutAddedToInformer: Rollout resource added to informer: NAMESPACE/bluegreen-rollout",
            "RolloutUpdated: Rollout updated to revision 1",
            "NewReplicaSetCreated: Created ReplicaSet bluegreen-rollout-r1 (revision 1)",
            "SwitchService: Switched selector for service 'myapp-preview' from '' to 'r1'",
            "ScalingReplicaSet: Scaled up ReplicaSet bluegreen-rollout-r1 (revision 1) from 0 to 2",
            "RolloutCompleted: Rollout completed update to revision 1 (r1): Initial deploy",
            "SwitchService: Switched selector for service 'myapp-active' from '' to 'r1'",
        ])
        .await;

    stage.set_image(GREEN).await;
    let paused = "Paused: BlueGreenPause
                  pods r1=2 r2=2
                  myapp-active -> r1
                  myapp-preview -> r2";
    stage.shows(paused).await;
    stage
        .tells_exactly(&[
            "RolloutUpdated: Rollout updated to revision 2",
            "NewReplicaSetCreated: Created ReplicaSet bluegreen-rollout-r2 (revision 2)",
            "SwitchService: Switched selector for service 'myapp-preview' from 'r1' to 'r2'",
            "RolloutNotCompleted: Rollout not completed, started update to revision 2 (r2)",
            "ScalingReplicaSet: Scaled up ReplicaSet bluegreen-rollout-r2 (revision 2) from 0 to 2",
            "RolloutPaused: Rollout is paused (BlueGreenPause)",
        ])
        .await;
    stage.stays(Duration::from_secs(3), paused).await;

    stage.promote().await;
    let switched = "Healthy
                    pods r1=2 r2=2
                    myapp-active -> r2
                    myapp-preview -> r2";
    stage.shows(switched).await;
    let scaled_down = "Healthy
                       pods r1=0 r2=2
                       myapp-active -> r2
                       myapp-preview -> r2";
    stage.shows_within(LATER, scaled_down).await;
    stage
        .tells_exactly(&[
            "SwitchService: Switched selector for service 'myapp-active' from 'r1' to 'r2'",
            "RolloutCompleted: Rollout completed update to revision 2 (r2): Completed blue-green update",
            "ScalingReplicaSet: Scaled down ReplicaSet bluegreen-rollout-r1 (revision 1) from 2 to 0",
        ])
        .await;
}

#[tokio::test]
async fn a_basic_canary_goes_by_numbers_of_pods() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "myapp-rollout").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("canary-basic.yaml")).await;
    stage.wait_healthy().await;
    stage.shows("Healthy, step 4\npods r1=4").await;
    stage
        .tells_exactly(&[
            "RolloutAddedToInformer: Rollout resource added to informer: NAMESPACE/myapp-rollout",
            "RolloutUpdated: Rollout updated to revision 1",
            "NewReplicaSetCreated: Created ReplicaSet myapp-rollout-r1 (revision 1)",
            "RolloutNotCompleted: Rollout not completed, started update to revision 1 (r1)",
            "ScalingReplicaSet: Scaled up ReplicaSet myapp-rollout-r1 (revision 1) from 0 to 4",
            "RolloutCompleted: Rollout completed update to revision 1 (r1): Initial deploy",
        ])
        .await;

    stage.set_image(GREEN).await;
    stage.shows("Paused: CanaryPauseStep, step 1\npods r1=4 r2=1").await;
    stage
        .tells_exactly(&[
            "RolloutUpdated: Rollout updated to revision 2",
            "NewReplicaSetCreated: Created ReplicaSet myapp-rollout-r2 (revision 2)",
            "RolloutNotCompleted: Rollout not completed, started update to revision 2 (r2)",
            "ScalingReplicaSet: Scaled up ReplicaSet myapp-rollout-r2 (revision 2) from 0 to 1",
            "RolloutStepCompleted: Rollout step 1/4 completed (setWeight: 20)",
            "RolloutPaused: Rollout is paused (CanaryPauseStep)",
        ])
        .await;
    stage.promote().await;
    stage.shows("Paused: CanaryPauseStep, step 3\npods r1=2 r2=2").await;
    stage
        .tells_exactly(&[
            "RolloutStepCompleted: Rollout step 2/4 completed (pause: 48h)",
            "ScalingReplicaSet: Scaled down ReplicaSet myapp-rollout-r1 (revision 1) from 4 to 2",
            "ScalingReplicaSet: Scaled up ReplicaSet myapp-rollout-r2 (revision 2) from 1 to 2",
            "RolloutStepCompleted: Rollout step 3/4 completed (setWeight: 50)",
            "RolloutPaused: Rollout is paused (CanaryPauseStep)",
        ])
        .await;
    stage.promote().await;
    stage.shows("Healthy, step 4\npods r1=0 r2=4").await;
    stage
        .tells_exactly(&[
            "RolloutStepCompleted: Rollout step 4/4 completed (pause: 48h)",
            "ScalingReplicaSet: Scaled down ReplicaSet myapp-rollout-r1 (revision 1) from 2 to 1",
            "ScalingReplicaSet: Scaled up ReplicaSet myapp-rollout-r2 (revision 2) from 2 to 4",
            "ScalingReplicaSet: Scaled down ReplicaSet myapp-rollout-r1 (revision 1) from 1 to 0",
            "RolloutCompleted: Rollout completed update to revision 2 (r2): Completed all 4 canary steps",
        ])
        .await;
}

#[tokio::test]
async fn a_canary_behind_nginx_goes_by_weights() {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "canary-demo").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("canary-nginx.yaml")).await;
    stage.wait_healthy().await;
    stage.shows(&behind_nginx("Healthy, step 6", 0, "r1=1", ["r1", "r1"])).await;
    assert_eq!(stage.pod_labels("deployment").await, ["r1=stable"]);
    stage
        .tells_exactly(&[
            "RolloutAddedToInformer: Rollout resource added to informer: NAMESPACE/canary-demo",
            "RolloutUpdated: Rollout updated to revision 1",
            "NewReplicaSetCreated: Created ReplicaSet canary-demo-r1 (revision 1)",
            "RolloutNotCompleted: Rollout not completed, started update to revision 1 (r1)",
            "ScalingReplicaSet: Scaled up ReplicaSet canary-demo-r1 (revision 1) from 0 to 1",
            "RolloutCompleted: Rollout completed update to revision 1 (r1): Initial deploy",
            "SwitchService: Switched selector for service 'canary-demo' from '' to 'r1'",
            "SwitchService: Switched selector for service 'canary-demo-canary' from '' to 'r1'",
            "CreatingCanaryIngress: Creating canary ingress `canary-demo-canary-demo-canary` with weight `0`",
            "TrafficWeightUpdated: Traffic weight updated to 0",
        ])
        .await;

    stage.set_image(GREEN).await;
    stage.shows(&behind_nginx("Paused: CanaryPauseStep, step 1", 20, "r1=1 r2=1", ["r1", "r2"])).await;
    stage
        .tells_exactly(&[
            "RolloutUpdated: Rollout updated to revision 2",
            "NewReplicaSetCreated: Created ReplicaSet canary-demo-r2 (revision 2)",
            "RolloutNotCompleted: Rollout not completed, started update to revision 2 (r2)",
            "TrafficWeightUpdated: Traffic weight updated",
            "ScalingReplicaSet: Scaled up ReplicaSet canary-demo-r2 (revision 2) from 0 to 1",
            "SwitchService: Switched selector for service 'canary-demo-canary' from 'r1' to 'r2'",
            "PatchingCanaryIngress: Updating Ingress `canary-demo-canary-demo-canary` to desiredWeight '20'",
            "TrafficWeightUpdated: Traffic weight updated from 0 to 20",
            "RolloutStepCompleted: Rollout step 1/6 completed (setWeight: 20)",
            "RolloutPaused: Rollout is paused (CanaryPauseStep)",
        ])
        .await;
    assert_eq!(stage.pod_labels("deployment").await, ["r1=stable", "r2=canary"]);
    promote_behind_nginx(&stage).await;
}

/// The rest of the update: from the first pause to the end, by hand.
async fn promote_behind_nginx(stage: &Stage<'_>) {
    let started = stage.pod_uids().await;
    stage.promote().await;
    stage.shows(&behind_nginx("Paused: CanaryPauseStep, step 3", 50, "r1=1 r2=1", ["r1", "r2"])).await;
    stage
        .tells_exactly(&[
            "RolloutStepCompleted: Rollout step 2/6 completed (pause)",
            "PatchingCanaryIngress: Updating Ingress `canary-demo-canary-demo-canary` to desiredWeight '50'",
            "TrafficWeightUpdated: Traffic weight updated from 20 to 50",
            "RolloutStepCompleted: Rollout step 3/6 completed (setWeight: 50)",
            "RolloutPaused: Rollout is paused (CanaryPauseStep)",
        ])
        .await;
    stage.promote().await;
    stage.shows(&behind_nginx("Paused: CanaryPauseStep, step 5", 70, "r1=1 r2=1", ["r1", "r2"])).await;
    stage.promote().await;
    stage.shows(&behind_nginx("Healthy, step 6", 0, "r1=1 r2=1", ["r2", "r2"])).await;
    assert_eq!(stage.pod_uids().await, started, "pods changed their role, and nothing else");
    stage.shows_within(LATER, &behind_nginx("Healthy, step 6", 0, "r1=0 r2=1", ["r2", "r2"])).await;
    assert_eq!(stage.pod_labels("deployment").await, ["r2=stable"]);
    // The first 25 were told one by one; the rest comes together, one Event for each reason.
    let patched = "Updating Ingress `canary-demo-canary-demo-canary` to desiredWeight";
    stage
        .tells_within(Duration::from_mins(3), &[
            "RolloutPaused: Rollout is paused (CanaryPauseStep)",
            "RolloutStepCompleted: Rollout step 6/6 completed (pause: 30s); \
             before: Rollout step 5/6 completed (setWeight: 70); before: Rollout step 4/6 completed (pause: 30s)",
            "RolloutCompleted: Rollout completed update to revision 2 (r2): Completed all 6 canary steps",
            "SwitchService: Switched selector for service 'canary-demo' from 'r1' to 'r2'",
            &format!("PatchingCanaryIngress: {patched} '0'; before: {patched} '100'; before: {patched} '70'"),
            "TrafficWeightUpdated: Traffic weight updated from 100 to 0; \
             before: Traffic weight updated from 70 to 100; before: Traffic weight updated from 50 to 70",
            "ScalingReplicaSet: Scaled down ReplicaSet canary-demo-r1 (revision 1) from 1 to 0",
        ])
        .await;
}

/// The view of `canary-nginx.yaml`; `selected` by the stable and by the canary Service.
fn behind_nginx(head: &str, weight: u8, pods: &str, selected: [&str; 2]) -> String {
    let ([stable, canary], rest) = (selected, 100 - weight);
    format!(
        "{head}, weights {weight}/{rest}
         pods {pods}
         canary-demo -> {stable}
         canary-demo-canary -> {canary}
         canary-demo-canary-demo-canary: canary=true canary-by-header=X-Canary canary-weight={weight}"
    )
}

#[tokio::test]
async fn a_router_that_cannot_be_driven_stops_the_rollout_and_nothing_else() {
    let Some(cluster) = cluster().await else { return };
    install_traefik_service(cluster).await;
    let stage = Stage::new(&cluster.plane, "canary-traefik").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    stage.apply_file(&example("canary-traefik.yaml")).await;
    let message = stage.until_condition("InvalidSpec").await;
    assert_eq!(
        message,
        "The Rollout \"canary-traefik\" is invalid: spec.strategy.canary.trafficRouting.traefik: this version of \
         Serin cannot set weights with this router yet; the Rollout stays unchanged"
    );
    let stopped = format!(
        "Degraded: InvalidSpec: {message}
         pods
         canary-traefik -> all
         canary-traefik-canary -> all"
    );
    stage.shows(&stopped).await;

    // What runs already goes on as it is.
    stage.patch(&json!({"spec": {"strategy": {"canary": {"trafficRouting": null}}}})).await;
    stage.wait_healthy().await;
    let services = "canary-traefik -> r1
                    canary-traefik-canary -> r1";
    stage.shows(&format!("Healthy, step 4\npods r1=2\n{services}")).await;
    assert_eq!(stage.condition("InvalidSpec").await, None);
    let running = stage.pod_uids().await;
    stage.apply_file(&example("canary-traefik.yaml")).await;
    stage.set_image(GREEN).await;
    stage.until_condition("InvalidSpec").await;
    let stopped = format!("Degraded: InvalidSpec: {message}, step 4\npods r1=2\n{services}");
    stage.stays(Duration::from_secs(3), &stopped).await;
    assert_eq!(stage.pod_uids().await, running);
}

/// A definition that stands for Traefik's: it stores what it gets.
async fn install_traefik_service(cluster: &crate::support::Cluster) {
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "traefikservices.traefik.io"},
        "spec": {
            "group": "traefik.io",
            "names": {"kind": "TraefikService", "plural": "traefikservices", "singular": "traefikservice"},
            "scope": "Namespaced",
            "versions": [{
                "name": "v1alpha1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
            }],
        },
    });
    cluster.plane.apply(&crd.to_string()).await.unwrap();
    let wait = ["wait", "--for=condition=Established", "--timeout=30s", "crd/traefikservices.traefik.io"];
    cluster.plane.kubectl(&wait).await.unwrap().success().unwrap();
}

//! Faults found in use that issue 12 describes without a file of their own: pods that fail while an update is under way, objects
//! that come late or go, and a Deployment whose place is taken.

use serde_json::{Value, json};
use serin_testbed::ControlPlane;

use crate::faults::{
    BLUE, BROKEN, GREEN, YELLOW, ends_healthy, fault, has_ready_pod, images, is_refused, misses_its_deadline,
    stage_of, update,
};
use crate::rollouts::{Stage, behind_nginx};
use crate::side_by_side::{Case, Field, LIMIT, play};
use crate::support::eventually;

/// The readiness gate that only a user opens and closes.
const GATE: &str = "example.com/open";

/// Opens or closes the gates of pods with an image, as long as there are others, until a number of them is set.
async fn set_gates(stage: &Stage<'_>, image: &str, status: &str, count: usize) {
    let what = format!("{}: {count} pods of {image} have their gate {status}", stage.name);
    eventually(&what, LIMIT, async || {
        let mut pods = stage.pods().await;
        pods.retain(|pod| pod["spec"]["containers"][0]["image"] == image);
        let is_set = |pod: &&Value| condition(pod, GATE) == Some(status);
        let done = pods.iter().filter(is_set).count();
        if done >= count {
            return Some(());
        }
        let patch = json!({"status": {"conditions": [{"type": GATE, "status": status}]}}).to_string();
        for pod in pods.iter().filter(|pod| !is_set(pod)).take(count - done) {
            let name = pod["metadata"]["name"].as_str().unwrap();
            let args = ["-n", &stage.namespace, "patch", "pod", name, "--subresource=status"];
            let args: Vec<&str> = args.into_iter().chain(["--type=strategic", "-p", &patch]).collect();
            // The pod may have gone.
            let _answer = stage.plane.kubectl(&args).await.unwrap();
        }
        None
    })
    .await;
}

fn condition<'a>(pod: &'a Value, kind: &str) -> Option<&'a str> {
    let conditions = pod["status"]["conditions"].as_array()?;
    conditions.iter().find(|it| it["type"] == kind)?["status"].as_str()
}

/// A Rollout by pods whose pods have a gate, with steps 34 and a pause.
fn gated(name: &str, replicas: u32) -> Value {
    let labels = json!({"app": name});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "progressDeadlineSeconds": 20,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "readinessGates": [{"conditionType": GATE}],
                "containers": [{"name": "app", "image": BLUE}]}},
            "strategy": {"canary": {"steps": [{"setWeight": 34}, {"pause": {}}]}},
        },
    })
}

/// All stable pods become unready while a canary waits; the fix, promoted in full, replaces them.
async fn bad_stable(plane: &ControlPlane) {
    let stage = Stage::new(plane, "sick").await;
    stage.apply(&gated("sick", 10)).await;
    set_gates(&stage, BLUE, "True", 10).await;
    ends_healthy(&stage, BLUE, 10).await;
    stage.set_image(YELLOW).await;
    set_gates(&stage, YELLOW, "True", 4).await;
    stage.until(LIMIT, "Paused").await;
    let left = images(&stage).await.iter().filter(|image| *image == BLUE).count();
    set_gates(&stage, BLUE, "False", left).await;
    stage.set_image(GREEN).await;
    stage.patch_status(&json!({"promoteFull": true})).await;
    set_gates(&stage, GREEN, "True", 10).await;
    ends_healthy(&stage, GREEN, 10).await;
}

/// All pods of a Healthy Rollout become unready, and later ready again.
async fn unready_later(plane: &ControlPlane) {
    let stage = Stage::new(plane, "faint").await;
    stage.apply(&gated("faint", 3)).await;
    set_gates(&stage, BLUE, "True", 3).await;
    ends_healthy(&stage, BLUE, 3).await;
    set_gates(&stage, BLUE, "False", 3).await;
    misses_its_deadline(&stage).await;
    set_gates(&stage, BLUE, "True", 3).await;
    ends_healthy(&stage, BLUE, 3).await;
}

/// One patch brings an image and names another Ingress, which comes later.
async fn late_ingress(plane: &ControlPlane) {
    let stage = Stage::new(plane, "demo").await;
    stage.apply(&behind_nginx("1s", 1)).await;
    ends_healthy(&stage, "demo:blue", 1).await;
    let patch = json!([
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": GREEN},
        {"op": "replace", "path": "/spec/strategy/canary/trafficRouting/nginx/stableIngress", "value": "late"},
    ]);
    stage.kubectl(&["patch", "rollout", "demo", "--type=json", "-p", &patch.to_string()]).await;
    is_refused(&stage, &["\"late\""]).await;
    let mut late = behind_nginx("1s", 1)["items"][2].take();
    late["metadata"]["name"] = json!("late");
    stage.apply(&late).await;
    ends_healthy(&stage, GREEN, 1).await;
}

/// An abort after the canary Service was deleted: the stable revision gets its pods back, and nothing waits for the Service.
async fn abort_without_service(plane: &ControlPlane) {
    let stage = stage_of(plane, "pair", "01-services-no-router.yaml").await;
    ends_healthy(&stage, BLUE, 3).await;
    update(&stage, GREEN, "Paused").await;
    has_ready_pod(&stage, GREEN).await;
    stage.kubectl(&["delete", "service", "pair-canary"]).await;
    is_refused(&stage, &["pair-canary"]).await;
    stage.abort().await;
    eventually("pair: only stable pods are left", LIMIT, async || {
        (images(&stage).await == [BLUE; 3]).then_some(())
    })
    .await;
}

/// From canary to blue-green with a broken image: it is an update that fails, and an abort takes it back.
async fn other_strategy_with_a_broken_image(plane: &ControlPlane) {
    let stage = stage_of(plane, "first", "02-first-deployment-never-ready.yaml").await;
    let canary = json!({"canary": {}, "blueGreen": null});
    let template = |image: &str| json!({"spec": {"containers": [{"name": "app", "image": image}]}});
    stage.patch(&json!({"spec": {"strategy": canary, "template": template(BLUE)}})).await;
    ends_healthy(&stage, BLUE, 2).await;
    let stable = stage.rollout().await["status"]["stableRS"].clone();
    let blue_green = json!({"canary": null, "blueGreen": {"activeService": "first"}});
    stage.patch(&json!({"spec": {"strategy": blue_green, "template": template(BROKEN)}})).await;
    misses_its_deadline(&stage).await;
    assert_eq!(stage.rollout().await["status"]["stableRS"], stable, "what never ran is not stable");
    stage.abort().await;
    stage.until(LIMIT, "Degraded: RolloutAborted").await;
    stage.set_image(BLUE).await;
    ends_healthy(&stage, BLUE, 2).await;
}

/// 24: a Rollout without a size takes the place of a Deployment of six pods, and never fewer serve.
async fn place_of_a_deployment(plane: &ControlPlane) {
    let stage = stage_of(plane, "move", "24-deployment.yaml").await;
    let ready = async || {
        let pods = stage.pods().await;
        pods.iter().filter(|pod| condition(pod, "Ready") == Some("True")).count()
    };
    eventually("move: six pods serve", LIMIT, async || (ready().await >= 6).then_some(())).await;
    stage.apply_file(&fault("24-rollout.yaml")).await;
    eventually("move: the Rollout has taken over", LIMIT, async || {
        let count = ready().await;
        assert!(count >= 6, "{count} pods serve");
        let rollout = stage.rollout().await;
        (rollout["status"]["phase"] == "Healthy" && stage.pods().await.len() == 6).then_some(())
    })
    .await;
    let rollout = stage.until(LIMIT, "Healthy").await;
    assert_eq!(rollout["status"]["availableReplicas"], 6);
    stage.check_healthy().await;
}

fn cases(plane: &ControlPlane) -> Vec<Case<'_>> {
    vec![
        ("bad-stable", Box::pin(bad_stable(plane))),
        ("unready-later", Box::pin(unready_later(plane))),
        ("late-ingress", Box::pin(late_ingress(plane))),
        ("abort-without-service", Box::pin(abort_without_service(plane))),
        ("other-strategy-broken-image", Box::pin(other_strategy_with_a_broken_image(plane))),
        ("24-place-of-a-deployment", Box::pin(place_of_a_deployment(plane))),
    ]
}

#[tokio::test]
async fn faults_during_updates_come_to_the_end_that_their_users_expect() {
    let Some(field) = Field::start().await else { return };
    let cases = cases(&field.plane);
    let count = cases.len();
    let failed = play(cases).await;
    field.conclude(&failed, count);
}

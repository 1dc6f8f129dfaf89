//! The inputs of `tests/faults/` that are about blue-green Services: what users reach, and what waits beside it.

use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};
use serin_testbed::ControlPlane;

use crate::faults::{
    BLUE, GREEN, YELLOW, ends_healthy, fault, images, is_refused, misses_its_deadline, stage_of,
};
use crate::faults::{has_ready_pod, service, update};
use crate::rollouts::{Stage, resource};
use crate::side_by_side::{Case, Field, LIMIT, play};
use crate::support::eventually;

const HASH: &str = "rollouts-pod-template-hash";

/// The readiness gate that only a user opens.
const GATE: &str = "example.com/open";

/// 03: the preview is ready, and the pods that come with the promotion are not.
async fn promoted_preview_never_ready(plane: &ControlPlane, promotion: Value) {
    let stage = stage_of(plane, "latepromo", "03-preview.yaml").await;
    ends_healthy(&stage, BLUE, 4).await;
    let gated = json!([
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": GREEN},
        {"op": "add", "path": "/spec/template/spec/readinessGates", "value": [{"conditionType": GATE}]},
    ]);
    stage.kubectl(&["patch", "rollout", "latepromo", "--type=json", "-p", &gated.to_string()]).await;
    open_gates(&stage, 1).await;
    stage.until(LIMIT, "Paused").await;
    stage.patch_status(&promotion).await;
    misses_its_deadline(&stage).await;
    // Nothing else follows from it: the phase is told again and again.
    let rollout = stage.until(LIMIT, "Degraded").await;
    assert_ne!(rollout["status"]["controllerPause"], true, "it waits for nobody");
    open_gates(&stage, 4).await;
    stage.until(LIMIT, "Healthy").await;
    eventually("latepromo: the old pods are gone", LIMIT, async || {
        (images(&stage).await == [GREEN; 4]).then_some(())
    })
    .await;
    stage.check_healthy().await;
}

/// Opens the gates of all pods of the new image, once there are so many.
async fn open_gates(stage: &Stage<'_>, count: usize) {
    let what = format!("{}: {count} pods of {GREEN} wait at their gates", stage.name);
    let pods = eventually(&what, LIMIT, async || {
        let mut pods = stage.pods().await;
        pods.retain(|pod| pod["spec"]["containers"][0]["image"] == GREEN);
        (pods.len() == count).then_some(pods)
    })
    .await;
    let open = json!({"status": {"conditions": [{"type": GATE, "status": "True"}]}}).to_string();
    for pod in pods {
        let name = pod["metadata"]["name"].as_str().unwrap();
        stage.kubectl(&["patch", "pod", name, "--subresource=status", "--type=strategic", "-p", &open]).await;
    }
}

/// The hash that the active Service selects.
async fn active_hash(stage: &Stage<'_>) -> Value {
    let services = stage.list(&resource::<Service>()).await;
    let active = services.iter().find(|it| it["metadata"]["name"] == format!("{}-active", stage.name));
    active.map_or(Value::Null, |active| active["spec"]["selector"][HASH].clone())
}

/// Waits until the active Service has a hash; it must be that of the stable revision.
async fn serves_stable(stage: &Stage<'_>) {
    let what = format!("{}: the active Service has a hash", stage.name);
    let hash =
        eventually(&what, LIMIT, async || Some(active_hash(stage).await).filter(|hash| !hash.is_null()))
            .await;
    assert_eq!(hash, stage.rollout().await["status"]["stableRS"]);
}

/// 32: somebody takes the hash from the active Service while a revision waits for its promotion.
async fn service_without_hash(plane: &ControlPlane) {
    let stage = stage_of(plane, "heal", "32-services.yaml").await;
    stage.apply_file(&fault("32-active-service.yaml")).await;
    stage.patch(&json!({"spec": {"strategy": {"blueGreen": {"autoPromotionEnabled": false}}}})).await;
    ends_healthy(&stage, BLUE, 2).await;
    let first = update(&stage, YELLOW, "Paused").await;
    has_ready_pod(&stage, YELLOW).await;
    serves_stable(&stage).await;

    let removed = json!([{"op": "remove", "path": format!("/spec/selector/{HASH}")}]).to_string();
    stage.kubectl(&["patch", "service", "heal-active", "--type=json", "-p", &removed]).await;
    serves_stable(&stage).await;
    stage.kubectl(&["set", "selector", "service", "heal-active", "app=heal"]).await;
    serves_stable(&stage).await;
    stage.kubectl(&["replace", "-f", fault("32-services.yaml").to_str().unwrap()]).await;
    serves_stable(&stage).await;
    stage.kubectl(&["delete", "service", "heal-active"]).await;
    stage.apply_file(&fault("32-services.yaml")).await;
    serves_stable(&stage).await;

    let rollout = stage.until(LIMIT, "Paused").await;
    assert_eq!(rollout["status"]["stableRS"], first["status"]["stableRS"], "nothing was promoted");
    stage.promote().await;
    ends_healthy(&stage, YELLOW, 2).await;
    assert_eq!(active_hash(&stage).await, stage.rollout().await["status"]["stableRS"]);
}

/// 33: the Service's own selector names a label that changes with each version. `manual` keeps what the user promotes.
async fn selector_of_a_version(plane: &ControlPlane, manual: bool) {
    let stage = Stage::new(plane, "ver").await;
    let text = |name: &str| {
        let text = std::fs::read_to_string(fault(name)).unwrap();
        let field = "scaleDownDelaySeconds: 5";
        assert!(text.contains(field));
        if manual {
            text.replace(field, &format!("{field}\n      autoPromotionEnabled: false"))
        } else {
            text
        }
    };
    stage.apply_text(&text("33-selector-1.yaml")).await;
    ends_healthy(&stage, BLUE, 3).await;
    stage.apply_text(&text("33-selector-2.yaml")).await;
    is_refused(&stage, &["\"ver-active\"", "app.kubernetes.io/version=2", "\"1\""]).await;
    assert_eq!(images(&stage).await, [BLUE; 3], "the update has not begun");

    // What the message advises.
    for name in ["ver-active", "ver-preview"] {
        let label =
            json!([{"op": "remove", "path": "/spec/selector/app.kubernetes.io~1version"}]).to_string();
        stage.kubectl(&["patch", "service", name, "--type=json", "-p", &label]).await;
    }
    if manual {
        stage.until(LIMIT, "Paused").await;
        stage.promote().await;
    }
    ends_healthy(&stage, YELLOW, 3).await;
}

/// A Service that the Rollout names comes after an update that brought its name.
async fn late_preview_service(plane: &ControlPlane) {
    let stage = stage_of(plane, "heal", "32-services.yaml").await;
    stage.apply_file(&fault("32-active-service.yaml")).await;
    ends_healthy(&stage, BLUE, 2).await;
    let patch = json!([
        {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": GREEN},
        {"op": "replace", "path": "/spec/strategy/blueGreen/previewService", "value": "heal-late"},
    ]);
    stage.kubectl(&["patch", "rollout", "heal", "--type=json", "-p", &patch.to_string()]).await;
    is_refused(&stage, &["heal-late"]).await;
    stage.apply(&service("heal-late", "heal")).await;
    ends_healthy(&stage, GREEN, 2).await;
}

fn cases(plane: &ControlPlane) -> Vec<Case<'_>> {
    let full = json!({"promoteFull": true});
    let plain = json!({"pauseConditions": null});
    vec![
        ("03-preview-promote", Box::pin(promoted_preview_never_ready(plane, plain))),
        ("03-preview-promote-full", Box::pin(promoted_preview_never_ready(plane, full))),
        ("32-service-without-hash", Box::pin(service_without_hash(plane))),
        ("33-selector-manual", Box::pin(selector_of_a_version(plane, true))),
        ("33-selector", Box::pin(selector_of_a_version(plane, false))),
        ("05-late-preview-service", Box::pin(late_preview_service(plane))),
    ]
}

#[tokio::test]
async fn faults_of_services_come_to_the_end_that_their_users_expect() {
    let Some(field) = Field::start().await else { return };
    let cases = cases(&field.plane);
    let count = cases.len();
    let failed = play(cases).await;
    field.conclude(&failed, count);
}

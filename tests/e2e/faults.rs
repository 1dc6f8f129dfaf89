//! The inputs of `tests/faults/` that are about revisions, deadlines and refused specs: each applied as it is, and taken to
//! the end that its user expects.

use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};
use serin_clock as clock;
use serin_testbed::ControlPlane;

use crate::rollouts::{Stage, resource};
use crate::side_by_side::{Case, Field, LIMIT, play};
use crate::support::eventually;

pub(crate) const GREEN: &str = "argoproj/rollouts-demo:green";
pub(crate) const YELLOW: &str = "argoproj/rollouts-demo:yellow";
pub(crate) const BLUE: &str = "argoproj/rollouts-demo:blue";
pub(crate) const BROKEN: &str = "argoproj/rollouts-demo:error";

/// The path of an input.
pub(crate) fn fault(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(name)
}

/// A namespace with the objects of an input, and its Rollout.
pub(crate) async fn stage_of<'a>(plane: &'a ControlPlane, rollout: &str, file: &str) -> Stage<'a> {
    let stage = Stage::new(plane, rollout).await;
    stage.apply_file(&fault(file)).await;
    stage
}

/// Gives the Rollout another image, and waits for a phase.
pub(crate) async fn update(stage: &Stage<'_>, image: &str, start: &str) -> Value {
    stage.set_image(image).await;
    stage.until(LIMIT, start).await
}

/// The end of a good update: every pod that is not being deleted runs the image.
pub(crate) async fn ends_healthy(stage: &Stage<'_>, image: &str, replicas: usize) {
    stage.until(LIMIT, "Healthy").await;
    let what = format!("{}: all {replicas} pods run {image}", stage.name);
    eventually(&what, LIMIT, async || (images(stage).await == vec![image; replicas]).then_some(())).await;
    stage.until(LIMIT, "Healthy").await;
    stage.check_healthy().await;
}

/// The first image of each pod that is not being deleted, sorted.
pub(crate) async fn images(stage: &Stage<'_>) -> Vec<String> {
    let image = |pod: &Value| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
    let mut all: Vec<_> = stage.pods().await.iter().map(image).collect();
    all.sort();
    all
}

/// Waits until a pod of the image is ready.
pub(crate) async fn has_ready_pod(stage: &Stage<'_>, image: &str) {
    let is_ready = |pod: &Value| {
        let conditions = pod["status"]["conditions"].as_array().cloned().unwrap_or_default();
        conditions.iter().any(|it| it["type"] == "Ready" && it["status"] == "True")
    };
    let what = format!("{}: a pod of {image} is ready", stage.name);
    eventually(&what, LIMIT, async || {
        let pods = stage.pods().await;
        pods.iter().any(|pod| pod["spec"]["containers"][0]["image"] == image && is_ready(pod)).then_some(())
    })
    .await;
}

/// The revision of an image.
async fn revision_of(stage: &Stage<'_>, image: &str) -> Option<(i64, Value)> {
    let sets = stage.replica_sets().await;
    sets.into_iter().find(|(_, set)| set["spec"]["template"]["spec"]["containers"][0]["image"] == image)
}

/// Waits until all pods of an image are gone, and none is asked for.
async fn is_left(stage: &Stage<'_>, image: &str) {
    eventually(&format!("{}: no pod of {image} is left", stage.name), LIMIT, async || {
        let (_, set) = revision_of(stage, image).await?;
        let count = set["status"]["replicas"].as_i64().unwrap_or_default();
        (set["spec"]["replicas"] == 0 && count == 0).then_some(())
    })
    .await;
}

/// Waits until the Rollout is invalid, and the message has these words.
pub(crate) async fn is_refused(stage: &Stage<'_>, words: &[&str]) {
    stage.until(LIMIT, "Degraded: InvalidSpec: ").await;
    eventually(&format!("{}: the message has {words:?}", stage.name), LIMIT, async || {
        let message = stage.condition("InvalidSpec").await?;
        words.iter().all(|word| message.contains(word)).then_some(())
    })
    .await;
}

/// Waits until the Rollout has missed its deadline, and says so.
pub(crate) async fn misses_its_deadline(stage: &Stage<'_>) {
    let rollout = stage.until(LIMIT, "Degraded: ProgressDeadlineExceeded: ").await;
    let conditions = rollout["status"]["conditions"].as_array().unwrap();
    let progressing = conditions.iter().find(|it| it["type"] == "Progressing").unwrap();
    assert_eq!(
        (&progressing["status"], &progressing["reason"]),
        (&json!("False"), &json!("ProgressDeadlineExceeded"))
    );
}

/// 05: one patch brings an image and names Services, which come later.
async fn late_service(plane: &ControlPlane) {
    let stage = stage_of(plane, "lateclock", "05-late-service-rollout.yaml").await;
    ends_healthy(&stage, BLUE, 3).await;
    let template = json!({"spec": {"containers": [
        {"name": "app", "image": GREEN, "ports": [{"name": "http", "containerPort": 8080}]}]}});
    let canary = json!({"canaryService": "lateclock-canary", "stableService": "lateclock-stable"});
    stage.patch(&json!({"spec": {"template": template, "strategy": {"canary": canary}}})).await;
    is_refused(&stage, &["lateclock-canary"]).await;
    clock::sleep(Duration::from_secs(5)).await;
    stage.apply_file(&fault("05-late-service.yaml")).await;
    ends_healthy(&stage, GREEN, 3).await;
}

/// 20: the Deployment is deleted and applied again with another image.
async fn deployment_recreated(plane: &ControlPlane) {
    let stage = stage_of(plane, "gone", "20-deployment-recreated.yaml").await;
    ends_healthy(&stage, BLUE, 3).await;
    stage.kubectl(&["delete", "deployment", "gone-d"]).await;
    let text = std::fs::read_to_string(fault("20-deployment-recreated.yaml")).unwrap();
    stage.apply_text(&text.replace(BLUE, GREEN)).await;
    stage.until(LIMIT, "Paused").await;
    has_ready_pod(&stage, GREEN).await;
    stage.promote().await;
    ends_healthy(&stage, GREEN, 3).await;
}

/// 08: somebody edits the ReplicaSet to the image that comes next.
async fn edited_replica_set(plane: &ControlPlane) {
    let stage = stage_of(plane, "behind-c", "08-edited-replicaset.yaml").await;
    ends_healthy(&stage, BLUE, 3).await;
    edit(&stage, BLUE, GREEN).await;
    stage.set_image(GREEN).await;
    ends_healthy(&stage, GREEN, 3).await;
    stage.set_image(BLUE).await;
    ends_healthy(&stage, BLUE, 3).await;
}

/// 08: the ReplicaSet to which the way back leads has been given a broken image.
async fn edited_way_back(plane: &ControlPlane) {
    let stage = stage_of(plane, "behind-c", "08-edited-replicaset.yaml").await;
    ends_healthy(&stage, BLUE, 3).await;
    stage.set_image(GREEN).await;
    ends_healthy(&stage, GREEN, 3).await;
    edit(&stage, BLUE, BROKEN).await;
    stage.set_image(BLUE).await;
    ends_healthy(&stage, BLUE, 3).await;
}

/// 08: the ReplicaSet to which the way back leads has been given one more variable.
async fn added_variable(plane: &ControlPlane) {
    let stage = stage_of(plane, "behind-c", "08-edited-replicaset.yaml").await;
    ends_healthy(&stage, BLUE, 3).await;
    let (_, set) = revision_of(&stage, BLUE).await.unwrap();
    stage.set_image(GREEN).await;
    ends_healthy(&stage, GREEN, 3).await;
    let name = format!("rs/{}", set["metadata"]["name"].as_str().unwrap());
    stage.kubectl(&["set", "env", &name, "LEVEL=debug"]).await;
    stage.set_image(BLUE).await;
    ends_healthy(&stage, BLUE, 3).await;
    for pod in stage.pods().await {
        assert_eq!(pod["spec"]["containers"][0]["env"], Value::Null, "{}", pod["metadata"]["name"]);
    }
}

/// `kubectl set image` of the ReplicaSet that has an image.
async fn edit(stage: &Stage<'_>, of: &str, image: &str) {
    let (_, set) = revision_of(stage, of).await.unwrap();
    let name = format!("rs/{}", set["metadata"]["name"].as_str().unwrap());
    stage.kubectl(&["set", "image", &name, &format!("app={image}")]).await;
}

/// 01: a third image while the second waits at its pause, and the canary Service selects it.
async fn third_image(plane: &ControlPlane) {
    let stage = stage_of(plane, "pair", "01-services-no-router.yaml").await;
    ends_healthy(&stage, BLUE, 3).await;
    update(&stage, YELLOW, "Paused").await;
    has_ready_pod(&stage, YELLOW).await;
    stage.set_image(GREEN).await;
    has_ready_pod(&stage, GREEN).await;
    is_left(&stage, YELLOW).await;
    stage.until(LIMIT, "Paused").await;
    stage.check_healthy().await;
    stage.promote().await;
    ends_healthy(&stage, GREEN, 3).await;
}

/// 07: a last weight of 100 beside a stable Service; `strategy` is what else it has.
async fn weight_of_100(plane: &ControlPlane, strategy: Value, is_full: bool) {
    let stage = stage_of(plane, "hundred", "07-stable-service-weight-100.yaml").await;
    ends_healthy(&stage, BLUE, 1).await;
    stage.patch(&json!({"spec": {"strategy": {"canary": strategy}}})).await;
    stage.until(LIMIT, "Healthy").await;
    for image in [GREEN, YELLOW] {
        stage.set_image(image).await;
        if is_full {
            stage.until(LIMIT, "Paused").await;
            stage.patch_status(&json!({"promoteFull": true})).await;
        }
        ends_healthy(&stage, image, 1).await;
    }
}

/// 02: the first revision never becomes ready; `change` makes another input of the file's text. The image that mends it goes
/// through the steps, as every update does.
async fn first_never_ready(plane: &ControlPlane, change: impl Fn(String) -> String) {
    let stage = Stage::new(plane, "first").await;
    let text = change(std::fs::read_to_string(fault("02-first-deployment-never-ready.yaml")).unwrap());
    stage.apply_text(&text).await;
    misses_its_deadline(&stage).await;
    stage.set_image(BLUE).await;
    if text.contains("steps: ") {
        stage.until(LIMIT, "Paused").await;
        stage.promote().await;
    }
    ends_healthy(&stage, BLUE, 2).await;
}

/// The strategy of 02 as a canary with that many fields more, in flow style.
fn as_canary(text: &str, fields: &str) -> String {
    let changed = text.replace("blueGreen: {activeService: first}", &format!("canary: {{{fields}}}"));
    assert_ne!(changed, text);
    changed
}

/// 02 as a canary behind NGINX, with what it needs.
fn behind_nginx(text: &str) -> String {
    const MORE: &str = "
---
apiVersion: v1
kind: Service
metadata: {name: first-canary}
spec: {selector: {app: first}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: first}
spec:
  ingressClassName: nginx
  rules:
  - http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: first, port: {number: 80}}}}]}
";
    let fields = "stableService: first, canaryService: first-canary, \
                  trafficRouting: {nginx: {stableIngress: first}}, steps: [{setWeight: 20}, {pause: {}}]";
    format!("{}{MORE}", as_canary(text, fields))
}

/// 47: a router that is asked for and not there.
async fn empty_router(plane: &ControlPlane) {
    let stage = Stage::new(plane, "misspelt").await;
    for name in ["misspelt-canary", "misspelt-stable"] {
        stage.apply(&service(name, "misspelt")).await;
    }
    stage.apply_file(&fault("47-empty-router.yaml")).await;
    is_refused(&stage, &["spec.strategy.canary.trafficRouting: "]).await;
    stage.patch(&json!({"spec": {"strategy": {"canary": {"trafficRouting": null}}}})).await;
    ends_healthy(&stage, BLUE, 5).await;
}

/// A Service of an app.
pub(crate) fn service(name: &str, app: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
           "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}})
}

/// 06: quantities that the API server would refuse.
async fn malformed_quantity(plane: &ControlPlane) {
    let stage = stage_of(plane, "amount", "06-malformed-quantity.yaml").await;
    is_refused(&stage, &["spec.template.spec.containers[0].resources.requests", "50mm"]).await;
    assert_eq!(stage.replica_sets().await.len(), 0, "nothing is tried that cannot succeed");
    let right = json!({"containers": [{"name": "app", "image": BLUE}], "volumes": []});
    stage.patch(&json!({"spec": {"template": {"spec": right}}})).await;
    ends_healthy(&stage, BLUE, 1).await;
}

/// 12: an annotation that no Ingress can have.
async fn wrong_prefix(plane: &ControlPlane) {
    let stage = stage_of(plane, "ann", "12-wrong-prefix.yaml").await;
    let path = "spec.strategy.canary.trafficRouting.nginx.additionalIngressAnnotations";
    is_refused(&stage, &[path, "external-dns.alpha.kubernetes.io/exclude"]).await;
    let key = json!({"external-dns.alpha.kubernetes.io/exclude": null});
    let nginx = json!({"additionalIngressAnnotations": key});
    stage.patch(&json!({"spec": {"strategy": {"canary": {"trafficRouting": {"nginx": nginx}}}}})).await;
    ends_healthy(&stage, BLUE, 2).await;
}

/// 12: an abort takes the traffic back although the spec has become invalid.
async fn abort_of_an_invalid_spec(plane: &ControlPlane) {
    let stage = stage_of(plane, "ann", "12-annotations.yaml").await;
    ends_healthy(&stage, BLUE, 2).await;
    update(&stage, GREEN, "Paused").await;
    has_weight(&stage, "10").await;
    let canary_annotations = |value: Value| {
        let nginx = json!({"canaryIngressAnnotations": {"bad key": value}});
        json!({"spec": {"strategy": {"canary": {"trafficRouting": {"nginx": nginx}}}}})
    };
    stage.patch(&canary_annotations(json!("x"))).await;
    is_refused(&stage, &["spec.strategy.canary.trafficRouting.nginx.canaryIngressAnnotations", "bad key"])
        .await;
    has_weight(&stage, "10").await;
    stage.abort().await;
    has_weight(&stage, "0").await;
    stage.patch(&canary_annotations(Value::Null)).await;
    stage.until(LIMIT, "Degraded: RolloutAborted").await;
    stage.set_image(BLUE).await;
    stage.until(LIMIT, "Healthy").await;
    stage.check_healthy().await;
}

/// Waits until the canary Ingress has this weight.
async fn has_weight(stage: &Stage<'_>, weight: &str) {
    eventually(&format!("{}: the canary Ingress has the weight {weight}", stage.name), LIMIT, async || {
        let ingresses = stage.list(&resource::<Ingress>()).await;
        let key = "nginx.ingress.kubernetes.io/canary-weight";
        ingresses.iter().any(|it| it["metadata"]["annotations"][key] == weight).then_some(())
    })
    .await;
}

/// 45: labels and annotations that are removed from the spec leave the pods.
async fn metadata_removed(plane: &ControlPlane) {
    let stage = stage_of(plane, "role", "45-metadata-removed.yaml").await;
    ends_healthy(&stage, BLUE, 6).await;
    update(&stage, GREEN, "Paused").await;
    let roles = async || {
        let pods = stage.list(&resource::<Pod>()).await;
        let alive = pods.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        let fields = |pod: &Value| {
            let metadata = &pod["metadata"];
            [metadata["labels"]["role"].clone(), metadata["annotations"]["example.com/role"].clone()]
        };
        alive.flat_map(fields).filter(|role| !role.is_null()).count()
    };
    eventually("role: all pods have a role", LIMIT, async || (roles().await == 12).then_some(())).await;
    let none = json!({"stableMetadata": null, "canaryMetadata": null});
    stage.patch(&json!({"spec": {"strategy": {"canary": none}}})).await;
    eventually("role: no pod has a role", LIMIT, async || (roles().await == 0).then_some(())).await;
    stage.until(LIMIT, "Paused").await;
    stage.promote().await;
    ends_healthy(&stage, GREEN, 6).await;
}

fn cases(plane: &ControlPlane) -> Vec<Case<'_>> {
    let no_surge = || json!({"maxSurge": 0, "maxUnavailable": 1});
    let paused = || json!({"maxSurge": 0, "maxUnavailable": 1, "steps": [{"setWeight": 50}, {"pause": {}}]});
    let canary = |text: String| as_canary(&text, "steps: [{setWeight: 20}, {pause: {}}]");
    vec![
        ("05-late-service", Box::pin(late_service(plane))),
        ("20-deployment-recreated", Box::pin(deployment_recreated(plane))),
        ("08-edited-replicaset", Box::pin(edited_replica_set(plane))),
        ("08-edited-way-back", Box::pin(edited_way_back(plane))),
        ("08-added-variable", Box::pin(added_variable(plane))),
        ("01-third-image", Box::pin(third_image(plane))),
        ("07-weight-100", Box::pin(weight_of_100(plane, json!({}), false))),
        ("07-weight-100-no-surge", Box::pin(weight_of_100(plane, no_surge(), false))),
        ("07-pause-no-surge-promote-full", Box::pin(weight_of_100(plane, paused(), true))),
        ("02-first-blue-green", Box::pin(first_never_ready(plane, |text| text))),
        ("02-first-canary", Box::pin(first_never_ready(plane, canary))),
        ("02-first-nginx", Box::pin(first_never_ready(plane, |text| behind_nginx(&text)))),
        (
            "02-first-no-image",
            Box::pin(first_never_ready(plane, |text| text.replace(BROKEN, "nonexistent.example.com/app:1"))),
        ),
        ("47-empty-router", Box::pin(empty_router(plane))),
        ("06-malformed-quantity", Box::pin(malformed_quantity(plane))),
        ("12-wrong-prefix", Box::pin(wrong_prefix(plane))),
        ("12-abort-of-an-invalid-spec", Box::pin(abort_of_an_invalid_spec(plane))),
        ("45-metadata-removed", Box::pin(metadata_removed(plane))),
    ]
}

#[tokio::test]
async fn faults_found_in_use_come_to_the_end_that_their_users_expect() {
    let Some(field) = Field::start().await else { return };
    let cases = cases(&field.plane);
    let count = cases.len();
    let failed = play(cases).await;
    field.conclude(&failed, count);
}

//! The manifests of `tests/real/`, as people write them: those that can run go to Healthy and through one update, the others
//! are told what is wrong with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kube::api::{Api, PostParams};
use serde_json::{Value, json};
use serin_clock as clock;
use serin_testbed::ControlPlane;
use tokio::time::Instant;

use crate::faults::service;
use crate::rollouts::Stage;
use crate::side_by_side::{Case, Field, LIMIT, play};

/// How long an update may take, with the user's own delays: `minReadySeconds` of up to a minute, and each pause that is not
/// promoted in time.
const UPDATE: Duration = Duration::from_mins(8);

/// The manifests that can run, with the Services that they name and do not bring, and the label `app` that these select.
const RUNS: [(&str, &[(&str, &str)]); 11] = [
    ("m06-kustomize-nginx-canary", &[]),
    ("m09-single-step-setweight100", &[]),
    ("m11-services-without-router-weight0-first", &[]),
    ("m13-flow-style-two-rollouts", &[]),
    ("m17-helm-bluegreen-envoy-sidecar", &[("cart-prod-service", "cart"), ("cart-prod-preview", "cart")]),
    ("m19-helm-trailing-empty-document", &[("console-active", "console"), ("console-preview", "console")]),
    ("m25-nginx-10-replicas-class-annotation", &[]),
    ("m27-bluegreen-preview-count", &[]),
    ("m40-exported-live-object-2019", &[]),
    ("m44-canary-9-replicas-odd-requests", &[]),
    ("m45-minready-hour-pause", &[]),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real")
}

/// The documents of a manifest as they are written, by the namespace that they name.
fn documents(name: &str) -> BTreeMap<Option<String>, Vec<(String, Value)>> {
    let text = std::fs::read_to_string(folder().join(format!("{name}.yaml"))).unwrap();
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for part in text.split("\n---") {
        let Ok(object) = serde_yaml::from_str::<Value>(part) else { continue };
        if object.is_object() {
            let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
            found.entry(namespace).or_default().push((part.to_owned(), object));
        }
    }
    found
}

/// The namespace that a manifest names, or one of its own.
async fn namespace(plane: &ControlPlane, named: Option<&str>) -> String {
    let Some(name) = named else { return plane.namespace("real").await.unwrap() };
    let all = Api::<k8s_openapi::api::core::v1::Namespace>::all(plane.client().await.unwrap());
    let wanted = json!({"metadata": {"name": name}});
    // It may be there: two manifests may name the same.
    let _there = all.create(&PostParams::default(), &serde_json::from_value(wanted).unwrap()).await;
    name.to_owned()
}

/// `kubectl apply` of a document. An export, which has a status, is applied without what the API server refuses in a new
/// object, and without kubectl's objections to the fields of an old status.
async fn apply(stage: &Stage<'_>, text: &str, object: &Value) {
    if object["status"].is_null() {
        return stage.apply_text(text).await;
    }
    let is_identity = |line: &&str| line.starts_with("  resourceVersion: ") || line.starts_with("  uid: ");
    let new: Vec<&str> = text.lines().filter(|line| !is_identity(line)).collect();
    let new = new.join("\n");
    let args = ["-n", &stage.namespace, "apply", "--validate=false", "-f", "-"];
    stage.plane.kubectl_with(stage.plane.admin_kubeconfig(), &args, &new).await.unwrap().success().unwrap();
}

/// From `kubectl apply` to Healthy, and through an update.
async fn runs(plane: &ControlPlane, name: &str, services: &[(&str, &str)]) {
    for (named, objects) in documents(name) {
        let namespace = namespace(plane, named.as_deref()).await;
        let stage = Stage::within(plane, &namespace, "").await;
        for (service_name, app) in services {
            stage.apply(&service(service_name, app)).await;
        }
        for (text, object) in &objects {
            apply(&stage, text, object).await;
        }
        for (_, rollout) in objects.iter().filter(|(_, object)| object["kind"] == "Rollout") {
            let stage = stage.beside(rollout["metadata"]["name"].as_str().unwrap());
            if rollout["spec"]["paused"] == true {
                stage.patch(&json!({"spec": {"paused": false}})).await;
            }
            stage.until(UPDATE, "Healthy").await;
            stage.check_healthy().await;
            goes_through_an_update(&stage).await;
        }
    }
}

/// Gives the first container another image, and promotes each pause.
async fn goes_through_an_update(stage: &Stage<'_>) {
    let old = stage.rollout().await;
    let image = old["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
    stage.set_image(&format!("{image}-2")).await;
    let deadline = Instant::now() + UPDATE;
    let is_current = |rollout: &Value| {
        let status = &rollout["status"];
        status["phase"] == "Healthy" && status["stableRS"] != old["status"]["stableRS"]
    };
    loop {
        let rollout = stage.rollout().await;
        if is_current(&rollout) {
            break;
        }
        if rollout["status"]["phase"] == "Paused" {
            stage.promote().await;
        }
        assert!(Instant::now() < deadline, "{}: not updated\n{}", stage.name, stage.view().await);
        clock::sleep(Duration::from_millis(500)).await;
    }
    stage.until(LIMIT, "Healthy").await;
    stage.check_healthy().await;
}

/// The names of the manifests that lint finds an error in.
fn wrong() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|it| it == "yaml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| RUNS.iter().all(|(runs, _)| runs != name))
        .collect();
    names.sort();
    names
}

/// What is left of these runs, once the API server has dropped the fields that it does not know.
const RUN_WITHOUT_UNKNOWN_FIELDS: [&str; 3] = [
    "m18-helm-misindented-annotations",
    "m31-bluegreen-leftover-rollingupdate-tabs",
    "m41-anchors-aliases-merge-keys",
];

/// `kubectl apply --validate=false` of each document, and then what becomes of the Rollouts.
async fn is_told_what_is_wrong(plane: &ControlPlane, name: &str) {
    for (named, objects) in documents(name) {
        let namespace = namespace(plane, named.as_deref()).await;
        let stage = Stage::within(plane, &namespace, "").await;
        if name.starts_with("m31-") {
            stage.apply(&service("shop-bluegreen-preview", "shop-bluegreen")).await;
        }
        let mut stored = Vec::new();
        for (text, object) in &objects {
            if is_stored(&stage, text, object).await {
                stored.push(stage.beside(object["metadata"]["name"].as_str().unwrap()));
            }
        }
        for stage in stored {
            if RUN_WITHOUT_UNKNOWN_FIELDS.contains(&name) {
                stage.until(LIMIT, "Healthy").await;
                stage.check_healthy().await;
                continue;
            }
            let rollout = stage.until(LIMIT, "Degraded: InvalidSpec: ").await;
            let message = rollout["status"]["message"].as_str().unwrap();
            assert!(message.contains("is invalid: spec."), "{name}: {message}");
        }
    }
}

/// Whether the object is a Rollout, and the API server has stored it. What is of a kind that is not installed is refused, and
/// so is what the definition of a Rollout does not let through: then it says at which field.
async fn is_stored(stage: &Stage<'_>, text: &str, object: &Value) -> bool {
    let args = ["-n", &stage.namespace, "apply", "--validate=false", "-f", "-"];
    let answer = stage.plane.kubectl_with(stage.plane.admin_kubeconfig(), &args, text).await.unwrap();
    let is_rollout = object["kind"] == "Rollout";
    if is_rollout && answer.code != Some(0) {
        assert!(answer.stderr.contains("is invalid") && answer.stderr.contains("spec."), "{}", answer.stderr);
    }
    is_rollout && answer.code == Some(0)
}

#[tokio::test]
async fn manifests_as_people_write_them_run_or_say_why_not() {
    let Some(field) = Field::start().await else { return };
    let plane = &field.plane;
    let wrong = wrong();
    let mut cases: Vec<Case<'_>> = Vec::new();
    for (name, services) in RUNS {
        cases.push((name, Box::pin(runs(plane, name, services))));
    }
    for name in &wrong {
        cases.push((name, Box::pin(is_told_what_is_wrong(plane, name))));
    }
    let count = cases.len();
    let failed = play(cases).await;
    field.conclude(&failed, count);
}

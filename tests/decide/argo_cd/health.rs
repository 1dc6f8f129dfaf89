//! How Argo CD judges a Rollout: by the phase, and where there is none by the rest of the status.

use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;

use super::{blue_green, canary, deployed, paused, routed, update};
use crate::world::World;

/// A row of a table: whether it fits, and what the health is then. The first that fits counts.
type Row = (fn(&Value) -> bool, &'static str);

/// Whether the status was written for the present spec.
const OBSERVED: [Row; 4] = [
    (|ro| !ro["metadata"]["deletionTimestamp"].is_null(), "Progressing"),
    (|ro| ro["status"].is_null(), "Progressing"),
    (
        |ro| number(&ro["status"]["observedGeneration"]).is_some_and(|seen| seen < generation(ro)),
        "Progressing",
    ),
    (|ro| !ro["spec"]["workloadRef"].is_null() && workload(ro), "Progressing"),
];

/// What counts where `status.phase` is not there.
const LEGACY: [Row; 10] = [
    (|ro| condition(ro, "InvalidSpec").is_some(), "Degraded"),
    (|ro| has_failed(ro), "Degraded"),
    (|ro| is_paused(ro), "Suspended"),
    (|ro| ro["status"]["currentPodHash"].is_null(), "Progressing"),
    (|ro| count(ro, "updatedReplicas") < wanted(ro), "Progressing"),
    (|ro| count(ro, "availableReplicas") < count(ro, "updatedReplicas"), "Progressing"),
    (
        |ro| {
            is_blue_green(ro) && ro["status"]["blueGreen"]["activeSelector"] != ro["status"]["currentPodHash"]
        },
        "Progressing",
    ),
    (|ro| is_blue_green(ro) && !ro["status"]["stableRS"].is_null() && !is_promoted(ro), "Progressing"),
    (|ro| !is_blue_green(ro) && count(ro, "replicas") > count(ro, "updatedReplicas"), "Progressing"),
    (|ro| !is_blue_green(ro) && !is_promoted(ro), "Progressing"),
];

fn number(value: &Value) -> Option<i64> {
    value.as_str()?.parse().ok()
}

fn generation(ro: &Value) -> i64 {
    ro["metadata"]["generation"].as_i64().unwrap()
}

fn workload(ro: &Value) -> bool {
    let noted = &ro["metadata"]["annotations"]["rollout.argoproj.io/workload-generation"];
    number(noted) != number(&ro["status"]["workloadObservedGeneration"])
}

fn condition<'a>(ro: &'a Value, kind: &str) -> Option<&'a Value> {
    ro["status"]["conditions"].as_array().unwrap().iter().find(|condition| condition["type"] == kind)
}

fn has_failed(ro: &Value) -> bool {
    let reasons = ["RolloutAborted", "ProgressDeadlineExceeded"];
    condition(ro, "Progressing").is_some_and(|c| reasons.contains(&c["reason"].as_str().unwrap()))
}

fn is_paused(ro: &Value) -> bool {
    ro["status"]["pauseConditions"].as_array().is_some_and(|all| !all.is_empty())
        || ro["spec"]["paused"] == true
}

fn is_blue_green(ro: &Value) -> bool {
    !ro["spec"]["strategy"]["blueGreen"].is_null()
}

fn is_promoted(ro: &Value) -> bool {
    ro["status"]["stableRS"] == ro["status"]["currentPodHash"]
}

fn count(ro: &Value, field: &str) -> i64 {
    ro["status"][field].as_i64().unwrap_or(0)
}

fn wanted(ro: &Value) -> i64 {
    ro["spec"]["replicas"].as_i64().unwrap_or(1)
}

fn first(rows: &[Row], ro: &Value) -> Option<&'static str> {
    rows.iter().find(|(fits, _)| fits(ro)).map(|(_, health)| *health)
}

/// What Argo CD shows, with the message.
fn health(ro: &Value) -> String {
    if let Some(unobserved) = first(&OBSERVED, ro) {
        return format!("{unobserved}: not observed");
    }
    let phase = ro["status"]["phase"].as_str().expect("a phase");
    assert!(["Healthy", "Degraded", "Progressing", "Paused"].contains(&phase), "{phase} is no health");
    let health = if phase == "Paused" { "Suspended" } else { phase };
    match ro["status"]["message"].as_str() {
        None | Some("") => health.to_owned(),
        Some(message) => format!("{health}: {message}"),
    }
}

/// What an Argo CD shows that finds no phase.
fn legacy(ro: &Value) -> &'static str {
    first(&OBSERVED, ro).or_else(|| first(&LEGACY, ro)).unwrap_or("Healthy")
}

/// Passes the time, and collects what is shown meanwhile.
fn watch(world: &mut World, seconds: i64, shown: &mut Vec<String>) {
    for quarter in 0..seconds * 4 {
        let full = health(world.rollout());
        let said = full.split(':').next().unwrap();
        // What somebody has just changed in the status is not in the phase yet; and where there is no phase, old pods
        // behind a router are waited for, which is not so by the phase.
        let is_routed = !world.rollout()["spec"]["strategy"]["canary"]["trafficRouting"].is_null();
        if quarter > 0 && !(is_routed && said == "Healthy") {
            assert_eq!(legacy(world.rollout()), said, "{full}: {:#}", world.rollout()["status"]);
        }
        if shown.last() != Some(&full) {
            shown.push(full);
        }
        world.pass(250);
    }
}

fn spec(world: &mut World, change: &Value) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": change}));
}

fn status(world: &mut World, change: &Value) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": change}));
}

/// An update that is promoted by somebody.
fn update_is_shown(strategy: &Value) -> Vec<String> {
    let (mut world, mut shown) = (deployed(strategy), Vec::new());
    watch(&mut world, 1, &mut shown);
    update(&mut world, "2");
    watch(&mut world, 10, &mut shown);
    status(&mut world, &json!({"pauseConditions": null}));
    watch(&mut world, 90, &mut shown);
    shown
}

#[test]
fn an_update_is_shown_as_it_goes() {
    let unobserved = "Progressing: not observed";
    let more = "Progressing: more replicas need to be updated";
    let suspended = "Suspended: CanaryPauseStep";
    let canary = update_is_shown(&canary());
    assert_eq!(canary[..3], ["Healthy", unobserved, more]);
    let key: Vec<&str> =
        canary.iter().map(String::as_str).filter(|s| !s.starts_with("Progressing")).collect();
    assert_eq!(key, ["Healthy", suspended, suspended, "Healthy"], "{canary:?}");
    let routed = update_is_shown(&routed());
    let key: Vec<&str> =
        routed.iter().map(String::as_str).filter(|s| !s.starts_with("Progressing")).collect();
    assert_eq!(key, ["Healthy", suspended, suspended, "Healthy"], "{routed:?}");
    let blue_green = update_is_shown(&blue_green());
    let key: Vec<&str> =
        blue_green.iter().map(String::as_str).filter(|s| !s.starts_with("Progressing")).collect();
    assert_eq!(key, ["Healthy", "Suspended: BlueGreenPause", "Healthy"], "{blue_green:?}");
}

#[test]
fn what_went_wrong_is_degraded_and_what_is_paused_suspended() {
    let mut shown = Vec::new();
    let mut last = |world: &mut World| {
        watch(world, 5, &mut shown);
        shown.last().unwrap().clone()
    };
    let mut aborted = paused(&routed());
    status(&mut aborted, &json!({"abort": true}));
    assert_eq!(last(&mut aborted), "Degraded: RolloutAborted: Rollout aborted update to revision 2");

    let mut held = deployed(&canary());
    spec(&mut held, &json!({"paused": true}));
    assert_eq!(last(&mut held), "Suspended: manually paused");

    let mut invalid = deployed(&canary());
    spec(&mut invalid, &json!({"selector": {"matchLabels": {"app": "other"}}}));
    assert!(last(&mut invalid).starts_with("Degraded: InvalidSpec: "), "{shown:?}");

    let mut stuck = deployed(&canary());
    stuck.start_latency = jiff::SignedDuration::from_hours(9);
    spec(&mut stuck, &json!({"progressDeadlineSeconds": 3}));
    update(&mut stuck, "2");
    stuck.pass(20_000);
    let mut shown = Vec::new();
    watch(&mut stuck, 1, &mut shown);
    assert!(shown[0].starts_with("Degraded: ProgressDeadlineExceeded: "), "{shown:?}");
}

#[test]
fn a_workload_that_was_seen_is_no_reason_to_wait() {
    let mut world = World::new();
    let template = json!({"metadata": {"labels": {"app": "demo"}}, "spec": {"containers": [{"name": "demo", "image": "demo:1"}]}});
    let selector = json!({"matchLabels": {"app": "demo"}});
    let deployment = json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 0, "selector": selector, "template": template}});
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let rollout = json!({"kind": "Rollout", "metadata": {"name": "demo"}, "spec": {
        "replicas": 2, "selector": selector, "workloadRef": reference, "strategy": {"canary": {}},
    }});
    for object in [deployment, rollout] {
        world.apply(&object.to_string());
    }
    let mut shown = Vec::new();
    watch(&mut world, 10, &mut shown);
    assert_eq!((shown[0].as_str(), shown.last().unwrap().as_str()), ("Progressing: not observed", "Healthy"));
    let change = json!({"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}});
    world.patch(ObjectKind::Deployment, "web", &change);
    watch(&mut world, 20, &mut shown);
    assert_eq!(shown.last().unwrap(), "Healthy");
}

//! What users ask for takes effect exactly once, whenever it comes.

use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

const MANIFEST: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: demo}
spec:
  replicas: 4
  selector: {matchLabels: {app: demo}}
  template:
    metadata: {labels: {app: demo}}
    spec: {containers: [{name: demo, image: "demo:1"}]}
  strategy:
    canary:
      steps:
      - setWeight: 25
      - pause: {}
      - setWeight: 50
      - pause: {duration: 2s}
"#;

/// A Rollout that is healthy with its first template.
fn deployed() -> World {
    let mut world = World::new();
    world.apply(MANIFEST);
    world.pass(5_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    world
}

fn patch(world: &mut World, patch: &Value) {
    world.patch(ObjectKind::Rollout, "demo", patch);
}

fn update(world: &mut World, version: &str) {
    patch(world, &json!({"spec": {"template": {"metadata": {"annotations": {"v": version}}}}}));
}

fn status(world: &World) -> &Value {
    &world.rollout()["status"]
}

fn is_paused(world: &World) -> bool {
    status(world)["pauseConditions"].as_array().is_some_and(|pauses| !pauses.is_empty())
}

/// A promote that meets a pause ends it; one that meets none changes nothing. None is lost.
#[test]
fn a_promote_at_any_moment_counts_if_there_is_a_pause() {
    for moment in (0..9_000).step_by(50) {
        let mut world = deployed();
        update(&mut world, "2");
        world.pass(moment);
        let before = status(&world)["currentStepIndex"].clone();
        let paused = is_paused(&world);
        patch(&mut world, &json!({"status": {"pauseConditions": null}}));
        world.pass(0);
        let after = &status(&world)["currentStepIndex"];
        if paused {
            assert_eq!(after.as_i64(), before.as_i64().map(|i| i + 1), "promoted after {moment} ms");
        } else {
            assert_eq!(*after, before, "promoted after {moment} ms without a pause");
        }
        world.pass(20_000);
        let at_end = status(&world)["phase"] == "Healthy";
        assert_eq!(at_end, paused && before == 1, "only the first pause waits for a user ({moment} ms)");
    }
}

/// Paused by a user while the update scales: nothing moves, and the resume goes on where it stood.
#[test]
fn a_user_pause_at_any_moment_holds_and_its_end_goes_on() {
    for moment in (0..6_000).step_by(250) {
        let mut world = deployed();
        update(&mut world, "2");
        world.pass(moment);
        patch(&mut world, &json!({"spec": {"paused": true}}));
        world.pass(0);
        let held = status(&world)["currentStepIndex"].clone();
        world.pass(60_000);
        assert_eq!(status(&world)["currentStepIndex"], held, "paused after {moment} ms");
        assert_eq!(status(&world)["message"], "manually paused");
        patch(&mut world, &json!({"spec": {"paused": false}}));
        world.pass(20_000);
        patch(&mut world, &json!({"status": {"pauseConditions": null}}));
        world.pass(30_000);
        assert_eq!(status(&world)["phase"], "Healthy", "paused after {moment} ms");
    }
}

/// An abort at any moment brings the stable revision back, and stays until a retry.
#[test]
fn an_abort_at_any_moment_goes_back_and_a_retry_begins_anew() {
    for moment in (50..9_000).step_by(250) {
        let mut world = deployed();
        let stable = status(&world)["stableRS"].clone();
        update(&mut world, "2");
        world.pass(moment);
        patch(&mut world, &json!({"status": {"abort": true}}));
        world.pass(60_000);
        assert_eq!(status(&world)["phase"], "Degraded", "aborted after {moment} ms");
        assert_eq!(status(&world)["stableRS"], stable);
        let sizes: Vec<_> =
            world.all(ObjectKind::ReplicaSet).map(|rs| rs["spec"]["replicas"].clone()).collect();
        assert!(sizes.contains(&json!(4)) && sizes.contains(&json!(0)), "{sizes:?} after {moment} ms");
        patch(&mut world, &json!({"status": {"abort": false}}));
        world.pass(10_000);
        assert!(is_paused(&world), "retried after {moment} ms: {:#}", status(&world));
        assert_eq!(status(&world)["currentStepIndex"], 1);
    }
}

/// A settled Rollout asks for nothing, however often it is looked at.
#[test]
fn a_settled_rollout_needs_no_write() {
    let mut world = deployed();
    let writes = world.writes.len();
    world.pass(3_600_000);
    assert_eq!(world.writes.len(), writes);
    assert!(world.plan().is_empty());
}

/// The moments around the first pause, which begins when the canary's pod is ready, 2.5 s after the update.
fn around_the_pause() -> impl Iterator<Item = i64> {
    (1_500..4_000).step_by(50)
}

/// A user's request, and what must have come of it in the end.
struct Request {
    name: &'static str,
    patch: fn(&World) -> Value,
    outcome: fn(&World) -> bool,
}

fn is_through(world: &World, version: &str) -> bool {
    let template = &world.rollout()["spec"]["template"]["metadata"]["annotations"]["v"];
    status(world)["phase"] == "Healthy"
        && status(world)["stableRS"] == status(world)["currentPodHash"]
        && *template == json!(version)
}

const REQUESTS: [Request; 6] = [
    Request {
        name: "a full promotion",
        patch: |_| json!({"status": {"promoteFull": true}}),
        outcome: |world| is_through(world, "2") && status(world)["promoteFull"].is_null(),
    },
    Request {
        name: "an abort",
        patch: |_| json!({"status": {"abort": true}}),
        outcome: |world| {
            status(world)["phase"] == "Degraded"
                && status(world)["stableRS"] != status(world)["currentPodHash"]
        },
    },
    Request {
        name: "the step after the pause",
        patch: |_| json!({"status": {"pauseConditions": null, "currentStepIndex": 2}}),
        outcome: |world| is_through(world, "2"),
    },
    Request {
        name: "another size",
        patch: |_| json!({"spec": {"replicas": 8}}),
        outcome: |world| {
            let sizes: i64 =
                world.all(ObjectKind::ReplicaSet).map(|rs| rs["spec"]["replicas"].as_i64().unwrap()).sum();
            is_paused(world) && sizes == 8 && status(world)["observedGeneration"] == "3"
        },
    },
    Request {
        name: "another template",
        patch: |_| json!({"spec": {"template": {"metadata": {"annotations": {"v": "3"}}}}}),
        outcome: |world| is_paused(world) && status(world)["currentStepIndex"] == 1,
    },
    Request {
        name: "the template of before",
        patch: |_| json!({"spec": {"template": {"metadata": {"annotations": null}}}}),
        outcome: |world| {
            status(world)["phase"] == "Healthy"
                && status(world)["stableRS"] == status(world)["currentPodHash"]
        },
    },
];

/// Whatever is asked for while a pause is about to begin, or has just begun, comes to pass.
#[test]
fn a_request_around_the_beginning_of_a_pause_takes_effect() {
    for request in REQUESTS {
        for moment in around_the_pause() {
            let mut world = deployed();
            update(&mut world, "2");
            world.pass(moment);
            let asked = (request.patch)(&world);
            patch(&mut world, &asked);
            world.pass(60_000);
            assert!((request.outcome)(&world), "{} after {moment} ms: {:#}", request.name, status(&world));
        }
    }
}

/// A promote that follows a retry at once counts as soon as there is a pause to end.
#[test]
fn a_promote_soon_after_a_retry_is_not_lost() {
    for moment in (0..4_000).step_by(50) {
        let mut world = deployed();
        update(&mut world, "2");
        world.pass(5_000);
        patch(&mut world, &json!({"status": {"abort": true}}));
        world.pass(60_000);
        patch(&mut world, &json!({"status": {"abort": false}}));
        world.pass(moment);
        let paused = is_paused(&world);
        patch(&mut world, &json!({"status": {"pauseConditions": null}}));
        world.pass(60_000);
        let at_end = status(&world)["phase"] == "Healthy";
        assert_eq!(at_end, paused, "promoted {moment} ms after the retry: {:#}", status(&world));
    }
}

//! What users ask for takes effect exactly once, whenever it comes.

use serde_json::{Value, json};
use serin::domain::plan::ObjectKind;

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

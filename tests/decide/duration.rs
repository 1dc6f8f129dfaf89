//! How long updates take, and how they end.

use serde_json::{Value, json};
use serin_core::api::rollout_status::RolloutDuration;
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

fn world(strategy: &Value) -> World {
    let mut world = World::new();
    let service = |name: &str| json!({"kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": "demo"}}});
    let rollout = json!({
        "kind": "Rollout",
        "metadata": {"name": "demo"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "demo"}},
            "template": {
                "metadata": {"labels": {"app": "demo"}},
                "spec": {"containers": [{"name": "demo", "image": "demo:1"}]},
            },
            "strategy": strategy,
        },
    });
    for object in [service("active"), rollout] {
        world.apply(&object.to_string());
    }
    world.pass(10_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    world
}

/// A canary with a pause that waits for somebody, and one that does not.
fn canary() -> World {
    let steps = json!([{"setWeight": 50}, {"pause": {}}, {"pause": {"duration": "20s"}}]);
    world(&json!({"canary": {"steps": steps}}))
}

fn spec(world: &mut World, change: &Value) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": change}));
}

fn status(world: &mut World, change: &Value) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": change}));
}

/// A template of that version, and the time until its first pod is there.
fn update(world: &mut World, version: &Value) {
    spec(world, &json!({"template": {"metadata": {"annotations": {"v": version}}}}));
    world.pass(10_000);
}

fn promote(world: &mut World) {
    status(world, &json!({"pauseConditions": null}));
}

/// How the updates ended, after how many seconds, and how many of them they waited for somebody.
fn ended(world: &World) -> Vec<String> {
    let line = |d: &RolloutDuration| {
        let (start, end) = (d.rollout_started_at.clone().unwrap(), d.finished_at.clone().unwrap());
        let seconds = end.0.duration_since(start.0).as_secs();
        assert_eq!(d.manual_pause_started_at, None, "the pause has ended with the update");
        let how = d.completion_status.unwrap().as_str();
        format!("{how} {seconds} s, {} s paused", d.total_manual_pause_duration_seconds)
    };
    world.ended.iter().map(line).collect()
}

#[test]
fn an_update_is_measured_once() {
    let mut world = canary();
    assert_eq!(ended(&world), ["Promoted 2 s, 0 s paused"]);
    let duration = &world.rollout()["status"]["duration"];
    let finished = json!({
        "rolloutStartedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:02Z", "completionStatus": "Promoted",
    });
    assert_eq!(*duration, finished);
    spec(&mut world, &json!({"replicas": 3}));
    world.pass(60_000);
    assert_eq!(
        (ended(&world).len(), &world.rollout()["status"]["duration"]),
        (1, &finished),
        "nothing was updated"
    );
}

#[test]
fn the_wait_for_a_promotion_is_a_part_of_it() {
    let mut world = canary();
    update(&mut world, &json!("2"));
    assert_eq!(world.rollout()["status"]["duration"]["manualPauseStartedAt"], "2026-01-01T00:00:12Z");
    world.pass(30_000);
    promote(&mut world);
    world.pass(60_000);
    assert_eq!(ended(&world)[1..], ["Promoted 62 s, 38 s paused"]);
}

#[test]
fn a_rollout_that_is_paused_by_its_spec_waits_for_somebody() {
    let mut world = world(&json!({"canary": {"steps": [{"setWeight": 50}, {"pause": {"duration": "5s"}}]}}));
    spec(&mut world, &json!({"paused": true}));
    world.pass(20_000);
    assert_eq!(ended(&world).len(), 1);
    assert_eq!(
        world.rollout()["status"]["duration"]["manualPauseStartedAt"],
        Value::Null,
        "no update is held up"
    );
    update(&mut world, &json!("2"));
    spec(&mut world, &json!({"paused": false}));
    world.pass(60_000);
    assert_eq!(ended(&world)[1..], ["Promoted 19 s, 10 s paused"]);
}

#[test]
fn each_end_has_its_name() {
    let mut world = canary();
    update(&mut world, &json!("2"));
    status(&mut world, &json!({"promoteFull": true}));
    world.pass(20_000);
    assert_eq!(ended(&world).last().unwrap(), "FastPromoted 12 s, 8 s paused");

    update(&mut world, &json!("3"));
    status(&mut world, &json!({"abort": true}));
    world.pass(20_000);
    assert_eq!(ended(&world).last().unwrap(), "Aborted 10 s, 8 s paused");
    status(&mut world, &json!({"abort": false}));
    world.pass(10_000);
    assert_eq!(world.rollout()["status"]["duration"]["finishedAt"], Value::Null, "a retry is a new update");

    update(&mut world, &json!("4"));
    assert_eq!(ended(&world).last().unwrap(), "Superseded 10 s, 8 s paused");

    let count = ended(&world).len();
    update(&mut world, &json!("2"));
    world.pass(20_000);
    assert_eq!(ended(&world)[count..], ["FastRolledBack 12 s, 8 s paused"]);
}

#[test]
fn of_a_preview_only_an_open_end_is_a_wait_for_somebody() {
    let strategy = |enabled: bool| {
        json!({"blueGreen": {
            "activeService": "active", "autoPromotionEnabled": enabled, "autoPromotionSeconds": 30, "scaleDownDelaySeconds": 0,
        }})
    };
    let mut open = world(&strategy(false));
    update(&mut open, &json!("2"));
    promote(&mut open);
    open.pass(20_000);
    assert_eq!(ended(&open)[1..], ["Promoted 10 s, 8 s paused"]);
    let mut timed = world(&strategy(true));
    update(&mut timed, &json!("2"));
    timed.pass(60_000);
    assert_eq!(ended(&timed)[1..], ["Promoted 32 s, 0 s paused"]);
}

#[test]
fn an_update_whose_beginning_nobody_recorded_has_no_duration() {
    let mut world = canary();
    update(&mut world, &json!("2"));
    status(&mut world, &json!({"duration": null}));
    world.pass(10_000);
    promote(&mut world);
    world.pass(60_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    assert_eq!((ended(&world).len(), &world.rollout()["status"]["duration"]), (1, &Value::Null));
}

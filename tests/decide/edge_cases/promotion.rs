//! When a revision becomes stable, and which rollbacks may leave the steps out.

use serde_json::{Value, json};

use crate::scene::{Scene, hash};

/// Why the newest revision becomes stable, past the last step of a canary of `replicas` pods.
#[allow(clippy::needless_pass_by_value, reason = "a value is written where it is called")]
fn reason(replicas: i32, size: i32, available: i32, threshold: Value) -> Option<String> {
    let fields = json!({"steps": [{"setWeight": 50}], "replicaProgressThreshold": threshold});
    let scene =
        Scene::canary(&fields).spec(&json!({"replicas": replicas})).set(1, 1, 1).set(2, size, available);
    let events = scene.status(&json!({"currentStepIndex": 1})).decide().events();
    let completed = events.into_iter().find(|e| e.starts_with("RolloutCompleted"));
    completed.map(|e| e.rsplit(": ").next().unwrap().to_owned())
}

#[test]
fn a_threshold_says_how_many_pods_are_enough() {
    let completed = Some("Completed all 1 canary steps".to_owned());
    let percent = |value: i32| json!({"type": "Percent", "value": value});
    let pods = |value: i32| json!({"type": "Pods", "value": value});
    for (available, threshold, expected) in [
        (9, percent(90), &completed),
        (8, percent(90), &None),
        (9, Value::Null, &None),
        (10, Value::Null, &completed),
        (9, pods(9), &completed),
        (8, pods(9), &None),
        (9, percent(-1), &None),
    ] {
        assert_eq!(reason(10, 10, available, threshold.clone()), *expected, "{available} of 10, {threshold}");
    }
}

#[test]
fn enough_pods_are_those_that_the_spec_asks_for() {
    assert_eq!(reason(2, 2, 1, Value::Null), None);
    assert!(reason(2, 2, 2, Value::Null).is_some());
    assert!(reason(1, 2, 2, Value::Null).is_some(), "an autoscaler may have taken one back");
}

#[test]
fn a_window_counts_the_revisions_in_between() {
    let is_within = |stable: u32, new: u32, revisions: i32| {
        let scene = Scene::canary(&json!({"steps": [{"setWeight": 10}, {"pause": {}}]}));
        let all = (1..=5).fold(scene, |scene, number| scene.set(number, 2, 2));
        let window = json!({"rollbackWindow": {"revisions": revisions}});
        let decision = all.stable(stable).asks_for(new).spec(&window).decide();
        decision.status["currentStepIndex"] == 2
    };
    for (stable, new, revisions, expected) in [
        (1, 9, 1, false),
        (1, 2, 1, false),
        (2, 1, 1, true),
        (3, 1, 1, false),
        (3, 1, 2, true),
        (4, 1, 2, false),
        (5, 4, 1, true),
        (2, 1, 0, false),
    ] {
        assert_eq!(is_within(stable, new, revisions), expected, "from {stable} to {new} within {revisions}");
    }
}

#[test]
fn a_window_does_not_count_what_experiments_made() {
    let is_within = |experiment: Value| {
        let scene = Scene::canary(&json!({"steps": [{"setWeight": 10}]})).set(1, 2, 2).set(2, 0, 0);
        let scene =
            scene.with(&json!({"metadata": {"annotations": {"experiment.argoproj.io/name": experiment}}}));
        let scene =
            scene.set(3, 10, 10).stable(3).asks_for(1).spec(&json!({"rollbackWindow": {"revisions": 1}}));
        scene.decide().status["currentStepIndex"] == 1
    };
    assert_eq!((is_within(json!("e")), is_within(Value::Null)), (true, false));
}

#[test]
fn a_rollback_is_promoted_with_its_reason() {
    let promoted = |window: Value| {
        let scene =
            Scene::canary(&json!({"steps": [{"setWeight": 10}]})).set(1, 10, 10).set(2, 1, 1).stable(2);
        let decision = scene.asks_for(1).spec(&json!({"rollbackWindow": window})).decide();
        decision.events().into_iter().find(|e| e.starts_with("RolloutCompleted"))
    };
    let event = "RolloutCompleted: Rollout completed update to revision 3 (r1): Rollback within window";
    assert_eq!(promoted(json!({"revisions": 1})).as_deref(), Some(event));
    assert_eq!(promoted(Value::Null), None, "outside of a window it is an update like any other");
}

#[test]
fn an_update_is_not_promoted_before_its_last_step_or_after_an_abort() {
    let promoted = |status: &Value| {
        let scene = Scene::canary(&json!({"steps": [{"setWeight": 10}]})).set(1, 1, 1).set(2, 10, 10);
        scene.status(status).decide().status["stableRS"] == hash(2)
    };
    assert!(promoted(&json!({"currentStepIndex": 1})));
    assert!(!promoted(&json!({"currentStepIndex": 0})));
    assert!(!promoted(&json!({"currentStepIndex": 1, "abort": true})));
}

#[test]
fn ping_and_pong_take_turns() {
    let turned = |stable: Value, index: i32| {
        let pair = json!({"pingService": "ping", "pongService": "pong"});
        let scene = Scene::canary(&json!({"pingPong": pair, "steps": [{"setWeight": 10}]}));
        let scene = scene.set(1, 1, 1).set(2, 10, 10).fresh_service("ping").fresh_service("pong");
        let status = json!({"currentStepIndex": index, "canary": {"stablePingPong": stable}});
        scene.status(&status).decide().status["canary"]["stablePingPong"].clone()
    };
    assert_eq!(turned(json!("ping"), 1), "pong");
    assert_eq!(turned(json!("pong"), 1), "ping");
    assert_eq!(turned(Value::Null, 1), "ping", "pong is the stable one where nothing is recorded");
    assert_eq!(turned(json!("ping"), 0), "ping", "nothing is promoted");
}

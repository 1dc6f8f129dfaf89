//! Which revision each Service selects, and when it is moved.

use serde_json::json;
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::scene::{Scene, hash};

/// A canary by numbers of pods with both Services, at a step that asks for half of the pods.
fn scene() -> Scene {
    Scene::canary(
        &json!({"stableService": "stable", "canaryService": "canary", "steps": [{"setWeight": 50}]}),
    )
}

#[test]
fn a_canary_service_is_moved_when_the_revision_can_serve() {
    let moved = |is_managed: bool, size: i32, available: i32| {
        let scene = scene().set(1, 10, 10).set(2, size, available).service("stable", 1);
        let scene = if is_managed { scene.service("canary", 1) } else { scene.fresh_service("canary") };
        scene.decide().only("point")
    };
    for (size, available, expected) in [(0, 0, ""), (2, 0, ""), (2, 1, ""), (2, 2, "point canary  to r2")] {
        assert_eq!(
            moved(false, size, available),
            expected,
            "a Service as the user made it, {available} of {size}"
        );
    }
    for (size, available, expected) in
        [(1, 0, ""), (3, 1, "point canary r1 to r2"), (3, 3, "point canary r1 to r2")]
    {
        assert_eq!(moved(true, size, available), expected, "a Service that was ours, {available} of {size}");
    }
}

#[test]
fn a_stable_service_is_moved_when_the_revision_can_serve() {
    let moved = |is_managed: bool, size: i32, available: i32| {
        let scene = scene().set(1, size, available).service("canary", 1);
        let scene = if is_managed { scene.service("stable", 9) } else { scene.fresh_service("stable") };
        scene.status(&json!({"currentStepIndex": 1})).decide().only("point")
    };
    for (available, expected) in [(0, ""), (9, ""), (10, "point stable  to r1")] {
        assert_eq!(moved(false, 10, available), expected, "{available} of 10");
    }
    for (available, expected) in [(0, ""), (1, "point stable r9 to r1")] {
        assert_eq!(moved(true, 10, available), expected, "{available} of 10");
    }
}

#[test]
fn a_service_is_marked_when_it_is_first_moved_and_told_with_both_hashes() {
    let scene = scene().set(1, 10, 10).set(2, 5, 5).service("stable", 1).fresh_service("canary");
    let decision = scene.decide();
    let sent = json!({
        "metadata": {"annotations": {keys::MANAGED_BY_ROLLOUTS: "demo"}},
        "spec": {"selector": {keys::POD_HASH_LABEL: hash(2)}},
    });
    assert_eq!(decision.sent("canary"), sent);
    let event = "SwitchService: Switched selector for service 'canary' from '' to 'r2'";
    assert!(decision.events().iter().any(|e| e == event));
}

#[test]
fn after_an_abort_the_canary_service_selects_the_stable_revision() {
    let scene = scene().set(1, 9, 9).set(2, 1, 1).service("stable", 1).service("canary", 2);
    assert_eq!(scene.decide().only("point"), "");
    let aborted = scene.status(&json!({"abort": true})).decide();
    assert_eq!(aborted.only("point"), "point canary r2 to r1");
}

#[test]
fn a_service_that_is_no_longer_named_is_given_back() {
    let scene = scene().set(1, 10, 10).service("stable", 1).service("canary", 1).service("former", 1);
    let user = json!({"metadata": {"name": "users"}, "spec": {"selector": {keys::POD_HASH_LABEL: hash(1)}}});
    let decision = scene.object(ObjectKind::Service, user).status(&json!({"currentStepIndex": 1})).decide();
    assert_eq!(decision.only("release"), "release former");
    let sent = json!({
        "metadata": {"annotations": {keys::MANAGED_BY_ROLLOUTS: null}},
        "spec": {"selector": {keys::POD_HASH_LABEL: null}},
    });
    assert_eq!(decision.sent("former"), sent);
}

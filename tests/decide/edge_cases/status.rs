//! What the status says: conditions, counts, and when to look again.

use serde_json::{Value, json};
use serin_values::merge_patch::apply_merge_patch;

use crate::scene::{Decision, Scene, at, condition, hash};

#[test]
fn a_mistake_is_reported_and_its_message_follows_the_mistake() {
    let scene = Scene::canary(&json!({})).set(1, 10, 10).spec(&json!({"selector": {"matchLabels": null}}));
    let mut world = scene.world();
    world.pass(0);
    let message =
        |world: &crate::world::World| world.rollout()["status"]["message"].as_str().unwrap().to_owned();
    assert!(message(&world).contains("spec.selector: Invalid value: {}"), "{}", message(&world));
    let spec = json!({"spec": {"selector": {"matchLabels": {"app": "demo"}}, "replicas": -1}});
    world.patch(serin_core::domain::plan::ObjectKind::Rollout, "demo", &spec);
    world.pass(0);
    assert!(message(&world).contains("spec.replicas: Invalid value: -1"), "{}", message(&world));
    assert!(!message(&world).contains("selector"));
    world.patch(serin_core::domain::plan::ObjectKind::Rollout, "demo", &json!({"spec": {"replicas": 10}}));
    world.pass(0);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
}

/// An update that waits for pods, with this `Progressing` condition and deadline.
fn stuck(progressing: Option<Value>, seconds: i32) -> Scene {
    let scene = Scene::canary(&json!({"steps": [{"setWeight": 10}]})).set(1, 9, 9).set(2, 1, 0);
    let conditions: Vec<Value> = progressing.into_iter().collect();
    scene.spec(&json!({"progressDeadlineSeconds": seconds})).status(&json!({"conditions": conditions}))
}

#[test]
fn a_deadline_is_looked_at_again_when_it_may_have_passed() {
    let since = |reason: &str, seconds| Some(condition("Progressing", "True", reason, seconds));
    let updated = || since("ReplicaSetUpdated", -10);
    let wakes_in = |scene: Scene| scene.decide().wakes_in();
    assert_eq!(wakes_in(stuck(None, 20)), None);
    assert_eq!(wakes_in(stuck(updated(), 20)), Some(11));
    assert_eq!(wakes_in(stuck(updated(), 10)), Some(1));
    assert_eq!(wakes_in(stuck(since("ProgressDeadlineExceeded", -10), 20)), None, "it is known");
    assert_eq!(wakes_in(stuck(updated(), 20).spec(&json!({"paused": true}))), None);
    assert_eq!(wakes_in(stuck(updated(), 20).status(&json!({"abort": true}))), None);
    let complete =
        Scene::canary(&json!({})).set(1, 10, 9).status(&json!({"conditions": [updated().unwrap()]}));
    assert_eq!(wakes_in(complete), Some(591), "pods that are missing are waited for until the same deadline");
}

#[test]
fn an_update_is_timed_out_when_nothing_has_moved_for_too_long() {
    let timed_out = |reason: &str, ago: i64, scene: fn(Scene) -> Scene| {
        let since = condition("Progressing", "True", reason, -ago);
        scene(stuck(Some(since), 10)).decide().condition("Progressing") == "False ProgressDeadlineExceeded"
    };
    let plain: fn(Scene) -> Scene = |scene| scene;
    assert!(!timed_out("ReplicaSetUpdated", 8, plain));
    assert!(!timed_out("ReplicaSetUpdated", 10, plain));
    assert!(timed_out("ReplicaSetUpdated", 11, plain));
    assert!(timed_out("NewReplicaSetCreated", 11, plain));
    assert!(!timed_out("RolloutAborted", 100, plain), "a retry begins anew");
    assert!(!timed_out("RolloutPaused", 100, plain), "so does the end of a pause");
    assert!(!timed_out("ReplicaSetUpdated", 100, |s| s.spec(&json!({"paused": true}))));
    assert!(!timed_out("ReplicaSetUpdated", 100, |s| s.status(&json!({"abort": true}))));
    assert!(
        !timed_out("ReplicaSetUpdated", 100, |s| s.status(&json!({"availableReplicas": 8}))),
        "a pod has become available"
    );
    assert!(!timed_out("ReplicaSetUpdated", 100, |s| s
        .spec(&json!({"strategy": {"canary": {"steps": [{"pause": {}}]}}}))));
    let waiting: fn(Scene) -> Scene = |s| s.set(3, 1, 1).noted("scale-down-deadline", &at(50)).asks_for(2);
    assert!(
        timed_out("ReplicaSetUpdated", 100, waiting),
        "that an old revision waits for its end hides nothing"
    );

    let known = condition("Progressing", "False", "ProgressDeadlineExceeded", -1);
    let decision = stuck(Some(known), 10).decide();
    assert_eq!(
        decision.condition("Progressing"),
        "False ProgressDeadlineExceeded",
        "it stays so until something moves"
    );
    let moved = stuck(Some(condition("Progressing", "False", "ProgressDeadlineExceeded", -1)), 10);
    let moved = moved.status(&json!({"availableReplicas": 8})).decide();
    assert_eq!(moved.condition("Progressing"), "True ReplicaSetUpdated");
}

#[test]
fn a_known_time_out_aborts_as_soon_as_that_is_asked_for() {
    let known = || condition("Progressing", "False", "ProgressDeadlineExceeded", -1);
    let decision = stuck(Some(known()), 600).spec(&json!({"progressDeadlineAbort": true})).decide();
    assert_eq!(decision.status["abort"], true);
    assert_eq!(stuck(Some(known()), 600).decide().status["abort"], Value::Null);
}

/// A settled canary; `patch` is what was different in the status before.
fn progressed(scene: Scene, patch: &Value) -> bool {
    let since = condition("Progressing", "True", "NewReplicaSetCreated", -5);
    let decision = scene.status(&json!({"conditions": [since]})).status(patch).decide();
    decision.condition("Progressing") == "True ReplicaSetUpdated"
}

#[test]
fn progress_is_a_count_a_step_or_a_service_that_moved() {
    let moving = |patch: &Value| {
        let scene = Scene::canary(&json!({"steps": [{"setWeight": 20}]})).set(1, 9, 9).set(2, 1, 0);
        progressed(scene, patch)
    };
    assert!(!moving(&json!({})));
    for patch in [
        json!({"updatedReplicas": 0}),
        json!({"updatedReplicas": 2}),
        json!({"replicas": 11}),
        json!({"readyReplicas": 8}),
        json!({"availableReplicas": 8}),
    ] {
        assert!(moving(&patch), "{patch}");
    }
    assert!(!moving(&json!({"readyReplicas": 10, "availableReplicas": 10})), "pods were lost");
    assert!(!moving(&json!({"replicas": 9})), "there are more old pods");
    let step =
        Scene::canary(&json!({"steps": [{"pause": {}}, {"setWeight": 20}]})).set(1, 10, 10).set(2, 0, 0);
    assert!(progressed(step.status(&json!({"controllerPause": true})), &json!({})), "the step");
    let stable = Scene::canary(&json!({})).set(1, 10, 10).set(2, 10, 10);
    assert!(progressed(stable, &json!({})), "the stable revision");
    let steps = Scene::canary(&json!({})).set(1, 9, 9).set(2, 1, 1);
    assert!(progressed(steps, &json!({"currentStepHash": "other"})), "the steps");
    let blue_green = |patch: &Value| {
        let scene = Scene::blue_green(&json!({"previewService": "preview"})).set(1, 10, 10).set(2, 10, 9);
        progressed(scene.service("active", 1).service("preview", 2), patch)
    };
    assert!(!blue_green(&json!({})));
    assert!(blue_green(&json!({"blueGreen": {"activeSelector": "other"}})));
    assert!(blue_green(&json!({"blueGreen": {"previewSelector": "other"}})));
}

#[test]
fn healthy_is_everything_at_once() {
    let healthy = |scene: Scene| scene.decide().condition("Healthy");
    let canary = |size, available| {
        let scene = Scene::canary(&json!({"steps": [{"setWeight": 10}]})).set(1, size, available);
        scene.status(&json!({"currentStepIndex": 1, "conditions": [condition("Healthy", "True", "RolloutHealthy", -5)]}))
    };
    assert_eq!(healthy(canary(10, 10)), "True RolloutHealthy");
    assert_eq!(healthy(canary(10, 9)), "False RolloutHealthy", "a pod is missing");
    assert_eq!(healthy(canary(11, 11)), "False RolloutHealthy", "there is one too many");
    assert_eq!(
        healthy(canary(10, 10).status(&json!({"observedGeneration": "0"}))),
        "False RolloutHealthy",
        "the spec is new"
    );
    assert_eq!(
        healthy(canary(10, 10).status(&json!({"currentStepIndex": 0}))),
        "True RolloutHealthy",
        "a stable revision is past its steps"
    );
    assert_eq!(healthy(canary(10, 10).spec(&json!({"paused": true}))), "False RolloutHealthy");
    assert_eq!(healthy(canary(10, 10).set(2, 1, 0).asks_for(1)), "False RolloutHealthy", "old pods are left");
    let other = canary(10, 10).set(2, 10, 10).status(&json!({"currentStepIndex": 0}));
    assert_eq!(healthy(other), "False RolloutHealthy", "an update goes on");
    let first = canary(10, 9).status(&json!({"conditions": null}));
    assert_eq!(healthy(first), "", "it has not been healthy yet");
    let blue_green = |active, preview| {
        let scene = Scene::blue_green(&json!({"previewService": "preview", "autoPromotionEnabled": false}));
        let scene = scene.set(1, 10, 10).service("active", active).service("preview", preview);
        healthy(
            scene
                .spec(&json!({"paused": false}))
                .status(&json!({"conditions": [condition("Healthy", "True", "RolloutHealthy", -5)]})),
        )
    };
    assert_eq!(blue_green(1, 1), "True RolloutHealthy");
    let halted = Scene::blue_green(&json!({"previewService": "preview"}))
        .set(1, 10, 10)
        .service("active", 1)
        .service("preview", 2);
    let pause = json!([{"reason": "InconclusiveAnalysisRun", "startTime": at(-1)}]);
    let halted = halted.status(&json!({"pauseConditions": pause, "conditions": [condition("Healthy", "True", "RolloutHealthy", -5)]}));
    assert_eq!(healthy(halted), "False RolloutHealthy");
}

#[test]
fn completed_says_that_the_newest_revision_is_stable() {
    let done = Scene::canary(&json!({})).set(1, 10, 9).decide();
    assert_eq!(done.condition("Completed"), "True RolloutCompleted");
    let begun = Scene::canary(&json!({"steps": [{"setWeight": 1}]})).set(1, 10, 10).set(2, 0, 0).decide();
    assert_eq!(begun.condition("Completed"), "False RolloutCompleted");
    let event = "RolloutNotCompleted: Rollout not completed, started update to revision 2 (r2)";
    assert!(begun.events().contains(&event.to_owned()));
    let known = json!({"conditions": [apply_merge_patch(&condition("Completed", "False", "RolloutCompleted", -5), &json!({"message": "RolloutCompleted"}))]});
    let later = Scene::canary(&json!({"steps": [{"setWeight": 1}]}))
        .set(1, 10, 10)
        .set(2, 0, 0)
        .status(&known)
        .decide();
    assert!(!later.events().contains(&event.to_owned()), "told once");
}

#[test]
fn available_is_judged_by_what_serves() {
    assert_eq!(
        Scene::canary(&json!({})).set(1, 10, 10).decide().condition("Available"),
        "True AvailableReason"
    );
    assert_eq!(
        Scene::canary(&json!({})).set(1, 10, 9).decide().condition("Available"),
        "False AvailableReason"
    );
    let two = Scene::canary(&json!({"steps": [{"pause": {}}]})).set(1, 9, 9).set(2, 1, 1).decide();
    assert_eq!(two.condition("Available"), "True AvailableReason", "pods of both revisions serve");
    let blue_green = |available| {
        let scene =
            Scene::blue_green(&json!({"autoPromotionEnabled": false})).set(1, 10, available).set(2, 10, 10);
        scene.service("active", 1).decide().condition("Available")
    };
    assert_eq!(
        (blue_green(10).as_str(), blue_green(9).as_str()),
        ("True AvailableReason", "False AvailableReason")
    );
}

#[test]
fn a_replica_set_that_cannot_make_pods_is_quoted() {
    let failure = |text: &str| {
        json!({"status": {"conditions": [{
            "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": text,
            "lastTransitionTime": at(-5),
        }]}})
    };
    let scene = Scene::canary(&json!({"steps": [{"setWeight": 10}]})).set(1, 9, 9).with(&failure("old"));
    let decision = scene.set(2, 1, 0).with(&failure("quota")).decide();
    let message = |decision: &Decision| {
        let mut all = decision.status["conditions"].as_array().into_iter().flatten();
        all.find(|c| c["type"] == "ReplicaFailure").map(|c| c["message"].clone())
    };
    assert_eq!(decision.condition("ReplicaFailure"), "True FailedCreate");
    assert_eq!(message(&decision), Some(json!("quota")), "the newest revision comes first");
    let over = Scene::canary(&json!({})).set(1, 10, 10);
    let over = over
        .status(&json!({"conditions": [condition("ReplicaFailure", "True", "FailedCreate", -5)]}))
        .decide();
    assert_eq!(over.condition("ReplicaFailure"), "");
}

#[test]
fn what_was_observed_before_is_replaced_whatever_it_was() {
    for observed in ["abc", "99", "-1", "00001"] {
        let scene = Scene::canary(&json!({})).set(1, 10, 10);
        let decision = scene.status(&json!({"observedGeneration": observed})).decide();
        assert_eq!(decision.status["observedGeneration"], "1", "after {observed:?}");
        assert_eq!(
            (decision.requests().as_str(), &decision.status["currentPodHash"]),
            ("revision 1", &json!(hash(1)))
        );
    }
}

#[test]
fn a_healthy_rollout_that_is_paused_says_so_once() {
    let mut world = Scene::canary(&json!({})).set(1, 10, 10).world();
    world.pass(1_000);
    assert_eq!(Decision::on(&world).condition("Progressing"), "True NewReplicaSetAvailable");
    world.patch(serin_core::domain::plan::ObjectKind::Rollout, "demo", &json!({"spec": {"paused": true}}));
    world.pass(60_000);
    let seen = world.seen("rollout.condition.Progressing");
    assert!(!seen.iter().any(|value| value.starts_with("Unknown")), "{seen:?}");
    assert_eq!(world.rollout()["status"]["message"], "manually paused");
}

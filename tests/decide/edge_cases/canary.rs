//! The steps of a canary: pauses, edits, aborts, rollbacks.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::hash::step_hash;

use crate::scene::{Decision, Scene, at, condition, hash};

const STEPS: &str = r#"[{"setWeight": 10}, {"pause": {}}, {"setWeight": 50}]"#;

/// A canary with `STEPS` in the middle of an update to revision 2, at the step of that index, with the pods for it.
fn at_step(index: i32, stable: i32, canary: i32) -> Scene {
    let steps: Value = serde_json::from_str(STEPS).unwrap();
    let scene = Scene::canary(&json!({"steps": steps})).set(1, stable, stable).set(2, canary, canary);
    scene.status(&json!({"currentStepIndex": index}))
}

fn index(decision: &Decision) -> &Value {
    &decision.status["currentStepIndex"]
}

/// The status of a pause that began so many seconds after the model's first moment.
fn paused_since(seconds: i64) -> Value {
    let pause = json!({"reason": "CanaryPauseStep", "startTime": at(seconds)});
    json!({"controllerPause": true, "pauseConditions": [pause]})
}

#[test]
fn a_new_template_makes_a_replica_set_and_begins_at_the_first_step() {
    let edited = json!({"metadata": {"generation": 2}});
    let scene = at_step(2, 5, 5).asks_for(3).status(&json!({"currentPodHash": hash(2)}));
    let decision = scene.rollout(&edited).decide();
    assert_eq!(decision.requests(), "revision 3, create r3");
    assert_eq!(decision.sent("r3")["spec"]["replicas"], 0);
    assert_eq!((index(&decision), &decision.status["currentPodHash"]), (&json!(0), &json!(hash(3))));
}

#[test]
fn a_pause_begins_holds_and_ends_when_the_user_says_so() {
    let begun = at_step(1, 9, 1).decide();
    assert_eq!(
        (begun.pauses().as_str(), &begun.status["controllerPause"]),
        ("CanaryPauseStep", &json!(true))
    );
    assert_eq!(begun.wakes_in(), None);
    assert!(begun.events().contains(&"RolloutPaused: Rollout is paused (CanaryPauseStep)".to_owned()));

    let mut world = at_step(1, 9, 1).world();
    world.pass(0);
    let (writes, decision) = (world.writes.len(), Decision::on(&world));
    assert!(decision.plan.is_empty());
    world.pass(3_600_000);
    assert_eq!(world.writes.len(), writes);

    let resumed = at_step(1, 9, 1).status(&json!({"controllerPause": true})).decide();
    assert_eq!((index(&resumed), &resumed.status["controllerPause"]), (&json!(2), &Value::Null));
}

#[test]
fn a_timed_pause_ends_by_itself_unless_the_user_paused() {
    let timed = |seconds: i64, user: bool| {
        let scene = Scene::canary(&json!({"steps": [{"pause": {"duration": "10s"}}, {"setWeight": 50}]}));
        let scene = scene.set(1, 10, 10).set(2, 0, 0).status(&paused_since(-seconds));
        let decision = scene.spec(&json!({"paused": user})).decide();
        (index(&decision).clone(), decision.pauses(), decision.wakes_in())
    };
    assert_eq!((timed(10, false).0, timed(10, false).1), (json!(1), String::new()));
    assert_eq!(timed(11, false).0, json!(1));
    assert_eq!(timed(4, false), (json!(0), "CanaryPauseStep".to_owned(), Some(6)));
    assert_eq!(timed(11, true).0, json!(0));
}

#[test]
fn a_pause_is_looked_at_again_when_it_ends_however_long_it_is() {
    let wakes_in = |duration: Value| {
        let step = json!({"pause": {"duration": duration}});
        let scene = Scene::canary(&json!({"steps": [step]})).set(1, 10, 10).set(2, 0, 0);
        (scene.decide().wakes_in(), scene.status(&paused_since(0)).decide().wakes_in())
    };
    assert_eq!(wakes_in(json!(30)), (Some(30), Some(30)));
    assert_eq!(wakes_in(json!("2h")), (Some(7200), Some(7200)));
    assert_eq!(wakes_in(Value::Null), (None, None));
}

#[test]
fn a_retry_begins_the_progress_deadline_anew() {
    let aborted = condition("Progressing", "False", "RolloutAborted", -3600);
    let retried =
        at_step(0, 10, 0).status(&json!({"conditions": [aborted], "abortedAt": at(-3600)})).decide();
    assert_eq!(retried.condition("Progressing"), "Unknown RolloutRetry");
    assert_eq!((&retried.status["abortedAt"], index(&retried)), (&Value::Null, &json!(0)));
    let conditions = retried.status["conditions"].as_array().unwrap();
    let progressing = conditions.iter().find(|c| c["type"] == "Progressing").unwrap();
    assert_eq!(
        (&progressing["lastUpdateTime"], &progressing["message"]),
        (&json!(at(0)), &json!("Retrying Rollout after abort"))
    );

    let mut world = at_step(0, 10, 0)
        .status(&json!({"conditions": [condition("Progressing", "False", "RolloutAborted", -3600)]}))
        .world();
    world.pass(590_000);
    assert_ne!(world.rollout()["status"]["phase"], "Degraded");
}

#[test]
fn edited_steps_or_another_template_begin_at_the_first_step() {
    let steps = at_step(1, 9, 1).status(&json!({"currentStepHash": step_hash(None)})).decide();
    assert_eq!((index(&steps), steps.requests().as_str()), (&json!(0), "revision 2"));
    assert_eq!(steps.pauses(), "");
    let empty = at_step(1, 9, 1).status(&json!({"currentStepHash": null})).decide();
    assert_eq!(index(&empty), &json!(0), "none is another one");
    let template = at_step(1, 9, 1).set(3, 0, 0).status(&json!({"currentPodHash": hash(2)})).decide();
    assert_eq!((index(&template), &template.status["currentPodHash"]), (&json!(0), &json!(hash(3))));
    let same = at_step(1, 9, 1).decide();
    assert_eq!(index(&same), &json!(1));
}

#[test]
fn the_first_revision_is_stable_at_once() {
    for (steps, expected) in
        [(json!([{"setWeight": 5}, {"pause": {}}]), json!(2)), (Value::Null, Value::Null)]
    {
        let scene = Scene::canary(&json!({"steps": steps})).set(1, 0, 0).status(&json!({"stableRS": null}));
        let decision = scene.decide();
        assert_eq!((&decision.status["stableRS"], index(&decision)), (&json!(hash(1)), &expected));
        assert_eq!(decision.only("scale"), "scale r1 0 to 10");
        let event = "RolloutCompleted: Rollout completed update to revision 1 (r1): Initial deploy";
        assert!(decision.events().contains(&event.to_owned()), "{:?}", decision.events());
    }
}

#[test]
fn back_to_the_stable_template_leaves_the_steps_out() {
    let back = at_step(1, 9, 1).asks_for(1).status(&json!({"currentPodHash": hash(2)}));
    let skipped = "SkipSteps: Rollback to stable ReplicaSets".to_owned();
    let decision = back.decide();
    assert_eq!(index(&decision), &json!(3));
    assert!(decision.events().contains(&skipped));

    let back =
        at_step(1, 9, 1).asks_for(1).status(&json!({"currentPodHash": hash(2), "currentStepHash": "other"}));
    let decision = back.decide();
    assert_eq!((index(&decision), decision.events().contains(&skipped)), (&json!(3), true));

    let forward = at_step(1, 9, 1).set(3, 0, 0).status(&json!({"currentPodHash": hash(2)})).decide();
    assert!(!forward.events().contains(&skipped));
}

#[test]
fn back_to_a_revision_within_the_window_leaves_the_steps_out() {
    let back = |window: Value, size: i32| {
        let steps: Value = serde_json::from_str(STEPS).unwrap();
        let scene = Scene::canary(&json!({"steps": steps})).set(1, size, size).set(2, 10, 10).stable(2);
        let scene = scene.asks_for(1).spec(&json!({"rollbackWindow": window}));
        scene.status(&json!({"currentPodHash": hash(2), "currentStepIndex": 3}))
    };
    let skipped = "SkipSteps: Rollback to active ReplicaSets within RollbackWindow".to_owned();
    let running = back(json!({"revisions": 1}), 4).decide();
    assert_eq!((index(&running), running.events().contains(&skipped)), (&json!(3), true));
    let gone = back(json!({"revisions": 1}), 0).decide();
    assert_eq!((index(&gone), gone.events().contains(&skipped)), (&json!(0), false));
    let outside = back(Value::Null, 4).decide();
    assert_eq!((index(&outside), outside.events().contains(&skipped)), (&json!(0), false));
    let later =
        back(json!({"revisions": 1}), 0).status(&json!({"currentPodHash": hash(1), "currentStepIndex": 0}));
    assert_eq!(index(&later.decide()), &json!(3), "one decision later nothing depends on pods");
}

#[test]
fn an_autoscaler_sees_all_pods_of_a_canary() {
    let scene = at_step(1, 9, 2).with(&json!({"status": {"replicas": 3}}));
    let status = scene.decide().status;
    assert_eq!((&status["HPAReplicas"], &status["selector"]), (&json!(12), &json!("app=demo")));
    assert_eq!((&status["replicas"], &status["updatedReplicas"]), (&json!(12), &json!(3)));
}

#[test]
fn a_service_that_is_missing_is_a_mistake_of_the_spec() {
    let fields = json!({"stableService": "stable", "canaryService": "canary"});
    for (there, field) in [("canary", "stableService"), ("stable", "canaryService")] {
        let scene = Scene::canary(&fields).set(1, 10, 10).fresh_service(there);
        let decision = scene.decide();
        assert_eq!(decision.requests(), "");
        let (name, path) = (field.trim_end_matches("Service"), format!("spec.strategy.canary.{field}"));
        let message = format!("{path}: Invalid value: \"{name}\": service \"{name}\" not found");
        assert!(decision.phase().contains(&message), "{}", decision.phase());
    }
}

#[test]
fn an_abort_goes_back_to_the_first_step() {
    let aborted = json!({"abort": true});
    let with_steps = at_step(2, 9, 1).status(&aborted).decide();
    assert_eq!((index(&with_steps), &with_steps.status["abortedAt"]), (&json!(0), &json!(at(0))));
    let promoted = at_step(3, 10, 0).asks_for(1).status(&aborted).decide();
    assert_eq!(
        (index(&promoted), &promoted.status["abort"]),
        (&json!(3), &Value::Null),
        "there is nothing to abort"
    );
    let without = Scene::canary(&json!({})).set(1, 9, 9).set(2, 1, 1).status(&aborted).decide();
    assert_eq!((index(&without), &without.status["abort"]), (&Value::Null, &json!(true)));
}

#[test]
fn one_pause_may_end_while_another_holds() {
    let pause = |reason: &str, seconds| json!({"reason": reason, "startTime": at(seconds)});
    let two = json!([pause("InconclusiveAnalysisRun", -60), pause("CanaryPauseStep", -60)]);
    let scene = Scene::canary(&json!({"steps": [{"pause": {"duration": 10}}, {"setWeight": 20}]}));
    let scene =
        scene.set(1, 10, 10).set(2, 0, 0).status(&json!({"controllerPause": true, "pauseConditions": two}));
    let ended = scene.decide();
    assert_eq!((ended.pauses().as_str(), index(&ended)), ("InconclusiveAnalysisRun", &json!(1)));
    assert_eq!(ended.status["controllerPause"], true);
    assert!(!ended.events().iter().any(|e| e.starts_with("RolloutResumed")), "one still holds");
    let aborted = scene.status(&json!({"abort": true})).decide();
    assert_eq!((aborted.pauses().as_str(), &aborted.status["controllerPause"]), ("", &Value::Null));
}

#[test]
fn pauses_are_told_when_they_begin_and_end_and_not_when_an_abort_ends_them() {
    let told = |scene: Scene| {
        let events = scene.decide().events();
        let about = |e: &&String| e.starts_with("RolloutPaused") || e.starts_with("RolloutResumed");
        events
            .iter()
            .filter(about)
            .map(|e| e.split(':').next().unwrap().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let timed = |duration| {
        let scene = Scene::canary(&json!({"steps": [{"pause": {"duration": duration}}]}));
        scene.set(1, 10, 10).set(2, 0, 0)
    };
    assert_eq!(told(timed(10)), "RolloutPaused");
    assert_eq!(told(timed(100).status(&paused_since(-50))), "");
    assert_eq!(told(timed(10).status(&paused_since(-50))), "RolloutResumed");
    assert_eq!(told(timed(100).status(&paused_since(-50)).status(&json!({"abort": true}))), "");
}

#[test]
fn a_full_promotion_leaves_steps_and_pauses_out() {
    let pause = paused_since(-5);
    let scene = at_step(1, 9, 1).status(&pause).status(&json!({"promoteFull": true}));
    let asked = scene.decide();
    assert_eq!((index(&asked), asked.pauses().as_str()), (&json!(3), ""));
    assert_eq!(
        (&asked.status["promoteFull"], asked.only("scale").as_str()),
        (&json!(true), "scale r1 9 to 7")
    );
    let done = at_step(3, 0, 10).status(&json!({"promoteFull": true})).decide();
    assert_eq!((&done.status["promoteFull"], &done.status["stableRS"]), (&Value::Null, &json!(hash(2))));
    assert!(done.events().iter().any(|e| e.ends_with("Full promotion requested")));
}

#[test]
fn a_deadline_of_the_last_stable_revision_is_written_after_the_promotion() {
    let scene =
        Scene::routed(&json!({"steps": [{"setWeight": 100}]})).service("stable", 1).service("canary", 2);
    let scene = scene.set(1, 10, 10).set(2, 10, 10).weight(100, 2).status(&json!({"currentStepIndex": 1}));
    let mut world = scene.world();
    let promotes = Decision::on(&world);
    assert_eq!((&promotes.status["stableRS"], promotes.only("delay").as_str()), (&json!(hash(2)), ""));
    world.pass(0);
    let old =
        world.get(serin_core::domain::plan::ObjectKind::ReplicaSet, &format!("demo-{}", hash(1))).unwrap();
    assert_eq!(old["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE], at(30));
}

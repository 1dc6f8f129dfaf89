//! Blue-green: preview, pause, switch, and what becomes of the revisions before.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::scene::{Decision, Scene, at, hash};

/// An update from revision 1 to 2 whose new pods are available.
fn update(fields: &Value) -> Scene {
    Scene::blue_green(fields).set(1, 10, 10).set(2, 10, 10).service("active", 1)
}

fn paused_since(seconds: i64) -> Value {
    let pause = json!({"reason": "BlueGreenPause", "startTime": at(seconds)});
    json!({"controllerPause": true, "pauseConditions": [pause]})
}

#[test]
fn the_first_revision_is_made_and_previewed_at_once() {
    let fields = json!({"previewService": "preview"});
    let scene = Scene::blue_green(&fields).fresh_service("active").fresh_service("preview");
    let first = scene.status(&json!({"stableRS": null, "currentPodHash": null})).decide();
    assert_eq!(first.requests(), "revision 1, create r1, point preview  to r1");
    let metadata = &first.sent("preview")["metadata"];
    assert_eq!(metadata["annotations"][keys::MANAGED_BY_ROLLOUTS], "demo");
    let unmarked = json!({"metadata": {"name": "preview"}, "spec": {"selector": {"app": "demo", keys::POD_HASH_LABEL: hash(1)}}});
    let scene = Scene::blue_green(&fields).set(1, 10, 10).service("active", 1);
    let marked = scene.object(ObjectKind::Service, unmarked).decide();
    assert_eq!(
        marked.only("point"),
        "point preview r1 to r1",
        "the mark is added to a Service that selects the right pods"
    );
}

#[test]
fn the_first_revision_scales_nothing_but_itself() {
    let scene = Scene::blue_green(&json!({})).set(1, 0, 0).fresh_service("active");
    let first = scene.status(&json!({"stableRS": null, "blueGreen": {"activeSelector": null}})).decide();
    assert_eq!(first.only("scale"), "scale r1 0 to 10");
    assert_eq!(first.only("point"), "", "it has no pods yet");
    assert_eq!(first.status["stableRS"], hash(1));
    assert!(first.events().iter().any(|e| e.ends_with("Initial deploy")));
}

#[test]
fn the_switch_waits_for_what_it_is_to_wait_for() {
    let outcome = |scene: Scene| {
        let decision = scene.decide();
        format!("{}|{}", decision.only("point"), decision.pauses())
    };
    let (switched, paused) = ("point active r1 to r2|", "|BlueGreenPause");
    let by_hand = json!({"autoPromotionEnabled": false});
    let by_time = json!({"autoPromotionSeconds": 10});
    let unready = Scene::blue_green(&by_hand).set(1, 10, 10).set(2, 10, 9).service("active", 1);
    assert_eq!(outcome(unready), "|", "new pods are missing");
    assert_eq!(outcome(update(&json!({}))), switched);
    assert_eq!(outcome(update(&by_hand)), paused);
    assert_eq!(outcome(update(&by_hand).status(&paused_since(-3600))), paused);
    assert_eq!(
        outcome(update(&by_hand).status(&json!({"controllerPause": true}))),
        switched,
        "the user resumed it"
    );
    assert_eq!(outcome(update(&by_time).status(&paused_since(-9))), paused);
    assert_eq!(outcome(update(&by_time).status(&paused_since(-10))), switched);
    let held = update(&by_time).status(&paused_since(-10)).spec(&json!({"paused": true}));
    assert_eq!(outcome(held), paused, "the user paused it");
    let pause = json!({"reason": "InconclusiveAnalysisRun", "startTime": at(-100)});
    let inconclusive = json!({"controllerPause": true, "pauseConditions": [pause]});
    assert_eq!(outcome(update(&json!({})).status(&inconclusive)), "|InconclusiveAnalysisRun");
    let new = Scene::blue_green(&by_hand).set(1, 10, 10).set(2, 10, 10);
    assert_eq!(outcome(new.service("active", 2)), "|", "it serves already");
    let new = Scene::blue_green(&by_hand).set(1, 10, 10).set(2, 10, 10);
    let fresh = new.fresh_service("active").status(&json!({"stableRS": null}));
    assert_eq!(outcome(fresh), "point active  to r2|", "nothing served before");
    assert_eq!(update(&by_time).decide().wakes_in(), Some(10));
}

#[test]
fn a_pause_with_nothing_new_needs_no_write() {
    let mut world = update(&json!({"autoPromotionEnabled": false})).world();
    world.pass(0);
    let writes = world.writes.len();
    world.pass(3_600_000);
    assert_eq!(world.writes.len(), writes);
    assert_eq!(world.rollout()["status"]["message"], "BlueGreenPause");
}

#[test]
fn a_switch_promotes_in_the_same_decision() {
    let decision = update(&json!({})).decide();
    assert_eq!((&decision.status["stableRS"], decision.only("delay").as_str()), (&json!(hash(2)), ""));
    assert_eq!(decision.phase(), "Healthy");
    let event = "RolloutCompleted: Rollout completed update to revision 2 (r2): Completed blue-green update";
    assert!(decision.events().contains(&event.to_owned()));
    let mut world = update(&json!({})).world();
    world.pass(0);
    let old = world.get(ObjectKind::ReplicaSet, &format!("demo-{}", hash(1))).unwrap();
    assert_eq!(
        old["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE],
        at(30),
        "the delay comes one decision later"
    );
}

#[test]
fn a_smaller_preview_grows_when_it_has_been_accepted() {
    let preview = |size, available, status: &Value| {
        let fields = json!({"previewReplicaCount": 1, "autoPromotionEnabled": false});
        let scene = Scene::blue_green(&fields).set(1, 10, 10).set(2, size, available).service("active", 1);
        let decision = scene.status(status).decide();
        let passed = decision.status["blueGreen"]["scaleUpPreviewCheckPoint"] == true;
        format!("{}|{}|{}|{passed}", decision.only("scale"), decision.only("point"), decision.pauses())
    };
    let none = json!({});
    let checked = json!({"blueGreen": {"scaleUpPreviewCheckPoint": true}});
    assert_eq!(preview(0, 0, &none), "scale r2 0 to 1|||false");
    assert_eq!(preview(1, 0, &none), "|||false", "its size and its pods both count");
    assert_eq!(preview(1, 1, &none), "||BlueGreenPause|false");
    assert_eq!(preview(1, 1, &json!({"controllerPause": true})), "|||true", "the user resumed it");
    assert_eq!(preview(1, 1, &checked), "scale r2 1 to 10|||true");
    assert_eq!(preview(10, 10, &checked), "|point active r1 to r2||false", "the switch clears it");
    let paused = json!({"blueGreen": {"scaleUpPreviewCheckPoint": true}, "pauseConditions": paused_since(-1)["pauseConditions"]});
    assert_eq!(preview(1, 1, &paused), "|||true", "accepted while the pause is still recorded");
    let other = json!({"blueGreen": {"scaleUpPreviewCheckPoint": true}, "currentPodHash": "other"});
    assert_eq!(preview(1, 1, &other), "|||false", "another revision begins anew");
    let fields = json!({"previewReplicaCount": 1});
    let scene = Scene::blue_green(&fields).set(1, 10, 10).set(2, 1, 1).service("active", 1).asks_for(3);
    let scene = scene.rollout(&json!({"metadata": {"generation": 2}})).status(&checked);
    let made = scene.status(&json!({"currentPodHash": hash(2)})).decide();
    assert_eq!(made.sent("r3")["spec"]["replicas"], 1, "so does its size");
    assert_eq!(preview(1, 1, &json!({"promoteFull": true})), "scale r2 1 to 10|||false");
}

#[test]
fn an_autoscaler_sees_the_pods_that_serve() {
    let scene = |active: bool| {
        let scene = Scene::blue_green(&json!({"autoPromotionEnabled": false})).set(1, 10, 9).set(2, 10, 10);
        if active { scene.service("active", 1) } else { scene.fresh_service("active") }
    };
    let status = scene(true).decide().status;
    assert_eq!((&status["HPAReplicas"], &status["availableReplicas"]), (&json!(10), &json!(9)));
    assert_eq!(status["selector"], format!("app=demo,{}={}", keys::POD_HASH_LABEL, hash(1)));
    assert_eq!(status["replicas"], 20);
    let unready =
        Scene::blue_green(&json!({})).set(1, 10, 0).set(2, 10, 9).fresh_service("active").decide().status;
    assert_eq!((&unready["HPAReplicas"], &unready["availableReplicas"]), (&json!(20), &json!(9)));
    assert_eq!(unready["selector"], "app=demo");
}

#[test]
fn old_revisions_go_when_their_time_has_come() {
    let old = |deadline: &str| {
        let scene = Scene::blue_green(&json!({})).set(1, 10, 10).noted(keys::SCALE_DOWN_DEADLINE, deadline);
        let decision = scene.set(2, 10, 10).stable(2).service("active", 2).decide();
        (decision.only("scale"), decision.wakes_in())
    };
    assert_eq!(old(&at(20)), (String::new(), Some(20)));
    assert_eq!(old(&at(0)).0, "scale r1 10 to 0");
    assert_eq!(old("tomorrow").0, "scale r1 10 to 0");
    assert_eq!(old("").0, "scale r1 10 to 0");
    let scene = Scene::blue_green(&json!({})).set(1, 10, 10).noted(keys::SCALE_DOWN_DEADLINE, &at(-1));
    let sent = scene.set(2, 10, 10).stable(2).service("active", 2).decide().sent("r1");
    assert_eq!(sent["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE], Value::Null);
    assert_eq!(sent["spec"], json!({"replicas": 0}));
}

#[test]
fn only_so_many_old_revisions_wait() {
    let others = |limit: Value, delay: Value| {
        let fields = json!({"scaleDownDelayRevisionLimit": limit, "scaleDownDelaySeconds": delay});
        let scene = Scene::blue_green(&fields).set(1, 10, 10).set(2, 10, 10).set(3, 10, 10);
        let scene =
            scene.noted(keys::SCALE_DOWN_DEADLINE, &at(20)).set(4, 10, 10).stable(4).service("active", 4);
        let decision = scene.decide();
        [decision.only("delay"), decision.only("scale")].join("|")
    };
    assert_eq!(others(Value::Null, Value::Null), "delay r2 30, delay r1 30|");
    assert_eq!(others(json!(2), Value::Null), "delay r2 30|scale r1 10 to 0");
    assert_eq!(others(json!(1), Value::Null), "|scale r2 10 to 0, scale r1 10 to 0");
    assert_eq!(others(json!(0), Value::Null), "|scale r3 10 to 0, scale r2 10 to 0, scale r1 10 to 0");
    assert_eq!(others(Value::Null, json!(0)), "|scale r2 10 to 0, scale r1 10 to 0", "no delay is one of 0");
    assert_eq!(others(Value::Null, json!(90)), "delay r2 90, delay r1 90|");
}

#[test]
fn back_to_a_revision_whose_pods_wait_needs_no_pause() {
    let back = |deadline: Option<&str>| {
        let scene = Scene::blue_green(&json!({"autoPromotionEnabled": false})).set(1, 10, 10);
        let scene = match deadline {
            Some(deadline) => scene.noted(keys::SCALE_DOWN_DEADLINE, deadline),
            None => scene,
        };
        let decision = scene.set(2, 10, 10).stable(2).asks_for(1).service("active", 2).decide();
        [decision.only("keep"), decision.only("point"), decision.pauses()].join("|")
    };
    assert_eq!(back(Some(&at(20))), "keep r1|point active r2 to r1|");
    assert_eq!(back(Some(&at(-20))), "keep r1||BlueGreenPause", "its time is over");
    assert_eq!(back(None), "||BlueGreenPause");
}

#[test]
fn an_abort_switches_back() {
    let aborted = |active, stable_available, new_available| {
        let scene = Scene::blue_green(&json!({})).set(1, 10, stable_available).set(2, 10, new_available);
        scene.service("active", active).status(&json!({"abort": true})).decide()
    };
    let decision = aborted(2, 10, 10);
    assert_eq!(decision.only("point"), "point active r2 to r1");
    assert_eq!(decision.phase(), "Degraded: RolloutAborted: Rollout aborted update to revision 2");
    assert_eq!(decision.condition("Progressing"), "False RolloutAborted");
    assert_eq!(aborted(2, 10, 0).only("point"), "point active r2 to r1", "however the new one is doing");
    assert_eq!(aborted(2, 0, 10).only("point"), "", "nothing is there to switch to");
    assert_eq!(aborted(1, 10, 10).only("point"), "");
    assert_eq!(aborted(1, 10, 10).only("delay"), "delay r2 30");
}

#[test]
fn a_full_promotion_waits_for_pods_alone() {
    let full = json!({"promoteFull": true});
    let fields = json!({"autoPromotionEnabled": false, "previewReplicaCount": 1});
    let small = Scene::blue_green(&fields).set(1, 10, 10).set(2, 1, 1).service("active", 1);
    let asked = small.status(&full).status(&paused_since(-1)).decide();
    assert_eq!((asked.only("scale").as_str(), asked.only("point").as_str()), ("scale r2 1 to 10", ""));
    let whole = Scene::blue_green(&fields).set(1, 10, 10).set(2, 10, 10).service("active", 1);
    let done = whole.status(&full).status(&paused_since(-1)).decide();
    assert_eq!((done.only("point").as_str(), done.pauses().as_str()), ("point active r1 to r2", ""));
    assert_eq!((&done.status["promoteFull"], &done.status["stableRS"]), (&Value::Null, &json!(hash(2))));
}

#[test]
fn a_revision_becomes_stable_when_it_serves_and_nobody_gave_it_up() {
    let promoted = |active, status: &Value| {
        let scene = Scene::blue_green(&json!({"autoPromotionEnabled": false})).set(1, 10, 10).set(2, 10, 10);
        let decision = scene.service("active", active).status(status).decide();
        let completed = decision.events().into_iter().find(|e| e.starts_with("RolloutCompleted"));
        completed.map(|e| e.rsplit(": ").next().unwrap().to_owned())
    };
    let none = json!({});
    assert_eq!(promoted(1, &none), None, "users are elsewhere");
    assert_eq!(promoted(2, &none).as_deref(), Some("Completed blue-green update"));
    assert_eq!(promoted(2, &json!({"abort": true})), None);
    assert_eq!(promoted(2, &json!({"promoteFull": true})).as_deref(), Some("Full promotion requested"));
    assert_eq!(promoted(2, &json!({"stableRS": null})).as_deref(), Some("Initial deploy"));
}

#[test]
fn a_stuck_update_is_aborted_only_while_it_is_one() {
    let late = |stable: u32, size, available| {
        let scene = Scene::blue_green(&json!({})).set(1, 10, 10).set(2, size, available).stable(stable);
        let since = crate::scene::condition("Progressing", "True", "ReplicaSetUpdated", -700);
        let scene = scene.service("active", stable).spec(&json!({"progressDeadlineAbort": true}));
        scene.status(&json!({"conditions": [since]})).decide()
    };
    let stuck = late(1, 10, 9);
    let why = "Rollout aborted update to revision 2: ReplicaSet \"r2\" has timed out progressing.";
    assert_eq!(stuck.phase(), format!("Degraded: RolloutAborted: {why}"));
    assert_eq!(stuck.status["abort"], true);
    let complete: Decision = late(2, 10, 9);
    assert_eq!((&complete.status["abort"], complete.phase().contains("Abort")), (&Value::Null, false));
}

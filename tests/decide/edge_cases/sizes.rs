//! How many pods each revision gets, and in which order sizes change.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::scene::{Decision, Scene, at, hash};

#[test]
fn a_size_that_only_an_intermediate_revision_missed_is_no_new_size() {
    let resumed = |index: i32| json!({"currentStepIndex": index, "controllerPause": true});
    let step = |intermediate: &str, newest: &str| {
        let scene = Scene::routed(&json!({"steps": [{"setWeight": 10}, {"pause": {}}]}));
        let scene = scene.service("stable", 1).service("canary", 3).set(1, 10, 10);
        let scene = scene.set(2, 1, 1).noted(keys::DESIRED_REPLICAS, intermediate);
        let scene = scene.noted(keys::SCALE_DOWN_DEADLINE, &at(60));
        let scene = scene.set(3, 1, 1).noted(keys::DESIRED_REPLICAS, newest).status(&resumed(1));
        scene.weight(10, 3).decide().status["currentStepIndex"].clone()
    };
    assert_eq!(step("5", "10"), 2, "the resume counts");
    assert_eq!(step("10", "5"), 1, "the new size comes first");
    let idle = Scene::canary(&json!({"steps": [{"pause": {}}]})).set(1, 10, 10).set(2, 0, 0);
    let idle = idle.noted(keys::DESIRED_REPLICAS, "5").status(&resumed(0)).decide();
    assert_eq!(idle.status["currentStepIndex"], 1, "without pods there is no size to change");
}

#[test]
fn image_and_size_may_change_together() {
    let scene = Scene::canary(&json!({"steps": [{"setWeight": 50}]})).spec(&json!({"replicas": 1}));
    let mut world = scene.set(1, 1, 1).world();
    let template = crate::scene::template(2);
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"replicas": 5, "template": template}}));
    world.pass(120_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    assert_eq!(world.sizes(), "r1 0, r2 5");
}

#[test]
fn an_aborted_canary_that_is_held_takes_a_new_size_without_changing_its_own() {
    let scene =
        Scene::routed(&json!({"steps": [{"setWeight": 50}]})).service("stable", 1).service("canary", 1);
    let scene = scene.set(1, 10, 10).set(2, 5, 5).noted(keys::SCALE_DOWN_DEADLINE, &at(20)).weight(0, 2);
    let mut world = scene.spec(&json!({"replicas": 5})).sized_for(10).status(&json!({"abort": true})).world();
    world.pass(0);
    assert_eq!(world.sizes(), "r1 5, r2 5");
    let canary = world.get(ObjectKind::ReplicaSet, &format!("demo-{}", hash(2))).unwrap();
    assert_eq!(canary["metadata"]["annotations"][keys::DESIRED_REPLICAS], "5");
    assert_eq!(canary["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE], at(20));
    world.pass(30_000);
    assert_eq!(world.sizes(), "r1 5, r2 0", "later decisions are whole ones");
}

#[test]
fn a_weight_is_a_share_of_max_traffic_weight_in_pods_too() {
    let with = |max: Value, weight: i32| {
        let routing = json!({"nginx": {"stableIngress": "web"}, "maxTrafficWeight": max});
        let scene = Scene::routed(&json!({"trafficRouting": routing, "steps": [{"setWeight": weight}]}));
        scene.service("stable", 1).service("canary", 1).set(1, 10, 10).set(2, 0, 0).decide().only("scale")
    };
    assert_eq!(with(json!(1000), 200), "scale r2 0 to 2");
    assert_eq!(with(Value::Null, 20), "scale r2 0 to 2");
}

/// A canary by numbers of pods with these limits, in the middle of an update.
fn by_pods(surge: i32, unavailable: i32, weight: i32) -> Scene {
    Scene::canary(
        &json!({"maxSurge": surge, "maxUnavailable": unavailable, "steps": [{"setWeight": weight}]}),
    )
}

#[test]
fn old_pods_go_first_as_far_as_availability_allows() {
    let three = |surge, stable, old: (i32, i32), new| {
        let scene = by_pods(surge, 0, 30).set(1, stable, stable).set(2, old.0, old.1).set(3, new, new);
        scene.decide().only("scale")
    };
    assert_eq!(three(2, 10, (2, 2), 0), "scale r2 2 to 0");
    assert_eq!(three(1, 9, (2, 2), 0), "scale r2 2 to 1", "10 must be available");
    assert_eq!(three(0, 8, (2, 2), 0), "", "there is none to spare");
    assert_eq!(three(2, 10, (2, 0), 0), "scale r2 2 to 0", "broken pods go whatever there is to spare");
    assert_eq!(three(3, 10, (2, 2), 0), "scale r3 0 to 1", "room is used before");
}

#[test]
fn the_youngest_of_the_old_revisions_goes_first() {
    let scene = by_pods(2, 0, 30).set(1, 9, 9).set(2, 2, 2).set(3, 1, 1).set(4, 0, 0).decide();
    assert_eq!(scene.only("scale"), "scale r3 1 to 0, scale r2 2 to 1");
}

#[test]
fn a_promoted_revision_takes_over_within_the_surge() {
    let next = |old: i32, new: (i32, i32)| {
        let scene = by_pods(1, 0, 100).set(1, old, old).set(2, new.0, new.1).stable(2);
        scene.status(&json!({"currentStepIndex": 1})).decide().only("scale")
    };
    assert_eq!(next(10, (0, 0)), "scale r2 0 to 1");
    assert_eq!(next(10, (1, 0)), "", "the new pod has to be available first");
    assert_eq!(next(10, (1, 1)), "scale r1 10 to 9");
    assert_eq!(next(9, (1, 1)), "scale r2 1 to 2");
    assert_eq!(next(0, (10, 10)), "");
}

#[test]
fn a_new_size_gets_through_a_pause_of_the_user() {
    let paused =
        Scene::canary(&json!({"steps": [{"setWeight": 20}]})).set(1, 8, 8).set(2, 2, 2).sized_for(10);
    let decision = paused.spec(&json!({"paused": true, "replicas": 5})).decide();
    assert_eq!(decision.only("scale"), "scale r1 8 to 6");
    assert_eq!(decision.status["currentStepIndex"], 0);
    assert_eq!(decision.phase(), "Paused: manually paused");
}

#[test]
fn the_newest_revision_gets_its_size() {
    for (size, scaled) in [(10, ""), (12, "scale r1 12 to 10"), (8, "scale r1 8 to 10")] {
        assert_eq!(Scene::canary(&json!({})).set(1, size, size).decide().only("scale"), scaled);
    }
    let aborted = |deadline: Option<i64>, stable: i32| {
        let scene =
            Scene::routed(&json!({"steps": [{"setWeight": 50}]})).service("stable", 1).service("canary", 1);
        let scene = scene.set(1, 10, stable).set(2, 5, 5).status(&json!({"abort": true})).weight(0, 2);
        let scene = match deadline {
            Some(seconds) => scene.noted(keys::SCALE_DOWN_DEADLINE, &at(seconds)),
            None => scene,
        };
        let decision = scene.decide();
        [decision.only("scale"), decision.only("delay"), decision.only("keep")].concat()
    };
    assert_eq!(aborted(Some(-1), 10), "scale r2 5 to 0");
    assert_eq!(aborted(Some(10_000), 10), "", "however long it is");
    assert_eq!(aborted(None, 10), "delay r2 30");
    assert_eq!(aborted(None, 9), "", "the stable revision has to be whole first");
}

#[test]
fn a_delay_that_no_longer_applies_is_taken_back() {
    let scene = Scene::canary(&json!({"steps": [{"setWeight": 0}]})).set(1, 10, 10);
    let scene = scene
        .noted(keys::SCALE_DOWN_DEADLINE, &at(10))
        .set(2, 0, 0)
        .noted(keys::SCALE_DOWN_DEADLINE, &at(-10));
    assert_eq!(scene.decide().requests(), "revision 2, keep r1, keep r2, sync r2");
    let recorded = |desired: &str| {
        let scene = Scene::canary(&json!({})).set(1, 10, 10).noted(keys::DESIRED_REPLICAS, desired);
        scene.decide().only("sync")
    };
    assert_eq!((recorded("10"), recorded("5")), (String::new(), "sync r1".to_owned()));
}

#[test]
fn a_revision_that_anything_refers_to_keeps_its_pods() {
    let of_canary = |scene: fn(Scene) -> Scene| {
        let scene_ =
            Scene::routed(&json!({"steps": [{"setWeight": 50}]})).set(1, 10, 10).set(2, 5, 5).set(3, 5, 5);
        let scene_ = scene_.service("stable", 1);
        scene(scene_.stable(1)).decide().only("scale")
    };
    assert_eq!(of_canary(|s| s.service("canary", 3).weight(50, 3)), "scale r2 5 to 0");
    assert_eq!(of_canary(|s| s.service("canary", 2).weight(50, 3)), "", "a Service selects it");
    assert_eq!(of_canary(|s| s.service("canary", 3).weight(50, 2)), "", "it has weight");

    let of_blue_green = |active, preview, status: &Value| {
        let scene = Scene::blue_green(&json!({"previewService": "preview", "scaleDownDelaySeconds": 0}));
        let scene = scene.set(1, 10, 10).set(2, 10, 10).set(3, 10, 10).service("active", active);
        scene.service("preview", preview).status(status).decide().only("scale")
    };
    let none = json!({});
    assert_eq!(of_blue_green(1, 3, &none), "scale r2 10 to 0");
    assert_eq!(of_blue_green(2, 3, &none), "");
    let unrecorded = json!({"blueGreen": {"previewSelector": "other"}});
    assert_eq!(of_blue_green(1, 2, &unrecorded), "", "a Service selects it");
    assert_eq!(of_blue_green(1, 3, &json!({"blueGreen": {"previewSelector": hash(2)}})), "");
    assert_eq!(of_blue_green(1, 3, &json!({"blueGreen": {"activeSelector": hash(2)}})), "");
}

#[test]
fn a_superseded_canary_keeps_its_pods_until_nothing_refers_to_them() {
    let steps = json!({"steps": [{"setWeight": 50}, {"pause": {}}]});
    let scene = Scene::routed(&steps).service("stable", 1).service("canary", 2).set(1, 10, 10).set(2, 5, 5);
    let mut world = scene.weight(50, 2).status(&json!({"currentStepIndex": 1})).world();
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"template": crate::scene::template(3)}}));
    let mut seen = vec![world.sizes()];
    for _ in 0..400 {
        world.pass(50);
        if seen.last() != Some(&world.sizes()) {
            seen.push(world.sizes());
            let (selected, weight) = (world.selected("canary"), world.weight());
            assert!(
                !world.sizes().contains("r2 0") || (selected == "r3" && weight == "50"),
                "{selected} {weight}"
            );
        }
    }
    assert_eq!(seen, ["r1 10, r2 5", "r1 10, r2 5, r3 5", "r1 10, r2 0, r3 5"]);
    let decision = Decision::on(&world);
    assert_eq!(decision.phase(), "Paused: CanaryPauseStep");
}

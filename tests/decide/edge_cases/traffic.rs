//! The canary's weight behind a router, and the pods that it takes.

use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;

use crate::scene::{Decision, Scene, hash};

/// A canary behind nginx at these steps, its Services where the revisions 1 and 2 put them.
fn routed(fields: &Value) -> Scene {
    Scene::routed(fields).service("stable", 1).service("canary", 2)
}

fn steps(weights: &[i32]) -> Value {
    weights.iter().map(|weight| json!({"setWeight": weight})).collect()
}

/// The weight that the status records afterwards.
fn weight(decision: &Decision) -> i64 {
    decision.status["canary"]["weights"]["canary"]["weight"].as_i64().unwrap()
}

#[test]
fn the_last_weight_holds_until_the_pods_for_the_next_are_there() {
    let at = |index: i32, size, available| {
        let scene = routed(&json!({"steps": steps(&[10, 20])})).set(1, 10, 10).set(2, size, available);
        scene.weight(10, 2).status(&json!({"currentStepIndex": index})).decide()
    };
    assert_eq!(weight(&at(1, 2, 1)), 10);
    assert_eq!(weight(&at(1, 2, 2)), 20);
    assert_eq!(weight(&at(2, 10, 9)), 20, "the end of the steps");
    let end = at(2, 10, 10);
    assert_eq!((weight(&end), &end.status["canary"]["weights"]["stable"]["weight"]), (100, &json!(0)));
    let event = "TrafficWeightUpdated: Traffic weight updated from 10 to 100".to_owned();
    assert!(end.events().contains(&event), "{:?}", end.events());
}

#[test]
fn a_weight_that_cannot_be_set_stops_everything() {
    let mut world = routed(&json!({"steps": steps(&[10])})).set(1, 10, 10).set(2, 1, 1).world();
    let foreign = json!({"metadata": {"name": "demo-web-canary"}, "spec": {}});
    world.create(ObjectKind::Ingress, foreign);
    let decision = Decision::on(&world);
    assert_eq!(decision.requests(), "");
    assert!(
        decision.phase().contains("canary ingress `demo-web-canary` controlled by different object"),
        "{}",
        decision.phase()
    );
    assert_eq!(decision.status["currentStepIndex"], 0);
}

#[test]
fn weights_after_an_abort_follow_the_stable_pods() {
    let aborted = |fields: Value, replicas: i32, stable: (i32, i32), canary: i32, recorded: i32| {
        let scene = routed(&fields)
            .spec(&json!({"replicas": replicas}))
            .set(1, stable.0, stable.1)
            .set(2, canary, canary);
        let decision = scene.weight(recorded, 2).status(&json!({"abort": true})).decide();
        (weight(&decision), decision.only("point"))
    };
    let dynamic = |weights: &[i32]| json!({"dynamicStableScale": true, "steps": steps(weights)});
    let none = String::new;
    let back = "point canary r2 to r1".to_owned();
    assert_eq!(aborted(dynamic(&[50]), 5, (5, 3), 4, 100), (50, none()));
    assert_eq!(aborted(dynamic(&[]), 5, (5, 1), 5, 100), (80, none()));
    assert_eq!(aborted(dynamic(&[]), 5, (5, 5), 5, 100), (0, back.clone()));
    assert_eq!(aborted(dynamic(&[]), 5, (5, 4), 0, 0), (0, back.clone()));
    assert_eq!(aborted(json!({"steps": steps(&[50])}), 5, (5, 5), 3, 50), (0, back));
    assert_eq!(aborted(dynamic(&[50]), 0, (0, 0), 1, 50).0, 0, "there is nothing to share");
}

#[test]
fn a_full_promotion_leaves_the_weight_unless_stable_gives_up_its_pods() {
    let full = |dynamic: bool| {
        let fields = json!({"dynamicStableScale": dynamic, "steps": steps(&[5])});
        let scene = routed(&fields).set(1, 10, 10).set(2, 10, 5).weight(5, 2);
        weight(&scene.status(&json!({"promoteFull": true, "currentStepIndex": 1})).decide())
    };
    assert_eq!((full(true), full(false)), (50, 5));
}

#[test]
fn a_newer_revision_takes_the_traffic_from_the_one_before() {
    let scene =
        routed(&json!({"steps": steps(&[50])})).set(1, 10, 10).set(2, 5, 5).set(3, 0, 0).weight(50, 2);
    let decision = scene.decide();
    assert_eq!((weight(&decision), decision.only("route").as_str()), (0, "route 0"));
    assert_eq!(decision.only("point"), "", "the Service stays until the new one has a pod");
    let lost = routed(&json!({"steps": steps(&[20, 50])})).set(1, 10, 10).set(2, 5, 0).weight(20, 2);
    let decision = lost.status(&json!({"currentStepIndex": 1})).decide();
    assert_eq!(weight(&decision), 0, "a revision that has lost its pods gets nothing");
}

#[test]
fn traffic_goes_back_only_as_far_as_stable_can_carry_it() {
    let superseded = |weights: &[i32]| {
        let fields = json!({"dynamicStableScale": true, "steps": steps(weights)});
        routed(&fields).set(1, 5, 5).set(2, 5, 5).set(3, 0, 0).weight(50, 2).decide()
    };
    for (weights, scaled) in [([50], "scale r3 0 to 5"), ([10], "scale r1 5 to 9")] {
        let decision = superseded(&weights);
        assert_eq!((weight(&decision), decision.only("route").as_str()), (50, ""));
        assert_eq!(decision.only("scale"), scaled);
    }
}

#[test]
fn back_to_the_stable_template_under_a_dynamic_scale_keeps_the_traffic_where_the_pods_are() {
    let back = |of: u32, available: i32, recorded: u32| {
        let fields = json!({"dynamicStableScale": true, "steps": steps(&[10])});
        let scene = routed(&fields).set(1, 10, available).set(2, 1, 1).asks_for(1).weight(10, of);
        let status = json!({"currentStepIndex": 1, "currentPodHash": hash(recorded)});
        let decision = scene.status(&status).decide();
        let of = &decision.status["canary"]["weights"]["canary"]["podTemplateHash"];
        (weight(&decision), crate::scene::short(of.as_str().unwrap()), decision.only("point"))
    };
    let moved = (0, "r1".to_owned(), "point canary r2 to r1".to_owned());
    assert_eq!(back(2, 9, 1), (10, "r2".to_owned(), String::new()));
    assert_eq!(back(2, 1, 1), (10, "r2".to_owned(), String::new()));
    assert_eq!(back(2, 10, 1), moved, "stable is whole");
    assert_eq!(back(1, 9, 1).2, "point canary r2 to r1", "the weight is of this very revision");
    assert_eq!(
        back(2, 9, 2),
        (10, "r2".to_owned(), String::new()),
        "the update begins, and changes nothing yet"
    );
}

#[test]
fn without_a_dynamic_scale_stable_has_its_pods_at_once() {
    let scene = routed(&json!({"steps": steps(&[10])})).set(1, 10, 10).set(2, 1, 1).asks_for(1).weight(10, 2);
    let decision = scene.status(&json!({"currentStepIndex": 1})).decide();
    assert_eq!((weight(&decision), decision.only("point").as_str()), (0, "point canary r2 to r1"));
}

#[test]
fn weight_moves_when_stable_can_carry_the_rest() {
    let moved = |available: i32, threshold: Value, max: Value, half: i32| {
        let routing = json!({"nginx": {"stableIngress": "web"}, "maxTrafficWeight": max});
        let fields = json!({
            "trafficRouting": routing, "replicaProgressThreshold": threshold, "steps": steps(&[half]),
        });
        let scene = routed(&fields).set(1, 10, available).set(2, 5, 5).weight(0, 2);
        weight(&scene.decide())
    };
    let eighty = json!({"type": "Percent", "value": 80});
    for max in [Value::Null, json!(1000)] {
        let half = if max.is_null() { 50 } else { 500 };
        let half_of = i64::from(half);
        assert_eq!(moved(5, Value::Null, max.clone(), half), half_of);
        assert_eq!(moved(4, Value::Null, max.clone(), half), 0, "5 are needed");
        assert_eq!(moved(4, eighty.clone(), max.clone(), half), half_of, "80 % of 5 are enough");
        assert_eq!(moved(3, eighty.clone(), max.clone(), half), 0);
    }
}

#[test]
fn the_weights_say_who_gets_them() {
    let scene = routed(&json!({"steps": steps(&[10])})).set(1, 10, 10).set(2, 1, 1);
    let weights = &scene.decide().status["canary"]["weights"];
    let destination = |name: &str, weight: i32, number| json!({"weight": weight, "serviceName": name, "podTemplateHash": hash(number)});
    assert_eq!(
        *weights,
        json!({"canary": destination("canary", 10, 2), "stable": destination("stable", 90, 1)})
    );
}

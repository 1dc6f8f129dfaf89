//! Whole updates in the model world, with the numbers that the reference's own end-to-end tests expect.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::scene::{Scene, hash, template};
use crate::world::World;

/// Changes the Rollout as a user does.
fn edit(world: &mut World, patch: &Value) {
    world.patch(ObjectKind::Rollout, "demo", patch);
}

/// Asks for another template; time has to pass before anything happens.
fn update(world: &mut World, number: u32) {
    edit(world, &json!({"spec": {"template": template(number)}}));
}

/// Asks for a template whose pods never become ready.
fn update_badly(world: &mut World, number: u32) {
    let mut template = template(number);
    template["spec"]["containers"][0]["image"] = "nonexistent".into();
    edit(world, &json!({"spec": {"template": template}}));
}

fn status<'w>(world: &'w World, field: &str) -> &'w Value {
    &world.rollout()["status"][field]
}

fn counts(world: &World) -> [i64; 5] {
    let count = |field: &str| status(world, field).as_i64().unwrap_or(0);
    let desired = world.rollout()["spec"]["replicas"].as_i64().unwrap();
    [desired, count("replicas"), count("updatedReplicas"), count("readyReplicas"), count("availableReplicas")]
}

/// The names of the ReplicaSets, the deadline of a bad template's included, by the number of their revision.
fn by_revision(world: &World) -> String {
    let mut all: Vec<(i64, String)> = world
        .all(ObjectKind::ReplicaSet)
        .map(|rs| {
            let annotations = &rs["metadata"]["annotations"];
            let revision: i64 = annotations[keys::REVISION].as_str().unwrap().parse().unwrap();
            let waits = if annotations[keys::SCALE_DOWN_DEADLINE].is_null() { "" } else { " waits" };
            (revision, format!("{}{waits}", rs["spec"]["replicas"]))
        })
        .collect();
    all.sort();
    all.iter().map(|(revision, text)| format!("{revision}: {text}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn a_full_surge_follows_the_size_while_the_new_pods_are_broken() {
    let fields = json!({"maxSurge": "100%"});
    let mut world = Scene::canary(&fields).spec(&json!({"replicas": 4})).deployed();
    update_badly(&mut world, 2);
    world.pass(10_000);
    assert_eq!(by_revision(&world), "1: 3, 2: 4");
    edit(&mut world, &json!({"spec": {"replicas": 8}}));
    world.pass(10_000);
    assert_eq!(by_revision(&world), "1: 3, 2: 8");
    edit(&mut world, &json!({"spec": {"replicas": 4}}));
    world.pass(10_000);
    assert_eq!(by_revision(&world), "1: 3, 2: 4");
}

#[test]
fn a_fixed_surge_follows_the_size_while_the_new_pods_are_broken() {
    let fields = json!({"maxSurge": 2, "maxUnavailable": 0});
    let mut world = Scene::canary(&fields).spec(&json!({"replicas": 4})).deployed();
    update_badly(&mut world, 2);
    for (size, expected) in [(4, "1: 4, 2: 2"), (8, "1: 4, 2: 6"), (4, "1: 4, 2: 2")] {
        edit(&mut world, &json!({"spec": {"replicas": size}}));
        world.pass(10_000);
        assert_eq!(by_revision(&world), expected, "{size} pods");
    }
}

#[test]
fn a_smaller_weight_waits_for_stable_pods() {
    let steps = json!([{"setWeight": 100}, {"pause": {}}, {"setWeight": 0}, {"pause": {}}]);
    let fields = json!({"maxSurge": 2, "maxUnavailable": 0, "steps": steps});
    let mut world = Scene::canary(&fields).spec(&json!({"replicas": 3})).deployed();
    update(&mut world, 2);
    world.pass(30_000);
    assert_eq!((by_revision(&world).as_str(), status(&world, "phase")), ("1: 0, 2: 3", &json!("Paused")));
    world.start_latency = jiff::SignedDuration::from_hours(1);
    edit(&mut world, &json!({"status": {"pauseConditions": null}}));
    world.pass(60_000);
    assert_eq!(by_revision(&world), "1: 2, 2: 3");
    world.ready_pods(&hash(1), 2);
    world.pass(0);
    assert_eq!(by_revision(&world), "1: 3, 2: 1");
    world.ready_pods(&hash(1), 1);
    world.pass(1_000);
    assert_eq!(by_revision(&world), "1: 3, 2: 0");
}

#[test]
fn a_bad_update_is_replaced_by_the_next_one() {
    let fields = json!({"maxSurge": 1, "maxUnavailable": 0});
    let mut world =
        Scene::canary(&fields).spec(&json!({"replicas": 4, "progressDeadlineSeconds": 5})).deployed();
    update_badly(&mut world, 2);
    world.pass(20_000);
    assert_eq!((by_revision(&world).as_str(), status(&world, "phase")), ("1: 4, 2: 1", &json!("Degraded")));
    update_badly(&mut world, 3);
    world.pass(20_000);
    assert_eq!(
        (by_revision(&world).as_str(), status(&world, "phase")),
        ("1: 4, 2: 0, 3: 1", &json!("Degraded"))
    );
    update(&mut world, 4);
    world.pass(30_000);
    assert_eq!(
        (by_revision(&world).as_str(), status(&world, "phase")),
        ("1: 0, 2: 0, 3: 0, 4: 4", &json!("Healthy"))
    );
}

#[test]
fn a_bad_first_revision_gives_way() {
    let fields = json!({"maxSurge": 1, "maxUnavailable": 0});
    let scene = Scene::canary(&fields).spec(&json!({"replicas": 4, "progressDeadlineSeconds": 5}));
    let bad = || {
        let mut template = template(1);
        template["spec"]["containers"][0]["image"] = "nonexistent".into();
        template
    };
    let start = || {
        let mut world = scene.unseen();
        edit(&mut world, &json!({"spec": {"template": bad()}}));
        world.pass(20_000);
        assert_eq!(by_revision(&world), "1: 4");
        world
    };
    let mut world = start();
    update(&mut world, 2);
    world.pass(30_000);
    assert_eq!((by_revision(&world).as_str(), status(&world, "phase")), ("1: 0, 2: 4", &json!("Healthy")));

    let mut world = start();
    update_badly(&mut world, 2);
    world.pass(30_000);
    assert_eq!(by_revision(&world), "1: 0, 2: 4", "pods that are not available hold no room");
}

#[test]
fn only_so_many_old_revisions_wait_behind_a_router() {
    let fields = json!({
        "scaleDownDelaySeconds": 3600, "scaleDownDelayRevisionLimit": 1, "steps": [{"setWeight": 50}],
    });
    let mut world = Scene::routed(&fields).spec(&json!({"replicas": 1})).deployed();
    for number in [2, 3] {
        update(&mut world, number);
        world.pass(60_000);
        assert_eq!(status(&world, "phase"), "Healthy");
    }
    assert_eq!(by_revision(&world), "1: 0, 2: 1 waits, 3: 1");
    update(&mut world, 2);
    world.pass(60_000);
    assert_eq!(by_revision(&world), "1: 0, 3: 1 waits, 4: 1");
}

#[test]
fn a_smaller_limit_of_waiting_revisions_counts_at_once() {
    let fields = json!({"scaleDownDelayRevisionLimit": 2, "scaleDownDelaySeconds": 86_400});
    let mut world =
        Scene::blue_green(&fields).spec(&json!({"replicas": 1})).fresh_service("active").deployed();
    for number in 2..=4 {
        update(&mut world, number);
        world.pass(10_000);
    }
    assert_eq!(by_revision(&world), "1: 0, 2: 1 waits, 3: 1 waits, 4: 1");
    edit(&mut world, &json!({"spec": {"strategy": {"blueGreen": {"scaleDownDelayRevisionLimit": 1}}}}));
    world.pass(10_000);
    assert_eq!(by_revision(&world), "1: 0, 2: 0, 3: 1 waits, 4: 1");
}

#[test]
fn a_small_preview_counts_beside_what_serves() {
    let fields =
        json!({"previewService": "preview", "previewReplicaCount": 1, "autoPromotionEnabled": false});
    let scene = Scene::blue_green(&fields).fresh_service("active").fresh_service("preview");
    let mut world = scene.spec(&json!({"replicas": 2, "progressDeadlineSeconds": 1})).deployed();
    update(&mut world, 2);
    world.pass(60_000);
    assert_eq!(counts(&world), [2, 3, 1, 2, 2]);
    assert_eq!(status(&world, "message"), "BlueGreenPause", "its deadline passed long ago");
    edit(&mut world, &json!({"status": {"pauseConditions": null}}));
    world.pass(10_000);
    assert_eq!((counts(&world), status(&world, "phase")), ([2, 4, 2, 2, 2], &json!("Healthy")));
}

#[test]
fn an_update_that_missed_its_deadline_recovers() {
    let canary = Scene::canary(&json!({"steps": [{"setWeight": 50}, {"pause": {}}]}));
    let blue_green = Scene::blue_green(&json!({})).fresh_service("active");
    for (scene, end) in [(canary, "Paused"), (blue_green, "Healthy")] {
        let mut world = scene.spec(&json!({"replicas": 2, "progressDeadlineSeconds": 5})).deployed();
        world.start_latency = jiff::SignedDuration::from_secs(10);
        update(&mut world, 2);
        world.pass(8_000);
        assert_eq!(status(&world, "phase"), "Degraded");
        assert!(status(&world, "message").as_str().unwrap().contains("has timed out progressing"));
        world.pass(20_000);
        assert_eq!(status(&world, "phase"), end);
    }
}

#[test]
fn a_delay_longer_than_the_deadline_does_no_harm() {
    let fields = json!({"scaleDownDelaySeconds": 600, "steps": [{"setWeight": 50}]});
    let mut world =
        Scene::routed(&fields).spec(&json!({"replicas": 1, "progressDeadlineSeconds": 5})).deployed();
    update(&mut world, 2);
    world.pass(20_000);
    assert_eq!(
        (by_revision(&world).as_str(), status(&world, "phase")),
        ("1: 1 waits, 2: 1", &json!("Healthy"))
    );
    let seen = world.seen("rollout.phase");
    world.pass(400_000);
    assert_eq!(world.seen("rollout.phase"), seen);
}

#[test]
fn a_template_that_changes_during_a_pause_replaces_the_canary() {
    let fields = json!({"steps": [{"setWeight": 25}, {"pause": {}}]});
    let mut world = Scene::canary(&fields).spec(&json!({"replicas": 4})).deployed();
    for (number, expected) in [(2, "1: 3, 2: 1"), (3, "1: 3, 2: 0, 3: 1")] {
        update(&mut world, number);
        world.pass(20_000);
        assert_eq!(
            (by_revision(&world).as_str(), status(&world, "message")),
            (expected, &json!("CanaryPauseStep"))
        );
    }
}

/// A canary of 4 under a dynamic scale, at the pause after a weight of 75; pods start only when told to.
fn at_three_quarters(fields: &Value) -> World {
    let mut all = fields.clone();
    all["dynamicStableScale"] = true.into();
    all["steps"] = json!([{"setWeight": 25}, {"setWeight": 75}, {"pause": {}}]);
    let mut world = Scene::routed(&all).spec(&json!({"replicas": 4})).deployed();
    update(&mut world, 2);
    world.pass(60_000);
    assert_eq!((by_revision(&world).as_str(), world.weight().as_str()), ("1: 1, 2: 3", "75"));
    world.start_latency = jiff::SignedDuration::from_hours(1);
    world
}

#[test]
fn an_abort_under_a_dynamic_scale_goes_back_with_the_stable_pods() {
    let mut world = at_three_quarters(&json!({}));
    edit(&mut world, &json!({"status": {"abort": true}}));
    world.pass(10_000);
    let shown = |world: &World| {
        format!("{}, weight {}, {}", by_revision(world), world.weight(), world.selected("canary"))
    };
    assert_eq!(shown(&world), "1: 3, 2: 3, weight 75, r2");
    world.ready_pods(&hash(1), 1);
    world.pass(10_000);
    assert_eq!(shown(&world), "1: 3, 2: 3, weight 75, r2", "2 are too few for 75 %");
    world.ready_pods(&hash(1), 1);
    world.pass(10_000);
    assert_eq!(shown(&world), "1: 4, 2: 1, weight 25, r2");
    world.ready_pods(&hash(1), 1);
    world.pass(10_000);
    assert_eq!(shown(&world), "1: 4, 2: 0, weight 0, r1");
    assert_eq!(world.selected("stable"), "r1");
}

#[test]
fn an_abort_with_a_delay_keeps_the_canary_until_its_time() {
    let mut world = at_three_quarters(&json!({"abortScaleDownDelaySeconds": 30}));
    edit(&mut world, &json!({"status": {"abort": true}}));
    let mut seen = Vec::new();
    for _ in 0..4 {
        world.pass(10_000);
        let shown = format!("weight {}, {}", world.weight(), by_revision(&world).split(", ").nth(1).unwrap());
        if seen.last() != Some(&shown) {
            seen.push(shown);
        }
        world.ready_pods(&hash(1), 1);
    }
    assert_eq!(seen, ["weight 75, 2: 3", "weight 25, 2: 3", "weight 0, 2: 3 waits"]);
    world.pass(60_000);
    assert_eq!((by_revision(&world).as_str(), world.selected("canary").as_str()), ("1: 4, 2: 0 waits", "r1"));
}

#[test]
fn an_undo_under_a_dynamic_scale_waits_for_all_stable_pods() {
    let fields = json!({"dynamicStableScale": true, "steps": [{"setWeight": 25}, {"pause": {}}]});
    let mut world = Scene::routed(&fields).spec(&json!({"replicas": 4})).deployed();
    update(&mut world, 2);
    world.pass(60_000);
    assert_eq!((by_revision(&world).as_str(), world.weight().as_str()), ("1: 3, 2: 1", "25"));
    world.start_latency = jiff::SignedDuration::from_hours(1);
    update(&mut world, 1);
    world.pass(60_000);
    let shown = |world: &World| {
        let services = [world.selected("stable"), world.selected("canary")].join(" ");
        format!("{}, weight {}, {services}", by_revision(world), world.weight())
    };
    assert_eq!(shown(&world), "2: 1, 3: 4, weight 25, r1 r2");
    world.ready_pods(&hash(1), 1);
    world.pass(60_000);
    assert_eq!(shown(&world), "2: 0, 3: 4, weight 0, r1 r1");
}

#[test]
fn a_change_to_canary_gives_the_service_back_and_goes_by_its_steps() {
    let scene = Scene::blue_green(&json!({})).fresh_service("active").spec(&json!({"replicas": 2}));
    let mut world = scene.deployed();
    assert_eq!(world.selected("active"), "r1");
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let strategy = json!({"blueGreen": null, "canary": {"steps": steps}});
    edit(&mut world, &json!({"spec": {"strategy": strategy, "template": template(2)}}));
    world.pass(20_000);
    assert_eq!((counts(&world), status(&world, "message")), ([2, 2, 1, 2, 2], &json!("CanaryPauseStep")));
    assert_eq!(world.selected("active"), "");
}

#[test]
fn a_change_to_canary_alone_changes_no_pod() {
    let scene = Scene::blue_green(&json!({})).fresh_service("active").spec(&json!({"replicas": 2}));
    let mut world = scene.deployed();
    let made = world.all(ObjectKind::Pod).count();
    let strategy = json!({"blueGreen": null, "canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}});
    edit(&mut world, &json!({"spec": {"strategy": strategy}}));
    world.pass(20_000);
    assert_eq!((by_revision(&world).as_str(), world.all(ObjectKind::Pod).count()), ("1: 2", made));
    assert_eq!((status(&world, "currentStepIndex"), status(&world, "phase")), (&json!(2), &json!("Healthy")));
    assert_eq!(status(&world, "currentStepHash").as_str().map(str::is_empty), Some(false));
}

#[test]
fn a_missed_deadline_aborts_where_that_is_asked_for() {
    let late = |abort: bool| {
        let spec = json!({"replicas": 1, "progressDeadlineSeconds": 1, "progressDeadlineAbort": abort});
        let mut world = Scene::blue_green(&json!({})).fresh_service("active").spec(&spec).deployed();
        update_badly(&mut world, 2);
        world.pass(120_000);
        world
    };
    let told = late(false);
    assert_eq!((status(&told, "phase"), status(&told, "abort")), (&json!("Degraded"), &Value::Null));
    assert_eq!(by_revision(&told), "1: 1, 2: 1");
    let aborted = late(true);
    assert_eq!((status(&aborted, "phase"), status(&aborted, "abort")), (&json!("Degraded"), &json!(true)));
    assert_eq!(by_revision(&aborted), "1: 1, 2: 0 waits");
    let conditions = status(&aborted, "conditions").as_array().unwrap();
    let mut types: Vec<&str> = conditions.iter().map(|c| c["type"].as_str().unwrap()).collect();
    types.sort_unstable();
    assert_eq!(types, ["Available", "Completed", "Healthy", "Progressing"]);
}

#[test]
fn an_abort_a_retry_and_the_end_are_told_in_this_order() {
    let fields = json!({"steps": [{"setWeight": 50}, {"pause": {"duration": "3s"}}]});
    let mut world = Scene::canary(&fields).spec(&json!({"replicas": 1})).deployed();
    update(&mut world, 2);
    world.pass(4_000);
    assert_eq!(status(&world, "message"), "CanaryPauseStep");
    edit(&mut world, &json!({"status": {"abort": true}}));
    world.pass(4_000);
    edit(&mut world, &json!({"status": {"abort": false}}));
    world.pass(20_000);
    let told: Vec<&str> = world.events.iter().map(|event| event.rsplit(' ').next().unwrap()).collect();
    let first = "RolloutAddedToInformer RolloutUpdated NewReplicaSetCreated RolloutNotCompleted ScalingReplicaSet \
                 RolloutCompleted";
    let second = "RolloutUpdated NewReplicaSetCreated RolloutNotCompleted ScalingReplicaSet RolloutStepCompleted \
                  RolloutPaused";
    let aborted = "ScalingReplicaSet RolloutAborted";
    let retried = "ScalingReplicaSet RolloutStepCompleted RolloutPaused";
    let ended = "RolloutStepCompleted RolloutResumed ScalingReplicaSet RolloutCompleted";
    assert_eq!(told.join(" "), [first, second, aborted, retried, ended].join(" "));
}

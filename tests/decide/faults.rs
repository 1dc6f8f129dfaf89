//! The inputs of `tests/faults/`, each of which once lost an update, hung, or said what was not so.

use std::fs;
use std::path::Path;

use jiff::SignedDuration;
use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

/// A world in which the manifests have been applied, and nothing has been decided yet.
fn applied(files: &[&str]) -> World {
    let mut world = World::new();
    for file in files {
        world.apply(&manifest(file));
    }
    world
}

fn manifest(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults").join(file);
    fs::read_to_string(path).unwrap()
}

/// The same when the first revision runs.
fn healthy(files: &[&str]) -> World {
    let mut world = applied(files);
    world.pass(60_000);
    assert_eq!(phase(&world), "Healthy");
    world
}

fn spec(world: &mut World, patch: &Value) {
    let name = world.rollout_name();
    world.patch(ObjectKind::Rollout, &name, &json!({"spec": patch}));
}

fn status(world: &mut World, patch: &Value) {
    let name = world.rollout_name();
    world.patch(ObjectKind::Rollout, &name, &json!({"status": patch}));
}

/// Phase and message.
fn phase(world: &World) -> String {
    let status = &world.rollout()["status"];
    let text = |field: &str| status[field].as_str().unwrap_or_default().to_owned();
    format!("{} {}", text("phase"), text("message")).trim_end().to_owned()
}

fn set_image(world: &mut World, kind: ObjectKind, name: &str, image: &str) {
    let object = world.get(kind, name).unwrap();
    let mut containers = object["spec"]["template"]["spec"]["containers"].clone();
    containers[0]["image"] = image.into();
    world.patch(kind, name, &json!({"spec": {"template": {"spec": {"containers": containers}}}}));
}

fn update(world: &mut World, image: &str) {
    let name = world.rollout_name();
    set_image(world, ObjectKind::Rollout, &name, image);
}

/// How many pods ReplicaSets of each image are to have, as in `blue 7, green 3`; those without pods are left out.
fn sizes(world: &World) -> String {
    let sets = world.all(ObjectKind::ReplicaSet).filter(|rs| rs["spec"]["replicas"] != 0);
    let size = |rs: &Value| {
        let image = rs["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap();
        format!("{} {}", image.rsplit(':').next().unwrap(), rs["spec"]["replicas"])
    };
    let mut sizes: Vec<_> = sets.map(size).collect();
    sizes.sort();
    sizes.join(", ")
}

fn selected(world: &World, service: &str) -> Value {
    world.get(ObjectKind::Service, service).unwrap()["spec"]["selector"][keys::POD_HASH_LABEL].clone()
}

#[test]
fn an_update_whose_services_come_late_is_not_lost() {
    let mut world = healthy(&["05-late-service-rollout.yaml"]);
    let services = json!({"canaryService": "lateclock-canary", "stableService": "lateclock-stable"});
    update(&mut world, "argoproj/rollouts-demo:green");
    spec(&mut world, &json!({"strategy": {"canary": services}}));
    world.pass(5_000);
    assert!(phase(&world).starts_with("Degraded InvalidSpec"), "{}", phase(&world));
    world.apply(&manifest("05-late-service.yaml"));
    world.pass(60_000);
    assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "green 3"));
}

#[test]
fn an_update_of_a_deployment_that_is_made_again_is_not_lost() {
    let mut world = healthy(&["20-deployment-recreated.yaml"]);
    let mut deployment = world.get(ObjectKind::Deployment, "gone-d").unwrap().clone();
    world.remove(ObjectKind::Deployment, "gone-d");
    world.pass(5_000);
    deployment["metadata"] = json!({"name": "gone-d", "uid": "another"});
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] = "argoproj/rollouts-demo:green".into();
    world.create(ObjectKind::Deployment, deployment);
    world.pass(30_000);
    assert_eq!(
        (phase(&world).as_str(), sizes(&world).as_str()),
        ("Paused CanaryPauseStep", "blue 2, green 1")
    );
}

#[test]
fn an_edited_replica_set_is_taken_for_no_revision() {
    let mut world = healthy(&["08-edited-replicaset.yaml"]);
    let first = world.all(ObjectKind::ReplicaSet).next().unwrap()["metadata"]["name"].clone();
    set_image(&mut world, ObjectKind::ReplicaSet, first.as_str().unwrap(), "argoproj/rollouts-demo:green");
    update(&mut world, "argoproj/rollouts-demo:green");
    world.pass(60_000);
    assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "green 3"));
    set_image(&mut world, ObjectKind::ReplicaSet, first.as_str().unwrap(), "nonexistent");
    update(&mut world, "argoproj/rollouts-demo:blue");
    world.pass(60_000);
    assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "blue 3"));
    assert!(world.events.iter().any(|event| event == "Warning ReplicaSetEdited"), "{:?}", world.events);
}

#[test]
fn an_abandoned_revision_makes_room() {
    let mut world = healthy(&["01-services-no-router.yaml"]);
    update(&mut world, "argoproj/rollouts-demo:green");
    world.pass(30_000);
    assert_eq!(phase(&world), "Paused CanaryPauseStep");
    update(&mut world, "argoproj/rollouts-demo:yellow");
    world.pass(30_000);
    assert_eq!(
        (phase(&world).as_str(), sizes(&world).as_str()),
        ("Paused CanaryPauseStep", "blue 3, yellow 1")
    );
}

#[test]
fn the_last_stable_pod_goes_where_the_step_takes_it() {
    let no_room = json!({"maxSurge": 0, "maxUnavailable": 1});
    for (limits, steps) in [
        (json!({}), json!([{"setWeight": 100}])),
        (no_room.clone(), json!([{"setWeight": 100}])),
        (no_room, json!([{"setWeight": 50}, {"pause": {"duration": 1}}])),
    ] {
        let mut world = healthy(&["07-stable-service-weight-100.yaml"]);
        spec(&mut world, &json!({"strategy": {"canary": limits}}));
        spec(&mut world, &json!({"strategy": {"canary": {"steps": steps}}}));
        world.pass(10_000);
        update(&mut world, "argoproj/rollouts-demo:green");
        world.pass(60_000);
        assert_eq!(
            (phase(&world).as_str(), sizes(&world).as_str()),
            ("Healthy", "green 1"),
            "{limits} {steps}"
        );
    }
}

#[test]
fn pods_that_are_not_available_hold_no_room() {
    let mut world = healthy(&["01-services-no-router.yaml"]);
    let steps = json!([{"setWeight": 34}, {"pause": {}}]);
    spec(&mut world, &json!({"replicas": 10, "strategy": {"canary": {"steps": steps}}}));
    world.pass(30_000);
    let stable =
        world.all(ObjectKind::ReplicaSet).next().unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
    update(&mut world, "argoproj/rollouts-demo:yellow");
    world.pass(30_000);
    assert_eq!(phase(&world), "Paused CanaryPauseStep");
    world.unready_pods(&stable);
    update(&mut world, "argoproj/rollouts-demo:green");
    world.pass(5_000);
    status(&mut world, &json!({"promoteFull": true}));
    world.pass(60_000);
    assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "green 10"));
}

#[test]
fn a_first_deployment_that_never_becomes_ready_is_degraded() {
    for strategy in [json!({}), json!({"blueGreen": null, "canary": {"steps": [{"setWeight": 20}]}})] {
        let mut world = applied(&["02-first-deployment-never-ready.yaml"]);
        spec(&mut world, &json!({"strategy": strategy}));
        world.pass(60_000);
        assert!(phase(&world).starts_with("Degraded ProgressDeadlineExceeded"), "{}", phase(&world));
        let written = world.writes.len();
        world.pass(3_600_000);
        assert_eq!(world.writes.len(), written);
    }
}

#[test]
fn pods_that_were_available_and_are_not_are_told() {
    let mut world = healthy(&["01-services-no-router.yaml"]);
    let stable =
        world.all(ObjectKind::ReplicaSet).next().unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
    world.unready_pods(&stable);
    world.pass(60_000);
    assert!(phase(&world).starts_with("Degraded ProgressDeadlineExceeded"), "{}", phase(&world));
    world.heal_pods();
    world.pass(5_000);
    assert_eq!(phase(&world), "Healthy");
}

#[test]
fn a_promoted_preview_whose_further_pods_do_not_come_is_degraded() {
    for promotion in [json!({"promoteFull": true}), json!({"pauseConditions": null})] {
        let mut world = healthy(&["03-preview.yaml"]);
        update(&mut world, "argoproj/rollouts-demo:green");
        world.pass(30_000);
        assert_eq!(phase(&world), "Paused BlueGreenPause");
        world.start_latency = SignedDuration::from_hours(10);
        status(&mut world, &promotion);
        world.pass(120_000);
        assert!(
            phase(&world).starts_with("Degraded ProgressDeadlineExceeded"),
            "{promotion}: {}",
            phase(&world)
        );
        assert_eq!(
            world.rollout()["status"]["controllerPause"],
            Value::Null,
            "nothing waits for a promotion"
        );
        world.heal_pods();
        world.pass(60_000);
        assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "green 4"));
    }
}

#[test]
fn a_change_of_strategy_is_no_first_deployment() {
    let mut world = healthy(&["08-edited-replicaset.yaml"]);
    let service = json!({"metadata": {"name": "active"}, "spec": {"selector": {"app": "behind-c"}}});
    world.create(ObjectKind::Service, service);
    let stable = world.rollout()["status"]["stableRS"].clone();
    let strategy = json!({"canary": null, "blueGreen": {"activeService": "active"}});
    spec(&mut world, &json!({"strategy": strategy, "progressDeadlineSeconds": 5}));
    update(&mut world, "nonexistent");
    world.pass(60_000);
    assert!(phase(&world).starts_with("Degraded ProgressDeadlineExceeded"), "{}", phase(&world));
    assert_eq!((&world.rollout()["status"]["stableRS"], &selected(&world, "active")), (&stable, &stable));
    status(&mut world, &json!({"abort": true}));
    world.pass(120_000);
    assert!(phase(&world).starts_with("Degraded RolloutAborted"), "{}", phase(&world));
    assert_eq!((selected(&world, "active"), sizes(&world).as_str()), (stable, "blue 3"));
}

#[test]
fn an_active_service_without_a_hash_gets_that_of_the_stable_revision() {
    let mut world = healthy(&["32-services.yaml", "32-active-service.yaml"]);
    let stable = selected(&world, "heal-active");
    spec(&mut world, &json!({"strategy": {"blueGreen": {"autoPromotionEnabled": false}}}));
    update(&mut world, "argoproj/rollouts-demo:yellow");
    world.pass(30_000);
    assert_eq!(phase(&world), "Paused BlueGreenPause");
    let reset =
        json!({"spec": {"selector": {keys::POD_HASH_LABEL: null}}, "metadata": {"annotations": null}});
    world.patch(ObjectKind::Service, "heal-active", &reset);
    world.pass(10_000);
    assert_eq!((selected(&world, "heal-active"), phase(&world).as_str()), (stable, "Paused BlueGreenPause"));
}

#[test]
fn metadata_that_is_removed_from_the_spec_leaves_live_pods() {
    for fields in [
        json!({"stableMetadata": null, "canaryMetadata": null}),
        json!({"stableMetadata": {"labels": {"tier": "x"}}}),
    ] {
        let mut world = healthy(&["45-metadata-removed.yaml"]);
        assert!(world.all(ObjectKind::Pod).all(|pod| pod["metadata"]["labels"]["role"] == "stable"));
        spec(&mut world, &json!({"strategy": {"canary": {"stableMetadata": null}}}));
        spec(&mut world, &json!({"strategy": {"canary": fields}}));
        // A controller that ends after any of the writes leaves the rest to the next one.
        let written = world.writes.len();
        world.dies_after = Some(written + 2);
        world.pass(60_000);
        world.dies_after = None;
        let carries = |object: &Value| object["metadata"]["labels"]["role"] == "stable";
        assert!(!world.all(ObjectKind::Pod).any(carries));
        let record = |rs: &Value| rs["metadata"]["annotations"][keys::EPHEMERAL_METADATA].to_string();
        assert!(!world.all(ObjectKind::ReplicaSet).any(|rs| record(rs).contains("role")), "{fields}");
    }
}

#[test]
fn an_abort_gets_through_an_invalid_spec() {
    let mut world = healthy(&["12-annotations.yaml"]);
    update(&mut world, "argoproj/rollouts-demo:green");
    world.pass(30_000);
    let weight = |world: &World| {
        let ingress = world.get(ObjectKind::Ingress, "ann-ann-canary").unwrap();
        ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"].clone()
    };
    assert_eq!((phase(&world).as_str(), weight(&world)), ("Paused CanaryPauseStep", json!("10")));
    let nginx = json!({"canaryIngressAnnotations": {"bad key": "x"}});
    spec(&mut world, &json!({"strategy": {"canary": {"trafficRouting": {"nginx": nginx}}}, "replicas": 3}));
    world.pass(10_000);
    assert!(phase(&world).starts_with("Degraded InvalidSpec"), "{}", phase(&world));
    assert_eq!(
        (weight(&world), sizes(&world).as_str()),
        (json!("10"), "blue 3, green 1"),
        "what runs follows a size"
    );
    status(&mut world, &json!({"abort": true}));
    world.pass(120_000);
    assert_eq!((weight(&world), sizes(&world).as_str()), (json!("0"), "blue 3"));
    let status = &world.rollout()["status"];
    assert_eq!(
        (&status["abort"], &status["canary"]["weights"]["canary"]["weight"]),
        (&json!(true), &json!(0))
    );
}

#[test]
fn an_abort_gets_through_without_what_the_spec_names() {
    let mut world = healthy(&["12-annotations.yaml"]);
    update(&mut world, "argoproj/rollouts-demo:green");
    world.pass(30_000);
    world.remove(ObjectKind::Service, "ann-canary");
    world.remove(ObjectKind::Ingress, "ann");
    world.pass(10_000);
    status(&mut world, &json!({"abort": true}));
    world.pass(120_000);
    let ingress = world.get(ObjectKind::Ingress, "ann-ann-canary").unwrap();
    let weight = &ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"];
    assert_eq!((weight, sizes(&world).as_str()), (&json!("0"), "blue 2"));
}

#[test]
fn a_workload_without_a_size_in_the_rollout_keeps_its_own() {
    let mut world = applied(&["24-deployment.yaml", "24-rollout.yaml"]);
    world.pass(60_000);
    assert_eq!(world.rollout()["spec"]["replicas"], 6);
    assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "blue 6"));
    assert_eq!(world.get(ObjectKind::Deployment, "move-d").unwrap()["spec"]["replicas"], 0);
    let told = |reason: &str| world.events.iter().filter(|event| event.ends_with(reason)).count();
    assert_eq!(
        (told("ReplicasFromWorkload"), told("RolloutAddedToInformer"), told("ScalingWorkload")),
        (1, 1, 0)
    );
}

#[test]
fn a_workload_keeps_its_pods_until_a_smaller_rollout_has_its_own() {
    for mode in ["onsuccess", "progressively"] {
        let mut world = applied(&["24-deployment.yaml", "24-rollout.yaml"]);
        spec(&mut world, &json!({"replicas": 3, "workloadRef": {"scaleDown": mode}}));
        world.stagger = SignedDuration::from_secs(10);
        let mut least = 6;
        for _ in 0..60 {
            world.pass(1_000);
            let pods = world.rollout()["status"]["availableReplicas"].as_i64().unwrap_or(0);
            let own =
                world.get(ObjectKind::Deployment, "move-d").unwrap()["spec"]["replicas"].as_i64().unwrap();
            if pods < 3 {
                least = least.min(own);
            }
        }
        assert_eq!(
            (least, phase(&world).as_str(), sizes(&world).as_str()),
            (6, "Healthy", "blue 3"),
            "{mode}"
        );
        assert_eq!(world.get(ObjectKind::Deployment, "move-d").unwrap()["spec"]["replicas"], 0, "{mode}");
        assert!(
            world.events.iter().any(|event| event == "Warning ScalingWorkload"),
            "{mode}: {:?}",
            world.events
        );
    }
}

#[test]
fn a_pause_takes_nothing_from_what_runs() {
    let mut world = healthy(&["01-services-no-router.yaml"]);
    let progressing = |world: &World| {
        let conditions = world.rollout()["status"]["conditions"].as_array().unwrap().clone();
        conditions.into_iter().find(|c| c["type"] == "Progressing").unwrap()["reason"].clone()
    };
    let before = progressing(&world);
    spec(&mut world, &json!({"paused": true}));
    world.pass(60_000);
    assert_eq!((phase(&world).as_str(), progressing(&world)), ("Paused manually paused", before));
}

#[test]
fn a_paused_blue_green_rollout_starts_no_pod() {
    let mut world = healthy(&["32-services.yaml", "32-active-service.yaml"]);
    spec(&mut world, &json!({"paused": true}));
    update(&mut world, "argoproj/rollouts-demo:yellow");
    world.pass(60_000);
    assert_eq!(sizes(&world), "blue 2");
    spec(&mut world, &json!({"paused": null}));
    world.pass(60_000);
    assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "yellow 2"));
}

#[test]
fn a_full_promotion_waits_for_the_end_of_a_pause_of_the_user() {
    let mut world = healthy(&["01-services-no-router.yaml"]);
    update(&mut world, "argoproj/rollouts-demo:green");
    world.pass(30_000);
    spec(&mut world, &json!({"paused": true}));
    world.pass(1_000);
    let told = world.events.len();
    status(&mut world, &json!({"promoteFull": true}));
    world.pass(30_000);
    let (status, since) = (&world.rollout()["status"], &world.events[told..]);
    assert_eq!((&status["currentStepIndex"], since.len()), (&json!(1), 0), "{since:?}");
    spec(&mut world, &json!({"paused": null}));
    world.pass(60_000);
    assert_eq!((phase(&world).as_str(), sizes(&world).as_str()), ("Healthy", "green 3"));
}

//! What is refused before a write is tried, and how that ends.

use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

const AMOUNT: &str = include_str!("../faults/06-malformed-quantity.yaml");
const ANNOTATIONS: &str = include_str!("../faults/12-annotations.yaml");
const VERSION_1: &str = include_str!("../faults/33-selector-1.yaml");
const VERSION_2: &str = include_str!("../faults/33-selector-2.yaml");
const MISSPELT: &str = include_str!("../faults/47-empty-router.yaml");

fn applied(manifest: &str) -> World {
    let mut world = World::new();
    world.apply(manifest);
    world.pass(10_000);
    world
}

/// Updates what is there.
fn update(world: &mut World, manifest: &str) {
    for document in serde_yaml::Deserializer::from_str(manifest) {
        let object: Value = serde::Deserialize::deserialize(document).unwrap();
        let kind = if object["kind"] == "Rollout" { ObjectKind::Rollout } else { ObjectKind::Service };
        world.patch(kind, object["metadata"]["name"].as_str().unwrap(), &object);
    }
}

fn phase(world: &World) -> &str {
    world.rollout()["status"]["phase"].as_str().unwrap_or_default()
}

/// The message of the condition `InvalidSpec`; empty where there is none.
fn refusal(world: &World) -> &str {
    let conditions = world.rollout()["status"]["conditions"].as_array().unwrap();
    let invalid = conditions.iter().find(|condition| condition["type"] == "InvalidSpec");
    invalid.and_then(|condition| condition["message"].as_str()).unwrap_or_default()
}

fn sets(world: &World) -> usize {
    world.all(ObjectKind::ReplicaSet).count()
}

/// Asserts that the Rollout is refused with all `parts` in the message.
fn assert_refused(world: &World, parts: &[&str]) {
    let message = refusal(world);
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert_eq!(phase(world), "Degraded");
}

fn waiting(manifest: &str) -> String {
    manifest.replace("    blueGreen:\n", "    blueGreen:\n      autoPromotionEnabled: false\n")
}

#[test]
fn a_service_that_loses_the_serving_revision_stops_the_update_before_it_begins() {
    let mut world = applied(&waiting(VERSION_1));
    assert_eq!((phase(&world), sets(&world)), ("Healthy", 1), "a label of the version alone does no harm");
    let selected =
        |world: &World| world.get(ObjectKind::Service, "ver-active").unwrap()["spec"]["selector"].clone();
    let hash = selected(&world)["rollouts-pod-template-hash"].clone();

    update(&mut world, &waiting(VERSION_2));
    world.pass(10_000);
    let active = "spec.strategy.blueGreen.activeService: Invalid value: \"ver-active\": the Service selects pods with \
                  app.kubernetes.io/version=2, but that label of the pods of ReplicaSet ";
    let remedy = "remove app.kubernetes.io/version from the selector of the Service";
    assert_refused(&world, &[active, " is \"1\"", remedy]);
    assert!(!refusal(&world).contains("previewService"), "it is to select the new revision alone");
    assert_eq!((sets(&world), selected(&world)["rollouts-pod-template-hash"].clone()), (1, hash.clone()));

    let without = json!({"spec": {"selector": {"app.kubernetes.io/version": null}}});
    world.patch(ObjectKind::Service, "ver-active", &without);
    world.pass(10_000);
    assert_eq!((refusal(&world), phase(&world), sets(&world)), ("", "Paused", 2));
    assert_eq!(selected(&world)["rollouts-pod-template-hash"], hash, "users stay where they were");
}

#[test]
fn a_template_that_the_service_does_not_select_is_not_to_be_followed_by_the_service() {
    let mut world = applied(&waiting(VERSION_1));
    let rollout = VERSION_2.split("---").next().unwrap();
    update(&mut world, &waiting(rollout));
    world.pass(10_000);
    let spec = "the Service selects pods with app.kubernetes.io/version=1, but that label of spec.template is \"2\"; remove \
                app.kubernetes.io/version from the selector of the Service";
    assert_refused(&world, &[spec]);
}

/// The first deployment has failed; whoever corrects it may change the label, too.
#[test]
fn a_revision_without_available_pods_holds_nothing_up() {
    let mut world = World::new();
    world.apply(&VERSION_1.replace("rollouts-demo:blue", "rollouts-demo:error"));
    // The model has no images that fail: its pods are stopped before they are ready.
    world.start_latency = jiff::SignedDuration::from_hours(1);
    world.pass(5_000);
    assert_eq!(sets(&world), 1);
    world.start_latency = jiff::SignedDuration::from_millis(500);
    update(&mut world, VERSION_2);
    world.pass(5_000);
    assert_eq!((refusal(&world), sets(&world)), ("", 2));
}

#[test]
fn a_router_that_is_asked_for_and_not_named_is_refused() {
    for routing in ["{}", "{plugins: {}}"] {
        let manifest = MISSPELT.replace("trafficRouting: {}", &format!("trafficRouting: {routing}"));
        let world = applied(&manifest);
        let path = "spec.strategy.canary.trafficRouting: Invalid value: {}: names no router";
        assert_refused(
            &world,
            &[path, "name one of nginx, istio, alb, smi, ambassador, appMesh, traefik, apisix"],
        );
        assert_eq!(sets(&world), 0);
    }
}

#[test]
fn what_the_api_server_would_refuse_is_named_before_it_is_written() {
    let world = applied(AMOUNT);
    let container = "spec.template.spec.containers[0].resources.requests";
    let cpu = format!("{container}.cpu: Invalid value: \"50mm\": must be a number");
    let memory = format!("{container}.memory: Invalid value: \"1Gb\": must be a number");
    let scratch = "spec.template.spec.volumes[0].emptyDir.sizeLimit: Invalid value: \"ten\"";
    assert_refused(&world, &[&cpu, "write 50m; also", &memory, "write 1Gi or 1G", scratch]);
    assert_eq!(sets(&world), 0);
}

#[test]
fn annotations_of_the_canary_ingress_are_checked_before_they_are_written() {
    let mut world = applied(ANNOTATIONS);
    let keys = json!({"spec": {"strategy": {"canary": {"trafficRouting": {"nginx": {
        "canaryIngressAnnotations": {"bad key": "x"},
        "additionalIngressAnnotations": {"example.com/other": "x", "also bad": "x"},
    }}}}}});
    world.patch(ObjectKind::Rollout, "ann", &keys);
    world.pass(10_000);
    let nginx = "spec.strategy.canary.trafficRouting.nginx";
    let bad =
        format!("{nginx}.canaryIngressAnnotations.bad key: Invalid value: \"bad key\": the name must be");
    let also = format!(
        "{nginx}.additionalIngressAnnotations.also bad: Invalid value: \"also bad\": the name must be"
    );
    let foreign = format!(
        "{nginx}.additionalIngressAnnotations.example.com/other: Invalid value: \"example.com/other\": must be a name \
         without a slash, which gets the prefix nginx.ingress.kubernetes.io/"
    );
    assert_refused(&world, &[&bad, &also, &foreign]);
}

#[test]
fn what_is_wrong_and_what_is_not_built_are_told_together() {
    let mut world = applied(ANNOTATIONS);
    let patch = json!({"spec": {"replicas": -1, "strategy": {"canary": {"analysis": {"templates": []}}}}});
    world.patch(ObjectKind::Rollout, "ann", &patch);
    world.pass(10_000);
    let unbuilt = "; also spec.strategy.canary.analysis: this version of Serin cannot run an analysis yet";
    assert_refused(&world, &["spec.replicas: Invalid value: -1", unbuilt]);
}

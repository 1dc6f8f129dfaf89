//! Pods of a new revision keep off the nodes of the stable one's, for the time of the update.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// A Rollout whose pods have an affinity of their own, settled. The strategies are those of both words, so that each test
/// is about the field and not about one strategy.
fn deployed(strategy: &Value) -> World {
    let mut world = World::new();
    let affinity = json!({"podAntiAffinity": {REQUIRED: [
        {"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "other"}}}]}});
    let spec = json!({"containers": [{"name": "demo", "image": "demo:1"}], "affinity": affinity});
    let rollout = json!({
        "kind": "Rollout",
        "metadata": {"name": "demo"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "demo"}},
            "template": {"metadata": {"labels": {"app": "demo"}}, "spec": spec},
            "strategy": strategy,
        },
    });
    for service in ["active", "preview"] {
        let selector = json!({"selector": {"app": "demo"}});
        world.apply(&json!({"kind": "Service", "metadata": {"name": service}, "spec": selector}).to_string());
    }
    world.apply(&rollout.to_string());
    world.pass(5_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    world
}

fn canary(affinity: &Value) -> Value {
    json!({"canary": {"antiAffinity": affinity, "steps": [{"setWeight": 50}, {"pause": {}}]}})
}

fn blue_green(affinity: &Value) -> Value {
    json!({"blueGreen": {
        "activeService": "active", "previewService": "preview", "autoPromotionEnabled": false,
        "antiAffinity": affinity,
    }})
}

fn update(world: &mut World, version: &str) {
    let template = json!({"metadata": {"annotations": {"v": version}}});
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"template": template}}));
    world.pass(5_000);
}

fn promote(world: &mut World) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": {"pauseConditions": null}}));
    world.pass(60_000);
}

/// The ReplicaSet of a revision.
fn set<'w>(world: &'w World, revision: &str) -> &'w Value {
    let is_it = |rs: &&Value| rs["metadata"]["annotations"][keys::REVISION] == revision;
    world.all(ObjectKind::ReplicaSet).find(is_it).expect("a ReplicaSet")
}

fn hash(world: &World, revision: &str) -> String {
    set(world, revision)["metadata"]["labels"][keys::POD_HASH_LABEL].as_str().unwrap().to_owned()
}

/// The terms in a list of the ReplicaSet of a revision, those of the user aside.
fn injected(world: &World, revision: &str, list: &str) -> Vec<Value> {
    let affinity = &set(world, revision)["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"];
    let users =
        affinity[REQUIRED].as_array().map_or(0, |terms| usize::from(terms[0]["topologyKey"] == "zone"));
    assert_eq!(users, 1, "the user's term stays: {affinity}");
    let terms = affinity[list].as_array().cloned().unwrap_or_default();
    terms.into_iter().filter(|term| term["topologyKey"] != "zone").collect()
}

fn term_against(hash: &str) -> Value {
    let expression = json!({"key": keys::POD_HASH_LABEL, "operator": "In", "values": [hash]});
    json!({
        "labelSelector": {"matchExpressions": [expression]},
        "namespaces": ["default"],
        "topologyKey": "kubernetes.io/hostname",
    })
}

#[test]
fn the_new_revision_has_the_term_until_it_is_promoted() {
    let affinity = json!({REQUIRED: {}});
    for strategy in [canary(&affinity), blue_green(&affinity)] {
        let mut world = deployed(&strategy);
        assert!(injected(&world, "1", REQUIRED).is_empty(), "there is nothing to keep away from");
        update(&mut world, "2");
        assert_eq!(world.rollout()["status"]["phase"], "Paused");
        assert_eq!(injected(&world, "2", REQUIRED), [term_against(&hash(&world, "1"))]);
        let is_mended = |write: &&String| write.contains("SyncReplicaSet");
        assert_eq!(world.writes.iter().find(is_mended), None, "it was made with the term");
        assert!(injected(&world, "1", REQUIRED).is_empty(), "the stable revision stays as it is");
        promote(&mut world);
        assert_eq!(world.rollout()["status"]["phase"], "Healthy");
        assert!(injected(&world, "2", REQUIRED).is_empty(), "nobody is to be kept away from any more");
        assert!(world.plan().is_empty());
    }
}

#[test]
fn a_preference_has_its_weight() {
    let mut world = deployed(&canary(&json!({PREFERRED: {"weight": 7}})));
    update(&mut world, "2");
    let term = json!({"weight": 7, "podAffinityTerm": term_against(&hash(&world, "1"))});
    assert_eq!(injected(&world, "2", PREFERRED), [term]);
}

#[test]
fn the_term_is_no_part_of_the_hash() {
    let plain = deployed(&canary(&Value::Null));
    let hashes = |mut world: World| {
        update(&mut world, "2");
        (hash(&world, "1"), hash(&world, "2"))
    };
    assert_eq!(hashes(deployed(&canary(&json!({REQUIRED: {}})))), hashes(plain));
}

/// A controller of another version gave the ReplicaSet another hash: the template is what it is found by.
#[test]
fn a_revision_is_found_again_by_its_template_with_the_term() {
    let mut world = deployed(&canary(&json!({REQUIRED: {}})));
    update(&mut world, "2");
    let name = set(&world, "2")["metadata"]["name"].as_str().unwrap().to_owned();
    let label = json!({"metadata": {"labels": {keys::POD_HASH_LABEL: "other"}}});
    world.patch(ObjectKind::ReplicaSet, &name, &label);
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": {"observedGeneration": "0"}}));
    world.pass(5_000);
    assert_eq!(world.all(ObjectKind::ReplicaSet).count(), 2);
    assert_eq!(world.rollout()["status"]["currentPodHash"], "other");
}

/// The second update is given up for the third, from which the second's ReplicaSet is brought back.
#[test]
fn a_term_follows_the_stable_revision_and_the_configuration() {
    let mut world = deployed(&canary(&json!({REQUIRED: {}})));
    let first = hash(&world, "1");
    update(&mut world, "2");
    update(&mut world, "3");
    assert_eq!(injected(&world, "3", REQUIRED), [term_against(&first)]);
    promote(&mut world);
    let third = hash(&world, "3");
    update(&mut world, "2");
    assert_eq!(injected(&world, "4", REQUIRED), [term_against(&third)], "it named the first before");

    let patch = json!({"spec": {"strategy": canary(&json!({REQUIRED: null, PREFERRED: {"weight": 1}}))}});
    world.patch(ObjectKind::Rollout, "demo", &patch);
    world.pass(1_000);
    assert!(injected(&world, "4", REQUIRED).is_empty());
    assert_eq!(injected(&world, "4", PREFERRED).len(), 1);
    world.patch(
        ObjectKind::Rollout,
        "demo",
        &json!({"spec": {"strategy": {"canary": {"antiAffinity": null}}}}),
    );
    world.pass(1_000);
    assert!(injected(&world, "4", PREFERRED).is_empty());
    assert!(world.plan().is_empty());
}

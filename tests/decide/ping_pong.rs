//! Two Services that take turns in being the stable one.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::{ObjectKind, Purpose};
use serin_core::rollout::decide;
use serin_core::rollout::snapshot::Snapshot;

use crate::world::World;

fn service(name: &str) -> Value {
    json!({"kind": "Service", "metadata": {"name": name}, "spec": {"selector": {"app": "demo"}}})
}

fn world(canary: &Value) -> World {
    let mut world = World::new();
    let rollout = json!({
        "kind": "Rollout",
        "metadata": {"name": "demo"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "demo"}},
            "template": {
                "metadata": {"labels": {"app": "demo"}},
                "spec": {"containers": [{"name": "demo", "image": "demo:1"}]},
            },
            "strategy": {"canary": canary},
        },
    });
    for object in [service("ping"), service("pong"), rollout] {
        world.apply(&object.to_string());
    }
    world.pass(5_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    world
}

fn pair() -> Value {
    json!({"pingService": "ping", "pongService": "pong"})
}

/// A Rollout with the pair, settled.
fn deployed() -> World {
    world(&json!({"pingPong": pair(), "steps": [{"setWeight": 50}, {"pause": {}}]}))
}

fn update(world: &mut World, version: &str) {
    let template = json!({"metadata": {"annotations": {"v": version}}});
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"template": template}}));
    world.pass(5_000);
}

fn promote(world: &mut World) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": {"pauseConditions": null}}));
    world.pass(60_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
}

/// Which revision ping and pong select, and which of the two is the stable one.
fn seen(world: &World) -> (String, String, String) {
    let revision = |service: &str| {
        let hash =
            &world.get(ObjectKind::Service, service).unwrap()["spec"]["selector"][keys::POD_HASH_LABEL];
        let mut sets = world.all(ObjectKind::ReplicaSet);
        let set = sets.find(|rs| rs["metadata"]["labels"][keys::POD_HASH_LABEL] == *hash);
        set.map_or("all", |rs| rs["metadata"]["annotations"][keys::REVISION].as_str().unwrap()).to_owned()
    };
    let side = world.rollout()["status"]["canary"]["stablePingPong"].as_str().unwrap_or("none");
    (revision("ping"), revision("pong"), side.to_owned())
}

#[track_caller]
fn assert_seen(world: &World, selected: [&str; 2], stable: &str) {
    let [first, second] = selected.map(ToOwned::to_owned);
    assert_eq!(seen(world), (first, second, stable.to_owned()));
}

#[test]
fn the_two_take_turns() {
    let mut world = deployed();
    assert_seen(&world, ["1", "all"], "ping");
    update(&mut world, "2");
    assert_seen(&world, ["1", "2"], "ping");
    promote(&mut world);
    assert_seen(&world, ["1", "2"], "pong");
    update(&mut world, "3");
    assert_seen(&world, ["3", "2"], "pong");
    promote(&mut world);
    assert_seen(&world, ["3", "2"], "ping");
    let sizes: Vec<_> = world.all(ObjectKind::ReplicaSet).map(|rs| rs["spec"]["replicas"].clone()).collect();
    assert_eq!(
        sizes.iter().filter(|size| **size != 0).count(),
        1,
        "the one that rests holds no pods: {sizes:?}"
    );
    assert!(world.plan().is_empty());
}

/// Load balancers take their time to know pods, so that they are to learn of them early.
#[test]
fn the_one_on_trial_goes_to_its_revision_before_that_has_pods() {
    let mut world = deployed();
    let template = json!({"metadata": {"annotations": {"v": "2"}}});
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"template": template}}));
    world.pass(0);
    assert_seen(&world, ["1", "2"], "ping");
    let available = world.all(ObjectKind::ReplicaSet).map(|rs| rs["status"]["availableReplicas"].clone());
    assert!(available.into_iter().any(|available| available == 0), "the new revision has none yet");
}

#[test]
fn an_update_that_is_given_up_keeps_the_turn_and_no_pods() {
    let mut world = deployed();
    update(&mut world, "2");
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": {"abort": true}}));
    world.pass(60_000);
    assert_seen(&world, ["1", "2"], "ping");
    let sizes: Vec<_> = world.all(ObjectKind::ReplicaSet).map(|rs| rs["spec"]["replicas"].clone()).collect();
    assert!(sizes.contains(&json!(2)) && sizes.contains(&json!(0)), "{sizes:?}");
    update(&mut world, "3");
    assert_seen(&world, ["1", "3"], "ping");
}

/// A Service that selected all pods until now would send the users' requests to the new revision, too.
#[test]
fn a_pair_that_comes_later_does_not_mix_the_revisions() {
    let mut world = world(&json!({"steps": [{"setWeight": 50}, {"pause": {}}]}));
    world.patch(
        ObjectKind::Rollout,
        "demo",
        &json!({"spec": {"strategy": {"canary": {"pingPong": pair()}}}}),
    );
    world.pass(1_000);
    assert_seen(&world, ["all", "1"], "none");
    update(&mut world, "2");
    assert_seen(&world, ["2", "1"], "none");
    promote(&mut world);
    assert_seen(&world, ["2", "1"], "ping");
}

#[test]
fn a_pair_that_is_no_longer_named_is_given_back() {
    let mut world = deployed();
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"strategy": {"canary": {"pingPong": null}}}}));
    world.pass(1_000);
    let ping = world.get(ObjectKind::Service, "ping").unwrap();
    assert_eq!(ping["spec"]["selector"], json!({"app": "demo"}));
}

/// With no pod more and one pod less than wanted, the last stable pod has to go before the new revision is complete: its
/// users are handed over first.
#[test]
fn the_last_stable_pod_stays_until_its_service_has_moved() {
    let tight = json!({"pingPong": pair(), "maxSurge": 0, "maxUnavailable": 1, "steps": [{"setWeight": 50}, {"pause": {}}]});
    let mut world = world(&tight);
    update(&mut world, "2");
    let end = world.now + jiff::SignedDuration::from_secs(60);
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": {"pauseConditions": null}}));
    let is_stable_gone = |world: &World| {
        let first = |rs: &&Value| rs["metadata"]["annotations"][keys::REVISION] == "1";
        world.all(ObjectKind::ReplicaSet).find(first).is_some_and(|rs| rs["spec"]["replicas"] == 0)
    };
    assert!(world.run(end, is_stable_gone));
    assert_eq!(seen(&world).0, "2", "ping was the stable one");
    world.pass(60_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    assert_seen(&world, ["2", "2"], "pong");
}

/// An update that was overtaken by the next: its last pod goes when no request can reach it any more.
#[test]
fn a_revision_that_one_of_the_two_selects_keeps_its_last_pod() {
    let mut world = deployed();
    update(&mut world, "2");
    update(&mut world, "3");
    assert_seen(&world, ["1", "3"], "ping");
    let mut snapshot = world.snapshot();
    let overtaken = &mut snapshot.replica_sets[1];
    let hash = overtaken.labels[keys::POD_HASH_LABEL].clone();
    (overtaken.replicas, overtaken.status.replicas, overtaken.status.available) = (1, 1, 1);
    let goes = |snapshot: &Snapshot| {
        let plan = decide(snapshot, world.now);
        plan.ops().any(|op| op.purposes.contains(&Purpose::ScaleReplicaSet { from: 1, to: 0 }))
    };
    assert!(goes(&snapshot));
    let selector = &mut snapshot.services.get_mut("pong").unwrap().selector;
    selector.insert(keys::POD_HASH_LABEL.to_owned(), hash);
    assert!(!goes(&snapshot), "requests may come through pong");
}

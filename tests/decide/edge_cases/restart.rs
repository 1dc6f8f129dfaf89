//! Restarts: which pods are evicted, and how many at a time.

use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;

use crate::scene::{Decision, Scene, at, short};
use crate::world::World;

/// A restart that was asked for an hour ago, of a Rollout of `replicas` pods that are older than that.
#[allow(clippy::needless_pass_by_value, reason = "a value is written where it is called")]
fn asked(replicas: i32, unavailable: Value) -> Scene {
    let scene = Scene::canary(&json!({"maxUnavailable": unavailable, "steps": [{"pause": {}}]}));
    scene.spec(&json!({"replicas": replicas, "restartAt": at(-3600)}))
}

/// The pods that are evicted if the pods `young` have been replaced already.
fn evicted(scene: &Scene, young: &[&str]) -> String {
    let mut world = scene.world();
    let pods: Vec<String> =
        world.all(ObjectKind::Pod).map(|p| p["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    for pod in pods.iter().filter(|pod| young.contains(&short(pod).as_str())) {
        world.patch(ObjectKind::Pod, pod, &json!({"metadata": {"creationTimestamp": at(-60)}}));
    }
    let decision = Decision::on(&world);
    let done = if decision.status["restartedAt"].is_null() { "" } else { "done" };
    format!("{}{done}", decision.only("evict"))
}

#[test]
fn as_many_pods_are_evicted_as_may_be_missing() {
    let three = |unavailable: Value, available| asked(3, unavailable).set(1, 3, available);
    assert_eq!(evicted(&three(json!(2), 3), &["r1-3"]), "evict r1-1, evict r1-2");
    assert_eq!(evicted(&three(json!(2), 2), &["r1-3"]), "evict r1-1", "one is missing already");
    assert_eq!(evicted(&three(json!(0), 3), &["r1-3"]), "", "one is added first");
    let none_to_add = three(json!("10%"), 3).spec(&json!({"strategy": {"canary": {"maxSurge": 0}}}));
    assert_eq!(evicted(&none_to_add, &["r1-3"]), "evict r1-1", "where none may be added, one has to go");
    assert_eq!(evicted(&three(json!("100%"), 3), &["r1-3"]), "evict r1-1, evict r1-2");
    assert_eq!(evicted(&three(json!(2), 1), &[]), "", "as few as may be are available");
    assert_eq!(evicted(&three(json!(2), 3), &["r1-1", "r1-2", "r1-3"]), "done");
    let both = asked(1, Value::Null).set(1, 1, 1).set(2, 1, 1);
    assert_eq!(evicted(&both, &[]), "evict r1-1", "the stable revision comes first");
    assert_eq!(evicted(&asked(0, Value::Null).set(1, 0, 0), &[]), "done", "there is nothing to replace");
}

#[test]
fn only_pods_of_the_rollout_are_evicted() {
    let owner = |uid: &str| json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "x", "uid": uid, "controller": true}]);
    let pod = |name: &str, owners: Value| {
        json!({"metadata": {
            "name": name, "labels": {"app": "demo", serin_core::api::keys::POD_HASH_LABEL: "x"}, "creationTimestamp": at(-9000),
            "ownerReferences": owners,
        }})
    };
    let scene = asked(1, json!("100%")).set(1, 1, 1).object(ObjectKind::Pod, pod("a-bare", Value::Null));
    let scene = scene.object(ObjectKind::Pod, pod("a-foreign", owner("other")));
    assert_eq!(evicted(&scene, &[]), "evict r1-1");
}

#[test]
fn pods_that_are_going_are_not_evicted_again() {
    let decision = |unavailable: i32| {
        let mut world = asked(2, json!(unavailable)).set(1, 2, 2).world();
        let first = world.all(ObjectKind::Pod).next().unwrap()["metadata"]["name"].clone();
        let going = json!({"metadata": {"deletionTimestamp": at(0)}});
        world.patch(ObjectKind::Pod, first.as_str().unwrap(), &going);
        Decision::on(&world)
    };
    assert_eq!(decision(1).only("evict"), "", "it counts as missing already");
    assert_eq!(decision(1).wakes_in(), Some(30));
    assert_eq!(decision(2).only("evict"), "evict r1-2");
}

#[test]
fn a_restart_waits_for_its_time_and_is_done_once() {
    let scene = asked(1, Value::Null).set(1, 1, 1);
    let later = scene.spec(&json!({"restartAt": at(90)})).decide();
    assert_eq!((later.only("evict").as_str(), later.wakes_in()), ("", Some(90)));
    let scene = asked(1, Value::Null).set(1, 1, 1).status(&json!({"restartedAt": at(-3600)}));
    assert_eq!(evicted(&scene, &[]), "done");
}

/// The fewest pods that are available while all of so many are replaced, and the most that there are.
fn range_of_a_restart(replicas: i32, unavailable: Value) -> (i64, i64) {
    let mut world = asked(replicas, unavailable).set(1, replicas, replicas).world();
    let old: Vec<Value> = world.all(ObjectKind::Pod).map(|pod| pod["metadata"]["name"].clone()).collect();
    let (mut fewest, mut most) = (i64::MAX, 0);
    for _ in 0..400 {
        world.pass(100);
        let rs = world.all(ObjectKind::ReplicaSet).next().unwrap();
        fewest = fewest.min(rs["status"]["availableReplicas"].as_i64().unwrap());
        most = most.max(rs["status"]["replicas"].as_i64().unwrap());
    }
    assert!(world.all(ObjectKind::Pod).all(|pod| !old.contains(&pod["metadata"]["name"])));
    assert_eq!(i64::try_from(world.all(ObjectKind::Pod).count()).unwrap(), i64::from(replicas));
    assert_eq!(world.rollout()["status"]["restartedAt"], at(-3600));
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    (fewest, most)
}

#[test]
fn where_no_pod_may_be_missing_one_is_added_first() {
    assert_eq!(range_of_a_restart(4, json!(0)), (4, 5));
    assert_eq!(range_of_a_restart(1, json!("25%")), (1, 2), "a quarter of one pod is none");
    assert_eq!(
        range_of_a_restart(1, Value::Null),
        (0, 1),
        "so is the default, by which nobody asks for that"
    );
    assert_eq!(range_of_a_restart(4, json!(1)), (3, 4));
}

#[test]
fn every_pod_is_replaced_and_then_it_is_recorded() {
    let mut world: World = asked(4, json!("25%")).set(1, 4, 4).world();
    let old: Vec<Value> = world.all(ObjectKind::Pod).map(|pod| pod["metadata"]["name"].clone()).collect();
    let (mut fewest, mut at_the_end) = (4, None);
    for _ in 0..300 {
        world.pass(100);
        let rs = world.all(ObjectKind::ReplicaSet).next().unwrap();
        let available = rs["status"]["availableReplicas"].as_i64().unwrap();
        fewest = fewest.min(available);
        if !world.rollout()["status"]["restartedAt"].is_null() {
            at_the_end.get_or_insert(available);
        }
    }
    assert_eq!(at_the_end, Some(4), "recorded when the last new pod is available");
    assert!(world.all(ObjectKind::Pod).all(|pod| !old.contains(&pod["metadata"]["name"])));
    assert_eq!((world.all(ObjectKind::Pod).count(), fewest), (4, 3));
    assert_eq!(world.rollout()["status"]["restartedAt"], at(-3600));
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
}

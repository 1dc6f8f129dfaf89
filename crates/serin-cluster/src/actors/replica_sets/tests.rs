use serde_json::{Value, json};

use super::super::ActorName;
use super::super::world::World;
use super::*;

fn world(replicas: i64) -> World {
    let mut world = World::new(ActorName::ReplicaSets);
    world.put(REPLICA_SETS, "shop", "web", set(replicas));
    world
}

fn set(replicas: i64) -> Value {
    json!({
        "metadata": {"generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web", "tier": "x"}, "annotations": {"a": "b"}, "finalizers": ["f/f"]},
                "spec": {"containers": [{"name": "c", "image": "i", "newField": 1}]},
            },
        },
    })
}

fn make_ready(world: &mut World, name: &str, seconds_ago: i64) {
    let since = world.now.checked_sub(jiff::SignedDuration::from_secs(seconds_ago)).unwrap();
    world.change(PODS, "shop", name, |pod| {
        pod["spec"]["nodeName"] = "node".into();
        pod["status"] = json!({"phase": "Running", "conditions": [
            {"type": "Ready", "status": "True", "lastTransitionTime": since.to_string()}]});
    });
}

fn pod_names(world: &World) -> Vec<String> {
    world.all(PODS).iter().map(|pod| pod.name().to_owned()).collect()
}

#[test]
fn pods_are_made_from_the_template_and_owned() {
    let mut world = world(2);
    world.settle();
    let pods = world.all(PODS);
    assert_eq!(pods.len(), 2);
    let pod = &pods[0];
    assert!(pod.name().starts_with("web-"));
    assert_eq!((pod.label("tier"), pod.annotation("a")), (Some("x"), Some("b")));
    assert_eq!(pod.finalizers().collect::<Vec<_>>(), ["f/f"]);
    assert_eq!(pod.at("/spec/containers/0/newField"), 1);
    let owner = pod.controller().unwrap();
    assert_eq!((owner.kind, owner.name, owner.is_blocking), ("ReplicaSet", "web", true));
    let set = world.get(REPLICA_SETS, "shop", "web").unwrap();
    assert_eq!(
        set.at("/status"),
        &json!({"replicas": 2, "fullyLabeledReplicas": 2, "observedGeneration": 1})
    );
    assert_eq!(
        world.events(),
        [
            format!("SuccessfulCreate Created pod: {}", pods[0].name()),
            format!("SuccessfulCreate Created pod: {}", pods[1].name())
        ]
    );
}

#[test]
fn a_watch_that_lags_makes_nothing_twice() {
    let mut world = world(3);
    world.catch_up();
    world.act();
    world.act();
    assert_eq!(world.all(PODS).len(), 3);
    world.change(REPLICA_SETS, "shop", "web", |set| set["spec"]["replicas"] = 1.into());
    world.catch_up();
    for pod in world.all(PODS) {
        world.change(PODS, "shop", pod.name(), |pod| pod["metadata"]["finalizers"] = Value::Null);
    }
    world.settle();
    assert_eq!(world.all(PODS).len(), 1);
}

#[test]
fn a_settled_set_is_left_alone() {
    let mut world = world(1);
    world.settle();
    let written = world.log.len();
    world.change(REPLICA_SETS, "shop", "web", |set| set["metadata"]["labels"] = json!({"a": "b"}));
    world.settle();
    assert_eq!(world.log.len(), written);
}

#[test]
fn orphans_are_adopted_and_strays_let_go() {
    let mut world = world(1);
    world.put(PODS, "shop", "orphan", json!({"metadata": {"labels": {"app": "web"}}}));
    world.put(PODS, "shop", "other", json!({"metadata": {"labels": {"app": "other"}}}));
    world.settle();
    let orphan = world.get(PODS, "shop", "orphan").unwrap();
    assert_eq!(orphan.controller().map(|owner| owner.name), Some("web"));
    assert_eq!(pod_names(&world), ["orphan", "other"]);
    let set = world.get(REPLICA_SETS, "shop", "web").unwrap();
    assert_eq!(
        (set.at("/status/replicas"), set.at("/status/fullyLabeledReplicas")),
        (&json!(1), &Value::Null)
    );
    world.change(PODS, "shop", "orphan", |pod| pod["metadata"]["labels"]["app"] = "else".into());
    world.settle();
    assert!(world.get(PODS, "shop", "orphan").unwrap().controller().is_none());
    assert_eq!(world.all(PODS).len(), 3);
}

#[test]
fn a_pod_of_another_controller_is_not_touched() {
    let mut world = world(0);
    let owner = json!([{"kind": "Job", "name": "j", "uid": "j", "controller": true}]);
    let meta = json!({"labels": {"app": "web"}, "ownerReferences": owner});
    world.put(PODS, "shop", "foreign", json!({"metadata": meta}));
    world.settle();
    assert!(world.log.iter().all(|request| request.target.subresource.is_some()), "{:?}", world.log);
}

#[test]
fn the_least_useful_pods_go_first() {
    let mut world = world(0);
    let owners = json!([{"kind": "ReplicaSet", "name": "web", "uid": "uid-1", "controller": true}]);
    let labels = json!({"app": "web"});
    for name in ["unassigned", "pending", "unready", "costly", "old", "young", "restarted"] {
        let meta = json!({"labels": labels, "ownerReferences": owners, "uid": name});
        world.put(PODS, "shop", name, json!({"metadata": meta, "spec": {"nodeName": "node"}}));
    }
    for (name, seconds) in [("costly", 10), ("old", 1000), ("young", 10), ("restarted", 1000)] {
        make_ready(&mut world, name, seconds);
    }
    world.change(PODS, "shop", "unassigned", |pod| pod["spec"] = json!({}));
    world.change(PODS, "shop", "unready", |pod| pod["status"]["phase"] = "Running".into());
    world.change(PODS, "shop", "costly", |pod| {
        pod["metadata"]["annotations"] = json!({"controller.kubernetes.io/pod-deletion-cost": "10"});
    });
    world.change(PODS, "shop", "restarted", |pod| {
        pod["status"]["containerStatuses"] = json!([{"restartCount": 3}]);
    });
    world.catch_up();
    let view = world.crew.view();
    let set = view.find(REPLICA_SETS, "shop", "web").unwrap();
    let active: Vec<&Object> = controlled(view, set).collect();
    let order: Vec<&str> =
        rank::first_to_go(view, set, &active, world.now).iter().map(|pod| pod.name()).collect();
    assert_eq!(order, ["unassigned", "pending", "unready", "young", "restarted", "old", "costly"]);
}

#[test]
fn pods_that_have_ended_are_replaced() {
    let mut world = world(1);
    world.settle();
    let name = pod_names(&world)[0].clone();
    world.change(PODS, "shop", &name, |pod| pod["status"]["phase"] = "Failed".into());
    world.settle();
    assert_eq!(world.all(PODS).len(), 2);
}

#[test]
fn availability_waits_for_min_ready_seconds() {
    let mut world = world(1);
    world.change(REPLICA_SETS, "shop", "web", |set| set["spec"]["minReadySeconds"] = 30.into());
    world.settle();
    let name = pod_names(&world)[0].clone();
    make_ready(&mut world, &name, 0);
    world.settle();
    let counts = |world: &World| {
        let set = world.get(REPLICA_SETS, "shop", "web").unwrap();
        (set.integer("/status/readyReplicas"), set.integer("/status/availableReplicas"))
    };
    assert_eq!(counts(&world), (Some(1), None));
    world.pass(29);
    assert_eq!(counts(&world), (Some(1), None));
    world.pass(1);
    assert_eq!(counts(&world), (Some(1), Some(1)));
}

#[test]
fn a_refusal_is_said_and_tried_again_later() {
    let mut world = world(2);
    world.refuse = Some((PODS, "exceeded quota"));
    world.settle();
    let set = world.get(REPLICA_SETS, "shop", "web").unwrap();
    let condition = set.condition("ReplicaFailure").unwrap();
    assert_eq!(
        (&condition["reason"], &condition["message"]),
        (&json!("FailedCreate"), &json!("exceeded quota"))
    );
    assert_eq!(set.at("/status/replicas"), 0);
    assert!(world.events().contains(&"FailedCreate Error creating: exceeded quota".to_owned()));
    world.refuse = None;
    world.settle();
    assert_eq!(world.all(PODS).len(), 0);
    world.pass(1);
    assert_eq!(world.all(PODS).len(), 2);
    assert!(world.get(REPLICA_SETS, "shop", "web").unwrap().condition("ReplicaFailure").is_none());
}

#[test]
fn a_set_that_is_deleted_makes_no_pods() {
    let mut world = world(2);
    world.change(REPLICA_SETS, "shop", "web", |set| {
        set["metadata"]["deletionTimestamp"] = "2020-01-01T00:00:00Z".into();
        set["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
    });
    world.settle();
    assert!(world.all(PODS).is_empty());
}

#[test]
fn a_deleted_pod_is_replaced_while_it_ends() {
    let mut world = world(1);
    world.settle();
    let name = pod_names(&world)[0].clone();
    make_ready(&mut world, &name, 5);
    world.settle();
    world.delete(&Place::new(PODS, "shop", &name), "");
    world.settle();
    assert_eq!(world.all(PODS).len(), 2);
    assert_eq!(world.get(REPLICA_SETS, "shop", "web").unwrap().at("/status/replicas"), 1);
}

use super::super::ActorName;
use super::super::world::World;
use super::fields::{DESIRED, MOST};
use super::*;

fn world(replicas: i64, strategy: &Value) -> World {
    let mut world = World::new(ActorName::Deployments);
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}});
    let spec = json!({"replicas": replicas, "strategy": strategy,
        "selector": {"matchLabels": {"app": "web"}}, "template": template});
    world.put(
        DEPLOYMENTS,
        "shop",
        "web",
        json!({"metadata": {"generation": 1, "annotations": {"a": "b", LAST_APPLIED: "x"}}, "spec": spec}),
    );
    world
}

/// Plays the ReplicaSet controller and the kubelet: every ReplicaSet has the pods that it asks for.
fn fulfil(world: &mut World) {
    for set in world.all(REPLICA_SETS) {
        let count = replicas(&set);
        if set.integer("/status/replicas") != Some(count) {
            world.change(REPLICA_SETS, "shop", set.name(), |set| {
                set["status"] =
                    json!({"replicas": count, "readyReplicas": count, "availableReplicas": count});
            });
        }
    }
    world.settle();
}

fn sizes(world: &World) -> Vec<i64> {
    let mut sets = world.all(REPLICA_SETS);
    sets.sort_by_key(revision);
    sets.iter().map(replicas).collect()
}

fn release(world: &mut World, image: &str) {
    world.now = world.now.checked_add(jiff::SignedDuration::from_secs(1)).unwrap();
    world.change(DEPLOYMENTS, "shop", "web", |deployment| {
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = image.into();
    });
    world.settle();
}

#[test]
fn the_first_template_gets_a_set_with_its_hash_and_revision() {
    let mut world = world(3, &Value::Null);
    world.settle();
    let sets = world.all(REPLICA_SETS);
    let deployment = world.get(DEPLOYMENTS, "shop", "web").unwrap();
    let hash = template_hash(deployment.at("/spec/template"), None);
    assert_eq!((sets.len(), sets[0].name()), (1, format!("web-{hash}").as_str()));
    for pointer in ["/spec/selector/matchLabels", "/spec/template/metadata/labels", "/metadata/labels"] {
        assert_eq!(sets[0].at(pointer), &json!({"app": "web", HASH_LABEL: hash}), "{pointer}");
    }
    let annotations = json!({"a": "b", REVISION: "1", DESIRED: "3", MOST: "4"});
    assert_eq!(sets[0].at("/metadata/annotations"), &annotations);
    assert_eq!((deployment.annotation(REVISION), replicas(&sets[0])), (Some("1"), 3));
    assert_eq!(sets[0].controller().map(|owner| owner.uid), Some(deployment.uid()));
    assert_eq!(world.events(), [format!("ScalingReplicaSet Scaled up replica set web-{hash} from 0 to 3")]);
    assert!(!deployment.is_true("Available"));
    fulfil(&mut world);
    let deployment = world.get(DEPLOYMENTS, "shop", "web").unwrap();
    assert!(deployment.is_true("Available"));
    assert_eq!(deployment.condition("Progressing").unwrap()["reason"], "NewReplicaSetAvailable");
    let counts = ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]
        .map(|field| deployment.integer(&format!("/status/{field}")));
    assert_eq!(counts, [Some(3), Some(3), Some(3), Some(3), None]);
}

#[test]
fn a_new_template_rolls_within_the_limits() {
    let mut world = world(4, &json!({"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}));
    world.settle();
    fulfil(&mut world);
    release(&mut world, "i:2");
    let mut seen = vec![sizes(&world)];
    for _ in 0..6 {
        fulfil(&mut world);
        seen.push(sizes(&world));
    }
    seen.dedup();
    assert_eq!(seen, [[3, 2], [1, 4], [0, 4]].map(Vec::from).to_vec(), "old, new");
    assert!(seen.iter().all(|sizes| sizes.iter().sum::<i64>() <= 5));
}

#[test]
fn going_back_takes_the_old_set_with_a_new_revision() {
    let mut world = world(1, &Value::Null);
    world.settle();
    fulfil(&mut world);
    let first = world.all(REPLICA_SETS)[0].name().to_owned();
    for image in ["i:2", "i:1"] {
        release(&mut world, image);
        for _ in 0..4 {
            fulfil(&mut world);
        }
    }
    assert_eq!(world.all(REPLICA_SETS).len(), 2);
    let set = world.get(REPLICA_SETS, "shop", &first).unwrap();
    assert_eq!((replicas(&set), revision(&set)), (1, 3));
    assert_eq!(revision(&world.get(DEPLOYMENTS, "shop", "web").unwrap()), 3);
}

#[test]
fn recreate_waits_until_the_old_pods_are_gone() {
    let mut world = world(2, &json!({"type": "Recreate"}));
    world.settle();
    fulfil(&mut world);
    release(&mut world, "i:2");
    assert_eq!(sizes(&world), [0, 0]);
    fulfil(&mut world);
    assert_eq!(sizes(&world), [0, 2]);
}

#[test]
fn scaling_to_zero_and_back_follows_at_once() {
    let mut world = world(5, &Value::Null);
    world.settle();
    fulfil(&mut world);
    for wanted in [3, 0, 2] {
        world.change(DEPLOYMENTS, "shop", "web", |deployment| deployment["spec"]["replicas"] = wanted.into());
        world.settle();
        assert_eq!(sizes(&world), [wanted]);
        fulfil(&mut world);
    }
}

#[test]
fn a_paused_deployment_is_scaled_and_not_rolled() {
    let mut world = world(2, &Value::Null);
    world.settle();
    fulfil(&mut world);
    world.change(DEPLOYMENTS, "shop", "web", |deployment| deployment["spec"]["paused"] = true.into());
    release(&mut world, "i:2");
    assert_eq!(sizes(&world), [2]);
    world.change(DEPLOYMENTS, "shop", "web", |deployment| deployment["spec"]["replicas"] = 4.into());
    world.settle();
    assert_eq!(sizes(&world), [4]);
}

#[test]
fn a_name_that_is_taken_counts_as_a_collision() {
    let mut world = world(1, &Value::Null);
    let hash = template_hash(world.get(DEPLOYMENTS, "shop", "web").unwrap().at("/spec/template"), None);
    world.put(REPLICA_SETS, "shop", &format!("web-{hash}"), json!({"metadata": {}, "spec": {"replicas": 0}}));
    world.settle();
    let deployment = world.get(DEPLOYMENTS, "shop", "web").unwrap();
    assert_eq!(deployment.at("/status/collisionCount"), 1);
    let expected = template_hash(deployment.at("/spec/template"), Some(1));
    assert!(world.get(REPLICA_SETS, "shop", &format!("web-{expected}")).is_some());
}

#[test]
fn history_is_kept_up_to_its_limit() {
    let mut world = world(1, &Value::Null);
    world.change(DEPLOYMENTS, "shop", "web", |deployment| {
        deployment["spec"]["revisionHistoryLimit"] = 1.into();
    });
    world.settle();
    fulfil(&mut world);
    for image in ["i:2", "i:3", "i:4"] {
        release(&mut world, image);
        for _ in 0..4 {
            fulfil(&mut world);
        }
    }
    let mut revisions: Vec<i64> = world.all(REPLICA_SETS).iter().map(revision).collect();
    revisions.sort_unstable();
    assert_eq!(revisions, [3, 4]);
}

#[test]
fn without_progress_the_deadline_passes() {
    let mut world = world(1, &Value::Null);
    world.change(DEPLOYMENTS, "shop", "web", |deployment| {
        deployment["spec"]["progressDeadlineSeconds"] = 10.into();
    });
    world.settle();
    let reason = |world: &World| {
        world.get(DEPLOYMENTS, "shop", "web").unwrap().condition("Progressing").unwrap()["reason"].clone()
    };
    world.pass(9);
    assert_eq!(reason(&world), "ReplicaSetUpdated");
    world.pass(1);
    assert_eq!(reason(&world), "ProgressDeadlineExceeded");
}

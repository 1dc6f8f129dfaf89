//! What Argo CD would call out of sync, and what it would prune.

use serde_json::Value;
use serin_core::domain::plan::ObjectKind;

use super::{blue_green, canary, deployed, in_git, routed, update};
use crate::world::World;

/// Where a live object has another value than Git. What only the live object has is no difference.
fn drift(git: &Value, live: &Value, path: &str, found: &mut Vec<String>) {
    match (git, live) {
        (Value::Object(git), Value::Object(live)) => {
            for (key, value) in git {
                drift(value, live.get(key).unwrap_or(&Value::Null), &format!("{path}/{key}"), found);
            }
        }
        (git, live) if git != live => found.push(format!("{path}: {git} is {live}")),
        _ => {}
    }
}

/// Deployed, updated once, and promoted.
fn updated(strategy: &Value) -> World {
    let mut world = deployed(strategy);
    update(&mut world, "2");
    world.pass(10_000);
    world.patch(ObjectKind::Rollout, "demo", &serde_json::json!({"status": {"pauseConditions": null}}));
    world.pass(90_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    world
}

#[test]
fn nothing_that_lies_in_git_is_changed() {
    for strategy in [canary(), routed(), blue_green()] {
        let world = updated(&strategy);
        for mut git in in_git(&strategy) {
            if git["kind"] == "Rollout" {
                git["spec"]["template"]["metadata"]["annotations"] = serde_json::json!({"v": "2"});
            }
            let name = git["metadata"]["name"].as_str().unwrap().to_owned();
            let mut lives =
                world.objects().iter().filter(|((_, n), live)| *n == name && live["kind"] == git["kind"]);
            let (_, live) = lives.next().unwrap();
            let mut found = Vec::new();
            drift(&git, live, "", &mut found);
            assert!(found.is_empty(), "{} {name}: {found:?}", git["kind"]);
        }
    }
}

#[test]
fn what_the_controller_makes_is_neither_tracked_nor_pruned() {
    let world = updated(&routed());
    let git = in_git(&routed());
    let is_made = |object: &&Value| !git.iter().any(|g| g["metadata"]["name"] == object["metadata"]["name"]);
    let made: Vec<&Value> = [ObjectKind::ReplicaSet, ObjectKind::Ingress]
        .into_iter()
        .flat_map(|kind| world.all(kind))
        .filter(is_made)
        .collect();
    assert_eq!(made.len(), 3, "two revisions, and the Ingress of the canary");
    for object in made {
        let meta = &object["metadata"];
        let owner = &meta["ownerReferences"][0];
        assert_eq!((&owner["controller"], &owner["uid"]), (&true.into(), &"uid-demo".into()), "{meta:#}");
        let marks = |field: &str| {
            let keys = meta[field].as_object().into_iter().flat_map(|map| map.keys());
            keys.filter(|key| key.starts_with("argocd.argoproj.io/") || *key == "app.kubernetes.io/instance")
                .count()
        };
        assert_eq!((marks("annotations"), marks("labels")), (0, 0), "{meta:#}");
    }
    let sets = world.all(ObjectKind::ReplicaSet);
    assert!(
        sets.map(|rs| &rs["metadata"]["annotations"]["team"]).all(|team| team == "web"),
        "others are copied"
    );
}

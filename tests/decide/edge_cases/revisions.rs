//! Which ReplicaSet belongs to a revision, how one is made, and how revisions are counted and kept.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;
use serin_core::domain::template::digest;
use serin_core::rollout::snapshot::{Failure, FailureCause};
use serin_values::merge_patch::apply_merge_patch;

use crate::scene::{Decision, Scene, hash, template};

/// The label, and with it the name, that another version of the controller gave to a ReplicaSet.
fn labelled(hash: &str) -> Value {
    json!({
        "metadata": {"name": format!("demo-{hash}"), "labels": {keys::POD_HASH_LABEL: hash}},
        "spec": {"template": {"metadata": {"labels": {keys::POD_HASH_LABEL: hash}}}},
    })
}

#[test]
fn a_replica_set_is_found_by_its_template_whatever_its_hash() {
    let other = json!({"currentPodHash": "other", "stableRS": "other"});
    for scene in [Scene::canary(&json!({})), Scene::blue_green(&json!({})).service("active", 1)] {
        let decision = scene.set(1, 10, 10).with(&labelled("odd")).status(&other).decide();
        assert_eq!(decision.only("create"), "");
        assert_eq!(decision.status["currentPodHash"], "odd");
    }
}

#[test]
fn todays_hash_wins_and_then_the_oldest() {
    let scene = Scene::canary(&json!({})).set(1, 0, 0).with(&labelled("older"));
    let two = scene.set(1, 0, 0).with(&labelled("oldest"));
    let older_by_a_day = json!({"metadata": {"creationTimestamp": "2025-12-30T00:00:00Z"}});
    let two = two.with(&older_by_a_day).status(&json!({"currentPodHash": null}));
    assert_eq!(two.decide().status["currentPodHash"], "oldest");
    assert_eq!(two.set(1, 0, 0).decide().status["currentPodHash"], hash(1));
}

/// Another image on the ReplicaSet that was added last.
fn edited() -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "demo", "image": "demo:edited"}]}}}})
}

#[test]
fn no_status_says_which_replica_set_is_the_newest() {
    let scene = Scene::canary(&json!({})).set(1, 10, 10).with(&labelled("odd")).with(&edited());
    let scene = scene.status(&json!({"currentPodHash": "odd", "stableRS": "odd"}));
    assert_eq!(scene.decide().only("create"), "create r1");
}

#[test]
fn an_edited_replica_set_is_of_no_revision() {
    let ours = |number| json!({"metadata": {"annotations": {keys::TEMPLATE_DIGEST: digest(&template(number))}, "generation": 2}});
    let spoiled = Scene::canary(&json!({})).set(1, 10, 10).with(&ours(1)).with(&edited()).decide();
    assert_eq!((spoiled.requests().as_str(), &spoiled.status["collisionCount"]), ("", &json!(1)));
    assert!(
        spoiled.events().iter().any(|event| event.starts_with("ReplicaSetEdited: ")),
        "{:?}",
        spoiled.events()
    );
    // The template that it was given is no more its own: it was created for the other one.
    let given = json!({"template": apply_merge_patch(&template(1), &edited()["spec"]["template"])});
    let other = Scene::canary(&json!({})).set(1, 10, 10).with(&ours(1)).with(&edited()).spec(&given).decide();
    assert_eq!(other.only("create").split('-').next(), Some("create demo"), "{}", other.requests());
}

#[test]
fn what_admission_stored_is_recorded_while_nobody_can_have_edited_it() {
    let ours = json!({"metadata": {"annotations": {keys::TEMPLATE_DIGEST: digest(&template(1))}}});
    let scene = Scene::canary(&json!({})).set(1, 10, 10).with(&ours).with(&edited());
    let sent = scene.decide().sent("r1");
    let stored = sent["metadata"]["annotations"][keys::STORED_TEMPLATE_DIGEST].clone();
    assert!(stored.is_string(), "{sent}");
    let later = json!({"metadata": {"annotations": {keys::STORED_TEMPLATE_DIGEST: stored}, "generation": 2}});
    assert_eq!(scene.with(&later).decide().requests(), "revision 1");
}

#[test]
fn running_pods_of_another_controller_are_taken_as_they_are() {
    let scene = |size| Scene::canary(&json!({})).set(1, size, size).with(&edited());
    let taken = scene(10).decide();
    assert_eq!(taken.only("create"), "");
    assert!(taken.sent("r1")["metadata"]["annotations"][keys::TEMPLATE_DIGEST].is_string());
    assert_eq!(scene(0).decide().status["collisionCount"], 1, "no pod has to be replaced");
}

#[test]
fn orphans_that_match_are_adopted_and_nothing_else_is() {
    let orphan = json!({"metadata": {"ownerReferences": null}});
    let elsewhere = json!({"metadata": {"ownerReferences": [{
        "apiVersion": keys::API_VERSION, "kind": keys::ROLLOUT, "name": "b", "uid": "uid-b", "controller": true,
    }]}});
    let unlike = json!({"metadata": {"ownerReferences": null, "labels": {"app": "other"}}});
    let unlabelled = json!({"metadata": {"ownerReferences": null, "labels": {keys::POD_HASH_LABEL: null}}});
    let leaving = json!({"metadata": {"ownerReferences": null, "deletionTimestamp": "2025-12-31T00:00:00Z"}});
    let scene =
        Scene::canary(&json!({})).set(1, 10, 10).set(2, 0, 0).with(&orphan).set(3, 0, 0).with(&elsewhere);
    let scene = scene.set(4, 0, 0).with(&unlike).set(5, 0, 0).with(&unlabelled).set(6, 0, 0).with(&leaving);
    let decision = scene.asks_for(1).decide();
    assert_eq!(decision.requests(), "adopt r2");
    let owner = &decision.sent("r2")["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["uid"], &owner["controller"]), (&json!("uid-demo"), &json!(true)));
}

/// A first revision whose ReplicaSet could not be created, because of what `cause` says is there.
fn taken(cause: FailureCause) -> Decision {
    let mut world = Scene::canary(&json!({})).status(&json!({"stableRS": null})).world();
    let name = format!("demo-{}", hash(1));
    world.refuse("demo", Failure { kind: ObjectKind::ReplicaSet, name, cause });
    Decision::on(&world)
}

#[test]
fn a_name_taken_by_our_own_replica_set_is_no_collision() {
    let exists = |owner: Option<&str>, template| {
        let owner_uid = owner.map(str::to_owned);
        let cause = FailureCause::AlreadyExists { owner_uid, template, digest: None, has_hash: true };
        taken(cause).status["collisionCount"].clone()
    };
    assert_eq!(exists(Some("uid-demo"), template(1)), Value::Null);
    assert_eq!(exists(Some("uid-demo"), template(2)), json!(1));
    assert_eq!(exists(Some("uid-other"), template(1)), json!(1));
    assert_eq!(exists(None, template(1)), json!(1));
}

#[test]
fn a_revision_that_is_no_number_counts_as_none() {
    let scene = Scene::canary(&json!({})).set(1, 10, 10).noted(keys::REVISION, "abc");
    let scene = scene.set(2, 0, 0).with(&json!({"metadata": {"annotations": {keys::REVISION: null}}}));
    let update = scene.asks_for(4);
    assert_eq!(update.decide().requests(), "revision 1, create r4");
    let with_seven = update.set(3, 0, 0).noted(keys::REVISION, "7");
    assert_eq!(with_seven.decide().requests(), "revision 8, create r4");
}

#[test]
fn the_rollouts_revision_is_corrected_where_it_differs() {
    let with = |recorded: Value| {
        let rollout = json!({"metadata": {"annotations": {keys::REVISION: recorded}}});
        Scene::canary(&json!({})).set(1, 10, 10).rollout(&rollout).decide()
    };
    assert_eq!(with(json!("1")).requests(), "");
    for recorded in [json!("abc"), json!("0"), json!(""), Value::Null] {
        let decision = with(recorded);
        assert_eq!(decision.requests(), "revision 1");
        assert_eq!(decision.events()[0], "RolloutUpdated: Rollout updated to revision 1");
    }
}

#[test]
fn annotations_are_copied_but_for_bookkeeping() {
    let annotations = json!({
        keys::LAST_APPLIED: "{}", keys::REVISION: "7", keys::REVISION_HISTORY: "1,2", keys::DESIRED_REPLICAS: "3",
        keys::NOTIFIED: "{}", "team": "a",
    });
    let rollout = json!({"metadata": {"annotations": annotations}});
    let first = Scene::canary(&json!({})).rollout(&rollout).decide();
    let made = json!({
        "team": "a", keys::REVISION: "1", keys::DESIRED_REPLICAS: "10", keys::TEMPLATE_DIGEST: digest(&template(1)),
    });
    assert_eq!(first.sent("r1")["metadata"]["annotations"], made);

    let later = Scene::canary(&json!({})).rollout(&rollout).set(1, 10, 10).noted("ours", "x").decide();
    assert_eq!(
        later.sent("r1"),
        json!({"metadata": {"annotations": {"team": "a"}}}),
        "nothing is taken away"
    );
}

#[test]
fn a_revision_that_comes_again_gets_the_next_number_and_remembers_the_old_ones() {
    let scene = Scene::canary(&json!({})).set(1, 0, 0).noted(keys::REVISION, "3");
    let back = |scene: Scene| {
        let scene = scene.set(2, 10, 10).noted(keys::REVISION, "4").stable(2).asks_for(1);
        scene.decide().sent("r1")["metadata"]["annotations"].clone()
    };
    let expected = |history: &str| json!({keys::REVISION: "5", keys::REVISION_HISTORY: history});
    let first = Scene::canary(&json!({})).set(1, 0, 0).noted(keys::REVISION, "3");
    assert_eq!(back(first), expected("3"));
    assert_eq!(back(scene.noted(keys::REVISION_HISTORY, "1")), expected("1,3"));
}

#[test]
fn old_replica_sets_are_kept_up_to_the_limit() {
    let idle = |size| (size, json!({}));
    let leaving = (0, json!({"metadata": {"deletionTimestamp": "2025-12-31T00:00:00Z"}}));
    let unseen = (0, json!({"metadata": {"generation": 2}}));
    let has_pods = (0, json!({"status": {"replicas": 1}}));
    for (limit, old, deleted) in [
        (Value::Null, vec![idle(0); 11], "delete r1"),
        (Value::Null, vec![idle(0); 10], ""),
        (json!(0), vec![idle(0), idle(0)], "delete r1, delete r2"),
        (json!(1), vec![idle(0), idle(1)], "delete r1"),
        (json!(1), vec![idle(1), idle(1)], ""),
        (json!(1), vec![idle(1), idle(0)], ""),
        (json!(2), vec![idle(1), idle(1)], ""),
        (json!(1), vec![leaving], ""),
        (json!(0), vec![unseen, idle(0)], "delete r2"),
        (json!(0), vec![has_pods, idle(0)], "delete r2"),
    ] {
        let mut scene = Scene::routed(&json!({})).service("stable", 12).service("canary", 12);
        for (number, (size, patch)) in (1..).zip(&old) {
            scene = scene.set(number, *size, *size).with(patch);
        }
        let scene = scene.set(12, 10, 10).stable(12).spec(&json!({"revisionHistoryLimit": limit}));
        assert_eq!(scene.decide().only("delete"), deleted, "limit {limit} of {old:?}");
    }
}

#[test]
fn the_stable_replica_set_is_the_one_that_the_status_names() {
    let stable = |hash: Value| {
        let scene = Scene::canary(&json!({"steps": [{"setWeight": 10}]})).set(1, 10, 10).set(2, 0, 0);
        scene.status(&json!({"stableRS": hash})).decide()
    };
    let first = stable(Value::Null);
    assert_eq!(first.status["stableRS"], hash(2), "none yet: the newest becomes stable at once");
    let unknown = stable(json!("gone"));
    assert_eq!(unknown.status["stableRS"], "gone", "it is gone: the newest has to be available first");
    assert_eq!(unknown.only("scale"), "scale r2 0 to 3", "and gets everything that maxSurge allows");
    let known = stable(json!(hash(1)));
    assert_eq!(
        (known.status["stableRS"].clone(), known.only("scale")),
        (json!(hash(1)), "scale r1 10 to 9".to_owned())
    );
    let newest = stable(json!(hash(2)));
    assert_eq!(newest.only("scale"), "scale r2 0 to 3", "the newest is stable itself");
}

#[test]
fn an_object_that_is_being_deleted_is_left_alone() {
    let scene = Scene::canary(&json!({})).set(1, 3, 3).asks_for(2);
    let scene = scene.rollout(&json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}));
    assert!(scene.decide().plan.is_empty());
}

#[test]
fn a_size_that_is_not_set_is_written_before_anything_else() {
    let scene = Scene::canary(&json!({})).spec(&json!({"replicas": null}));
    let decision = scene.decide();
    assert_eq!(decision.requests(), "default replicas 1");
    assert_eq!(decision.sent("demo"), json!({"spec": {"replicas": 1}}));
}

/// Who takes the size out of a manifest leaves it to an autoscaler, and does not ask for a single pod.
#[test]
fn a_size_that_is_taken_out_stays() {
    let scene = Scene::canary(&json!({})).set(1, 7, 7).sized_for(7).spec(&json!({"replicas": null}));
    let decision = scene.decide();
    assert_eq!(decision.requests(), "default replicas 7");
    let told = "ReplicasKept: spec.replicas was removed; it stays 7, the current size of the Rollout";
    assert_eq!(decision.events(), [told]);
}

//! Labels and annotations that pods carry while their revision has a role.

use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::scene::{Scene, template};
use crate::world::World;

/// A canary that marks its pods, at a pause of an update.
fn fields() -> Value {
    json!({
        "steps": [{"setWeight": 50}, {"pause": {}}],
        "stableMetadata": {"labels": {"role": "stable"}, "annotations": {"note": "s"}},
        "canaryMetadata": {"labels": {"role": "canary"}},
    })
}

/// The roles that the pods' labels say, with the revision, sorted.
fn roles(world: &World) -> Vec<String> {
    let role = |pod: &Value| {
        let labels = &pod["metadata"]["labels"];
        let role = labels["role"].as_str().unwrap_or("none").to_owned();
        let note = pod["metadata"]["annotations"]["note"].as_str().unwrap_or("-").to_owned();
        crate::scene::short(&format!("{} {role} {note}", labels[keys::POD_HASH_LABEL].as_str().unwrap()))
    };
    let mut all: Vec<String> = world.all(ObjectKind::Pod).map(role).collect();
    all.sort();
    all.dedup();
    all
}

#[test]
fn pods_carry_the_metadata_of_their_role_through_an_update() {
    for fields in [
        Scene::canary(&fields()),
        Scene::blue_green(&json!({
            "autoPromotionEnabled": false,
            "activeMetadata": {"labels": {"role": "stable"}, "annotations": {"note": "s"}},
            "previewMetadata": {"labels": {"role": "canary"}},
        }))
        .fresh_service("active"),
    ] {
        let mut world = fields
            .spec(&json!({"replicas": 4}))
            .status(&json!({"stableRS": null, "currentPodHash": null}))
            .world();
        world.pass(10_000);
        assert_eq!(roles(&world), ["r1 stable s"], "the first revision serves");
        world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"template": template(2)}}));
        world.pass(20_000);
        assert_eq!(roles(&world), ["r1 stable s", "r2 canary -"]);
        world.patch(ObjectKind::Rollout, "demo", &json!({"status": {"pauseConditions": null}}));
        let pods: Vec<String> =
            world.all(ObjectKind::Pod).map(|p| p["metadata"]["uid"].to_string()).collect();
        world.pass(10_000);
        assert!(roles(&world).contains(&"r2 stable s".to_owned()), "{:?}", roles(&world));
        assert!(!roles(&world).iter().any(|role| role.starts_with("r2 canary")));
        let survivors =
            world.all(ObjectKind::Pod).filter(|p| pods.contains(&p["metadata"]["uid"].to_string()));
        assert!(survivors.count() > 0, "pods change their role without a restart");
    }
}

/// What `demo` writes about a ReplicaSet with this metadata on its template, and this annotation about it.
fn label(template: &Value, recorded: Option<&str>) -> Scene {
    let scene = Scene::canary(&json!({"stableMetadata": {"labels": {"role": "stable"}}}))
        .spec(&json!({"replicas": 1}));
    let scene = scene.set(1, 1, 1).with(&json!({"spec": {"template": {"metadata": template}}}));
    match recorded {
        Some(recorded) => scene.noted(keys::EPHEMERAL_METADATA, recorded),
        None => scene,
    }
}

#[test]
fn only_what_differs_is_written() {
    let recorded = r#"{"labels":{"role":"stable"}}"#;
    let fresh = label(&json!({}), None).decide();
    assert_eq!(fresh.only("label"), "label r1, label r1-1");
    let written = json!({
        "metadata": {"annotations": {keys::EPHEMERAL_METADATA: recorded}},
        "spec": {"template": {"metadata": {"labels": {"role": "stable"}}}},
    });
    assert_eq!(fresh.sent("r1"), written);
    let labelled = json!({"labels": {"role": "stable"}});
    assert_eq!(label(&labelled, Some(recorded)).decide().only("label"), "");

    let mut world = label(&labelled, Some(recorded)).world();
    let pod = world.all(ObjectKind::Pod).next().unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
    world.patch(ObjectKind::Pod, &pod, &json!({"metadata": {"labels": {"role": null}}}));
    let decision = crate::scene::Decision::on(&world);
    assert_eq!(decision.only("label"), "label r1-1", "pods are looked at even if their ReplicaSet is right");
}

#[test]
fn what_is_no_longer_wanted_goes_and_what_is_not_ours_stays() {
    let recorded = r#"{"labels":{"former":"x"},"annotations":{"gone":"y"}}"#;
    let present = json!({"labels": {"former": "x", "users": "z"}, "annotations": {"gone": "y", "kept": "w"}});
    let mut world = label(&present, Some(recorded)).world();
    world.pass(0);
    let rs = world.all(ObjectKind::ReplicaSet).next().unwrap();
    let pod = world.all(ObjectKind::Pod).next().unwrap();
    for metadata in [&rs["spec"]["template"]["metadata"], &pod["metadata"]] {
        assert_eq!(metadata["labels"]["former"], Value::Null);
        assert_eq!(
            (&metadata["labels"]["users"], &metadata["labels"]["role"]),
            (&json!("z"), &json!("stable"))
        );
        assert_eq!(
            (&metadata["annotations"]["gone"], &metadata["annotations"]["kept"]),
            (&Value::Null, &json!("w"))
        );
    }
}

#[test]
fn a_record_that_cannot_be_read_says_nothing() {
    for recorded in ["{", "[]", "", r#"{"labels":{"role":1}}"#, "null"] {
        let decision = label(&json!({"labels": {"users": "z"}}), Some(recorded)).decide();
        let sent = decision.sent("r1");
        let recorded_now = r#"{"labels":{"role":"stable"}}"#;
        assert_eq!(
            sent["metadata"]["annotations"][keys::EPHEMERAL_METADATA],
            recorded_now,
            "after {recorded:?}"
        );
        let labelled = json!({"template": {"metadata": {"labels": {"role": "stable"}}}});
        assert_eq!(sent["spec"], labelled, "after {recorded:?}");
    }
}

#[test]
fn nothing_is_written_where_nothing_is_asked_for_or_no_pods_are() {
    let plain = Scene::canary(&json!({})).set(1, 10, 10);
    assert_eq!(plain.decide().only("label"), "");
    let idle = Scene::canary(&fields()).set(1, 10, 10).set(2, 0, 0);
    let idle = idle.noted(keys::EPHEMERAL_METADATA, r#"{"labels":{"role":"canary"}}"#).asks_for(1);
    let labelled = idle.status(&json!({"currentStepIndex": 2})).decide().only("label");
    assert!(labelled.contains("r1") && !labelled.contains("r2"), "{labelled}");
}

#[test]
fn a_record_that_is_lost_makes_no_new_revision() {
    let fields = json!({"stableMetadata": {"labels": {"role": "stable"}}, "steps": [{"setWeight": 50}, {"pause": {}}]});
    let mut world = Scene::canary(&fields).deployed();
    let name =
        world.all(ObjectKind::ReplicaSet).next().unwrap()["metadata"]["name"].as_str().unwrap().to_owned();
    let nonsense = json!({"metadata": {"annotations": {keys::EPHEMERAL_METADATA: "[[["}}});
    world.patch(ObjectKind::ReplicaSet, &name, &nonsense);
    world.pass(30_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    assert_eq!(world.all(ObjectKind::ReplicaSet).count(), 1);
}

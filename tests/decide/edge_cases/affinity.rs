//! `antiAffinity`: pods of the new revision keep off the nodes of the stable one's while an update is under way.

use serde_json::{Value, json};
use serin_core::api::keys;

use crate::scene::{Scene, hash, template};

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// The term that keeps away from the revision of a template.
fn apart_from(number: u32) -> Value {
    json!({
        "labelSelector": {
            "matchExpressions": [{"key": keys::POD_HASH_LABEL, "operator": "In", "values": [hash(number)]}],
        },
        "namespaces": ["default"],
        "topologyKey": "kubernetes.io/hostname",
    })
}

/// A term of the user's own.
fn users() -> Value {
    json!({"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "other"}}})
}

fn affinity(list: &str, terms: &[Value]) -> Value {
    json!({"podAntiAffinity": {list: terms}})
}

/// The affinity of what is created for template 2, by a Rollout that asks for `configured`.
#[allow(clippy::needless_pass_by_value, reason = "a value is written where it is called")]
fn created(configured: &Value, stable: Value) -> Value {
    let scene = Scene::canary(&json!({"antiAffinity": configured})).set(1, 10, 10).asks_for(2);
    let decision = scene.status(&json!({"stableRS": stable, "currentPodHash": null})).decide();
    decision.sent("r2")["spec"]["template"]["spec"]["affinity"].clone()
}

#[test]
fn a_new_revision_keeps_off_the_nodes_of_the_stable_one() {
    let required = json!({REQUIRED: {}});
    let preferred = json!({PREFERRED: {"weight": 7}});
    assert_eq!(created(&required, json!(hash(1))), affinity(REQUIRED, &[apart_from(1)]));
    let weighted = json!({"weight": 7, "podAffinityTerm": apart_from(1)});
    assert_eq!(created(&preferred, json!(hash(1))), affinity(PREFERRED, &[weighted]));
    assert_eq!(created(&required, Value::Null), Value::Null, "there is no stable one");
    assert_eq!(created(&required, json!(hash(2))), Value::Null, "it is the stable one itself");
    assert_eq!(created(&Value::Null, json!(hash(1))), Value::Null);
}

#[test]
fn the_terms_of_the_user_stay_and_ours_follows_the_stable_revision() {
    let mut with_term = template(2);
    with_term["spec"]["affinity"] = affinity(REQUIRED, &[users()]);
    let hash_of_two = serin_core::domain::hash::pod_template_hash(&with_term, None);
    let live = |terms: &[Value]| {
        json!({
            "metadata": {"name": format!("demo-{hash_of_two}"), "labels": {keys::POD_HASH_LABEL: hash_of_two}},
            "spec": {"template": {"spec": {"affinity": affinity(REQUIRED, terms)}}},
        })
    };
    let sent = |terms: &[Value], stable: &str| {
        let scene = Scene::canary(&json!({"antiAffinity": {REQUIRED: {}}, "steps": [{"pause": {}}]}));
        let scene =
            scene.set(1, 10, 10).set(2, 0, 0).with(&live(terms)).spec(&json!({"template": with_term}));
        let status = json!({"currentPodHash": hash_of_two, "stableRS": stable});
        let decision = scene.status(&status).decide();
        let name = format!("demo-{hash_of_two}");
        let patch = decision.plan.ops().find(|op| op.name == name).map(|op| op.action.clone());
        match patch {
            Some(serin_core::domain::plan::Action::Patch { patch, .. }) => {
                patch["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"][REQUIRED].clone()
            }
            Some(_) | None => Value::Null,
        }
    };
    let (one, three) = (hash(1), hash(3));
    assert_eq!(sent(&[users()], &one), json!([users(), apart_from(1)]), "it is missing");
    assert_eq!(sent(&[users(), apart_from(1)], &one), Value::Null, "it is there");
    assert_eq!(sent(&[users(), apart_from(1)], &three), json!([users(), apart_from(3)]), "it is stale");
    assert_eq!(
        sent(&[users(), apart_from(1)], &hash_of_two),
        Value::Null,
        "it was left by whoever promoted it"
    );
}

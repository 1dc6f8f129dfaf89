//! Facts about eviction and disruption budgets. The status of a budget is written here, too: the controller of the real
//! control plane arrives at the same.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::eventually;
use crate::world::{Answer, MERGE, World, facts, hold, text};

#[tokio::test]
async fn evicting() {
    hold(&facts![
        a_pod_without_budget_goes,
        an_evicted_pod_says_why,
        preconditions_are_about_the_pod_before_the_eviction,
        a_budget_of_none_refuses,
        a_budget_of_one_is_used_up,
        pods_that_do_not_run_have_no_budget,
        two_budgets_are_an_error,
        what_is_missing_is_not_evicted,
        a_dry_run_evicts_nothing,
        a_budget_says_one_of_two,
    ])
    .await;
}

async fn evict(w: &World, name: &str) -> Answer {
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}});
    w.post(&format!("v1/pods/{name}/eviction"), &eviction).await
}

fn budget(name: &str, least: u64) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name},
        "spec": {"minAvailable": least, "selector": {"matchLabels": {"group": "g"}}}})
}

/// A pod that runs and is covered by the budgets above.
async fn covered(w: &World, name: &str) {
    w.running_pod(name).await;
    w.patch(MERGE, &format!("v1/pods/{name}"), &json!({"metadata": {"labels": {"group": "g"}}})).await.done();
}

/// A budget for `healthy` pods, once its status says so.
async fn settled(w: &World, name: &str, least: u64, healthy: u64) {
    let at = format!("policy/v1/poddisruptionbudgets/{name}");
    w.post("policy/v1/poddisruptionbudgets", &budget(name, least)).await.done();
    let allowed = healthy.saturating_sub(least);
    let status = json!({"status": {"observedGeneration": 1, "disruptionsAllowed": allowed, "currentHealthy": healthy,
        "desiredHealthy": least, "expectedPods": healthy}});
    eventually("a budget that is settled", Duration::from_secs(30), || async {
        w.patch(MERGE, &format!("{at}/status"), &status).await.done();
        let found = w.get(&at).await.done()["status"].clone();
        let is_settled = found["disruptionsAllowed"] == allowed && found["currentHealthy"] == healthy;
        is_settled.then_some(())
    })
    .await;
}

async fn a_pod_without_budget_goes(w: World) {
    w.pod("a").await;
    let answer = evict(&w, "a").await;
    assert_eq!(
        (answer.code, &answer.body["kind"], &answer.body["status"]),
        (201, &json!("Status"), &json!("Success"))
    );
    w.get("v1/pods/a").await.refused(404, "NotFound");
}

async fn an_evicted_pod_says_why(w: World) {
    w.running_pod("a").await;
    assert_eq!(evict(&w, "a").await.code, 201);
    let pod = w.get("v1/pods/a").await.done();
    assert!(!pod["metadata"]["deletionTimestamp"].is_null());
    let conditions = pod["status"]["conditions"].as_array().expect("conditions");
    let why = conditions.iter().find(|condition| condition["type"] == "DisruptionTarget").expect("a reason");
    assert_eq!(
        (text(&why["status"]), text(&why["reason"])),
        ("True".to_owned(), "EvictionByEvictionAPI".to_owned())
    );
}

async fn preconditions_are_about_the_pod_before_the_eviction(w: World) {
    w.running_pod("a").await;
    let metadata = w.get("v1/pods/a").await.done()["metadata"].clone();
    let eviction = |version: &str| {
        let preconditions = json!({"uid": metadata["uid"], "resourceVersion": version});
        json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"},
            "deleteOptions": {"preconditions": preconditions}})
    };
    w.post("v1/pods/a/eviction", &eviction("1")).await.refused(409, "Conflict");
    let pod = w.get("v1/pods/a").await.done();
    assert_eq!(pod["metadata"]["resourceVersion"], metadata["resourceVersion"], "it is not even marked");
    let answer = w.post("v1/pods/a/eviction", &eviction(&text(&metadata["resourceVersion"]))).await;
    assert_eq!(answer.code, 201, "{}", answer.text);
    assert!(!w.get("v1/pods/a").await.done()["metadata"]["deletionTimestamp"].is_null());
}

async fn a_budget_of_none_refuses(w: World) {
    covered(&w, "a").await;
    settled(&w, "b", 1, 1).await;
    let body = evict(&w, "a").await.refused(429, "TooManyRequests");
    assert_eq!(body["message"], "Cannot evict pod as it would violate the pod's disruption budget.");
    let cause = &body["details"]["causes"][0];
    let expected = json!({"reason": "DisruptionBudget",
        "message": "The disruption budget b needs 1 healthy pods and has 1 currently"});
    assert_eq!(cause, &expected);
    assert_eq!(w.get("v1/pods/a").await.done()["metadata"]["deletionTimestamp"], Value::Null);
}

async fn a_budget_of_one_is_used_up(w: World) {
    covered(&w, "a").await;
    covered(&w, "c").await;
    settled(&w, "b", 1, 2).await;
    assert_eq!(evict(&w, "a").await.code, 201);
    evict(&w, "c").await.refused(429, "TooManyRequests");
}

async fn pods_that_do_not_run_have_no_budget(w: World) {
    covered(&w, "c").await;
    settled(&w, "b", 1, 1).await;
    w.pod("a").await;
    w.patch(MERGE, "v1/pods/a", &json!({"metadata": {"labels": {"group": "g"}}})).await.done();
    assert_eq!(evict(&w, "a").await.code, 201);
    evict(&w, "c").await.refused(429, "TooManyRequests");
}

async fn two_budgets_are_an_error(w: World) {
    covered(&w, "a").await;
    for name in ["b", "c"] {
        w.post("policy/v1/poddisruptionbudgets", &budget(name, 0)).await.done();
    }
    let answer = evict(&w, "a").await;
    let expected =
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    assert_eq!((answer.code, &answer.body["message"]), (500, &json!(expected)), "{}", answer.text);
    assert_eq!(answer.body["reason"], Value::Null, "{}", answer.text);
}

async fn what_is_missing_is_not_evicted(w: World) {
    let body = evict(&w, "a").await.refused(404, "NotFound");
    assert_eq!(body["message"], r#"pods "a" not found"#);
}

async fn a_dry_run_evicts_nothing(w: World) {
    w.pod("a").await;
    let eviction = json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}});
    assert_eq!(w.post("v1/pods/a/eviction?dryRun=All", &eviction).await.code, 201);
    assert_eq!(w.get("v1/pods/a").await.code, 200);
}

async fn a_budget_says_one_of_two(w: World) {
    let mut wanted = budget("b", 1);
    wanted["spec"]["maxUnavailable"] = 1.into();
    let message =
        w.post("policy/v1/poddisruptionbudgets", &wanted).await.invalid("FieldValueInvalid", "spec");
    assert!(message.ends_with("minAvailable and maxUnavailable cannot be both set"), "{message}");
}

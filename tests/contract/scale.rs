//! Facts about the scale of built-in kinds.

use serde_json::{Value, json};

use crate::world::{MERGE, World, facts, hold, replica_set, text};

#[tokio::test]
async fn scaling() {
    hold(&facts![
        a_scale_is_a_view,
        a_scale_that_is_put_is_a_spec,
        a_scale_can_be_patched,
        a_stale_scale_is_a_conflict,
        a_scale_is_not_negative,
        what_is_missing_has_no_scale,
        a_scale_without_change_keeps_the_version,
    ])
    .await;
}

const SCALE: &str = "apps/v1/deployments/a/scale";

/// A Deployment that is paused and wants nothing: its controller leaves its spec alone.
async fn made(w: &World) -> Value {
    let mut wanted = replica_set("a");
    wanted["kind"] = "Deployment".into();
    w.post("apps/v1/deployments", &wanted).await.done()
}

async fn a_scale_is_a_view(w: World) {
    let made = made(&w).await;
    let scale = w.get(SCALE).await.done();
    assert_eq!((&scale["kind"], &scale["apiVersion"]), (&json!("Scale"), &json!("autoscaling/v1")));
    assert_eq!(
        (&scale["metadata"]["uid"], &scale["metadata"]["name"]),
        (&made["metadata"]["uid"], &json!("a"))
    );
    assert_eq!(scale["status"], json!({"replicas": 0, "selector": "app=a"}));
    assert_eq!(scale["spec"], json!({}), "zero is left out");
}

async fn a_scale_that_is_put_is_a_spec(w: World) {
    made(&w).await;
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "a", "namespace": w.namespace}, "spec": {"replicas": 3}});
    let answer = w.put(SCALE, &scale).await.done();
    assert_eq!((&answer["kind"], &answer["spec"]["replicas"]), (&json!("Scale"), &json!(3)));
    let new = w.get("apps/v1/deployments/a").await.done();
    assert_eq!((&new["spec"]["replicas"], &new["metadata"]["generation"]), (&json!(3), &json!(2)));
}

async fn a_scale_can_be_patched(w: World) {
    made(&w).await;
    let answer = w.patch(MERGE, SCALE, &json!({"spec": {"replicas": 2}})).await.done();
    assert_eq!(answer["spec"]["replicas"], 2);
    assert_eq!(w.get("apps/v1/deployments/a").await.done()["spec"]["replicas"], 2);
}

async fn a_stale_scale_is_a_conflict(w: World) {
    made(&w).await;
    let mut scale = w.get(SCALE).await.done();
    w.patch(MERGE, "apps/v1/deployments/a", &json!({"metadata": {"labels": {"x": "y"}}})).await.done();
    scale["spec"]["replicas"] = 3.into();
    w.put(SCALE, &scale).await.refused(409, "Conflict");
}

async fn a_scale_is_not_negative(w: World) {
    made(&w).await;
    let refused = w.patch(MERGE, SCALE, &json!({"spec": {"replicas": -1}})).await;
    let message = refused.invalid("FieldValueInvalid", "spec.replicas");
    assert_eq!(message, "Invalid value: -1: must be greater than or equal to 0");
}

async fn what_is_missing_has_no_scale(w: World) {
    let body = w.get(SCALE).await.refused(404, "NotFound");
    assert!(text(&body["message"]).starts_with("deployments.apps \"a\" not found"), "{body}");
}

async fn a_scale_without_change_keeps_the_version(w: World) {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done();
    let old = w.get("apps/v1/replicasets/a").await.done();
    w.patch(MERGE, "apps/v1/replicasets/a/scale", &json!({"spec": {"replicas": 0}})).await.done();
    let new = w.get("apps/v1/replicasets/a").await.done();
    assert_eq!(
        (&old["metadata"]["generation"], &old["spec"]),
        (&new["metadata"]["generation"], &new["spec"])
    );
}

//! Facts about generations, the isolation of status, and writes that change nothing.

use serde_json::{Value, json};

use crate::world::{MERGE, World, facts, hold, replica_set, service, version};

#[tokio::test]
async fn generations() {
    hold(&facts![
        a_spec_that_changes_is_a_generation,
        labels_are_no_generation,
        status_is_no_generation,
        status_writes_leave_the_spec_alone,
        spec_writes_leave_the_status_alone,
        writes_of_status_check_versions,
        config_maps_have_no_generation,
        ingresses_and_budgets_have_generations,
        beginning_to_end_is_a_generation,
        a_put_without_change_keeps_the_version,
        a_status_without_change_keeps_the_version,
        defaults_are_no_change,
    ])
    .await;
}

const A: &str = "apps/v1/replicasets/a";

async fn made(w: &World) -> Value {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done()
}

async fn a_spec_that_changes_is_a_generation(w: World) {
    assert_eq!(made(&w).await["metadata"]["generation"], 1);
    let new = w.patch(MERGE, A, &json!({"spec": {"minReadySeconds": 5}})).await.done();
    assert_eq!(new["metadata"]["generation"], 2);
}

async fn labels_are_no_generation(w: World) {
    let old = made(&w).await;
    let new = w.patch(MERGE, A, &json!({"metadata": {"labels": {"x": "y"}, "generation": 9}})).await.done();
    assert_eq!(new["metadata"]["generation"], 1);
    assert!(version(&new) > version(&old));
}

async fn status_is_no_generation(w: World) {
    w.pod("a").await;
    let new = w.patch(MERGE, "v1/pods/a/status", &json!({"status": {"reason": "Because"}})).await.done();
    assert_eq!((&new["metadata"]["generation"], &new["status"]["reason"]), (&json!(1), &json!("Because")));
}

async fn status_writes_leave_the_spec_alone(w: World) {
    w.pod("a").await;
    let patch = json!({"spec": {"containers": [{"name": "main", "image": "demo:green"}]}, "status": {"reason": "Why"}});
    let new = w.patch(crate::world::STRATEGIC, "v1/pods/a/status", &patch).await.done();
    assert_eq!(new["spec"]["containers"][0]["image"], "demo:blue");
    assert_eq!(new["status"]["reason"], "Why");
}

async fn spec_writes_leave_the_status_alone(w: World) {
    w.pod("a").await;
    let patch = json!({"status": {"phase": "Running"}, "metadata": {"labels": {"x": "y"}}});
    let new = w.patch(MERGE, "v1/pods/a", &patch).await.done();
    assert_eq!((&new["status"]["phase"], &new["metadata"]["labels"]["x"]), (&json!("Pending"), &json!("y")));
}

async fn writes_of_status_check_versions(w: World) {
    let mut old = w.pod("a").await;
    w.patch(MERGE, "v1/pods/a", &json!({"metadata": {"labels": {"x": "y"}}})).await.done();
    old["status"]["message"] = "late".into();
    w.put("v1/pods/a/status", &old).await.refused(409, "Conflict");
}

async fn config_maps_have_no_generation(w: World) {
    assert_eq!(w.config_map("a", &json!({})).await["metadata"]["generation"], Value::Null);
}

async fn ingresses_and_budgets_have_generations(w: World) {
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "a"},
        "spec": {"defaultBackend": {"service": {"name": "a", "port": {"number": 80}}}}});
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}});
    let ingresses = ("networking.k8s.io/v1/ingresses", ingress, json!({"spec": {"ingressClassName": "x"}}));
    let budgets = ("policy/v1/poddisruptionbudgets", budget, json!({"spec": {"minAvailable": 2}}));
    for (at, object, patch) in [ingresses, budgets] {
        assert_eq!(w.post(at, &object).await.done()["metadata"]["generation"], 1, "{at}");
        let new = w.patch(MERGE, &format!("{at}/a"), &patch).await.done();
        assert_eq!(new["metadata"]["generation"], 2, "{at}");
    }
}

async fn beginning_to_end_is_a_generation(w: World) {
    let mut wanted = replica_set("a");
    wanted["metadata"]["finalizers"] = json!(["x.io/hold"]);
    w.post("apps/v1/replicasets", &wanted).await.done();
    w.delete(A, &Value::Null).await.done();
    assert_eq!(w.get(A).await.done()["metadata"]["generation"], 2);
}

async fn a_put_without_change_keeps_the_version(w: World) {
    let old = w.post("v1/services", &service("a")).await.done();
    assert_eq!(w.put("v1/services/a", &old).await.done(), old);
    assert_eq!(w.get("v1/services/a").await.done(), old);
}

async fn a_status_without_change_keeps_the_version(w: World) {
    w.pod("a").await;
    let patch = json!({"status": {"message": "hello"}});
    let old = w.patch(MERGE, "v1/pods/a/status", &patch).await.done();
    assert_eq!(w.patch(MERGE, "v1/pods/a/status", &patch).await.done(), old);
}

async fn defaults_are_no_change(w: World) {
    let old = w.post("v1/services", &service("a")).await.done();
    assert_eq!(version(&w.put("v1/services/a", &service("a")).await.done()), version(&old));
}

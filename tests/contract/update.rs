//! Facts about replacing objects.

use serde_json::json;

use crate::world::{World, config_map, facts, hold, replica_set, service, text, version};

#[tokio::test]
async fn updating() {
    hold(&facts![
        a_stale_version_is_a_conflict,
        no_version_is_last_writer_wins,
        versions_grow,
        what_is_missing_is_not_made,
        leases_are_made_by_updates,
        the_name_is_that_of_the_url,
        another_uid_is_a_conflict,
        system_fields_survive_their_omission,
        selectors_of_replica_sets_are_immutable,
        immutable_config_maps_keep_their_data,
        types_of_secrets_are_immutable,
        services_keep_their_address,
        addresses_of_services_do_not_change,
        pods_keep_their_spec,
        images_of_pods_change,
        a_dry_run_changes_nothing,
    ])
    .await;
}

async fn a_stale_version_is_a_conflict(w: World) {
    let old = w.config_map("a", &json!({"k": "1"})).await;
    let mut new = old.clone();
    new["data"]["k"] = "2".into();
    w.put("v1/configmaps/a", &new).await.done();
    new["data"]["k"] = "3".into();
    let body = w.put("v1/configmaps/a", &new).await.refused(409, "Conflict");
    let expected = r#"Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again"#;
    assert_eq!(body["message"], expected);
    assert_eq!(body["details"], json!({"name": "a", "kind": "configmaps"}));
}

async fn no_version_is_last_writer_wins(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let answer = w.put("v1/configmaps/a", &config_map("a", &json!({"k": "2"}))).await;
    assert_eq!((answer.code, &answer.body["data"]["k"]), (200, &json!("2")));
}

async fn versions_grow(w: World) {
    let old = w.config_map("a", &json!({"k": "1"})).await;
    let other = w.config_map("b", &json!({})).await;
    let new = w.put("v1/configmaps/a", &config_map("a", &json!({"k": "2"}))).await.done();
    assert!(version(&old) < version(&other) && version(&other) < version(&new));
    assert_eq!(old["metadata"]["uid"], new["metadata"]["uid"]);
}

async fn what_is_missing_is_not_made(w: World) {
    let body = w.put("v1/configmaps/a", &config_map("a", &json!({}))).await.refused(404, "NotFound");
    assert_eq!(body["message"], r#"configmaps "a" not found"#);
}

async fn leases_are_made_by_updates(w: World) {
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "a"},
        "spec": {"holderIdentity": "me"}});
    let made = w.put("coordination.k8s.io/v1/leases/a", &lease).await;
    assert_eq!(made.code, 201);
    assert_eq!(w.put("coordination.k8s.io/v1/leases/a", &made.body).await.code, 200);
    let blind = w.put("coordination.k8s.io/v1/leases/a", &lease).await;
    blind.invalid("FieldValueInvalid", "metadata.resourceVersion");
}

async fn the_name_is_that_of_the_url(w: World) {
    w.config_map("a", &json!({})).await;
    let body = w.put("v1/configmaps/a", &config_map("b", &json!({}))).await.refused(400, "BadRequest");
    assert_eq!(body["message"], "the name of the object (b) does not match the name on the URL (a)");
}

async fn another_uid_is_a_conflict(w: World) {
    let old = w.config_map("a", &json!({})).await;
    let mut new = config_map("a", &json!({"k": "2"}));
    let wrong = "11111111-2222-3333-4444-555555555555";
    new["metadata"]["uid"] = wrong.into();
    let body = w.put("v1/configmaps/a", &new).await.refused(409, "Conflict");
    let uid = text(&old["metadata"]["uid"]);
    let expected = format!("Precondition failed: UID in precondition: {wrong}, UID in object meta: {uid}");
    assert!(text(&body["message"]).ends_with(&expected), "{body}");
}

async fn system_fields_survive_their_omission(w: World) {
    let mut wanted = replica_set("a");
    let old = w.post("apps/v1/replicasets", &wanted).await.done();
    wanted["metadata"]["generation"] = 9.into();
    wanted["metadata"]["labels"] = json!({"new": "label"});
    let new = w.put("apps/v1/replicasets/a", &wanted).await.done();
    for key in ["uid", "creationTimestamp", "generation"] {
        assert_eq!(old["metadata"][key], new["metadata"][key], "{key}");
    }
}

async fn selectors_of_replica_sets_are_immutable(w: World) {
    let mut wanted = replica_set("a");
    w.post("apps/v1/replicasets", &wanted).await.done();
    wanted["spec"]["selector"]["matchLabels"] = json!({"app": "b"});
    wanted["spec"]["template"]["metadata"]["labels"] = json!({"app": "b"});
    let message = w.put("apps/v1/replicasets/a", &wanted).await.invalid("FieldValueInvalid", "spec.selector");
    assert!(message.ends_with(": field is immutable"), "{message}");
}

async fn immutable_config_maps_keep_their_data(w: World) {
    let mut wanted = config_map("a", &json!({"k": "1"}));
    wanted["immutable"] = true.into();
    w.post("v1/configmaps", &wanted).await.done();
    wanted["data"]["k"] = "2".into();
    let message = w.put("v1/configmaps/a", &wanted).await.invalid("FieldValueForbidden", "data");
    assert_eq!(message, "Forbidden: field is immutable when `immutable` is set");
}

async fn types_of_secrets_are_immutable(w: World) {
    let mut wanted =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "type": "x/one"});
    w.post("v1/secrets", &wanted).await.done();
    wanted["type"] = "x/two".into();
    let message = w.put("v1/secrets/a", &wanted).await.invalid("FieldValueInvalid", "type");
    assert_eq!(message, r#"Invalid value: "x/two": field is immutable"#);
}

async fn services_keep_their_address(w: World) {
    let old = w.post("v1/services", &service("a")).await.done();
    let mut wanted = service("a");
    wanted["spec"]["selector"]["app"] = "b".into();
    let new = w.put("v1/services/a", &wanted).await.done();
    assert_eq!(old["spec"]["clusterIP"], new["spec"]["clusterIP"]);
    assert_eq!(new["spec"]["selector"], json!({"app": "b"}));
}

async fn addresses_of_services_do_not_change(w: World) {
    let mut old = w.post("v1/services", &service("a")).await.done();
    let other = if old["spec"]["clusterIP"] == "10.96.200.1" { "10.96.200.2" } else { "10.96.200.1" };
    old["spec"]["clusterIP"] = other.into();
    old["spec"]["clusterIPs"] = json!([other]);
    let message = w.put("v1/services/a", &old).await.invalid("FieldValueInvalid", "spec.clusterIPs[0]");
    assert!(message.ends_with(": may not change once set"), "{message}");
}

async fn pods_keep_their_spec(w: World) {
    let mut pod = w.pod("a").await;
    pod["spec"]["restartPolicy"] = "Never".into();
    let message = w.put("v1/pods/a", &pod).await.invalid("FieldValueForbidden", "spec");
    assert!(message.starts_with("Forbidden: pod updates may not change fields other than"), "{message}");
}

async fn images_of_pods_change(w: World) {
    let mut pod = w.pod("a").await;
    pod["spec"]["containers"][0]["image"] = "demo:green".into();
    let new = w.put("v1/pods/a", &pod).await.done();
    assert_eq!(new["spec"]["containers"][0]["image"], "demo:green");
    assert_eq!((&pod["metadata"]["generation"], &new["metadata"]["generation"]), (&json!(1), &json!(2)));
}

async fn a_dry_run_changes_nothing(w: World) {
    let old = w.config_map("a", &json!({"k": "1"})).await;
    let shown = w.put("v1/configmaps/a?dryRun=All", &config_map("a", &json!({"k": "2"}))).await.done();
    assert_eq!(shown["data"]["k"], "2");
    assert_eq!(w.get("v1/configmaps/a").await.done(), old);
}

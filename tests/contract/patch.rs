//! Facts about the three patch types that are not server-side apply.

use serde_json::{Value, json};

use crate::world::{JSON, MERGE, STRATEGIC, World, config_map, facts, hold, replica_set, service, text};

#[tokio::test]
async fn patching() {
    hold(&facts![
        merge_removes_by_null,
        merge_replaces_lists,
        strategic_merges_containers_by_name,
        strategic_deletes_by_directive,
        strategic_replaces_by_directive,
        strategic_retains_keys,
        strategic_merges_ports_by_number,
        json_tests_stop_a_patch,
        json_tests_let_a_patch_pass,
        json_pointers_are_escaped,
        json_paths_have_to_exist,
        json_replaces_what_is_missing_in_a_map,
        json_patches_are_lists,
        another_uid_in_a_patch_is_refused,
        a_stale_version_in_a_patch_is_a_conflict,
        a_stale_version_in_a_strategic_patch_is_a_conflict,
        names_do_not_change,
        other_media_types_are_refused,
        what_is_missing_is_not_patched,
        unknown_fields_in_patches_are_refused_where_asked,
        a_patch_is_checked_as_a_whole,
        a_patch_without_change_keeps_the_version,
    ])
    .await;
}

const A: &str = "v1/configmaps/a";

async fn merge_removes_by_null(w: World) {
    w.config_map("a", &json!({"k": "1", "l": "2"})).await;
    let new = w.patch(MERGE, A, &json!({"data": {"k": null, "m": "3", "n": null}})).await.done();
    assert_eq!(new["data"], json!({"l": "2", "m": "3"}));
}

async fn merge_replaces_lists(w: World) {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done();
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "other", "image": "o:1"}]}}}});
    let new = w.patch(MERGE, "apps/v1/replicasets/a", &patch).await.done();
    assert_eq!(containers(&new), [("other".to_owned(), "o:1".to_owned())]);
}

fn containers(object: &Value) -> Vec<(String, String)> {
    let containers = object["spec"]["template"]["spec"]["containers"].as_array().expect("containers");
    containers.iter().map(|container| (text(&container["name"]), text(&container["image"]))).collect()
}

async fn strategic_merges_containers_by_name(w: World) {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done();
    let patch =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "side", "image": "side:2"}]}}}});
    let new = w.patch(STRATEGIC, "apps/v1/replicasets/a", &patch).await.done();
    let expected = [("main", "demo:blue"), ("side", "side:2")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(containers(&new), expected);
}

async fn strategic_deletes_by_directive(w: World) {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done();
    let patch =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "main", "$patch": "delete"}]}}}});
    let new = w.patch(STRATEGIC, "apps/v1/replicasets/a", &patch).await.done();
    assert_eq!(containers(&new), [("side".to_owned(), "side:1".to_owned())]);
}

async fn strategic_replaces_by_directive(w: World) {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done();
    let patch = json!({"spec": {"template": {"spec": {"containers": [
        {"$patch": "replace"}, {"name": "only", "image": "only:1"}]}}}});
    let new = w.patch(STRATEGIC, "apps/v1/replicasets/a", &patch).await.done();
    assert_eq!(containers(&new), [("only".to_owned(), "only:1".to_owned())]);
}

async fn strategic_retains_keys(w: World) {
    let mut wanted = replica_set("a");
    wanted["kind"] = "Deployment".into();
    w.post("apps/v1/deployments", &wanted).await.done();
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    let new = w.patch(STRATEGIC, "apps/v1/deployments/a", &patch).await.done();
    assert_eq!(new["spec"]["strategy"], json!({"type": "Recreate"}));
}

async fn strategic_merges_ports_by_number(w: World) {
    w.post("v1/services", &service("a")).await.done();
    let patch = json!({"spec": {"ports": [{"port": 81, "name": "two"}, {"port": 80, "targetPort": "web"}]}});
    let new = w.patch(STRATEGIC, "v1/services/a", &patch).await.done();
    let mut ports: Vec<_> = new["spec"]["ports"].as_array().expect("ports").clone();
    ports.sort_by_key(|port| port["port"].as_u64());
    let expected = json!([
        {"name": "http", "port": 80, "protocol": "TCP", "targetPort": "web"},
        {"name": "two", "port": 81, "protocol": "TCP", "targetPort": 81}]);
    assert_eq!(Value::Array(ports), expected);
}

async fn json_tests_stop_a_patch(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let patch = json!([{"op": "replace", "path": "/data/k", "value": "2"}, {"op": "test", "path": "/data/k", "value": "1"}]);
    let body = w.patch(JSON, A, &patch).await.refused(422, "Invalid");
    assert_eq!(body["message"], "the server rejected our request due to an error in our request");
    assert_eq!(w.get(A).await.body["data"]["k"], "1");
}

async fn json_tests_let_a_patch_pass(w: World) {
    let old = w.config_map("a", &json!({"k": "1"})).await;
    let patch = json!([
        {"op": "test", "path": "/metadata/resourceVersion", "value": old["metadata"]["resourceVersion"]},
        {"op": "copy", "from": "/data/k", "path": "/data/l"},
        {"op": "move", "from": "/data/k", "path": "/data/m"}]);
    let new = w.patch(JSON, A, &patch).await.done();
    assert_eq!(new["data"], json!({"l": "1", "m": "1"}));
}

async fn json_pointers_are_escaped(w: World) {
    w.config_map("a", &json!({})).await;
    let patch = json!([
        {"op": "add", "path": "/metadata/annotations", "value": {}},
        {"op": "add", "path": "/metadata/annotations/x.io~1y", "value": "z"}]);
    let new = w.patch(JSON, A, &patch).await.done();
    assert_eq!(new["metadata"]["annotations"], json!({"x.io/y": "z"}));
}

async fn json_paths_have_to_exist(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let missing = json!([{"op": "add", "path": "/metadata/labels/x", "value": "1"}]);
    w.patch(JSON, A, &missing).await.refused(422, "Invalid");
    w.patch(JSON, A, &json!([{"op": "remove", "path": "/data/l"}])).await.refused(422, "Invalid");
}

// Not what RFC 6902 says, but what the API does.
async fn json_replaces_what_is_missing_in_a_map(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let new = w.patch(JSON, A, &json!([{"op": "replace", "path": "/data/l", "value": "2"}])).await.done();
    assert_eq!(new["data"], json!({"k": "1", "l": "2"}));
}

async fn json_patches_are_lists(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    w.patch(JSON, A, &json!({"op": "remove", "path": "/data/k"})).await.refused(400, "BadRequest");
}

async fn another_uid_in_a_patch_is_refused(w: World) {
    let old = w.config_map("a", &json!({"k": "1"})).await;
    let wrong = "11111111-2222-3333-4444-555555555555";
    let answer = w.patch(MERGE, A, &json!({"metadata": {"uid": wrong}, "data": {"k": "2"}})).await;
    let message = answer.invalid("FieldValueInvalid", "metadata.uid");
    assert_eq!(message, format!("Invalid value: \"{wrong}\": field is immutable"));
    let patch = json!({"metadata": {"uid": old["metadata"]["uid"]}, "data": {"k": "3"}});
    assert_eq!(w.patch(MERGE, A, &patch).await.done()["data"]["k"], "3");
}

async fn a_stale_version_in_a_patch_is_a_conflict(w: World) {
    stale(&w, MERGE).await;
}

async fn a_stale_version_in_a_strategic_patch_is_a_conflict(w: World) {
    stale(&w, STRATEGIC).await;
}

async fn stale(w: &World, by: &str) {
    let old = w.config_map("a", &json!({"k": "1"})).await;
    let patch =
        json!({"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "data": {"k": "2"}});
    w.patch(by, A, &patch).await.done();
    let again =
        json!({"metadata": {"resourceVersion": old["metadata"]["resourceVersion"]}, "data": {"k": "3"}});
    let body = w.patch(by, A, &again).await.refused(409, "Conflict");
    assert!(
        text(&body["message"]).starts_with(r#"Operation cannot be fulfilled on configmaps "a": "#),
        "{body}"
    );
    assert_eq!(w.get(A).await.body["data"]["k"], "2");
}

async fn names_do_not_change(w: World) {
    w.config_map("a", &json!({})).await;
    let body = w.patch(MERGE, A, &json!({"metadata": {"name": "b"}})).await.refused(400, "BadRequest");
    assert_eq!(body["message"], "the name of the object (b) does not match the name on the URL (a)");
}

async fn other_media_types_are_refused(w: World) {
    w.config_map("a", &json!({})).await;
    let body = w.patch("application/json", A, &json!({})).await.refused(415, "UnsupportedMediaType");
    assert!(text(&body["message"]).starts_with("415: Unsupported Media Type"), "{body}");
}

async fn what_is_missing_is_not_patched(w: World) {
    let body = w.patch(MERGE, A, &json!({"data": {"k": "1"}})).await.refused(404, "NotFound");
    assert_eq!(body["details"], json!({"name": "a", "kind": "configmaps"}));
}

async fn unknown_fields_in_patches_are_refused_where_asked(w: World) {
    w.config_map("a", &json!({})).await;
    let at = "v1/configmaps/a?fieldValidation=Strict";
    let body = w.patch(MERGE, at, &json!({"bogus": 1})).await;
    assert!([400, 422].contains(&body.code), "{}", body.text);
    assert!(text(&body.body["message"]).contains(r#"unknown field "bogus""#), "{}", body.text);
}

async fn a_patch_is_checked_as_a_whole(w: World) {
    w.post("v1/configmaps", &config_map("a", &json!({"k": "1"}))).await.done();
    let patch = json!({"metadata": {"labels": {"ok": "not ok"}}, "data": {"k": "2"}});
    w.patch(MERGE, A, &patch).await.invalid("FieldValueInvalid", "metadata.labels");
    assert_eq!(w.get(A).await.body["data"]["k"], "1");
}

async fn a_patch_without_change_keeps_the_version(w: World) {
    let old = w.config_map("a", &json!({"k": "1"})).await;
    for (by, patch) in [
        (MERGE, json!({"data": {"k": "1"}})),
        (STRATEGIC, json!({"data": {"k": "1"}})),
        (JSON, json!([{"op": "replace", "path": "/data/k", "value": "1"}])),
    ] {
        assert_eq!(w.patch(by, A, &patch).await.done(), old, "{by}");
    }
}

//! Facts about server-side apply and about who owns what.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{APPLY, Answer, MERGE, World, config_map, facts, hold, replica_set, service, text};

#[tokio::test]
async fn applying() {
    hold(&facts![
        applying_makes_what_is_missing,
        applying_again_changes_nothing,
        an_entry_says_who_owns_what,
        another_value_is_a_conflict,
        all_conflicts_are_named,
        the_same_value_is_shared,
        force_takes_over,
        what_is_left_out_goes,
        what_is_shared_stays,
        what_was_updated_is_a_conflict,
        entries_of_a_list_have_owners,
        keys_of_entries_are_complete,
        sets_are_owned_by_value,
        selectors_are_owned_as_a_whole,
        a_manager_is_required,
        managed_fields_are_not_applied,
        a_stale_version_is_a_conflict,
        updates_are_entries_too,
        status_has_entries_of_its_own,
        an_empty_list_of_managers_starts_anew,
    ])
    .await;
}

async fn apply(w: &World, manager: &str, at: &str, object: &Value) -> Answer {
    w.patch(APPLY, &format!("{at}?fieldManager={manager}"), object).await
}

async fn apply_data(w: &World, manager: &str, data: Value) -> Answer {
    apply(w, manager, "v1/configmaps/a", &config_map("a", &data)).await
}

/// What a manager owns by an operation; null where there is no such entry.
fn owned(object: &Value, manager: &str, operation: &str) -> Value {
    let entries = object["metadata"]["managedFields"].as_array().expect("managedFields");
    let is_theirs = |entry: &&Value| entry["manager"] == manager && entry["operation"] == operation;
    entries.iter().find(is_theirs).map_or(Value::Null, |entry| entry["fieldsV1"].clone())
}

async fn applying_makes_what_is_missing(w: World) {
    let answer = apply_data(&w, "one", json!({"k": "1"})).await;
    assert_eq!((answer.code, &answer.body["data"]), (201, &json!({"k": "1"})));
    assert_eq!(apply_data(&w, "one", json!({"k": "2"})).await.code, 200);
}

async fn applying_again_changes_nothing(w: World) {
    let old = apply_data(&w, "one", json!({"k": "1"})).await.done();
    assert_eq!(apply_data(&w, "one", json!({"k": "1"})).await.done(), old);
}

async fn an_entry_says_who_owns_what(w: World) {
    let made = apply_data(&w, "one", json!({"k": "1"})).await.done();
    let mut entries = made["metadata"]["managedFields"].clone();
    // The two are taken one after the other, and may be of two seconds.
    let second =
        |time: &Value| time.as_str().and_then(|t| t.parse::<Timestamp>().ok()).map(Timestamp::as_second);
    let (made_at, owned_at) =
        (second(&made["metadata"]["creationTimestamp"]), second(&entries[0]["time"].take()));
    let later = made_at.zip(owned_at).map(|(made, owned)| owned - made);
    assert!(matches!(later, Some(-1..=1)), "{made}");
    let expected = json!([{"manager": "one", "operation": "Apply", "apiVersion": "v1", "time": null,
        "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:k": {}}}}]);
    assert_eq!(entries, expected);
}

async fn another_value_is_a_conflict(w: World) {
    apply_data(&w, "one", json!({"k": "1"})).await.done();
    let body = apply_data(&w, "two", json!({"k": "2"})).await.refused(409, "Conflict");
    assert_eq!(body["message"], r#"Apply failed with 1 conflict: conflict with "one": .data.k"#);
    let cause =
        json!({"reason": "FieldManagerConflict", "message": r#"conflict with "one""#, "field": ".data.k"});
    assert_eq!(body["details"]["causes"], json!([cause]));
    assert_eq!(w.get("v1/configmaps/a").await.body["data"]["k"], "1");
}

async fn all_conflicts_are_named(w: World) {
    apply_data(&w, "one", json!({"k": "1"})).await.done();
    apply_data(&w, "two", json!({"l": "1"})).await.done();
    let body = apply_data(&w, "three", json!({"k": "2", "l": "2"})).await.refused(409, "Conflict");
    let message = text(&body["message"]);
    assert!(
        message.starts_with("Apply failed with 2 conflicts: conflicts with \"one\":\n- .data.k\n"),
        "{message}"
    );
    assert!(message.ends_with("conflicts with \"two\":\n- .data.l"), "{message}");
}

async fn the_same_value_is_shared(w: World) {
    apply_data(&w, "one", json!({"k": "1"})).await.done();
    let new = apply_data(&w, "two", json!({"k": "1"})).await.done();
    let expected = json!({"f:data": {"f:k": {}}});
    assert_eq!((owned(&new, "one", "Apply"), owned(&new, "two", "Apply")), (expected.clone(), expected));
}

async fn force_takes_over(w: World) {
    apply_data(&w, "one", json!({"k": "1", "l": "1"})).await.done();
    let object = config_map("a", &json!({"k": "2"}));
    let new = w.patch(APPLY, "v1/configmaps/a?fieldManager=two&force=true", &object).await.done();
    assert_eq!(new["data"], json!({"k": "2", "l": "1"}));
    assert_eq!(owned(&new, "one", "Apply"), json!({"f:data": {"f:l": {}}}));
    assert_eq!(owned(&new, "two", "Apply"), json!({"f:data": {"f:k": {}}}));
}

async fn what_is_left_out_goes(w: World) {
    apply_data(&w, "one", json!({"k": "1", "l": "1"})).await.done();
    let new = apply_data(&w, "one", json!({"k": "1"})).await.done();
    assert_eq!(new["data"], json!({"k": "1"}));
}

async fn what_is_shared_stays(w: World) {
    apply_data(&w, "one", json!({"k": "1", "l": "1"})).await.done();
    apply_data(&w, "two", json!({"l": "1"})).await.done();
    let new = apply_data(&w, "one", json!({"k": "1"})).await.done();
    assert_eq!(new["data"], json!({"k": "1", "l": "1"}));
    assert_eq!(owned(&new, "one", "Apply"), json!({"f:data": {"f:k": {}}}));
}

async fn what_was_updated_is_a_conflict(w: World) {
    apply_data(&w, "one", json!({"k": "1"})).await.done();
    w.patch(MERGE, "v1/configmaps/a?fieldManager=editor", &json!({"data": {"k": "2"}})).await.done();
    let body = apply_data(&w, "one", json!({"k": "1"})).await.refused(409, "Conflict");
    let message = text(&body["details"]["causes"][0]["message"]);
    assert!(message.starts_with(r#"conflict with "editor" using v1"#), "{body}");
}

async fn entries_of_a_list_have_owners(w: World) {
    let at = "apps/v1/replicasets/a";
    let mut one = replica_set("a");
    one["spec"]["template"]["spec"]["containers"] = json!([{"name": "main", "image": "demo:blue"}]);
    apply(&w, "one", at, &one).await.done();
    let side = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "a"}, "spec": {
        "template": {"spec": {"containers": [{"name": "side", "image": "side:1"}]}}}});
    apply(&w, "two", at, &side).await.done();
    one["spec"]["template"]["spec"]["containers"][0]["image"] = "demo:green".into();
    let new = apply(&w, "one", at, &one).await.done();
    let containers = new["spec"]["template"]["spec"]["containers"].as_array().expect("containers");
    let found: Vec<_> = containers.iter().map(|c| (text(&c["name"]), text(&c["image"]))).collect();
    let expected = [("main", "demo:green"), ("side", "side:1")].map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(found, expected);
    let theirs = json!({".": {}, "f:name": {}, "f:image": {}});
    let entry = &owned(&new, "two", "Apply")["f:spec"]["f:template"]["f:spec"]["f:containers"][r#"k:{"name":"side"}"#];
    assert_eq!(entry, &theirs);
}

async fn keys_of_entries_are_complete(w: World) {
    let made = apply(&w, "one", "v1/services/a", &service("a")).await.done();
    let ports = &owned(&made, "one", "Apply")["f:spec"]["f:ports"];
    let expected = json!({r#"k:{"port":80,"protocol":"TCP"}"#: {".": {}, "f:name": {}, "f:port": {}}});
    assert_eq!(ports, &expected);
}

async fn sets_are_owned_by_value(w: World) {
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    object["metadata"]["finalizers"] = json!(["x.io/one"]);
    apply(&w, "one", "v1/configmaps/a", &object).await.done();
    object["metadata"]["finalizers"] = json!(["x.io/two"]);
    let new = apply(&w, "two", "v1/configmaps/a", &object).await.done();
    assert_eq!(new["metadata"]["finalizers"], json!(["x.io/one", "x.io/two"]));
    let theirs = owned(&new, "two", "Apply");
    assert_eq!(theirs["f:metadata"]["f:finalizers"], json!({r#"v:"x.io/two""#: {}}));
}

async fn selectors_are_owned_as_a_whole(w: World) {
    let made = apply(&w, "one", "apps/v1/replicasets/a", &replica_set("a")).await.done();
    assert_eq!(owned(&made, "one", "Apply")["f:spec"]["f:selector"], json!({}));
}

async fn a_manager_is_required(w: World) {
    let answer = w.patch(APPLY, "v1/configmaps/a", &config_map("a", &json!({}))).await;
    let message = answer.invalid("FieldValueRequired", "fieldManager");
    assert_eq!(message, "Required value: is required for apply patch");
}

async fn managed_fields_are_not_applied(w: World) {
    let made = apply_data(&w, "one", json!({"k": "1"})).await.done();
    let mut object = config_map("a", &json!({"k": "1"}));
    object["metadata"]["managedFields"] = made["metadata"]["managedFields"].clone();
    let body = apply(&w, "one", "v1/configmaps/a", &object).await.refused(400, "BadRequest");
    assert_eq!(body["message"], "metadata.managedFields must be nil");
}

async fn a_stale_version_is_a_conflict(w: World) {
    let old = apply_data(&w, "one", json!({"k": "1"})).await.done();
    apply_data(&w, "one", json!({"k": "2"})).await.done();
    let mut object = config_map("a", &json!({"k": "3"}));
    object["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"].clone();
    let body = apply(&w, "one", "v1/configmaps/a", &object).await.refused(409, "Conflict");
    assert!(text(&body["message"]).contains("the object has been modified"), "{body}");
}

async fn updates_are_entries_too(w: World) {
    let made = w.post("v1/configmaps?fieldManager=maker", &config_map("a", &json!({"k": "1"}))).await.done();
    assert_eq!(owned(&made, "maker", "Update"), json!({"f:data": {".": {}, "f:k": {}}}));
    let patch = json!({"data": {"k": "2", "l": "1"}});
    let new = w.patch(MERGE, "v1/configmaps/a?fieldManager=editor", &patch).await.done();
    assert_eq!(owned(&new, "editor", "Update"), json!({"f:data": {"f:k": {}, "f:l": {}}}));
    assert_eq!(owned(&new, "maker", "Update"), json!({"f:data": {}}));
}

async fn status_has_entries_of_its_own(w: World) {
    w.pod("a").await;
    let patch = json!({"status": {"message": "hello"}});
    let new = w.patch(MERGE, "v1/pods/a/status?fieldManager=node", &patch).await.done();
    let entries = new["metadata"]["managedFields"].as_array().expect("managedFields");
    let entry = entries.iter().find(|entry| entry["manager"] == "node").expect("an entry");
    assert_eq!(
        (&entry["subresource"], &entry["fieldsV1"]),
        (&json!("status"), &json!({"f:status": {"f:message": {}}}))
    );
}

async fn an_empty_list_of_managers_starts_anew(w: World) {
    apply_data(&w, "one", json!({"k": "1"})).await.done();
    let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]);
    let new = w.patch(crate::world::JSON, "v1/configmaps/a", &patch).await.done();
    assert_eq!(new["metadata"]["managedFields"], Value::Null);
    apply_data(&w, "two", json!({"k": "2"})).await.refused(409, "Conflict");
}

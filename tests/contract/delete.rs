//! Facts about deletion.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{MERGE, World, config_map, facts, hold, names, text};

#[tokio::test]
async fn deleting() {
    hold(&facts![
        the_answer_names_what_is_gone,
        what_is_missing_is_not_deleted,
        another_uid_is_a_conflict,
        another_version_is_a_conflict,
        preconditions_that_hold_let_pass,
        a_finalizer_holds_an_object,
        an_object_that_ends_takes_no_new_finalizer,
        an_end_is_not_taken_back,
        ending_twice_keeps_the_time,
        foreground_and_orphan_are_finalizers,
        policies_are_known_words,
        old_and_new_policies_exclude_each_other,
        bound_pods_end_gracefully,
        grace_is_shortened_only,
        no_grace_is_the_end,
        unbound_pods_end_at_once,
        a_dry_run_deletes_nothing,
        an_ending_namespace_takes_nothing_new,
    ])
    .await;
}

const A: &str = "v1/configmaps/a";

async fn held(w: &World) -> Value {
    let mut object = config_map("a", &json!({"k": "1"}));
    object["metadata"]["finalizers"] = json!(["x.io/hold"]);
    w.post("v1/configmaps", &object).await.done()
}

async fn the_answer_names_what_is_gone(w: World) {
    let made = w.config_map("a", &json!({})).await;
    let answer = w.delete(A, &Value::Null).await;
    let details = json!({"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]});
    let expected = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
    assert_eq!((answer.code, &answer.body), (200, &expected));
    w.get(A).await.refused(404, "NotFound");
}

async fn what_is_missing_is_not_deleted(w: World) {
    let body = w.delete("apps/v1/deployments/a", &Value::Null).await.refused(404, "NotFound");
    assert_eq!(body["message"], r#"deployments.apps "a" not found"#);
}

async fn another_uid_is_a_conflict(w: World) {
    let made = w.config_map("a", &json!({})).await;
    let body = w.delete(A, &json!({"preconditions": {"uid": "other"}})).await.refused(409, "Conflict");
    let uid = text(&made["metadata"]["uid"]);
    let expected = format!(
        "Operation cannot be fulfilled on ConfigMap \"a\": the UID in the precondition (other) does not match the UID in \
         record ({uid}). The object might have been deleted and then recreated"
    );
    assert_eq!(body["message"], expected);
    assert_eq!(w.get(A).await.code, 200);
}

async fn another_version_is_a_conflict(w: World) {
    w.config_map("a", &json!({})).await;
    let body =
        w.delete(A, &json!({"preconditions": {"resourceVersion": "1"}})).await.refused(409, "Conflict");
    let expected =
        "the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (";
    assert!(text(&body["message"]).contains(expected), "{body}");
    assert_eq!(w.get(A).await.code, 200);
}

async fn preconditions_that_hold_let_pass(w: World) {
    let made = w.config_map("a", &json!({})).await;
    let (uid, version) = (&made["metadata"]["uid"], &made["metadata"]["resourceVersion"]);
    w.delete(A, &json!({"preconditions": {"uid": uid, "resourceVersion": version}})).await.done();
    w.get(A).await.refused(404, "NotFound");
}

async fn a_finalizer_holds_an_object(w: World) {
    held(&w).await;
    let answer = w.delete(A, &Value::Null).await;
    assert_eq!((answer.code, &answer.body["kind"]), (200, &json!("ConfigMap")));
    let ending = w.get(A).await.done();
    assert_eq!(ending, answer.body);
    assert!(!ending["metadata"]["deletionTimestamp"].is_null());
    assert_eq!(ending["metadata"]["deletionGracePeriodSeconds"], 0);
    let last = w.patch(MERGE, A, &json!({"metadata": {"finalizers": []}, "data": {"k": "2"}})).await.done();
    assert_eq!(last["data"]["k"], "2");
    w.get(A).await.refused(404, "NotFound");
}

async fn an_object_that_ends_takes_no_new_finalizer(w: World) {
    held(&w).await;
    w.delete(A, &Value::Null).await.done();
    let patch = json!({"metadata": {"finalizers": ["x.io/hold", "x.io/new"]}});
    let message = w.patch(MERGE, A, &patch).await.invalid("FieldValueForbidden", "metadata.finalizers");
    assert!(
        message.starts_with("Forbidden: no new finalizers can be added if the object is being deleted"),
        "{message}"
    );
}

async fn an_end_is_not_taken_back(w: World) {
    let mut made = held(&w).await;
    let ending = w.delete(A, &Value::Null).await.done();
    made["metadata"]["resourceVersion"] = Value::Null;
    made["data"]["k"] = "2".into();
    let new = w.put(A, &made).await.done();
    assert_eq!(new["metadata"]["deletionTimestamp"], ending["metadata"]["deletionTimestamp"]);
    assert_eq!(new["data"]["k"], "2");
}

async fn ending_twice_keeps_the_time(w: World) {
    held(&w).await;
    let once = w.delete(A, &Value::Null).await.done();
    assert_eq!(w.delete(A, &Value::Null).await.done(), once);
}

async fn foreground_and_orphan_are_finalizers(w: World) {
    for (policy, finalizer) in [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")] {
        w.config_map("b", &json!({})).await;
        let body = w.delete("v1/configmaps/b", &json!({"propagationPolicy": policy})).await.done();
        assert_eq!(body["metadata"]["finalizers"], json!([finalizer]), "{body}");
        assert!(!body["metadata"]["deletionTimestamp"].is_null());
        // The garbage collector does the same where there is one; then there is nothing to patch.
        w.patch(MERGE, "v1/configmaps/b", &json!({"metadata": {"finalizers": null}})).await;
        w.get("v1/configmaps/b").await.refused(404, "NotFound");
    }
}

async fn policies_are_known_words(w: World) {
    w.config_map("a", &json!({})).await;
    let refused = w.delete(A, &json!({"propagationPolicy": "Sometimes"})).await;
    let message = refused.invalid("FieldValueNotSupported", "propagationPolicy");
    assert!(message.starts_with(r#"Unsupported value: "Sometimes": supported values: "#), "{message}");
    assert_eq!(w.get(A).await.code, 200);
}

async fn old_and_new_policies_exclude_each_other(w: World) {
    w.config_map("a", &json!({})).await;
    let both = json!({"propagationPolicy": "Background", "orphanDependents": true});
    w.delete(A, &both).await.invalid("FieldValueInvalid", "propagationPolicy");
}

async fn bound_pods_end_gracefully(w: World) {
    w.running_pod("a").await;
    let answer = w.delete("v1/pods/a", &Value::Null).await;
    assert_eq!((answer.code, &answer.body["kind"]), (200, &json!("Pod")));
    let meta = &answer.body["metadata"];
    assert_eq!(meta["deletionGracePeriodSeconds"], 30);
    let end: Timestamp = text(&meta["deletionTimestamp"]).parse().expect("a time");
    let made: Timestamp = text(&meta["creationTimestamp"]).parse().expect("a time");
    let seconds = end.duration_since(made).as_secs();
    assert!((30..90).contains(&seconds), "{seconds}");
    assert_eq!(w.get("v1/pods/a").await.code, 200);
}

async fn grace_is_shortened_only(w: World) {
    w.running_pod("a").await;
    for (wanted, expected) in [(20, 20), (5, 5), (25, 5)] {
        let body = w.delete("v1/pods/a", &json!({"gracePeriodSeconds": wanted})).await.done();
        assert_eq!(body["metadata"]["deletionGracePeriodSeconds"], expected, "{wanted}");
    }
}

async fn no_grace_is_the_end(w: World) {
    w.running_pod("a").await;
    w.delete("v1/pods/a", &json!({"gracePeriodSeconds": 0})).await.done();
    w.get("v1/pods/a").await.refused(404, "NotFound");
}

async fn unbound_pods_end_at_once(w: World) {
    w.pod("a").await;
    w.delete("v1/pods/a", &Value::Null).await.done();
    w.get("v1/pods/a").await.refused(404, "NotFound");
}

async fn a_dry_run_deletes_nothing(w: World) {
    let made = w.config_map("a", &json!({})).await;
    w.delete("v1/configmaps/a?dryRun=All", &Value::Null).await.done();
    assert_eq!(w.get(A).await.done(), made);
}

async fn an_ending_namespace_takes_nothing_new(w: World) {
    held(&w).await;
    let name = &w.namespace;
    let body = w.send("DELETE", &format!("/api/v1/namespaces/{name}"), &[], &Value::Null).await.done();
    assert_eq!((&body["kind"], &body["status"]["phase"]), (&json!("Namespace"), &json!("Terminating")));
    let body = w.post("v1/configmaps", &config_map("b", &json!({}))).await.refused(403, "Forbidden");
    assert_eq!(body["details"]["causes"][0]["reason"], "NamespaceTerminating");
    let end = format!("unable to create new content in namespace {name} because it is being terminated");
    assert!(text(&body["message"]).ends_with(&end), "{body}");
    assert!(names(&w.get("v1/configmaps").await.done()).contains(&"a".to_owned()));
}

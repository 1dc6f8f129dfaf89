//! Facts about refusals, and about the forms of bodies.

use serde_json::{Value, json};

use crate::world::{World, config_map, facts, hold, text};

#[tokio::test]
async fn refusing() {
    hold(&facts![
        a_refusal_is_a_whole_status,
        an_invalid_object_is_a_whole_status,
        several_faults_are_listed,
        unknown_paths_are_no_status,
        unknown_resources_are_a_status,
        methods_that_are_not_there,
        bodies_have_to_be_json,
        bodies_have_to_be_there,
        types_of_fields_are_checked,
        unknown_media_types_are_refused,
        unknown_answers_are_not_acceptable,
        yaml_is_read,
        yaml_is_written,
        answers_are_json,
        a_version_is_served,
        the_server_is_ready,
    ])
    .await;
}

async fn a_refusal_is_a_whole_status(w: World) {
    let answer = w.get("apps/v1/replicasets/nothing").await;
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404, "reason": "NotFound",
        "message": "replicasets.apps \"nothing\" not found",
        "details": {"name": "nothing", "group": "apps", "kind": "replicasets"}});
    assert_eq!((answer.code, answer.body), (404, expected));
}

async fn an_invalid_object_is_a_whole_status(w: World) {
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"},
        "spec": {"minAvailable": -1}});
    let answer = w.post("policy/v1/poddisruptionbudgets", &budget).await;
    let message = "Invalid value: -1: must be greater than or equal to 0";
    let expected = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 422, "reason": "Invalid",
        "message": format!("PodDisruptionBudget.policy \"a\" is invalid: spec.minAvailable: {message}"),
        "details": {"name": "a", "group": "policy", "kind": "PodDisruptionBudget", "causes": [
            {"reason": "FieldValueInvalid", "message": message, "field": "spec.minAvailable"}]}});
    assert_eq!((answer.code, answer.body), (422, expected));
}

async fn several_faults_are_listed(w: World) {
    let mut wanted = config_map("a", &json!({"not a key": "1"}));
    wanted["metadata"]["labels"] = json!({"k": "not a label"});
    let body = w.post("v1/configmaps", &wanted).await.refused(422, "Invalid");
    let causes = body["details"]["causes"].as_array().expect("causes");
    let fields: Vec<_> = causes.iter().map(|cause| text(&cause["field"])).collect();
    assert_eq!(fields, ["metadata.labels", "data[not a key]"]);
    assert!(
        text(&body["message"]).starts_with("ConfigMap \"a\" is invalid: [metadata.labels: Invalid value: "),
        "{body}"
    );
}

async fn unknown_paths_are_no_status(w: World) {
    let answer = w.send("GET", "/apis/no.such.group/v1/things", &[], &Value::Null).await;
    assert_eq!((answer.code, answer.text.as_str()), (404, "404 page not found\n"));
}

async fn unknown_resources_are_a_status(w: World) {
    let body = w.get("v1/things").await.refused(404, "NotFound");
    assert_eq!(body["message"], "the server could not find the requested resource");
    assert_eq!(body["details"], json!({}));
}

async fn methods_that_are_not_there(w: World) {
    let body = w.put("v1/configmaps", &config_map("a", &json!({}))).await.refused(405, "MethodNotAllowed");
    assert_eq!(body["message"], "the server does not allow this method on the requested resource");
}

async fn bodies_have_to_be_json(w: World) {
    let body = w.post("v1/configmaps", &"{\"kind\": ".into()).await.refused(400, "BadRequest");
    assert!(!text(&body["message"]).is_empty());
}

async fn bodies_have_to_be_there(w: World) {
    assert_eq!(w.post("v1/configmaps", &Value::Null).await.code, 400);
}

async fn types_of_fields_are_checked(w: World) {
    let wanted = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "a"},
        "spec": {"replicas": "three"}});
    let body = w.post("apps/v1/replicasets", &wanted).await.refused(400, "BadRequest");
    let expected = r#"ReplicaSet in version "v1" cannot be handled as a ReplicaSet: json: cannot unmarshal string into Go struct field ReplicaSetSpec.spec.replicas of type int32"#;
    assert_eq!(body["message"], expected);
}

async fn unknown_media_types_are_refused(w: World) {
    let object = config_map("a", &json!({}));
    let path = w.path("v1/configmaps");
    let body = w.send("POST", &path, &[("content-type", "text/plain")], &object).await;
    let message = text(&body.refused(415, "UnsupportedMediaType")["message"]);
    let expected =
        "the body of the request was in an unknown format - accepted media types include: application/json";
    assert!(message.starts_with(expected), "{message}");
}

async fn unknown_answers_are_not_acceptable(w: World) {
    let path = w.path("v1/configmaps");
    let answer = w.send("GET", &path, &[("accept", "image/png")], &Value::Null).await;
    let message = text(&answer.refused(406, "NotAcceptable")["message"]);
    let expected = "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml";
    assert!(message.starts_with(expected), "{message}");
}

async fn yaml_is_read(w: World) {
    let object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: 'on'\n";
    let path = w.path("v1/configmaps");
    let answer = w.send("POST", &path, &[("content-type", "application/yaml")], &object.into()).await;
    assert_eq!(answer.done()["data"], json!({"k": "on"}));
}

async fn yaml_is_written(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let path = w.path("v1/configmaps/a");
    let answer = w.send("GET", &path, &[("accept", "application/yaml")], &Value::Null).await;
    assert_eq!(answer.headers["content-type"], "application/yaml");
    assert!(
        answer.text.contains("data:\n  k: \"1\"\n") || answer.text.contains("data:\n  k: '1'\n"),
        "{}",
        answer.text
    );
}

async fn answers_are_json(w: World) {
    let found = w.get("v1/configmaps").await;
    let refused = w.get("v1/configmaps/none").await;
    assert_eq!([&found.headers["content-type"], &refused.headers["content-type"]], ["application/json"; 2]);
}

async fn a_version_is_served(w: World) {
    let version = w.send("GET", "/version", &[], &Value::Null).await.done();
    assert_eq!((&version["major"], &version["minor"]), (&json!("1"), &json!("36")));
    assert!(text(&version["gitVersion"]).starts_with("v1.36."), "{version}");
}

async fn the_server_is_ready(w: World) {
    for path in ["/readyz", "/livez", "/healthz"] {
        let answer = w.send("GET", path, &[], &Value::Null).await;
        assert_eq!((answer.code, answer.text.as_str()), (200, "ok"), "{path}");
    }
}

//! Facts about creating objects.

use serde_json::{Value, json};

use crate::world::{World, config_map, facts, hold, pod, replica_set, service, text, version};

#[tokio::test]
async fn creating() {
    hold(&facts![
        the_server_names_what_it_made,
        generated_names_end_in_five_safe_characters,
        long_prefixes_are_cut,
        a_name_is_given_once,
        refusals_name_the_group_of_the_resource,
        a_name_is_required,
        names_are_checked,
        names_of_services_have_no_dots,
        the_namespace_is_that_of_the_url,
        the_namespace_has_to_exist,
        a_resource_version_is_refused,
        the_kind_is_that_of_the_url,
        the_version_is_that_of_the_url,
        a_dry_run_keeps_nothing,
        system_fields_are_the_servers,
        unknown_fields_are_warned_of,
        unknown_fields_are_refused_where_asked,
        repeated_fields_are_warned_of,
        label_values_are_checked,
        owners_need_a_uid,
        string_data_become_data,
        services_get_an_address_and_defaults,
        pods_get_defaults_and_a_status,
        deployments_get_defaults,
        selectors_match_their_template,
    ])
    .await;
}

async fn the_server_names_what_it_made(w: World) {
    let answer = w.post("v1/configmaps", &config_map("a", &json!({"k": "v"}))).await;
    assert_eq!(answer.code, 201);
    let meta = &answer.body["metadata"];
    let uid = text(&meta["uid"]);
    let groups: Vec<_> = uid.split('-').map(str::len).collect();
    assert_eq!(groups, [8, 4, 4, 4, 12], "{uid}");
    let made: jiff::Timestamp = text(&meta["creationTimestamp"]).parse().expect("a time");
    assert_eq!(text(&meta["creationTimestamp"]), made.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    assert!(version(&answer.body) > 0);
    assert_eq!(w.get("v1/configmaps/a").await.done(), answer.body);
}

async fn generated_names_end_in_five_safe_characters(w: World) {
    let mut wanted = config_map("", &json!({}));
    wanted["metadata"] = json!({"generateName": "a-"});
    let (one, two) =
        (w.post("v1/configmaps", &wanted).await.done(), w.post("v1/configmaps", &wanted).await.done());
    let name = text(&one["metadata"]["name"]);
    let suffix = name.strip_prefix("a-").expect("the prefix");
    assert!(suffix.len() == 5 && suffix.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c)), "{name}");
    assert_eq!(one["metadata"]["generateName"], "a-");
    assert_ne!(one["metadata"]["name"], two["metadata"]["name"]);
}

async fn long_prefixes_are_cut(w: World) {
    let mut wanted = config_map("", &json!({}));
    wanted["metadata"] = json!({"generateName": "x".repeat(70)});
    let name = text(&w.post("v1/configmaps", &wanted).await.done()["metadata"]["name"]);
    assert_eq!((name.len(), name.starts_with(&"x".repeat(58))), (63, true), "{name}");
}

async fn a_name_is_given_once(w: World) {
    w.config_map("a", &json!({"k": "old"})).await;
    let body =
        w.post("v1/configmaps", &config_map("a", &json!({"k": "new"}))).await.refused(409, "AlreadyExists");
    assert_eq!(body["message"], r#"configmaps "a" already exists"#);
    assert_eq!(body["details"], json!({"name": "a", "kind": "configmaps"}));
    assert_eq!(w.get("v1/configmaps/a").await.body["data"]["k"], "old");
}

async fn refusals_name_the_group_of_the_resource(w: World) {
    w.post("apps/v1/replicasets", &replica_set("a")).await.done();
    let body = w.post("apps/v1/replicasets", &replica_set("a")).await.refused(409, "AlreadyExists");
    assert_eq!(body["message"], r#"replicasets.apps "a" already exists"#);
    assert_eq!(body["details"], json!({"name": "a", "group": "apps", "kind": "replicasets"}));
}

async fn a_name_is_required(w: World) {
    let mut wanted = config_map("", &json!({}));
    wanted["metadata"] = json!({});
    let message = w.post("v1/configmaps", &wanted).await.invalid("FieldValueRequired", "metadata.name");
    assert_eq!(message, "Required value: name or generateName is required");
}

async fn names_are_checked(w: World) {
    let message = w
        .post("v1/configmaps", &config_map("Not_A_Name", &json!({})))
        .await
        .invalid("FieldValueInvalid", "metadata.name");
    assert!(
        message.starts_with(r#"Invalid value: "Not_A_Name": a lowercase RFC 1123 subdomain must"#),
        "{message}"
    );
}

async fn names_of_services_have_no_dots(w: World) {
    let refused = w.post("v1/services", &service("a.b")).await;
    refused.invalid("FieldValueInvalid", "metadata.name");
    w.config_map("a.b", &json!({})).await;
}

async fn the_namespace_is_that_of_the_url(w: World) {
    let mut wanted = config_map("a", &json!({}));
    wanted["metadata"]["namespace"] = "elsewhere".into();
    let body = w.post("v1/configmaps", &wanted).await.refused(400, "BadRequest");
    let expected = "the namespace of the provided object does not match the namespace sent on the request";
    assert_eq!(body["message"], expected);
}

async fn the_namespace_has_to_exist(w: World) {
    let path = "/api/v1/namespaces/no-such-namespace/configmaps";
    let body = w.send("POST", path, &[], &config_map("a", &json!({}))).await.refused(404, "NotFound");
    assert_eq!(body["message"], r#"namespaces "no-such-namespace" not found"#);
    assert_eq!(body["details"], json!({"name": "no-such-namespace", "kind": "namespaces"}));
}

async fn a_resource_version_is_refused(w: World) {
    let mut wanted = config_map("a", &json!({}));
    wanted["metadata"]["resourceVersion"] = "7".into();
    let answer = w.post("v1/configmaps", &wanted).await;
    assert_eq!((answer.code, &answer.body["reason"]), (500, &Value::Null), "{}", answer.text);
    assert_eq!(answer.body["message"], "resourceVersion should not be set on objects to be created");
}

async fn the_kind_is_that_of_the_url(w: World) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}});
    let body = w.post("v1/configmaps", &secret).await.refused(400, "BadRequest");
    assert_eq!(
        body["message"],
        r#"Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion"#
    );
}

async fn the_version_is_that_of_the_url(w: World) {
    let mut wanted = config_map("a", &json!({}));
    wanted["apiVersion"] = "v2".into();
    let body = w.post("v1/configmaps", &wanted).await.refused(400, "BadRequest");
    assert!(text(&body["message"]).contains(r#""v2""#), "{body}");
    w.get("v1/configmaps/a").await.refused(404, "NotFound");
}

async fn a_dry_run_keeps_nothing(w: World) {
    let answer = w.post("v1/configmaps?dryRun=All", &config_map("a", &json!({}))).await;
    assert_eq!((answer.code, text(&answer.body["metadata"]["uid"]).len()), (201, 36));
    w.get("v1/configmaps/a").await.refused(404, "NotFound");
}

async fn system_fields_are_the_servers(w: World) {
    let mut wanted = replica_set("a");
    wanted["metadata"]["uid"] = "mine".into();
    wanted["metadata"]["generation"] = 7.into();
    wanted["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z".into();
    wanted["metadata"]["deletionTimestamp"] = "2001-01-01T00:00:00Z".into();
    wanted["status"] = json!({"replicas": 5, "readyReplicas": 5});
    let made = w.post("apps/v1/replicasets", &wanted).await.done();
    let meta = &made["metadata"];
    assert_eq!((&meta["generation"], &meta["deletionTimestamp"]), (&json!(1), &Value::Null));
    assert!(
        text(&meta["uid"]).len() == 36 && !text(&meta["creationTimestamp"]).starts_with("2001"),
        "{meta}"
    );
    assert_eq!(made["status"], json!({"replicas": 0}));
}

async fn unknown_fields_are_warned_of(w: World) {
    let mut wanted = config_map("a", &json!({}));
    wanted["bogus"] = 1.into();
    let answer = w.post("v1/configmaps", &wanted).await;
    assert_eq!((answer.code, answer.warnings()), (201, vec![r#"299 - "unknown field \"bogus\"""#]));
    assert_eq!(answer.body["bogus"], Value::Null);
}

async fn unknown_fields_are_refused_where_asked(w: World) {
    let mut wanted = replica_set("a");
    wanted["spec"]["template"]["spec"]["bogus"] = 1.into();
    let body = w.post("apps/v1/replicasets?fieldValidation=Strict", &wanted).await.refused(400, "BadRequest");
    let expected = r#"ReplicaSet in version "v1" cannot be handled as a ReplicaSet: strict decoding error: unknown field "spec.template.spec.bogus""#;
    assert_eq!(body["message"], expected);
}

async fn repeated_fields_are_warned_of(w: World) {
    let body =
        r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"k":"1"},"data":{"k":"2"}}"#;
    let answer = w.post("v1/configmaps", &body.into()).await;
    assert_eq!((answer.code, answer.warnings()), (201, vec![r#"299 - "duplicate field \"data\"""#]));
    assert_eq!(answer.body["data"], json!({"k": "2"}));
}

async fn label_values_are_checked(w: World) {
    let mut wanted = config_map("a", &json!({}));
    wanted["metadata"]["labels"] = json!({"k": "not a label"});
    let message = w.post("v1/configmaps", &wanted).await.invalid("FieldValueInvalid", "metadata.labels");
    assert!(message.starts_with(r#"Invalid value: "not a label": a valid label must be"#), "{message}");
}

async fn owners_need_a_uid(w: World) {
    let mut wanted = config_map("a", &json!({}));
    wanted["metadata"]["ownerReferences"] =
        json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": ""}]);
    let answer = w.post("v1/configmaps", &wanted).await;
    let message = answer.invalid("FieldValueInvalid", "metadata.ownerReferences.uid");
    assert_eq!(message, r#"Invalid value: "": must not be empty"#);
}

async fn string_data_become_data(w: World) {
    let wanted = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"},
        "data": {"a": "b2xk", "b": "Yg=="}, "stringData": {"a": "new"}});
    let made = w.post("v1/secrets", &wanted).await.done();
    assert_eq!(made["data"], json!({"a": "bmV3", "b": "Yg=="}));
    assert_eq!((&made["stringData"], &made["type"]), (&Value::Null, &json!("Opaque")));
}

async fn services_get_an_address_and_defaults(w: World) {
    let made = w.post("v1/services", &service("a")).await.done();
    let spec = &made["spec"];
    let address: std::net::Ipv4Addr = text(&spec["clusterIP"]).parse().expect("an address");
    assert_eq!(address.octets()[..2], [10, 96]);
    assert_eq!(spec["clusterIPs"], json!([spec["clusterIP"]]));
    assert_eq!(spec["ports"], json!([{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 80}]));
    let facts =
        ["type", "sessionAffinity", "internalTrafficPolicy", "ipFamilyPolicy"].map(|key| text(&spec[key]));
    assert_eq!(facts, ["ClusterIP", "None", "Cluster", "SingleStack"]);
    assert_eq!(spec["ipFamilies"], json!(["IPv4"]));
}

async fn pods_get_defaults_and_a_status(w: World) {
    w.admit_pods().await;
    let mut wanted = pod("a");
    wanted["spec"]["containers"][0]["image"] = "demo".into();
    let made = w.post("v1/pods", &wanted).await.done();
    let spec = &made["spec"];
    let facts =
        ["restartPolicy", "dnsPolicy", "serviceAccountName", "schedulerName"].map(|key| text(&spec[key]));
    assert_eq!(facts, ["Always", "ClusterFirst", "default", "default-scheduler"]);
    assert_eq!((&spec["terminationGracePeriodSeconds"], &spec["securityContext"]), (&json!(30), &json!({})));
    assert_eq!(spec["containers"][0]["imagePullPolicy"], "Always");
    assert_eq!(made["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
}

async fn deployments_get_defaults(w: World) {
    let mut wanted = replica_set("a");
    wanted["kind"] = "Deployment".into();
    let made = w.post("apps/v1/deployments", &wanted).await.done();
    let spec = &made["spec"];
    assert_eq!((&spec["revisionHistoryLimit"], &spec["progressDeadlineSeconds"]), (&json!(10), &json!(600)));
    let rolling =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    assert_eq!(spec["strategy"], rolling);
    assert_eq!(spec["template"]["spec"]["containers"][0]["imagePullPolicy"], "IfNotPresent");
}

async fn selectors_match_their_template(w: World) {
    let mut wanted = replica_set("a");
    wanted["spec"]["template"]["metadata"]["labels"]["app"] = "b".into();
    let refused = w.post("apps/v1/replicasets", &wanted).await;
    let message = refused.invalid("FieldValueInvalid", "spec.template.metadata.labels");
    assert_eq!(message, r#"Invalid value: {"app":"b"}: `selector` does not match template `labels`"#);
}

//! Facts about watches.

use serde_json::{Value, json};

use crate::world::{MERGE, TABLE, World, config_map, facts, hold, text, version};

#[tokio::test]
async fn watching() {
    hold(&facts![
        events_come_in_the_order_of_writes,
        without_a_version_what_exists_comes_first,
        entering_and_leaving_a_selector,
        a_name_can_be_watched,
        other_namespaces_are_silent,
        initial_events_end_with_a_bookmark,
        initial_events_need_a_match,
        no_initial_events_from_now_on,
        a_write_without_change_is_no_event,
        finalizers_delay_the_last_event,
        status_is_an_event,
        a_watch_ends_in_time,
        a_version_has_to_be_a_number,
        events_can_be_tables,
        events_can_be_metadata,
    ])
    .await;
}

async fn now(w: &World) -> u64 {
    version(&w.get("v1/configmaps").await.done())
}

fn pair(kind: &str, name: &str) -> (String, String) {
    (kind.to_owned(), name.to_owned())
}

async fn events_come_in_the_order_of_writes(w: World) {
    let mut watch =
        w.watch(&format!("v1/configmaps?labelSelector=!none&resourceVersion={}", now(&w).await)).await;
    let made = w.config_map("z", &json!({"k": "1"})).await;
    let other = w.config_map("y", &json!({})).await;
    let changed = w.patch(MERGE, "v1/configmaps/z", &json!({"data": {"k": "2"}})).await.done();
    w.delete("v1/configmaps/z", &Value::Null).await.done();
    let mut events = Vec::new();
    while events.len() < 4 {
        let event = watch.next().await.expect("an event");
        // The controller of certificates may write in between.
        if event["object"]["metadata"]["name"] != "kube-root-ca.crt" {
            events.push(event);
        }
    }
    let found: Vec<_> = events.iter().map(|event| text(&event["type"])).collect();
    assert_eq!(found, ["ADDED", "ADDED", "MODIFIED", "DELETED"]);
    assert_eq!([&events[0]["object"], &events[1]["object"], &events[2]["object"]], [&made, &other, &changed]);
    assert!(version(&events[3]["object"]) > version(&changed), "a deletion is a write");
    assert_eq!(events[3]["object"]["data"], json!({"k": "2"}));
}

async fn without_a_version_what_exists_comes_first(w: World) {
    let (a, b) = (w.config_map("a", &json!({})).await, w.config_map("b", &json!({})).await);
    let mut watch = w.watch("v1/configmaps?fieldSelector=metadata.name!%3Dkube-root-ca.crt").await;
    let (one, two) = (watch.next().await.expect("an event"), watch.next().await.expect("an event"));
    assert_eq!((&one["type"], &two["type"]), (&json!("ADDED"), &json!("ADDED")));
    assert_eq!((&one["object"], &two["object"]), (&a, &b));
    w.config_map("c", &json!({})).await;
    assert_eq!(watch.named().await, pair("ADDED", "c"));
}

async fn entering_and_leaving_a_selector(w: World) {
    let mut watch =
        w.watch(&format!("v1/configmaps?labelSelector=in%3Dyes&resourceVersion={}", now(&w).await)).await;
    w.config_map("a", &json!({})).await;
    let label = |value: Value| json!({"metadata": {"labels": {"in": value}}});
    w.patch(MERGE, "v1/configmaps/a", &label("yes".into())).await.done();
    w.patch(MERGE, "v1/configmaps/a", &json!({"data": {"k": "1"}})).await.done();
    let left = w.patch(MERGE, "v1/configmaps/a", &label("no".into())).await.done();
    w.patch(MERGE, "v1/configmaps/a", &json!({"data": {"k": "2"}})).await.done();
    w.patch(MERGE, "v1/configmaps/a", &label("yes".into())).await.done();
    assert_eq!(watch.named().await, pair("ADDED", "a"));
    assert_eq!(watch.named().await, pair("MODIFIED", "a"));
    let gone = watch.next().await.expect("an event");
    assert_eq!((&gone["type"], version(&gone["object"])), (&json!("DELETED"), version(&left)));
    assert_eq!(gone["object"]["metadata"]["labels"]["in"], "yes", "as it was when it was selected");
    assert_eq!(watch.named().await, pair("ADDED", "a"));
}

async fn a_name_can_be_watched(w: World) {
    let at = format!("v1/configmaps?fieldSelector=metadata.name%3Db&resourceVersion={}", now(&w).await);
    let mut watch = w.watch(&at).await;
    w.config_map("a", &json!({})).await;
    w.config_map("b", &json!({})).await;
    assert_eq!(watch.named().await, pair("ADDED", "b"));
}

async fn other_namespaces_are_silent(w: World) {
    let at = format!("v1/configmaps?labelSelector=mine&resourceVersion={}", now(&w).await);
    let mut watch = w.watch(&at).await;
    let mut object = config_map("elsewhere", &json!({}));
    object["metadata"] = json!({"generateName": "elsewhere-", "labels": {"mine": ""}});
    w.send("POST", "/api/v1/namespaces/default/configmaps", &[], &object).await.done();
    object["metadata"] = json!({"name": "here", "labels": {"mine": ""}});
    w.post("v1/configmaps", &object).await.done();
    assert_eq!(watch.named().await, pair("ADDED", "here"));
}

const INITIAL: &str = "v1/secrets?sendInitialEvents=true&allowWatchBookmarks=true";

async fn initial_events_end_with_a_bookmark(w: World) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}});
    let made = w.post("v1/secrets", &secret).await.done();
    let mut watch = w.watch(&format!("{INITIAL}&resourceVersionMatch=NotOlderThan")).await;
    assert_eq!(watch.named().await, pair("ADDED", "a"));
    let mark = watch.next().await.expect("a bookmark");
    assert_eq!((&mark["type"], &mark["object"]["kind"]), (&json!("BOOKMARK"), &json!("Secret")));
    assert_eq!(mark["object"]["metadata"]["annotations"], json!({"k8s.io/initial-events-end": "true"}));
    assert!(version(&mark["object"]) >= version(&made));
}

async fn initial_events_need_a_match(w: World) {
    let message =
        w.get(&format!("{INITIAL}&watch=true")).await.invalid("FieldValueForbidden", "resourceVersionMatch");
    let expected = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
    assert_eq!(message, expected);
}

async fn no_initial_events_from_now_on(w: World) {
    w.config_map("a", &json!({})).await;
    let mut watch =
        w.watch(&format!("v1/configmaps?labelSelector=!none&resourceVersion={}", now(&w).await)).await;
    w.config_map("b", &json!({})).await;
    let mut found = watch.named().await;
    if found.1 == "kube-root-ca.crt" {
        found = watch.named().await;
    }
    assert_eq!(found, pair("ADDED", "b"));
}

async fn a_write_without_change_is_no_event(w: World) {
    let made = w.config_map("a", &json!({"k": "1"})).await;
    let at = format!("v1/configmaps?fieldSelector=metadata.name%3Da&resourceVersion={}", version(&made));
    let mut watch = w.watch(&at).await;
    w.put("v1/configmaps/a", &made).await.done();
    w.patch(MERGE, "v1/configmaps/a", &json!({"data": {"k": "1"}})).await.done();
    w.patch(MERGE, "v1/configmaps/a", &json!({"data": {"k": "2"}})).await.done();
    assert_eq!(watch.next().await.expect("an event")["object"]["data"]["k"], "2");
}

async fn finalizers_delay_the_last_event(w: World) {
    let mut object = config_map("a", &json!({}));
    object["metadata"]["finalizers"] = json!(["x.io/hold"]);
    let made = w.post("v1/configmaps", &object).await.done();
    let at = format!("v1/configmaps?fieldSelector=metadata.name%3Da&resourceVersion={}", version(&made));
    let mut watch = w.watch(&at).await;
    w.delete("v1/configmaps/a", &Value::Null).await.done();
    w.patch(MERGE, "v1/configmaps/a", &json!({"metadata": {"finalizers": null}})).await.done();
    let ending = watch.next().await.expect("an event");
    assert_eq!(ending["type"], "MODIFIED");
    assert!(!ending["object"]["metadata"]["deletionTimestamp"].is_null());
    assert_eq!(watch.named().await, pair("DELETED", "a"));
}

async fn status_is_an_event(w: World) {
    let made = w.pod("a").await;
    let mut watch = w.watch(&format!("v1/pods?labelSelector=app&resourceVersion={}", version(&made))).await;
    let new = w.patch(MERGE, "v1/pods/a/status", &json!({"status": {"message": "hello"}})).await.done();
    let event = watch.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]), (&json!("MODIFIED"), &new));
}

async fn a_watch_ends_in_time(w: World) {
    let at = format!("v1/secrets?timeoutSeconds=1&resourceVersion={}", now(&w).await);
    assert_eq!(w.watch(&at).await.next().await, None);
}

async fn a_version_has_to_be_a_number(w: World) {
    let answer = w.get("v1/configmaps?watch=true&resourceVersion=soon").await;
    let expected =
        r#"resourceVersion: Invalid value: "soon": strconv.ParseUint: parsing "soon": invalid syntax"#;
    assert_eq!((answer.code, &answer.body["message"]), (500, &json!(expected)), "{}", answer.text);
    assert_eq!(answer.body["reason"], Value::Null);
}

async fn events_can_be_tables(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let mut watch = w.watch_as("v1/configmaps?fieldSelector=metadata.name%3Da", TABLE).await;
    let event = watch.next().await.expect("an event");
    assert_eq!((&event["type"], &event["object"]["kind"]), (&json!("ADDED"), &json!("Table")));
    let row = &event["object"]["rows"][0];
    assert_eq!((&row["cells"][0], &row["cells"][1]), (&json!("a"), &json!(1)));
}

async fn events_can_be_metadata(w: World) {
    w.config_map("a", &json!({"k": "1"})).await;
    let accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io";
    let mut watch = w.watch_as("v1/configmaps?fieldSelector=metadata.name%3Da", accept).await;
    let object = watch.next().await.expect("an event")["object"].clone();
    assert_eq!(
        (&object["kind"], &object["apiVersion"]),
        (&json!("PartialObjectMetadata"), &json!("meta.k8s.io/v1"))
    );
    assert_eq!((&object["metadata"]["name"], &object["data"]), (&json!("a"), &Value::Null));
}

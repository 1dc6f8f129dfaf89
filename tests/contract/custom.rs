//! Facts about custom resources: what becomes of objects, and of their parts.

use std::time::Duration;

use serde_json::{Value, json};
use serin_cluster::api::store::Settings;

use crate::support::eventually;
use crate::world::{APPLY, MERGE, STRATEGIC, TABLE, World, facts, hold_after, text, version};

#[tokio::test]
async fn custom_resources() {
    let facts = facts![
        defaults_are_filled_in,
        defaults_need_their_parent,
        unknown_fields_are_pruned,
        unknown_fields_are_refused_where_asked,
        preserved_fields_stay,
        nulls_become_defaults,
        status_is_not_created,
        status_has_its_own_way,
        a_spec_is_a_generation,
        updates_need_a_version,
        strategic_patches_are_refused,
        keyed_lists_are_merged,
        atomic_lists_are_replaced,
        a_scale_reads_its_paths,
        a_scale_writes_its_path,
        columns_are_printed,
        items_have_a_kind,
        versions_that_are_not_served_are_not_there,
        a_resource_is_discovered,
        a_definition_is_established,
    ];
    hold_after(&facts, &Settings::default(), |world| Box::pin(prepare(world))).await;
}

const GROUP: &str = "custom.contract.test";
const WIDGETS: &str = "custom.contract.test/v1/widgets";
const A: &str = "custom.contract.test/v1/widgets/a";

async fn prepare(w: World) {
    define(&w, &definition()).await;
}

/// Makes a definition, and waits until its resource is served.
pub(crate) async fn define(w: &World, definition: &Value) {
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    w.send("POST", path, &[], definition).await.done();
    let at = |part: &str| text(&definition["spec"][part]);
    let plural = text(&definition["spec"]["names"]["plural"]);
    let version = text(&definition["spec"]["versions"][0]["name"]);
    let served = w.path(&format!("{}/{version}/{plural}", at("group")));
    eventually("a resource that is served", Duration::from_secs(30), || async {
        (w.send("GET", &served, &[], &Value::Null).await.code == 200).then_some(())
    })
    .await;
}

fn definition() -> Value {
    let part = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "count": {"type": "integer", "default": 1}, "note": {"type": "string"}}});
    let spec = json!({"type": "object", "properties": {
        "size": {"type": "integer", "default": 3},
        "note": {"type": "string", "default": "none"},
        "maybe": {"type": "string", "nullable": true},
        "nested": {"type": "object", "properties": {"deep": {"type": "boolean", "default": true}}},
        "parts": {"type": "array", "items": part, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
        "words": {"type": "array", "items": {"type": "string"}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
    let status = json!({"type": "object", "properties": {
        "phase": {"type": "string"}, "count": {"type": "integer"}, "selector": {"type": "string"}}});
    let version = |name: &str, is_served: bool| {
        json!({
        "name": name, "served": is_served, "storage": is_served,
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec, "status": status}}},
        "subresources": {"status": {}, "scale": {"specReplicasPath": ".spec.size",
            "statusReplicasPath": ".status.count", "labelSelectorPath": ".status.selector"}},
        "additionalPrinterColumns": [
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
            {"name": "Phase", "type": "string", "jsonPath": ".status.phase", "priority": 1},
            {"name": "First", "type": "string", "jsonPath": ".spec.parts[?(@.name==\"x\")].note"},
            {"name": "Hyphen", "type": "integer", "jsonPath": ".spec.free.a-b"},
            {"name": "Dot", "type": "integer", "jsonPath": r".spec.free.c\.d"},
            {"name": "Quoted", "type": "integer", "jsonPath": r".spec.free['c\.d']"},
            {"name": "Chosen", "type": "integer", "jsonPath": r".spec.free.all[?(@.e-f=='g.h')].i\.j"}]})
    };
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{GROUP}")},
        "spec": {"group": GROUP, "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wd"]},
            "versions": [version("v1", true), version("v1alpha1", false)]}})
}

fn widget(spec: &Value) -> Value {
    json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Widget", "metadata": {"name": "a"}, "spec": spec})
}

async fn made(w: &World, spec: Value) -> Value {
    w.post(WIDGETS, &widget(&spec)).await.done()
}

async fn defaults_are_filled_in(w: World) {
    let made = made(&w, json!({"parts": [{"name": "x"}]})).await;
    let expected = json!({"size": 3, "note": "none", "parts": [{"name": "x", "count": 1}]});
    assert_eq!(made["spec"], expected);
    assert_eq!(w.get(A).await.done(), made);
}

async fn defaults_need_their_parent(w: World) {
    assert_eq!(made(&w, json!({})).await["spec"]["nested"], Value::Null);
    let new = w.patch(MERGE, A, &json!({"spec": {"nested": {}}})).await.done();
    assert_eq!(new["spec"]["nested"], json!({"deep": true}));
}

async fn unknown_fields_are_pruned(w: World) {
    let answer = w.post(WIDGETS, &widget(&json!({"bogus": 1, "nested": {"deeper": 2}}))).await;
    let mut warnings = answer.warnings();
    warnings.sort_unstable();
    let expected =
        [r#"299 - "unknown field \"spec.bogus\"""#, r#"299 - "unknown field \"spec.nested.deeper\"""#];
    assert_eq!(warnings, expected);
    assert_eq!(answer.body["spec"], json!({"size": 3, "note": "none", "nested": {"deep": true}}));
}

async fn unknown_fields_are_refused_where_asked(w: World) {
    let at = format!("{WIDGETS}?fieldValidation=Strict");
    let body = w.post(&at, &widget(&json!({"bogus": 1}))).await.refused(400, "BadRequest");
    assert!(
        text(&body["message"]).ends_with(r#"strict decoding error: unknown field "spec.bogus""#),
        "{body}"
    );
}

async fn preserved_fields_stay(w: World) {
    let free = json!({"anything": {"goes": [1, "two", null]}});
    assert_eq!(made(&w, json!({"free": free})).await["spec"]["free"], free);
}

async fn nulls_become_defaults(w: World) {
    let made = made(&w, json!({"note": null, "maybe": null})).await;
    assert_eq!(made["spec"], json!({"size": 3, "note": "none", "maybe": null}));
}

async fn status_is_not_created(w: World) {
    let mut wanted = widget(&json!({}));
    wanted["status"] = json!({"phase": "Done"});
    assert_eq!(w.post(WIDGETS, &wanted).await.done()["status"], Value::Null);
}

async fn status_has_its_own_way(w: World) {
    made(&w, json!({})).await;
    let patch = json!({"metadata": {"labels": {"x": "y"}}, "spec": {"size": 9}, "status": {"phase": "Done", "bogus": 1}});
    let new = w.patch(MERGE, &format!("{A}/status"), &patch).await.done();
    assert_eq!((&new["spec"]["size"], &new["status"]), (&json!(3), &json!({"phase": "Done"})));
    assert_eq!((&new["metadata"]["generation"], &new["metadata"]["labels"]), (&json!(1), &Value::Null));
    let new = w.patch(MERGE, A, &patch).await.done();
    assert_eq!((&new["spec"]["size"], &new["status"]), (&json!(9), &json!({"phase": "Done"})));
}

async fn a_spec_is_a_generation(w: World) {
    assert_eq!(made(&w, json!({})).await["metadata"]["generation"], 1);
    let new = w.patch(MERGE, A, &json!({"metadata": {"labels": {"x": "y"}}})).await.done();
    assert_eq!(new["metadata"]["generation"], 1);
    let new = w.patch(MERGE, A, &json!({"spec": {"note": "some"}})).await.done();
    assert_eq!(new["metadata"]["generation"], 2);
}

async fn updates_need_a_version(w: World) {
    let made = made(&w, json!({})).await;
    let message =
        w.put(A, &widget(&json!({}))).await.invalid("FieldValueInvalid", "metadata.resourceVersion");
    assert_eq!(message, "Invalid value: 0: must be specified for an update");
    assert_eq!(version(&w.put(A, &made).await.done()), version(&made));
}

async fn strategic_patches_are_refused(w: World) {
    made(&w, json!({})).await;
    let body =
        w.patch(STRATEGIC, A, &json!({"spec": {"size": 9}})).await.refused(415, "UnsupportedMediaType");
    assert!(
        text(&body["message"]).contains("application/json-patch+json, application/merge-patch+json"),
        "{body}"
    );
}

async fn apply(w: &World, manager: &str, spec: Value) -> Value {
    w.patch(APPLY, &format!("{A}?fieldManager={manager}"), &widget(&spec)).await.done()
}

async fn keyed_lists_are_merged(w: World) {
    apply(&w, "one", json!({"parts": [{"name": "x", "count": 2}]})).await;
    let new = apply(&w, "two", json!({"parts": [{"name": "y"}]})).await;
    assert_eq!(new["spec"]["parts"], json!([{"name": "x", "count": 2}, {"name": "y", "count": 1}]));
    let new = apply(&w, "one", json!({"parts": []})).await;
    assert_eq!(new["spec"]["parts"], json!([{"name": "y", "count": 1}]));
}

async fn atomic_lists_are_replaced(w: World) {
    apply(&w, "one", json!({"words": ["a", "b"]})).await;
    let at = format!("{A}?fieldManager=two");
    let body = w.patch(APPLY, &at, &widget(&json!({"words": ["c"]}))).await.refused(409, "Conflict");
    assert_eq!(body["details"]["causes"][0]["field"], ".spec.words");
    assert_eq!(apply(&w, "one", json!({"words": ["c"]})).await["spec"]["words"], json!(["c"]));
}

async fn a_scale_reads_its_paths(w: World) {
    made(&w, json!({"size": 5})).await;
    let status = json!({"status": {"count": 4, "selector": "app=a"}});
    w.patch(MERGE, &format!("{A}/status"), &status).await.done();
    let scale = w.get(&format!("{A}/scale")).await.done();
    assert_eq!((&scale["kind"], &scale["spec"]), (&json!("Scale"), &json!({"replicas": 5})));
    assert_eq!(scale["status"], json!({"replicas": 4, "selector": "app=a"}));
}

async fn a_scale_writes_its_path(w: World) {
    made(&w, json!({})).await;
    w.patch(MERGE, &format!("{A}/scale"), &json!({"spec": {"replicas": 7}})).await.done();
    let new = w.get(A).await.done();
    assert_eq!((&new["spec"]["size"], &new["metadata"]["generation"]), (&json!(7), &json!(2)));
}

async fn columns_are_printed(w: World) {
    let free = json!({"a-b": 1, "c.d": 2, "all": [{"e-f": "other", "i.j": 3}, {"e-f": "g.h", "i.j": 4}]});
    made(&w, json!({"parts": [{"name": "x", "note": "hello"}], "free": free})).await;
    let table = w.send("GET", &w.path(WIDGETS), &[("accept", TABLE)], &Value::Null).await.done();
    let columns = table["columnDefinitions"].as_array().expect("columns");
    let found: Vec<_> =
        columns.iter().map(|c| (text(&c["name"]), text(&c["type"]), c["priority"].as_u64())).collect();
    let expected = [
        ("Name", "string", 0),
        ("Size", "integer", 0),
        ("Phase", "string", 1),
        ("First", "string", 0),
        ("Hyphen", "integer", 0),
        ("Dot", "integer", 0),
        ("Quoted", "integer", 0),
        ("Chosen", "integer", 0),
    ];
    assert_eq!(
        found,
        expected.map(|(name, kind, priority)| (name.to_owned(), kind.to_owned(), Some(priority)))
    );
    assert_eq!(table["rows"][0]["cells"], json!(["a", 3, null, "hello", 1, 2, 2, 4]));
}

async fn items_have_a_kind(w: World) {
    made(&w, json!({})).await;
    let list = w.get(WIDGETS).await.done();
    assert_eq!(list["kind"], "WidgetList");
    let item = &list["items"][0];
    assert_eq!((&item["kind"], &item["apiVersion"]), (&json!("Widget"), &json!("custom.contract.test/v1")));
}

async fn versions_that_are_not_served_are_not_there(w: World) {
    let answer = w.get("custom.contract.test/v1alpha1/widgets").await;
    assert_eq!((answer.code, answer.text.as_str()), (404, "404 page not found\n"));
}

async fn a_resource_is_discovered(w: World) {
    let path = format!("/apis/{GROUP}/v1");
    let found = eventually("a resource in discovery", Duration::from_secs(30), || async {
        let answer = w.send("GET", &path, &[], &Value::Null).await;
        (answer.code == 200).then_some(answer.body)
    })
    .await;
    let resources = found["resources"].as_array().expect("resources");
    let names: Vec<_> = resources.iter().map(|resource| text(&resource["name"])).collect();
    assert_eq!(names, ["widgets", "widgets/status", "widgets/scale"]);
    let widgets = &resources[0];
    assert_eq!((&widgets["singularName"], &widgets["shortNames"]), (&json!("widget"), &json!(["wd"])));
    let verbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
    assert_eq!(widgets["verbs"], json!(verbs));
}

async fn a_definition_is_established(w: World) {
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{GROUP}");
    let found = w.send("GET", &path, &[], &Value::Null).await.done();
    let status = &found["status"];
    assert_eq!(status["storedVersions"], json!(["v1"]));
    assert_eq!(
        (&status["acceptedNames"]["listKind"], &status["acceptedNames"]["singular"]),
        (&json!("WidgetList"), &json!("widget"))
    );
    let conditions = status["conditions"].as_array().expect("conditions");
    for wanted in ["NamesAccepted", "Established"] {
        let found = conditions.iter().find(|condition| condition["type"] == wanted).expect(wanted);
        assert_eq!(found["status"], "True", "{wanted}");
    }
}

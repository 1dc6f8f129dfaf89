use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::strategic;
use super::Deployment;

fn live() -> Value {
    json!({
        "metadata": {"name": "d", "finalizers": ["a", "b"], "labels": {"x": "1"}},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "containers": [
                {"name": "one", "image": "i:1", "args": ["a", "b"]},
                {"name": "two", "image": "j:1", "env": [{"name": "A", "value": "1"}]},
            ],
        },
    })
}

fn patched(patch: &Value) -> Value {
    strategic(&Deployment, &live(), patch).unwrap()
}

fn containers(patch: &Value) -> Value {
    patched(&json!({"spec": {"containers": patch}}))["spec"]["containers"].clone()
}

fn refusal(patch: &Value) -> (u16, String) {
    let status = strategic(&Deployment, &live(), patch).unwrap_err();
    (status.reason.code(), status.message)
}

fn names(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().filter_map(|item| item["name"].as_str()).collect()
}

#[test]
fn items_are_merged_by_their_key_and_new_ones_come_first() {
    let merged = containers(&json!([{"name": "two", "image": "j:2"}]));
    assert_eq!(names(&merged), ["one", "two"]);
    assert_eq!(merged[1], json!({"name": "two", "image": "j:2", "env": [{"name": "A", "value": "1"}]}));
    let added = containers(&json!([{"name": "three", "image": "k"}]));
    assert_eq!(names(&added), ["three", "one", "two"]);
}

#[test]
fn lists_inside_items_are_merged_by_their_own_key() {
    let merged = containers(&json!([{"name": "two", "env": [{"name": "B", "value": "2"}]}]));
    assert_eq!(names(&merged[1]["env"]), ["B", "A"]);
}

#[test]
fn a_list_without_a_merge_key_is_replaced() {
    let merged = containers(&json!([{"name": "one", "args": ["c"]}]));
    assert_eq!(merged[0]["args"], json!(["c"]));
}

#[test]
fn null_removes_a_field_and_is_no_field_of_what_is_new() {
    let patch = json!({"metadata": {"labels": null}, "spec": {"replicas": null, "new": {"a": null, "b": 1}}});
    let patched = patched(&patch);
    assert_eq!(patched["metadata"].get("labels"), None);
    assert_eq!(patched["spec"].get("replicas"), None);
    assert_eq!(patched["spec"]["new"], json!({"b": 1}));
}

#[test]
fn delete_takes_the_item_of_that_key() {
    assert_eq!(names(&containers(&json!([{"name": "one", "$patch": "delete"}]))), ["two"]);
    assert_eq!(names(&containers(&json!([{"name": "nope", "$patch": "delete"}]))), ["one", "two"]);
}

#[test]
fn delete_empties_a_map() {
    assert_eq!(patched(&json!({"spec": {"strategy": {"$patch": "delete"}}}))["spec"]["strategy"], json!({}));
}

#[test]
fn replace_leaves_only_what_the_patch_has() {
    let replaced = containers(&json!([{"$patch": "replace"}, {"name": "three", "image": "k"}]));
    assert_eq!(replaced, json!([{"name": "three", "image": "k"}]));
    let patch = json!({"spec": {"strategy": {"$patch": "replace", "type": "Recreate"}}});
    assert_eq!(patched(&patch)["spec"]["strategy"], json!({"type": "Recreate"}));
}

#[test]
fn retained_keys_are_the_only_ones_left() {
    let patch = json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}});
    assert_eq!(patched(&patch)["spec"]["strategy"], json!({"type": "Recreate"}));
    let wrong = json!({"spec": {"strategy": {"$retainKeys": ["other"], "type": "Recreate"}}});
    assert_eq!(refusal(&wrong), (400, "invalid patch format of retainKeys".to_owned()));
}

#[test]
fn scalars_are_merged_as_a_set_and_deleted_by_their_directive() {
    let merged = patched(&json!({"metadata": {"finalizers": ["c", "a"]}}));
    assert_eq!(merged["metadata"]["finalizers"], json!(["c", "a", "b"]));
    let deleted = patched(&json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}));
    assert_eq!(deleted["metadata"]["finalizers"], json!(["b"]));
    let wrong = json!({"$deleteFromPrimitiveListx": ["a"]});
    assert_eq!(refusal(&wrong), (400, "invalid patch format of primitive list".to_owned()));
}

#[test]
fn the_order_that_is_set_holds_for_the_items_that_it_names() {
    let patch = json!({"spec": {
        "$setElementOrder/containers": [{"name": "two"}, {"name": "three"}, {"name": "one"}],
        "containers": [{"name": "three", "image": "k"}],
    }});
    assert_eq!(names(&patched(&patch)["spec"]["containers"]), ["two", "three", "one"]);
    let foreign = json!({"spec": {
        "$setElementOrder/containers": [{"name": "two"}],
        "containers": [{"name": "two", "image": "k"}],
    }});
    assert_eq!(names(&patched(&foreign)["spec"]["containers"]), ["one", "two"]);
}

#[test]
fn an_item_that_the_set_order_lacks_is_refused() {
    let patch = json!({"spec": {
        "$setElementOrder/containers": [{"name": "two"}],
        "containers": [{"name": "one"}],
    }});
    let (code, message) = refusal(&patch);
    assert_eq!(code, 500);
    assert_eq!(
        message,
        "The order in patch list:\n[map[name:one]]\n doesn't match $setElementOrder list:\n[map[name:two]]\n"
    );
}

#[test]
fn directives_in_new_items_are_no_fields_but_those_in_new_maps_are() {
    let new = json!([{
        "name": "three",
        "$setElementOrder/env": [{"name": "B"}],
        "env": [{"name": "A", "$patch": "delete"}, {"name": "B", "value": null}],
    }]);
    let added = containers(&new);
    assert_eq!(added[0], json!({"name": "three", "env": [{"name": "A"}, {"name": "B"}]}));
    let field = patched(&json!({"spec": {"new": {"$retainKeys": ["a"], "a": 1, "b": {"$patch": "delete"}}}}));
    assert_eq!(field["spec"]["new"], json!({"$retainKeys": ["a"], "a": 1}));
}

#[test]
fn refusals_are_the_api_servers() {
    let cases = [
        (
            json!({"spec": {"strategy": {"$patch": "frob"}}}),
            500,
            "unknown patch type: frob in map: map[$patch:frob]",
        ),
        (
            json!({"metadata": {"$setElementOrder/finalizers": "x"}}),
            500,
            "expected a []interface {}, but received a string",
        ),
        (
            json!({"spec": {"containers": [{"image": "x"}]}}),
            500,
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (json!([1]), 400, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ];
    for (patch, code, message) in cases {
        assert_eq!(refusal(&patch), (code, message.to_owned()), "{patch}");
    }
}

/// Two containers' worth of objects that differ in fields, items and order.
fn object() -> impl Strategy<Value = Value> {
    let image = prop_oneof![Just("i:1"), Just("i:2")];
    let container = ("[a-d]", image, proptest::option::of("[xy]"));
    let containers = proptest::collection::btree_map("[a-d]", container, 0..4);
    (containers, proptest::option::of(0..3)).prop_map(|(containers, replicas)| {
        let items: Vec<Value> = containers
            .into_iter()
            .map(|(name, (_, image, arg))| match arg {
                Some(arg) => json!({"name": name, "image": image, "args": [arg]}),
                None => json!({"name": name, "image": image}),
            })
            .collect();
        let mut object = json!({"spec": {"containers": items}});
        if let Some(replicas) = replicas {
            object["spec"]["replicas"] = Value::from(replicas);
        }
        object
    })
}

/// The strategic merge patch from one such object to another, as kubectl makes it.
fn difference(from: &Value, to: &Value) -> Value {
    let items = |value: &Value| value["spec"]["containers"].as_array().cloned().unwrap_or_default();
    let order: Vec<Value> = items(to).iter().map(|item| json!({"name": item["name"]})).collect();
    let mut changes = items(to);
    for change in &mut changes {
        let old = items(from).into_iter().find(|old| old["name"] == change["name"]);
        if old.is_some_and(|old| old.get("args").is_some()) && change.get("args").is_none() {
            change["args"] = Value::Null;
        }
    }
    let gone = items(from).into_iter().filter(|old| !items(to).iter().any(|new| new["name"] == old["name"]));
    changes.extend(gone.map(|old| json!({"name": old["name"], "$patch": "delete"})));
    let mut patch = json!({"spec": {"replicas": to["spec"].get("replicas").cloned().unwrap_or_default()}});
    if !changes.is_empty() {
        patch["spec"]["$setElementOrder/containers"] = Value::Array(order);
        patch["spec"]["containers"] = Value::Array(changes);
    }
    patch
}

proptest! {
    #[test]
    fn the_difference_of_two_objects_leads_from_one_to_the_other(from in object(), to in object()) {
        let patch = difference(&from, &to);
        let there = strategic(&Deployment, &from, &patch).unwrap();
        prop_assert_eq!(&there, &to);
        let again = strategic(&Deployment, &there, &patch).unwrap();
        prop_assert_eq!(&again, &to);
    }
}

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{Manager, apply, track};
use super::Deployment;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn by(name: &str) -> Manager<'_> {
    Manager { name, reset: &[&["status"]], ..Manager::default() }
}

fn config() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "labels": {"a": "b"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"spec": {"containers": [
                {"name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "X", "value": "1"}]},
            ]}},
        },
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut config = config();
    *config.pointer_mut(pointer).unwrap() = value;
    config
}

fn applied(live: Option<&Value>, config: &Value, name: &str, second: i64) -> Value {
    apply(&Deployment, live, config, &by(name), at(second)).unwrap()
}

fn forced(live: &Value, config: &Value, name: &str) -> Value {
    apply(&Deployment, Some(live), config, &Manager { force: true, ..by(name) }, at(9)).unwrap()
}

fn entry<'a>(object: &'a Value, manager: &str) -> Option<&'a Value> {
    object["metadata"]["managedFields"].as_array()?.iter().find(|entry| entry["manager"] == manager)
}

fn fields(object: &Value, manager: &str) -> Value {
    entry(object, manager).map(|entry| entry["fieldsV1"].clone()).unwrap_or_default()
}

fn without_managed(mut object: Value) -> Value {
    object["metadata"].as_object_mut().unwrap().remove("managedFields");
    object
}

#[test]
fn who_applies_owns_what_is_applied() {
    let object = applied(None, &config(), "one", 1);
    assert_eq!(without_managed(object.clone()), config());
    let entry = entry(&object, "one").unwrap();
    assert_eq!(entry["operation"], "Apply");
    assert_eq!(entry["apiVersion"], "apps/v1");
    assert_eq!(entry["time"], "2023-11-14T22:13:21Z");
    assert_eq!(
        entry["fieldsV1"],
        json!({
            "f:metadata": {"f:labels": {"f:a": {}}},
            "f:spec": {
                "f:replicas": {},
                "f:selector": {},
                "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"c\"}": {
                    ".": {},
                    "f:name": {},
                    "f:image": {},
                    "f:env": {"k:{\"name\":\"X\"}": {".": {}, "f:name": {}, "f:value": {}}},
                    "f:ports": {
                        "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}},
                    },
                }}}},
            },
        })
    );
}

#[test]
fn applying_again_changes_nothing_not_even_the_time() {
    let once = applied(None, &config(), "one", 1);
    assert_eq!(applied(Some(&once), &config(), "one", 5), once);
}

#[test]
fn a_second_manager_of_equal_fields_shares_them_and_has_no_time() {
    let one = applied(None, &config(), "one", 1);
    let two = applied(Some(&one), &config(), "two", 2);
    assert_eq!(fields(&two, "two"), fields(&two, "one"));
    assert_eq!(entry(&two, "two").unwrap().get("time"), None);
}

#[test]
fn a_changed_field_of_another_is_a_conflict() {
    let live = applied(None, &config(), "one", 1);
    let image = with("/spec/template/spec/containers/0/image", json!("j"));
    let refusal = apply(&Deployment, Some(&live), &image, &by("two"), at(2)).unwrap_err();
    assert_eq!(
        refusal.to_json(),
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": "Apply failed with 1 conflict: conflict with \"one\": \
                .spec.template.spec.containers[name=\"c\"].image",
            "reason": "Conflict",
            "details": {"causes": [{
                "reason": "FieldManagerConflict",
                "message": "conflict with \"one\"",
                "field": ".spec.template.spec.containers[name=\"c\"].image",
            }]},
            "code": 409,
        })
    );
}

#[test]
fn several_conflicts_are_listed_by_owner() {
    let live = applied(None, &config(), "one", 1);
    let mut scaled = live.clone();
    scaled["spec"]["replicas"] = json!(3);
    let scaled = track(&Deployment, &live, scaled, &by("scaler"), at(2));
    let mut wish = with("/spec/template/spec/containers/0/image", json!("j"));
    wish["spec"]["replicas"] = json!(5);
    let refusal = apply(&Deployment, Some(&scaled), &wish, &by("two"), at(3)).unwrap_err();
    assert_eq!(
        refusal.message,
        "Apply failed with 2 conflicts: conflicts with \"one\":\n\
        - .spec.template.spec.containers[name=\"c\"].image\n\
        conflicts with \"scaler\" using apps/v1:\n- .spec.replicas"
    );
}

#[test]
fn force_takes_the_field_from_its_owner() {
    let live = applied(None, &config(), "one", 1);
    let taken = forced(&live, &with("/spec/replicas", json!(1)), "two");
    assert_eq!(taken["spec"]["replicas"], 1);
    assert_eq!(fields(&taken, "one")["f:spec"].get("f:replicas"), None);
    assert_eq!(fields(&taken, "two")["f:spec"]["f:replicas"], json!({}));
}

#[test]
fn what_is_applied_no_longer_goes_away_if_nobody_else_owns_it() {
    let live = applied(None, &config(), "one", 1);
    let mut less = config();
    less["spec"].as_object_mut().unwrap().remove("replicas");
    less["metadata"].as_object_mut().unwrap().remove("labels");
    less["spec"]["template"]["spec"]["containers"][0].as_object_mut().unwrap().remove("env");
    assert_eq!(without_managed(applied(Some(&live), &less, "one", 2)), less);

    let shared = applied(Some(&live), &config(), "two", 2);
    let left = applied(Some(&shared), &less, "one", 3);
    assert_eq!(without_managed(left.clone()), config());
    assert_eq!(fields(&left, "one")["f:spec"].get("f:replicas"), None);
}

#[test]
fn an_item_that_is_applied_no_longer_goes_away_with_what_others_own_in_it() {
    let mut two = config();
    two["spec"]["template"]["spec"]["containers"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "s", "image": "x"}));
    let live = applied(None, &two, "one", 1);
    assert_eq!(without_managed(applied(Some(&live), &config(), "one", 2)), config());

    let mut patched = live.clone();
    patched["spec"]["template"]["spec"]["containers"][1]["image"] = json!("y");
    let patched = track(&Deployment, &live, patched, &by("patcher"), at(2));
    let left = applied(Some(&patched), &config(), "one", 3);
    assert_eq!(without_managed(left.clone()), config());
    assert_eq!(fields(&left, "patcher"), Value::Null);
}

#[test]
fn a_map_of_another_that_loses_its_last_key_is_null() {
    let object =
        |spec: Value| json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": spec});
    let mut live = track(&Deployment, &json!({}), object(json!({"map": {}})), &by("one"), at(1));
    live = applied(Some(&live), &object(json!({"map": {"a": "1"}})), "two", 2);
    assert_eq!(live["spec"], json!({"map": {"a": "1"}}));
    let second = applied(Some(&live), &object(json!({"map": {"b": "1"}})), "three", 3);
    assert_eq!(second["spec"], json!({"map": {"a": "1", "b": "1"}}));
    assert_eq!(applied(Some(&live), &object(json!({})), "two", 3)["spec"], json!({"map": null}));
}

#[test]
fn items_of_others_keep_their_place() {
    let container = |name: &str| json!({"name": name});
    let names = |object: &Value| {
        let containers = object["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        containers.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<String>()
    };
    let list = |items: &str| {
        let items: Vec<Value> = items.chars().map(|name| container(&name.to_string())).collect();
        with("/spec/template/spec/containers", json!(items))
    };
    for (old, new, merged) in [
        ("abc", "b", "abc"),
        ("ab", "ba", "ba"),
        ("ab", "ca", "cab"),
        ("ab", "cd", "abcd"),
        ("abc", "cxa", "bcxa"),
        ("axb", "bya", "xbya"),
    ] {
        let live = applied(None, &list(old), "one", 1);
        assert_eq!(names(&applied(Some(&live), &list(new), "two", 2)), merged, "{old} and {new}");
    }
}

#[test]
fn sets_are_owned_item_by_item() {
    let mut one = config();
    one["metadata"]["finalizers"] = json!(["x/a"]);
    let mut two = config();
    two["metadata"]["finalizers"] = json!(["x/b"]);
    let live = applied(None, &one, "one", 1);
    let both = applied(Some(&live), &two, "two", 2);
    assert_eq!(both["metadata"]["finalizers"], json!(["x/a", "x/b"]));
    assert_eq!(fields(&both, "two")["f:metadata"]["f:finalizers"], json!({"v:\"x/b\"": {}}));
    let left = applied(Some(&both), &config(), "two", 3);
    assert_eq!(left["metadata"]["finalizers"], json!(["x/a"]));
}

#[test]
fn an_atomic_map_is_owned_and_replaced_whole() {
    let live = applied(None, &config(), "one", 1);
    let other = with("/spec/selector", json!({"matchLabels": {"c": "d"}}));
    let refusal = apply(&Deployment, Some(&live), &other, &by("two"), at(2)).unwrap_err();
    assert_eq!(refusal.message, "Apply failed with 1 conflict: conflict with \"one\": .spec.selector");
    assert_eq!(forced(&live, &other, "two")["spec"]["selector"], json!({"matchLabels": {"c": "d"}}));
}

#[test]
fn a_configuration_that_does_not_fit_is_refused() {
    let live = applied(None, &config(), "one", 1);
    let refusal = |config: Value| {
        let status = apply(&Deployment, Some(&live), &config, &by("one"), at(2)).unwrap_err();
        (status.reason.code(), status.message)
    };
    let typed =
        |text: &str| format!("failed to create typed patch object (/d; apps/v1, Kind=Deployment): {text}");
    let mut unknown = config();
    unknown["spec"]["foo"] = json!(1);
    assert_eq!(refusal(unknown), (500, typed(".spec.foo: field not declared in schema")));
    let twice = with("/spec/template/spec/containers", json!([{"name": "c"}, {"name": "c"}]));
    let message = ".spec.template.spec.containers: duplicate entries for key [name=\"c\"]";
    assert_eq!(refusal(twice), (500, typed(message)));
    let mut managed = config();
    managed["metadata"]["managedFields"] = json!([]);
    assert_eq!(refusal(managed), (400, "metadata.managedFields must be nil".to_owned()));
}

#[test]
fn a_create_and_an_update_own_what_they_wrote_with_their_containers() {
    let created = track(&Deployment, &json!({}), config(), &by("kubectl-create"), at(1));
    let labels = &fields(&created, "kubectl-create")["f:metadata"]["f:labels"];
    assert_eq!(*labels, json!({".": {}, "f:a": {}}));
    assert_eq!(entry(&created, "kubectl-create").unwrap()["operation"], "Update");

    let mut scaled = created.clone();
    scaled["spec"]["replicas"] = json!(2);
    let scaled = track(&Deployment, &created, scaled, &by("scaler"), at(2));
    assert_eq!(fields(&scaled, "scaler"), json!({"f:spec": {"f:replicas": {}}}));
    assert_eq!(fields(&scaled, "kubectl-create")["f:spec"].get("f:replicas"), None);
}

#[test]
fn an_update_that_changes_nothing_leaves_the_entries_alone() {
    let created = track(&Deployment, &json!({}), config(), &by("one"), at(1));
    assert_eq!(track(&Deployment, &created, created.clone(), &by("two"), at(2)), created);
    // A client that does not know the entries does not lose them.
    assert_eq!(track(&Deployment, &created, config(), &by("two"), at(2)), created);
}

#[test]
fn a_status_is_owned_apart_from_the_object() {
    let created = track(&Deployment, &json!({}), config(), &by("one"), at(1));
    let mut reported = created.clone();
    reported["status"] = json!({"conditions": [{"type": "Available", "status": "True"}]});
    let status = Manager { name: "one", subresource: "status", reset: &[&["spec"]], ..Manager::default() };
    let reported = track(&Deployment, &created, reported, &status, at(2));
    let entries = reported["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["subresource"], "status");
    assert_eq!(
        entries[1]["fieldsV1"],
        json!({"f:status": {".": {}, "f:conditions": {".": {}, "k:{\"type\":\"Available\"}": {
            ".": {}, "f:type": {}, "f:status": {},
        }}}})
    );
}

#[test]
fn entries_can_be_written_and_reset() {
    let mut created = track(&Deployment, &json!({}), config(), &by("one"), at(1));
    created["metadata"]["uid"] = json!("1");
    let mut renamed = created.clone();
    renamed["metadata"]["managedFields"][0]["manager"] = json!("two");
    let renamed = track(&Deployment, &created, renamed, &by("x"), at(2));
    assert_eq!(fields(&renamed, "two"), fields(&created, "one"));
    let mut reset = created.clone();
    reset["metadata"]["managedFields"] = json!([{}]);
    let reset = track(&Deployment, &created, reset, &by("x"), at(2));
    assert_eq!(reset["metadata"].get("managedFields"), None);
    // From here on nothing is tracked, until something is applied.
    let mut scaled = reset.clone();
    scaled["spec"]["replicas"] = json!(2);
    let scaled = track(&Deployment, &reset, scaled, &by("x"), at(3));
    assert_eq!(scaled["metadata"].get("managedFields"), None);
    let applied = applied(
        Some(&scaled),
        &json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "labels": {"n": "1"}},
        }),
        "one",
        4,
    );
    let first = fields(&applied, "before-first-apply");
    assert_eq!(first["f:spec"]["f:replicas"], json!({}));
    assert_eq!(first["f:metadata"]["f:labels"], json!({".": {}, "f:a": {}}));
    assert_eq!(fields(&applied, "one"), json!({"f:metadata": {"f:labels": {"f:n": {}}}}));
}

#[test]
fn a_value_that_changes_its_kind_is_taken_with_all_that_was_in_it() {
    let object = |value: Value| json!({"apiVersion": "v1", "kind": "X", "metadata": {"name": "x"}, "spec": {"value": value}});
    for (old, new, taken) in [
        (json!({"n": 1}), json!([1, 2]), [".spec.value.n"; 0].as_slice()),
        (json!({}), json!({"n": 1}), &[]),
        (json!([1]), json!({"n": 1}), &[".spec.value"]),
        (json!(1), json!({"n": 1}), &[".spec.value"]),
        (json!({"n": 1}), json!(null), &[]),
    ] {
        let live = applied(None, &object(old.clone()), "one", 1);
        let result = apply(&Deployment, Some(&live), &object(new.clone()), &by("two"), at(2));
        let causes = result.err().map(|refusal| refusal.details["causes"].clone()).unwrap_or_default();
        let paths: Vec<&str> =
            causes.as_array().into_iter().flatten().filter_map(|cause| cause["field"].as_str()).collect();
        assert_eq!(paths, taken, "{old} to {new}");
    }
    let list =
        applied(Some(&applied(None, &object(json!({"n": 1})), "one", 1)), &object(json!([1])), "two", 2);
    assert_eq!(fields(&list, "one"), Value::Null);
    let empty = applied(None, &object(json!({})), "one", 1);
    assert_eq!(forced(&empty, &object(Value::Null), "two")["spec"]["value"], Value::Null);
}

#[test]
fn no_more_than_ten_updaters_are_remembered() {
    let mut live = track(&Deployment, &json!({}), config(), &by("creator"), at(0));
    for second in 1..20 {
        let mut next = live.clone();
        next["metadata"]["labels"][format!("l{second}")] = json!("x");
        live = track(&Deployment, &live, next, &by(&format!("m{second}")), at(second));
    }
    let entries = live["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(entries.len(), 10);
    assert_eq!(fields(&live, "ancient-changes")["f:metadata"]["f:labels"]["f:l9"], json!({}));
    assert_eq!(fields(&live, "m19")["f:metadata"]["f:labels"], json!({"f:l19": {}}));
}

/// As a built-in kind is decoded: without nulls.
fn decoded(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, decoded(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => value,
    }
}

/// Configurations that have some labels, some containers and perhaps replicas.
fn some_config() -> impl Strategy<Value = Value> {
    let labels = proptest::collection::btree_map("[a-c]", "[xy]", 0..3);
    let containers = proptest::collection::vec(("[a-d]", "[ij]"), 0..4);
    (labels, containers, proptest::option::of(0..3)).prop_map(|(labels, containers, replicas)| {
        let mut items: Vec<Value> = Vec::new();
        for (name, image) in containers {
            if items.iter().all(|item| item["name"] != json!(name)) {
                items.push(json!({"name": name, "image": image}));
            }
        }
        let mut config = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"},
            "spec": {"paused": false},
        });
        if !items.is_empty() {
            config["spec"]["template"] = json!({"spec": {"containers": items}});
        }
        if !labels.is_empty() {
            config["metadata"]["labels"] = json!(labels);
        }
        if let Some(replicas) = replicas {
            config["spec"]["replicas"] = json!(replicas);
        }
        config
    })
}

proptest! {
    #[test]
    fn applying_twice_is_applying_once(first in some_config(), second in some_config(), third in some_config()) {
        let live = applied(None, &first, "one", 1);
        let live = decoded(forced(&live, &second, "two"));
        let once = decoded(forced(&live, &third, "one"));
        prop_assert_eq!(decoded(forced(&once, &third, "one")), once);
    }

    #[test]
    fn the_only_manager_gets_exactly_what_it_applies(first in some_config(), second in some_config()) {
        let live = applied(None, &first, "one", 1);
        prop_assert_eq!(without_managed(applied(Some(&live), &second, "one", 2)), second);
    }

    #[test]
    fn after_a_forced_apply_everything_is_as_applied(first in some_config(), second in some_config()) {
        let live = forced(&applied(None, &first, "one", 1), &second, "two");
        let again = apply(&Deployment, Some(&live), &second, &by("two"), at(3));
        prop_assert_eq!(again.unwrap(), live);
    }
}

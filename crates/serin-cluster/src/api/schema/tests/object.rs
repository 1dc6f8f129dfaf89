use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::lists::{ListType, Lists};
use super::super::{Schema, invalid};
use super::{object, schema};

const NOT_CHECKED: &str = "<nil>: Invalid value: null: some validation rules were not checked because the object was \
                           invalid; correct the existing errors to complete validation";

/// What is wrong with an object of this spec, as lines.
fn faults(spec: Value) -> Vec<String> {
    let causes = schema().validate(&object(spec), None);
    causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
}

fn change(old: Value, new: Value) -> Vec<String> {
    let causes = schema().validate(&object(new), Some(&object(old)));
    causes.iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
}

#[test]
fn a_right_object_has_no_faults() {
    let spec = json!({
        "map": {"a": "1"}, "objects": {"q": {"x": "1"}}, "list": [{"k": "a"}, {"k": "b"}], "set": ["a", "b"],
        "inner": {"a": 1}, "free": {"what": [1, {"ever": null}]}, "nullable": null, "either": "50%", "enum": "A",
        "number": 3, "half": 1.5, "text": "aa", "few": ["x"], "time": "2026-01-02T03:04:05Z",
        "needy": {"a": "", "b": ""}, "one": {"a": "1"}, "any": {"a": "1", "b": "1"}, "not": {}, "fewer": {"a": "1"},
        "resource": {"apiVersion": "v1", "kind": "X"}, "switch": true, "fixed": "x",
        "range": {"min": 1, "max": 2, "the-step": 1},
    });
    assert_eq!(faults(spec), [""; 0]);
    assert_eq!(faults(json!({"either": 1, "number": 3.0, "half": 2})), [""; 0]);
}

#[test]
fn values_that_are_wrong_for_themselves_are_named() {
    for (spec, fault) in [
        (
            json!({"number": 0}),
            "spec.number: Invalid value: 0: spec.number in body should be greater than or equal to 1",
        ),
        (
            json!({"number": 6}),
            "spec.number: Invalid value: 6: spec.number in body should be less than or equal to 5",
        ),
        (
            json!({"text": "b"}),
            "spec.text: Invalid value: \"b\": spec.text in body should be at least 2 chars long",
        ),
        (json!({"text": "bb"}), "spec.text: Invalid value: \"bb\": spec.text in body should match '^a+$'"),
        (json!({"few": []}), "spec.few: Invalid value: 0: spec.few in body should have at least 1 items"),
        (
            json!({"fewer": {}}),
            "spec.fewer: Invalid value: 0: spec.fewer in body should have at least 1 properties",
        ),
        (
            json!({"half": 0.3}),
            "spec.half: Invalid value: 0.3: spec.half in body should be a multiple of 0.5",
        ),
        (json!({"set": ["a", "a"]}), "spec.set[1]: Duplicate value: \"a\""),
        (json!({"list": [{"k": "a"}, {"k": "a", "v": "1"}]}), "spec.list[1]: Duplicate value: {\"k\":\"a\"}"),
        (
            json!({"one": {"a": "1", "b": "1"}}),
            "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). \
             Found 2 valid alternatives",
        ),
        (
            json!({"not": {"a": "1"}}),
            "<nil>: Invalid value: \"\": \"spec.not\" must not validate the schema (not)",
        ),
    ] {
        assert_eq!(faults(spec), [fault]);
    }
}

#[test]
fn after_a_wrong_type_rules_are_not_tried_and_the_answer_says_so() {
    for (spec, fault) in [
        (json!({"enum": "C"}), "spec.enum: Unsupported value: \"C\": supported values: \"A\", \"B\""),
        (
            json!({"number": "x"}),
            "spec.number: Invalid value: \"string\": spec.number in body must be of type integer: \"string\"",
        ),
        (
            json!({"few": [1]}),
            "spec.few[0]: Invalid value: \"integer\": spec.few[0] in body must be of type string: \"integer\"",
        ),
        (
            json!({"map": {"a": 1}}),
            "spec.map.a: Invalid value: \"integer\": spec.map.a in body must be of type string: \"integer\"",
        ),
        (
            json!({"map": null}),
            "spec.map: Invalid value: \"null\": spec.map in body must be of type object: \"null\"",
        ),
        (
            json!({"either": true}),
            "spec.either: Invalid value: \"boolean\": spec.either in body must be of type integer,string: \"boolean\"",
        ),
        (
            json!({"time": "x"}),
            "spec.time: Invalid value: \"x\": spec.time in body must be of type date-time: \"x\"",
        ),
        (json!([]), "spec: Invalid value: \"array\": spec in body must be of type object: \"array\""),
        (json!({"text": "aaaa"}), "spec.text: Too long: may not be more than 3 bytes"),
        (json!({"few": ["a", "b", "c"]}), "spec.few: Too many: 3: must have at most 2 items"),
        (
            json!({"fewer": {"a": "1", "b": "1", "c": "1"}}),
            "spec.fewer: Too many: 3: must have at most 2 items",
        ),
        (json!({"list": [{"v": "a"}]}), "spec.list[0].k: Required value"),
    ] {
        assert_eq!(faults(spec), [fault, NOT_CHECKED]);
    }
}

#[test]
fn several_faults_are_all_told() {
    assert_eq!(
        faults(json!({"needy": {}})),
        ["spec.needy.a: Required value", "spec.needy.b: Required value", NOT_CHECKED]
    );
    assert_eq!(
        faults(json!({"resource": {"x": 1}})),
        ["spec.resource.apiVersion: Required value", "spec.resource.kind: Required value", NOT_CHECKED]
    );
    assert_eq!(
        faults(json!({"one": {}})),
        [
            "<nil>: Invalid value: \"\": \"spec.one\" must validate one and only one schema (oneOf). Found none valid",
            "spec.one.a: Required value",
            NOT_CHECKED
        ]
    );
    assert_eq!(
        faults(json!({"any": {}})),
        [
            "<nil>: Invalid value: \"\": \"spec.any\" must validate at least one schema (anyOf)",
            "spec.any.a: Required value",
            NOT_CHECKED
        ]
    );
    assert_eq!(
        faults(json!({"number": 1.5})),
        [
            "spec.number: Invalid value: \"float64\": spec.number in body must be of type int32: \"float64\"",
            "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.number",
            NOT_CHECKED
        ]
    );
    assert_eq!(
        faults(json!({"number": 99_999_999_999_i64})),
        [
            "<nil>: Invalid value: \"\": Checked value must be of type integer with format int32 in spec.number",
            "spec.number: Invalid value: 99999999999: spec.number in body should be less than or equal to 5",
        ]
    );
}

#[test]
fn rules_tell_what_they_have_against_an_object() {
    for (range, fault) in [
        (json!({"min": 3, "max": 2}), "spec.range: Invalid value: failed rule: self.min <= self.max"),
        (json!({"min": 3, "max": 200}), "spec.range.max: Forbidden: max is 200"),
        (json!({"min": 1, "max": 2, "the-step": 0}), "spec.range: Invalid value: step must be above 0"),
    ] {
        assert_eq!(faults(json!({"range": range})), [fault]);
    }
    assert_eq!(
        faults(json!({"range": {"min": 3}})),
        [
            "spec.range: Invalid value: \"object\": no such key: max evaluating rule: self.min <= self.max",
            "spec.range: Invalid value: \"object\": no such key: max evaluating rule: self.max < 100",
        ]
    );
}

#[test]
fn a_rule_on_the_old_value_holds_for_updates_only() {
    assert_eq!(faults(json!({"fixed": "a"})), [""; 0]);
    assert_eq!(change(json!({}), json!({"fixed": "a"})), [""; 0]);
    assert_eq!(change(json!({"fixed": "a"}), json!({"fixed": "a", "enum": "A"})), [""; 0]);
    assert_eq!(change(json!({"fixed": "a"}), json!({})), [""; 0]);
    let fault = "spec.fixed: Invalid value: \"b\": is immutable";
    assert_eq!(change(json!({"fixed": "a"}), json!({"fixed": "b"})), [fault]);
}

#[test]
fn a_rule_with_an_optional_old_value_is_tried_on_creation() {
    let rule = json!({"rule": "oldSelf.hasValue() || self == 'first'", "optionalOldSelf": true});
    let spec = json!({"type": "string", "x-kubernetes-validations": [rule]});
    let schema = Schema::compile(&json!({"type": "object", "properties": {"spec": spec}}), "").unwrap();
    assert_eq!(schema.validate(&object("first"), None), []);
    assert_eq!(schema.validate(&object("other"), Some(&object("first"))), []);
    let causes = schema.validate(&object("other"), None);
    assert_eq!(causes.len(), 1);
    assert!(
        causes[0].message.starts_with("Invalid value: \"other\": failed rule: oldSelf.hasValue()"),
        "{causes:?}"
    );
}

#[test]
fn what_an_update_leaves_alone_is_not_held_against_it() {
    let old = json!({"enum": "C", "range": {"min": 3, "max": 2}, "list": [{"k": "a", "v": 1}]});
    let new = json!({"enum": "C", "range": {"min": 3, "max": 2}, "list": [{"k": "b"}, {"k": "a", "v": 1}]});
    assert_eq!(change(old.clone(), new), [""; 0]);
    let changed = json!({"enum": "D", "range": {"min": 3, "max": 2}, "list": [{"k": "a", "v": 1}]});
    assert_eq!(change(old, changed).len(), 2);
}

#[test]
fn the_refusal_is_the_api_servers() {
    let causes = schema().validate(&object(json!({"number": 0})), None);
    let text = "Invalid value: 0: spec.number in body should be greater than or equal to 1";
    assert_eq!(
        invalid("example.com", "Foo", "a", &causes).to_json(),
        json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": format!("Foo.example.com \"a\" is invalid: spec.number: {text}"),
            "reason": "Invalid",
            "details": {
                "name": "a", "group": "example.com", "kind": "Foo",
                "causes": [{"reason": "FieldValueInvalid", "message": text, "field": "spec.number"}],
            },
            "code": 422,
        })
    );
    let causes = schema().validate(&object(json!({"set": ["a", "a", "a"]})), None);
    assert_eq!(
        invalid("", "Foo", "a", &causes).message,
        "Foo \"a\" is invalid: [spec.set[1]: Duplicate value: \"a\", spec.set[2]: Duplicate value: \"a\"]"
    );
}

#[test]
fn unknown_fields_are_dropped_and_named() {
    let mut pruned = object(json!({
        "unknown": 1, "inner": {"z": 1, "a": 1}, "free": {"x": {"y": 1}}, "list": [{"k": "a", "z": 1}],
        "map": {"any": "1"}, "resource": {"metadata": {"name": "x", "foo": 1}, "other": 1},
    }));
    pruned["top"] = json!(1);
    pruned["metadata"]["foo"] = json!(1);
    pruned["status"] = json!({"anything": {"goes": 1}});
    let dropped = schema().prune(&mut pruned);
    let names = [
        "metadata.foo",
        "spec.inner.z",
        "spec.list[0].z",
        "spec.resource.metadata.foo",
        "spec.unknown",
        "top",
    ];
    assert_eq!(dropped, names);
    let mut expected = object(json!({
        "inner": {"a": 1}, "free": {"x": {"y": 1}}, "list": [{"k": "a"}],
        "map": {"any": "1"}, "resource": {"metadata": {"name": "x"}, "other": 1},
    }));
    expected["status"] = json!({"anything": {"goes": 1}});
    assert_eq!(pruned, expected);
}

#[test]
fn nulls_are_dropped_where_they_may_not_be_and_defaults_filled_in() {
    let mut spec = object(json!({"nullable": null, "switch": null, "defaulted": null}));
    schema().drop_nulls(&mut spec);
    schema().default(&mut spec);
    assert_eq!(spec["spec"], json!({"nullable": null, "defaulted": "by default"}));
    let mut none = json!({"metadata": {}});
    schema().default(&mut none);
    assert_eq!(none, json!({"metadata": {}}));
}

#[test]
fn lists_and_keys_are_known_by_path() {
    let schema = schema();
    assert_eq!(schema.list_type(&["spec", "list"]), ListType::Map(vec!["k".to_owned()]));
    assert_eq!(schema.list_type(&["spec", "set"]), ListType::Set);
    assert_eq!(schema.list_type(&["spec", "few"]), ListType::Atomic);
    assert_eq!(schema.list_type(&["spec", "free", "x"]), ListType::Atomic);
    assert_eq!(schema.list_type(&["metadata", "finalizers"]), ListType::Set);
    assert!(schema.is_free_key(&["spec", "objects", "q"]));
    assert!(!schema.is_free_key(&["spec", "objects", "q", "x"]));
    assert!(schema.is_free_key(&["spec", "free", "x"]));
    assert!(!schema.is_free_key(&["spec", "list", "v"]));
    assert!(!schema.is_free_key(&["metadata", "labels"]));
}

#[test]
fn a_configuration_that_does_not_fit_is_told() {
    for (spec, text) in [
        (json!({"number": "Q"}), ".spec.number: expected numeric (int or float), got string"),
        (json!({"unknown": 1}), ".spec.unknown: field not declared in schema"),
        (json!({"list": [{"k": "a", "z": 1}]}), ".spec.list[k=\"a\"].z: field not declared in schema"),
    ] {
        assert_eq!(schema().misfit(&object(spec)).as_deref(), Some(text));
    }
    assert_eq!(schema().misfit(&object(json!({"free": {"x": 1}, "either": "1", "map": {"a": "1"}}))), None);
}

/// Any JSON, not too deep, with names that the schema knows among others.
fn anything() -> impl Strategy<Value = Value> {
    let name = prop_oneof!["map", "list", "inner", "free", "defaulted", "number", "set", "k", "v", "a", "x"];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 32, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn bringing_in_shape_twice_is_bringing_in_shape_once(spec in anything()) {
        let schema = schema();
        let shape = |object: &mut Value| {
            schema.prune(object);
            schema.drop_nulls(object);
            schema.default(object);
        };
        let mut once = object(spec);
        shape(&mut once);
        let mut twice = once.clone();
        shape(&mut twice);
        prop_assert_eq!(&twice, &once);
        prop_assert!(schema.prune(&mut once).is_empty());
    }

    #[test]
    fn an_object_is_never_held_against_itself(spec in anything()) {
        let object = object(spec);
        let faults = schema().validate(&object, Some(&object));
        prop_assert!(faults.is_empty(), "{:?}", faults);
    }
}

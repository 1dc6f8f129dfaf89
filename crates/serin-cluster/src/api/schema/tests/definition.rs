use std::path::Path;

use serde_json::{Value, json};

use super::super::{Schema, check, default_definition};

fn definition() -> Value {
    json!({
        "metadata": {"name": "bars.ex.com"},
        "spec": {
            "group": "ex.com",
            "scope": "Namespaced",
            "names": {"plural": "bars", "kind": "Bar"},
            "versions": [{
                "name": "v1",
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object"}}}},
            }],
        },
    })
}

fn faults(definition: &Value) -> Vec<String> {
    let mut definition = definition.clone();
    default_definition(&mut definition);
    check(&definition).iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
}

/// What is wrong with a definition that has `value` at `pointer`.
fn with(pointer: &str, value: Value) -> Vec<String> {
    let mut definition = definition();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    definition.pointer_mut(parent).unwrap()[key] = value;
    faults(&definition)
}

/// What is wrong with a definition whose `spec` has this schema; paths start below it.
fn of_spec(schema: Value) -> Vec<String> {
    let prefix = "spec.validation.openAPIV3Schema.properties[spec].";
    let faults = with("/spec/versions/0/schema/openAPIV3Schema/properties/spec", schema);
    faults.into_iter().map(|fault| fault.trim_start_matches(prefix).to_owned()).collect()
}

#[test]
fn what_a_definition_leaves_out_is_filled_in() {
    let mut definition = definition();
    default_definition(&mut definition);
    let names = json!({"plural": "bars", "kind": "Bar", "singular": "bar", "listKind": "BarList"});
    assert_eq!(definition["spec"]["names"], names);
    assert_eq!(definition["spec"]["conversion"], json!({"strategy": "None"}));
    assert_eq!(faults(&definition), [""; 0]);
}

#[test]
fn names_and_scope_are_checked() {
    let name = "metadata.name: Invalid value: \"x\": must be spec.names.plural+\".\"+spec.group";
    assert_eq!(with("/metadata/name", json!("x")), [name]);
    let scope = "spec.scope: Unsupported value: \"Foo\": supported values: \"Cluster\", \"Namespaced\"";
    assert_eq!(with("/spec/scope", json!("Foo")), [scope]);
    assert_eq!(with("/spec/scope", Value::Null), ["spec.scope: Required value"]);
    assert_eq!(
        with("/spec/names", json!({"plural": "bars"})),
        [
            "spec.names.singular: Required value",
            "spec.names.kind: Required value",
            "spec.names.listKind: Required value",
        ]
    );
    let group = with("/spec/group", json!("Ex"));
    assert!(
        group[1].starts_with("spec.group: Invalid value: \"Ex\": a lowercase RFC 1123 subdomain must"),
        "{group:?}"
    );
}

#[test]
fn versions_are_checked() {
    assert_eq!(
        with("/spec/versions", json!([])),
        [
            "spec.versions: Invalid value: []: must have exactly one version marked as storage version",
            "status.storedVersions: Invalid value: null: must have at least one stored version",
        ]
    );
    let version = definition()["spec"]["versions"][0].clone();
    let twice = with("/spec/versions", json!([version, version]));
    assert_eq!(twice.len(), 2, "{twice:?}");
    assert!(twice[0].ends_with(": must contain unique version names"), "{twice:?}");
    let schema = with("/spec/versions/0/schema", Value::Null);
    assert_eq!(schema, ["spec.versions[0].schema.openAPIV3Schema: Required value"]);
    let unknown = with("/spec/preserveUnknownFields", json!(true));
    assert!(unknown[0].starts_with("spec.preserveUnknownFields: Invalid value: true: cannot set to true"));
}

#[test]
fn subresources_and_columns_are_checked() {
    assert_eq!(
        with("/spec/versions/0/subresources", json!({"scale": {"specReplicasPath": ".replicas"}})),
        [
            "spec.subresources.scale.specReplicasPath: Invalid value: \".replicas\": should be a json path under .spec",
            "spec.subresources.scale.statusReplicasPath: Required value",
        ]
    );
    let column = json!([{"name": "x", "type": "foo", "jsonPath": "x"}]);
    let path = "spec.additionalPrinterColumns[0]";
    assert_eq!(
        with("/spec/versions/0/additionalPrinterColumns", column),
        [
            format!("{path}.type: Invalid value: \"foo\": must be one of boolean,date,integer,number,string"),
            format!("{path}.JSONPath: Invalid value: \"x\": must be a simple json path starting with ."),
        ]
    );
}

#[test]
fn a_schema_has_to_be_structural() {
    let text = json!({"type": "string"});
    for (schema, fault) in [
        (json!({}), "type: Required value: must not be empty for specified object fields"),
        (
            json!({"type": "foo"}),
            "type: Unsupported value: \"foo\": supported values: \"array\", \"boolean\", \"integer\", \"number\", \
             \"object\", \"string\"",
        ),
        (json!({"type": "array"}), "items: Required value: must be specified"),
        (
            json!({"type": "object", "properties": {"a": text}, "additionalProperties": text}),
            "additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
        ),
        (
            json!({"type": "object", "anyOf": [{"type": "object"}]}),
            "anyOf[0].type: Forbidden: must be empty to be structural",
        ),
        (json!({"type": "string", "$ref": "#/x"}), "$ref: Forbidden: $ref is not supported"),
        (
            json!({"type": "array", "items": text, "uniqueItems": true}),
            "uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
        ),
        (
            json!({"type": "object", "x-kubernetes-preserve-unknown-fields": false}),
            "x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined",
        ),
        (
            json!({"type": "object", "x-kubernetes-embedded-resource": true}),
            "properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without \
             x-kubernetes-preserve-unknown-fields",
        ),
        (
            json!({"type": "string", "default": 1}),
            "default: Invalid value: \"integer\":  in body must be of type string: \"integer\"",
        ),
    ] {
        assert_eq!(of_spec(schema), [fault]);
    }
    let root = with("/spec/versions/0/schema/openAPIV3Schema", text);
    let fault = "spec.validation.openAPIV3Schema.type: Invalid value: \"string\": must be object at the root";
    assert_eq!(root, [fault]);
}

#[test]
fn list_types_are_checked() {
    let list = |list_type: &str, items: Value| json!({"type": "array", "items": items, "x-kubernetes-list-type": list_type});
    let keyed = |key: &str| {
        let mut schema = list("map", json!({"type": "object", "properties": {"k": {"type": "string"}}}));
        schema["x-kubernetes-list-map-keys"] = json!([key]);
        schema
    };
    for (schema, fault) in [
        (
            list("map", json!({"type": "object"})),
            "x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
        (
            keyed("k"),
            "items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must \
             have a default or be a required property",
        ),
        (
            keyed("q"),
            "x-kubernetes-list-map-keys: Invalid value: [\"q\"]: entries must all be names of item properties",
        ),
        (
            list("set", json!({"type": "object"})),
            "items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with \
             x-kubernetes-list-type=set",
        ),
        (
            list("foo", json!({"type": "string"})),
            "x-kubernetes-list-type: Unsupported value: \"foo\": supported values: \"atomic\", \"set\", \"map\"",
        ),
        (
            json!({"type": "object", "x-kubernetes-list-type": "set"}),
            "type: Invalid value: \"object\": must be array if x-kubernetes-list-type is specified",
        ),
    ] {
        assert_eq!(of_spec(schema), [fault]);
    }
}

#[test]
fn rules_and_patterns_have_to_compile() {
    let rule = |rule: Value| of_spec(json!({"type": "object", "x-kubernetes-validations": [rule]}));
    let path = "x-kubernetes-validations[0]";
    assert_eq!(rule(json!({"rule": ""})), [format!("{path}.rule: Required value: rule is not specified")]);
    let reasons =
        "\"FieldValueDuplicate\", \"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\"";
    let unsupported = format!("{path}.reason: Unsupported value: \"X\": supported values: {reasons}");
    assert_eq!(rule(json!({"rule": "true", "reason": "X"})), [unsupported]);
    let broken = rule(json!({"rule": "self.x = 1"}));
    let start = format!(
        "{path}.rule: Invalid value: {{\"Rule\":\"self.x = 1\",\"Message\":\"\",\"MessageExpression\":\"\",\
         \"Reason\":null,\"FieldPath\":\"\",\"OptionalOldSelf\":null}}: compilation failed: "
    );
    assert!(broken[0].starts_with(&start), "{broken:?}");
    let pattern = of_spec(json!({"type": "string", "pattern": "("}));
    assert!(
        pattern[0].starts_with("pattern: Invalid value: \"(\": must be a valid regular expression"),
        "{pattern:?}"
    );
}

#[test]
fn our_own_definitions_are_right() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds");
    let mut count = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if file.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let mut definition: Value = serde_yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        default_definition(&mut definition);
        assert_eq!(check(&definition), [], "{}", file.display());
        count += 1;
    }
    assert_eq!(count, 5);
}

#[test]
fn a_rollout_keeps_its_selector() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crds/rollout-crd.yaml");
    let definition: Value = serde_yaml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let schema =
        Schema::compile(&definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "").unwrap();
    let rollout = |selector: &str, image: &str| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Rollout",
            "metadata": {"name": "r"},
            "spec": {
                "selector": {"matchLabels": {"app": selector}},
                "template": {"metadata": {"labels": {"app": selector}}, "spec": {"containers": [{"name": "c", "image": image}]}},
                "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}},
            },
        })
    };
    let old = rollout("a", "i:1");
    let mut pruned = old.clone();
    assert_eq!(schema.prune(&mut pruned), [""; 0]);
    assert_eq!(pruned, old);
    assert_eq!(schema.validate(&rollout("a", "i:2"), Some(&old)), []);
    let causes = schema.validate(&rollout("b", "i:1"), Some(&old));
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(causes[0].field, "spec.selector");
    let mut typo = old.clone();
    typo["spec"]["replica"] = json!(1);
    assert_eq!(schema.prune(&mut typo), ["spec.replica"]);
}

//! Facts about what a schema has against a custom resource, and what the API has against a schema.

use serde_json::{Value, json};
use serin_cluster::api::store::Settings;

use crate::custom::define;
use crate::world::{MERGE, World, facts, hold_after, text};

#[tokio::test]
async fn checks_of_custom_resources() {
    let facts = facts![
        numbers_have_bounds,
        words_are_of_a_set,
        types_are_checked,
        required_fields_are_there,
        patterns_are_matched,
        lengths_are_bounded,
        keys_are_unique,
        values_of_sets_are_unique,
        numbers_or_strings,
        a_rule_is_checked,
        a_rule_without_message_is_quoted,
        a_transition_is_checked,
        a_rule_of_a_field_names_the_field,
        all_faults_are_listed,
        rules_that_were_not_checked_are_mentioned,
        a_definition_is_named_by_its_parts,
        a_schema_is_structural,
        a_definition_stores_one_version,
    ];
    hold_after(&facts, &Settings::default(), |world| Box::pin(prepare(world))).await;
}

const GROUP: &str = "checks.contract.test";
const GADGETS: &str = "checks.contract.test/v1/gadgets";

async fn prepare(w: World) {
    define(&w, &definition(&schema())).await;
}

fn schema() -> Value {
    let spec = json!({"type": "object", "required": ["name"],
        "x-kubernetes-validations": [
            {"rule": "!has(self.least) || !has(self.most) || self.least <= self.most", "message": "least is at most most"},
            {"rule": "self.name != 'forbidden'"}],
        "properties": {
            "name": {"type": "string", "maxLength": 12, "pattern": "^[a-z]+$"},
            "size": {"type": "integer", "minimum": 0, "maximum": 10},
            "color": {"type": "string", "enum": ["red", "green"]},
            "port": {"x-kubernetes-int-or-string": true},
            "least": {"type": "integer"},
            "most": {"type": "integer"},
            "fixed": {"type": "string", "x-kubernetes-validations": [
                {"rule": "self == oldSelf", "message": "fixed is fixed"}]},
            "even": {"type": "integer", "x-kubernetes-validations": [
                {"rule": "self % 2 == 0", "messageExpression": "self > 2 ? 'big and odd' : 'small and odd'"}]},
            "tags": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
            "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}}}});
    json!({"type": "object", "required": ["spec"], "properties": {"spec": spec}})
}

fn definition(schema: &Value) -> Value {
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("gadgets.{GROUP}")},
        "spec": {"group": GROUP, "scope": "Namespaced", "names": {"kind": "Gadget", "plural": "gadgets"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}})
}

fn gadget(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if spec["name"].is_null() {
        spec["name"] = "a".into();
    }
    json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Gadget", "metadata": {"name": "a"}, "spec": spec})
}

/// Asserts the only fault of a spec.
#[track_caller]
fn fault(w: &World, spec: Value, cause: &'static str, field: &'static str) -> impl Future<Output = String> {
    let w = w.clone();
    async move { w.post(GADGETS, &gadget(&spec)).await.invalid(cause, field) }
}

async fn numbers_have_bounds(w: World) {
    let message = fault(&w, json!({"size": 11}), "FieldValueInvalid", "spec.size").await;
    assert_eq!(message, "Invalid value: 11: spec.size in body should be less than or equal to 10");
    let message = fault(&w, json!({"size": -1}), "FieldValueInvalid", "spec.size").await;
    assert_eq!(message, "Invalid value: -1: spec.size in body should be greater than or equal to 0");
}

async fn words_are_of_a_set(w: World) {
    let message = fault(&w, json!({"color": "pink"}), "FieldValueNotSupported", "spec.color").await;
    assert_eq!(message, r#"Unsupported value: "pink": supported values: "red", "green""#);
}

async fn types_are_checked(w: World) {
    let message = fault(&w, json!({"size": "big"}), "FieldValueTypeInvalid", "spec.size").await;
    assert_eq!(message, r#"Invalid value: "string": spec.size in body must be of type integer: "string""#);
}

async fn required_fields_are_there(w: World) {
    let wanted = json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Gadget", "metadata": {"name": "a"}});
    let message = w.post(GADGETS, &wanted).await.invalid("FieldValueRequired", "spec");
    assert_eq!(message, "Required value");
    let message = fault(&w, json!({"parts": [{}]}), "FieldValueRequired", "spec.parts[0].name").await;
    assert_eq!(message, "Required value");
}

async fn patterns_are_matched(w: World) {
    let message = fault(&w, json!({"name": "A1"}), "FieldValueInvalid", "spec.name").await;
    assert_eq!(message, r#"Invalid value: "A1": spec.name in body should match '^[a-z]+$'"#);
}

async fn lengths_are_bounded(w: World) {
    let message = fault(&w, json!({"name": "abcdefghijklm"}), "FieldValueTooLong", "spec.name").await;
    assert_eq!(message, "Too long: may not be more than 12 bytes");
}

async fn keys_are_unique(w: World) {
    let spec = json!({"parts": [{"name": "x"}, {"name": "y"}, {"name": "x"}]});
    let message = fault(&w, spec, "FieldValueDuplicate", "spec.parts[2]").await;
    assert_eq!(message, r#"Duplicate value: {"name":"x"}"#);
}

async fn values_of_sets_are_unique(w: World) {
    let message = fault(&w, json!({"tags": ["x", "x"]}), "FieldValueDuplicate", "spec.tags[1]").await;
    assert_eq!(message, r#"Duplicate value: "x""#);
}

async fn numbers_or_strings(w: World) {
    for port in [json!(80), json!("http")] {
        let at = format!("{GADGETS}?dryRun=All");
        assert_eq!(w.post(&at, &gadget(&json!({"port": port}))).await.done()["spec"]["port"], port);
    }
    let message = fault(&w, json!({"port": true}), "FieldValueTypeInvalid", "spec.port").await;
    assert_eq!(
        message,
        r#"Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean""#
    );
}

async fn a_rule_is_checked(w: World) {
    let message = fault(&w, json!({"least": 2, "most": 1}), "FieldValueInvalid", "spec").await;
    assert!(
        message.starts_with("Invalid value: ") && message.ends_with(": least is at most most"),
        "{message}"
    );
    w.post(GADGETS, &gadget(&json!({"least": 1, "most": 1}))).await.done();
}

async fn a_rule_without_message_is_quoted(w: World) {
    let message = fault(&w, json!({"name": "forbidden"}), "FieldValueInvalid", "spec").await;
    assert!(message.ends_with(": failed rule: self.name != 'forbidden'"), "{message}");
}

async fn a_transition_is_checked(w: World) {
    w.post(GADGETS, &gadget(&json!({"fixed": "one"}))).await.done();
    let at = format!("{GADGETS}/a");
    let refused = w.patch(MERGE, &at, &json!({"spec": {"fixed": "two"}})).await;
    assert_eq!(refused.invalid("FieldValueInvalid", "spec.fixed"), r#"Invalid value: "two": fixed is fixed"#);
    w.patch(MERGE, &at, &json!({"spec": {"fixed": null}})).await.done();
    w.patch(MERGE, &at, &json!({"spec": {"fixed": "two"}})).await.done();
}

async fn a_rule_of_a_field_names_the_field(w: World) {
    let message = fault(&w, json!({"even": 3}), "FieldValueInvalid", "spec.even").await;
    assert_eq!(message, "Invalid value: 3: big and odd");
}

async fn all_faults_are_listed(w: World) {
    let wanted = gadget(&json!({"size": 11, "color": "pink"}));
    let body = w.post(GADGETS, &wanted).await.refused(422, "Invalid");
    let causes = body["details"]["causes"].as_array().expect("causes");
    let mut fields: Vec<_> = causes.iter().map(|cause| text(&cause["field"])).collect();
    fields.retain(|field| field != "<nil>");
    fields.sort();
    assert_eq!(fields, ["spec.color", "spec.size"]);
    let details = (&body["details"]["kind"], &body["details"]["group"], &body["details"]["name"]);
    assert_eq!(details, (&json!("Gadget"), &json!(GROUP), &json!("a")));
    assert!(text(&body["message"]).starts_with(r#"Gadget.checks.contract.test "a" is invalid: ["#), "{body}");
}

async fn rules_that_were_not_checked_are_mentioned(w: World) {
    let body = w.post(GADGETS, &gadget(&json!({"color": "pink"}))).await.refused(422, "Invalid");
    let expected = json!({"reason": "FieldValueInvalid", "field": "<nil>",
        "message": "Invalid value: null: some validation rules were not checked because the object was invalid; \
                    correct the existing errors to complete validation"});
    assert_eq!(body["details"]["causes"][1], expected);
}

const DEFINITIONS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

async fn a_definition_is_named_by_its_parts(w: World) {
    let mut wanted = definition(&schema());
    wanted["metadata"]["name"] = "gadgets".into();
    let body = w.send("POST", DEFINITIONS, &[], &wanted).await.refused(422, "Invalid");
    let expected = r#"metadata.name: Invalid value: "gadgets": must be spec.names.plural+"."+spec.group"#;
    assert!(text(&body["message"]).ends_with(expected), "{body}");
}

async fn a_schema_is_structural(w: World) {
    let mut wanted = definition(&json!({"type": "object", "properties": {"spec": {}}}));
    wanted["metadata"]["name"] = "others.checks.contract.test".into();
    wanted["spec"]["names"] = json!({"kind": "Other", "plural": "others"});
    let message = w.send("POST", DEFINITIONS, &[], &wanted).await;
    let field = "spec.validation.openAPIV3Schema.properties[spec].type";
    assert_eq!(
        message.invalid("FieldValueRequired", field),
        "Required value: must not be empty for specified object fields"
    );
}

async fn a_definition_stores_one_version(w: World) {
    let mut wanted = definition(&schema());
    wanted["metadata"]["name"] = "others.checks.contract.test".into();
    wanted["spec"]["names"] = json!({"kind": "Other", "plural": "others"});
    wanted["spec"]["versions"][0]["storage"] = false.into();
    let body = w.send("POST", DEFINITIONS, &[], &wanted).await.refused(422, "Invalid");
    assert!(
        text(&body["message"]).contains("must have exactly one version marked as storage version"),
        "{body}"
    );
}

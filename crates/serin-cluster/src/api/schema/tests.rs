//! Facts about custom resources, each as a real API server shows it.

mod definition;
mod object;

use serde_json::{Value, json};

use super::super::status::Cause;
use super::Schema;

impl Schema {
    /// All that is wrong with an object.
    fn validate(&self, new: &Value, old: Option<&Value>) -> Vec<Cause> {
        let mut causes = self.faults(new, old);
        self.check_whole(new, old, &mut causes);
        causes
    }
}

/// The schema of a resource whose `spec` has one field of each sort.
fn schema() -> Schema {
    let text = json!({"type": "string"});
    let either = |junctor: &str| {
        json!({
            "type": "object",
            "properties": {"a": text, "b": text},
            junctor: [{"required": ["a"]}, {"required": ["b"]}],
        })
    };
    let spec = json!({
        "map": {"type": "object", "additionalProperties": text},
        "objects": {
            "type": "object",
            "additionalProperties": {"type": "object", "properties": {"x": text, "y": text}},
        },
        "list": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "required": ["k"], "properties": {"k": text, "v": text}},
        },
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
        "inner": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "nullable": {"type": "string", "nullable": true},
        "either": {"x-kubernetes-int-or-string": true},
        "defaulted": {"type": "string", "default": "by default"},
        "enum": {"type": "string", "enum": ["A", "B"]},
        "number": {"type": "integer", "minimum": 1, "maximum": 5, "format": "int32"},
        "half": {"type": "number", "multipleOf": 0.5},
        "text": {"type": "string", "pattern": "^a+$", "minLength": 2, "maxLength": 3},
        "few": {"type": "array", "minItems": 1, "maxItems": 2, "items": text},
        "time": {"type": "string", "format": "date-time"},
        "needy": {"type": "object", "required": ["a", "b"], "properties": {"a": text, "b": text}},
        "one": either("oneOf"),
        "any": either("anyOf"),
        "not": {"type": "object", "properties": {"a": text}, "not": {"required": ["a"]}},
        "fewer": {"type": "object", "minProperties": 1, "maxProperties": 2, "additionalProperties": text},
        "resource": {
            "type": "object",
            "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true,
        },
        "switch": {"type": "boolean"},
        "fixed": {
            "type": "string",
            "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "is immutable"}],
        },
        "range": range(),
    });
    let status = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let root = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": spec}, "status": status}});
    Schema::compile(&root, "spec.validation.openAPIV3Schema").unwrap()
}

/// Numbers that rules hold together.
fn range() -> Value {
    json!({
        "type": "object",
        "properties": {"min": {"type": "integer"}, "max": {"type": "integer"}, "the-step": {"type": "integer"}},
        "x-kubernetes-validations": [
            {"rule": "self.min <= self.max"},
            {
                "rule": "self.max < 100",
                "messageExpression": "'max is ' + string(self.max)",
                "reason": "FieldValueForbidden",
                "fieldPath": ".max",
            },
            {"rule": "!has(self.the__dash__step) || self.the__dash__step > 0", "message": "step must be above 0"},
        ],
    })
}

fn object(spec: impl Into<Value>) -> Value {
    let spec: Value = spec.into();
    json!({"apiVersion": "example.com/v1", "kind": "Foo", "metadata": {"name": "a"}, "spec": spec})
}

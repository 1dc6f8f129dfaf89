//! Custom resources: decoding and checks by the schema of their definition.

use std::sync::Arc;

use serde_json::Value;

use super::super::kinds::{Kind, Plain};
use super::super::lists::Lists;
use super::super::request::{PatchType, Verb};
use super::super::schema::Schema;
use super::super::status::{Cause, Status};
use super::super::store::object::{at, name, text};
use super::super::store::{Key, Resource, ScalePaths, Store};
use super::{Call, refuse};

/// Refuses a body that does not say its kind, or says another.
pub(super) fn check_kind(resource: &Resource, sent: &Value) -> Result<(), Status> {
    let (kind, version, expected) =
        (text(sent, &["kind"]), text(sent, &["apiVersion"]), resource.api_version());
    for (field, value) in [("Kind", kind), ("apiVersion", version)] {
        if value.is_empty() {
            let json = sent.to_string();
            let start: String = json.chars().take(32).collect();
            return Err(refuse::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): Object '{field}' is missing in '{json}' \
                 ({start} ...)",
                resource.kind
            )));
        }
    }
    if version != expected {
        return Err(refuse::bad_request(format!(
            "the API version in the data ({version}) does not match the expected API version ({expected})"
        )));
    }
    if kind != resource.kind {
        let causes = [refuse::wrong("kind", &kind.into(), &format!("must be {}", resource.kind))];
        return Err(refuse::invalid_kind(&resource.group, kind, name(sent), &causes));
    }
    Ok(())
}

/// A custom resource as it is kept of what a client sent.
pub(super) fn decode(call: &Call<'_>, object: &Value) -> Result<Value, Status> {
    let mut object = object.clone();
    let Some(schema) = schema(&call.resource) else {
        return Ok(object);
    };
    let unknown = schema.prune(&mut object);
    call.report_unknown(&unknown)?;
    if call.request.verb != Verb::Patch || call.request.patch_type != Some(PatchType::Apply) {
        schema.drop_nulls(&mut object);
    }
    schema.default(&mut object);
    Ok(object)
}

/// What the schema and the scale have against an object.
pub(super) fn check(resource: &Resource, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    let mut causes = schema(resource).map(|schema| schema.validate(object, live)).unwrap_or_default();
    if let Some(paths) = &resource.scale {
        causes.extend(check_scale(paths, object));
    }
    causes
}

fn check_scale(paths: &ScalePaths, object: &Value) -> Vec<Cause> {
    let numbers = [&paths.spec, &paths.status];
    numbers
        .into_iter()
        .filter_map(|path| {
            let steps: Vec<&str> = path.iter().map(String::as_str).collect();
            let field = format!(".{}", steps.join("."));
            match at(object, &steps) {
                Value::Null => None,
                Value::Number(number) if number.as_i64().is_some_and(|number| number >= 0) => None,
                value @ Value::Number(_) => {
                    Some(refuse::wrong(field, value, "should be a non-negative integer"))
                }
                value @ (Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
                    let (shown, of_type) = match value {
                        Value::String(text) => (text.clone(), "string"),
                        Value::Bool(flag) => (flag.to_string(), "bool"),
                        Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                            (value.to_string(), "map[string]interface {}")
                        }
                    };
                    let why =
                        format!("{field} accessor error: {shown} is of the type {of_type}, expected int64");
                    Some(refuse::wrong(field, &0.into(), &why))
                }
            }
        })
        .collect()
}

fn schema(resource: &Resource) -> Option<&Arc<Schema>> {
    resource.custom.as_ref().and_then(|custom| custom.schema.as_ref())
}

/// The lists of the kind of an object of a built-in kind, of which there is one version.
pub(super) fn lists_of(store: &Store, key: &Key) -> Arc<dyn Lists> {
    let found =
        store.resources().find(|resource| resource.stored == (key.group.clone(), key.resource.clone()));
    found.map_or_else(|| Arc::new(Plain("")) as Arc<dyn Lists>, |resource| lists(resource))
}

/// The lists of a kind, by its table or its schema.
pub(super) fn lists(resource: &Resource) -> Arc<dyn Lists> {
    if let Some(schema) = schema(resource) {
        let schema: Arc<Schema> = Arc::clone(schema);
        return schema;
    }
    let kind: Arc<Kind> = Arc::clone(&resource.entry);
    kind
}

//! Custom resources: decoding and checks by the schema of their definition.

use std::sync::Arc;

use serde_json::Value;

use super::super::kinds::{Kind, Plain};
use super::super::lists::Lists;
use super::super::request::{PatchType, Verb};
use super::super::schema::Schema;
use super::super::shown;
use super::super::status::{Cause, Status};
use super::super::store::object::{name, text};
use super::super::store::{Key, Resource, ScalePaths, Store};
use super::update::Part;
use super::{Call, refuse};

/// Refuses a body that does not say its kind, or says another.
pub(super) fn check_kind(resource: &Resource, sent: &Value) -> Result<(), Status> {
    let (kind, version, expected) =
        (text(sent, &["kind"]), text(sent, &["apiVersion"]), resource.api_version());
    for (field, value) in [("Kind", kind), ("apiVersion", version)] {
        if value.is_empty() {
            let json = sent.to_string();
            let start: String = json.chars().take(30).collect();
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
pub(super) fn check(resource: &Resource, part: Part, object: &Value, live: Option<&Value>) -> Vec<Cause> {
    let schema = schema(resource);
    let mut causes = match (schema, live) {
        (None, _) => Vec::new(),
        (Some(schema), Some(live)) if part == Part::Status => schema.faults_of_status(object, live),
        (Some(schema), live) => schema.faults(object, live),
    };
    if let Some(paths) = &resource.scale {
        causes.extend(check_scale(part, paths, object));
    }
    if let Some(schema) = schema {
        schema.check_whole(object, live, &mut causes);
    }
    causes
}

fn check_scale(part: Part, paths: &ScalePaths, object: &Value) -> Vec<Cause> {
    let numbers = if part == Part::Status { &[&paths.status][..] } else { &[&paths.spec, &paths.status] };
    let mut causes: Vec<Cause> = numbers.iter().filter_map(|path| number_fault(path, object)).collect();
    if let Some(path) = &paths.selector {
        let fault = accessed(path, object, "string", |value| value.as_str().map(drop));
        causes.extend(fault.err().map(|why| refuse::wrong(dotted(path), &"".into(), &why)));
    }
    causes
}

fn number_fault(path: &[String], object: &Value) -> Option<Cause> {
    match accessed(path, object, "int64", Value::as_i64) {
        Err(why) => Some(refuse::wrong(dotted(path), &0.into(), &why)),
        Ok(Some(number)) if number < 0 => {
            Some(refuse::wrong(dotted(path), &number.into(), "should be a non-negative integer"))
        }
        Ok(Some(number)) if number > i64::from(i32::MAX) => {
            let why = format!("should be less than or equal to {}", i32::MAX);
            Some(refuse::wrong(dotted(path), &number.into(), &why))
        }
        Ok(_) => None,
    }
}

fn dotted(path: &[String]) -> String {
    format!(".{}", path.join("."))
}

/// What is at a path, nothing where there is none, and why it cannot be had.
fn accessed<T>(
    path: &[String],
    object: &Value,
    wanted: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, String> {
    let fault = |depth: usize, value: &Value, wanted: &str| {
        let shown = shown::plain(value);
        let of_type = shown::type_name(value);
        format!(
            "{} accessor error: {shown} is of the type {of_type}, expected {wanted}",
            dotted(&path[..depth])
        )
    };
    let mut value = object;
    for (depth, step) in path.iter().enumerate() {
        match value {
            Value::Null => return Ok(None),
            Value::Object(map) => match map.get(step) {
                Some(inner) => value = inner,
                None => return Ok(None),
            },
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(fault(depth + 1, value, "map[string]interface{}"));
            }
        }
    }
    read(value).map(Some).ok_or_else(|| fault(path.len(), value, wanted))
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

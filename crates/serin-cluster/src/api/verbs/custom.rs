//! Custom resources: decoding and checks by the schema of their definition.

use std::sync::Arc;

use serde_json::Value;

use super::super::kinds::{Kind, Plain};
use super::super::lists::Lists;
use super::super::request::{PatchType, Verb};
use super::super::schema::Schema;
use super::super::shown;
use super::super::status::{Cause, Status};
use super::super::store::object::{at, text};
use super::super::store::{Key, Resource, ScalePaths, Store};
use super::call::{Call, Part};
use super::metadata_codec::{decode_metadata, drop_unfit_metadata};
use super::refuse;

/// Refuses a body that does not say its kind. Whether it is the right one is looked at later.
pub(super) fn check_kind(call: &Call<'_>, sent: &Value) -> Result<(), Status> {
    let resource = &call.resource;
    let missing = ["kind", "apiVersion"].into_iter().find(|field| text(sent, &[field]).is_empty());
    let Some(field) = missing else { return Ok(()) };
    let field = if field == "kind" { "Kind" } else { field };
    let json = sent.to_string();
    let start: String = json.chars().take(30).collect();
    let why = format!("Object '{field}' is missing in '{json}'");
    if call.request.verb == Verb::Patch {
        return Err(refuse::undecodable(resource, &why));
    }
    let kind = &resource.kind;
    Err(refuse::bad_request(format!(
        "the object provided is unrecognized (must be of type {kind}): {why} ({start} ...)"
    )))
}

/// A custom resource as it is kept of what a client sent.
pub(super) fn decode(call: &Call<'_>, object: &Value) -> Result<Value, Status> {
    let resource = &call.resource;
    let mut object = object.clone();
    let is_applied = call.request.verb == Verb::Patch && call.request.patch_type == Some(PatchType::Apply);
    if is_applied {
        drop_unfit_metadata(&mut object);
    }
    let mut unknown = decode_metadata(resource, &mut object)?;
    let is_own = type_faults(resource, &object).is_empty();
    let Some(schema) = schema(resource).filter(|_| is_own) else {
        call.report_fields(&unknown)?;
        return Ok(object);
    };
    unknown.extend(schema.prune(&mut object));
    call.report_fields(&unknown)?;
    if !is_applied {
        schema.drop_nulls(&mut object);
    }
    schema.default(&mut object);
    Ok(object)
}

/// What is wrong with the kind and the version that an object says it has.
fn type_faults(resource: &Resource, object: &Value) -> Vec<Cause> {
    let expected = [("kind", resource.kind.clone()), ("apiVersion", resource.api_version())];
    expected
        .into_iter()
        .filter(|(field, expected)| text(object, &[field]) != expected)
        .map(|(field, expected)| refuse::wrong(field, at(object, &[field]), &format!("must be {expected}")))
        .collect()
}

/// Adds what the type, the schema and the scale have against an object to what its metadata are blamed for.
pub(super) fn check(
    resource: &Resource,
    part: Part,
    object: &Value,
    live: Option<&Value>,
    of_metadata: impl FnOnce() -> Vec<Cause>,
) -> Vec<Cause> {
    let of_type = type_faults(resource, object);
    if !of_type.is_empty() {
        return of_type;
    }
    let schema = schema(resource);
    let mut causes = of_metadata();
    causes.extend(match (schema, live) {
        (None, _) => Vec::new(),
        (Some(schema), Some(live)) if part == Part::Status => schema.faults_of_status(object, live),
        (Some(schema), live) => schema.faults(object, live),
    });
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

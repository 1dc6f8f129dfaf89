//! Reading and changing JSON objects by path.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// What is at `path`; null where there is nothing.
pub(crate) fn at<'a>(object: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().try_fold(object, |value, key| value.get(key)).unwrap_or(&Value::Null)
}

/// The text at `path`; empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, path: &[&str]) -> &'a str {
    at(object, path).as_str().unwrap_or_default()
}

/// Sets what is at `path` and makes the objects on the way.
pub(crate) fn set(object: &mut Value, path: &[&str], value: Value) {
    let Some((last, parents)) = path.split_last() else {
        *object = value;
        return;
    };
    let mut here = object;
    for key in parents {
        here = child(here, key);
    }
    *child(here, last) = value;
}

/// Sets what is at `path` where there is nothing or null.
pub(crate) fn fill(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if at(object, path).is_null() {
        set(object, path, value.into());
    }
}

/// Removes what is at `path`.
pub(crate) fn remove(object: &mut Value, path: &[&str]) -> Option<Value> {
    let (last, parents) = path.split_last()?;
    let parent = parents.iter().try_fold(object, |value, key| value.get_mut(key))?;
    parent.as_object_mut()?.remove(*last)
}

/// Makes `path` in `object` what it is in `from`: the same value, or nothing.
pub(crate) fn copy(object: &mut Value, from: &Value, path: &[&str]) {
    let value = at(from, path);
    if value.is_null() {
        remove(object, path);
    } else {
        set(object, path, value.clone());
    }
}

/// The member `key`, made (as null) where it is missing; what is no object becomes one.
pub(crate) fn child<'a>(object: &'a mut Value, key: &str) -> &'a mut Value {
    members(object).entry(key).or_insert(Value::Null)
}

/// The members of an object; what is no object becomes an empty one.
pub(crate) fn members(object: &mut Value) -> &mut Map<String, Value> {
    if !object.is_object() {
        *object = Value::Object(Map::new());
    }
    match object {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            unreachable!("made an object above")
        }
    }
}

/// The items of the list at `path`; none where there is no list.
pub(crate) fn items<'a>(object: &'a Value, path: &[&str]) -> &'a [Value] {
    at(object, path).as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, &["metadata", "name"])
}

/// The name, or the beginning of the one that is to be generated.
pub(crate) fn asked_name(object: &Value) -> &str {
    let given = name(object);
    if given.is_empty() { text(object, &["metadata", "generateName"]) } else { given }
}

pub(crate) fn namespace(object: &Value) -> &str {
    text(object, &["metadata", "namespace"])
}

pub(crate) fn uid(object: &Value) -> &str {
    text(object, &["metadata", "uid"])
}

pub(crate) fn resource_version(object: &Value) -> &str {
    text(object, &["metadata", "resourceVersion"])
}

pub(crate) fn generation(object: &Value) -> Option<i64> {
    at(object, &["metadata", "generation"]).as_i64()
}

pub(crate) fn is_terminating(object: &Value) -> bool {
    !at(object, &["metadata", "deletionTimestamp"]).is_null()
}

pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    items(object, &["metadata", "finalizers"]).iter().filter_map(Value::as_str).collect()
}

pub(crate) fn label<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    at(object, &["metadata", "labels"]).get(key).and_then(Value::as_str)
}

/// A time as Kubernetes writes it: UTC, to the second.
pub(crate) fn time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

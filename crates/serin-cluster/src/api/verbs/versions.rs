//! Converts stored objects to the version of a resource.

use std::sync::Arc;

use serde_json::Value;

use super::super::conversion;
use super::super::store::Resource;
use super::super::store::object::{at, members, set};

/// A stored object as a resource shows it: in its version.
pub(in crate::api) fn view(resource: &Resource, object: &Arc<Value>) -> Arc<Value> {
    let version = object.get("apiVersion").and_then(Value::as_str);
    if version == Some(resource.api_version().as_str()) {
        return Arc::clone(object);
    }
    Arc::new(encode(resource, object))
}

/// Sets kind and version of an object as a client sends it.
pub(super) fn stamp(resource: &Resource, object: &mut Value) {
    members(object).insert("kind".to_owned(), resource.kind.clone().into());
    members(object).insert("apiVersion".to_owned(), resource.api_version().into());
}

/// A stored object as a resource shows it: the other view of events, or another version of a custom resource.
pub(super) fn encode(resource: &Resource, stored: &Value) -> Value {
    let mut shown = conversion::to_shown(&resource.entry, stored);
    set(&mut shown, &["apiVersion"], resource.api_version().into());
    debug_assert!(!at(&shown, &["kind"]).is_null());
    shown
}

//! Custom resources: decoding and checks by the schema of their definition.

use serde_json::Value;

use super::super::kinds::Kind;
use super::super::lists::Lists;
use super::super::status::{Cause, Status};
use super::super::store::Resource;
use super::Call;

/// A custom resource as it is kept of what a client sent.
pub(super) fn decode(_call: &Call<'_>, object: &Value) -> Result<Value, Status> {
    Ok(object.clone())
}

/// What the schema has against an object.
pub(super) fn check(_resource: &Resource, _object: &Value, _live: Option<&Value>) -> Vec<Cause> {
    Vec::new()
}

/// The lists of a kind.
pub(super) fn lists(resource: &Resource) -> std::sync::Arc<dyn Lists> {
    let kind: std::sync::Arc<Kind> = std::sync::Arc::clone(&resource.entry);
    kind
}

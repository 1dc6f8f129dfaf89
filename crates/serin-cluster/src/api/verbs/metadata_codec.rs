//! Decodes the metadata of objects without a built-in type: definitions and custom resources.

use serde_json::{Value, json};

use super::super::codec::{self, Reader};
use super::super::status::Status;
use super::super::store::Resource;
use super::super::store::object::{at, set};
use super::refuse;

/// Decodes the metadata of an object that has no other type; names the fields that metadata do not have.
pub(super) fn decode_metadata(resource: &Resource, object: &mut Value) -> Result<Vec<String>, Status> {
    let Some(decoded) = codec::decode("meta/v1.ObjectMeta", at(object, &["metadata"]), Reader::Json) else {
        return Ok(Vec::new());
    };
    let decoded = decoded.map_err(|why| refuse::undecodable(resource, &why))?;
    set(object, &["metadata"], decoded.object);
    Ok(decoded.unknown.iter().map(|field| format!("metadata.{field}")).collect())
}

/// Drops the metadata that do not fit their field.
pub(super) fn drop_unfit_metadata(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    metadata.retain(|field, value| {
        let alone = json!({field.as_str(): value});
        codec::decode("meta/v1.ObjectMeta", &alone, Reader::Json).is_none_or(|decoded| decoded.is_ok())
    });
}

//! What the tests of this package share.

use serde_json::Value;

use crate::object::RawObject;

/// An object as the API server sends it.
pub(crate) fn raw(object: Value) -> RawObject {
    serde_json::from_value(object).expect("an object")
}

//! Patches: how one is applied to an object, and who owns which field afterwards.
//!
//! | content type | function |
//! |---|---|
//! | `application/json-patch+json` | [`json`] |
//! | `application/merge-patch+json` | [`merge`] |
//! | `application/strategic-merge-patch+json` | [`strategic`] |
//! | `application/apply-patch+yaml` | [`apply`] |
//!
//! All are pure: the object as it is and the patch go in, the object as it is to be comes out, or the refusal of the API
//! server. Defaulting, validation, preconditions and the isolation of subresources are the caller's. After a create, an
//! update or one of the first three patches the caller hands the object before and after to [`track`], which keeps
//! `metadata.managedFields`; [`apply`] does it by itself.

mod apply;
mod field_set;
mod json;
mod managed;
mod scale;
mod strategic;
mod typed;

pub use apply::{Manager, apply, is_same_but_for_times, track};
pub use json::json;
pub use scale::{keep_scale_owners, scale_owners};
pub use strategic::{spent, strategic};

use serde_json::Value;

use super::codec::json_kind;
use super::status::{Reason, Status};
use serin_values::merge_patch::apply_merge_patch;

/// `live` with a JSON merge patch (RFC 7386) applied to it.
///
/// The refusal (400) is of patches that are no object.
pub fn merge(live: &Value, patch: &Value) -> Result<Value, Status> {
    if patch.is_object() {
        return Ok(apply_merge_patch(live, patch));
    }
    let message = format!(
        "error decoding patch: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
        json_kind(patch)
    );
    Err(Status::new(Reason::BadRequest, message))
}

#[cfg(test)]
mod tests;

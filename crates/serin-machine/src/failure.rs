//! What an answer of the API server other than success means for a plan.

use std::fmt;

use kube_core::Status;
use kube_core::response::StatusCause;

/// Why a request did not do what it was sent for.
#[derive(Debug, Clone, PartialEq)]
pub enum WriteError {
    /// The object is not in the state that the write was decided on.
    Conflict(String),
    /// An object of that name is there already.
    AlreadyExists,
    /// It may go well next time: the server is busy, or cannot be reached.
    Transient(String),
    /// The controller may not do that, or a quota is used up.
    Forbidden(String),
    /// The namespace is being deleted, and nothing is made in it any more.
    NamespaceEnds(String),
    /// The object is invalid, or an admission webhook said no.
    Rejected(String),
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlreadyExists => f.write_str("an object of that name exists"),
            Self::Conflict(message)
            | Self::Transient(message)
            | Self::Forbidden(message)
            | Self::NamespaceEnds(message)
            | Self::Rejected(message) => f.write_str(message),
        }
    }
}

impl From<&Status> for WriteError {
    /// The class of an answer.
    fn from(status: &Status) -> Self {
        let message = status.message.clone();
        match status.code {
            409 if status.reason == "AlreadyExists" => Self::AlreadyExists,
            404 | 409 | 410 | 412 => Self::Conflict(message),
            422 if has_cause(status, |cause| cause.field == "metadata.uid") => Self::Conflict(message),
            403 if has_cause(status, |cause| cause.reason == NAMESPACE_ENDS) => Self::NamespaceEnds(message),
            403 => Self::Forbidden(message),
            429 if has_cause(status, |cause| cause.reason == DISRUPTION) => Self::Rejected(message),
            401 | 408 | 429 => Self::Transient(message),
            400..=499 => Self::Rejected(message),
            _ => Self::Transient(message),
        }
    }
}

/// Of an answer about an eviction that a PodDisruptionBudget does not allow.
const DISRUPTION: &str = "DisruptionBudget";

/// Of an answer about a namespace that is being deleted.
const NAMESPACE_ENDS: &str = "NamespaceTerminating";

/// Whether the answer has such a cause. One about the uid says that the object was deleted and made anew.
fn has_cause(status: &Status, is_it: impl Fn(&StatusCause) -> bool) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, reason: &str, field: Option<&str>) -> WriteError {
        let cause =
            |field| serde_json::json!({"reason": "FieldValueInvalid", "message": "m", "field": field});
        caused(code, reason, &field.into_iter().map(cause).collect::<Vec<_>>())
    }

    fn caused(code: u16, reason: &str, causes: &[serde_json::Value]) -> WriteError {
        let status: Status = serde_json::from_value(serde_json::json!({
            "status": "Failure", "code": code, "reason": reason, "message": "m", "details": {"causes": causes},
        }))
        .expect("a status");
        WriteError::from(&status)
    }

    #[test]
    fn each_answer_has_its_class() {
        assert_eq!(answer(409, "AlreadyExists", None), WriteError::AlreadyExists);
        assert_eq!(answer(409, "Conflict", None), WriteError::Conflict("m".into()));
        assert_eq!(answer(404, "NotFound", None), WriteError::Conflict("m".into()));
        assert_eq!(answer(422, "Invalid", Some("metadata.uid")), WriteError::Conflict("m".into()));
        assert_eq!(answer(422, "Invalid", Some("spec.replicas")), WriteError::Rejected("m".into()));
        assert_eq!(answer(400, "BadRequest", None), WriteError::Rejected("m".into()));
        assert_eq!(answer(403, "Forbidden", None), WriteError::Forbidden("m".into()));
        assert_eq!(answer(401, "Unauthorized", None), WriteError::Transient("m".into()));
        for code in [408, 429, 500, 503, 504] {
            assert_eq!(answer(code, "", None), WriteError::Transient("m".into()), "{code}");
        }
    }

    #[test]
    fn a_namespace_that_is_being_deleted_is_no_missing_right() {
        let cause = serde_json::json!({
            "reason": "NamespaceTerminating", "message": "namespace n is being terminated", "field": "metadata.namespace",
        });
        assert_eq!(caused(403, "Forbidden", &[cause]), WriteError::NamespaceEnds("m".into()));
    }
}

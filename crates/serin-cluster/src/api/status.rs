//! Refusals: the `Status` objects that a Kubernetes API answers errors with.

use serde_json::{Map, Value, json};

/// Why a request was refused: `reason` and HTTP code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// 400.
    BadRequest,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 406.
    NotAcceptable,
    /// 409: an object of that name exists.
    AlreadyExists,
    /// 409: the object is not what the request supposes it to be.
    Conflict,
    /// 410: the resourceVersion is older than what is remembered.
    Expired,
    /// 410.
    Gone,
    /// 415.
    UnsupportedMediaType,
    /// 422.
    Invalid,
    /// 429.
    TooManyRequests,
    /// 500.
    InternalError,
    /// 504: what was asked for did not come about in time.
    Timeout,
    /// 500 without a reason on the wire: an error that the API server has no word for.
    Unknown,
}

impl Reason {
    /// The word on the wire; empty where there is none.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::Forbidden => "Forbidden",
            Self::NotFound => "NotFound",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::NotAcceptable => "NotAcceptable",
            Self::AlreadyExists => "AlreadyExists",
            Self::Conflict => "Conflict",
            Self::Expired => "Expired",
            Self::Gone => "Gone",
            Self::UnsupportedMediaType => "UnsupportedMediaType",
            Self::Invalid => "Invalid",
            Self::TooManyRequests => "TooManyRequests",
            Self::InternalError => "InternalError",
            Self::Timeout => "Timeout",
            Self::Unknown => "",
        }
    }

    /// The HTTP code.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::AlreadyExists | Self::Conflict => 409,
            Self::Expired | Self::Gone => 410,
            Self::UnsupportedMediaType => 415,
            Self::Invalid => 422,
            Self::TooManyRequests => 429,
            Self::InternalError | Self::Unknown => 500,
            Self::Timeout => 504,
        }
    }
}

/// One cause in the details of a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// E.g. `FieldValueInvalid`, `FieldValueRequired`, `FieldManagerConflict`.
    pub reason: String,
    /// What is wrong.
    pub message: String,
    /// Path of the field.
    pub field: String,
}

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Why.
    pub reason: Reason,
    /// Why, for a person.
    pub message: String,
    /// `details`: name, group, kind (for most reasons the plural resource name, for Invalid the kind), uid, causes;
    /// null where there are none. Of a list that cannot be continued as it began also `continue`, the token for its
    /// rest as it is now, which is in the metadata on the wire.
    pub details: Value,
    /// `Warning` headers beside it (299), without code and agent.
    pub warnings: Vec<String>,
}

impl Status {
    /// A refusal without details.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self::with(reason, message, Value::Null)
    }

    /// A refusal with details.
    #[must_use]
    pub fn with(reason: Reason, message: impl Into<String>, details: Value) -> Self {
        Self { reason, message: message.into(), details, warnings: Vec::new() }
    }

    /// The object on the wire.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut status = json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "code": self.reason.code(),
        });
        if self.reason != Reason::Unknown {
            status["reason"] = self.reason.as_str().into();
        }
        let mut details = self.details.clone();
        if let Some(token) = details.as_object_mut().and_then(|details| details.remove("continue")) {
            status["metadata"]["continue"] = token;
            details = if details.as_object().is_some_and(Map::is_empty) { Value::Null } else { details };
        }
        if !details.is_null() {
            status["details"] = details;
        }
        status
    }
}

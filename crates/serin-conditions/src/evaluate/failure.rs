//! Why an evaluation ended without a value.

use crate::error::ConditionError;
use crate::operations::Missing;
use crate::value::Value;

/// A value, or why there is none.
pub(super) type Evaluated = Result<Value, Failure>;

/// Why an evaluation ended.
pub(super) enum Failure {
    /// The message, and the column of the operation.
    Error(String, usize),
    /// The same, for a member that is missing or out of range.
    Missing(String, usize),
    /// An optional owner was nil: the value of the chain is nil.
    Chain,
}

impl From<Failure> for ConditionError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Error(message, column) | Failure::Missing(message, column) => Self::at(column, message),
            Failure::Chain => Self::whole("a chain without an end"),
        }
    }
}

/// A value from an operation at `column`.
pub(super) fn at<T>(column: usize, outcome: Result<T, String>) -> Result<T, Failure> {
    outcome.map_err(|message| Failure::Error(message, column))
}

/// A member at `column`.
pub(super) fn found(column: usize, outcome: Result<Value, Missing>) -> Evaluated {
    outcome.map_err(|missing| {
        if missing.is_absent {
            Failure::Missing(missing.message, column)
        } else {
            Failure::Error(missing.message, column)
        }
    })
}

/// The message about a value that has another type than `wanted`.
pub(super) fn mistyped(value: &Value, wanted: &str) -> String {
    let found = if matches!(value, Value::Nil) { "nil" } else { value.type_name() };
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}

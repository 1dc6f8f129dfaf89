//! Why a condition has no outcome.

use std::fmt;

/// A condition that is invalid, or that failed for a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionError {
    /// The reason, in the words of the reference where it has any.
    pub message: String,
    /// The place in the text of the condition, in characters from 1; `None` if it concerns all of it.
    pub column: Option<usize>,
}

impl ConditionError {
    /// An error at `column`.
    pub(crate) fn at(column: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), column: Some(column) }
    }

    /// An error of the whole condition.
    pub(crate) fn whole(message: impl Into<String>) -> Self {
        Self { message: message.into(), column: None }
    }
}

impl fmt::Display for ConditionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for ConditionError {}

//! Conditions and time expressions: parsing, checking, evaluation.

use jiff::Timestamp;

use crate::check::{Names, check as check_node};
use crate::error::ConditionError;
use crate::evaluate::evaluate;
use crate::syntax::{Node, parse};
use crate::types::Type;
use crate::value::Value;

/// A condition whose syntax is valid.
#[derive(Clone, Debug)]
pub struct Condition {
    node: Node,
}

impl Condition {
    /// Parses a condition. An error has the column of the first mistake.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        Ok(Self { node: parse(text)? })
    }

    /// True if the condition holds for `result`. `now` is the time that `now()` returns.
    ///
    /// The condition is checked against the type of the result first, as a whole: `true || result.a` is an error for a
    /// number. It is an error as well if the condition is neither true nor false.
    pub fn holds(&self, result: &Value, now: Timestamp) -> Result<bool, ConditionError> {
        let names = Names::Condition(Type::of(result));
        check_node(&self.node, &names)?;
        let value = evaluate(&self.node, Some(result), now)?;
        if let Value::Bool(holds) = value { Ok(holds) } else { Err(no_bool(value.type_name())) }
    }

    /// Checks what does not depend on a result. An error if the condition fails for every result.
    pub fn check(&self) -> Result<(), ConditionError> {
        let found = check_node(&self.node, &Names::Condition(Type::Any))?;
        if found == Type::Bool || found.is_any() { Ok(()) } else { Err(no_bool(&found.outcome_name())) }
    }
}

fn no_bool(found: &str) -> ConditionError {
    ConditionError::whole(format!("expected bool, but got {found}"))
}

/// Checks the text of a condition as far as that is possible without a result.
///
/// An error if the condition fails for every result: invalid syntax, unknown names, wrong arguments, or a value that is
/// neither true nor false. A condition that some result is valid for is never refused.
pub fn check(text: &str) -> Result<(), ConditionError> {
    Condition::parse(text)?.check()
}

/// The time that `expression` is, such as `now() - duration("1h")`. `now` is the time that `now()` returns.
///
/// The expression has no result, and of the functions of conditions only `isNaN` and `isInf`.
pub fn time_of(expression: &str, now: Timestamp) -> Result<Timestamp, ConditionError> {
    let node = parse(expression)?;
    let found = check_node(&node, &Names::Time)?;
    if found != Type::Time && !found.is_any() {
        return Err(no_time(&found.outcome_name()));
    }
    let value = evaluate(&node, None, now)?;
    if let Value::Time(time) = value { Ok(time.timestamp()) } else { Err(no_time(value.type_name())) }
}

fn no_time(found: &str) -> ConditionError {
    ConditionError::whole(format!("expected time.Time, but got {found}"))
}

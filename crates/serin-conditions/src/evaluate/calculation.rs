//! The value of operators that need nothing but their operands.

use std::cmp::Ordering;

use super::failure::mistyped;
use crate::operations;
use crate::syntax::{Binary, Unary};
use crate::value::Value;

/// The value of an operator before its operand.
pub(super) fn unary(operator: Unary, operand: &Value) -> Result<Value, String> {
    match operator {
        Unary::Not(_) => match operand {
            Value::Bool(value) => Ok(Value::Bool(!value)),
            _ => Err(mistyped(operand, "bool")),
        },
        Unary::Plus => Ok(operand.clone()),
        Unary::Minus => operations::negate(operand),
    }
}

/// The value of an operator that calculates; nil for any other operator.
pub(super) fn calculation(operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
    match operator {
        Binary::Plus => operations::add(left, right),
        Binary::Minus => operations::subtract(left, right),
        Binary::Times => operations::multiply(left, right),
        Binary::Divide => operations::divide(left, right),
        Binary::Remainder => operations::remainder(left, right),
        Binary::Power(_) => operations::power(left, right),
        Binary::Less | Binary::Greater | Binary::AtMost | Binary::AtLeast => {
            let order = operations::compare(operator.name(), left, right)?;
            let is_true = match operator {
                Binary::Less => order == Some(Ordering::Less),
                Binary::Greater => order == Some(Ordering::Greater),
                Binary::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
                _ => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            };
            Ok(Value::Bool(is_true))
        }
        Binary::Or(_)
        | Binary::And(_)
        | Binary::Equal
        | Binary::Unequal
        | Binary::In
        | Binary::Matches
        | Binary::Contains
        | Binary::StartsWith
        | Binary::EndsWith
        | Binary::Range
        | Binary::Coalesce => Ok(Value::Nil),
    }
}

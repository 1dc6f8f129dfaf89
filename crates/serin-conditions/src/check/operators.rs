//! Checks operators.

use super::checker::{Checked, Checker};
use crate::error::ConditionError;
use crate::pattern;
use crate::syntax::{Binary, Node, NodeKind, Unary};
use crate::types::Type;
use crate::value::{Items, MapKind};

/// The most regular expressions of a condition: each takes time to compile.
const PATTERNS_MAX: usize = 50;

impl Checker<'_> {
    pub(super) fn unary(&mut self, operator: Unary, operand: &Node, column: usize) -> Checked {
        let found = self.check(operand)?;
        let (is_valid, returned) = match operator {
            Unary::Not(_) => (found == Type::Bool, Type::Bool),
            Unary::Plus | Unary::Minus => (found.is_number(), found.clone()),
        };
        if is_valid || found.is_any() {
            return Ok(returned);
        }
        let name = operator.name();
        let message = format!("invalid operation: {name} (mismatched type {found})");
        Err(ConditionError::at(column, message))
    }

    pub(super) fn binary(&mut self, operator: Binary, operands: &[Node; 2], column: usize) -> Checked {
        let left = self.check(&operands[0])?;
        let right = self.check(&operands[1])?;
        if operator == Binary::Matches
            && let NodeKind::String(text) = &operands[1].kind
        {
            self.patterns += 1;
            if self.patterns > PATTERNS_MAX {
                let message = format!("a condition has at most {PATTERNS_MAX} regular expressions");
                return Err(ConditionError::at(column, message));
            }
            pattern::compile(text).map_err(|message| ConditionError::at(column, message))?;
        }
        operation(operator, &left, &right, column)
    }

    pub(super) fn comparison(&mut self, first: &Node, others: &[(Binary, usize, Node)]) -> Checked {
        let mut left = self.check(first)?;
        for (operator, column, right) in others {
            let right = self.check(right)?;
            operation(*operator, &left, &right, *column)?;
            left = right;
        }
        Ok(Type::Bool)
    }
}

/// The type of an operation with operands of two types.
fn operation(operator: Binary, left: &Type, right: &Type, column: usize) -> Checked {
    let found = match operator {
        Binary::In => membership(left, right).map_err(|message| ConditionError::at(column, message))?,
        Binary::Coalesce => Some(coalesced(left, right)),
        Binary::Equal | Binary::Unequal => left.is_comparable_with(right).then_some(Type::Bool),
        Binary::Or(_) | Binary::And(_) => both(left, right, |t| *t == Type::Bool).then_some(Type::Bool),
        Binary::Matches | Binary::Contains | Binary::StartsWith | Binary::EndsWith => {
            both(left, right, |t| *t == Type::String).then_some(Type::Bool)
        }
        Binary::Less | Binary::Greater | Binary::AtMost | Binary::AtLeast => {
            is_ordered(left, right).then_some(Type::Bool)
        }
        Binary::Range => both(left, right, Type::is_integer).then(|| Type::list(Items::Int)),
        Binary::Divide | Binary::Power(_) => both(left, right, Type::is_number).then_some(Type::Float),
        Binary::Remainder => both(left, right, Type::is_integer).then(|| combined(left, right)),
        Binary::Plus => sum(left, right),
        Binary::Minus => difference(left, right),
        Binary::Times => product(left, right),
    };
    found.ok_or_else(|| {
        let name = operator.name();
        let message = format!("invalid operation: {name} (mismatched types {left} and {right})");
        ConditionError::at(column, message)
    })
}

/// True if both types are such, or may turn out to be.
fn both(left: &Type, right: &Type, is_such: impl Fn(&Type) -> bool) -> bool {
    (left.is_any() || is_such(left)) && (right.is_any() || is_such(right))
}

fn is_any_of(left: &Type, right: &Type) -> bool {
    left.is_any() || right.is_any()
}

/// The type of a calculation with two numbers.
fn combined(left: &Type, right: &Type) -> Type {
    match (left, right) {
        (Type::Any, _) | (_, Type::Any) => Type::Any,
        (Type::Float, _) | (_, Type::Float) => Type::Float,
        (left, right) if left == right => left.clone(),
        _ => Type::Int,
    }
}

fn is_ordered(left: &Type, right: &Type) -> bool {
    let is_alone = |t: &Type| matches!(t, Type::String | Type::Time | Type::Duration);
    both(left, right, Type::is_number)
        || left == right && is_alone(left)
        || is_any_of(left, right) && both(left, right, is_alone)
}

fn sum(left: &Type, right: &Type) -> Option<Type> {
    let is_added = |t: &Type| matches!(t, Type::String | Type::Time | Type::Duration);
    match (left, right) {
        (Type::String, Type::String) => Some(Type::String),
        (Type::Time, Type::Duration) | (Type::Duration, Type::Time) => Some(Type::Time),
        (Type::Duration, Type::Duration) => Some(Type::Duration),
        _ if both(left, right, Type::is_number) => Some(combined(left, right)),
        _ => (is_any_of(left, right) && both(left, right, is_added)).then_some(Type::Any),
    }
}

fn difference(left: &Type, right: &Type) -> Option<Type> {
    let is_subtracted = |t: &Type| matches!(t, Type::Time | Type::Duration);
    match (left, right) {
        (Type::Time, Type::Time) | (Type::Duration, Type::Duration) => Some(Type::Duration),
        (Type::Time, Type::Duration) => Some(Type::Time),
        _ if both(left, right, Type::is_number) => Some(combined(left, right)),
        _ => (is_any_of(left, right) && both(left, right, is_subtracted)).then_some(Type::Any),
    }
}

fn product(left: &Type, right: &Type) -> Option<Type> {
    let is_factor = |t: &Type| t.is_number() || *t == Type::Duration;
    match (left, right) {
        (Type::Duration, other) | (other, Type::Duration) if is_factor(other) => Some(Type::Duration),
        _ if both(left, right, Type::is_number) => Some(combined(left, right)),
        _ => (is_any_of(left, right) && both(left, right, is_factor)).then_some(Type::Any),
    }
}

fn coalesced(left: &Type, right: &Type) -> Type {
    match (left, right) {
        (Type::Nil, other) | (other, Type::Nil) => other.clone(),
        (left, right) if left == right => left.clone(),
        _ => Type::Any,
    }
}

/// The type of `needle in haystack`; `None` where there is no such operation.
fn membership(needle: &Type, haystack: &Type) -> Result<Option<Type>, String> {
    let is_valid = match haystack {
        Type::Time => *needle == Type::String || needle.is_any(),
        Type::String => needle.is_any(),
        Type::Map(MapKind::Named, _) if !matches!(needle, Type::String | Type::Any | Type::Nil) => {
            return Err(format!("cannot use {needle} as type string in map key"));
        }
        Type::List(_, item) if !needle.is_comparable_with(item) => {
            return Err(format!("cannot use {needle} as type {item} in array"));
        }
        Type::Any | Type::Map(..) | Type::List(..) => true,
        Type::Nil
        | Type::Bool
        | Type::Int
        | Type::Int64
        | Type::Float
        | Type::Duration
        | Type::Month
        | Type::Weekday
        | Type::Zone => false,
    };
    Ok(is_valid.then_some(Type::Bool))
}

//! Evaluates operators.

use std::sync::Arc;

use super::calculation::calculation;
use super::failure::{Evaluated, Failure, at, mistyped};
use super::machine::Machine;
use crate::budget::PATTERN_STEPS;
use crate::operations;
use crate::pattern;
use crate::syntax::{Binary, Node};
use crate::value::{Items, Value};

impl Machine<'_> {
    pub(super) fn binary(&mut self, operator: Binary, operands: &[Node; 2], column: usize) -> Evaluated {
        let [left, right] = operands;
        match operator {
            Binary::Or(_) => return Ok(Value::Bool(self.truth(left)? || self.truth(right)?)),
            Binary::And(_) => return Ok(Value::Bool(self.truth(left)? && self.truth(right)?)),
            Binary::Coalesce => {
                let value = self.value(left)?;
                return if matches!(value, Value::Nil) { self.value(right) } else { Ok(value) };
            }
            _ => {}
        }
        let (left, right) = (self.value(left)?, self.value(right)?);
        at(column, self.operation(operator, &left, &right))
    }

    fn operation(&mut self, operator: Binary, left: &Value, right: &Value) -> Result<Value, String> {
        let is_true = match operator {
            Binary::Equal => operations::equal(left, right, &mut self.budget)?,
            Binary::Unequal => !operations::equal(left, right, &mut self.budget)?,
            Binary::In => operations::contains(right, left, &mut self.budget)?,
            Binary::Matches | Binary::Contains | Binary::StartsWith | Binary::EndsWith => {
                self.text_test(operator, left, right)?
            }
            Binary::Range => return self.range(left, right),
            Binary::Plus => {
                let length = |value: &Value| if let Value::String(text) = value { text.len() } else { 0 };
                if matches!(left, Value::String(_)) {
                    self.budget.text(length(left) + length(right))?;
                }
                return operations::add(left, right);
            }
            _ => return calculation(operator, left, right),
        };
        Ok(Value::Bool(is_true))
    }

    /// Tests of texts. Nil contains nothing.
    fn text_test(&mut self, operator: Binary, left: &Value, right: &Value) -> Result<bool, String> {
        let (left, right) = match (left, right) {
            (Value::Nil, _) | (_, Value::Nil) => return Ok(false),
            (Value::String(left), Value::String(right)) => (left, right),
            (Value::String(_), other) | (other, _) => return Err(mistyped(other, "string")),
        };
        self.budget.look_at(left.len() / 8)?;
        match operator {
            Binary::Contains => Ok(left.contains(right.as_ref())),
            Binary::StartsWith => Ok(left.starts_with(right.as_ref())),
            Binary::EndsWith => Ok(left.ends_with(right.as_ref())),
            _ => self.matches(left, right),
        }
    }

    fn matches(&mut self, text: &str, pattern: &Arc<str>) -> Result<bool, String> {
        // The time of a match grows with the text and the pattern.
        let pattern_length = u64::try_from(pattern.len()).unwrap_or(u64::MAX);
        let text_length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.budget.work(text_length.saturating_mul(pattern_length / 64 + 1))?;
        if !self.patterns.contains_key(pattern) {
            self.budget.work(PATTERN_STEPS)?;
            self.patterns.insert(Arc::clone(pattern), pattern::compile(pattern)?);
        }
        Ok(self.patterns.get(pattern).is_some_and(|pattern| pattern.is_match(text)))
    }

    fn range(&mut self, from: &Value, to: &Value) -> Result<Value, String> {
        let (from, to) = (operations::int_of(from)?, operations::int_of(to)?);
        let length = i128::from(to) - i128::from(from) + 1;
        self.budget.items(usize::try_from(length.max(0)).unwrap_or(usize::MAX))?;
        Ok(Value::list(Items::Int, (from..=to).map(Value::Int).collect()))
    }

    /// `a < b < c`: each operand is evaluated once, and none after the first comparison that is false.
    pub(super) fn comparison(&mut self, first: &Node, others: &[(Binary, usize, Node)]) -> Evaluated {
        let mut left = self.value(first)?;
        for (operator, column, right) in others {
            let right = self.value(right)?;
            let outcome = at(*column, calculation(*operator, &left, &right))?;
            if !matches!(outcome, Value::Bool(true)) {
                return Ok(outcome);
            }
            left = right;
        }
        Ok(Value::Bool(true))
    }

    /// A failure with the message of an operation.
    pub(super) fn failed<T>(message: String, column: usize) -> Result<T, Failure> {
        Err(Failure::Error(message, column))
    }
}

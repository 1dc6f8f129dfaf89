//! The machine: names, branches, literals and calls.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use regex::Regex;

use super::calculation::{calculation, unary};
use super::failure::{Evaluated, Failure, at, mistyped};
use crate::budget::Budget;
use crate::error::ConditionError;
use crate::functions::{Context, function};
use crate::syntax::{Binary, Node, NodeKind};
use crate::value::{Items, Key, Value};

/// The most lists and maps in each other.
const DEPTH_MAX: usize = 200;

/// Evaluates `node` for `result`, at the time `now`.
pub(crate) fn evaluate(node: &Node, result: Option<&Value>, now: Timestamp) -> Result<Value, ConditionError> {
    let mut machine = Machine {
        result,
        now,
        budget: Budget::new(),
        variables: Vec::new(),
        items: Vec::new(),
        patterns: HashMap::new(),
    };
    Ok(machine.value(node)?)
}

/// What a predicate looks at.
pub(super) struct Scoped {
    pub(super) item: Value,
    pub(super) index: usize,
    pub(super) accumulator: Value,
}

pub(super) struct Machine<'a> {
    /// `None` where the language has no result.
    pub(super) result: Option<&'a Value>,
    pub(super) now: Timestamp,
    pub(super) budget: Budget,
    pub(super) variables: Vec<(Arc<str>, Value)>,
    pub(super) items: Vec<Scoped>,
    /// Compiled regular expressions.
    pub(super) patterns: HashMap<Arc<str>, Regex>,
}

impl Machine<'_> {
    pub(super) fn value(&mut self, node: &Node) -> Evaluated {
        at(node.column, self.budget.work(1))?;
        let value = self.unbounded_value(node)?;
        if value.depth() > DEPTH_MAX {
            let message = format!("a value has more than {DEPTH_MAX} lists and maps in each other");
            return Err(Failure::Error(message, node.column));
        }
        Ok(value)
    }

    fn unbounded_value(&mut self, node: &Node) -> Evaluated {
        let column = node.column;
        match &node.kind {
            NodeKind::Nil => Ok(Value::Nil),
            NodeKind::Bool(value) => Ok(Value::Bool(*value)),
            NodeKind::Int(value) => Ok(Value::Int(*value)),
            NodeKind::Float(value) => Ok(Value::Float(*value)),
            NodeKind::String(text) => Ok(Value::String(Arc::clone(text))),
            NodeKind::Name(name) => self.name(name, column),
            NodeKind::Pointer(name) => self.pointer(name, column),
            NodeKind::Unary(operator, operand) => {
                let operand = self.value(operand)?;
                at(column, unary(*operator, &operand))
            }
            NodeKind::Binary(operator, operands) => self.binary(*operator, operands, column),
            NodeKind::Comparison(first, others) => self.comparison(first, others),
            NodeKind::Member { owner, key, optional } => self.member(owner, key, *optional, column),
            NodeKind::Chain(inner) => match self.value(inner) {
                Err(Failure::Chain) => Ok(Value::Nil),
                other => other,
            },
            NodeKind::Slice { list, from, to } => self.slice(list, [from.as_deref(), to.as_deref()], column),
            NodeKind::Call(name, arguments) => self.call(name, arguments, column),
            NodeKind::Predicate { name, list, predicate, extra } => {
                self.predicate(name, list, predicate.as_deref(), extra.as_deref())
            }
            NodeKind::Method { owner, name, arguments, optional } => {
                self.method((owner, name, *optional), arguments, column)
            }
            NodeKind::Let { name, value, body } => {
                let value = self.value(value)?;
                self.variables.push((Arc::clone(name), value));
                let body = self.value(body);
                self.variables.pop();
                body
            }
            NodeKind::If(nodes) => {
                let [condition, yes, no] = nodes.as_ref();
                if self.truth(condition)? { self.value(yes) } else { self.value(no) }
            }
            NodeKind::IfElse(nodes) => {
                let [condition, no] = nodes.as_ref();
                if self.truth(condition)? { Ok(Value::Bool(true)) } else { self.value(no) }
            }
            NodeKind::Sequence(nodes) => self.last_of(nodes),
            NodeKind::List(nodes) => self.list(nodes, column),
            NodeKind::Map(pairs) => self.map(pairs, column),
        }
    }

    fn name(&self, name: &Arc<str>, column: usize) -> Evaluated {
        if let Some((_, value)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return Ok(value.clone());
        }
        match (name.as_ref(), self.result) {
            ("result", Some(result)) => Ok(result.clone()),
            ("$env", result) => {
                let result = result.map(|result| (Key::String("result".into()), result.clone()));
                Ok(Value::named(result.into_iter().collect()))
            }
            _ => Err(Failure::Error(format!("unknown name {name}"), column)),
        }
    }

    fn pointer(&self, name: &Arc<str>, column: usize) -> Evaluated {
        let scoped = self.items.last();
        let value = scoped.map(|scoped| match name.as_ref() {
            "index" => Value::Int(i64::try_from(scoped.index).unwrap_or(i64::MAX)),
            "acc" => scoped.accumulator.clone(),
            _ => scoped.item.clone(),
        });
        value
            .ok_or_else(|| Failure::Error("cannot use pointer accessor outside predicate".to_owned(), column))
    }

    /// The truth value that `node` is.
    pub(super) fn truth(&mut self, node: &Node) -> Result<bool, Failure> {
        let value = self.value(node)?;
        if let Value::Bool(value) = value {
            return Ok(value);
        }
        Err(Failure::Error(mistyped(&value, "bool"), node.column))
    }

    fn last_of(&mut self, nodes: &[Node]) -> Evaluated {
        let mut last = Value::Nil;
        for node in nodes {
            last = self.value(node)?;
        }
        Ok(last)
    }

    /// A list. Of integers or texts that are written down it is one of integers or texts, like in the reference.
    fn list(&mut self, nodes: &[Node], column: usize) -> Evaluated {
        at(column, self.budget.items(nodes.len()))?;
        let values = nodes.iter().map(|node| self.value(node)).collect::<Result<Vec<_>, _>>()?;
        let is_each = |is_such: fn(&NodeKind) -> bool| {
            !nodes.is_empty() && nodes.iter().all(|node| is_such(&node.kind))
        };
        let items = if is_each(|kind| matches!(kind, NodeKind::Int(_))) {
            Items::Int
        } else if is_each(|kind| matches!(kind, NodeKind::String(_))) {
            Items::String
        } else {
            Items::Any
        };
        Ok(Value::list(items, values))
    }

    fn map(&mut self, pairs: &[(Node, Node)], column: usize) -> Evaluated {
        at(column, self.budget.items(pairs.len()))?;
        let mut entries = BTreeMap::new();
        for (key, value) in pairs {
            let found = self.value(key)?;
            let Value::String(name) = found else {
                return Err(Failure::Error(mistyped(&found, "string"), key.column));
            };
            entries.insert(Key::String(name), self.value(value)?);
        }
        Ok(Value::named(entries))
    }

    fn call(&mut self, name: &str, arguments: &[Node], column: usize) -> Evaluated {
        let Some(function) = function(name) else {
            return Err(Failure::Error(format!("unknown name {name}"), column));
        };
        let mut values = Vec::with_capacity(arguments.len());
        for (index, argument) in arguments.iter().enumerate() {
            let value = if function.takes_floats() { self.float(argument) } else { self.value(argument) };
            values.push(match value {
                Err(Failure::Missing(..) | Failure::Chain) if index == 0 && function.is_lenient() => {
                    Value::Nil
                }
                other => other?,
            });
        }
        let mut context = Context {
            budget: &mut self.budget,
            now: self.now,
            is_result_nil: matches!(self.result, Some(Value::Nil)),
        };
        at(column, (function.run)(&values, &mut context))
    }

    /// The value of an argument that is a float: integers that are written in it are floats.
    fn float(&mut self, node: &Node) -> Evaluated {
        match &node.kind {
            #[expect(clippy::cast_precision_loss, reason = "Go rounds, too")]
            NodeKind::Int(value) => Ok(Value::Float(*value as f64)),
            NodeKind::Unary(operator, operand) => {
                let operand = self.float(operand)?;
                at(node.column, unary(*operator, &operand))
            }
            NodeKind::Binary(operator @ (Binary::Plus | Binary::Minus | Binary::Times), operands) => {
                let left = self.float(&operands[0])?;
                let right = self.float(&operands[1])?;
                at(node.column, calculation(*operator, &left, &right))
            }
            _ => self.value(node),
        }
    }
}

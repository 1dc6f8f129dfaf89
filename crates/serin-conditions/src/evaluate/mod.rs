//! Evaluates an expression that was checked.

mod members;
mod operators;
mod predicates;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use regex::Regex;

use crate::budget::Budget;
use crate::error::ConditionError;
use crate::functions::{Context, function};
use crate::operations::Missing;
use crate::syntax::{Binary, Node, NodeKind};
use crate::value::{Items, Key, Value};

/// The most lists and maps in each other.
const DEPTH_MAX: usize = 200;

/// A value, or why there is none.
type Evaluated = Result<Value, Failure>;

/// Why an evaluation ended.
enum Failure {
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
struct Scoped {
    item: Value,
    index: usize,
    accumulator: Value,
}

struct Machine<'a> {
    /// `None` where the language has no result.
    result: Option<&'a Value>,
    now: Timestamp,
    budget: Budget,
    variables: Vec<(Arc<str>, Value)>,
    items: Vec<Scoped>,
    /// Compiled regular expressions.
    patterns: HashMap<Arc<str>, Regex>,
}

/// A value from an operation at `column`.
fn at<T>(column: usize, outcome: Result<T, String>) -> Result<T, Failure> {
    outcome.map_err(|message| Failure::Error(message, column))
}

/// A member at `column`.
fn found(column: usize, outcome: Result<Value, Missing>) -> Evaluated {
    outcome.map_err(|missing| {
        if missing.is_absent {
            Failure::Missing(missing.message, column)
        } else {
            Failure::Error(missing.message, column)
        }
    })
}

/// The message about a value that has another type than `wanted`.
fn mistyped(value: &Value, wanted: &str) -> String {
    let found = if matches!(value, Value::Nil) { "nil" } else { value.type_name() };
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}

impl Machine<'_> {
    fn value(&mut self, node: &Node) -> Evaluated {
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
                at(column, operators::unary(*operator, &operand))
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
            NodeKind::Predicate { name, list, predicate, last } => {
                self.predicate(name, list, predicate.as_deref(), last.as_deref())
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
    fn truth(&mut self, node: &Node) -> Result<bool, Failure> {
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
                at(node.column, operators::unary(*operator, &operand))
            }
            NodeKind::Binary(operator @ (Binary::Plus | Binary::Minus | Binary::Times), operands) => {
                let left = self.float(&operands[0])?;
                let right = self.float(&operands[1])?;
                at(node.column, operators::calculation(*operator, &left, &right))
            }
            _ => self.value(node),
        }
    }
}

//! Evaluates members, slices and methods.

use super::failure::{Evaluated, Failure, at, found};
use super::machine::Machine;
use crate::functions::{Context, method};
use crate::operations;
use crate::syntax::{Node, NodeKind};
use crate::types::Type;
use crate::value::Value;

impl Machine<'_> {
    pub(super) fn member(&mut self, owner: &Node, key: &Node, optional: bool, column: usize) -> Evaluated {
        if let (NodeKind::Name(env), NodeKind::String(name), Some(result)) =
            (&owner.kind, &key.kind, self.result)
            && (env.as_ref(), name.as_ref()) == ("$env", "result")
        {
            return Ok(result.clone());
        }
        let value = self.value(owner)?;
        if optional && matches!(value, Value::Nil) {
            return Err(Failure::Chain);
        }
        let key = self.value(key)?;
        found(column, operations::fetch(&value, &key))
    }

    pub(super) fn slice(&mut self, list: &Node, ends: [Option<&Node>; 2], column: usize) -> Evaluated {
        let value = self.value(list)?;
        let [from, to] = ends.map(|end| end.map(|end| self.value(end)).transpose());
        let (from, to) = (from?, to?);
        at(column, operations::slice(&value, from.as_ref(), to.as_ref(), &mut self.budget))
    }

    /// A method by its owner, its name, and whether the owner may be nil.
    pub(super) fn method(
        &mut self,
        (owner, name, optional): (&Node, &str, bool),
        arguments: &[Node],
        column: usize,
    ) -> Evaluated {
        let owner = self.value(owner)?;
        if optional && matches!(owner, Value::Nil) {
            return Err(Failure::Chain);
        }
        let Some(method) = method(&Type::of(&owner), name) else {
            let message = format!("cannot fetch {name} from {}", owner.type_name());
            return if matches!(owner, Value::Nil) {
                Err(Failure::Missing(message, column))
            } else {
                Self::failed(message, column)
            };
        };
        let mut values = vec![owner];
        for (index, argument) in arguments.iter().enumerate() {
            let value = self.value(argument)?;
            let wants_duration = method.takes.get(index).is_some_and(|kind| kind.to_type() == Type::Duration);
            values.push(match value {
                Value::Int(nanos) if wants_duration => Value::Duration(nanos),
                value => value,
            });
        }
        if values.len() != method.takes.len() + 1 {
            return Self::failed(format!("wrong number of arguments to call {name}"), column);
        }
        let mut context = Context { budget: &mut self.budget, now: self.now, is_result_nil: false };
        at(column, (method.run)(&values, &mut context))
    }
}

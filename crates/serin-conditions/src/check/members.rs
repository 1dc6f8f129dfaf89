//! Checks members, slices and methods.

use super::checker::{Checked, Checker, Names};
use crate::error::ConditionError;
use crate::functions::method;
use crate::syntax::{Node, NodeKind};
use crate::types::Type;
use crate::value::MapKind;

impl Checker<'_> {
    pub(super) fn member(&mut self, owner: &Node, key: &Node, column: usize) -> Checked {
        if let (NodeKind::Name(env), NodeKind::String(name)) = (&owner.kind, &key.kind)
            && env.as_ref() == "$env"
        {
            return self.variable_of_env(name, column);
        }
        let found = self.check(owner)?;
        let by = self.check(key)?;
        let is_nil = found == Type::Nil;
        if is_nil && self.lenient > 0 {
            return Ok(Type::Nil);
        }
        let error = |node: &Node, message: String| Err(ConditionError::at(node.column, message));
        match (&found, &key.kind) {
            (Type::Any, _) => Ok(Type::Any),
            (Type::Map(kind, value), _) => {
                let is_key = by == Type::String || by.is_any() || by == Type::Nil || *kind == MapKind::Groups;
                if !is_key {
                    return error(key, format!("cannot use {by} to get an element from {found}"));
                }
                Ok(match kind {
                    MapKind::Named => value.as_ref().clone(),
                    MapKind::Groups => Type::list(crate::value::Items::Any),
                })
            }
            (Type::List(_, item), _) if by.is_integer() || by.is_any() => Ok(item.as_ref().clone()),
            (Type::List(..), _) => {
                error(key, format!("array elements can only be selected using an integer (got {by})"))
            }
            (_, NodeKind::String(name)) => {
                Err(ConditionError::at(column, format!("type {} has no field {name}", found.owner_name())))
            }
            _ => Err(ConditionError::at(column, format!("type {found}[{by}] is undefined"))),
        }
    }

    fn variable_of_env(&self, name: &str, column: usize) -> Checked {
        match (name, self.names) {
            ("result", Names::Condition(result)) => Ok(result.clone()),
            _ => Err(ConditionError::at(column, format!("unknown name {name}"))),
        }
    }

    pub(super) fn slice(&mut self, list: &Node, ends: [Option<&Node>; 2], column: usize) -> Checked {
        let found = self.check(list)?;
        let is_sliced = matches!(found, Type::Any | Type::String | Type::List(..));
        if !is_sliced {
            return Err(ConditionError::at(column, format!("cannot slice {found}")));
        }
        for end in ends.into_iter().flatten() {
            let index = self.check(end)?;
            if !index.is_integer() && !index.is_any() {
                return Err(ConditionError::at(end.column, format!("non-integer slice index {index}")));
            }
        }
        Ok(found)
    }

    pub(super) fn method(&mut self, owner: &Node, name: &str, arguments: &[Node], column: usize) -> Checked {
        let found = self.check(owner)?;
        let types = arguments.iter().map(|node| self.check(node)).collect::<Result<Vec<_>, _>>()?;
        if found.is_any() || matches!(found, Type::Map(..)) {
            return Ok(Type::Any);
        }
        let Some(method) = method(&found, name) else {
            let message = format!("type {} has no method {name}", found.owner_name());
            return Err(ConditionError::at(column, message));
        };
        let (given, taken) = (types.len(), method.takes.len());
        if given != taken {
            let amount = if given > taken { "too many" } else { "not enough" };
            return Err(ConditionError::at(column, format!("{amount} arguments to call {name}")));
        }
        for ((found, wanted), node) in types.iter().zip(method.takes).zip(arguments) {
            let wanted = wanted.to_type();
            // An integer is a number of nanoseconds where a duration is asked for.
            let is_duration = wanted == Type::Duration && found.is_integer();
            if !found.fits(&wanted) && !is_duration {
                let message = format!("cannot use {found} as argument (type {wanted}) to call {name} ");
                return Err(ConditionError::at(node.column, message));
            }
        }
        Ok(method.returns.to_type())
    }
}

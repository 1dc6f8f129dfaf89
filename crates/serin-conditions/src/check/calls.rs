//! Checks calls of functions, with and without a predicate.

use super::checker::{Checked, Checker, Scoped};
use crate::error::ConditionError;
use crate::functions::{Function, Overload, Signature, function};
use crate::syntax::Node;
use crate::types::Type;
use crate::value::{Items, MapKind};

impl Checker<'_> {
    pub(super) fn call(&mut self, name: &str, arguments: &[Node], column: usize) -> Checked {
        let found = function(name).filter(|function| self.names.has(function.scope));
        let Some(function) = found else {
            let message = match self.variables.iter().rev().find(|(known, _)| known.as_ref() == name) {
                Some((_, found)) => format!("{found} is not callable"),
                None if name == "result" => "result is not callable".to_owned(),
                None => format!("unknown name {name}"),
            };
            return Err(ConditionError::at(column, message));
        };
        match &function.signature {
            Signature::Rule(rule) => {
                let types = self.types(function, arguments)?;
                rule(&types).map_err(|message| ConditionError::at(column, message))
            }
            Signature::Overloads(overloads) => self.overloaded(function, overloads, arguments, column),
        }
    }

    /// The types of the arguments. What is missing in the first one is nil where the function is about that.
    fn types(&mut self, function: &Function, arguments: &[Node]) -> Result<Vec<Type>, ConditionError> {
        let mut types = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            let is_lenient = index == 0 && function.is_lenient();
            self.lenient += usize::from(is_lenient);
            let found = self.check(argument);
            self.lenient -= usize::from(is_lenient);
            types.push(found?);
        }
        Ok(types)
    }

    fn overloaded(
        &mut self,
        function: &Function,
        overloads: &[Overload],
        arguments: &[Node],
        column: usize,
    ) -> Checked {
        let name = function.name;
        let given = arguments.len();
        // As in the reference, arguments are looked at only where their number is right.
        let mut problem = ConditionError::at(column, format!("no matching overload for {name}"));
        let is_possible = overloads.iter().any(|(takes, _)| takes.len() == given);
        let types = if is_possible { self.types(function, arguments)? } else { Vec::new() };
        for (takes, returns) in overloads {
            if takes.len() != given {
                let amount = if given > takes.len() { "too many" } else { "not enough" };
                problem = ConditionError::at(column, format!("{amount} arguments to call {name}"));
                continue;
            }
            let wanted = takes.iter().map(|kind| kind.to_type());
            let wrong = types.iter().zip(wanted).zip(arguments).find_map(|((found, wanted), node)| {
                let message = mismatch(found, &wanted, name)?;
                Some(ConditionError::at(node.column, message))
            });
            match wrong {
                Some(error) => problem = error,
                None => return Ok(returns.to_type()),
            }
        }
        Err(problem)
    }

    pub(super) fn predicate(
        &mut self,
        name: &str,
        list: &Node,
        predicate: Option<&Node>,
        extra: Option<&Node>,
    ) -> Checked {
        let found = self.check(list)?;
        if !found.is_any() && found.items().is_none() {
            let message = format!("builtin {name} takes only array (got {found})");
            return Err(ConditionError::at(list.column, message));
        }
        let item = found.items().cloned().unwrap_or(Type::Any);
        let returned = match predicate {
            Some(predicate) => Some((self.applied(name, item.clone(), predicate)?, predicate)),
            None => None,
        };
        if let Some(extra) = extra {
            self.check(extra)?;
        }
        let is_test = !matches!(name, "map" | "sum" | "groupBy" | "sortBy" | "reduce");
        if let Some((returned, predicate)) = returned.as_ref().filter(|_| is_test)
            && *returned != Type::Bool
            && !returned.is_any()
        {
            let message = format!("predicate should return boolean (got {returned})");
            return Err(ConditionError::at(predicate.column, message));
        }
        let returned = returned.map_or_else(|| item.clone(), |(returned, _)| returned);
        Ok(match name {
            "filter" if found.is_any() => Type::list(Items::Any),
            "filter" => Type::list_of(item),
            "map" => Type::list_of(returned),
            "count" | "findIndex" | "findLastIndex" => Type::Int,
            "sum" | "reduce" => returned,
            "find" | "findLast" => item,
            "groupBy" => Type::Map(MapKind::Groups, Box::new(Type::list_of(item))),
            "sortBy" => Type::list(Items::Any),
            _ => Type::Bool,
        })
    }

    /// The type that `predicate` returns for an item.
    fn applied(&mut self, name: &str, item: Type, predicate: &Node) -> Checked {
        self.items.push(Scoped { item, reduces: name == "reduce" });
        let returned = self.check(predicate);
        self.items.pop();
        let returned = returned?;
        if returned == Type::Nil && self.lenient == 0 {
            return Err(ConditionError::at(predicate.column, "predicate cannot be nil"));
        }
        Ok(returned)
    }
}

/// The message about an argument of the type `found` where `wanted` is asked for; `None` if it fits.
fn mismatch(found: &Type, wanted: &Type, name: &str) -> Option<String> {
    let is_number = found.is_number() && *wanted == Type::Float || found.is_integer() && wanted.is_integer();
    if found.fits(wanted) || is_number {
        return None;
    }
    if *found == Type::Nil {
        return Some(format!("cannot use nil as argument (type {wanted}) to call {name}"));
    }
    Some(format!("cannot use {found} as argument (type {wanted}) to call {name} "))
}

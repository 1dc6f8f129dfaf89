//! Evaluates functions that apply a predicate to the items of a list.

use std::collections::BTreeMap;

use super::failure::{Evaluated, Failure, at, mistyped};
use super::machine::{Machine, Scoped};
use crate::functions::{Context, is_descending, sorted};
use crate::operations;
use crate::syntax::Node;
use crate::value::{Key, MapKind, Value};

impl Machine<'_> {
    pub(super) fn predicate(
        &mut self,
        name: &str,
        list: &Node,
        predicate: Option<&Node>,
        extra: Option<&Node>,
    ) -> Evaluated {
        let column = list.column;
        let list = self.value(list)?;
        let items = at(column, operations::items(&list, &mut self.budget))?;
        match name {
            "all" => Ok(Value::Bool(self.position(&items, predicate, column, false)?.is_none())),
            "any" => Ok(Value::Bool(self.position(&items, predicate, column, true)?.is_some())),
            "none" => Ok(Value::Bool(self.position(&items, predicate, column, true)?.is_none())),
            "one" => Ok(Value::Bool(self.matching(&items, predicate, column)?.len() == 1)),
            "count" => Ok(index_value(self.matching(&items, predicate, column)?.len())),
            "filter" => {
                let kept = self.matching(&items, predicate, column)?;
                at(column, self.budget.items(kept.len()))?;
                Ok(Value::any_list(kept.into_iter().map(|index| items[index].clone()).collect()))
            }
            "find" | "findIndex" => {
                let index = self.position(&items, predicate, column, true)?;
                Ok(found_item(name == "findIndex", index, &items))
            }
            "findLast" | "findLastIndex" => {
                let index = self.last_position(&items, predicate, column)?;
                Ok(found_item(name == "findLastIndex", index, &items))
            }
            "map" => {
                at(column, self.budget.items(items.len()))?;
                Ok(Value::any_list(self.applied(&items, predicate)?))
            }
            "sum" => self.sum(&items, predicate, column),
            "groupBy" => self.group_by(&items, predicate, column),
            "sortBy" => self.sort_by(&items, predicate, extra, column),
            "reduce" => self.reduce(&items, predicate, extra, column),
            _ => Self::failed(format!("unknown builtin {name}"), column),
        }
    }

    /// The value of `predicate` for an item; the item where there is no predicate.
    fn apply(
        &mut self,
        item: &Value,
        index: usize,
        accumulator: Value,
        predicate: Option<&Node>,
    ) -> Evaluated {
        let Some(predicate) = predicate else { return Ok(item.clone()) };
        self.items.push(Scoped { item: item.clone(), index, accumulator });
        let value = self.value(predicate);
        self.items.pop();
        value
    }

    fn applied(&mut self, items: &[Value], predicate: Option<&Node>) -> Result<Vec<Value>, Failure> {
        let items = items.iter().enumerate();
        items.map(|(index, item)| self.apply(item, index, Value::Nil, predicate)).collect()
    }

    fn is_match(
        &mut self,
        (index, item): (usize, &Value),
        predicate: Option<&Node>,
        column: usize,
    ) -> Result<bool, Failure> {
        match self.apply(item, index, Value::Nil, predicate)? {
            Value::Bool(value) => Ok(value),
            other => {
                let column = predicate.map_or(column, |predicate| predicate.column);
                Self::failed(mistyped(&other, "bool"), column)
            }
        }
    }

    /// The index of the first item for which the predicate is `wanted`. Later items are not looked at.
    fn position(
        &mut self,
        items: &[Value],
        predicate: Option<&Node>,
        column: usize,
        wanted: bool,
    ) -> Result<Option<usize>, Failure> {
        for item in items.iter().enumerate() {
            if self.is_match(item, predicate, column)? == wanted {
                return Ok(Some(item.0));
            }
        }
        Ok(None)
    }

    fn last_position(
        &mut self,
        items: &[Value],
        predicate: Option<&Node>,
        column: usize,
    ) -> Result<Option<usize>, Failure> {
        for item in items.iter().enumerate().rev() {
            if self.is_match(item, predicate, column)? {
                return Ok(Some(item.0));
            }
        }
        Ok(None)
    }

    fn matching(
        &mut self,
        items: &[Value],
        predicate: Option<&Node>,
        column: usize,
    ) -> Result<Vec<usize>, Failure> {
        let mut matching = Vec::new();
        for item in items.iter().enumerate() {
            if self.is_match(item, predicate, column)? {
                matching.push(item.0);
            }
        }
        Ok(matching)
    }

    fn sum(&mut self, items: &[Value], predicate: Option<&Node>, column: usize) -> Evaluated {
        let mut sum = Value::Int(0);
        for (index, item) in items.iter().enumerate() {
            let value = self.apply(item, index, Value::Nil, predicate)?;
            sum = at(column, operations::add(&value, &sum))?;
        }
        Ok(sum)
    }

    fn reduce(
        &mut self,
        items: &[Value],
        predicate: Option<&Node>,
        start: Option<&Node>,
        column: usize,
    ) -> Evaluated {
        let (mut accumulator, skipped) = match (start, items.first()) {
            (Some(start), _) => (self.value(start)?, 0),
            (None, Some(first)) => (first.clone(), 1),
            (None, None) => {
                return Self::failed("reduce of empty array with no initial value".to_owned(), column);
            }
        };
        for (index, item) in items.iter().enumerate().skip(skipped) {
            accumulator = self.apply(item, index, accumulator, predicate)?;
        }
        Ok(accumulator)
    }

    fn group_by(&mut self, items: &[Value], predicate: Option<&Node>, column: usize) -> Evaluated {
        at(column, self.budget.items(items.len()))?;
        let mut groups: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            let value = self.apply(item, index, Value::Nil, predicate)?;
            let Some(key) = Key::of(&value) else {
                let message = format!("runtime error: hash of unhashable type {}", value.type_name());
                return Self::failed(message, column);
            };
            groups.entry(key).or_default().push(item.clone());
        }
        let groups = groups.into_iter().map(|(key, items)| (key, Value::any_list(items)));
        Ok(Value::map(MapKind::Groups, groups.collect()))
    }

    fn sort_by(
        &mut self,
        items: &[Value],
        predicate: Option<&Node>,
        order: Option<&Node>,
        column: usize,
    ) -> Evaluated {
        let keys = self.applied(items, predicate)?;
        let is_descending = match order.map(|order| self.value(order)).transpose()? {
            None => false,
            Some(Value::String(order)) => at(column, is_descending(&order))?,
            Some(other) => return Self::failed(mistyped(&other, "string"), column),
        };
        let mut context = Context { budget: &mut self.budget, now: self.now, is_result_nil: false };
        let order = at(column, sorted(&keys, is_descending, &mut context))?;
        Ok(Value::any_list(order.into_iter().map(|index| items[index].clone()).collect()))
    }
}

fn index_value(index: usize) -> Value {
    Value::Int(i64::try_from(index).unwrap_or(i64::MAX))
}

/// The item at `index`, or the index. Where nothing was found: nil, or -1.
fn found_item(wants_index: bool, index: Option<usize>, items: &[Value]) -> Value {
    match index {
        Some(index) if wants_index => index_value(index),
        Some(index) => items[index].clone(),
        None if wants_index => Value::Int(-1),
        None => Value::Nil,
    }
}

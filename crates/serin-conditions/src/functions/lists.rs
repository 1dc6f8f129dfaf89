//! Functions of lists.

use std::cmp::Ordering;

use super::numbers::one;
use super::signature::{Context, Outcome, argument, text};
use crate::operations::{compare, equal, fetch, float_of};
use crate::types::Type;
use crate::value::{Items, List, MapKind, Value};

/// Checks that the only argument is a list.
fn check_list(arguments: &[Type], returns: Type, problem: &str) -> Result<Type, String> {
    let argument = one(arguments)?;
    if argument.is_any() || argument.items().is_some() {
        return Ok(returns);
    }
    Err(format!("{problem} {}", argument.argument_name()))
}

/// The list that the first argument is.
fn list<'a>(arguments: &'a [Value], problem: &str) -> Result<&'a List, String> {
    match argument(arguments, 0) {
        Value::List(list) => Ok(list),
        other => Err(format!("{problem} {}", other.type_name())),
    }
}

pub(super) fn check_len(arguments: &[Type]) -> Result<Type, String> {
    let argument = one(arguments)?;
    let is_counted = matches!(argument, Type::Any | Type::String | Type::List(..) | Type::Map(..));
    if is_counted {
        return Ok(Type::Int);
    }
    Err(format!("invalid argument for len (type {})", argument.argument_name()))
}

/// The items of a list, the entries of a map, or the characters of a text.
pub(super) fn len(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let length = match argument(arguments, 0) {
        Value::List(list) => list.values.len(),
        Value::Map(map) => map.entries.len(),
        Value::String(text) => {
            context.budget.look_at(text.len() / 8)?;
            text.chars().count()
        }
        other => return Err(format!("invalid argument for len (type {})", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn check_end(arguments: &[Type], problem: &str) -> Result<Type, String> {
    let item = arguments.first().and_then(Type::items).cloned().unwrap_or(Type::Any);
    check_list(arguments, item, problem)
}

pub(super) fn check_first(arguments: &[Type]) -> Result<Type, String> {
    check_end(arguments, "cannot get first element from")
}

pub(super) fn check_last(arguments: &[Type]) -> Result<Type, String> {
    check_end(arguments, "cannot get last element from")
}

fn end(arguments: &[Value], index: i64) -> Outcome {
    Ok(fetch(argument(arguments, 0), &Value::Int(index)).unwrap_or(Value::Nil))
}

pub(super) fn first(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    end(arguments, 0)
}

pub(super) fn last(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    end(arguments, -1)
}

pub(super) fn check_take(arguments: &[Type]) -> Result<Type, String> {
    let [list, count] = arguments else {
        return Err(format!("invalid number of arguments (expected 2, got {})", arguments.len()));
    };
    if !list.is_any() && list.items().is_none() {
        return Err(format!("cannot take from {}", list.argument_name()));
    }
    if !count.is_any() && !count.is_integer() {
        return Err(format!("cannot take {} elements", count.argument_name()));
    }
    Ok(list.clone())
}

pub(super) fn take(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let list = list(arguments, "cannot take from")?;
    let Value::Int(count) = argument(arguments, 1) else {
        return Err(format!("cannot take {} elements", argument(arguments, 1).type_name()));
    };
    let Ok(count) = usize::try_from(*count) else {
        return Err("reflect.Value.Slice: slice index out of bounds".to_owned());
    };
    let count = count.min(list.values.len());
    context.budget.items(count)?;
    Ok(Value::list(list.items, list.values[..count].to_vec()))
}

pub(super) fn check_reverse(arguments: &[Type]) -> Result<Type, String> {
    check_list(arguments, Type::list(Items::Any), "cannot reverse")
}

pub(super) fn reverse(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let list = list(arguments, "cannot reverse")?;
    context.budget.items(list.values.len())?;
    Ok(Value::any_list(list.values.iter().rev().cloned().collect()))
}

pub(super) fn check_uniq(arguments: &[Type]) -> Result<Type, String> {
    check_list(arguments, Type::list(Items::Any), "cannot uniq")
}

pub(super) fn uniq(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let list = list(arguments, "cannot uniq")?;
    let mut kept: Vec<Value> = Vec::new();
    for value in list.values.iter() {
        context.budget.items(1)?;
        let mut is_known = false;
        for other in &kept {
            is_known = is_known || equal(value, other, context.budget)?;
        }
        if !is_known {
            kept.push(value.clone());
        }
    }
    Ok(Value::any_list(kept))
}

pub(super) fn check_concat(arguments: &[Type]) -> Result<Type, String> {
    if arguments.is_empty() {
        return Err("invalid number of arguments (expected at least 1, got 0)".to_owned());
    }
    for argument in arguments {
        check_list(std::slice::from_ref(argument), Type::Any, "cannot concat")?;
    }
    Ok(Type::list(Items::Any))
}

pub(super) fn concat(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let mut values = Vec::new();
    for index in 0..arguments.len() {
        let list = list(&arguments[index..], "cannot concat")?;
        context.budget.items(list.values.len())?;
        values.extend(list.values.iter().cloned());
    }
    Ok(Value::any_list(values))
}

pub(super) fn check_flatten(arguments: &[Type]) -> Result<Type, String> {
    check_list(arguments, Type::list(Items::Any), "cannot flatten")
}

pub(super) fn flatten(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let mut values = Vec::new();
    flatten_into(list(arguments, "cannot flatten")?, &mut values, context)?;
    Ok(Value::any_list(values))
}

fn flatten_into(list: &List, values: &mut Vec<Value>, context: &mut Context<'_>) -> Result<(), String> {
    for value in list.values.iter() {
        context.budget.items(1)?;
        match value {
            Value::List(list) => flatten_into(list, values, context)?,
            value => values.push(value.clone()),
        }
    }
    Ok(())
}

/// True for the order `desc`, false for `asc`.
pub(crate) fn is_descending(order: &str) -> Result<bool, String> {
    match order {
        "asc" => Ok(false),
        "desc" => Ok(true),
        _ => Err(format!("invalid order {order}, expected asc or desc")),
    }
}

pub(super) fn sort(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let is_descending = if arguments.len() > 1 { is_descending(text(arguments, 1)?)? } else { false };
    let list = list(arguments, "cannot sort")?;
    let keys: Vec<Value> = list.values.to_vec();
    let order = sorted(&keys, is_descending, context)?;
    Ok(Value::any_list(order.into_iter().map(|index| keys[index].clone()).collect()))
}

/// The indices of `keys` in their order. An error if they have none.
pub(crate) fn sorted(
    keys: &[Value],
    is_descending: bool,
    context: &mut Context<'_>,
) -> Result<Vec<usize>, String> {
    context.budget.items(keys.len())?;
    // A comparison is about as often as the logarithm of the length, and may be of texts.
    context.budget.look_at(keys.len().saturating_mul(32))?;
    let mut order: Vec<usize> = (0..keys.len()).collect();
    for pair in keys.windows(2) {
        compare("<", &pair[1], &pair[0])?;
    }
    let is_mixed = keys.iter().any(|key| matches!(key, Value::Float(_)));
    order.sort_by(|left, right| {
        let ordering = total_order(&keys[*left], &keys[*right], is_mixed);
        if is_descending { ordering.reverse() } else { ordering }
    });
    Ok(order)
}

/// An order of values that are comparable with each other. NaN is before all numbers.
fn total_order(left: &Value, right: &Value, is_mixed: bool) -> Ordering {
    if is_mixed {
        let (left, right) = (float_of(left).unwrap_or(f64::NAN), float_of(right).unwrap_or(f64::NAN));
        return left.partial_cmp(&right).unwrap_or(right.is_nan().cmp(&left.is_nan()));
    }
    compare("<", left, right).ok().flatten().unwrap_or(Ordering::Equal)
}

pub(super) fn check_get(arguments: &[Type]) -> Result<Type, String> {
    let [owner, key] = arguments else {
        return Err(format!("invalid number of arguments (expected 2, got {})", arguments.len()));
    };
    match owner {
        Type::Any => Ok(Type::Any),
        Type::List(..) | Type::Map(..) if *key == Type::Nil => {
            let kind = if owner.items().is_some() { "slice" } else { "map" };
            Err(format!("cannot use nil as {kind} index"))
        }
        Type::List(_, item) if key.is_integer() || key.is_any() => Ok(item.as_ref().clone()),
        Type::List(..) => Err(format!("non-integer slice index {key}")),
        Type::Map(MapKind::Named, _) if *key != Type::String && !key.is_any() => {
            Err(format!("cannot use {key} to get an element from {owner}"))
        }
        Type::Map(_, value) => Ok(value.as_ref().clone()),
        _ => Err(format!("type {owner} does not support indexing")),
    }
}

/// The member of a list or map; nil if there is none.
pub(super) fn get(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    let owner = argument(arguments, 0);
    match fetch(owner, argument(arguments, 1)) {
        Ok(value) => Ok(value),
        Err(missing) if missing.is_absent => Ok(Value::Nil),
        Err(_) if !matches!(owner, Value::List(_) | Value::Map(_) | Value::String(_)) => Ok(Value::Nil),
        Err(missing) => Err(missing.message),
    }
}

//! Functions of maps.

use std::collections::BTreeMap;

use super::numbers::one;
use super::signature::{Context, Outcome, argument};
use crate::text::brief;
use crate::types::Type;
use crate::value::{Items, Key, Map, Value};

/// Checks that the only argument is a map.
fn check_map(arguments: &[Type], problem: (&str, &str)) -> Result<Type, String> {
    let argument = one(arguments)?;
    if argument.is_any() || matches!(argument, Type::Map(..)) {
        return Ok(Type::list(Items::Any));
    }
    Err(format!("{} {}{}", problem.0, argument.argument_name(), problem.1))
}

/// The map that the first argument is.
fn map<'a>(
    arguments: &'a [Value],
    problem: (&str, &str),
    context: &mut Context<'_>,
) -> Result<&'a Map, String> {
    let Value::Map(map) = argument(arguments, 0) else {
        return Err(format!("{} {}{}", problem.0, argument(arguments, 0).type_name(), problem.1));
    };
    context.budget.items(map.entries.len())?;
    Ok(map)
}

const KEYS: (&str, &str) = ("cannot get keys from", "");
const VALUES: (&str, &str) = ("cannot get values from", "");
const PAIRS: (&str, &str) = ("cannot transform", " to pairs");

pub(super) fn check_keys(arguments: &[Type]) -> Result<Type, String> {
    check_map(arguments, KEYS)
}

/// The keys in their order.
pub(super) fn keys(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let map = map(arguments, KEYS, context)?;
    Ok(Value::any_list(map.entries.keys().map(Key::value).collect()))
}

pub(super) fn check_values(arguments: &[Type]) -> Result<Type, String> {
    check_map(arguments, VALUES)
}

/// The values in the order of their keys.
pub(super) fn values(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let map = map(arguments, VALUES, context)?;
    Ok(Value::any_list(map.entries.values().cloned().collect()))
}

pub(super) fn check_to_pairs(arguments: &[Type]) -> Result<Type, String> {
    check_map(arguments, PAIRS)
}

pub(super) fn to_pairs(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let map = map(arguments, PAIRS, context)?;
    context.budget.items(map.entries.len())?;
    let pair = |(key, value): (&Key, &Value)| Value::list(Items::Pair, vec![key.value(), value.clone()]);
    Ok(Value::list(Items::Pairs, map.entries.iter().map(pair).collect()))
}

pub(super) fn check_from_pairs(arguments: &[Type]) -> Result<Type, String> {
    let argument = one(arguments)?;
    if argument.is_any() || argument.items().is_some() {
        return Ok(Type::named());
    }
    Err(format!("cannot transform {} from pairs", argument.argument_name()))
}

pub(super) fn from_pairs(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let Value::List(pairs) = argument(arguments, 0) else {
        return Err(format!("cannot transform {} from pairs", argument(arguments, 0).type_name()));
    };
    context.budget.items(pairs.values.len())?;
    let mut entries = BTreeMap::new();
    for pair in pairs.values.iter() {
        let Value::List(list) = pair else { return Err(format!("invalid pair {}", brief(pair))) };
        let [key, value] = list.values.as_ref() else {
            return Err(format!("invalid pair length {}", brief(pair)));
        };
        let Value::String(key) = key else {
            let found = key.type_name();
            return Err(format!(
                "reflect.Value.SetMapIndex: value of type {found} is not assignable to type string"
            ));
        };
        entries.insert(Key::String(key.clone()), value.clone());
    }
    Ok(Value::named(entries))
}

//! Functions of numbers.

use std::cmp::Ordering;

use serin_values::go_text::quoted;

use super::signature::{Context, Outcome, argument};
use crate::operations::{compare, float_of, int_of, negate, truncated};
use crate::text::brief;
use crate::types::Type;
use crate::value::Value;

/// Checks that there is one argument.
pub(super) fn one(arguments: &[Type]) -> Result<&Type, String> {
    if let [argument] = arguments {
        return Ok(argument);
    }
    Err(format!("invalid number of arguments (expected 1, got {})", arguments.len()))
}

pub(super) fn check_abs(arguments: &[Type]) -> Result<Type, String> {
    let argument = one(arguments)?;
    if argument.is_number() || argument.is_any() {
        return Ok(argument.clone());
    }
    Err(format!("invalid argument for abs (type {})", argument.argument_name()))
}

pub(super) fn abs(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    match argument(arguments, 0) {
        Value::Int(value) => Ok(Value::Int(value.wrapping_abs())),
        // Like the reference, minus zero stays.
        Value::Float(value) if *value < 0.0 => negate(argument(arguments, 0)),
        Value::Float(value) => Ok(Value::Float(*value)),
        other => Err(format!("invalid argument for abs (type {})", other.type_name())),
    }
}

fn check_rounding(name: &str, arguments: &[Type]) -> Result<Type, String> {
    let argument = one(arguments)?;
    if argument.is_number() || argument.is_any() {
        return Ok(Type::Float);
    }
    Err(format!("invalid argument for {name} (type {})", argument.argument_name()))
}

pub(super) fn check_ceil(arguments: &[Type]) -> Result<Type, String> {
    check_rounding("ceil", arguments)
}

pub(super) fn check_floor(arguments: &[Type]) -> Result<Type, String> {
    check_rounding("floor", arguments)
}

pub(super) fn check_round(arguments: &[Type]) -> Result<Type, String> {
    check_rounding("round", arguments)
}

fn rounded(name: &str, arguments: &[Value], round: fn(f64) -> f64) -> Outcome {
    let value = argument(arguments, 0);
    let number =
        float_of(value).map_err(|_| format!("invalid argument for {name} (type {})", value.type_name()))?;
    Ok(Value::Float(round(number)))
}

pub(super) fn ceil(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    rounded("ceil", arguments, f64::ceil)
}

pub(super) fn floor(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    rounded("floor", arguments, f64::floor)
}

pub(super) fn round(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    rounded("round", arguments, f64::round)
}

fn check_number_or_text(name: &str, arguments: &[Type], returns: Type) -> Result<Type, String> {
    let argument = one(arguments)?;
    let is_counted = matches!(argument, Type::String | Type::Duration | Type::Month | Type::Weekday);
    if argument.is_number() || argument.is_any() || is_counted {
        return Ok(returns);
    }
    Err(format!("invalid argument for {name} (type {})", argument.argument_name()))
}

pub(super) fn check_int(arguments: &[Type]) -> Result<Type, String> {
    check_number_or_text("int", arguments, Type::Int)
}

pub(super) fn check_float(arguments: &[Type]) -> Result<Type, String> {
    check_number_or_text("float", arguments, Type::Float)
}

pub(super) fn int(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    match argument(arguments, 0) {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        Value::Duration(value) => Ok(Value::Int(*value)),
        Value::Month(value) | Value::Weekday(value) => Ok(Value::Int(i64::from(*value))),
        Value::String(text) => {
            text.parse().map(Value::Int).map_err(|_| format!("invalid operation: int({text})"))
        }
        value => int_of(value).map(Value::Int),
    }
}

pub(super) fn float(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    match argument(arguments, 0) {
        Value::String(text) => {
            parse_float(text).map(Value::Float).map_err(|_| format!("invalid operation: float({text})"))
        }
        value => float_of(value).map(Value::Float),
    }
}

/// The float that `text` is, in the notation of Go; an error says what is wrong.
fn parse_float(text: &str) -> Result<f64, &'static str> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // A sign before NaN is no number in Go.
    let is_signed_nan = digits.len() < text.len() && digits.eq_ignore_ascii_case("nan");
    let number: f64 = text.parse().map_err(|_| "invalid syntax")?;
    let is_named = digits.starts_with(|letter: char| letter.is_ascii_alphabetic());
    match (is_signed_nan, number.is_infinite() && !is_named) {
        (true, _) => Err("invalid syntax"),
        (_, true) => Err("value out of range"),
        _ => Ok(number),
    }
}

pub(super) fn as_int(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    match argument(arguments, 0) {
        Value::Int(value) => Ok(Value::Int(*value)),
        Value::Float(value) => Ok(Value::Int(truncated(*value))),
        Value::String(text) => text.parse().map(Value::Int).map_err(|error: std::num::ParseIntError| {
            let is_large = matches!(
                error.kind(),
                std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow
            );
            let reason = if is_large { "value out of range" } else { "invalid syntax" };
            format!("strconv.ParseInt: parsing {}: {reason}", quoted(text))
        }),
        value => Err(format!("asInt() not supported on {} {}", value.type_name(), brief(value))),
    }
}

pub(super) fn as_float(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    match argument(arguments, 0) {
        Value::String(text) => parse_float(text)
            .map(Value::Float)
            .map_err(|reason| format!("strconv.ParseFloat: parsing {}: {reason}", quoted(text))),
        value => float_of(value)
            .map(Value::Float)
            .map_err(|_| format!("asFloat() not supported on {} {}", value.type_name(), brief(value))),
    }
}

fn is_float(arguments: &[Value], test: fn(f64) -> bool) -> Outcome {
    match argument(arguments, 0) {
        Value::Float(value) => Ok(Value::Bool(test(*value))),
        other => Err(other.mistyped("float64")),
    }
}

pub(super) fn is_nan(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    is_float(arguments, f64::is_nan)
}

pub(super) fn is_inf(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    is_float(arguments, f64::is_infinite)
}

/// Numbers, or a list of them. What follows a list is looked at when the function is called.
fn check_numbers(name: &str, arguments: &[Type]) -> Result<Type, String> {
    let Some(first) = arguments.first() else {
        return Err(format!("not enough arguments to call {name}"));
    };
    for argument in arguments {
        if argument.is_any() || argument.items().is_some() {
            return Ok(Type::Any);
        }
        if !argument.is_number() {
            return Err(format!("invalid argument for {name} (type {})", argument.argument_name()));
        }
    }
    // The reference knows no better: of several numbers the first one is typical.
    Ok(first.clone())
}

pub(super) fn check_max(arguments: &[Type]) -> Result<Type, String> {
    check_numbers("max", arguments)
}

pub(super) fn check_min(arguments: &[Type]) -> Result<Type, String> {
    check_numbers("min", arguments)
}

pub(super) fn check_mean(arguments: &[Type]) -> Result<Type, String> {
    check_numbers("mean", arguments)
}

pub(super) fn check_median(arguments: &[Type]) -> Result<Type, String> {
    check_numbers("median", arguments)
}

/// The numbers in `values`, and in the lists in it.
fn flat_numbers(
    name: &str,
    values: &[Value],
    found: &mut Vec<Value>,
    context: &mut Context<'_>,
) -> Result<(), String> {
    for value in values {
        context.budget.items(1)?;
        match value {
            Value::List(list) => flat_numbers(name, &list.values, found, context)?,
            Value::Int(_) | Value::Float(_) => found.push(value.clone()),
            _ => return Err(format!("invalid argument for {name} (type {})", value.type_name())),
        }
    }
    Ok(())
}

fn extreme(name: &str, arguments: &[Value], wanted: Ordering, context: &mut Context<'_>) -> Outcome {
    // The reference returns a single argument that is no number.
    if let [value] = arguments
        && !matches!(value, Value::List(_) | Value::Int(_) | Value::Float(_))
    {
        return Ok(value.clone());
    }
    let mut numbers = Vec::new();
    flat_numbers(name, arguments, &mut numbers, context)?;
    let mut extreme = Value::Nil;
    for number in numbers {
        let is_better = matches!(extreme, Value::Nil) || compare("<", &number, &extreme)? == Some(wanted);
        if is_better {
            extreme = number;
        }
    }
    Ok(extreme)
}

pub(super) fn max(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    extreme("max", arguments, Ordering::Greater, context)
}

pub(super) fn min(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    extreme("min", arguments, Ordering::Less, context)
}

fn floats(name: &str, arguments: &[Value], context: &mut Context<'_>) -> Result<Vec<f64>, String> {
    let mut numbers = Vec::new();
    flat_numbers(name, arguments, &mut numbers, context)?;
    numbers.iter().map(float_of).collect()
}

pub(super) fn mean(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let floats = floats("mean", arguments, context)?;
    let count = i64::try_from(floats.len()).unwrap_or(i64::MAX);
    let sum: f64 = floats.iter().sum();
    Ok(Value::Float(if count == 0 { 0.0 } else { sum / float_of(&Value::Int(count))? }))
}

pub(super) fn median(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let mut floats = floats("median", arguments, context)?;
    // Like Go, NaN comes first.
    floats.sort_by(|left, right| left.partial_cmp(right).unwrap_or(right.is_nan().cmp(&left.is_nan())));
    let middle = floats.len() / 2;
    Ok(Value::Float(match floats.get(middle) {
        None => 0.0,
        Some(upper) if floats.len() % 2 == 1 => *upper,
        Some(upper) => f64::midpoint(floats[middle - 1], *upper),
    }))
}

fn bits(arguments: &[Value], operation: fn(i64, i64) -> i64) -> Outcome {
    let number = |index: usize| match argument(arguments, index) {
        Value::Int(value) => Ok(*value),
        other => Err(other.mistyped("int")),
    };
    Ok(Value::Int(operation(number(0)?, number(1)?)))
}

fn shift(arguments: &[Value], operation: fn(i64, u32) -> i64) -> Outcome {
    if let Value::Int(count @ ..0) = argument(arguments, 1) {
        return Err(format!("invalid operation: negative shift count {count} (type int)"));
    }
    let count = match argument(arguments, 1) {
        Value::Int(count) => u32::try_from(*count).unwrap_or(u32::MAX),
        other => return Err(other.mistyped("int")),
    };
    match argument(arguments, 0) {
        Value::Int(value) => Ok(Value::Int(operation(*value, count))),
        other => Err(other.mistyped("int")),
    }
}

pub(super) fn bit_and(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    bits(arguments, |left, right| left & right)
}

pub(super) fn bit_or(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    bits(arguments, |left, right| left | right)
}

pub(super) fn bit_xor(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    bits(arguments, |left, right| left ^ right)
}

pub(super) fn bit_nand(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    bits(arguments, |left, right| left & !right)
}

pub(super) fn bit_not(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    match argument(arguments, 0) {
        Value::Int(value) => Ok(Value::Int(!value)),
        other => Err(other.mistyped("int")),
    }
}

pub(super) fn bit_shl(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    shift(arguments, |value, count| value.checked_shl(count).unwrap_or(0))
}

pub(super) fn bit_shr(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    shift(arguments, |value, count| value >> count.min(63))
}

pub(super) fn bit_ushr(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    shift(arguments, |value, count| value.cast_unsigned().checked_shr(count).unwrap_or(0).cast_signed())
}

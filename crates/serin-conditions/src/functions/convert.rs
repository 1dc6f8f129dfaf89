//! Functions from a type to another, and those of analysis for results that may be missing.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::signature::{Context, Outcome, argument, text};
use crate::text::{json, plain};
use crate::value::Value;

/// Takes room for the text of `value`: nothing is written before it is known to fit.
fn take_room(value: &Value, context: &mut Context<'_>) -> Result<(), String> {
    context.budget.items(1)?;
    match value {
        Value::List(list) => list.values.iter().try_for_each(|value| take_room(value, context)),
        Value::Map(map) => map.entries.iter().try_for_each(|(key, value)| {
            take_room(&key.value(), context)?;
            take_room(value, context)
        }),
        Value::String(text) => context.budget.text(text.len()),
        _ => context.budget.text(24),
    }
}

pub(super) fn string(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let value = argument(arguments, 0);
    take_room(value, context)?;
    Ok(Value::String(plain(value).into()))
}

pub(super) fn type_of(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    let value = argument(arguments, 0);
    Ok(Value::text(match value {
        Value::Nil => "nil",
        Value::Float(_) => "float",
        Value::List(_) => "array",
        Value::Map(_) => "map",
        Value::Zone(_) => "unknown",
        _ => value.type_name(),
    }))
}

pub(super) fn to_json(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let value = argument(arguments, 0);
    take_room(value, context)?;
    let text = json(value)?;
    // Indents and escapes come in addition.
    context.budget.text(text.len())?;
    Ok(Value::String(text.into()))
}

pub(super) fn from_json(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let text = text(arguments, 0)?;
    context.budget.items(text.len() / 2 + 1)?;
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(json.into())
}

pub(super) fn to_base64(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let text = text(arguments, 0)?;
    context.budget.text(text.len().saturating_mul(2))?;
    Ok(Value::String(STANDARD.encode(text).into()))
}

pub(super) fn from_base64(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let text = text(arguments, 0)?;
    context.budget.text(text.len())?;
    let bytes = STANDARD.decode(text.replace(['\r', '\n'], "")).map_err(|error| error.to_string())?;
    Ok(Value::text(&String::from_utf8_lossy(&bytes)))
}

/// True if the argument is nil. For a result that is nil the argument does not count, as in the reference.
pub(super) fn is_nil(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    Ok(Value::Bool(context.is_result_nil || matches!(argument(arguments, 0), Value::Nil)))
}

/// The second argument where [`is_nil`] of the first one, which is returned otherwise.
pub(super) fn default(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let is_nil = context.is_result_nil || matches!(argument(arguments, 0), Value::Nil);
    Ok(argument(arguments, usize::from(is_nil)).clone())
}

//! Functions of texts.

use super::signature::{Context, Outcome, argument, text};
use crate::operations::int_of;
use crate::value::{Items, Value};

/// A text as a value, within the budget.
fn made(text: String, context: &mut Context<'_>) -> Outcome {
    context.budget.text(text.len())?;
    Ok(Value::String(text.into()))
}

/// Characters that Go trims from texts.
fn is_space(letter: char) -> bool {
    letter.is_whitespace()
}

pub(super) fn trim(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let trimmed = text(arguments, 0)?;
    let trimmed = if arguments.len() > 1 {
        let letters = text(arguments, 1)?;
        context.budget.look_at(trimmed.len().saturating_mul(letters.len().min(64)))?;
        trimmed.trim_matches(|letter| letters.contains(letter))
    } else {
        trimmed.trim_matches(is_space)
    };
    made(trimmed.to_owned(), context)
}

/// The second argument; a space if there is none.
fn affix(arguments: &[Value]) -> Result<&str, String> {
    if arguments.len() > 1 { text(arguments, 1) } else { Ok(" ") }
}

pub(super) fn trim_prefix(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let (trimmed, prefix) = (text(arguments, 0)?, affix(arguments)?);
    made(trimmed.strip_prefix(prefix).unwrap_or(trimmed).to_owned(), context)
}

pub(super) fn trim_suffix(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let (trimmed, suffix) = (text(arguments, 0)?, affix(arguments)?);
    made(trimmed.strip_suffix(suffix).unwrap_or(trimmed).to_owned(), context)
}

pub(super) fn upper(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    made(text(arguments, 0)?.to_uppercase(), context)
}

pub(super) fn lower(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    made(text(arguments, 0)?.to_lowercase(), context)
}

pub(super) fn split(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    parts(arguments, false, context)
}

pub(super) fn split_after(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    parts(arguments, true, context)
}

/// The parts of a text between separators; at most as many as the third argument says, if it is not negative.
fn parts(arguments: &[Value], keeps_separator: bool, context: &mut Context<'_>) -> Outcome {
    let (whole, separator) = (text(arguments, 0)?, text(arguments, 1)?);
    let most = if arguments.len() > 2 { int_of(argument(arguments, 2))? } else { -1 };
    let most = if most < 0 { usize::MAX } else { usize::try_from(most).unwrap_or(usize::MAX) };
    context.budget.look_at(whole.len())?;
    let mut parts = Vec::new();
    let mut rest = whole;
    while parts.len().saturating_add(1) < most {
        let (end, next) = if separator.is_empty() {
            let length = rest.chars().next().map_or(0, char::len_utf8);
            if length == rest.len() {
                break;
            }
            (length, length)
        } else {
            let Some(end) = rest.find(separator) else { break };
            (if keeps_separator { end + separator.len() } else { end }, end + separator.len())
        };
        parts.push(&rest[..end]);
        rest = &rest[next..];
    }
    if most > 0 && !(separator.is_empty() && whole.is_empty()) {
        parts.push(rest);
    }
    context.budget.items(parts.len())?;
    context.budget.text(whole.len())?;
    Ok(Value::list(Items::String, parts.into_iter().map(Value::text).collect()))
}

pub(super) fn replace(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let (whole, old, new) = (text(arguments, 0)?, text(arguments, 1)?, text(arguments, 2)?);
    let most = if arguments.len() > 3 { int_of(argument(arguments, 3))? } else { -1 };
    let most = if most < 0 { usize::MAX } else { usize::try_from(most).unwrap_or(usize::MAX) };
    context.budget.look_at(whole.len())?;
    let count = whole.matches(old).count().min(most);
    context.budget.text(whole.len().saturating_add(count.saturating_mul(new.len())))?;
    Ok(Value::String(whole.replacen(old, new, count).into()))
}

pub(super) fn repeat(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let repeated = text(arguments, 0)?;
    let count = int_of(argument(arguments, 1))?;
    let Ok(times) = usize::try_from(count) else {
        return Err(format!("invalid argument for repeat (expected positive integer, got {count})"));
    };
    if times > 1_000_000 {
        return Err("memory budget exceeded".to_owned());
    }
    context.budget.text(repeated.len().saturating_mul(times))?;
    Ok(Value::String(repeated.repeat(times).into()))
}

pub(super) fn join(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let glue = if arguments.len() > 1 { text(arguments, 1)? } else { "" };
    let Value::List(list) = argument(arguments, 0) else {
        return Err(format!("invalid argument for join (type {})", argument(arguments, 0).type_name()));
    };
    let mut joined = String::new();
    for index in 0..list.values.len() {
        let part = text(&list.values, index)?;
        context.budget.text(part.len() + glue.len())?;
        if index > 0 {
            joined.push_str(glue);
        }
        joined.push_str(part);
    }
    Ok(Value::String(joined.into()))
}

/// The index of a byte, or -1.
fn index(found: Option<usize>) -> Outcome {
    Ok(Value::Int(found.and_then(|index| i64::try_from(index).ok()).unwrap_or(-1)))
}

pub(super) fn index_of(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    context.budget.look_at(text(arguments, 0)?.len())?;
    index(text(arguments, 0)?.find(text(arguments, 1)?))
}

pub(super) fn last_index_of(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    context.budget.look_at(text(arguments, 0)?.len())?;
    index(text(arguments, 0)?.rfind(text(arguments, 1)?))
}

pub(super) fn has_prefix(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    Ok(Value::Bool(text(arguments, 0)?.starts_with(text(arguments, 1)?)))
}

pub(super) fn has_suffix(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    Ok(Value::Bool(text(arguments, 0)?.ends_with(text(arguments, 1)?)))
}

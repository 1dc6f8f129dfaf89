//! Functions of time. The current time is an argument of the evaluation.

use jiff::Zoned;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serin_values::duration::{go_duration, go_duration_problem};

use super::signature::{Context, Outcome, argument, text};
use crate::layout;
use crate::types::Type;
use crate::value::Value;

/// The layouts of dates without a layout of their own, in the order in which they are tried.
const LAYOUTS: [&str; 7] = [
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
];

pub(super) fn check_now(arguments: &[Type]) -> Result<Type, String> {
    match arguments {
        [] | [Type::Zone | Type::Any] => Ok(Type::Time),
        _ => Err(format!("invalid number of arguments (expected 0, got {})", arguments.len())),
    }
}

pub(super) fn now(arguments: &[Value], context: &mut Context<'_>) -> Outcome {
    let zone = match arguments.first() {
        None => TimeZone::UTC,
        Some(Value::Zone(zone)) => zone.clone(),
        Some(_) => {
            return Err(format!("invalid number of arguments (expected 0, got {})", arguments.len()));
        }
    };
    Ok(Value::Time(Box::new(context.now.to_zoned(zone))))
}

pub(super) fn duration(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    let text = text(arguments, 0)?;
    let nanos = go_duration(text).and_then(|duration| i64::try_from(duration.as_nanos()).ok());
    nanos.map(Value::Duration).ok_or_else(|| go_duration_problem(text).unwrap_or_default())
}

pub(super) fn check_date(arguments: &[Type]) -> Result<Type, String> {
    if arguments.is_empty() {
        return Err("invalid number of arguments (expected at least 1, got 0)".to_owned());
    }
    let rest = arguments.strip_prefix(&[Type::Zone]).unwrap_or(arguments);
    if rest.len() > 3 {
        return Err(format!("invalid number of arguments (expected at most 3, got {})", rest.len()));
    }
    Ok(Type::Time)
}

pub(super) fn date(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    let (zone, rest) = match arguments {
        [Value::Zone(zone), rest @ ..] => (zone.clone(), rest),
        rest => (TimeZone::UTC, rest),
    };
    let date = text(rest, 0)?;
    let zone = if rest.len() > 2 { zone_named(text(rest, 2)?)? } else { zone };
    let time = if rest.len() > 1 {
        layout::parse(text(rest, 1)?, date, &zone)?
    } else {
        let mut found = LAYOUTS.iter().filter_map(|layout| layout::parse(layout, date, &zone).ok());
        found.next().ok_or_else(|| format!("invalid date {date}"))?
    };
    Ok(Value::Time(Box::new(time)))
}

pub(super) fn timezone(arguments: &[Value], _: &mut Context<'_>) -> Outcome {
    zone_named(text(arguments, 0)?).map(Value::Zone)
}

/// The time zone `name`. No file is read: `Local` is UTC, as it is in the reference's image.
fn zone_named(name: &str) -> Result<TimeZone, String> {
    if matches!(name, "" | "UTC" | "Local") {
        return Ok(TimeZone::UTC);
    }
    TimeZoneDatabase::bundled().get(name).map_err(|_| format!("unknown time zone {name}"))
}

/// The time that the argument at `index` is.
pub(super) fn time(arguments: &[Value], index: usize) -> Result<&Zoned, String> {
    match argument(arguments, index) {
        Value::Time(time) => Ok(time),
        other => Err(super::signature::wrong(Some(other), "time.Time")),
    }
}

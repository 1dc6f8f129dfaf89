//! The methods of times, durations, and what belongs to them.

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::dates::time;
use super::signature::{Context, Kind, Outcome, argument, text, wrong};
use crate::layout;
use crate::operations::{add, float_of, int_of, subtract};
use crate::text::plain;
use crate::types::Type;
use crate::value::Value;

use Kind::{Bool, Duration, Float, Int, Int64, Month, String as Text, Time, Weekday, Zone};

/// A method: its owner is the first value that it runs with.
pub(crate) struct Method {
    owner: Kind,
    pub(crate) name: &'static str,
    pub(crate) takes: &'static [Kind],
    pub(crate) returns: Kind,
    pub(crate) run: fn(&[Value], &mut Context<'_>) -> Outcome,
}

type Run = fn(&[Value], &mut Context<'_>) -> Outcome;

const fn of(owner: Kind, name: &'static str, takes: &'static [Kind], returns: Kind, run: Run) -> Method {
    Method { owner, name, takes, returns, run }
}

static METHODS: [Method; 44] = [
    of(Time, "Year", &[], Int, |v, _| number(time(v, 0)?.year())),
    of(Time, "Month", &[], Month, |v, _| Ok(Value::Month(time(v, 0)?.month()))),
    of(Time, "Day", &[], Int, |v, _| number(time(v, 0)?.day())),
    of(Time, "Hour", &[], Int, |v, _| number(time(v, 0)?.hour())),
    of(Time, "Minute", &[], Int, |v, _| number(time(v, 0)?.minute())),
    of(Time, "Second", &[], Int, |v, _| number(time(v, 0)?.second())),
    of(Time, "Nanosecond", &[], Int, |v, _| number(time(v, 0)?.subsec_nanosecond())),
    of(Time, "Weekday", &[], Weekday, |v, _| {
        Ok(Value::Weekday(time(v, 0)?.weekday().to_sunday_zero_offset()))
    }),
    of(Time, "YearDay", &[], Int, |v, _| number(time(v, 0)?.day_of_year())),
    of(Time, "Unix", &[], Int64, |v, _| {
        number(time(v, 0)?.timestamp().as_nanosecond().div_euclid(1_000_000_000))
    }),
    of(Time, "UnixMilli", &[], Int64, |v, _| {
        number(time(v, 0)?.timestamp().as_nanosecond().div_euclid(1_000_000))
    }),
    of(Time, "UnixMicro", &[], Int64, |v, _| {
        number(time(v, 0)?.timestamp().as_nanosecond().div_euclid(1_000))
    }),
    of(Time, "UnixNano", &[], Int64, |v, _| number(time(v, 0)?.timestamp().as_nanosecond())),
    of(Time, "Add", &[Duration], Time, |v, _| add(argument(v, 0), argument(v, 1))),
    of(Time, "Sub", &[Time], Duration, |v, _| subtract(argument(v, 0), time(v, 1).map(|_| argument(v, 1))?)),
    of(Time, "AddDate", &[Int, Int, Int], Time, |v, _| add_date(v)),
    of(Time, "Before", &[Time], Bool, |v, _| {
        Ok(Value::Bool(time(v, 0)?.timestamp() < time(v, 1)?.timestamp()))
    }),
    of(Time, "After", &[Time], Bool, |v, _| {
        Ok(Value::Bool(time(v, 0)?.timestamp() > time(v, 1)?.timestamp()))
    }),
    of(Time, "Equal", &[Time], Bool, |v, _| {
        Ok(Value::Bool(time(v, 0)?.timestamp() == time(v, 1)?.timestamp()))
    }),
    of(Time, "Compare", &[Time], Int, |v, _| {
        Ok(Value::Int(time(v, 0)?.timestamp().cmp(&time(v, 1)?.timestamp()) as i64))
    }),
    of(Time, "IsZero", &[], Bool, |v, _| Ok(Value::Bool(since_year_1(time(v, 0)?) == 0))),
    of(Time, "Truncate", &[Duration], Time, |v, _| on_grid(v, false)),
    of(Time, "Round", &[Duration], Time, |v, _| on_grid(v, true)),
    of(Time, "Format", &[Text], Text, |v, context| {
        let layout = text(v, 1)?;
        context.budget.text(layout.len().saturating_mul(16))?;
        Ok(Value::String(layout::format(layout, time(v, 0)?).into()))
    }),
    of(Time, "String", &[], Text, |v, _| Ok(Value::text(&plain(argument(v, 0))))),
    of(Time, "UTC", &[], Time, |v, _| Ok(within(time(v, 0)?, TimeZone::UTC))),
    of(Time, "Local", &[], Time, |v, _| Ok(within(time(v, 0)?, TimeZone::UTC))),
    of(Time, "In", &[Zone], Time, |v, _| match argument(v, 1) {
        Value::Zone(zone) => Ok(within(time(v, 0)?, zone.clone())),
        other => Err(wrong(Some(other), "*time.Location")),
    }),
    of(Time, "Location", &[], Zone, |v, _| Ok(Value::Zone(time(v, 0)?.time_zone().clone()))),
    of(Duration, "Hours", &[], Float, |v, _| in_units(v, 3_600_000_000_000)),
    of(Duration, "Minutes", &[], Float, |v, _| in_units(v, 60_000_000_000)),
    of(Duration, "Seconds", &[], Float, |v, _| in_units(v, 1_000_000_000)),
    of(Duration, "Milliseconds", &[], Int64, |v, _| Ok(Value::Int(nanos(v, 0)? / 1_000_000))),
    of(Duration, "Microseconds", &[], Int64, |v, _| Ok(Value::Int(nanos(v, 0)? / 1_000))),
    of(Duration, "Nanoseconds", &[], Int64, |v, _| Ok(Value::Int(nanos(v, 0)?))),
    of(Duration, "Abs", &[], Duration, |v, _| Ok(Value::Duration(nanos(v, 0)?.saturating_abs()))),
    of(Duration, "Truncate", &[Duration], Duration, |v, _| {
        let (value, unit) = (nanos(v, 0)?, nanos(v, 1)?);
        Ok(Value::Duration(if unit > 0 { value - value % unit } else { value }))
    }),
    of(Duration, "Round", &[Duration], Duration, |v, _| round_duration(nanos(v, 0)?, nanos(v, 1)?)),
    of(Duration, "String", &[], Text, |v, _| Ok(Value::text(&plain(argument(v, 0))))),
    of(Month, "String", &[], Text, |v, _| Ok(Value::text(&plain(argument(v, 0))))),
    of(Weekday, "String", &[], Text, |v, _| Ok(Value::text(&plain(argument(v, 0))))),
    of(Zone, "String", &[], Text, |v, _| Ok(Value::text(&plain(argument(v, 0))))),
    of(Time, "GoString", &[], Text, |v, _| Ok(Value::text(&plain(argument(v, 0))))),
    of(Time, "IsDST", &[], Bool, |v, _| {
        let time = time(v, 0)?;
        Ok(Value::Bool(time.time_zone().to_offset_info(time.timestamp()).dst().is_dst()))
    }),
];

/// The method `name` of values of the type `owner`.
pub(crate) fn method(owner: &Type, name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name && method.owner.to_type() == *owner)
}

fn number(number: impl Into<i128>) -> Outcome {
    // Seconds and nanoseconds beyond 64 bits are cut off in Go.
    let number = i64::try_from(number.into()).map_err(|_| "time out of range")?;
    Ok(Value::Int(number))
}

fn within(time: &Zoned, zone: TimeZone) -> Value {
    Value::Time(Box::new(time.with_time_zone(zone)))
}

fn nanos(values: &[Value], index: usize) -> Result<i64, String> {
    match argument(values, index) {
        Value::Duration(nanos) => Ok(*nanos),
        other => Err(wrong(Some(other), "time.Duration")),
    }
}

/// A duration in a unit of so many nanoseconds: whole units and the rest are divided apart, for precision.
fn in_units(values: &[Value], unit: i64) -> Outcome {
    let nanos = nanos(values, 0)?;
    let float = |number: i64| float_of(&Value::Int(number));
    Ok(Value::Float(float(nanos / unit)? + float(nanos % unit)? / float(unit)?))
}

fn round_duration(value: i64, unit: i64) -> Outcome {
    if unit <= 0 {
        return Ok(Value::Duration(value));
    }
    let (value, unit) = (i128::from(value), i128::from(unit));
    let rest = value % unit;
    let down = value - rest;
    let rounded = if rest.abs() * 2 < unit { down } else { down + unit * rest.signum() };
    let longest = if rounded < 0 { i64::MIN } else { i64::MAX };
    Ok(Value::Duration(i64::try_from(rounded).unwrap_or(longest)))
}

/// Nanoseconds since the first of January of the year 1, Go's zero time.
fn since_year_1(time: &Zoned) -> i128 {
    const YEAR_1: i128 = -62_135_596_800;
    time.timestamp().as_nanosecond() - YEAR_1 * 1_000_000_000
}

/// A time rounded to a multiple of a duration, or cut off to one.
fn on_grid(values: &[Value], rounds: bool) -> Outcome {
    let (time, unit) = (time(values, 0)?, nanos(values, 1)?);
    if unit <= 0 {
        return Ok(argument(values, 0).clone());
    }
    let rest = since_year_1(time).rem_euclid(i128::from(unit));
    let rest = i64::try_from(rest).map_err(|_| "time out of range")?;
    let up = rounds && rest >= unit - rest;
    let change = if up { unit - rest } else { -rest };
    add(argument(values, 0), &Value::Duration(change))
}

/// A date so many years, months and days later. Like in Go, days that the month does not have continue in the next one.
fn add_date(values: &[Value]) -> Outcome {
    let time = time(values, 0)?;
    let part = |index: usize| int_of(argument(values, index));
    let out_of_range = |_| "time out of range".to_owned();
    let (years, months, days) = (part(1)?, part(2)?, part(3)?);
    let months = i128::from(time.year()) * 12
        + i128::from(years) * 12
        + i128::from(time.month() - 1)
        + i128::from(months);
    let year = i16::try_from(months.div_euclid(12)).map_err(|_| "time out of range")?;
    let month = i8::try_from(months.rem_euclid(12) + 1).map_err(|_| "time out of range")?;
    let first = time.datetime().with().year(year).month(month).day(1).build().map_err(out_of_range)?;
    let days = days.checked_add(i64::from(time.day()) - 1).ok_or("time out of range")?;
    let days = jiff::Span::new().try_days(days).map_err(out_of_range)?;
    let date = first.checked_add(days).map_err(out_of_range)?;
    let date = date.to_zoned(time.time_zone().clone()).map_err(out_of_range)?;
    Ok(Value::Time(Box::new(date)))
}

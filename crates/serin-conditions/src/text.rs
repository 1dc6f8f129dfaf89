//! Values as texts, the way Go prints them.

use std::fmt::Write;

use jiff::Zoned;
use jiff::tz::TimeZone;
use serin_values::go_text::float;

use crate::layout;
use crate::value::{Key, List, Map, Value};
use crate::words::{MONTHS, WEEKDAYS};

/// The longest text of a value in a message, in bytes; a longer one is cut off.
const BRIEF_MAX: usize = 1_000;

/// The text of `value` in Go's default format.
pub(crate) fn plain(value: &Value) -> String {
    let mut text = String::new();
    write_plain(value, usize::MAX, &mut text);
    text
}

/// The text of `value` for a message. Values that are in each other many times would be endless otherwise.
pub(crate) fn brief(value: &Value) -> String {
    let mut text = String::new();
    write_plain(value, BRIEF_MAX, &mut text);
    if text.len() > BRIEF_MAX {
        text.truncate(text.floor_char_boundary(BRIEF_MAX));
        text.push_str("...");
    }
    text
}

/// Writes `value`, and stops after `most` bytes.
fn write_plain(value: &Value, most: usize, text: &mut String) {
    match value {
        Value::Nil => text.push_str("<nil>"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => text.push_str(&value.to_string()),
        Value::Float(value) => text.push_str(&float(*value)),
        Value::String(string) => text.push_str(string),
        Value::List(list) => write_list(list, most, text),
        Value::Map(map) => write_map(map, most, text),
        Value::Time(time) => text.push_str(&plain_time(time)),
        Value::Duration(nanos) => text.push_str(&duration(*nanos)),
        Value::Month(month) => {
            text.push_str(&name(&MONTHS, i64::from(*month) - 1, "Month", i64::from(*month)));
        }
        Value::Weekday(day) => text.push_str(&name(&WEEKDAYS, i64::from(*day), "Weekday", i64::from(*day))),
        Value::Zone(zone) => text.push_str(&zone_name(zone)),
    }
}

fn name(names: &[&str], index: i64, kind: &str, number: i64) -> String {
    let found = usize::try_from(index).ok().and_then(|index| names.get(index));
    found.map_or_else(|| format!("%!{kind}({number})"), |name| (*name).to_owned())
}

fn write_list(list: &List, most: usize, text: &mut String) {
    text.push('[');
    for (index, value) in list.values.iter().enumerate() {
        if text.len() > most {
            return;
        }
        text.push_str(if index == 0 { "" } else { " " });
        write_plain(value, most, text);
    }
    text.push(']');
}

fn write_map(map: &Map, most: usize, text: &mut String) {
    text.push_str("map[");
    for (index, (key, value)) in map.entries.iter().enumerate() {
        if text.len() > most {
            return;
        }
        text.push_str(if index == 0 { "" } else { " " });
        write_plain(&key.value(), most, text);
        text.push(':');
        write_plain(value, most, text);
    }
    text.push(']');
}

fn plain_time(time: &Zoned) -> String {
    layout::format("2006-01-02 15:04:05.999999999 -0700 MST", time)
}

/// The name of a time zone.
pub(crate) fn zone_name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

/// A duration such as `1h30m0s` or `1.5ms`.
pub(crate) fn duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    if nanos == 0 {
        return "0s".to_owned();
    }
    let (unit, suffix) = match nanos {
        0..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => {
            let seconds = fraction(nanos % 60_000_000_000, 1_000_000_000);
            let minutes = nanos / 60_000_000_000;
            return match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            };
        }
    };
    format!("{sign}{}{suffix}", fraction(nanos, unit))
}

/// `value` in `unit`, without zeros at the end.
fn fraction(value: u64, unit: u64) -> String {
    let whole = value / unit;
    let rest = value % unit;
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// `value` as indented JSON. An error for a value that JSON has no notation for.
pub(crate) fn json(value: &Value) -> Result<String, String> {
    let mut text = String::new();
    write_json(value, "", &mut text)?;
    Ok(text)
}

fn write_json(value: &Value, indent: &str, text: &mut String) -> Result<(), String> {
    match value {
        Value::Nil => text.push_str("null"),
        Value::Bool(_) | Value::Int(_) => text.push_str(&plain(value)),
        Value::Duration(number) => text.push_str(&number.to_string()),
        Value::Month(number) | Value::Weekday(number) => text.push_str(&number.to_string()),
        Value::Float(number) if !number.is_finite() => {
            return Err(format!("json: unsupported value: {}", float(*number)));
        }
        Value::Float(number) => text.push_str(&json_float(*number)),
        Value::String(string) => write_json_text(string, text),
        Value::Time(time) => {
            write_json_text(&layout::format("2006-01-02T15:04:05.999999999Z07:00", time), text);
        }
        Value::Zone(_) => text.push_str("{}"),
        Value::List(list) if list.values.is_empty() => text.push_str("[]"),
        Value::List(list) => {
            let inner = format!("{indent}  ");
            for (index, value) in list.values.iter().enumerate() {
                text.push_str(if index == 0 { "[\n" } else { ",\n" });
                text.push_str(&inner);
                write_json(value, &inner, text)?;
            }
            text.extend(["\n", indent, "]"]);
        }
        Value::Map(map) => write_json_map(map, indent, text)?,
    }
    Ok(())
}

fn write_json_map(map: &Map, indent: &str, text: &mut String) -> Result<(), String> {
    if map.entries.is_empty() {
        text.push_str("{}");
        return Ok(());
    }
    let inner = format!("{indent}  ");
    for (index, (key, value)) in map.entries.iter().enumerate() {
        let Key::String(key) = key else {
            return Err(format!("json: unsupported type: {}", map.kind.name()));
        };
        text.push_str(if index == 0 { "{\n" } else { ",\n" });
        text.push_str(&inner);
        write_json_text(key, text);
        text.push_str(": ");
        write_json(value, &inner, text)?;
    }
    text.extend(["\n", indent, "}"]);
    Ok(())
}

/// A float in JSON, with an exponent from a million times below 1 and from 10²¹ on.
fn json_float(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-6..1e21).contains(&size) {
        return value.to_string();
    }
    let sign = if size < 1.0 { "e" } else { "e+" };
    format!("{value:e}").replace('e', sign)
}

/// A text in JSON. Characters that HTML knows are escaped, too.
fn write_json_text(string: &str, text: &mut String) {
    text.push('"');
    for letter in string.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..=' ' if letter != ' ' => {
                // Writing to a text does not fail.
                let _ = write!(text, "\\u{:04x}", u32::from(letter));
            }
            letter => text.push(letter),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_in_json_have_an_exponent_when_they_are_large_or_small() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.5, "-0.5"),
            (1e-7, "1e-7"),
            (0.000_01, "0.00001"),
            (1e20, "100000000000000000000"),
            (-1.5e21, "-1.5e+21"),
        ] {
            assert_eq!(json_float(value), expected);
        }
    }

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (nanos, expected) in [
            (0, "0s"),
            (1, "1ns"),
            (1_500, "1.5µs"),
            (2_000_000, "2ms"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (-3_600_000_000_000, "-1h0m0s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(duration(nanos), expected);
        }
    }

    #[test]
    fn lists_and_maps_are_printed_as_go_prints_them() {
        let value: Value = serde_json::json!({"b": [1, "x", null, true], "a": {}}).into();
        assert_eq!(plain(&value), "map[a:map[] b:[1 x <nil> true]]");
        let expected = "{\n  \"a\": {},\n  \"b\": [\n    1,\n    \"x\",\n    null,\n    true\n  ]\n}";
        assert_eq!(json(&value).as_deref(), Ok(expected));
        assert_eq!(json(&Value::text("<a> \u{1}")).as_deref(), Ok(r#""\u003ca\u003e \u0001""#));
        assert_eq!(json(&Value::floats([f64::NAN])), Err("json: unsupported value: NaN".to_owned()));
    }
}

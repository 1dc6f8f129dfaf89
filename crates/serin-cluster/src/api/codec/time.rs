//! Times in the two forms that objects have, with the words of the server about those that are none.

use jiff::{Timestamp, tz::TimeZone};

const SECONDS: &str = "2006-01-02T15:04:05Z07:00";
const MICROS: &str = "2006-01-02T15:04:05.000000Z07:00";

/// A time to the second, in UTC; a finer one is cut.
pub(super) fn seconds(text: &str) -> Result<String, String> {
    parse(text, SECONDS).map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// A time with all six digits of microseconds, in UTC.
pub(super) fn micros(text: &str) -> Result<String, String> {
    parse(text, MICROS).map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string())
}

/// What the server calls the parts of a time, each with its digits, its bounds, and how a number out of them is called.
const PARTS: [(&str, usize, u32, u32, &str); 6] = [
    ("2006", 4, 0, 9999, "year"),
    ("01", 2, 1, 12, "month"),
    ("02", 2, 1, 31, "day"),
    ("15", 2, 0, 23, "hour"),
    ("04", 2, 0, 59, "minute"),
    ("05", 2, 0, 59, "second"),
];

/// What stands before each part.
const BETWEEN: [&str; 6] = ["", "-", "-", "T", ":", ":"];

fn parse(text: &str, layout: &str) -> Result<Timestamp, String> {
    let mismatch = |rest: &str, part: &str| {
        format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {part:?}")
    };
    let out_of_range = |what: &str| format!("parsing time {text:?}: {what} out of range");
    let mut rest = text;
    for ((name, digits, least, most, what), before) in PARTS.into_iter().zip(BETWEEN) {
        rest = rest.strip_prefix(before).ok_or_else(|| mismatch(rest, before))?;
        let (number, after) = number(rest, digits).ok_or_else(|| mismatch(rest, name))?;
        // A day beyond its month is seen at the end only.
        if !(least..=most).contains(&number) && what != "day" {
            return Err(out_of_range(what));
        }
        rest = after;
    }
    let seconds_end = text.len() - rest.len();
    rest = match (layout == MICROS, fraction(rest)) {
        (true, 6) => &rest[7..],
        (true, _) => return Err(mismatch(rest, ".000000")),
        (false, 0) => rest,
        (false, digits) => &rest[1 + digits..],
    };
    let zone = zone(rest).ok_or_else(|| mismatch(rest, "Z07:00"))?;
    if rest.len() > zone {
        return Err(format!("parsing time {text:?}: extra text: {:?}", &rest[zone..]));
    }
    let whole = format!("{}{}", text[..seconds_end].replace('T', " "), rest);
    let whole: Result<Timestamp, _> = whole.parse();
    let time = whole.map_err(|_| out_of_range("day"))?;
    let nanos = text[seconds_end..text.len() - rest.len()].trim_start_matches('.');
    let nanos: i32 = format!("{nanos:0<9}").get(..9).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let time = Timestamp::new(time.as_second(), nanos).map_err(|_| out_of_range("year"))?;
    Ok(time.to_zoned(TimeZone::UTC).timestamp())
}

/// The number of so many digits that a text begins with, and what follows.
fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, after) = text.split_at_checked(digits)?;
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
    Some((number.parse().ok().filter(|_| is_number)?, after))
}

/// How many digits follow a point.
fn fraction(text: &str) -> usize {
    let digits = text.strip_prefix('.').unwrap_or_default();
    digits.bytes().take_while(u8::is_ascii_digit).count()
}

/// How long the zone is that a text begins with.
fn zone(text: &str) -> Option<usize> {
    if text.starts_with('Z') {
        return Some(1);
    }
    let rest = text.strip_prefix(['+', '-'])?;
    let (_, rest) = number(rest, 2)?;
    let (_, _) = number(rest.strip_prefix(':')?, 2)?;
    Some(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_and_whole() {
        assert_eq!(seconds("2026-01-02T03:04:05.678Z").unwrap(), "2026-01-02T03:04:05Z");
        assert_eq!(seconds("2026-01-02T03:04:05+02:00").unwrap(), "2026-01-02T01:04:05Z");
        assert_eq!(seconds("0001-01-01T00:00:00Z").unwrap(), "0001-01-01T00:00:00Z");
        assert_eq!(micros("2026-01-02T03:04:05.678000Z").unwrap(), "2026-01-02T03:04:05.678000Z");
    }

    #[test]
    fn what_is_no_time_is_told_from_where_on() {
        let as_seconds = "as \"2006-01-02T15:04:05Z07:00\": cannot parse";
        for (text, expected) in [
            ("yesterday", format!("parsing time \"yesterday\" {as_seconds} \"yesterday\" as \"2006\"")),
            ("", format!("parsing time \"\" {as_seconds} \"\" as \"2006\"")),
            ("2026-01-02", format!("parsing time \"2026-01-02\" {as_seconds} \"\" as \"T\"")),
            ("2026-13-02T03:04:05Z", "parsing time \"2026-13-02T03:04:05Z\": month out of range".to_owned()),
            ("2026-02-30T03:04:05Z", "parsing time \"2026-02-30T03:04:05Z\": day out of range".to_owned()),
            ("2026-01-02T03:04:05Zx", "parsing time \"2026-01-02T03:04:05Zx\": extra text: \"x\"".to_owned()),
            (
                "2026-01-02T03:04:05",
                format!("parsing time \"2026-01-02T03:04:05\" {as_seconds} \"\" as \"Z07:00\""),
            ),
        ] {
            assert_eq!(seconds(text).unwrap_err(), expected);
        }
        assert!(
            micros("2026-01-02T03:04:05.678Z").unwrap_err().ends_with(r#"cannot parse ".678Z" as ".000000""#)
        );
    }
}

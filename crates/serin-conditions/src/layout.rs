//! Times as texts, by layouts such as `2006-01-02 15:04:05`: the notation of Go, which shows one certain time.

use std::fmt::Write;

use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serin_values::go_text::quoted;

use crate::words::{MONTHS, WEEKDAYS};

/// A part of a layout that stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    YearInCentury,
    MonthName,
    MonthShort,
    /// A number, at least as wide as this, filled up with this character.
    Month(usize),
    DayName,
    DayShort,
    Day(usize, char),
    DayOfYear,
    Hour,
    HalfDayHour(usize),
    Minute(usize),
    Second(usize),
    HalfDay(bool),
    /// Digits of a fraction; whether zeros at the end are left out.
    Fraction(usize, bool),
    ZoneName,
    /// An offset: `Z` for none of it, colons, seconds or only hours.
    Offset {
        z: bool,
        colon: bool,
        parts: usize,
    },
}

/// The notations of parts; of two that begin alike, the longer one is first.
const PARTS: [(&str, Part); 36] = [
    ("January", Part::MonthName),
    ("Jan", Part::MonthShort),
    ("Monday", Part::DayName),
    ("Mon", Part::DayShort),
    ("MST", Part::ZoneName),
    ("2006", Part::Year),
    ("002", Part::DayOfYear),
    ("01", Part::Month(2)),
    ("02", Part::Day(2, '0')),
    ("03", Part::HalfDayHour(2)),
    ("04", Part::Minute(2)),
    ("05", Part::Second(2)),
    ("06", Part::YearInCentury),
    ("15", Part::Hour),
    ("_2", Part::Day(2, ' ')),
    ("PM", Part::HalfDay(true)),
    ("pm", Part::HalfDay(false)),
    ("Z07:00:00", Part::Offset { z: true, colon: true, parts: 3 }),
    ("Z070000", Part::Offset { z: true, colon: false, parts: 3 }),
    ("Z07:00", Part::Offset { z: true, colon: true, parts: 2 }),
    ("Z0700", Part::Offset { z: true, colon: false, parts: 2 }),
    ("Z07", Part::Offset { z: true, colon: false, parts: 1 }),
    ("-07:00:00", Part::Offset { z: false, colon: true, parts: 3 }),
    ("-070000", Part::Offset { z: false, colon: false, parts: 3 }),
    ("-07:00", Part::Offset { z: false, colon: true, parts: 2 }),
    ("-0700", Part::Offset { z: false, colon: false, parts: 2 }),
    ("-07", Part::Offset { z: false, colon: false, parts: 1 }),
    ("1", Part::Month(1)),
    ("2", Part::Day(1, '0')),
    ("3", Part::HalfDayHour(1)),
    ("4", Part::Minute(1)),
    ("5", Part::Second(1)),
    (".0", Part::Fraction(0, false)),
    (",0", Part::Fraction(0, false)),
    (".9", Part::Fraction(0, true)),
    (",9", Part::Fraction(0, true)),
];

/// The text before the first part of `layout`, that part with its notation, and the text after it.
fn split(layout: &str) -> (&str, Option<(Part, &str)>, &str) {
    for (start, _) in layout.char_indices() {
        let rest = &layout[start..];
        // `_2006` is an underline and a year.
        if rest.starts_with("_2006") {
            continue;
        }
        for (notation, part) in PARTS {
            let Some(after) = rest.strip_prefix(notation) else { continue };
            let is_short_name = matches!(part, Part::MonthShort | Part::DayShort);
            if is_short_name && after.starts_with(|c: char| c.is_ascii_lowercase()) {
                continue;
            }
            let Part::Fraction(_, trimmed) = part else {
                return (&layout[..start], Some((part, notation)), after);
            };
            let digit = if trimmed { '9' } else { '0' };
            let after = rest[1..].trim_start_matches(digit);
            if !after.starts_with(|c: char| c.is_ascii_digit()) {
                let notation = &rest[..rest.len() - after.len()];
                return (
                    &layout[..start],
                    Some((Part::Fraction(notation.len() - 1, trimmed), notation)),
                    after,
                );
            }
        }
    }
    (layout, None, "")
}

/// The text of `time` in `layout`.
pub(crate) fn format(layout: &str, time: &Zoned) -> String {
    let mut text = String::new();
    let mut rest = layout;
    loop {
        let (before, part, after) = split(rest);
        text.push_str(before);
        let Some((part, notation)) = part else { return text };
        format_part(part, notation, time, &mut text);
        rest = after;
    }
}

fn format_part(part: Part, notation: &str, time: &Zoned, text: &mut String) {
    let half_day_hour = (time.hour() + 11) % 12 + 1;
    let name = |names: &[&str], number: i8| -> String {
        usize::try_from(number).ok().and_then(|number| names.get(number)).unwrap_or(&"").to_string()
    };
    let month = || name(&MONTHS, time.month() - 1);
    let day = || name(&WEEKDAYS, time.weekday().to_sunday_zero_offset());
    let short = |name: String| name.chars().take(3).collect::<String>();
    // Writing to a text does not fail.
    let _ = match part {
        Part::Year => write!(text, "{:04}", time.year()),
        Part::YearInCentury => write!(text, "{:02}", time.year().rem_euclid(100)),
        Part::MonthName => write!(text, "{}", month()),
        Part::MonthShort => write!(text, "{}", short(month())),
        Part::Month(width) => write!(text, "{:0width$}", time.month()),
        Part::DayName => write!(text, "{}", day()),
        Part::DayShort => write!(text, "{}", short(day())),
        Part::Day(width, ' ') => write!(text, "{:width$}", time.day()),
        Part::Day(width, _) => write!(text, "{:0width$}", time.day()),
        Part::DayOfYear => write!(text, "{:03}", time.day_of_year()),
        Part::Hour => write!(text, "{:02}", time.hour()),
        Part::HalfDayHour(width) => write!(text, "{half_day_hour:0width$}"),
        Part::Minute(width) => write!(text, "{:0width$}", time.minute()),
        Part::Second(width) => write!(text, "{:0width$}", time.second()),
        Part::HalfDay(upper) => {
            let names = if upper { ["AM", "PM"] } else { ["am", "pm"] };
            write!(text, "{}", names[usize::from(time.hour() >= 12)])
        }
        Part::Fraction(digits, trimmed) => {
            let fraction = std::format!("{:09}", time.subsec_nanosecond());
            let fraction = std::format!("{fraction:0<digits$}");
            let mut shown = &fraction[..digits];
            if trimmed {
                shown = shown.trim_end_matches('0');
            }
            let mark = if shown.is_empty() { "" } else { &notation[..1] };
            write!(text, "{mark}{shown}")
        }
        Part::ZoneName => write!(text, "{}", zone_name(time)),
        Part::Offset { z, colon, parts } => write!(text, "{}", offset(time.offset(), z, colon, parts)),
    };
}

/// The abbreviation of the time zone at that time.
fn zone_name(time: &Zoned) -> String {
    if time.offset() == Offset::UTC && time.time_zone().iana_name().is_none() {
        return "UTC".to_owned();
    }
    time.time_zone().to_offset_info(time.timestamp()).abbreviation().to_owned()
}

fn offset(offset: Offset, z: bool, colon: bool, parts: usize) -> String {
    let seconds = offset.seconds();
    if z && seconds == 0 {
        return "Z".to_owned();
    }
    let sign = if seconds < 0 { "-" } else { "+" };
    let seconds = seconds.unsigned_abs();
    let numbers = [seconds / 3600, seconds / 60 % 60, seconds % 60];
    let numbers: Vec<String> = numbers.iter().take(parts).map(|n| std::format!("{n:02}")).collect();
    std::format!("{sign}{}", numbers.join(if colon { ":" } else { "" }))
}

/// What a text says of a time.
#[derive(Default)]
struct Found {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    day_of_year: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    is_afternoon: Option<bool>,
    zone: Option<TimeZone>,
}

/// The time that `text` is in `layout`; in `zone` where it names no offset. An error says what is wrong.
pub(crate) fn parse(layout: &str, text: &str, zone: &TimeZone) -> Result<Zoned, String> {
    let problem = |rest: &str, wanted: &str| {
        let (text, layout, rest) = (quoted(text), quoted(layout), quoted(rest));
        std::format!("parsing time {text} as {layout}: cannot parse {rest} as {}", quoted(wanted))
    };
    let mut found = Found::default();
    let mut rest_of_layout = layout;
    let mut rest = text;
    loop {
        let (before, part, after) = split(rest_of_layout);
        rest = rest.strip_prefix(before).ok_or_else(|| problem(rest, before))?;
        let Some((part, notation)) = part else { break };
        rest = parse_part(part, notation, rest, &mut found).ok_or_else(|| problem(rest, notation))?;
        let is_second = matches!(part, Part::Second(_));
        if is_second && !matches!(split(after).1, Some((Part::Fraction(..), _))) {
            rest = parse_fraction(rest, &mut found).unwrap_or(rest);
        }
        rest_of_layout = after;
    }
    if !rest.is_empty() {
        let (text, rest) = (quoted(text), quoted(rest));
        return Err(std::format!("parsing time {text}: extra text: {rest}"));
    }
    found.time(zone).ok_or_else(|| std::format!("parsing time {}: day out of range", quoted(text)))
}

impl Found {
    fn time(self, zone: &TimeZone) -> Option<Zoned> {
        let hour = match self.is_afternoon {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let time = DateTime::new(self.year, month, day, hour, self.minute, self.second, self.nanos).ok()?;
        let time = match self.day_of_year {
            Some(day) => time.with().day_of_year(day).build().ok()?,
            None => time,
        };
        time.to_zoned(self.zone.unwrap_or_else(|| zone.clone())).ok()
    }
}

/// Reads `part` from the start of `text`, and returns the text after it; `None` where it is not there.
fn parse_part<'a>(part: Part, notation: &str, text: &'a str, found: &mut Found) -> Option<&'a str> {
    let small = |least: usize, most: usize| {
        let (number, after) = number(text.trim_start_matches(' '), least, most)?;
        Some((i8::try_from(number).ok()?, after))
    };
    let after;
    match part {
        Part::Year => {
            let (year, rest) = number(text, 4, 4)?;
            (found.year, after) = (i16::try_from(year).ok()?, rest);
        }
        Part::YearInCentury => {
            let (year, rest) = number(text, 2, 2)?;
            let century = if year >= 69 { 1900 } else { 2000 };
            (found.year, after) = (i16::try_from(century + year).ok()?, rest);
        }
        Part::MonthName | Part::MonthShort => {
            let (month, rest) = one_of(&MONTHS, notation.len() == 3, text)?;
            (found.month, after) = (Some(month + 1), rest);
        }
        Part::DayName | Part::DayShort => after = one_of(&WEEKDAYS, notation.len() == 3, text)?.1,
        Part::Month(width) => {
            let (month, rest) = small(width, 2)?;
            (found.month, after) = (Some(month), rest);
        }
        Part::Day(width, fill) => {
            let (day, rest) = small(if fill == ' ' { 1 } else { width }, 2)?;
            (found.day, after) = (Some(day), rest);
        }
        Part::DayOfYear => {
            let (day, rest) = number(text, 3, 3)?;
            (found.day_of_year, after) = (Some(i16::try_from(day).ok()?), rest);
        }
        Part::Hour => (found.hour, after) = small(1, 2)?,
        Part::HalfDayHour(width) => (found.hour, after) = small(width, 2)?,
        Part::Minute(width) => (found.minute, after) = small(width, 2)?,
        Part::Second(width) => (found.second, after) = small(width, 2)?,
        Part::HalfDay(_) => {
            let (half, rest) = one_of(&["AM", "PM"], false, text)?;
            (found.is_afternoon, after) = (Some(half == 1), rest);
        }
        Part::Fraction(digits, trimmed) => {
            let rest = parse_fraction(text, found);
            after = if trimmed { rest.unwrap_or(text) } else { rest? };
            if !trimmed && text.len() - after.len() != digits + 1 {
                return None;
            }
        }
        Part::ZoneName => {
            after = zone_abbreviation(text)?;
            // An abbreviation is not unique; like in Go, it is no offset.
            found.zone.get_or_insert(TimeZone::UTC);
        }
        Part::Offset { z, colon, parts } => {
            let (offset, rest) = parse_offset(text, z, colon, parts)?;
            (found.zone, after) = (Some(offset.to_time_zone()), rest);
        }
    }
    Some(after)
}

/// The text after the abbreviation of a time zone.
fn zone_abbreviation(text: &str) -> Option<&str> {
    let length = text.find(|c: char| !c.is_ascii_uppercase()).unwrap_or(text.len());
    (3..=5).contains(&length).then(|| &text[length..])
}

/// The number of `least` to `most` digits at the start of `text`, and the text after it.
fn number(text: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (number, after) = text.split_at(digits);
    (digits >= least).then(|| Some((number.parse().ok()?, after)))?
}

/// The index of the name that `text` starts with, in any case, and the text after it.
fn one_of<'a>(names: &[&str], is_short: bool, text: &'a str) -> Option<(i8, &'a str)> {
    names.iter().zip(0..).find_map(|(name, index)| {
        let name = if is_short { &name[..3] } else { name };
        let (start, after) = text.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some((index, after))
    })
}

fn parse_fraction<'a>(text: &'a str, found: &mut Found) -> Option<&'a str> {
    let digits = text.strip_prefix(['.', ','])?;
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    let kept = digits.get(..length.min(9)).filter(|kept| !kept.is_empty())?;
    found.nanos = std::format!("{kept:0<9}").parse().ok()?;
    digits.get(length..)
}

fn parse_offset(text: &str, z: bool, colon: bool, parts: usize) -> Option<(Offset, &str)> {
    if z && text.starts_with('Z') {
        return Some((Offset::UTC, &text[1..]));
    }
    let mut rest = text.strip_prefix(['+', '-'])?;
    let mut seconds = 0;
    for part in 0..3 {
        seconds *= 60;
        if part >= parts {
            continue;
        }
        if colon && part > 0 {
            rest = rest.strip_prefix(':')?;
        }
        let (value, after) = number(rest, 2, 2)?;
        seconds += value;
        rest = after;
    }
    let seconds = if text.starts_with('-') { -seconds } else { seconds };
    Some((Offset::from_seconds(seconds).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_read_and_written() {
        for (layout, text) in [
            ("2006-01-02", "2026-03-04"),
            ("2006-01-02T15:04:05Z07:00", "2026-03-04T05:06:07+01:00"),
            ("02 Jan 06 15:04 MST", "04 Mar 26 05:06 UTC"),
            ("Monday, 02-Jan-06 15:04:05 MST", "Wednesday, 04-Mar-26 05:06:07 UTC"),
            ("Mon, 02 Jan 2006 15:04:05 MST", "Wed, 04 Mar 2026 05:06:07 UTC"),
            ("January 2, 2006 3:04 pm", "March 4, 2026 5:06 pm"),
            ("_2.1.2006 15h", " 4.3.2026 05h"),
            ("2006-002 05.000", "2026-063 07.120"),
            ("2006-01-02 15:04:05.999 -0700", "2026-03-04 05:06:07.12 -0130"),
        ] {
            let time = parse(layout, text, &TimeZone::UTC);
            assert_eq!(time.map(|time| format(layout, &time)).as_deref(), Ok(text), "{layout}");
        }
    }

    #[test]
    fn wrong_times_are_refused() {
        for (layout, text) in [
            ("2006-01-02", "2026-02-30"),
            ("2006-01-02", "2026-2-03"),
            ("2006-01-02", "2026-01-02T"),
            ("15:04", "25:00"),
            ("Jan", "Foo"),
            ("2006-01-02", "ü"),
            ("MST", "x"),
        ] {
            assert!(parse(layout, text, &TimeZone::UTC).is_err(), "{layout} {text}");
        }
    }
}

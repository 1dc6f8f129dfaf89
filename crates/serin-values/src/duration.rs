//! Durations as users write them.

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Reads the `duration` of a pause, in whole seconds; a fraction is dropped.
///
/// A number is a number of seconds, and so is a string of digits; any other string is a [`go_duration`]. `None`
/// when it is neither, is negative, or does not fit 32 bits.
#[must_use]
pub fn pause_seconds(duration: &IntOrString) -> Option<i32> {
    let seconds = match duration {
        IntOrString::Int(seconds) => *seconds,
        IntOrString::String(text) => match text.parse() {
            Ok(seconds) => seconds,
            Err(_) => i32::try_from(go_duration(text)?.as_secs()).ok()?,
        },
    };
    (seconds >= 0).then_some(seconds)
}

/// Reads a duration such as `1h30m`, `1.5s` or `-200ms`, the notation of Go's `time.ParseDuration`.
///
/// Units are `ns`, `us` (or `µs`), `ms`, `s`, `m` and `h`; only `0` may go without. `None` for any other text, and
/// for one beyond about 292 years, which Go cannot hold.
#[must_use]
pub fn go_duration(text: &str) -> Option<SignedDuration> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(SignedDuration::ZERO);
    }
    if unsigned.is_empty() {
        return None;
    }
    let mut nanos = 0_i128;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (part, after) = leading_part(rest)?;
        nanos = nanos.checked_add(part)?;
        rest = after;
    }
    let nanos = i64::try_from(if text.starts_with('-') { -nanos } else { nanos }).ok()?;
    Some(SignedDuration::from_nanos(nanos))
}

/// The first number with its unit, in nanoseconds, and the text after it.
fn leading_part(text: &str) -> Option<(i128, &str)> {
    let number_length = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, after) = text.split_at(number_length);
    let unit_length = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
    let (unit, after) = after.split_at(unit_length);
    let unit = nanoseconds(unit)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { i128::from(whole.parse::<i64>().ok()?) };
    // Digits after the fifteenth are below a nanosecond for every unit.
    let kept = fraction.get(..fraction.len().min(15))?;
    let mut fraction_nanos = 0;
    let mut scale = 1;
    for digit in kept.chars() {
        fraction_nanos = fraction_nanos * 10 + i128::from(digit.to_digit(10)?);
        scale *= 10;
    }
    Some((whole * unit + fraction_nanos * unit / scale, after))
}

/// The nanoseconds of a unit.
fn nanoseconds(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        // Both characters for micro: the sign, and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 3_600 * 1_000_000_000,
        _ => return None,
    })
}

/// The words of Go's `time.ParseDuration` for a text that is no [`go_duration`]; `None` for one that is.
#[must_use]
pub fn go_duration_problem(text: &str) -> Option<String> {
    if go_duration(text).is_some() {
        return None;
    }
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    while !rest.is_empty() {
        let after = rest.trim_start_matches(is_number);
        let (number, _) = rest.split_at(rest.len() - after.len());
        if !number.contains(|c: char| c.is_ascii_digit()) {
            break;
        }
        let (unit, following) = after.split_at(after.find(is_number).unwrap_or(after.len()));
        if unit.is_empty() {
            return Some(format!("time: missing unit in duration {text:?}"));
        }
        if nanoseconds(unit).is_none() {
            return Some(format!("time: unknown unit {unit:?} in duration {text:?}"));
        }
        rest = following;
    }
    Some(format!("time: invalid duration {text:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pause_durations() {
        for (text, expected) in [
            ("10", Some(10)),
            ("+10", Some(10)),
            ("10s", Some(10)),
            ("1h", Some(3600)),
            ("1h30m5s", Some(5405)),
            ("1.9s", Some(1)),
            ("1ms", Some(0)),
            ("0", Some(0)),
            ("-0", Some(0)),
            ("-0.5s", Some(0)),
            ("-10", None),
            ("-10s", None),
            ("1z", None),
            ("", None),
            ("20000000000", None),
            ("2000000h", None),
        ] {
            assert_eq!(pause_seconds(&IntOrString::String(text.to_owned())), expected, "{text}");
        }
        assert_eq!(pause_seconds(&IntOrString::Int(10)), Some(10));
        assert_eq!(pause_seconds(&IntOrString::Int(-1)), None);
    }

    #[test]
    fn go_durations() {
        for (text, nanos) in [
            ("0", Some(0)),
            ("+5s", Some(5_000_000_000)),
            ("-200ms", Some(-200_000_000)),
            ("1.5h", Some(5_400_000_000_000)),
            (".5s", Some(500_000_000)),
            ("1.s", Some(1_000_000_000)),
            ("1us1µs1μs", Some(3_000)),
            ("0.9ns", Some(0)),
            ("0.100000000000000000000h", Some(360_000_000_000)),
            ("9223372036854775807ns", Some(i64::MAX)),
            ("9223372036854775808ns", None),
            ("2562048h", None),
            ("1", None),
            ("s", None),
            (".s", None),
            ("1.2.3s", None),
            ("1d", None),
            ("1h 5m", None),
            ("+-1s", None),
            ("-", None),
        ] {
            assert_eq!(go_duration(text), nanos.map(SignedDuration::from_nanos), "{text}");
        }
    }
}

//! Times and durations that metrics speak of.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serin_values::duration::{go_duration, go_duration_problem};

use super::port::{Unfinished, failed};

/// Reads the duration in `field`, if it has one.
///
/// # Errors
/// It is not a duration, or is negative.
pub(super) fn duration(field: &str, text: Option<&str>) -> Result<Option<SignedDuration>, Unfinished> {
    let Some(text) = text else { return Ok(None) };
    match go_duration(text) {
        Some(duration) if duration.is_negative() => Err(failed(format!("{field} must not be negative"))),
        Some(duration) => Ok(Some(duration)),
        None => Err(failed(format!("{field}: {}", go_duration_problem(text).unwrap_or_default()))),
    }
}

/// The time `duration` before `time`, or the earliest one that there is.
pub(super) fn before(time: Timestamp, duration: SignedDuration) -> Timestamp {
    time.checked_sub(duration).unwrap_or(Timestamp::MIN)
}

/// Reads whole seconds; `default` if there are none, or no more than 0.
///
/// # Errors
/// They are negative; `problem` is what is said then.
pub(super) fn seconds(
    seconds: Option<i64>,
    default: Duration,
    problem: &str,
) -> Result<Duration, Unfinished> {
    match u64::try_from(seconds.unwrap_or_default()) {
        Ok(0) => Ok(default),
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => Err(failed(problem)),
    }
}

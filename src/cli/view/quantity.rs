//! Formats numbers and durations. All views count and round here.

use jiff::SignedDuration;

/// A number with its noun, such as `1 pod` and `2 pods`.
#[must_use]
pub(in crate::cli) fn counted(count: impl Into<i64>, noun: &str) -> String {
    let count = count.into();
    format!("{count} {}", noun_for(count, noun))
}

/// A part of a total with its noun, such as `0 of 1 pod` and `1 of 2 pods`.
#[must_use]
pub(in crate::cli) fn out_of(part: impl Into<i64>, whole: impl Into<i64>, noun: &str) -> String {
    format!("{} of {}", part.into(), counted(whole, noun))
}

fn noun_for(count: i64, noun: &str) -> String {
    if count == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// A duration in whole seconds, such as `1h2m` or `45s`.
#[must_use]
pub(in crate::cli) fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m{}s", seconds % 60),
        (0, hours, minutes) => format!("{hours}h{minutes}m"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_no_plural() {
        for (count, text) in [(0, "0 pods"), (1, "1 pod"), (2, "2 pods")] {
            assert_eq!(counted(count, "pod"), text);
            assert_eq!(out_of(0, count, "pod"), format!("0 of {text}"));
        }
    }

    #[test]
    fn spans_have_two_units_at_most() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (61, "1m1s"), (3_720, "1h2m"), (90_000, "1d1h"), (-5, "0s")]
        {
            assert_eq!(span(SignedDuration::from_secs(seconds)), text);
        }
    }
}

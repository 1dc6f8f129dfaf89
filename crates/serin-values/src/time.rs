//! Arithmetic with times that never fails.

use jiff::{SignedDuration, Timestamp};

/// The time `span` after `time`; the last time that can be represented where that is too late, or `span` too long.
///
/// `span` is a [`SignedDuration`] or a [`std::time::Duration`].
#[must_use]
pub fn after<S>(time: Timestamp, span: S) -> Timestamp
where
    SignedDuration: TryFrom<S>,
{
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    let bound = if span.is_negative() { Timestamp::MIN } else { Timestamp::MAX };
    time.checked_add(span).unwrap_or(bound)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn both_kinds_of_durations_are_added() {
        let epoch = Timestamp::UNIX_EPOCH;
        assert_eq!(after(epoch, Duration::from_secs(1)).as_second(), 1);
        assert_eq!(after(epoch, SignedDuration::from_secs(1)).as_second(), 1);
        assert_eq!(after(epoch, SignedDuration::from_secs(-1)).as_second(), -1);
    }

    #[test]
    fn times_end_at_the_last_and_at_the_first() {
        assert_eq!(after(Timestamp::MAX, Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(after(Timestamp::UNIX_EPOCH, Duration::MAX), Timestamp::MAX);
        assert_eq!(after(Timestamp::MIN, SignedDuration::from_secs(-1)), Timestamp::MIN);
    }
}

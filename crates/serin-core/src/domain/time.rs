//! Times as Kubernetes writes them.

use jiff::{SignedDuration, Timestamp};

use crate::api::Time;

/// `time` without fractions of a second, as the fields of an object hold it.
#[must_use]
pub fn whole_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

/// `wait` after `time`, or the last moment that there is.
#[must_use]
pub fn after(time: Timestamp, wait: SignedDuration) -> Timestamp {
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_last_moment() {
        let second = SignedDuration::from_secs(1);
        assert_eq!(after(Timestamp::UNIX_EPOCH, second).as_second(), 1);
        assert_eq!(after(Timestamp::MAX, second), Timestamp::MAX);
    }
}

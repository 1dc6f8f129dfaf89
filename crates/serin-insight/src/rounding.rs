//! Remaining and elapsed times in whole seconds.

use jiff::SignedDuration;

/// Elapsed time in complete seconds. Never negative.
#[must_use]
pub fn passed(time: SignedDuration) -> SignedDuration {
    SignedDuration::from_secs(time.as_secs().max(0))
}

/// Remaining time, rounded up to seconds, so that a delay of 30 s shows as 30 s after a fraction of a second. Never
/// negative.
#[must_use]
pub fn left(time: SignedDuration) -> SignedDuration {
    let seconds = time.as_secs().saturating_add(i64::from(time.subsec_nanos() > 0));
    SignedDuration::from_secs(seconds.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_rounded_up_and_what_has_passed_down() {
        for (millis, left_seconds, passed_seconds) in
            [(29_300, 30, 29), (30_000, 30, 30), (1, 1, 0), (0, 0, 0), (-200, 0, 0), (-1_200, 0, 0)]
        {
            let time = SignedDuration::from_millis(millis);
            assert_eq!(left(time), SignedDuration::from_secs(left_seconds), "{millis}");
            assert_eq!(passed(time), SignedDuration::from_secs(passed_seconds), "{millis}");
        }
    }
}

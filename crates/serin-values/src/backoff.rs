//! Exponential backoff: how long to wait before the next attempt at what has failed.

use std::time::Duration;

use crate::random::Rng;

/// A series of delays that grow by a constant factor up to a ceiling.
///
/// A value without state: the caller counts the failures, and passes the random source where it wants jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    factor: u32,
    ceiling: Duration,
}

impl Backoff {
    /// Delays from `base` on, each `factor` times the one before, and none longer than `ceiling`.
    #[must_use]
    pub const fn new(base: Duration, factor: u32, ceiling: Duration) -> Self {
        Self { base, factor, ceiling }
    }

    /// Delays from `base` on, each twice the one before, and none longer than `ceiling`.
    #[must_use]
    pub const fn doubling(base: Duration, ceiling: Duration) -> Self {
        Self::new(base, 2, ceiling)
    }

    /// The delay before a retry; `retry` counts from 0 for the first. Never longer than the ceiling, however many
    /// retries there were.
    #[must_use]
    pub fn delay(&self, retry: u32) -> Duration {
        self.base.saturating_mul(self.factor.saturating_pow(retry)).min(self.ceiling)
    }

    /// As [`Self::delay`], but a random duration from half of it to all of it, at a resolution of one millisecond, so
    /// that clients that failed together do not retry together.
    pub fn jittered(&self, retry: u32, rng: &mut Rng) -> Duration {
        let longest = self.delay(retry);
        rng.duration(longest / 2, longest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::Rng;

    #[test]
    fn delays_double_up_to_the_ceiling() {
        let backoff = Backoff::doubling(Duration::from_millis(200), Duration::from_secs(1));
        let delays: Vec<u128> = (0..5).map(|retry| backoff.delay(retry).as_millis()).collect();
        assert_eq!(delays, [200, 400, 800, 1000, 1000]);
        assert_eq!(backoff.delay(u32::MAX), Duration::from_secs(1));
    }

    #[test]
    fn a_ceiling_below_the_base_bounds_the_first_delay_too() {
        let backoff = Backoff::doubling(Duration::from_secs(2), Duration::from_secs(1));
        assert_eq!(backoff.delay(0), Duration::from_secs(1));
    }

    prop_compose! {
        fn backoffs()(
            base in 1_u64..1_000_000,
            factor in 1_u32..10,
            ceiling in 1_u64..1_000_000_000,
        ) -> Backoff {
            Backoff::new(Duration::from_millis(base), factor, Duration::from_millis(ceiling))
        }
    }

    proptest! {
        #[test]
        fn delays_never_shrink_and_never_exceed_the_ceiling(backoff in backoffs(), retry in any::<u32>()) {
            let delay = backoff.delay(retry);
            prop_assert!(delay <= backoff.ceiling && delay >= backoff.base.min(backoff.ceiling));
            prop_assert!(backoff.delay(retry.saturating_add(1)) >= delay);
        }

        #[test]
        fn below_the_ceiling_each_delay_is_a_multiple_of_the_one_before(backoff in backoffs(), retry in 0_u32..40) {
            let (delay, next) = (backoff.delay(retry), backoff.delay(retry + 1));
            prop_assert!(next == delay * backoff.factor || next == backoff.ceiling);
        }

        #[test]
        fn jitter_takes_at_most_half_and_follows_from_the_seed(
            backoff in backoffs(), retry in 0_u32..40, seed in any::<u64>(),
        ) {
            let delay = backoff.jittered(retry, &mut Rng::seeded(seed));
            let longest = backoff.delay(retry);
            prop_assert!(delay >= longest / 2 && delay <= longest);
            prop_assert_eq!(delay, backoff.jittered(retry, &mut Rng::seeded(seed)));
        }
    }
}

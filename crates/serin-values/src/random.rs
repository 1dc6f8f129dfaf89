//! Random numbers for jitter, names and tests: a seed gives the same sequence on every machine and in every release.

use std::time::Duration;

/// `SplitMix64`, a generator of 64-bit numbers with 64 bits of state. Not for secrets.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The sequence that belongs to `seed`.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not zero.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// A duration from `least` to `most`, at a resolution of one millisecond.
    pub fn duration(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_millis()).unwrap_or(u64::MAX - 1);
        least + Duration::from_millis(self.next() % (span + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_never_changes_its_meaning() {
        let mut rng = Rng::seeded(0);
        assert_eq!([rng.next(), rng.next()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
    }

    #[test]
    fn durations_stay_within_their_bounds() {
        let (least, most) = (Duration::from_millis(10), Duration::from_millis(13));
        let mut rng = Rng::seeded(1);
        let drawn: std::collections::BTreeSet<_> = (0..200).map(|_| rng.duration(least, most)).collect();
        assert_eq!(drawn.len(), 4);
        assert!(drawn.iter().all(|d| (least..=most).contains(d)));
    }
}

//! How many pods each ReplicaSet should have.
//!
//! Everything here is a pure function of plain numbers. Counts come in and go out as 32-bit numbers, as Kubernetes
//! stores them; in between they are 64 bits wide, so no sum or product overflows.

mod basic;
mod blue_green;
mod fenceposts;
mod progress;
mod routed;
mod step;

pub use self::basic::{BasicCanaryInput, basic_canary_counts, basic_canary_target};
pub use self::blue_green::{PreviewInput, preview_count};
pub use self::fenceposts::{Fenceposts, IntOrPercent, fenceposts};
pub use self::progress::{AtDesiredInput, Threshold, is_at_desired};
pub use self::routed::{
    AbortDelay, RecordedWeights, RoutedCanaryInput, abort_route_weight, routed_canary_counts, routed_weight,
};
pub use self::step::{CanaryPosition, CanaryScale, StepSize, desired_weight};

/// The replica counts of one ReplicaSet as last observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReplicaSetCounts {
    /// `.spec.replicas`: the pods that it is asked to have.
    pub spec: i32,
    /// `.status.availableReplicas`: the pods that are ready for at least `minReadySeconds`.
    pub available: i32,
    /// `.status.replicas`: the pods that it has.
    pub status: i32,
}

/// How many pods the ReplicaSets of the two revisions should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// The revision that `spec` asks for.
    pub canary: i32,
    /// The revision that serves by default.
    pub stable: i32,
}

/// `count` as Kubernetes stores it; counts beyond 32 bits are cut.
fn narrow(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(if count < 0 { i32::MIN } else { i32::MAX })
}

/// `amount * share / whole`, rounded up; 0 when `whole` is not positive.
fn ceil_share(amount: i64, share: i64, whole: i64) -> i64 {
    if whole <= 0 { 0 } else { -(-amount * share).div_euclid(whole) }
}

/// `amount * share / whole`, rounded down; 0 when `whole` is not positive.
fn floor_share(amount: i64, share: i64, whole: i64) -> i64 {
    if whole <= 0 { 0 } else { (amount * share).div_euclid(whole) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_round_up_and_down() {
        for (amount, share, whole, up, down) in [
            (10, 0, 100, 0, 0),
            (10, 25, 100, 3, 2),
            (10, 33, 100, 4, 3),
            (10, 99, 100, 10, 9),
            (10, 100, 100, 10, 10),
            (23, 100_000_000, 100_000_000, 23, 23),
            (10, 50, 0, 0, 0),
        ] {
            assert_eq!(ceil_share(amount, share, whole), up);
            assert_eq!(floor_share(amount, share, whole), down);
        }
    }

    #[test]
    fn counts_are_cut_to_32_bits() {
        assert_eq!(narrow(5), 5);
        assert_eq!(narrow(i64::MAX), i32::MAX);
        assert_eq!(narrow(i64::MIN), i32::MIN);
    }
}

//! Whether the ReplicaSets have the sizes that a step asks for.

use super::{Counts, ReplicaSetCounts};

/// How much of the current revision must be available for a step to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Threshold {
    /// All of it, and the ReplicaSet asked for no more.
    #[default]
    All,
    /// So many hundredths of its target.
    Percent(i32),
    /// So many pods.
    Pods(i32),
}

impl Threshold {
    /// Whether a ReplicaSet with `counts` passes, when it should have `target` pods. A negative threshold reads as
    /// [`Threshold::All`], and one of more than everything as everything.
    #[must_use]
    pub fn is_met(self, counts: ReplicaSetCounts, target: i32) -> bool {
        match self {
            Self::Percent(percent) if percent >= 0 => {
                let percent = i64::from(percent.min(100));
                target == 0 || i64::from(counts.available) * 100 >= percent * i64::from(target)
            }
            Self::Pods(pods) if pods >= 0 => counts.available >= pods.min(target),
            Self::All | Self::Percent(_) | Self::Pods(_) => {
                counts.spec == target && counts.available == target
            }
        }
    }
}

/// What [`is_at_desired`] depends on.
#[derive(Debug, Clone, Copy)]
pub struct AtDesiredInput {
    /// The sizes to have.
    pub target: Counts,
    /// `.spec.strategy.canary.replicaProgressThreshold`.
    pub threshold: Threshold,
    /// The ReplicaSet of the current revision, if it exists.
    pub canary: Option<ReplicaSetCounts>,
    /// The ReplicaSet of the stable revision, if it exists.
    pub stable: Option<ReplicaSetCounts>,
    /// The size of the stable revision counts; it does not where it follows the traffic (`dynamicStableScale`).
    pub is_stable_counted: bool,
    /// The available pods of all other ReplicaSets; 0 where they serve no traffic (traffic routing).
    pub others_available: i32,
}

/// Whether the sizes are those that the current step asks for, so that it can complete and traffic may follow.
#[must_use]
pub fn is_at_desired(input: &AtDesiredInput) -> bool {
    let canary_is = input.canary.is_some_and(|canary| input.threshold.is_met(canary, input.target.canary));
    let stable_is = input
        .stable
        .is_some_and(|stable| stable.spec == input.target.stable && stable.status == input.target.stable);
    canary_is && (stable_is || !input.is_stable_counted) && input.others_available == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(spec: i32, available: i32, status: i32) -> ReplicaSetCounts {
        ReplicaSetCounts { spec, available, status }
    }

    #[test]
    fn thresholds() {
        for (threshold, spec, available, target, expected) in [
            (Threshold::Percent(90), 10, 9, 10, true),
            (Threshold::Percent(90), 10, 8, 10, false),
            (Threshold::Percent(90), 0, 0, 0, true),
            (Threshold::Percent(100), 100, 100, 10, true),
            (Threshold::Percent(1000), 10, 10, 10, true),
            (Threshold::Percent(1000), 10, 9, 10, false),
            (Threshold::Percent(-1), 10, 9, 10, false),
            (Threshold::Pods(9), 10, 9, 10, true),
            (Threshold::Pods(8), 10, 7, 10, false),
            (Threshold::Pods(20), 10, 10, 10, true),
            (Threshold::Pods(20), 10, 9, 10, false),
            (Threshold::Pods(0), 10, 0, 10, true),
            (Threshold::Pods(-100), 10, 10, 10, true),
            (Threshold::All, 10, 10, 10, true),
            (Threshold::All, 5, 10, 10, false),
        ] {
            assert_eq!(
                threshold.is_met(counts(spec, available, spec), target),
                expected,
                "{threshold:?} {available}"
            );
        }
    }

    fn input(target: Counts, canary: ReplicaSetCounts, stable: ReplicaSetCounts) -> AtDesiredInput {
        AtDesiredInput {
            target,
            threshold: Threshold::All,
            canary: Some(canary),
            stable: Some(stable),
            is_stable_counted: true,
            others_available: 0,
        }
    }

    #[test]
    fn both_revisions_must_have_their_size() {
        let half = Counts { canary: 2, stable: 2 };
        let most = Counts { canary: 3, stable: 1 };
        for (target, canary, stable, expected) in [
            (half, counts(2, 2, 2), counts(2, 2, 2), true),
            (half, counts(2, 1, 2), counts(2, 2, 2), false),
            (half, counts(2, 2, 2), counts(2, 2, 3), false),
            (most, counts(3, 3, 3), counts(2, 2, 2), false),
            (most, counts(3, 3, 3), counts(1, 0, 1), true),
        ] {
            assert_eq!(is_at_desired(&input(target, canary, stable)), expected, "{canary:?} {stable:?}");
        }
    }

    #[test]
    fn missing_and_other_replica_sets() {
        let target = Counts { canary: 2, stable: 2 };
        let reached = input(target, counts(2, 2, 2), counts(2, 2, 2));
        assert!(!is_at_desired(&AtDesiredInput { canary: None, ..reached }));
        assert!(!is_at_desired(&AtDesiredInput { stable: None, ..reached }));
        assert!(is_at_desired(&AtDesiredInput { stable: None, is_stable_counted: false, ..reached }));
        assert!(!is_at_desired(&AtDesiredInput { others_available: 1, ..reached }));
    }
}

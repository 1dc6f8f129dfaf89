//! Sizes of a canary without traffic routing, where the share of pods is the share of traffic.

use super::{
    CanaryPosition, Counts, Fenceposts, ReplicaSetCounts, ceil_share, desired_weight, floor_share, narrow,
};

/// What the next sizes of a basic canary depend on.
#[derive(Debug, Clone, Copy)]
pub struct BasicCanaryInput<'a> {
    /// `.spec.replicas`.
    pub replicas: i32,
    /// The limits to keep.
    pub limits: Fenceposts,
    /// How far the update has come.
    pub position: CanaryPosition<'a>,
    /// The ReplicaSet of the current revision, if it exists.
    pub canary: Option<ReplicaSetCounts>,
    /// The ReplicaSet of the stable revision, if it exists and is another than `canary`.
    pub stable: Option<ReplicaSetCounts>,
    /// The sum of `.spec.replicas` of all other ReplicaSets.
    pub others_spec: i32,
}

/// The sizes that the current weight asks for in the end, limits aside.
///
/// Whole pods cannot match every weight: of the sizes around it, at most one pod over the replicas and only if any
/// surge is allowed, the one nearest to the weight wins. Neither side gets no pod at all unless its weight says so.
#[must_use]
pub fn basic_canary_target(input: &BasicCanaryInput<'_>) -> Counts {
    if input.stable.is_none() {
        return Counts { canary: input.replicas, stable: 0 };
    }
    let weight =
        Weight { share: desired_weight(&input.position).into(), whole: input.position.max_weight.into() };
    weight.approximated(input.replicas.into(), input.limits.surge > 0)
}

/// The next sizes on the way to [`basic_canary_target`] that keep the limits.
///
/// First pods are added, to the stable revision before the canary, as far as the surge allows. Then, once no other
/// ReplicaSet is left to shrink, pods are removed as far as availability allows.
#[must_use]
pub fn basic_canary_counts(input: &BasicCanaryInput<'_>) -> Counts {
    let step = Step::new(input);
    let grown = step.grown();
    let next = if input.others_spec > 0 { grown } else { step.shrunk(grown) };
    Counts {
        canary: narrow(next.canary),
        stable: if input.stable.is_some() { narrow(next.stable) } else { 0 },
    }
}

struct Weight {
    share: i64,
    whole: i64,
}

/// A way to split `total` pods.
#[derive(Clone, Copy)]
struct Candidate {
    canary: i64,
    total: i64,
}

impl Weight {
    fn approximated(&self, replicas: i64, may_surge: bool) -> Counts {
        if replicas == 0 {
            return Counts::default();
        }
        let totals = [Some(replicas), may_surge.then_some(replicas + 1)];
        let up = ceil_share(replicas, self.share, self.whole);
        let down = floor_share(replicas, self.share, self.whole);
        let may_be_empty = self.share == self.whole || self.share == 0 || (replicas == 1 && !may_surge);
        let mut best: Option<Candidate> = None;
        for total in totals.into_iter().flatten() {
            let may_round_up = total > replicas || up < replicas || may_be_empty;
            let may_round_down = !self.is_tied(total) && (down != 0 || may_be_empty);
            for (canary, may_be) in [(up, may_round_up), (down, may_round_down)] {
                let candidate = Candidate { canary, total };
                if may_be && best.is_none_or(|best| self.is_nearer(candidate, best)) {
                    best = Some(candidate);
                }
            }
        }
        let Candidate { canary, total } = best.unwrap_or(Candidate { canary: 0, total: replicas });
        Counts { canary: narrow(canary), stable: narrow(total - canary) }
    }

    /// Whether this share of `total` lies in the middle between two numbers of pods.
    fn is_tied(&self, total: i64) -> bool {
        2 * (total * self.share).rem_euclid(self.whole) == self.whole
    }

    fn is_nearer(&self, a: Candidate, b: Candidate) -> bool {
        self.miss(a) * i128::from(b.total) < self.miss(b) * i128::from(a.total)
    }

    /// How far the share of `candidate` is from this one, times its total.
    fn miss(&self, candidate: Candidate) -> i128 {
        let (canary, total) = (i128::from(candidate.canary), i128::from(candidate.total));
        (canary * i128::from(self.whole) - i128::from(self.share) * total).abs()
    }
}

/// Sizes of both revisions, 64 bits wide.
#[derive(Clone, Copy)]
struct Sizes {
    canary: i64,
    stable: i64,
}

/// One step from the sizes that are to the sizes that are wanted.
struct Step {
    /// The greatest number of pods that may exist.
    pods_max: i64,
    /// The least number of pods that must be available.
    available_min: i64,
    others: i64,
    spec: Sizes,
    available: Sizes,
    target: Sizes,
    has_stable: bool,
}

impl Step {
    fn new(input: &BasicCanaryInput<'_>) -> Self {
        let replicas = i64::from(input.replicas);
        let canary = input.canary.unwrap_or_default();
        let stable = input.stable.unwrap_or_default();
        let target = basic_canary_target(input);
        Self {
            pods_max: replicas + i64::from(input.limits.surge),
            available_min: replicas - i64::from(input.limits.unavailable),
            others: input.others_spec.into(),
            spec: Sizes { canary: canary.spec.into(), stable: stable.spec.into() },
            available: Sizes { canary: canary.available.into(), stable: stable.available.into() },
            target: Sizes { canary: target.canary.into(), stable: target.stable.into() },
            has_stable: input.stable.is_some(),
        }
    }

    /// The present sizes, grown towards the target as far as the surge allows.
    fn grown(&self) -> Sizes {
        let Sizes { mut canary, mut stable } = self.spec;
        let mut room = self.pods_max - (self.others + canary + stable);
        if self.has_stable && stable < self.target.stable && room > 0 {
            let added = room.min(self.target.stable - stable);
            stable += added;
            room -= added;
        }
        if canary < self.target.canary && room > 0 {
            canary = self.target.canary.min(canary + room);
        }
        Sizes { canary, stable }
    }

    /// `grown`, with the revision that loses pods shrunk towards the target as far as availability allows.
    fn shrunk(&self, grown: Sizes) -> Sizes {
        let is_growing = self.target.canary >= self.spec.canary;
        let spare = counted(self.spec.canary, self.available.canary, !is_growing)
            + counted(self.spec.stable, self.available.stable, is_growing)
            - self.available_min;
        if spare <= 0 {
            return grown;
        }
        let drained = |size: i64, target: i64| {
            if size > target { target.max(size - spare) } else { size }
        };
        if is_growing {
            let drained =
                if self.has_stable { drained(grown.stable, self.target.stable) } else { grown.stable };
            let (stable, canary) =
                self.within_limits((drained, self.available.stable), (grown.canary, self.available.canary));
            Sizes { canary, stable }
        } else {
            let drained = drained(grown.canary, self.target.canary);
            let (canary, stable) =
                self.within_limits((drained, self.available.canary), (grown.stable, self.available.stable));
            Sizes { canary, stable }
        }
    }

    /// Brings the sizes of the draining and the growing revision, each given with its available pods, within the
    /// limits again: pods over the surge are not added, and what that takes from availability is given back.
    fn within_limits(&self, draining: (i64, i64), growing: (i64, i64)) -> (i64, i64) {
        let (mut drain, drain_available) = draining;
        let (mut grow, grow_available) = growing;
        grow -= (grow + drain - self.pods_max).max(0);
        let available = drain_available.min(drain) + grow_available.min(grow);
        grow += (grow_available - grow).max(0).min((self.available_min - available).max(0));
        drain -= (grow + drain - self.pods_max).max(0);
        (drain, grow)
    }
}

/// The pods of a ReplicaSet that count as available. Those of one that will shrink count as asked for, available
/// or not: its unavailable pods are the first to go.
fn counted(spec: i64, available: i64, will_shrink: bool) -> i64 {
    if spec < available || will_shrink { spec } else { available }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::replicas::{StepSize, fenceposts};

    fn set_weight(weight: i32) -> [StepSize; 1] {
        [StepSize { set_weight: Some(weight), set_canary_scale: None }]
    }

    fn position(steps: &[StepSize]) -> CanaryPosition<'_> {
        CanaryPosition { steps, index: Some(0), max_weight: 100, is_aborted: false, is_promoted: false }
    }

    fn counts((spec, available): (i32, i32)) -> ReplicaSetCounts {
        ReplicaSetCounts { spec, available, status: spec }
    }

    fn limit(text: &str) -> IntOrString {
        text.parse().map_or_else(|_| IntOrString::String(text.to_owned()), IntOrString::Int)
    }

    #[test]
    fn targets_come_near_the_weight() {
        // Replicas, surge, and `weight=canary/stable` for some weights.
        for (replicas, surge, targets) in [
            (0, 0, "0=0/0 50=0/0 100=0/0"),
            (0, 1, "0=0/0 50=0/0 100=0/0"),
            (1, 0, "0=0/1 1=0/1 49=0/1 50=1/0 99=1/0 100=1/0"),
            (1, 1, "0=0/1 1=1/1 49=1/1 50=1/1 99=1/1 100=1/0"),
            (2, 0, "0=0/2 1=1/1 50=1/1 99=1/1 100=2/0"),
            (2, 1, "0=0/2 1=1/2 50=1/1 99=2/1 100=2/0"),
            (3, 0, "10=1/2 25=1/2 33=1/2 34=1/2 49=1/2 50=2/1"),
            (3, 1, "10=1/3 25=1/3 33=1/2 34=1/2 49=2/2 50=2/2"),
            (10, 0, "1=1/9 14=1/9 15=2/8 16=2/8 99=9/1"),
            (10, 1, "0=0/10 1=1/10 18=2/9 19=2/9 20=2/8 23=2/8 24=3/8 25=3/8 99=10/1 100=10/0"),
        ] {
            for (weight, expected) in targets.split(' ').filter_map(|target| target.split_once('=')) {
                let steps = set_weight(weight.parse().unwrap());
                let target = basic_canary_target(&BasicCanaryInput {
                    replicas,
                    limits: Fenceposts { surge, unavailable: 0 },
                    position: position(&steps),
                    canary: None,
                    stable: Some(ReplicaSetCounts::default()),
                    others_spec: 0,
                });
                let target = format!("{}/{}", target.canary, target.stable);
                assert_eq!(target, expected, "{replicas} pods, surge {surge}, weight {weight}");
            }
        }
    }

    #[test]
    fn steps_towards_the_target() {
        // Replicas, weight, limits, stable and canary (spec, available), other pods; the next canary and stable.
        for (replicas, weight, limits, stable, canary, others_spec, expected) in [
            (10, 100, ("3", "0"), (7, 8), (6, 3), 0, (6, 7)),
            (10, 20, ("2", "0"), (10, 10), (0, 0), 0, (2, 10)),
            (10, 20, ("20%", "0"), (10, 10), (0, 0), 0, (2, 10)),
            (10, 20, ("20%", "0"), (10, 10), (2, 2), 0, (2, 8)),
            (10, 30, ("2", "0"), (10, 10), (0, 0), 0, (2, 10)),
            (10, 20, ("0", "2"), (10, 10), (0, 0), 0, (0, 8)),
            (10, 20, ("0", "20%"), (10, 10), (0, 0), 0, (0, 8)),
            (10, 30, ("0", "2"), (10, 10), (0, 0), 0, (0, 8)),
            (10, 50, ("2", "1"), (10, 10), (0, 0), 0, (2, 9)),
            (10, 0, ("1", "1"), (10, 10), (1, 1), 0, (0, 10)),
            (10, 100, ("1", "1"), (1, 1), (10, 10), 0, (10, 0)),
            (1, 20, ("1", "0"), (1, 1), (0, 0), 0, (1, 1)),
            (1, 90, ("1", "0"), (1, 1), (0, 0), 0, (1, 1)),
            (1, 49, ("0", "1"), (1, 1), (0, 0), 0, (0, 1)),
            (1, 51, ("0", "1"), (1, 1), (0, 0), 0, (0, 0)),
            (1, 51, ("0", "1"), (0, 0), (0, 0), 0, (1, 0)),
            (10, 30, ("1", "0"), (1, 1), (0, 0), 3, (1, 7)),
            (10, 30, ("0", "3"), (8, 5), (4, 4), 0, (3, 7)),
            (10, 100, ("1", "0"), (10, 2), (10, 8), 0, (9, 2)),
            (10, 30, ("0", "1"), (8, 6), (4, 2), 3, (4, 8)),
            (10, 5, ("0", "1"), (10, 10), (0, 0), 0, (0, 9)),
            (10, 5, ("0", "1"), (9, 9), (0, 0), 0, (1, 9)),
            (10, 10, ("0%", "0%"), (10, 10), (0, 0), 0, (0, 9)),
            (10, 20, ("20%", "0"), (10, 10), (0, 0), 0, (2, 10)),
            (4, 100, ("1", "0"), (4, 1), (0, 0), 0, (1, 4)),
            (3, 99, ("0", "2"), (3, 3), (0, 0), 0, (0, 1)),
            (3, 99, ("0", "2"), (1, 1), (0, 0), 0, (2, 1)),
            (4, 100, ("1", "0"), (4, 1), (1, 1), 0, (1, 3)),
            (4, 0, ("1", "0"), (0, 0), (4, 4), 0, (4, 1)),
            (4, 0, ("1", "0"), (1, 0), (4, 4), 0, (4, 1)),
            (4, 0, ("1", "0"), (1, 1), (4, 4), 0, (3, 1)),
            (4, 100, ("4", "4"), (4, 4), (0, 0), 0, (4, 0)),
            (4, 100, ("3", "0"), (4, 4), (0, 0), 0, (3, 4)),
        ] {
            let steps = set_weight(weight);
            let next = basic_canary_counts(&BasicCanaryInput {
                replicas,
                limits: fenceposts(Some(&limit(limits.0)), Some(&limit(limits.1)), replicas),
                position: position(&steps),
                canary: Some(counts(canary)),
                stable: Some(counts(stable)),
                others_spec,
            });
            assert_eq!(
                (next.canary, next.stable),
                expected,
                "{replicas} pods, weight {weight}, limits {limits:?}, stable {stable:?}, canary {canary:?}"
            );
        }
    }

    #[test]
    fn without_another_stable_revision_everything_is_canary() {
        let steps = set_weight(10);
        let next = basic_canary_counts(&BasicCanaryInput {
            replicas: 10,
            limits: Fenceposts { surge: 1, unavailable: 0 },
            position: position(&steps),
            canary: Some(counts((9, 9))),
            stable: None,
            others_spec: 0,
        });
        assert_eq!(next, Counts { canary: 10, stable: 0 });
    }

    #[test]
    fn pods_that_count_as_available() {
        for (spec, available, will_shrink, expected) in
            [(0, 0, false, 0), (3, 5, false, 3), (3, 2, true, 3), (3, 2, false, 2)]
        {
            assert_eq!(counted(spec, available, will_shrink), expected);
        }
    }

    proptest! {
        #[test]
        fn steps_keep_the_limits(
            replicas in 0..40_i32, surge in 0..10_i32, unavailable in 0..10_i32, weight in 0..=100_i32,
            canary in (0..50_i32, 0..50_i32), stable in (0..50_i32, 0..50_i32),
        ) {
            let available_of = |(spec, available): (i32, i32)| counts((spec, available.min(spec)));
            let (canary, stable) = (available_of(canary), available_of(stable));
            let steps = set_weight(weight);
            let limits = Fenceposts { surge, unavailable: unavailable.min(replicas) };
            let next = basic_canary_counts(&BasicCanaryInput {
                replicas, limits, position: position(&steps), canary: Some(canary), stable: Some(stable), others_spec: 0,
            });
            let pods = canary.spec + stable.spec;
            prop_assert!(next.canary + next.stable <= pods.max(replicas + surge), "{next:?}");
            let available = canary.available + stable.available;
            let left = canary.available.min(next.canary) + stable.available.min(next.stable);
            prop_assert!(left >= available.min(replicas - limits.unavailable), "{next:?} leaves {left}");
        }

        #[test]
        fn steps_reach_the_target(
            replicas in 0..40_i32, surge in 0..10_i32, unavailable in 0..10_i32, weight in 0..=100_i32,
            canary in 0..50_i32, stable in 0..50_i32,
        ) {
            let steps = set_weight(weight);
            let unavailable = if surge == 0 { unavailable.max(1) } else { unavailable };
            let mut input = BasicCanaryInput {
                replicas,
                limits: Fenceposts { surge, unavailable: unavailable.min(replicas) },
                position: position(&steps),
                canary: Some(counts((canary, canary))),
                stable: Some(counts((stable, stable))),
                others_spec: 0,
            };
            let target = basic_canary_target(&input);
            for _ in 0..200 {
                let next = basic_canary_counts(&input);
                input.canary = Some(counts((next.canary, next.canary)));
                input.stable = Some(counts((next.stable, next.stable)));
            }
            let reached = Counts { canary: input.canary.unwrap().spec, stable: input.stable.unwrap().spec };
            prop_assert_eq!(reached, target);
        }
    }
}

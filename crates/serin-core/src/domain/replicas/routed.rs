//! Sizes of a canary with traffic routing, where the router decides who gets traffic and pods only have to suffice.

use super::{CanaryPosition, Counts, ReplicaSetCounts, ceil_share, desired_weight, floor_share, narrow};

/// `.spec.strategy.canary.abortScaleDownDelaySeconds`: how long the canary keeps its pods after an abort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbortDelay {
    /// Unset: 30 seconds.
    Default,
    /// `0`: for good.
    Never,
    /// So many seconds.
    Seconds(i32),
}

impl AbortDelay {
    /// Reads the field. A negative number of seconds has elapsed at once.
    #[must_use]
    pub fn from_field(seconds: Option<i32>) -> Self {
        match seconds {
            None => Self::Default,
            Some(0) => Self::Never,
            Some(seconds) => Self::Seconds(seconds),
        }
    }
}

/// The weights that the router was last given (`status.canary.weights`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordedWeights {
    /// The canary's.
    pub canary: i32,
    /// The stable revision's.
    pub stable: i32,
}

/// What the sizes of a canary with traffic routing depend on.
#[derive(Debug, Clone, Copy)]
pub struct RoutedCanaryInput<'a> {
    /// `.spec.replicas`.
    pub replicas: i32,
    /// How far the update has come.
    pub position: CanaryPosition<'a>,
    /// The ReplicaSet of the current revision, if it exists.
    pub canary: Option<ReplicaSetCounts>,
    /// The ReplicaSet of the stable revision, if it exists.
    pub stable: Option<ReplicaSetCounts>,
    /// `minPodsPerReplicaSet`: a ReplicaSet that has any pods has at least so many, even if that is more than the
    /// replicas. A promoted revision has its replicas, no more.
    pub min_pods: Option<i32>,
    /// `dynamicStableScale`: the stable revision has only the pods that its traffic needs.
    pub is_stable_dynamic: bool,
    /// How long the canary keeps its pods after an abort.
    pub abort_delay: AbortDelay,
    /// The weights that the router was last given, if any.
    pub weights: Option<RecordedWeights>,
}

/// The sizes that the current step and the traffic ask for.
#[must_use]
pub fn routed_canary_counts(input: &RoutedCanaryInput<'_>) -> Counts {
    let wanted = wanted_size(input);
    let canary = match wanted {
        Size::Pods(pods) => i64::from(pods),
        Size::Weight(weight) => input.at_least_min_pods(input.share(weight)),
    };
    if !input.is_stable_dynamic {
        return Counts { canary: narrow(canary), stable: input.replicas };
    }
    let weight = match wanted {
        Size::Pods(_) => 0,
        Size::Weight(weight) => weight,
    };
    // A canary may be scaled beyond the maximum weight; the stable revision then needs no pods, not less than none.
    let stable = input.share(input.position.max_weight.saturating_sub(weight).max(0));
    // Neither side shrinks below the traffic that it was last given.
    let recorded = input.weights.unwrap_or_default();
    let stable = stable.max(input.share(recorded.stable));
    let canary = if input.position.is_aborted { canary.max(input.share(recorded.canary)) } else { canary };
    Counts {
        canary: narrow(input.at_least_min_pods(canary)),
        stable: narrow(input.at_least_min_pods(stable)),
    }
}

/// How the size of a canary is given.
#[derive(Clone, Copy)]
enum Size {
    /// As a number of pods.
    Pods(i32),
    /// As a share of the maximum weight.
    Weight(i32),
}

fn wanted_size(input: &RoutedCanaryInput<'_>) -> Size {
    if input.position.is_promoted {
        return Size::Weight(input.position.max_weight);
    }
    let keeps_scale = !input.position.is_aborted || input.abort_delay == AbortDelay::Never;
    let scale = input.position.steps_back().find_map(|step| step.set_canary_scale);
    match scale.filter(|scale| keeps_scale && !scale.match_traffic_weight) {
        Some(scale) if scale.replicas.is_some() => Size::Pods(scale.replicas.unwrap_or(0)),
        Some(scale) if scale.weight.is_some() => Size::Weight(scale.weight.unwrap_or(0)),
        Some(_) | None => Size::Weight(routed_weight(input)),
    }
}

/// The traffic weight that the canary should have, out of `input.position.max_weight`.
///
/// It is [`desired_weight`], except that after an abort a stable revision that has given up pods
/// (`dynamicStableScale`) takes its traffic back no faster than its pods return.
#[must_use]
pub fn routed_weight(input: &RoutedCanaryInput<'_>) -> i32 {
    match (input.canary, input.stable) {
        (Some(canary), Some(stable))
            if input.position.is_aborted && input.is_stable_dynamic && !input.position.is_promoted =>
        {
            abort_weight(input, canary, stable)
        }
        _ => desired_weight(&input.position),
    }
}

/// The weight to fall back to after an abort when the stable revision has given up pods: the greatest step that
/// needs fewer canary pods than there are, or than the stable revision lacks.
fn abort_weight(input: &RoutedCanaryInput<'_>, canary: ReplicaSetCounts, stable: ReplicaSetCounts) -> i32 {
    let lacking = i64::from(input.replicas) - i64::from(stable.available);
    let kept = match input.abort_delay {
        AbortDelay::Seconds(seconds) if seconds > 0 => 0,
        AbortDelay::Seconds(_) | AbortDelay::Default | AbortDelay::Never => i64::from(canary.available),
    };
    // The fewest pods of a ReplicaSet are not pods that a weight needs: their going would be waited for in vain.
    let is_too_small = |weight: i32| {
        let pods = input.share(weight);
        pods < lacking || input.at_least_min_pods(pods) < kept
    };
    let mut weights = input.position.steps.iter().rev().filter_map(|step| step.set_weight);
    weights.find(|weight| is_too_small(*weight)).unwrap_or(0)
}

/// The weight that the router should give the canary after an abort, out of `input.position.max_weight`.
///
/// It is 0 unless the stable revision has given up pods (`dynamicStableScale`). Then traffic goes back to it step by
/// step: down to the step that [`routed_canary_counts`] keeps pods for, but held where it is until enough stable
/// pods are available to carry the rest.
#[must_use]
pub fn abort_route_weight(input: &RoutedCanaryInput<'_>) -> i32 {
    let (Some(canary), Some(stable)) = (input.canary, input.stable) else {
        return 0;
    };
    if !input.is_stable_dynamic || input.replicas == 0 {
        return 0;
    }
    let weight_max = i64::from(input.position.max_weight);
    let carried = floor_share(weight_max, stable.available.into(), input.replicas.into());
    let lacking = (weight_max - carried).max(0);
    let step = i64::from(abort_weight(input, canary, stable));
    let Some(recorded) = input.weights.map(|weights| i64::from(weights.canary)) else {
        return narrow(lacking.max(step));
    };
    narrow(if step <= 0 {
        lacking.min(recorded)
    } else if carried < weight_max - step {
        recorded
    } else {
        step.min(recorded)
    })
}

impl RoutedCanaryInput<'_> {
    /// The pods that `weight` needs.
    fn share(&self, weight: i32) -> i64 {
        ceil_share(self.replicas.into(), weight.into(), self.position.max_weight.into())
    }

    fn at_least_min_pods(&self, pods: i64) -> i64 {
        match self.min_pods {
            Some(min_pods) if pods != 0 && !self.position.is_promoted => pods.max(min_pods.into()),
            Some(_) | None => pods,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::replicas::{CanaryScale, StepSize};

    fn weight(weight: i32) -> StepSize {
        StepSize { set_weight: Some(weight), set_canary_scale: None }
    }

    fn scale(set_canary_scale: CanaryScale) -> StepSize {
        StepSize { set_weight: None, set_canary_scale: Some(set_canary_scale) }
    }

    fn pods(replicas: i32) -> StepSize {
        scale(CanaryScale { replicas: Some(replicas), ..CanaryScale::default() })
    }

    fn available(available: i32) -> ReplicaSetCounts {
        ReplicaSetCounts { spec: available, available, status: available }
    }

    /// A canary at the last of `steps`.
    fn at_last(replicas: i32, steps: &[StepSize]) -> RoutedCanaryInput<'_> {
        let index = i32::try_from(steps.len()).unwrap() - 1;
        RoutedCanaryInput {
            replicas,
            position: CanaryPosition {
                steps,
                index: Some(index),
                max_weight: 100,
                is_aborted: false,
                is_promoted: false,
            },
            canary: None,
            stable: None,
            min_pods: None,
            is_stable_dynamic: false,
            abort_delay: AbortDelay::Default,
            weights: None,
        }
    }

    fn aborted(input: RoutedCanaryInput<'_>) -> RoutedCanaryInput<'_> {
        RoutedCanaryInput { position: CanaryPosition { is_aborted: true, ..input.position }, ..input }
    }

    fn sizes(input: RoutedCanaryInput<'_>) -> (i32, i32) {
        let Counts { canary, stable } = routed_canary_counts(&input);
        (canary, stable)
    }

    #[test]
    fn stable_stays_full_unless_dynamic() {
        let everything = CanaryScale { weight: Some(100), replicas: Some(9), match_traffic_weight: true };
        let double = CanaryScale { weight: Some(200), ..CanaryScale::default() };
        assert_eq!(sizes(at_last(10, &[weight(10)])), (1, 10));
        assert_eq!(sizes(at_last(1, &[weight(100), pods(9)])), (9, 1));
        assert_eq!(sizes(at_last(4, &[weight(100), scale(double)])), (8, 4));
        assert_eq!(sizes(at_last(10, &[weight(20), scale(everything)])), (2, 10));
        assert_eq!(sizes(RoutedCanaryInput { min_pods: Some(2), ..at_last(10, &[weight(5)]) }), (2, 10));
    }

    #[test]
    fn scale_step_holds_until_traffic_is_matched_again() {
        let quarter = scale(CanaryScale { weight: Some(25), ..CanaryScale::default() });
        let matched = scale(CanaryScale { match_traffic_weight: true, ..CanaryScale::default() });
        let pause = StepSize::default();
        let steps = [pause, quarter, weight(50), pods(3), matched];
        for (index, canary) in [(0, 0), (1, 1), (2, 1), (3, 3), (4, 2), (5, 4)] {
            let input = at_last(4, &steps);
            let position = CanaryPosition { index: Some(index), ..input.position };
            assert_eq!(sizes(RoutedCanaryInput { position, ..input }), (canary, 4), "step {index}");
        }
    }

    #[test]
    fn empty_scale_step_follows_the_traffic() {
        assert_eq!(sizes(at_last(10, &[weight(30), scale(CanaryScale::default())])), (3, 10));
    }

    #[test]
    fn abort_keeps_an_explicit_scale_only_if_the_delay_is_never() {
        let steps = [pods(1)];
        for (seconds, expected) in [(Some(0), (1, 1)), (Some(30), (0, 1)), (None, (0, 1))] {
            let abort_delay = AbortDelay::from_field(seconds);
            assert_eq!(sizes(RoutedCanaryInput { abort_delay, ..aborted(at_last(1, &steps)) }), expected);
        }
    }

    #[test]
    fn promotion_asks_for_everything() {
        let steps = [weight(10)];
        let input = RoutedCanaryInput { min_pods: Some(2), ..at_last(1, &steps) };
        let position = CanaryPosition { is_promoted: true, ..input.position };
        assert_eq!(sizes(RoutedCanaryInput { position, ..input }), (1, 1));
    }

    #[test]
    fn dynamic_stable_follows_the_traffic() {
        let quarter = [weight(25)];
        let most = [weight(75)];
        let beyond = [scale(CanaryScale { weight: Some(200), ..CanaryScale::default() })];
        let ten = [weight(10)];
        let twenty = [weight(20)];
        let recorded = |canary, stable| Some(RecordedWeights { canary, stable });
        let dynamic = |input, weights| RoutedCanaryInput { is_stable_dynamic: true, weights, ..input };
        assert_eq!(sizes(dynamic(at_last(4, &quarter), None)), (1, 3));
        assert_eq!(sizes(dynamic(at_last(4, &most), None)), (3, 1));
        assert_eq!(sizes(dynamic(at_last(4, &beyond), None)), (8, 0));
        assert_eq!(sizes(dynamic(at_last(10, &ten), recorded(10, 90))), (1, 9));
        assert_eq!(sizes(dynamic(at_last(10, &twenty), recorded(10, 90))), (2, 9));
        assert_eq!(sizes(dynamic(aborted(at_last(10, &twenty)), recorded(20, 80))), (2, 10));
        assert_eq!(sizes(dynamic(aborted(at_last(10, &twenty)), recorded(10, 90))), (1, 10));
    }

    #[test]
    fn aborted_dynamic_stable_takes_traffic_back_step_by_step() {
        let steps = [weight(20), weight(60)];
        let weights = Some(RecordedWeights { canary: 60, stable: 40 });
        let input = RoutedCanaryInput { is_stable_dynamic: true, weights, ..aborted(at_last(10, &steps)) };
        for (canary, stable, expected) in [
            (Some(available(6)), Some(available(4)), (6, 8)),
            (Some(available(1)), Some(available(4)), (6, 8)),
            (Some(available(2)), Some(ReplicaSetCounts { spec: 8, available: 4, status: 8 }), (6, 8)),
            (None, None, (6, 10)),
        ] {
            assert_eq!(sizes(RoutedCanaryInput { canary, stable, ..input }), expected);
        }
    }

    #[test]
    fn abort_weights() {
        let steps = [weight(10), weight(50)];
        let input = RoutedCanaryInput { is_stable_dynamic: true, ..aborted(at_last(10, &steps)) };
        for (seconds, stable, expected) in
            [(None, 9, 10), (Some(30), 5, 10), (Some(30), 9, 0), (Some(0), 9, 10)]
        {
            let abort_delay = AbortDelay::from_field(seconds);
            let (canary, stable) = (Some(available(5)), Some(available(stable)));
            let input = RoutedCanaryInput { canary, stable, abort_delay, ..input };
            assert_eq!(routed_weight(&input), expected, "{seconds:?} {stable:?}");
        }
    }

    #[test]
    fn abort_route_weights() {
        let half = [weight(50)];
        let pause = [StepSize::default()];
        let recorded = |canary| Some(RecordedWeights { canary, stable: 100 - canary });
        for (steps, stable, canary, weights, expected) in [
            (&half, 3, 4, recorded(100), 50),
            (&half, 2, 4, recorded(100), 100),
            (&half, 3, 4, recorded(30), 30),
            (&half, 3, 4, None, 50),
            (&pause, 1, 5, recorded(100), 80),
            (&pause, 1, 5, None, 80),
            (&pause, 5, 5, recorded(100), 0),
            (&pause, 4, 5, recorded(0), 0),
        ] {
            let input = RoutedCanaryInput {
                is_stable_dynamic: true,
                canary: Some(available(canary)),
                stable: Some(available(stable)),
                weights,
                ..aborted(at_last(5, steps))
            };
            assert_eq!(abort_route_weight(&input), expected, "{stable} stable, {weights:?}");
            assert_eq!(abort_route_weight(&RoutedCanaryInput { canary: None, ..input }), 0);
            assert_eq!(abort_route_weight(&RoutedCanaryInput { is_stable_dynamic: false, ..input }), 0);
        }
    }
}

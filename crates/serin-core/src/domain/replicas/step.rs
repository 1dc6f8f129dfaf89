//! What the steps of a canary say about its size, and the weight that they ask for.

/// The part of a step that sizes depend on. A step of another kind has neither field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StepSize {
    /// `setWeight`: the share of traffic, of the maximum weight.
    pub set_weight: Option<i32>,
    /// `setCanaryScale`: a size that does not follow the traffic.
    pub set_canary_scale: Option<CanaryScale>,
}

/// A `setCanaryScale` step. At most one field counts: `match_traffic_weight`, then `replicas`, then `weight`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CanaryScale {
    /// The size as a share of the replicas, of the maximum weight.
    pub weight: Option<i32>,
    /// The size in pods; may exceed the replicas.
    pub replicas: Option<i32>,
    /// Back to the size that follows the traffic.
    pub match_traffic_weight: bool,
}

/// How far a canary has come.
#[derive(Debug, Clone, Copy)]
pub struct CanaryPosition<'a> {
    /// All steps.
    pub steps: &'a [StepSize],
    /// The index of the current step; past the end when all are done. Missing means the first.
    pub index: Option<i32>,
    /// The weight that means all traffic.
    pub max_weight: i32,
    /// The update was aborted.
    pub is_aborted: bool,
    /// There is nothing to step through: a promotion skips the steps, there is no stable revision yet, or the
    /// current revision is the stable one.
    pub is_promoted: bool,
}

impl CanaryPosition<'_> {
    /// The steps up to and with the current one, from the current one backwards; empty when no step is current.
    pub(super) fn steps_back(&self) -> impl Iterator<Item = &StepSize> {
        let index = usize::try_from(self.index.unwrap_or(0)).unwrap_or(0);
        self.steps.get(..=index).unwrap_or_default().iter().rev()
    }

    fn has_current_step(&self) -> bool {
        self.steps_back().next().is_some()
    }
}

/// The traffic weight that the canary should have at `position`, out of `position.max_weight`.
#[must_use]
pub fn desired_weight(position: &CanaryPosition<'_>) -> i32 {
    if position.is_promoted {
        return position.max_weight;
    }
    if position.is_aborted {
        return 0;
    }
    if !position.has_current_step() {
        return position.max_weight;
    }
    position.steps_back().find_map(|step| step.set_weight).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: StepSize = StepSize { set_weight: None, set_canary_scale: None };

    fn weight(weight: i32) -> StepSize {
        StepSize { set_weight: Some(weight), ..PAUSE }
    }

    fn at(steps: &[StepSize], index: Option<i32>) -> CanaryPosition<'_> {
        CanaryPosition { steps, index, max_weight: 100, is_aborted: false, is_promoted: false }
    }

    #[test]
    fn weight_is_that_of_the_nearest_step_behind() {
        let steps = [PAUSE, weight(10), PAUSE, weight(50)];
        for (index, expected) in [
            (None, 0),
            (Some(0), 0),
            (Some(1), 10),
            (Some(2), 10),
            (Some(3), 50),
            (Some(4), 100),
            (Some(9), 100),
        ] {
            assert_eq!(desired_weight(&at(&steps, index)), expected, "{index:?}");
        }
        assert_eq!(desired_weight(&at(&[], None)), 100);
    }

    #[test]
    fn abort_and_promotion_ignore_the_steps() {
        let steps = [weight(10)];
        let position = at(&steps, Some(0));
        assert_eq!(desired_weight(&CanaryPosition { is_aborted: true, ..position }), 0);
        let promoted = CanaryPosition { is_promoted: true, is_aborted: true, max_weight: 1000, ..position };
        assert_eq!(desired_weight(&promoted), 1000);
    }
}

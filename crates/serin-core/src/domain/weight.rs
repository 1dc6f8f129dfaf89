//! How traffic is shared out.

use thiserror::Error;

/// The whole of the traffic when `maxTrafficWeight` is not set: weights are then percentages.
pub const WEIGHT_MAX_DEFAULT: i32 = 100;

/// A destination of traffic beside canary and stable, such as a template of an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The name of the Service in front of its pods.
    pub service: String,
    /// The pod hash of its pods.
    pub pod_hash: String,
    /// Its share of the traffic.
    pub weight: i32,
}

/// Why weights do not make a split.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SplitError {
    /// There is no traffic to share out.
    #[error("the whole of the traffic is {max}, it must be at least 1")]
    NoTraffic {
        /// The weight given for the whole.
        max: i32,
    },
    /// A share is negative.
    #[error("the weight of {destination} is {weight}, it must be at least 0")]
    Negative {
        /// Whose share.
        destination: String,
        /// The share.
        weight: i32,
    },
    /// The shares leave less than nothing to the stable revision.
    #[error("the weights of canary and further destinations add up to {sum}, they must be at most {max}")]
    TooMuch {
        /// The sum of the shares.
        sum: i64,
        /// The whole.
        max: i32,
    },
}

/// The whole assignment of traffic: its parts are not negative and always add up to [`TrafficSplit::max`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficSplit {
    max: i32,
    canary: i32,
    stable: i32,
    additional: Vec<Destination>,
}

impl TrafficSplit {
    /// All traffic, of the weight `max`, to the stable revision.
    pub fn all_stable(max: i32) -> Result<Self, SplitError> {
        Self::new(max, 0, Vec::new())
    }

    /// The canary's and the additional destinations' shares of `max`; the stable revision gets what is left.
    pub fn new(max: i32, canary: i32, additional: Vec<Destination>) -> Result<Self, SplitError> {
        if max < 1 {
            return Err(SplitError::NoTraffic { max });
        }
        let of_additional =
            additional.iter().map(|destination| (destination.service.as_str(), destination.weight));
        let mut sum = 0_i64;
        for (destination, weight) in std::iter::once(("the canary", canary)).chain(of_additional) {
            if weight < 0 {
                return Err(SplitError::Negative { destination: destination.to_owned(), weight });
            }
            sum += i64::from(weight);
        }
        let stable = i32::try_from(i64::from(max) - sum).ok().filter(|stable| *stable >= 0);
        let stable = stable.ok_or(SplitError::TooMuch { sum, max })?;
        Ok(Self { max, canary, stable, additional })
    }

    /// The whole of the traffic.
    #[must_use]
    pub fn max(&self) -> i32 {
        self.max
    }

    /// The canary's share.
    #[must_use]
    pub fn canary(&self) -> i32 {
        self.canary
    }

    /// The stable revision's share.
    #[must_use]
    pub fn stable(&self) -> i32 {
        self.stable
    }

    /// Further destinations, in the order given.
    #[must_use]
    pub fn additional(&self) -> &[Destination] {
        &self.additional
    }

    /// All shares: canary, stable, and each further destination.
    pub fn shares(&self) -> impl Iterator<Item = i32> {
        [self.canary, self.stable]
            .into_iter()
            .chain(self.additional.iter().map(|destination| destination.weight))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn destination(weight: i32) -> Destination {
        Destination { service: "experiment".to_owned(), pod_hash: "abc".to_owned(), weight }
    }

    #[test]
    fn stable_gets_what_is_left() {
        let split = TrafficSplit::new(100, 20, vec![destination(5), destination(10)]).unwrap();
        assert_eq!((split.max(), split.canary(), split.stable()), (100, 20, 65));
        assert_eq!(split.additional().len(), 2);
        assert_eq!(TrafficSplit::all_stable(1000).unwrap().stable(), 1000);
    }

    #[test]
    fn what_is_no_split() {
        for (max, canary, additional, message) in [
            (0, 0, vec![], "the whole of the traffic is 0, it must be at least 1"),
            (100, -1, vec![], "the weight of the canary is -1, it must be at least 0"),
            (100, 1, vec![destination(-2)], "the weight of experiment is -2, it must be at least 0"),
            (
                100,
                60,
                vec![destination(41)],
                "the weights of canary and further destinations add up to 101, they must be at most 100",
            ),
            (
                i32::MAX,
                i32::MAX,
                vec![destination(i32::MAX)],
                "the weights of canary and further destinations add up to 4294967294, they must be at most 2147483647",
            ),
        ] {
            let error = TrafficSplit::new(max, canary, additional).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    proptest! {
        #[test]
        fn parts_add_up(max: i32, canary: i32, weights in prop::collection::vec(any::<i32>(), 0..4), small: bool) {
            let fit = |weight: i32| if small && max > 0 { weight.rem_euclid(max) / 5 } else { weight };
            let additional: Vec<_> = weights.into_iter().map(|weight| destination(fit(weight))).collect();
            match TrafficSplit::new(max, fit(canary), additional) {
                Ok(split) => {
                    prop_assert!(split.shares().all(|share| share >= 0));
                    prop_assert_eq!(split.shares().map(i64::from).sum::<i64>(), i64::from(max));
                }
                Err(_) => prop_assert!(!(small && max > 0)),
            }
        }
    }
}

//! The numbers of a metric: how often it is measured, and what it tolerates.

use jiff::SignedDuration;

use crate::api::IntOrString;
use crate::api::metric::Metric;
use serin_values::duration::go_duration;

/// How long after an error, or where a metric has a count but no interval, the next measurement begins.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_secs(10);
/// How many errors in a row are tolerated where a metric does not say.
const CONSECUTIVE_ERRORS: i64 = 4;

/// The numbers of a metric whose spec was found to be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// The number of measurements that end the metric; none where it goes on until something else ends it.
    pub count: Option<i64>,
    /// Time from the end of a measurement to the next, if set.
    pub interval: Option<SignedDuration>,
    /// Time from the start of the run to the first measurement, if set.
    pub initial_delay: Option<SignedDuration>,
    /// How many failed measurements are tolerated; none where all are.
    pub failures: Option<i64>,
    /// How many successful measurements in a row are enough; none where that ends nothing.
    pub consecutive_successes: Option<i64>,
    /// How many inconclusive measurements are tolerated.
    pub inconclusive: i64,
    /// How many errors in a row are tolerated.
    pub consecutive_errors: i64,
}

impl Limits {
    /// The numbers of a metric.
    #[must_use]
    pub(super) fn of(metric: &Metric) -> Self {
        let number = |value: &Option<IntOrString>| value.as_ref().map(number_of);
        let duration = |text: &Option<String>| text.as_deref().and_then(go_duration);
        let interval = duration(&metric.interval);
        let count = match number(&metric.count).filter(|count| *count != 0) {
            Some(count) => Some(count),
            None if interval.is_none() => Some(1),
            None => None,
        };
        Self {
            count,
            interval,
            initial_delay: duration(&metric.initial_delay),
            failures: Some(number(&metric.failure_limit).unwrap_or(0)).filter(|limit| *limit >= 0),
            consecutive_successes: number(&metric.consecutive_success_limit).filter(|limit| *limit > 0),
            inconclusive: number(&metric.inconclusive_limit).unwrap_or(0),
            consecutive_errors: number(&metric.consecutive_error_limit).unwrap_or(CONSECUTIVE_ERRORS),
        }
    }
}

/// A number or the text of one; 0 for other text, as Kubernetes reads it.
pub(super) fn number_of(value: &IntOrString) -> i64 {
    match value {
        IntOrString::Int(number) => i64::from(*number),
        IntOrString::String(text) => text.parse().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn limits(fields: &Value) -> Limits {
        let mut metric = json!({"name": "m", "provider": {}});
        for (key, value) in fields.as_object().expect("fields") {
            metric[key] = value.clone();
        }
        Limits::of(&serde_json::from_value(metric).expect("a metric"))
    }

    #[test]
    fn without_an_interval_there_is_one_measurement() {
        for (fields, count) in [
            (json!({}), Some(1)),
            (json!({"count": 0}), Some(1)),
            (json!({"interval": "1m"}), None),
            (json!({"interval": "1m", "count": "0"}), None),
            (json!({"interval": "1m", "count": "5"}), Some(5)),
            (json!({"count": 3}), Some(3)),
        ] {
            assert_eq!(limits(&fields).count, count, "{fields}");
        }
    }

    #[test]
    fn limits_have_defaults_and_can_be_turned_off() {
        let none = limits(&json!({}));
        assert_eq!((none.failures, none.inconclusive, none.consecutive_errors), (Some(0), 0, 4));
        assert_eq!((none.consecutive_successes, none.interval, none.initial_delay), (None, None, None));
        let set =
            limits(&json!({"failureLimit": "-1", "consecutiveSuccessLimit": 3, "consecutiveErrorLimit": 0}));
        assert_eq!((set.failures, set.consecutive_successes, set.consecutive_errors), (None, Some(3), 0));
    }
}

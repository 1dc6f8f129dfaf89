//! How a measurement becomes part of what is known of its metric.

use crate::analysis_template::rule_matches;
use crate::api::analysis::{AnalysisPhase, Measurement, MeasurementRetention, MetricResult};

/// How many measurements of a metric are kept where no rule says.
pub(super) const KEPT: usize = 10;
/// How much of a value is kept, in bytes: a run must stay an object that can be stored.
const LONGEST_VALUE: usize = 4096;

/// Adds a measurement, or replaces the one that was begun with it, and counts it if it is over.
pub(super) fn record(result: &mut MetricResult, mut measurement: Measurement, is_begun: bool) {
    measurement.value = measurement.value.map(shortened);
    measurement.message = measurement.message.map(shortened);
    if measurement.finished_at.is_some() {
        count(result, measurement.phase);
    }
    if is_begun {
        result.measurements.pop();
    }
    result.measurements.push(measurement);
}

fn count(result: &mut MetricResult, phase: AnalysisPhase) {
    if phase == AnalysisPhase::Error {
        result.error = result.error.saturating_add(1);
        result.consecutive_error = result.consecutive_error.saturating_add(1);
        result.consecutive_success = 0;
        return;
    }
    result.count = result.count.saturating_add(1);
    result.consecutive_error = 0;
    let is_success = phase == AnalysisPhase::Successful;
    result.consecutive_success = if is_success { result.consecutive_success.saturating_add(1) } else { 0 };
    let counter = match phase {
        AnalysisPhase::Successful => &mut result.successful,
        AnalysisPhase::Failed => &mut result.failed,
        AnalysisPhase::Inconclusive
        | AnalysisPhase::Unknown
        | AnalysisPhase::Pending
        | AnalysisPhase::Running
        | AnalysisPhase::Error => &mut result.inconclusive,
    };
    *counter = counter.saturating_add(1);
}

/// Forgets the oldest measurements of a metric, as the last rule says that matches its name.
pub(super) fn trim(result: &mut MetricResult, rules: &[MeasurementRetention]) {
    let is_match = |rule: &&MeasurementRetention| rule_matches(&rule.metric_name, &result.name);
    let limit = rules.iter().filter(is_match).map(|rule| rule.limit).next_back();
    let kept = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0).unwrap_or(KEPT);
    let excess = result.measurements.len().saturating_sub(kept);
    result.measurements.drain(..excess);
}

fn shortened(text: String) -> String {
    if text.len() <= LONGEST_VALUE {
        return text;
    }
    let end = (0..=LONGEST_VALUE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}… ({} bytes)", &text[..end], text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn measurement(phase: &str, value: &str) -> Measurement {
        let finished = if phase == "Running" { Value::Null } else { json!("2026-01-01T00:00:00Z") };
        serde_json::from_value(json!({"phase": phase, "value": value, "finishedAt": finished}))
            .expect("a measurement")
    }

    #[test]
    fn each_outcome_has_its_counters() {
        let mut result = MetricResult::default();
        for (phase, expected) in [
            ("Successful", (1, 1, 0, 0, 0, 0, 1)),
            ("Successful", (2, 2, 0, 0, 0, 0, 2)),
            ("Error", (2, 2, 0, 0, 1, 1, 0)),
            ("Error", (2, 2, 0, 0, 2, 2, 0)),
            ("Failed", (3, 2, 1, 0, 2, 0, 0)),
            ("Inconclusive", (4, 2, 1, 1, 2, 0, 0)),
            ("Running", (4, 2, 1, 1, 2, 0, 0)),
        ] {
            record(&mut result, measurement(phase, ""), false);
            let MetricResult { count, successful, failed, inconclusive, error, .. } = result;
            let runs = (result.consecutive_error, result.consecutive_success);
            assert_eq!((count, successful, failed, inconclusive, error, runs.0, runs.1), expected, "{phase}");
        }
        let before = result.measurements.len();
        record(&mut result, measurement("Successful", ""), true);
        assert_eq!((result.measurements.len(), result.successful), (before, 3), "it was the one that ran");
    }

    #[test]
    fn old_measurements_are_forgotten_and_large_values_cut() {
        let rules = |json: Value| serde_json::from_value::<Vec<MeasurementRetention>>(json).expect("rules");
        for (rules, kept) in [
            (rules(json!([])), 10),
            (rules(json!([{"metricName": "rate", "limit": 3}])), 3),
            (rules(json!([{"metricName": "rate", "limit": 3}, {"metricName": ".*", "limit": 5}])), 5),
            (rules(json!([{"metricName": "other", "limit": 3}])), 10),
            (rules(json!([{"metricName": "rate", "limit": 0}])), 10),
            (rules(json!([{"metricName": "(", "limit": 2}])), 10),
        ] {
            let mut result = MetricResult { name: "error-rate".into(), ..MetricResult::default() };
            (0..20).for_each(|n| record(&mut result, measurement("Successful", &n.to_string()), false));
            trim(&mut result, &rules);
            assert_eq!(result.measurements.len(), kept, "{rules:?}");
            assert_eq!(result.measurements.last().and_then(|last| last.value.as_deref()), Some("19"));
            assert_eq!(result.count, 20);
        }
        let mut result = MetricResult::default();
        record(&mut result, measurement("Successful", &"ü".repeat(5000)), false);
        let value = result.measurements[0].value.clone().expect("a value");
        assert!(value.len() < 4200 && value.ends_with("… (10000 bytes)"), "{}", value.len());
    }
}

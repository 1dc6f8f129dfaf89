//! Whether the spec of an AnalysisRun makes sense.
//!
//! The texts are those of the reference, since tools and people match on them. Two checks go beyond the reference: counts
//! and limits must be numbers, and a count must not be negative. A value that an argument is still to be put into
//! (`{{args.name}}`) is not judged.

use std::collections::BTreeSet;

use regex::Regex;

use crate::api::IntOrString;
use crate::api::analysis::AnalysisRunSpec;
use crate::api::metric::{Metric, MetricProvider};
use serin_values::duration::go_duration_problem;

/// Checks a spec; the first mistake, as the reference words it.
pub fn validate(spec: &AnalysisRunSpec) -> Result<(), String> {
    if spec.metrics.is_empty() {
        return Err("no metrics specified".to_owned());
    }
    validate_metrics(&spec.metrics)?;
    let names = spec.metrics.iter().map(|metric| &metric.name).collect();
    let dry_run = spec.dry_run.iter().map(|rule| rule.metric_name.as_str());
    check_rules("dryRun", dry_run, &names)?;
    let retention = spec.measurement_retention.iter().map(|rule| rule.metric_name.as_str());
    check_rules("measurementRetention", retention, &names)
}

/// Checks metrics, which may be none; the first mistake, as the reference words it.
pub(super) fn validate_metrics(metrics: &[Metric]) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for (index, metric) in metrics.iter().enumerate() {
        let problem = if names.insert(&metric.name) {
            problem_of(metric)
        } else {
            Some(format!("duplicate name '{}'", metric.name))
        };
        if let Some(problem) = problem {
            return Err(format!("metrics[{index}]: {problem}"));
        }
    }
    Ok(())
}

/// True if a metric is measured until something else ends the run: it has an interval, and no count.
pub(super) fn runs_indefinitely(metric: &Metric) -> bool {
    let has_interval = metric.interval.as_deref().is_some_and(|interval| !interval.is_empty());
    has_interval && number(metric.count.as_ref()) == Some(0)
}

/// Whether a rule of `dryRun` or `measurementRetention` is about a metric: a regular expression for a part of its name. One that
/// is none matches nothing.
#[must_use]
pub fn rule_matches(rule: &str, metric: &str) -> bool {
    Regex::new(rule).is_ok_and(|rule| rule.is_match(metric))
}

/// Each rule must match the name of a metric; a regular expression that is none matches nothing.
fn check_rules<'a>(
    field: &str,
    rules: impl Iterator<Item = &'a str>,
    names: &BTreeSet<&String>,
) -> Result<(), String> {
    for (index, rule) in rules.enumerate() {
        let matches = names.iter().any(|name| rule_matches(rule, name));
        if !matches && !is_open(rule) {
            return Err(format!("{field}[{index}]: Rule didn't match any metric name(s)"));
        }
    }
    Ok(())
}

fn problem_of(metric: &Metric) -> Option<String> {
    problem_of_numbers(metric)
        .or_else(|| problem_of_limits(metric))
        .or_else(|| problem_of_times(metric))
        .or_else(|| problem_of_provider(&metric.provider))
}

/// Numbers may be texts, into which arguments are put. The reference reads any other text as 0.
fn problem_of_numbers(metric: &Metric) -> Option<String> {
    let fields = [
        ("count", &metric.count),
        ("failureLimit", &metric.failure_limit),
        ("consecutiveSuccessLimit", &metric.consecutive_success_limit),
        ("inconclusiveLimit", &metric.inconclusive_limit),
        ("consecutiveErrorLimit", &metric.consecutive_error_limit),
    ];
    fields.into_iter().find_map(|(field, value)| {
        let Some(IntOrString::String(text)) = value else { return None };
        let is_number = text.is_empty() || is_open(text) || text.parse::<i32>().is_ok();
        (!is_number).then(|| format!("{field} must be a whole number of 32 bits, not {text:?}"))
    })
}

fn problem_of_limits(metric: &Metric) -> Option<String> {
    let success = number(metric.consecutive_success_limit.as_ref());
    let failure = number(metric.failure_limit.as_ref());
    let inconclusive = number(metric.inconclusive_limit.as_ref());
    let error = number(metric.consecutive_error_limit.as_ref());
    if success.is_some_and(|limit| limit < 0) {
        return Some("consecutiveSuccessLimit must be >= 0".to_owned());
    }
    if failure.is_some_and(|limit| limit < -1) {
        return Some("failureLimit must be >= 0, or -1 to be disabled".to_owned());
    }
    if failure == Some(-1) && success == Some(0) {
        return Some("failureLimit and consecutiveSuccessLimit cannot both be disabled".to_owned());
    }
    if inconclusive.is_some_and(|limit| limit < 0) {
        return Some("inconclusiveLimit must be >= 0".to_owned());
    }
    if error.is_some_and(|limit| limit < 0) {
        return Some("consecutiveErrorLimit must be >= 0".to_owned());
    }
    let count = number(metric.count.as_ref())?;
    if count < 0 {
        return Some("count must be >= 0".to_owned());
    }
    if count == 0 {
        return None;
    }
    if let (Some(failure), Some(success)) = (failure, success) {
        if failure >= 0 && count < failure + success {
            return Some(format!(
                "count ({count}) must be >= failureLimit + consecutiveSuccessLimit ({failure} + {success}) if both >= 0"
            ));
        }
        if failure == -1 && count < success {
            return Some("count must be >= consecutiveSuccessLimit".to_owned());
        }
    }
    if inconclusive.is_some_and(|limit| count < limit) {
        return Some("count must be >= inconclusiveLimit".to_owned());
    }
    (count > 1 && metric.interval.as_deref().unwrap_or_default().is_empty())
        .then(|| "interval must be specified when count > 1".to_owned())
}

fn problem_of_times(metric: &Metric) -> Option<String> {
    let fields = [("interval", &metric.interval), ("startDelay", &metric.initial_delay)];
    fields.into_iter().find_map(|(field, text)| {
        let problem =
            go_duration_problem(text.as_deref().filter(|text| !text.is_empty() && !is_open(text))?)?;
        Some(format!("invalid {field} string: {problem}"))
    })
}

fn problem_of_provider(provider: &MetricProvider) -> Option<String> {
    match providers(provider) {
        0 => Some("no provider specified".to_owned()),
        1 => None,
        _ => Some("multiple providers specified".to_owned()),
    }
}

/// How many providers a metric has; each plugin is one.
fn providers(provider: &MetricProvider) -> usize {
    let MetricProvider {
        prometheus,
        kayenta,
        web,
        datadog,
        wavefront,
        new_relic,
        job,
        cloud_watch,
        graphite,
        influxdb,
        skywalking,
        plugin,
    } = provider;
    let built_in = [
        prometheus.is_some(),
        kayenta.is_some(),
        web.is_some(),
        datadog.is_some(),
        wavefront.is_some(),
        new_relic.is_some(),
        job.is_some(),
        cloud_watch.is_some(),
        graphite.is_some(),
        influxdb.is_some(),
        skywalking.is_some(),
    ];
    built_in.into_iter().filter(|is_set| *is_set).count() + plugin.len()
}

/// A number; 0 if it is not set or blank. `None` if an argument will be put in.
fn number(value: Option<&IntOrString>) -> Option<i64> {
    match value {
        None => Some(0),
        Some(IntOrString::Int(number)) => Some(i64::from(*number)),
        Some(IntOrString::String(text)) if is_open(text) => None,
        Some(IntOrString::String(text)) => Some(text.parse().unwrap_or(0)),
    }
}

/// Whether an argument is to be put into the text.
fn is_open(text: &str) -> bool {
    text.contains("{{")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(metrics: &Value) -> AnalysisRunSpec {
        serde_json::from_value(json!({"metrics": metrics})).expect("a spec")
    }

    /// What is said of one metric with these fields.
    fn said(fields: &Value) -> String {
        let mut metric = json!({"name": "m", "provider": {"web": {"url": "http://127.0.0.1/"}}});
        for (key, value) in fields.as_object().expect("fields") {
            metric[key] = value.clone();
        }
        validate(&spec(&json!([metric]))).err().unwrap_or_default()
    }

    #[test]
    fn each_mistake_has_its_text() {
        let both = "metrics[0]: failureLimit and consecutiveSuccessLimit cannot both be disabled";
        let sum =
            "metrics[0]: count (1) must be >= failureLimit + consecutiveSuccessLimit (2 + 0) if both >= 0";
        for (fields, text) in [
            (json!({}), ""),
            (json!({"consecutiveSuccessLimit": -1}), "metrics[0]: consecutiveSuccessLimit must be >= 0"),
            (json!({"failureLimit": -2}), "metrics[0]: failureLimit must be >= 0, or -1 to be disabled"),
            (json!({"failureLimit": -1}), both),
            (json!({"failureLimit": "-1"}), both),
            (json!({"failureLimit": -1, "consecutiveSuccessLimit": 2}), ""),
            (json!({"inconclusiveLimit": -1}), "metrics[0]: inconclusiveLimit must be >= 0"),
            (json!({"consecutiveErrorLimit": -1}), "metrics[0]: consecutiveErrorLimit must be >= 0"),
            (json!({"count": 1, "failureLimit": 2}), sum),
            (json!({"count": "2", "failureLimit": 2, "interval": "1m"}), ""),
            (
                json!({"count": 1, "failureLimit": -1, "consecutiveSuccessLimit": 2}),
                "metrics[0]: count must be >= consecutiveSuccessLimit",
            ),
            (json!({"count": 1, "inconclusiveLimit": 2}), "metrics[0]: count must be >= inconclusiveLimit"),
            (json!({"count": 2}), "metrics[0]: interval must be specified when count > 1"),
            (json!({"provider": {}}), "metrics[0]: no provider specified"),
            (
                json!({"provider": {"web": {"url": "x"}, "plugin": {"a": 1}}}),
                "metrics[0]: multiple providers specified",
            ),
            (json!({"provider": {"plugin": {"a": 1, "b": 2}}}), "metrics[0]: multiple providers specified"),
        ] {
            assert_eq!(said(&fields), text, "{fields}");
        }
    }

    #[test]
    fn texts_that_are_no_numbers_are_refused() {
        let fields = [
            "count",
            "failureLimit",
            "consecutiveSuccessLimit",
            "inconclusiveLimit",
            "consecutiveErrorLimit",
        ];
        for (text, is_right) in [
            ("1", true),
            ("", true),
            ("{{args.x}}", true),
            ("one", false),
            ("1.5", false),
            ("5000000000", false),
        ] {
            for field in fields {
                let wrong = format!("metrics[0]: {field} must be a whole number of 32 bits, not {text:?}");
                let said = said(&json!({"count": "9", "interval": "1m", field: text}));
                assert_eq!(said, if is_right { String::new() } else { wrong });
            }
        }
        assert_eq!(said(&json!({"count": -1})), "metrics[0]: count must be >= 0");
    }

    #[test]
    fn a_metric_with_an_interval_and_without_a_count_has_no_end() {
        for (fields, has_no_end) in [
            (json!({}), false),
            (json!({"interval": "", "count": 0}), false),
            (json!({"interval": "1m"}), true),
            (json!({"interval": "1m", "count": "0"}), true),
            (json!({"interval": "{{args.interval}}"}), true),
            (json!({"interval": "1m", "count": 1}), false),
            (json!({"interval": "1m", "count": "{{args.count}}"}), false),
        ] {
            let mut metric = json!({"name": "m", "provider": {}});
            metric.as_object_mut().expect("a metric").extend(fields.as_object().expect("fields").clone());
            let metric = serde_json::from_value(metric).expect("a metric");
            assert_eq!(runs_indefinitely(&metric), has_no_end, "{fields}");
        }
    }

    #[test]
    fn durations_are_refused_as_go_does() {
        for (text, said_of) in [
            ("x", r#"time: invalid duration "x""#),
            ("5", r#"time: missing unit in duration "5""#),
            ("5q", r#"time: unknown unit "q" in duration "5q""#),
            ("1m5", r#"time: missing unit in duration "1m5""#),
            (".s", r#"time: invalid duration ".s""#),
            ("9999999h", r#"time: invalid duration "9999999h""#),
        ] {
            assert_eq!(
                said(&json!({"interval": text})),
                format!("metrics[0]: invalid interval string: {said_of}")
            );
            let delay = said(&json!({"initialDelay": text}));
            assert_eq!(delay, format!("metrics[0]: invalid startDelay string: {said_of}"));
        }
    }

    #[test]
    fn what_an_argument_is_to_be_put_into_is_not_judged() {
        assert_eq!(said(&json!({"count": "{{args.count}}", "failureLimit": 5})), "");
        assert_eq!(said(&json!({"interval": "{{args.interval}}", "count": 2})), "");
    }

    #[test]
    fn names_are_unique_and_rules_match_one() {
        let metric = |name: &str| json!({"name": name, "provider": {"web": {"url": "x"}}});
        let twice = spec(&json!([metric("a"), metric("a")]));
        assert_eq!(validate(&twice), Err("metrics[1]: duplicate name 'a'".to_owned()));
        assert_eq!(validate(&spec(&json!([]))), Err("no metrics specified".to_owned()));
        for (rule, is_right) in [("err", true), ("^latency$", false), ("error-.*", true), ("(", false)] {
            let mut one = spec(&json!([metric("error-rate")]));
            one.dry_run = serde_json::from_value(json!([{"metricName": rule}])).expect("rules");
            let wrong = "dryRun[0]: Rule didn't match any metric name(s)";
            assert_eq!(validate(&one).err().as_deref(), (!is_right).then_some(wrong), "{rule}");
            one.measurement_retention =
                serde_json::from_value(json!([{"metricName": rule, "limit": 1}])).expect("rules");
            one.dry_run.clear();
            let wrong = "measurementRetention[0]: Rule didn't match any metric name(s)";
            assert_eq!(validate(&one).err().as_deref(), (!is_right).then_some(wrong), "{rule}");
        }
    }
}

//! What measurements say about a metric, and metrics about a run.

use super::limits::Limits;
use crate::api::analysis::{AnalysisPhase, MetricResult, RunSummary};

/// A limit that was passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breach {
    /// The outcome that follows.
    pub phase: AnalysisPhase,
    /// Which limit, for people: `failed (2) > failureLimit (1)`.
    pub reason: String,
}

/// The limit that a metric has passed, if any. Of several it is the worst: failures, errors, then what is inconclusive.
#[must_use]
pub(super) fn breach(limits: &Limits, result: &MetricResult) -> Option<Breach> {
    let breach = |phase, name: &str, count: i32, limit_name: &str, limit: Option<i64>| {
        let limit = limit.filter(|limit| i64::from(count) > *limit)?;
        Some(Breach { phase, reason: format!("{name} ({count}) > {limit_name} ({limit})") })
    };
    let errors = Some(limits.consecutive_errors);
    breach(AnalysisPhase::Failed, "failed", result.failed, "failureLimit", limits.failures)
        .or_else(|| {
            let count = result.consecutive_error;
            breach(AnalysisPhase::Error, "consecutiveErrors", count, "consecutiveErrorLimit", errors)
        })
        .or_else(|| {
            let (count, limit) = (result.inconclusive, Some(limits.inconclusive));
            breach(AnalysisPhase::Inconclusive, "inconclusive", count, "inconclusiveLimit", limit)
        })
}

/// The outcome of a metric after the measurements in `result`, if there are any. A terminating run asks for no more.
#[must_use]
pub(super) fn assess(limits: &Limits, result: Option<&MetricResult>, terminating: bool) -> AnalysisPhase {
    let Some((result, last)) = result.and_then(|result| Some((result, result.measurements.last()?))) else {
        return if terminating { AnalysisPhase::Successful } else { AnalysisPhase::Pending };
    };
    if result.phase.is_completed() {
        return result.phase;
    }
    if last.finished_at.is_none() {
        return AnalysisPhase::Running;
    }
    if let Some(breach) = breach(limits, result) {
        return breach.phase;
    }
    let successes = i64::from(result.consecutive_success);
    if limits.consecutive_successes.is_some_and(|limit| successes >= limit) {
        return AnalysisPhase::Successful;
    }
    if limits.count.is_some_and(|count| i64::from(result.count) >= count) {
        return match (limits.failures, limits.consecutive_successes) {
            (Some(_), Some(_)) => AnalysisPhase::Inconclusive,
            (None, Some(_)) => AnalysisPhase::Failed,
            (Some(_) | None, None) => AnalysisPhase::Successful,
        };
    }
    if terminating { AnalysisPhase::Successful } else { AnalysisPhase::Running }
}

/// How bad an outcome is, the worst last.
#[must_use]
pub(super) fn severity(phase: AnalysisPhase) -> u8 {
    match phase {
        AnalysisPhase::Unknown | AnalysisPhase::Successful => 0,
        AnalysisPhase::Running => 1,
        AnalysisPhase::Pending => 2,
        AnalysisPhase::Inconclusive => 3,
        AnalysisPhase::Error => 4,
        AnalysisPhase::Failed => 5,
    }
}

/// A metric of a run and its outcome.
#[derive(Debug, Clone)]
pub(super) struct Assessed<'a> {
    /// Its numbers.
    pub limits: Limits,
    /// What was measured; none where nothing was.
    pub result: Option<&'a MetricResult>,
    /// Whether its outcome has no effect.
    pub dry_run: bool,
    /// Its outcome.
    pub phase: AnalysisPhase,
}

/// How many metrics came out how.
#[must_use]
pub(super) fn summary<'a>(metrics: impl Iterator<Item = &'a Assessed<'a>>) -> RunSummary {
    let mut summary = RunSummary::default();
    for metric in metrics {
        summary.count += 1;
        match metric.phase {
            AnalysisPhase::Successful => summary.successful += 1,
            AnalysisPhase::Failed => summary.failed += 1,
            AnalysisPhase::Inconclusive => summary.inconclusive += 1,
            AnalysisPhase::Error => summary.error += 1,
            AnalysisPhase::Unknown | AnalysisPhase::Pending | AnalysisPhase::Running => {}
        }
    }
    summary
}

/// The outcome of a run and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The outcome.
    pub phase: AnalysisPhase,
    /// Why; empty where it needs no words.
    pub message: String,
}

/// How a run came to its end, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It goes on while a metric does.
    Natural,
    /// It ends now, since a metric has decided it.
    Decided,
    /// It ends now, since a user or a Rollout says so.
    Terminated,
}

/// What the metrics say about the run. A metric that decides it only speaks for the whole run once the others have ended,
/// which the next look brings about.
#[must_use]
pub(super) fn outcome(metrics: &[Assessed<'_>], ending: Ending) -> Outcome {
    let counting = || metrics.iter().filter(|metric| !metric.dry_run);
    if ending == Ending::Natural && metrics.iter().any(|metric| !metric.phase.is_completed()) {
        return Outcome { phase: AnalysisPhase::Running, message: String::new() };
    }
    let mut message = if ending == Ending::Terminated { "Run Terminated".to_owned() } else { String::new() };
    let completed = || counting().filter(|metric| metric.phase.is_completed());
    let worst = completed().map(|metric| severity(metric.phase)).max();
    let first = completed().find(|metric| Some(severity(metric.phase)) == worst);
    let Some(worst) = first.filter(|metric| metric.phase != AnalysisPhase::Successful) else {
        return without_fault(counting(), message);
    };
    if let Some(result) = worst.result
        && let Some(breach) = breach(&worst.limits, result)
    {
        message = format!("Metric \"{}\" assessed {:?} due to {}", result.name, worst.phase, breach.reason);
        if let Some(said) = result.message.as_deref().filter(|said| !said.is_empty()) {
            message = format!("{message}: \"Error Message: {said}\"");
        }
    }
    Outcome { phase: worst.phase, message }
}

/// No metric says that something is wrong. That is a success if at least one of those that count has measured something.
fn without_fault<'a>(counting: impl Iterator<Item = &'a Assessed<'a>>, message: String) -> Outcome {
    let mut is_any = false;
    let mut is_evident = false;
    for metric in counting {
        is_any = true;
        is_evident |= metric.result.is_some_and(|result| result.count > 0);
    }
    if is_evident || !is_any {
        return Outcome { phase: AnalysisPhase::Successful, message };
    }
    let separator = if message.is_empty() { "" } else { ": " };
    let message = format!("{message}{separator}no metric has a measurement");
    Outcome { phase: AnalysisPhase::Inconclusive, message }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::metric::Metric;

    fn limits(fields: &Value) -> Limits {
        let mut metric = json!({"name": "m", "interval": "1m", "provider": {}});
        for (key, value) in fields.as_object().expect("fields") {
            metric[key] = value.clone();
        }
        Limits::of(&serde_json::from_value::<Metric>(metric).expect("a metric"))
    }

    fn result(fields: &Value) -> MetricResult {
        let finished = json!({"phase": "Successful", "finishedAt": "2026-01-01T00:00:00Z"});
        let mut result = json!({"name": "m", "phase": "Running", "measurements": [finished]});
        for (key, value) in fields.as_object().expect("fields") {
            result[key] = value.clone();
        }
        serde_json::from_value(result).expect("a result")
    }

    /// The rows of the worked examples for one metric.
    #[test]
    fn metrics_are_assessed() {
        use AnalysisPhase::{Error, Failed, Inconclusive, Pending, Running, Successful};
        let six = json!({"failureLimit": 4, "consecutiveSuccessLimit": 4, "count": 10});
        let streak = json!({"failureLimit": -1, "consecutiveSuccessLimit": 5});
        let counted = json!({"failureLimit": -1, "consecutiveSuccessLimit": 5, "count": 7});
        for (spec, found, running, terminating) in [
            (json!({}), Value::Null, Pending, Successful),
            (json!({}), json!({"measurements": [{"phase": "Running"}], "failed": 9}), Running, Running),
            (json!({"failureLimit": 2}), json!({"failed": 3, "count": 3}), Failed, Failed),
            (json!({"failureLimit": 3}), json!({"failed": 3, "count": 3}), Running, Successful),
            (
                json!({"failureLimit": -1, "consecutiveSuccessLimit": 3}),
                json!({"consecutiveSuccess": 3}),
                Successful,
                Successful,
            ),
            (streak, json!({"consecutiveSuccess": 3}), Running, Successful),
            (counted, json!({"count": 7, "consecutiveSuccess": 3}), Failed, Failed),
            (
                six.clone(),
                json!({"failed": 4, "consecutiveSuccess": 3, "count": 10}),
                Inconclusive,
                Inconclusive,
            ),
            (six.clone(), json!({"failed": 5, "count": 6}), Failed, Failed),
            (six, json!({"failed": 4, "consecutiveSuccess": 4, "count": 9}), Successful, Successful),
            (json!({"inconclusiveLimit": 2}), json!({"inconclusive": 3}), Inconclusive, Inconclusive),
            (json!({"inconclusiveLimit": 3}), json!({"inconclusive": 3}), Running, Successful),
            (json!({}), json!({"consecutiveError": 5}), Error, Error),
            (json!({}), json!({"consecutiveError": 4}), Running, Successful),
            (json!({"count": 10}), json!({"successful": 10, "count": 10}), Successful, Successful),
            (
                json!({"count": 10}),
                json!({"successful": 5, "inconclusive": 5, "count": 10}),
                Inconclusive,
                Inconclusive,
            ),
            (json!({}), json!({"phase": "Failed"}), Failed, Failed),
        ] {
            let limits = limits(&spec);
            let result = (!found.is_null()).then(|| result(&found));
            let phases = [false, true].map(|terminating| assess(&limits, result.as_ref(), terminating));
            assert_eq!(phases, [running, terminating], "{spec} {found}");
        }
    }

    #[test]
    fn of_several_limits_the_worst_counts() {
        let all = result(&json!({"failed": 1, "inconclusive": 1, "consecutiveError": 5}));
        let breach = |limits: &Value| super::breach(&self::limits(limits), &all).expect("a breach").reason;
        assert_eq!(breach(&json!({})), "failed (1) > failureLimit (0)");
        assert_eq!(breach(&json!({"failureLimit": 1})), "consecutiveErrors (5) > consecutiveErrorLimit (4)");
        let lenient = json!({"failureLimit": 1, "consecutiveErrorLimit": 5});
        assert_eq!(breach(&lenient), "inconclusive (1) > inconclusiveLimit (0)");
    }

    fn assessed(result: &MetricResult, dry_run: bool) -> Assessed<'_> {
        Assessed { limits: limits(&json!({})), result: Some(result), dry_run, phase: result.phase }
    }

    #[test]
    fn the_worst_metric_speaks_for_the_run_and_of_equals_the_first() {
        let failed = |name: &str, message: &str| {
            result(&json!({"name": name, "phase": "Failed", "failed": 1, "count": 1, "message": message}))
        };
        let (a, b) = (failed("run-forever", ""), failed("failed-metric", "M"));
        let good = result(&json!({"name": "good", "phase": "Successful", "successful": 1, "count": 1}));
        let running = result(&json!({"name": "running"}));
        let told = |metrics: &[&MetricResult], ending| {
            let metrics: Vec<_> = metrics.iter().map(|result| assessed(result, false)).collect();
            outcome(&metrics, ending)
        };
        let of_a = "Metric \"run-forever\" assessed Failed due to failed (1) > failureLimit (0)";
        let of_b = "Metric \"failed-metric\" assessed Failed due to failed (1) > failureLimit (0): \"Error Message: M\"";
        for (metrics, ending, phase, message) in [
            (vec![&good, &running], Ending::Natural, AnalysisPhase::Running, ""),
            (vec![&running, &b], Ending::Natural, AnalysisPhase::Running, ""),
            (vec![&running, &b], Ending::Decided, AnalysisPhase::Failed, of_b),
            (vec![&good, &a, &b], Ending::Natural, AnalysisPhase::Failed, of_a),
            (vec![&b], Ending::Terminated, AnalysisPhase::Failed, of_b),
            (vec![&good, &running], Ending::Terminated, AnalysisPhase::Successful, "Run Terminated"),
            (vec![&good], Ending::Natural, AnalysisPhase::Successful, ""),
        ] {
            assert_eq!(told(&metrics, ending), Outcome { phase, message: message.into() }, "{metrics:?}");
        }
    }

    #[test]
    fn what_was_never_measured_is_no_success() {
        let empty = result(&json!({"phase": "Successful", "error": 3}));
        let never = Assessed { result: None, ..assessed(&empty, false) };
        let message = "Run Terminated: no metric has a measurement".to_owned();
        for metric in [assessed(&empty, false), never] {
            let outcome = outcome(&[metric], Ending::Terminated);
            assert_eq!(outcome, Outcome { phase: AnalysisPhase::Inconclusive, message: message.clone() });
        }
    }

    #[test]
    fn dry_runs_decide_nothing() {
        let bad = result(&json!({"phase": "Failed", "failed": 2, "count": 2}));
        let metrics = [assessed(&bad, true), assessed(&bad, true)];
        let ended = outcome(&metrics, Ending::Natural);
        assert_eq!(ended, Outcome { phase: AnalysisPhase::Successful, message: String::new() });
        assert_eq!(summary(metrics.iter()), RunSummary { count: 2, failed: 2, ..RunSummary::default() });
    }
}

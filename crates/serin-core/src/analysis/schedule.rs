//! Which metrics are measured now, and when to look again.

use jiff::Timestamp;

use super::limits::{Limits, PAUSE};
use crate::api::analysis::{AnalysisPhase, Measurement, MetricResult};
use serin_values::time::after;

/// What is to be done about a metric now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Task<'a> {
    /// Nothing, until that time, or until something changes.
    Wait(Option<Timestamp>),
    /// A new measurement.
    Measure,
    /// Another look at a measurement that was begun.
    Resume(&'a Measurement),
    /// An end to a measurement that was begun.
    Stop(&'a Measurement),
}

/// What is to be done about a metric of a run that was `started` then, if it was. A terminating run begins nothing.
#[must_use]
pub(super) fn task<'a>(
    limits: &Limits,
    result: Option<&'a MetricResult>,
    started: Option<Timestamp>,
    terminating: bool,
    now: Timestamp,
) -> Task<'a> {
    if result.is_some_and(|result| result.phase.is_completed()) {
        return Task::Wait(None);
    }
    let last = result.and_then(|result| result.measurements.last());
    if let Some(last) = last.filter(|last| last.finished_at.is_none()) {
        let resume = last.resume_at.as_ref().map(|time| time.0);
        return match resume.filter(|resume| now < *resume) {
            _ if terminating => Task::Stop(last),
            Some(resume) => Task::Wait(Some(resume)),
            None => Task::Resume(last),
        };
    }
    if terminating {
        return Task::Wait(None);
    }
    match next_begin(limits, result, started, now) {
        Some(begin) if begin <= now => Task::Measure,
        begin => Task::Wait(begin),
    }
}

/// When the next measurement begins, if one does.
fn next_begin(
    limits: &Limits,
    result: Option<&MetricResult>,
    started: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let Some((result, last)) = result.and_then(|result| Some((result, result.measurements.last()?))) else {
        let delay = limits.initial_delay;
        return Some(delay.map_or(now, |delay| after(started.unwrap_or(now), delay)));
    };
    if limits.count.is_some_and(|count| i64::from(result.count) >= count) {
        return None;
    }
    let finished = last.finished_at.as_ref()?.0;
    let is_error = last.phase == AnalysisPhase::Error;
    let pause = if is_error { PAUSE } else { limits.interval.unwrap_or(PAUSE) };
    Some(after(finished, pause))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::api::metric::Metric;

    /// The seconds are those before now.
    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 - seconds).expect("a time")
    }

    fn limits(fields: &Value) -> Limits {
        let mut metric = json!({"name": "m", "provider": {}});
        for (key, value) in fields.as_object().expect("fields") {
            metric[key] = value.clone();
        }
        Limits::of(&serde_json::from_value::<Metric>(metric).expect("a metric"))
    }

    fn measured(phase: &str, finished: i64, count: i32) -> MetricResult {
        let measurement = json!({"phase": phase, "finishedAt": at(finished).to_string()});
        let result = json!({"name": "m", "phase": "Running", "count": count, "measurements": [measurement]});
        serde_json::from_value(result).expect("a result")
    }

    /// The rows of the worked examples.
    #[test]
    fn metrics_are_measured_when_they_are_due() {
        let minutely = json!({"interval": "60s"});
        let delayed = json!({"interval": "60s", "initialDelay": "20s"});
        let wait = |seconds: i64| Task::Wait(Some(at(-seconds)));
        for (spec, found, started, expected) in [
            (&minutely, Some(measured("Successful", 50, 1)), None, wait(10)),
            (&minutely, Some(measured("Successful", 61, 1)), None, Task::Measure),
            (&minutely, Some(measured("Successful", 30, 1)), None, wait(30)),
            (&minutely, Some(measured("Error", 7, 0)), None, wait(3)),
            (&minutely, Some(measured("Error", 12, 0)), None, Task::Measure),
            (&json!({}), Some(measured("Successful", 100, 1)), None, Task::Wait(None)),
            (&json!({}), Some(measured("Error", 3, 0)), None, wait(7)),
            (&json!({"count": 2}), Some(measured("Successful", 3, 1)), None, wait(7)),
            (&minutely, None, None, Task::Measure),
            (&delayed, None, None, wait(20)),
            (&delayed, None, Some(at(10)), wait(10)),
            (&delayed, None, Some(at(21)), Task::Measure),
        ] {
            let task = |terminating| task(&limits(spec), found.as_ref(), started, terminating, at(0));
            assert_eq!(task(false), expected, "{spec} {found:?}");
            assert_eq!(task(true), Task::Wait(None), "one that ends begins nothing");
        }
    }

    #[test]
    fn what_was_begun_is_looked_at_again_in_time_and_stopped_at_once() {
        let begun = |resume: i64| -> MetricResult {
            let measurement = json!({"phase": "Running", "resumeAt": at(-resume).to_string()});
            serde_json::from_value(json!({"name": "m", "phase": "Running", "measurements": [measurement]}))
                .expect("a result")
        };
        let (soon, due) = (begun(30), begun(-1));
        let task = |result, terminating| task(&limits(&json!({})), Some(result), None, terminating, at(0));
        assert_eq!(task(&soon, false), Task::Wait(Some(at(-30))));
        assert_eq!(task(&due, false), Task::Resume(&due.measurements[0]));
        assert_eq!(task(&soon, true), Task::Stop(&soon.measurements[0]));
        let mut ended = begun(-1);
        ended.phase = AnalysisPhase::Failed;
        assert_eq!(task(&ended, true), Task::Wait(None));
        assert_eq!(limits(&json!({"interval": "1.5s"})).interval, Some(SignedDuration::from_millis(1500)));
    }
}

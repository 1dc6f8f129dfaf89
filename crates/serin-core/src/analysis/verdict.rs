//! What the conditions of a metric say about a result.

use jiff::Timestamp;
use serin_conditions::{Value, Verdict};

use crate::api::analysis::AnalysisPhase;
use crate::api::metric::Metric;
use crate::measure::Datum;

/// The verdict on a result.
///
/// # Errors
/// A condition cannot be evaluated; which, and why.
pub(super) fn judge(metric: &Metric, result: &Datum, now: Timestamp) -> Result<AnalysisPhase, String> {
    let (success, failure) = (metric.success_condition.as_deref(), metric.failure_condition.as_deref());
    let verdict = serin_conditions::judge(success, failure, &value(result), now)?;
    Ok(match verdict {
        Verdict::Successful => AnalysisPhase::Successful,
        Verdict::Failed => AnalysisPhase::Failed,
        Verdict::Inconclusive => AnalysisPhase::Inconclusive,
    })
}

fn value(result: &Datum) -> Value {
    match result {
        Datum::Nil => Value::Nil,
        Datum::Float(number) => Value::Float(*number),
        Datum::Floats(numbers) => Value::floats(numbers.iter().copied()),
        Datum::Text(text) => Value::from(text.as_str()),
        Datum::Json(json) => Value::from(json.clone()),
    }
}

/// The time that an expression such as `now() - duration("1h")` is at `now`.
///
/// # Errors
/// It is none; why.
pub(super) fn time_of(expression: &str, now: Timestamp) -> Result<Timestamp, String> {
    serin_conditions::time_of(expression, now).map_err(|error| error.message)
}

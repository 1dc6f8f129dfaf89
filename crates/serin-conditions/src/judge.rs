//! The verdict of a measurement.

use jiff::Timestamp;

use crate::condition::Condition;
use crate::value::Value;

/// The verdict of conditions on a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The success condition holds, or the only condition that there is speaks for success.
    Successful,
    /// The failure condition holds, or the success condition is the only one and does not.
    Failed,
    /// Neither of two conditions holds.
    Inconclusive,
}

/// The cause where a condition fails for a result without data.
const NO_DATA: &str = "metric result is nil or empty: no data returned from the metric provider";

/// Judges `result` by the conditions of a metric; a missing or empty one does not count. `now` is the time that `now()`
/// returns.
///
/// The failure condition has precedence. An error names the condition that could not be evaluated, and the cause; the
/// success condition is evaluated first.
pub fn judge(
    success: Option<&str>,
    failure: Option<&str>,
    result: &Value,
    now: Timestamp,
) -> Result<Verdict, String> {
    let holds = |name: &str, text: Option<&str>| match text.filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => holds(text, result, now)
            .map(Some)
            .map_err(|cause| format!("could not evaluate {name} \"{text}\": {cause}")),
    };
    let succeeds = holds("successCondition", success)?;
    let fails = holds("failureCondition", failure)?;
    Ok(match (succeeds, fails) {
        (_, Some(true)) | (Some(false), None) => Verdict::Failed,
        (Some(true) | None, _) => Verdict::Successful,
        (Some(false), Some(false)) => Verdict::Inconclusive,
    })
}

/// True if the condition `text` holds for `result`.
///
/// A result without data is the cause of a failure, unless the condition fails for every result.
fn holds(text: &str, result: &Value, now: Timestamp) -> Result<bool, String> {
    let condition = Condition::parse(text).map_err(|error| error.message)?;
    condition.holds(result, now).map_err(|error| {
        let is_without_data = result.is_nil_or_empty() && condition.check().is_ok();
        if is_without_data { NO_DATA.to_owned() } else { error.message }
    })
}

//! Limits, which are numbers of pods or percentages, and the sign of other numbers.
//!
//! Two checks go beyond the reference, which takes a limit that it cannot read for 0, and a negative one as it is: either
//! leaves an update standing still for ever, and nothing says why.

use serde_json::{Value, json};

use super::error::{Findings, Path};
use crate::api::IntOrString;
use crate::domain::replicas::IntOrPercent;

/// Checks a limit, if there is one.
pub(super) fn check(limit: Option<&IntOrString>, path: &Path, found: &mut Findings) {
    let Some(limit) = limit else { return };
    match IntOrPercent::parse(limit) {
        None => found.invalid(path, written(limit), "must be a number of pods or a percentage such as 25%"),
        Some(IntOrPercent::Count(number) | IntOrPercent::Percent(number)) if number < 0 => {
            found.invalid(path, written(limit), "must be 0 or more");
        }
        Some(IntOrPercent::Count(_) | IntOrPercent::Percent(_)) => {}
    }
}

/// Checks a number that must not be negative, if there is one.
pub(super) fn not_negative(value: Option<i32>, path: &Path, found: &mut Findings) {
    if let Some(value) = value.filter(|value| *value < 0) {
        found.invalid(path, value, "must be 0 or more");
    }
}

/// Whether a limit is there and is 0.
pub(super) fn is_zero(limit: Option<&IntOrString>) -> bool {
    let read = limit.and_then(IntOrPercent::parse);
    matches!(read, Some(IntOrPercent::Count(0) | IntOrPercent::Percent(0)))
}

/// A limit as the user wrote it.
pub(super) fn written(limit: &IntOrString) -> Value {
    match limit {
        IntOrString::Int(number) => json!(number),
        IntOrString::String(text) => json!(text),
    }
}

//! The limits of a rolling update: pods above the size, and pods that may be unavailable.

use serde_json::Value;

use super::fields::replicas;
use crate::view::Object;

/// How many pods there may be more, and how many available ones fewer, than wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) surge: i64,
    pub(super) unavailable: i64,
}

/// The limits that the strategy sets; `Recreate` has none to spare.
pub(super) fn limits(deployment: &Object) -> Limits {
    if is_recreate(deployment) {
        return Limits { surge: 0, unavailable: 0 };
    }
    let total = replicas(deployment);
    let surge = resolved(deployment.at("/spec/strategy/rollingUpdate/maxSurge"), total, true);
    let unavailable = resolved(deployment.at("/spec/strategy/rollingUpdate/maxUnavailable"), total, false);
    // Nothing could ever move.
    let unavailable = if surge == 0 && unavailable == 0 { 1 } else { unavailable };
    Limits { surge, unavailable: unavailable.min(total) }
}

/// A number, or a share of `total`; a quarter where nothing is said.
fn resolved(value: &Value, total: i64, is_rounded_up: bool) -> i64 {
    if let Some(number) = value.as_i64() {
        return number;
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse().ok());
    let product: i64 = total * percent.unwrap_or(25);
    if is_rounded_up { (product + 99) / 100 } else { product / 100 }
}

/// Reports whether the old pods end before the new ones start.
pub(super) fn is_recreate(deployment: &Object) -> bool {
    deployment.text("/spec/strategy/type") == "Recreate"
}

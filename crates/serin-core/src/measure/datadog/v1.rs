//! Version 1 of Datadog's API: points over time.

use serde_json::{Value, json};

use super::window::Window;
use crate::api::metric::DatadogMetric;
use crate::domain::effect::HttpRequest;
use crate::measure::address::Address;
use crate::measure::notation;
use crate::measure::port::{Datum, Reading, Unfinished, failed};

/// The request for the points of the query.
pub(super) fn request(address: Address<'_>, datadog: &DatadogMetric, window: Window) -> HttpRequest {
    let (from, to) = (window.from.to_string(), window.to.to_string());
    let query = datadog.query.as_deref().unwrap_or_default();
    HttpRequest::get(address.join("/api/v1/query", &[("from", &from), ("query", query), ("to", &to)]))
}

/// The last point of the first series. Nothing if there are no points, or if that one has no number.
pub(super) fn reading(answer: &Value) -> Result<Reading, Unfinished> {
    let series = answer["series"].as_array();
    let point = series.and_then(|series| series.first()?["pointlist"].as_array()?.last());
    let Some(point) = point else {
        let shown = series.map(|series| {
            series.iter().map(|one| json!({"pointlist": one["pointlist"]})).collect::<Vec<_>>()
        });
        return Ok(Reading::new(Datum::Nil, notation::json(&json!(shown))));
    };
    match point.as_array().map(Vec::as_slice) {
        Some([_, Value::Null]) => Ok(Reading::new(Datum::Nil, "null")),
        Some([_, Value::Number(number)]) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            Ok(Reading::new(Datum::Float(number), notation::number(number)))
        }
        Some(_) | None => Err(failed("Datapoint does not have 2 values")),
    }
}

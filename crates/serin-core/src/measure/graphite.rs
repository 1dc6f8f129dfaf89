//! The provider `graphite`.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::address::Address;
use super::inquiry::Inquiry;
use super::port::{Datum, Finding, Reading, Unfinished, failed};
use super::{body, notation};
use crate::api::metric::GraphiteMetric;
use crate::domain::effect::HttpRequest;

/// The time for an answer.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends the query, and gives the numbers of the first series.
pub(super) fn measure(graphite: &GraphiteMetric, inquiry: &mut Inquiry<'_>) -> Result<Finding, Unfinished> {
    let text = graphite.address.as_deref().unwrap_or_default();
    let address = Address::parse(text).ok_or_else(|| {
        // What stands before the host is for nobody to see.
        let shown = text.rsplit('@').next().unwrap_or_default();
        failed(format!("Graphite address {shown} is not a valid URL"))
    })?;
    let pairs = pairs(graphite.query.as_deref().unwrap_or_default());
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let request = HttpRequest::get(address.join("/render", &pairs));
    let response = inquiry.exchange("query", request, LIMIT)?;
    if !(200..300).contains(&response.status) {
        return Err(failed(format!("error response: {}", body::quote(response.body))));
    }
    let answer = body::json(response.body)?;
    let points = answer[0]["datapoints"].as_array().map_or(&[][..], Vec::as_slice);
    let numbers = points.iter().filter_map(|point| number(&point[0]).transpose());
    let numbers: Vec<f64> = numbers.collect::<Result<_, _>>()?;
    if numbers.is_empty() {
        return Err(failed("no values found"));
    }
    let value = notation::list(&numbers, ",", |number| format!("{number:.6}"));
    Ok(Finding::Result(Reading::new(Datum::Floats(numbers), value)))
}

/// The parts of the query with the format of the answer, sorted by their names.
fn pairs(query: &str) -> Vec<(String, String)> {
    let query = without_spaces(query);
    let query = query.strip_prefix('?').unwrap_or(&query);
    let parts = query.split('&').filter(|part| !part.is_empty());
    let pairs = parts.map(|part| part.split_once('=').unwrap_or((part, "")));
    let mut pairs: Vec<_> = pairs.map(|(name, value)| (decoded(name), decoded(value))).collect();
    pairs.retain(|(name, _)| name != "format");
    pairs.push(("format".into(), "json".into()));
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    pairs
}

/// The query without the white space that lays it out. What is in quotes is a name, and is kept.
fn without_spaces(query: &str) -> String {
    let mut quote = None;
    let kept = query.chars().filter(|letter| match (quote, letter) {
        (None, '\'' | '"') => {
            quote = Some(*letter);
            true
        }
        (Some(open), letter) if open == *letter => {
            quote = None;
            true
        }
        (Some(_), _) => true,
        (None, letter) => !letter.is_whitespace(),
    });
    kept.collect()
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A number, which may be in quotes; `None` for null.
fn number(value: &Value) -> Result<Option<f64>, Unfinished> {
    let problem = || failed(format!("error unmarshaling value: {value}"));
    match value {
        Value::Null => Ok(None),
        Value::Number(number) => Ok(number.as_f64()),
        Value::String(text) => text.parse().map(Some).map_err(|_| problem()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(problem()),
    }
}

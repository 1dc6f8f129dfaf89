//! Version 2 of Datadog's API: one number for each group.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::window::Window;
use crate::api::metric::DatadogMetric;
use crate::domain::effect::HttpRequest;
use crate::measure::address::Address;
use crate::measure::notation;
use crate::measure::port::{Datum, Reading, Unfinished, failed};

/// How many of the lowest and of the highest groups are named where there are more than twice as many.
const NAMED: usize = 50;

/// The request for the numbers of the queries.
pub(super) fn request(address: Address<'_>, datadog: &DatadogMetric, window: Window) -> HttpRequest {
    let aggregator = datadog.aggregator.as_deref().unwrap_or("last");
    let own = datadog.query.as_ref().map(|query| ("query", query.as_str()));
    let named = datadog.queries.iter().map(|(name, query)| (name.as_str(), query.as_str()));
    let queries = own.into_iter().chain(named).map(|(name, query)| {
        json!({"aggregator": aggregator, "data_source": "metrics", "name": name, "query": query})
    });
    let formulas = datadog.formula.iter().map(|formula| json!({"formula": formula}));
    let body = json!({"data": {
        "type": "scalar_request",
        "attributes": {
            "from": window.from.saturating_mul(1000),
            "to": window.to.saturating_mul(1000),
            "queries": queries.collect::<Vec<_>>(),
            "formulas": formulas.collect::<Vec<_>>(),
        },
    }});
    HttpRequest::post(address.join("/api/v2/query/scalar", &[]), body.to_string())
}

/// The number of the first numeric column, or its numbers where the query has groups.
pub(super) fn reading(answer: &Value) -> Result<Reading, Unfinished> {
    let problems = [&answer["data"]["errors"], &answer["errors"]].into_iter().filter_map(problem);
    if let Some(problem) = problems.into_iter().next() {
        return Err(failed(format!("There were errors in your query: {problem}")));
    }
    let columns = answer["data"]["attributes"]["columns"].as_array().map_or(&[][..], Vec::as_slice);
    let is_group = |column: &&Value| column["type"] == "group";
    let numbers =
        columns.iter().find(|column| !is_group(column)).and_then(|column| column["values"].as_array());
    let numbers = numbers.map_or(&[][..], Vec::as_slice);
    if columns.iter().any(|column| is_group(&column)) {
        let tags: Vec<_> = columns.iter().filter(is_group).collect();
        return Ok(grouped(numbers, &tags));
    }
    match numbers.first().and_then(Value::as_f64) {
        Some(number) => Ok(Reading::new(Datum::Float(number), notation::number(number))),
        None => Ok(Reading::new(Datum::Nil, "[]")),
    }
}

/// The text of an error, or of several.
fn problem(errors: &Value) -> Option<String> {
    let text = match errors {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let texts =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            texts.collect::<Vec<_>>().join(", ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

/// A list of numbers. Groups without a number are left out.
fn grouped(numbers: &[Value], tags: &[&Value]) -> Reading {
    let numbers = numbers.iter().enumerate().filter_map(|(row, number)| Some((row, number.as_f64()?)));
    let numbers: Vec<(usize, f64)> = numbers.collect();
    if numbers.is_empty() {
        return Reading::new(Datum::Nil, "[]");
    }
    let floats: Vec<f64> = numbers.iter().map(|(_, number)| *number).collect();
    let value = notation::list(&floats, ",", |number| notation::number(*number));
    let mut groups: Vec<_> = numbers.iter().map(|(row, number)| (name(*row, tags), *number)).collect();
    let mut metadata = BTreeMap::new();
    if groups.len() > 2 * NAMED {
        groups.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        groups.drain(NAMED..groups.len() - NAMED);
        metadata.insert("groups_truncated".to_owned(), "true".to_owned());
    }
    let groups: Vec<_> = groups.iter().map(|(name, number)| json!({"name": name, "value": number})).collect();
    metadata.insert("groups".to_owned(), notation::json(&json!(groups)));
    Reading { metadata, ..Reading::new(Datum::Floats(floats), value) }
}

/// The tags of a row.
fn name(row: usize, tags: &[&Value]) -> String {
    let parts = tags.iter().flat_map(|column| match &column["values"][row] {
        Value::Array(parts) => parts.iter().filter_map(Value::as_str).collect(),
        Value::String(part) => vec![part.as_str()],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    });
    parts.collect::<Vec<_>>().join(",")
}

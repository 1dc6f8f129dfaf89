//! The provider `datadog`.

mod v1;
mod v2;
mod window;

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::Value;

use super::address::Address;
use super::inquiry::{Inquiry, Response};
use super::port::{Finding, Scene, Unfinished, failed};
use super::{body, headers, span};
use crate::api::metric::DatadogMetric;
use window::window;

/// The server of accounts that name none.
const SERVER: &str = "https://api.datadoghq.com";

/// The Secret of metrics that name none.
const SECRET: &str = "datadog";

/// The time that is asked about if the metric says none.
const INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// The time for an answer if the metric says none.
const LIMIT: SignedDuration = SignedDuration::from_secs(10);

/// Sends the query, and gives the number or the numbers of the answer.
pub(super) fn measure(
    datadog: &DatadogMetric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    check(datadog)?;
    let is_v2 = match datadog.api_version.as_deref() {
        None | Some("v1") => false,
        Some("v2") => true,
        Some(other) => return Err(failed(format!("Invalid API version: {other}"))),
    };
    let interval = span::duration("provider.datadog.interval", datadog.interval.as_deref())?;
    let window = window(scene.at, interval.unwrap_or(INTERVAL));
    let limit = limit(datadog)?;
    let Keys { address, api_key, application_key } = keys(datadog, scene, inquiry)?;
    let address = Address::parse(&address);
    let address = address.ok_or_else(|| failed("the address of Datadog is not a URL"))?;
    let mut request =
        if is_v2 { v2::request(address, datadog, window) } else { v1::request(address, datadog, window) };
    inquiry.conceal(&api_key);
    inquiry.conceal(&application_key);
    headers::set_header(&mut request, "Content-Type", "application/json");
    headers::set_header(&mut request, "DD-API-KEY", api_key);
    headers::set_header(&mut request, "DD-APPLICATION-KEY", application_key);
    let answer = answer(inquiry.exchange("query", request, limit)?)?;
    let reading = if is_v2 { v2::reading(&answer) } else { v1::reading(&answer) };
    reading.map(Finding::Result)
}

/// Refuses what the reference refuses.
fn check(datadog: &DatadogMetric) -> Result<(), Unfinished> {
    let is_v1 = datadog.api_version.as_deref().is_none_or(|version| version == "v1");
    let (has_query, queries) = (datadog.query.is_some(), datadog.queries.len());
    let review = "Please review the Analysis Template.";
    let problem = if !has_query && queries == 0 {
        format!("Must have either a query or queries. {review}")
    } else if has_query && queries > 0 {
        format!("Cannot have both a query and queries. {review}")
    } else if is_v1 && !has_query {
        "Query is empty. API Version v1 only supports using the query parameter in your Analysis Template."
            .to_owned()
    } else if datadog.formula.is_some() && queries == 0 {
        format!("Formula are only valid when queries are set. {review}")
    } else if datadog.formula.is_none() && queries > 1 {
        "When multiple queries are provided you must include a formula.".to_owned()
    } else if is_v1 && datadog.aggregator.is_some() {
        format!("Aggregator is not supported in v1. {review}")
    } else {
        return Ok(());
    };
    Err(failed(problem))
}

fn limit(datadog: &DatadogMetric) -> Result<Duration, Unfinished> {
    let problem = || {
        failed("Request timeout must be a positive duration (e.g. 30s). Please review the Analysis Template.")
    };
    let text = datadog.request_timeout.as_deref();
    let limit = span::duration("provider.datadog.requestTimeout", text).map_err(|_| problem())?;
    let limit = limit.unwrap_or(LIMIT);
    if limit.is_zero() { Err(problem()) } else { Ok(limit.unsigned_abs()) }
}

/// What a request logs in with, and where.
struct Keys {
    address: String,
    api_key: String,
    application_key: String,
}

/// The keys of the metric's Secret, of the controller, or of the controller's Secret.
fn keys(datadog: &DatadogMetric, scene: &Scene<'_>, inquiry: &mut Inquiry<'_>) -> Result<Keys, Unfinished> {
    let reference = &datadog.secret_ref;
    let (namespace, name) = match (&reference.name, &scene.settings.datadog) {
        (None, _) if reference.namespaced => {
            return Err(failed("secret name is required for namespaced credentials"));
        }
        (Some(name), _) if reference.namespaced => (scene.namespace, name.as_str()),
        (Some(name), _) => (scene.settings.namespace.as_str(), name.as_str()),
        (None, Some(account)) => {
            return checked(
                Some(account.address.clone()),
                Some(account.api_key.clone()),
                Some(account.app_key.clone()),
            );
        }
        (None, None) => (scene.settings.namespace.as_str(), SECRET),
    };
    let mut key = |key| inquiry.secret_key(namespace, name, key);
    checked(key("address")?, key("api-key")?, key("app-key")?)
}

fn checked(
    address: Option<String>,
    api_key: Option<String>,
    application_key: Option<String>,
) -> Result<Keys, Unfinished> {
    let set = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let (Some(api_key), Some(application_key)) = (set(api_key), set(application_key)) else {
        return Err(failed("failed to find the credentials for datadog metrics provider"));
    };
    Ok(Keys { address: set(address).unwrap_or_else(|| SERVER.into()), api_key, application_key })
}

fn answer(response: Response<'_>) -> Result<Value, Unfinished> {
    let Response { status, body } = response;
    let quoted = || body::quote(body);
    match status {
        200 => body::json(body),
        401 | 403 => {
            Err(failed(format!("received authentication error response code: {status} {}", quoted())))
        }
        _ => Err(failed(format!("received non 2xx response code: {status} {}", quoted()))),
    }
}

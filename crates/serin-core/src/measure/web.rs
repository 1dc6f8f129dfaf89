//! The provider `web`: the answer to a request of the user's own.

use std::time::Duration;

use serde_json::Value;
use serin_values::json_path::{Miss, first_match};

use super::address::Address;
use super::body::{Problem, parse};
use super::inquiry::Inquiry;
use super::port::{Datum, Finding, Reading, Unfinished, failed};
use super::{headers, login, notation};
use crate::api::metric::WebMetric;
use crate::domain::effect::HttpRequest;

/// The time for an answer if the metric says none.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends the request, and finds the result in the answer.
pub(super) fn measure(web: &WebMetric, inquiry: &mut Inquiry<'_>) -> Result<Finding, Unfinished> {
    let path = web.json_path.as_deref().unwrap_or("{$}");
    let path = expression(path)?;
    let limit = u64::try_from(web.timeout_seconds).ok().filter(|seconds| *seconds > 0);
    let limit = limit.map_or(LIMIT, Duration::from_secs);
    let mut request = request(web)?;
    login::refuse_google(&web.authentication)?;
    login::set_oauth2(&mut request, &web.authentication.oauth2, limit, inquiry)?;
    login::set_basic_auth(&mut request, &web.authentication.basic_auth, inquiry)?;
    login::set_headers(&mut request, &web.headers, inquiry);
    if web.json_body.is_some() {
        headers::set_header(&mut request, "Content-Type", "application/json");
    }
    let response = inquiry.exchange("query", request, limit)?;
    if !(200..300).contains(&response.status) {
        return Err(failed(format!("received non 2xx response code: {}", response.status)));
    }
    match parse(response.body) {
        Ok(document) => result(&document, path),
        Err(Problem::NotJson) => {
            let text = String::from_utf8_lossy(response.body).into_owned();
            Ok(Finding::Result(Reading::new(Datum::Text(text.clone()), text)))
        }
        Err(problem @ Problem::TooDeep) => Err(failed(problem.to_string())),
    }
}

/// The request without what its sender logs in with.
fn request(web: &WebMetric) -> Result<HttpRequest, Unfinished> {
    check_url(&web.url)?;
    let method = web.method.as_deref().unwrap_or("GET");
    let body = match (&web.body, &web.json_body) {
        (Some(_), Some(_)) => {
            return Err(failed("use either Body or JSONBody; both cannot exists for WebMetric payload"));
        }
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(json)) => notation::json(json).into_bytes(),
        (None, None) => Vec::new(),
    };
    if !body.is_empty() && !["POST", "PUT"].contains(&method) {
        return Err(failed("Body/JSONBody can only be used with POST or PUT WebMetric Method types"));
    }
    let request = HttpRequest { body, insecure: web.insecure, ..HttpRequest::get(&web.url) };
    Ok(HttpRequest { method: method.to_owned(), ..request })
}

/// Refuses a URL without host, or with a scheme other than `http` and `https`.
fn check_url(url: &str) -> Result<(), Unfinished> {
    if Address::parse(url).is_some() {
        return Ok(());
    }
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    if ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Err(failed("provider.web.url is not a URL"));
    }
    // What precedes a colon may be a password as well.
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let scheme = if is_scheme { scheme } else { "" };
    Err(failed(format!("provider.web.url: unsupported protocol scheme \"{scheme}\"")))
}

/// The expression of a path: what its first braces hold, or all of it if it has none.
fn expression(path: &str) -> Result<&str, Unfinished> {
    let Some(open) = path.find('{') else { return Ok(path) };
    let inner = &path[open + 1..];
    let close = inner.find('}').ok_or_else(|| failed(format!("jsonPath {path:?}: unclosed action")))?;
    Ok(&inner[..close])
}

fn result(document: &Value, path: &str) -> Result<Finding, Unfinished> {
    let value = first_match(document, path).map_err(|miss| match miss {
        Miss::Syntax(problem) => failed(format!("jsonPath: {problem}")),
        Miss::Nothing => failed("result of web metric produced no value"),
        Miss::Absent(_) | Miss::OutOfBounds { .. } => {
            failed(format!("Could not find JSONPath in body: {miss}"))
        }
    })?;
    Ok(Finding::Result(Reading::json(value)))
}

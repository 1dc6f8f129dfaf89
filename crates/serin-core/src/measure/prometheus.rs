//! The provider `prometheus`.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use serin_values::duration::{go_duration, go_duration_problem};

use super::address::{Address, form, with_query};
use super::body::parse;
use super::inquiry::{Inquiry, Response};
use super::port::{Datum, Finding, Reading, Scene, Unfinished, failed};
use super::{headers, login, notation, span};
use crate::api::metric::{PrometheusMetric, PrometheusRangeQuery};
use crate::domain::effect::{AwsSignature, HttpRequest};

/// The time for an answer if the metric says none.
const LIMIT: Duration = Duration::from_secs(30);

/// A part of the host name of workspaces of Amazon Managed Prometheus.
const AMAZON: &str = "aps-workspaces";

/// Sends the query, and gives the numbers of the answer.
pub(super) fn measure(
    prometheus: &PrometheusMetric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let address = address(prometheus, scene)?;
    let limit = span::seconds(prometheus.timeout, LIMIT, "prometheus timeout should not be negative")?;
    let query = prometheus.query.as_deref().unwrap_or_default();
    let (path, pairs) = match &prometheus.range_query {
        None => ("/api/v1/query", vec![("query", query.to_owned()), ("time", seconds(scene.at))]),
        Some(range) => ("/api/v1/query_range", range_pairs(query, range, scene)?),
    };
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let url = address.join(path, &[]);
    let mut request = HttpRequest { insecure: prometheus.insecure, ..HttpRequest::post(&url, form(&pairs)) };
    login(&mut request, prometheus, limit, inquiry)?;
    let mut asked = request.clone();
    if !has_header(&asked, "Content-Type") {
        headers::set_header(&mut asked, "Content-Type", "application/x-www-form-urlencoded");
    }
    let mut response = inquiry.exchange("query", asked, limit)?;
    // Old servers, and proxies that let only reads pass.
    if [405, 501].contains(&response.status) {
        let asked =
            HttpRequest { method: "GET".into(), url: with_query(&url, &pairs), body: Vec::new(), ..request };
        response = inquiry.exchange("query/get", asked, limit)?;
    }
    let answer = answer(response)?;
    let mut reading = reading(&answer["data"])?;
    reading.metadata =
        warnings(&answer["warnings"]).map(|said| ("warnings".to_owned(), said)).into_iter().collect();
    Ok(Finding::Result(reading))
}

/// The server of the metric, or the one that the controller was started with.
fn address<'a>(prometheus: &'a PrometheusMetric, scene: &Scene<'a>) -> Result<Address<'a>, Unfinished> {
    let text = prometheus.address.as_deref().or(scene.settings.prometheus_address.as_deref());
    let text = text.filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| failed("prometheus address is not configured"))?;
    Address::parse(text).ok_or_else(|| failed("prometheus address is not is url format"))
}

/// The form of a query over a range of time.
fn range_pairs(
    query: &str,
    range: &PrometheusRangeQuery,
    scene: &Scene<'_>,
) -> Result<Vec<(&'static str, String)>, Unfinished> {
    let time = |field: &str, text: &Option<String>| {
        let time = (scene.time_of)(text.as_deref().unwrap_or_default(), scene.at);
        let problem = |error| failed(format!("failed to parse rangeQuery.{field} as time: {error}"));
        time.map(seconds).map_err(problem)
    };
    let step = range.step.as_deref().unwrap_or_default();
    let length = go_duration(step).ok_or_else(|| {
        let problem = go_duration_problem(step).unwrap_or_default();
        failed(format!("failed to parse rangeQuery.step as duration: {problem}"))
    })?;
    Ok(vec![
        ("query", query.to_owned()),
        ("start", time("start", &range.start)?),
        ("end", time("end", &range.end)?),
        ("step", notation::number(length.as_secs_f64())),
    ])
}

/// A time in seconds, with a fraction.
fn seconds(time: Timestamp) -> String {
    let fraction = f64::from(time.subsec_nanosecond()) / 1e9;
    #[allow(clippy::cast_precision_loss, reason = "seconds have fewer bits than the fraction of a float")]
    let whole = time.as_second() as f64;
    notation::number(whole + fraction)
}

/// Sets what the metric logs in with. Where several set the same header, that of the metric wins, then the password.
fn login(
    request: &mut HttpRequest,
    prometheus: &PrometheusMetric,
    limit: Duration,
    inquiry: &mut Inquiry<'_>,
) -> Result<(), Unfinished> {
    let authentication = &prometheus.authentication;
    login::refuse_google(authentication)?;
    login::set_oauth2(request, &authentication.oauth2, limit, inquiry)?;
    let sigv4 = &authentication.sigv4;
    let is_set = sigv4.region.is_some() || sigv4.profile.is_some() || sigv4.role_arn.is_some();
    let is_signed = is_set && request.url.contains(AMAZON);
    if is_signed {
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("Authorization"));
    }
    login::set_basic_auth(request, &authentication.basic_auth, inquiry)?;
    login::set_headers(request, &prometheus.headers, inquiry);
    request.signature = (is_signed && !has_header(request, "Authorization")).then(|| AwsSignature {
        service: "aps".into(),
        region: sigv4.region.clone(),
        profile: sigv4.profile.clone(),
        role: sigv4.role_arn.clone(),
    });
    Ok(())
}

fn has_header(request: &HttpRequest, name: &str) -> bool {
    request.headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))
}

/// The body of an answer that reports success.
fn answer(response: Response<'_>) -> Result<Value, Unfinished> {
    let status = response.status;
    // With these two the server says what is wrong with the query.
    let explains = [400, 422].contains(&status);
    match status {
        200..300 | 400 | 422 => {}
        400..500 => return Err(failed(format!("client_error: client error: {status}"))),
        500..600 => return Err(failed(format!("server_error: server error: {status}"))),
        _ => return Err(failed(format!("bad_response: bad response code {status}"))),
    }
    let answer = parse(response.body).map_err(|problem| failed(format!("bad_response: {problem}")))?;
    match answer["status"].as_str() {
        Some("success") if !explains => Ok(answer),
        Some("error") if explains => {
            let word = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
            Err(failed(format!("{}: {}", word("errorType"), word("error"))))
        }
        Some(_) | None => Err(failed("bad_response: inconsistent body for response code")),
    }
}

/// The numbers of `data`, without their labels.
fn reading(data: &Value) -> Result<Reading, Unfinished> {
    let malformed = || failed("bad_response: the answer has samples without a number");
    let result = &data["result"];
    match data["resultType"].as_str() {
        Some("scalar") => {
            let number = sample(result).ok_or_else(malformed)?;
            Ok(Reading::new(Datum::Float(number), notation::number(number)))
        }
        Some("vector") => {
            let series = result.as_array().ok_or_else(malformed)?;
            floats(series.iter().map(|one| sample(&one["value"]))).ok_or_else(malformed)
        }
        Some("matrix") => {
            let series = result.as_array().ok_or_else(malformed)?;
            let samples = series.iter().flat_map(|one| one["values"].as_array().into_iter().flatten());
            floats(samples.map(sample)).ok_or_else(malformed)
        }
        Some(_) | None => Err(failed("Prometheus metric type not supported")),
    }
}

fn floats(numbers: impl Iterator<Item = Option<f64>>) -> Option<Reading> {
    let numbers: Vec<f64> = numbers.collect::<Option<_>>()?;
    let value = notation::list(&numbers, ",", |number| notation::number(*number));
    Some(Reading::new(Datum::Floats(numbers), value))
}

/// The number of a sample, `[TIME, "NUMBER"]`.
fn sample(sample: &Value) -> Option<f64> {
    let text = sample.get(1)?.as_str()?;
    // Rust reads `NaN`, `+Inf` and exponents as Go writes them.
    text.parse().ok()
}

/// Warnings in quotes, if there are any.
fn warnings(warnings: &Value) -> Option<String> {
    let texts: Vec<_> = warnings.as_array()?.iter().filter_map(Value::as_str).collect();
    let quoted = texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ");
    (!quoted.is_empty()).then_some(quoted)
}

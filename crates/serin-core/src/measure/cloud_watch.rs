//! The provider `cloudWatch`: `GetMetricData` of Amazon CloudWatch.

use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::{Map, Value, json};

use super::inquiry::{Inquiry, Response};
use super::port::{Datum, Finding, Reading, Scene, Unfinished, failed};
use super::{body, headers, notation, span};
use crate::api::metric::{CloudWatchMetric, CloudWatchMetricStat, CloudWatchQuery};
use crate::domain::effect::{AwsSignature, HttpRequest};

/// The time that is asked about if the metric says none.
const INTERVAL: SignedDuration = SignedDuration::from_mins(5);

/// The time for an answer.
const LIMIT: Duration = Duration::from_secs(30);

/// The server of the region of the machine.
const SERVER: &str = "https://monitoring.{region}.amazonaws.com/";

/// Sends the queries, and gives the results as CloudWatch names their fields.
pub(super) fn measure(
    cloud_watch: &CloudWatchMetric,
    scene: &Scene<'_>,
    inquiry: &mut Inquiry<'_>,
) -> Result<Finding, Unfinished> {
    let interval = span::duration("provider.cloudWatch.interval", cloud_watch.interval.as_deref())?;
    let start = span::before(scene.at, interval.unwrap_or(INTERVAL));
    let queries = cloud_watch.metric_data_queries.iter().map(query).collect::<Result<Vec<_>, _>>()?;
    let body = json!({
        "StartTime": start.as_second(),
        "EndTime": scene.at.as_second(),
        "MetricDataQueries": queries,
    });
    let signature = AwsSignature { service: "monitoring".into(), region: None, profile: None, role: None };
    let mut request =
        HttpRequest { signature: Some(signature), ..HttpRequest::post(SERVER, body.to_string()) };
    headers::set_header(&mut request, "Content-Type", "application/x-amz-json-1.0");
    headers::set_header(&mut request, "X-Amz-Target", "GraniteServiceVersion20100801.GetMetricData");
    let answer = answer(inquiry.exchange("query", request, LIMIT)?)?;
    Ok(Finding::Result(reading(&answer)))
}

fn query(query: &CloudWatchQuery) -> Result<Value, Unfinished> {
    Ok(set([
        ("Id", json!(query.id)),
        ("Expression", json!(query.expression)),
        ("Label", json!(query.label)),
        ("MetricStat", query.metric_stat.as_ref().map(stat).transpose()?.into()),
        ("Period", period(query.period.as_ref())?),
        ("ReturnData", json!(query.return_data)),
    ]))
}

fn stat(stat: &CloudWatchMetricStat) -> Result<Value, Unfinished> {
    let metric = &stat.metric;
    let dimensions =
        metric.dimensions.iter().map(|one| set([("Name", json!(one.name)), ("Value", json!(one.value))]));
    let dimensions: Vec<_> = dimensions.collect();
    let dimensions = if dimensions.is_empty() { Value::Null } else { dimensions.into() };
    let metric = set([
        ("Namespace", json!(metric.namespace)),
        ("MetricName", json!(metric.metric_name)),
        ("Dimensions", dimensions),
    ]);
    Ok(set([
        ("Metric", metric),
        ("Period", period(stat.period.as_ref())?),
        ("Stat", json!(stat.stat)),
        ("Unit", json!(stat.unit)),
    ]))
}

/// An object of the fields that are not null.
fn set<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

/// Whole seconds, as a number or as text.
fn period(period: Option<&IntOrString>) -> Result<Value, Unfinished> {
    match period {
        None => Ok(Value::Null),
        Some(IntOrString::Int(seconds)) => Ok((*seconds).into()),
        Some(IntOrString::String(text)) => {
            let seconds: Result<i32, _> = text.parse();
            seconds
                .map(Value::from)
                .map_err(|_| failed(format!("period \"{text}\" is not a number of seconds")))
        }
    }
}

fn answer(response: Response<'_>) -> Result<Value, Unfinished> {
    if response.status == 200 {
        return body::json(response.body);
    }
    let answer = body::parse(response.body).unwrap_or_default();
    let word = |names: [&str; 2]| names.iter().find_map(|name| answer[name].as_str());
    let kind = word(["__type", "code"]).map(|kind| kind.rsplit('#').next().unwrap_or(kind));
    let said = match (kind, word(["message", "Message"])) {
        (Some(kind), Some(message)) => format!("{kind}: {message}"),
        (Some(said), None) | (None, Some(said)) => said.to_owned(),
        (None, None) => body::quote(response.body),
    };
    Err(failed(format!("CloudWatch answered {}: {said}", response.status)))
}

fn reading(answer: &Value) -> Reading {
    let results = answer["MetricDataResults"].as_array().cloned().unwrap_or_default();
    let value = notation::list(&results, " ", |result| {
        let numbers = result["Values"].as_array().map_or(&[][..], Vec::as_slice);
        notation::list(numbers, " ", |number| notation::short_number(number.as_f64().unwrap_or(f64::NAN)))
    });
    let messages = answer["Messages"].as_array().into_iter().flatten().map(|message| {
        let word = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {}", word("Code"), word("Value"))
    });
    let messages = messages.collect::<Vec<_>>().join(", ");
    let mut reading = Reading::new(Datum::Json(results.into()), value);
    if !messages.is_empty() {
        reading.metadata.insert("messages".into(), messages);
    }
    reading
}

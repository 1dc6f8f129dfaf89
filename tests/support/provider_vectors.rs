//! Reads the golden files of metric providers (`tests/vectors/providers`), and compares what they expect.
//!
//! `$SERVER` in a metric, in settings and in Secrets stands for the address of the server that is asked, and `$LOGIN` in a
//! metric for that address with a user name and a password.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use serin_core::api::analysis::Measurement;
use serin_core::api::metric::Metric;
use serin_core::domain::effect::{Answer, Effect, EffectFailure, EffectOutput, KnownEffect, KnownEffects};
use serin_core::measure::{
    DatadogAccount, Datum, Finding, Inquiry, Reading, Scene, Settings, Unfinished, measure, metadata,
};
use serin_values::duration::go_duration;

/// A measurement: what it is about, which questions it asks, what is answered, and what comes of it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Vector {
    /// What the vector shows.
    pub(crate) name: String,
    provider: Value,
    interval: Option<String>,
    #[serde(default)]
    settings: Given,
    /// Secrets by namespace and name.
    #[serde(default)]
    secrets: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default = "noon")]
    at: Timestamp,
    run_started: Option<Timestamp>,
    begun: Option<Value>,
    /// The questions in their order, with the answers.
    #[serde(default)]
    pub(crate) exchanges: Vec<Exchange>,
    result: Option<Value>,
    value: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// `metadata` of the results of the metric.
    #[serde(default)]
    resolved: BTreeMap<String, String>,
    error: Option<String>,
    later: Option<Later>,
    verdict: Option<String>,
}

/// The settings of the controller.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    prometheus_address: Option<String>,
    datadog_address: Option<String>,
    datadog_api_key: Option<String>,
    datadog_app_key: Option<String>,
}

/// The server wants more time.
#[derive(Deserialize)]
struct Later {
    at: Timestamp,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// A question with its answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    request: Expected,
    /// What the server says.
    #[serde(default)]
    pub(crate) answer: Said,
}

/// What a request must be.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expected {
    #[serde(default = "get")]
    method: String,
    /// The server, where it is not `$SERVER`.
    server: Option<String>,
    /// Path and query.
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Headers that must not be there.
    #[serde(default)]
    without: Vec<String>,
    body: Option<String>,
    json: Option<Value>,
    /// The service and the region that it is signed for.
    signed: Option<String>,
    /// Seconds that it may take.
    limit: Option<u64>,
}

/// What a server answers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Said {
    /// The status.
    #[serde(default = "fine")]
    pub(crate) status: u16,
    body: Option<String>,
    json: Option<Value>,
}

impl Default for Said {
    fn default() -> Self {
        Self { status: fine(), body: None, json: None }
    }
}

impl Said {
    /// The body.
    pub(crate) fn body(&self) -> Vec<u8> {
        let json = self.json.as_ref().map(ToString::to_string);
        json.or_else(|| self.body.clone()).unwrap_or_default().into_bytes()
    }
}

/// A request as it was made or arrived.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

fn noon() -> Timestamp {
    "2026-01-02T12:00:00Z".parse().expect("a time")
}

fn get() -> String {
    "GET".into()
}

fn fine() -> u16 {
    200
}

/// All vectors by the names of their files.
pub(crate) fn all() -> Vec<(String, Vector)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/providers");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the golden files")
        .map(|entry| entry.expect("a file").path())
        .collect();
    files.sort();
    let mut vectors = Vec::new();
    for path in files {
        let file = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("text");
        let read: Vec<Vector> = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        vectors.extend(read.into_iter().map(|vector| (file.clone(), vector)));
    }
    vectors
}

/// A simple notation of times: `now`, or `now` less a duration.
fn time_of(expression: &str, now: Timestamp) -> Result<Timestamp, String> {
    match expression.strip_prefix("now") {
        Some("") => Ok(now),
        Some(offset) => go_duration(offset).map(|offset| now + offset).ok_or_else(|| "no duration".into()),
        None => Err(format!("unknown name {expression}")),
    }
}

/// JSON with `$SERVER` replaced.
fn at_server(value: &Value, server: &str) -> Value {
    // A server that wants a user name and a password.
    let login = server.replace("://", "://me:hush%40@");
    let text = value.to_string().replace("$SERVER", server).replace("$LOGIN", &login);
    serde_json::from_str(&text).expect("JSON")
}

impl Vector {
    /// Whether some request goes to a server that has a fixed address.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.exchanges.iter().any(|exchange| exchange.request.server.is_some())
    }

    fn metric(&self, server: &str) -> Metric {
        let provider = at_server(&self.provider, server);
        serde_json::from_value(json!({"name": "m", "interval": self.interval, "provider": provider}))
            .expect("a metric")
    }

    fn settings(&self, server: &str) -> Settings {
        let at = |text: &Option<String>| text.as_ref().map(|text| text.replace("$SERVER", server));
        let Given { prometheus_address, datadog_address, datadog_api_key, datadog_app_key } = &self.settings;
        let datadog = at(datadog_address).map(|address| DatadogAccount {
            address,
            api_key: datadog_api_key.clone().unwrap_or_default(),
            app_key: datadog_app_key.clone().unwrap_or_default(),
        });
        Settings {
            namespace: "serin".into(),
            prometheus_address: at(prometheus_address),
            datadog,
            ..Settings::default()
        }
    }

    /// Measures with what is known.
    pub(crate) fn look(
        &self,
        server: &str,
        known: &KnownEffects,
    ) -> (Result<Finding, Unfinished>, Vec<Effect>) {
        let (metric, settings) = (self.metric(server), self.settings(server));
        let begun: Option<Measurement> =
            self.begun.as_ref().map(|begun| serde_json::from_value(begun.clone()).expect("a measurement"));
        let scene = Scene {
            at: self.at,
            namespace: "shop",
            run_started: self.run_started,
            begun: begun.as_ref(),
            settings: &settings,
            time_of,
        };
        let mut inquiry = Inquiry::new("m/1".into(), known);
        let outcome = measure(&metric, &scene, &mut inquiry);
        assert_eq!(metadata(&metric), self.resolved, "{}: metadata of the metric", self.name);
        (outcome, inquiry.into_effects())
    }

    /// The answer about a Secret.
    pub(crate) fn secret(
        &self,
        namespace: &str,
        name: &str,
        server: &str,
    ) -> Result<EffectOutput, EffectFailure> {
        let secret = self.secrets.get(&format!("{namespace}/{name}"));
        let secret =
            secret.ok_or_else(|| EffectFailure::NotFound(format!("Secret \"{namespace}/{name}\"")))?;
        let data = secret.iter().map(|(key, value)| {
            (key.replace("$SERVER", server), value.replace("$SERVER", server).into_bytes())
        });
        Ok(EffectOutput::Secret(data.collect()))
    }

    /// Fails unless the request is the one that is expected in that place.
    pub(crate) fn check_request(&self, index: usize, seen: &Seen) {
        let name = &self.name;
        let Exchange { request, .. } =
            self.exchanges.get(index).unwrap_or_else(|| panic!("{name}: unexpected {seen:?}"));
        assert_eq!((&seen.method, &seen.target), (&request.method, &request.path), "{name}");
        let header = |wanted: &str| {
            seen.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
        };
        for (wanted, value) in &request.headers {
            assert_eq!(header(wanted), Some(value), "{name}: {wanted}");
        }
        for unwanted in &request.without {
            assert_eq!(header(unwanted), None, "{name}: {unwanted}");
        }
        let body = String::from_utf8_lossy(&seen.body);
        match (&request.json, &request.body) {
            (Some(json), _) => {
                let seen: Value = serde_json::from_str(&body).unwrap_or_else(|_| panic!("{name}: {body}"));
                assert_eq!(&seen, json, "{name}");
            }
            (None, Some(text)) => assert_eq!(&body, text, "{name}"),
            (None, None) => assert_eq!(body, "", "{name}"),
        }
    }

    /// Fails unless the effect is the one that is expected in that place.
    #[allow(dead_code, reason = "a server does not see this")]
    pub(crate) fn check_effect(&self, index: usize, effect: &Effect, signed: Option<&str>, server: &str) {
        let name = &self.name;
        let expected = &self.exchanges[index].request;
        assert_eq!(signed, expected.signed.as_deref(), "{name}: the signature");
        if let Some(limit) = expected.limit {
            assert_eq!(effect.limit, Duration::from_secs(limit), "{name}");
        }
        assert_eq!(expected.server.as_deref().unwrap_or("https://metrics.example"), server, "{name}");
    }

    /// Fails unless this came of it.
    pub(crate) fn check_outcome(&self, outcome: Result<Finding, Unfinished>, server: &str) {
        let seen = match outcome {
            Ok(Finding::Result(Reading { result, value, metadata })) => {
                json!({"result": normal(&shown(&result)), "value": value, "metadata": metadata})
            }
            Ok(Finding::Verdict { phase, message, value }) => {
                json!({"verdict": phase, "message": message, "value": value})
            }
            Err(Unfinished::Failed(message)) => json!({"error": message}),
            Err(Unfinished::Later { at, metadata }) => json!({"later": at, "metadata": metadata}),
            Err(Unfinished::Waiting) => panic!("{}: it waits for ever", self.name),
        };
        let host = server.split_once("://").map_or("", |(_, host)| host);
        let at = |text: &str| text.replace("$SERVER", server).replace("$HOST", host);
        let expected = if let Some(error) = &self.error {
            json!({"error": at(error)})
        } else if let Some(later) = &self.later {
            json!({"later": later.at, "metadata": later.metadata})
        } else if let Some(phase) = &self.verdict {
            json!({"verdict": phase, "message": null, "value": self.value})
        } else {
            let result = self.result.as_ref().expect("a result, an error, a later time or a verdict");
            json!({"result": normal(result), "value": self.value, "metadata": self.metadata})
        };
        assert_eq!(seen, expected, "{}", self.name);
    }
}

/// What is known of an effect after its answer.
pub(crate) fn known(answer: Result<EffectOutput, EffectFailure>) -> KnownEffect {
    KnownEffect { asked: noon(), answer: Some(Answer::new(answer)) }
}

/// A result as the vectors write it.
fn shown(datum: &Datum) -> Value {
    let number = |float: &f64| if float.is_finite() { json!(float) } else { json!(float.to_string()) };
    match datum {
        Datum::Nil => json!("nil"),
        Datum::Float(float) => json!({"float": number(float)}),
        Datum::Floats(floats) => json!({"floats": floats.iter().map(number).collect::<Vec<_>>()}),
        Datum::Text(text) => json!({"text": text}),
        Datum::Json(value) => json!({"json": value}),
    }
}

/// JSON in which all numbers are floats.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), normal(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
    }
}

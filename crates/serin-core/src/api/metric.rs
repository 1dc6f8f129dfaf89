//! Metrics, and the providers that measure them.

use std::collections::BTreeMap;

use macro_rules_attribute::apply;
use serde_json::Value;

use super::wire::{is_default, null_as_default, wire};
use super::{IntOrString, JobSpec, TemplateMetadata};

/// What is measured, how often, and what it must be.
#[apply(wire)]
pub struct Metric {
    /// Name of the metric, unique within the run.
    pub name: String,
    /// Time between measurements, as a duration; one measurement if neither this nor `count` is set.
    pub interval: Option<String>,
    /// Time before the first measurement, as a duration.
    pub initial_delay: Option<String>,
    /// Number of measurements, errors aside.
    pub count: Option<IntOrString>,
    /// Expression that is true of a good `result`.
    pub success_condition: Option<String>,
    /// Expression that is true of a bad `result`.
    pub failure_condition: Option<String>,
    /// Number of bad measurements that are tolerated; 0 if not set, and -1 tolerates all.
    pub failure_limit: Option<IntOrString>,
    /// Number of good measurements in a row that are enough; 0 or not set turns this off.
    pub consecutive_success_limit: Option<IntOrString>,
    /// Number of inconclusive measurements that are tolerated; 0 if not set.
    pub inconclusive_limit: Option<IntOrString>,
    /// Number of errors in a row that are tolerated; 4 if not set.
    pub consecutive_error_limit: Option<IntOrString>,
    /// Where the measurements come from.
    #[serde(deserialize_with = "null_as_default")]
    pub provider: MetricProvider,
}

/// Where measurements come from; exactly one must be set.
#[apply(wire)]
pub struct MetricProvider {
    /// A Prometheus server.
    pub prometheus: Option<PrometheusMetric>,
    /// A Spinnaker Kayenta server.
    pub kayenta: Option<KayentaMetric>,
    /// An HTTP request.
    pub web: Option<WebMetric>,
    /// Datadog.
    pub datadog: Option<DatadogMetric>,
    /// Wavefront.
    pub wavefront: Option<WavefrontMetric>,
    /// New Relic.
    pub new_relic: Option<NewRelicMetric>,
    /// A Kubernetes Job.
    pub job: Option<JobMetric>,
    /// Amazon CloudWatch.
    pub cloud_watch: Option<CloudWatchMetric>,
    /// A Graphite server.
    pub graphite: Option<GraphiteMetric>,
    /// An InfluxDB server.
    pub influxdb: Option<InfluxdbMetric>,
    /// A SkyWalking server.
    pub skywalking: Option<SkyWalkingMetric>,
    /// Configuration of a metric plugin, by the name of the plugin.
    pub plugin: BTreeMap<String, Value>,
}

/// A query of a Prometheus server.
#[apply(wire)]
pub struct PrometheusMetric {
    /// Address of the server.
    pub address: Option<String>,
    /// Query in PromQL.
    pub query: Option<String>,
    /// Seconds to wait for the answer; 30 if not set.
    pub timeout: Option<i64>,
    /// Whether the certificate of the server goes unchecked.
    pub insecure: bool,
    /// Headers of the request.
    pub headers: Vec<HttpHeader>,
    /// How to log in.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub authentication: Authentication,
    /// Makes it a query over a range of time.
    pub range_query: Option<PrometheusRangeQuery>,
}

/// The range of a query; each field is an expression.
#[apply(wire)]
#[derive(Eq)]
pub struct PrometheusRangeQuery {
    /// Start of the range, such as `now() - duration("1h")`.
    pub start: Option<String>,
    /// End of the range, such as `now()`.
    pub end: Option<String>,
    /// Time between points, as a duration.
    pub step: Option<String>,
}

/// A header of an HTTP request.
#[apply(wire)]
#[derive(Eq)]
pub struct HttpHeader {
    /// Name of the header.
    pub key: String,
    /// Value of the header.
    pub value: String,
}

/// How to log in to a server.
#[apply(wire)]
#[derive(Eq)]
pub struct Authentication {
    /// Signs requests to Amazon Managed Prometheus.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub sigv4: Sigv4,
    /// Gets a token by client credentials.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub oauth2: OAuth2,
    /// Sends a user name and a password.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub basic_auth: BasicAuth,
    /// Logs in to Google Cloud with the credentials of the machine.
    pub google: Option<GoogleAuth>,
}

/// Signs requests to Amazon Managed Prometheus.
#[apply(wire)]
#[derive(Eq)]
pub struct Sigv4 {
    /// AWS region.
    pub region: Option<String>,
    /// AWS profile.
    pub profile: Option<String>,
    /// Role to take.
    pub role_arn: Option<String>,
}

/// Gets a token by client credentials.
#[apply(wire)]
#[derive(Eq)]
pub struct OAuth2 {
    /// Where tokens are issued.
    pub token_url: Option<String>,
    /// Id of the client.
    pub client_id: Option<String>,
    /// Secret of the client.
    pub client_secret: Option<String>,
    /// Scopes to ask for.
    pub scopes: Vec<String>,
}

/// Logs in to Google Cloud with the credentials of the machine.
#[apply(wire)]
#[derive(Eq)]
pub struct GoogleAuth {
    /// Scopes to ask for.
    pub scopes: Vec<String>,
}

/// Sends a user name and a password.
#[apply(wire)]
#[derive(Eq)]
pub struct BasicAuth {
    /// Name of the user.
    pub username: Option<String>,
    /// Password of the user.
    pub password: Option<String>,
}

/// An analysis by a Spinnaker Kayenta server.
#[apply(wire)]
#[derive(Eq)]
pub struct KayentaMetric {
    /// Address of the server.
    pub address: String,
    /// Application that is analysed.
    pub application: String,
    /// Name of the canary configuration.
    pub canary_config_name: String,
    /// Account of the metrics.
    pub metrics_account_name: String,
    /// Account of the configuration.
    pub configuration_account_name: String,
    /// Account of the storage.
    pub storage_account_name: String,
    /// Scores that tell good from bad.
    #[serde(deserialize_with = "null_as_default")]
    pub threshold: KayentaThreshold,
    /// What is compared with what.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub scopes: Vec<KayentaScope>,
    /// Whether the time since the start of the run is analysed, in place of the last interval.
    pub lookback: bool,
}

/// Scores that tell good from bad.
#[apply(wire)]
#[derive(Eq)]
pub struct KayentaThreshold {
    /// Least score of a success.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub pass: i64,
    /// Least score that is not a failure.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub marginal: i64,
}

/// What is compared with what.
#[apply(wire)]
#[derive(Eq)]
pub struct KayentaScope {
    /// Name of the scope.
    pub name: String,
    /// What it is compared with.
    #[serde(deserialize_with = "null_as_default")]
    pub control_scope: KayentaScopeDetail,
    /// What is compared.
    #[serde(deserialize_with = "null_as_default")]
    pub experiment_scope: KayentaScopeDetail,
}

/// One side of a comparison.
#[apply(wire)]
#[derive(Eq)]
pub struct KayentaScopeDetail {
    /// Name of the side.
    pub scope: String,
    /// Where it runs.
    pub region: String,
    /// Seconds between points.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub step: i64,
    /// Start of the time that is compared (RFC 3339); blank for the last interval.
    pub start: String,
    /// End of the time that is compared (RFC 3339); blank for now.
    pub end: String,
}

/// An HTTP request whose answer is the measurement.
#[apply(wire)]
pub struct WebMetric {
    /// Method: GET (if not set), POST or PUT.
    pub method: Option<String>,
    /// Address of the request.
    pub url: String,
    /// Headers of the request.
    pub headers: Vec<HttpHeader>,
    /// Body of the request, as text.
    pub body: Option<String>,
    /// Body of the request, as JSON.
    pub json_body: Option<Value>,
    /// Seconds to wait for the answer; 10 if not set.
    pub timeout_seconds: i64,
    /// Path of the result in a JSON answer, in the dialect of kubectl; the whole answer if not set.
    pub json_path: Option<String>,
    /// Whether the certificate of the server goes unchecked.
    pub insecure: bool,
    /// How to log in.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub authentication: Authentication,
}

/// A query of Datadog.
#[apply(wire)]
#[derive(Eq)]
pub struct DatadogMetric {
    /// Time before now that is asked about, as a duration.
    pub interval: Option<String>,
    /// The query.
    pub query: Option<String>,
    /// Several queries by name, to be combined by `formula`.
    pub queries: BTreeMap<String, String>,
    /// How the queries are combined.
    pub formula: Option<String>,
    /// Version of Datadog's API: v1 or v2.
    pub api_version: Option<String>,
    /// How points become one number; v2 only, and `last` if not set.
    pub aggregator: Option<String>,
    /// Time to wait for the answer, as a duration; 10s if not set.
    pub request_timeout: Option<String>,
    /// Secret that holds the keys.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub secret_ref: DatadogSecretRef,
}

/// Secret that holds the keys of Datadog.
#[apply(wire)]
#[derive(Eq)]
pub struct DatadogSecretRef {
    /// Name of the Secret.
    pub name: Option<String>,
    /// Whether it is in the namespace of the run, rather than in that of the controller.
    pub namespaced: bool,
}

/// A query of Wavefront.
#[apply(wire)]
#[derive(Eq)]
pub struct WavefrontMetric {
    /// Address of the server.
    pub address: Option<String>,
    /// The query.
    pub query: Option<String>,
}

/// A query of New Relic.
#[apply(wire)]
#[derive(Eq)]
pub struct NewRelicMetric {
    /// Name of the Secret that holds the keys; `newrelic` if not set.
    pub profile: Option<String>,
    /// Query in NRQL.
    pub query: String,
    /// Seconds to wait for the answer; 5 if not set.
    pub timeout: Option<i64>,
}

/// A Kubernetes Job whose success is the measurement.
#[apply(wire)]
pub struct JobMetric {
    /// Labels and annotations of the Job.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub metadata: TemplateMetadata,
    /// Spec of the Job.
    pub spec: JobSpec,
}

/// Queries of Amazon CloudWatch.
#[apply(wire)]
#[derive(Eq)]
pub struct CloudWatchMetric {
    /// Time before now that is asked about, as a duration; 5m if not set.
    pub interval: Option<String>,
    /// The queries.
    #[serde(default, deserialize_with = "null_as_default")]
    #[serde_with(skip_apply)]
    pub metric_data_queries: Vec<CloudWatchQuery>,
}

/// A query of Amazon CloudWatch.
#[apply(wire)]
#[derive(Eq)]
pub struct CloudWatchQuery {
    /// Name of the query, for use in expressions.
    pub id: Option<String>,
    /// Expression over other queries.
    pub expression: Option<String>,
    /// Label of the result.
    pub label: Option<String>,
    /// The metric that is asked for.
    pub metric_stat: Option<CloudWatchMetricStat>,
    /// Seconds between points.
    pub period: Option<IntOrString>,
    /// Whether the result is part of the measurement.
    pub return_data: Option<bool>,
}

/// A metric of Amazon CloudWatch, and how its points are summed up.
#[apply(wire)]
#[derive(Eq)]
pub struct CloudWatchMetricStat {
    /// The metric.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub metric: CloudWatchMetricName,
    /// Seconds between points.
    pub period: Option<IntOrString>,
    /// How points are summed up.
    pub stat: Option<String>,
    /// Unit of the points.
    pub unit: Option<String>,
}

/// A metric of Amazon CloudWatch.
#[apply(wire)]
#[derive(Eq)]
pub struct CloudWatchMetricName {
    /// Dimensions of the metric.
    pub dimensions: Vec<CloudWatchDimension>,
    /// Name of the metric.
    pub metric_name: Option<String>,
    /// Namespace of the metric.
    pub namespace: Option<String>,
}

/// A dimension of a metric.
#[apply(wire)]
#[derive(Eq)]
pub struct CloudWatchDimension {
    /// Name of the dimension.
    pub name: Option<String>,
    /// Value of the dimension.
    pub value: Option<String>,
}

/// A query of a Graphite server.
#[apply(wire)]
#[derive(Eq)]
pub struct GraphiteMetric {
    /// Address of the server.
    pub address: Option<String>,
    /// The query.
    pub query: Option<String>,
}

/// A query of an InfluxDB server.
#[apply(wire)]
#[derive(Eq)]
pub struct InfluxdbMetric {
    /// Name of the Secret that holds address and token; `influxdb` if not set.
    pub profile: Option<String>,
    /// Query in Flux.
    pub query: Option<String>,
}

/// A query of a SkyWalking server.
#[apply(wire)]
#[derive(Eq)]
pub struct SkyWalkingMetric {
    /// Address of the server.
    pub address: Option<String>,
    /// Query in GraphQL.
    pub query: Option<String>,
    /// Time before now that is asked about, as a duration.
    pub interval: Option<String>,
}

//! Metrics, and the providers that measure them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::skip_serializing_none;

use super::wire::{blank_as_none, is_default, null_as_default};
use super::{IntOrString, JobSpec, TemplateMetadata};

/// What is measured, how often, and what it must be.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Name of the metric, unique within the run.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// Time between measurements, as a duration; one measurement if neither this nor `count` is set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub interval: Option<String>,
    /// Time before the first measurement, as a duration.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub initial_delay: Option<String>,
    /// Number of measurements, errors aside.
    pub count: Option<IntOrString>,
    /// Expression that is true of a good `result`.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub success_condition: Option<String>,
    /// Expression that is true of a bad `result`.
    #[serde(default, deserialize_with = "blank_as_none")]
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
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub plugin: BTreeMap<String, Value>,
}

/// A query of a Prometheus server.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PrometheusMetric {
    /// Address of the server.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub address: Option<String>,
    /// Query in PromQL.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub query: Option<String>,
    /// Seconds to wait for the answer; 30 if not set.
    pub timeout: Option<i64>,
    /// Whether the certificate of the server goes unchecked.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub insecure: bool,
    /// Headers of the request.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub headers: Vec<HttpHeader>,
    /// How to log in.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub authentication: Authentication,
    /// Makes it a query over a range of time.
    pub range_query: Option<PrometheusRangeQuery>,
}

/// The range of a query; each field is an expression.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrometheusRangeQuery {
    /// Start of the range, such as `now() - duration("1h")`.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub start: Option<String>,
    /// End of the range, such as `now()`.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub end: Option<String>,
    /// Time between points, as a duration.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub step: Option<String>,
}

/// A header of an HTTP request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpHeader {
    /// Name of the header.
    #[serde(default, deserialize_with = "null_as_default")]
    pub key: String,
    /// Value of the header.
    #[serde(default, deserialize_with = "null_as_default")]
    pub value: String,
}

/// How to log in to a server.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
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
}

/// Signs requests to Amazon Managed Prometheus.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sigv4 {
    /// AWS region.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub region: Option<String>,
    /// AWS profile.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub profile: Option<String>,
    /// Role to take.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub role_arn: Option<String>,
}

/// Gets a token by client credentials.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OAuth2 {
    /// Where tokens are issued.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub token_url: Option<String>,
    /// Id of the client.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub client_id: Option<String>,
    /// Secret of the client.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub client_secret: Option<String>,
    /// Scopes to ask for.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub scopes: Vec<String>,
}

/// Sends a user name and a password.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BasicAuth {
    /// Name of the user.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub username: Option<String>,
    /// Password of the user.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub password: Option<String>,
}

/// An analysis by a Spinnaker Kayenta server.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KayentaMetric {
    /// Address of the server.
    #[serde(default, deserialize_with = "null_as_default")]
    pub address: String,
    /// Application that is analysed.
    #[serde(default, deserialize_with = "null_as_default")]
    pub application: String,
    /// Name of the canary configuration.
    #[serde(default, deserialize_with = "null_as_default")]
    pub canary_config_name: String,
    /// Account of the metrics.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metrics_account_name: String,
    /// Account of the configuration.
    #[serde(default, deserialize_with = "null_as_default")]
    pub configuration_account_name: String,
    /// Account of the storage.
    #[serde(default, deserialize_with = "null_as_default")]
    pub storage_account_name: String,
    /// Scores that tell good from bad.
    #[serde(deserialize_with = "null_as_default")]
    pub threshold: KayentaThreshold,
    /// What is compared with what.
    #[serde(default, deserialize_with = "null_as_default")]
    pub scopes: Vec<KayentaScope>,
    /// Whether the time since the start of the run is analysed, in place of the last interval.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub lookback: bool,
}

/// Scores that tell good from bad.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KayentaThreshold {
    /// Least score of a success.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pass: i64,
    /// Least score that is not a failure.
    #[serde(default, deserialize_with = "null_as_default")]
    pub marginal: i64,
}

/// What is compared with what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KayentaScope {
    /// Name of the scope.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// What it is compared with.
    #[serde(deserialize_with = "null_as_default")]
    pub control_scope: KayentaScopeDetail,
    /// What is compared.
    #[serde(deserialize_with = "null_as_default")]
    pub experiment_scope: KayentaScopeDetail,
}

/// One side of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KayentaScopeDetail {
    /// Name of the side.
    #[serde(default, deserialize_with = "null_as_default")]
    pub scope: String,
    /// Where it runs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub region: String,
    /// Seconds between points.
    #[serde(default, deserialize_with = "null_as_default")]
    pub step: i64,
    /// Start of the time that is compared (RFC 3339); blank for the last interval.
    #[serde(default, deserialize_with = "null_as_default")]
    pub start: String,
    /// End of the time that is compared (RFC 3339); blank for now.
    #[serde(default, deserialize_with = "null_as_default")]
    pub end: String,
}

/// An HTTP request whose answer is the measurement.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebMetric {
    /// Method: GET (if not set), POST or PUT.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub method: Option<String>,
    /// Address of the request.
    #[serde(default, deserialize_with = "null_as_default")]
    pub url: String,
    /// Headers of the request.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub headers: Vec<HttpHeader>,
    /// Body of the request, as text.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub body: Option<String>,
    /// Body of the request, as JSON.
    pub json_body: Option<Value>,
    /// Seconds to wait for the answer; 10 if not set.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub timeout_seconds: i64,
    /// Path of the result in a JSON answer, in the dialect of kubectl; the whole answer if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub json_path: Option<String>,
    /// Whether the certificate of the server goes unchecked.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub insecure: bool,
    /// How to log in.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub authentication: Authentication,
}

/// A query of Datadog.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatadogMetric {
    /// Time before now that is asked about, as a duration.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub interval: Option<String>,
    /// The query.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub query: Option<String>,
    /// Several queries by name, to be combined by `formula`.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub queries: BTreeMap<String, String>,
    /// How the queries are combined.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub formula: Option<String>,
    /// Version of Datadog's API: v1 or v2.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub api_version: Option<String>,
    /// How points become one number; v2 only, and `last` if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub aggregator: Option<String>,
    /// Time to wait for the answer, as a duration; 10s if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub request_timeout: Option<String>,
    /// Secret that holds the keys.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub secret_ref: DatadogSecretRef,
}

/// Secret that holds the keys of Datadog.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatadogSecretRef {
    /// Name of the Secret.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub name: Option<String>,
    /// Whether it is in the namespace of the run, rather than in that of the controller.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub namespaced: bool,
}

/// A query of Wavefront.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WavefrontMetric {
    /// Address of the server.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub address: Option<String>,
    /// The query.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub query: Option<String>,
}

/// A query of New Relic.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NewRelicMetric {
    /// Name of the Secret that holds the keys; `newrelic` if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub profile: Option<String>,
    /// Query in NRQL.
    #[serde(default, deserialize_with = "null_as_default")]
    pub query: String,
    /// Seconds to wait for the answer; 5 if not set.
    pub timeout: Option<i64>,
}

/// A Kubernetes Job whose success is the measurement.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JobMetric {
    /// Labels and annotations of the Job.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub metadata: TemplateMetadata,
    /// Spec of the Job.
    pub spec: JobSpec,
}

/// Queries of Amazon CloudWatch.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudWatchMetric {
    /// Time before now that is asked about, as a duration; 5m if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub interval: Option<String>,
    /// The queries.
    #[serde(default, deserialize_with = "null_as_default")]
    pub metric_data_queries: Vec<CloudWatchQuery>,
}

/// A query of Amazon CloudWatch.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudWatchQuery {
    /// Name of the query, for use in expressions.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub id: Option<String>,
    /// Expression over other queries.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub expression: Option<String>,
    /// Label of the result.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub label: Option<String>,
    /// The metric that is asked for.
    pub metric_stat: Option<CloudWatchMetricStat>,
    /// Seconds between points.
    pub period: Option<IntOrString>,
    /// Whether the result is part of the measurement.
    pub return_data: Option<bool>,
}

/// A metric of Amazon CloudWatch, and how its points are summed up.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudWatchMetricStat {
    /// The metric.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub metric: CloudWatchMetricName,
    /// Seconds between points.
    pub period: Option<IntOrString>,
    /// How points are summed up.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub stat: Option<String>,
    /// Unit of the points.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub unit: Option<String>,
}

/// A metric of Amazon CloudWatch.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CloudWatchMetricName {
    /// Dimensions of the metric.
    #[serde(default, deserialize_with = "null_as_default", skip_serializing_if = "is_default")]
    pub dimensions: Vec<CloudWatchDimension>,
    /// Name of the metric.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub metric_name: Option<String>,
    /// Namespace of the metric.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub namespace: Option<String>,
}

/// A dimension of a metric.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloudWatchDimension {
    /// Name of the dimension.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub name: Option<String>,
    /// Value of the dimension.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub value: Option<String>,
}

/// A query of a Graphite server.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GraphiteMetric {
    /// Address of the server.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub address: Option<String>,
    /// The query.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub query: Option<String>,
}

/// A query of an InfluxDB server.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InfluxdbMetric {
    /// Name of the Secret that holds address and token; `influxdb` if not set.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub profile: Option<String>,
    /// Query in Flux.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub query: Option<String>,
}

/// A query of a SkyWalking server.
#[skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkyWalkingMetric {
    /// Address of the server.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub address: Option<String>,
    /// Query in GraphQL.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub query: Option<String>,
    /// Time before now that is asked about, as a duration.
    #[serde(default, deserialize_with = "blank_as_none")]
    pub interval: Option<String>,
}

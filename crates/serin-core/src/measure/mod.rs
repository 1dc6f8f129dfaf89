//! From a metric to a measurement: what to ask which server, and what its answer says.
//!
//! A provider is one module with one function, `measure`, of the metric, the [`Scene`] and an [`Inquiry`]. It has neither I/O
//! nor a clock: what it asks becomes effects of the plan, and it is called again with each answer.

mod address;
mod body;
mod cloud_watch;
mod datadog;
mod graphite;
mod graphql;
mod headers;
mod influxdb;
mod inquiry;
mod kayenta;
mod login;
mod new_relic;
mod notation;
mod port;
mod prometheus;
mod skywalking;
mod span;
mod wavefront;
mod web;

use std::collections::BTreeMap;

use crate::api::metric::Metric;
use body::cut;

pub use inquiry::{Inquiry, Response};
pub use port::{DatadogAccount, Datum, Finding, Reading, Scene, Settings, TimeOf, Unfinished, failed};

/// The most bytes of `value`, of an entry of `metadata`, and of a message. A status must fit into an object.
const LONGEST: usize = 32 << 10;

/// Measures once.
///
/// Neither the finding nor an error shows what a metric logs in with, and both are cut to a length that fits into a status.
///
/// # Errors
/// There is no finding yet, or there will be none.
pub fn measure(metric: &Metric, scene: &Scene<'_>, inquiry: &mut Inquiry<'_>) -> Result<Finding, Unfinished> {
    let outcome = ask(metric, scene, inquiry);
    let shown = |text: &str| cut(&inquiry.without_secrets(text), LONGEST);
    let all = |metadata: BTreeMap<String, String>| {
        metadata.into_iter().map(|(name, text)| (name, shown(&text))).collect()
    };
    match outcome {
        Ok(Finding::Result(Reading { result, value, metadata })) => {
            Ok(Finding::Result(Reading { result, value: shown(&value), metadata: all(metadata) }))
        }
        Ok(Finding::Verdict { phase, message, value }) => {
            Ok(Finding::Verdict { phase, message: message.map(|text| shown(&text)), value: shown(&value) })
        }
        Err(Unfinished::Failed(message)) => Err(Unfinished::Failed(shown(&message))),
        Err(unfinished @ (Unfinished::Waiting | Unfinished::Later { .. })) => Err(unfinished),
    }
}

/// Asks the first provider that is set, in the order of the reference. A run with several is refused before.
fn ask(metric: &Metric, scene: &Scene<'_>, inquiry: &mut Inquiry<'_>) -> Result<Finding, Unfinished> {
    let provider = &metric.provider;
    if let Some(prometheus) = &provider.prometheus {
        prometheus::measure(prometheus, scene, inquiry)
    } else if let Some(kayenta) = &provider.kayenta {
        kayenta::measure(kayenta, metric, scene, inquiry)
    } else if let Some(web) = &provider.web {
        web::measure(web, inquiry)
    } else if let Some(datadog) = &provider.datadog {
        datadog::measure(datadog, scene, inquiry)
    } else if let Some(wavefront) = &provider.wavefront {
        wavefront::measure(wavefront, scene, inquiry)
    } else if let Some(new_relic) = &provider.new_relic {
        new_relic::measure(new_relic, scene, inquiry)
    } else if let Some(cloud_watch) = &provider.cloud_watch {
        cloud_watch::measure(cloud_watch, scene, inquiry)
    } else if let Some(graphite) = &provider.graphite {
        graphite::measure(graphite, inquiry)
    } else if let Some(influxdb) = &provider.influxdb {
        influxdb::measure(influxdb, scene, inquiry)
    } else if let Some(skywalking) = &provider.skywalking {
        skywalking::measure(skywalking, scene, inquiry)
    } else {
        Err(failed("no provider specified"))
    }
}

/// `metadata` of the results of a metric.
#[must_use]
pub fn metadata(metric: &Metric) -> BTreeMap<String, String> {
    let provider = &metric.provider;
    let prometheus = provider.prometheus.as_ref().and_then(|prometheus| prometheus.query.clone());
    let new_relic = provider.new_relic.as_ref().map(|new_relic| new_relic.query.clone());
    let queries = [("ResolvedPrometheusQuery", prometheus), ("ResolvedNewRelicQuery", new_relic)];
    let set = queries
        .into_iter()
        .filter_map(|(name, query)| Some((name, query.filter(|query| !query.is_empty())?)));
    set.map(|(name, query)| (name.to_owned(), query)).collect()
}

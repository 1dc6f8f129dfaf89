//! Families of metrics and their series.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

pub(super) fn gauge(name: &str, help: &str, series: Vec<Metric>) -> MetricFamily {
    family(name, help, MetricType::GAUGE, series)
}

pub(super) fn counter(name: &str, help: &str, series: Vec<Metric>) -> MetricFamily {
    family(name, help, MetricType::COUNTER, series)
}

pub(super) fn family(name: &str, help: &str, kind: MetricType, series: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(series);
    family
}

/// A series with these labels, which come in the order of their names.
#[allow(clippy::cast_precision_loss, reason = "metrics are floating point numbers")]
pub(super) fn sample(labels: &[(&str, &str)], value: i64) -> Metric {
    raw_sample(labels, value as f64)
}

/// The same, for a value that has a fraction.
pub(super) fn raw_sample(labels: &[(&str, &str)], value: f64) -> Metric {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    let mut metric = Metric::from_label(labels.iter().map(pair).collect());
    // Which of the two is read depends on the type of the family.
    let (mut gauge, mut counter) = (Gauge::default(), Counter::default());
    gauge.set_value(value);
    counter.set_value(value);
    metric.set_gauge(gauge);
    metric.set_counter(counter);
    metric
}

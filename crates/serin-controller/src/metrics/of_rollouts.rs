//! What is counted for each Rollout, in a few bytes each: there may be ten thousand of them, with a dozen series each.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::proto::{Bucket, Histogram, Metric, MetricFamily, MetricType};

use super::sample::{counter, family, sample};
use serin_core::domain::event::EventReason;
use serin_core::domain::object::ObjectKey;

/// The bounds of how long a decision takes with everything that follows from it, in seconds.
const RECONCILE_SECONDS: [f64; 5] = [0.01, 0.15, 0.25, 0.5, 1.0];

/// The counts of all Rollouts.
#[derive(Debug, Default)]
pub(super) struct OfRollouts(Mutex<BTreeMap<ObjectKey, Counts>>);

/// The counts of a Rollout.
#[derive(Debug, Default)]
struct Counts {
    /// How many reconciliations took up to each bound, and how many longer than all.
    reconciled: [u32; RECONCILE_SECONDS.len() + 1],
    /// How long all took together, in seconds.
    seconds: f64,
    errors: u32,
    /// Events by reason, in the order in which they were first sent.
    events: Vec<(EventReason, u32)>,
}

impl OfRollouts {
    fn counts(&self) -> MutexGuard<'_, BTreeMap<ObjectKey, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, rollout: &ObjectKey, add: impl FnOnce(&mut Counts)) {
        let mut all = self.counts();
        match all.get_mut(rollout) {
            Some(counts) => add(counts),
            None => add(all.entry(rollout.clone()).or_default()),
        }
    }

    /// It was reconciled in that time.
    pub(super) fn reconciled(&self, rollout: &ObjectKey, took: Duration) {
        self.count(rollout, |counts| {
            let seconds = took.as_secs_f64();
            let bound = RECONCILE_SECONDS.partition_point(|bound| *bound < seconds);
            if let Some(count) = counts.reconciled.get_mut(bound) {
                *count = count.wrapping_add(1);
            }
            counts.seconds += seconds;
        });
    }

    /// Something went wrong with it.
    pub(super) fn failed(&self, rollout: &ObjectKey) {
        self.count(rollout, |counts| counts.errors = counts.errors.wrapping_add(1));
    }

    /// An Event about it was sent.
    pub(super) fn told(&self, rollout: &ObjectKey, reason: EventReason) {
        self.count(rollout, |counts| {
            let known = counts.events.iter_mut().find(|(known, _)| *known == reason);
            if let Some((_, count)) = known {
                *count = count.wrapping_add(1);
            } else {
                counts.events.reserve_exact(1);
                counts.events.push((reason, 1));
            }
        });
    }

    /// Its series end.
    pub(super) fn forget(&self, rollout: &ObjectKey) {
        self.counts().remove(rollout);
    }

    /// All series.
    pub(super) fn families(&self) -> [MetricFamily; 3] {
        let all = self.counts();
        let of_errors = all.iter().filter(|(_, counts)| counts.errors > 0);
        let errors = of_errors.map(|(key, counts)| sample(&of(key), counts.errors.into())).collect();
        let events = all.iter().flat_map(|(key, counts)| counts.events.iter().map(move |event| (key, event)));
        let events = events.map(|(key, (reason, count))| {
            let [namespace, name] = [("namespace", &*key.namespace), ("name", &*key.name)];
            let [kind, reason] = [("type", reason.event_type().as_str()), ("reason", reason.as_str())];
            // In the order of their names, as clients expect them.
            sample(&[name, namespace, reason, kind], (*count).into())
        });
        let times = all.iter().map(|(key, counts)| counts.times(key)).collect();
        [
            family("rollout_reconcile", "Rollout reconciliation performance.", MetricType::HISTOGRAM, times),
            counter("rollout_reconcile_error", "Errors while a Rollout was reconciled.", errors),
            counter("rollout_events_total", "Events of a Rollout.", events.collect()),
        ]
    }
}

impl Counts {
    fn times(&self, key: &ObjectKey) -> Metric {
        let mut total = 0;
        let buckets = RECONCILE_SECONDS.iter().zip(&self.reconciled).map(|(bound, count)| {
            total += u64::from(*count);
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(total);
            bucket
        });
        let mut histogram = Histogram::default();
        histogram.set_bucket(buckets.collect());
        histogram.set_sample_count(self.reconciled.iter().map(|count| u64::from(*count)).sum());
        histogram.set_sample_sum(self.seconds);
        let mut metric = sample(&of(key), 0);
        metric.set_histogram(histogram);
        metric
    }
}

fn of(key: &ObjectKey) -> [(&str, &str); 2] {
    [("name", &key.name), ("namespace", &key.namespace)]
}

//! What `/metrics` says: the reference's names, types and labels for what is counted here, and a few of our own.
//!
//! What happens is counted where it happens, in [`Metrics`]. How things are is read from the caches and the queue when
//! somebody asks ([`scrape`]). The series of a Rollout go some time after it has gone.

mod of_rollouts;
pub mod process;
pub mod requests;
mod sample;
pub mod scrape;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use prometheus::core::Collector;
use prometheus::proto::MetricFamily;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry,
    exponential_buckets,
};

use of_rollouts::OfRollouts;
use requests::CountRequests;
use serin_core::api::rollout_status::RolloutDuration;
use serin_core::domain::event::EventReason;
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::ObjectKind;

/// How long the series of a Rollout stay after it has gone, so that the last values are still read.
const REMEMBRANCE: SignedDuration = SignedDuration::from_secs(65);
/// The bounds of how long updates take, in seconds.
const UPDATE_SECONDS: [f64; 11] =
    [30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0];
/// The bounds of how long they take without pauses.
const PROGRESSION_SECONDS: [f64; 8] = [30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0];
/// The bounds of how long the pauses take.
const MANUAL_PAUSE_SECONDS: [f64; 9] = [0.0, 60.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0, 28800.0];
/// The name of the queue of Rollouts.
const QUEUE: &str = "Rollouts";

/// A class of what may go wrong with a Rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Somebody else was faster.
    Conflict,
    /// It may go well next time.
    Transient,
    /// A right is missing, or a quota is used up.
    Forbidden,
    /// The object is invalid, or an admission webhook said no.
    Rejected,
    /// This program is wrong.
    Bug,
}

impl ErrorClass {
    /// The value of the label `class`.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Conflict => "conflict",
            Self::Transient => "transient",
            Self::Forbidden => "forbidden",
            Self::Rejected => "rejected",
            Self::Bug => "bug",
        }
    }
}

/// How long updates took, by how they ended.
#[derive(Debug)]
struct UpdateTimes {
    all: HistogramVec,
    /// Without the pauses that only a person could end.
    progression: HistogramVec,
    manual_pause: HistogramVec,
}

impl Default for UpdateTimes {
    fn default() -> Self {
        let histogram = |name: &str, help: &str, bounds: &[f64]| {
            histogram_vec(HistogramOpts::new(name, help).buckets(bounds.to_vec()), &["status"])
        };
        Self {
            all: histogram(
                "rollout_duration_seconds",
                "How long updates took from their beginning to their end.",
                &UPDATE_SECONDS,
            ),
            progression: histogram(
                "rollout_progression_duration_seconds",
                "How long updates took without the pauses that only a person ends.",
                &PROGRESSION_SECONDS,
            ),
            manual_pause: histogram(
                "rollout_manual_pause_duration_seconds",
                "How long updates stood in pauses that only a person ends.",
                &MANUAL_PAUSE_SECONDS,
            ),
        }
    }
}

/// What is counted as it happens.
#[derive(Debug)]
pub struct Metrics {
    of_rollouts: OfRollouts,
    updates: UpdateTimes,
    errors: IntCounterVec,
    freshness_waits: IntCounter,
    pub(super) fence_refusals: IntCounter,
    queue_wait: Histogram,
    work: Histogram,
    count_requests: CountRequests,
    /// When Rollouts went whose series are still there.
    departed: Mutex<BTreeMap<ObjectRef, Timestamp>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let requests = ["kind", "namespace", "name", "verb", "status_code"];
        let interrupted =
            Opts::new("serin_watch_interrupted", "Whether the watch of a resource is interrupted.");
        Self {
            of_rollouts: OfRollouts::default(),
            updates: UpdateTimes::default(),
            errors: counter_vec("serin_errors_total", "Errors by class.", &["class"]),
            freshness_waits: counter(
                "serin_freshness_waits_total",
                "How often a decision waited for its own last write to show up.",
            ),
            fence_refusals: counter(
                "serin_fence_refusals_total",
                "Requests that were not sent because another replica might lead.",
            ),
            queue_wait: queue_histogram(
                "workqueue_queue_duration_seconds",
                "How long an item stays in the queue before it is worked on.",
            ),
            work: queue_histogram("workqueue_work_duration_seconds", "How long an item is worked on."),
            count_requests: CountRequests {
                requests: counter_vec(
                    "controller_clientset_k8s_request_total",
                    "Requests to the Kubernetes API.",
                    &requests,
                ),
                interrupted: IntGaugeVec::new(interrupted, &["resource"]).expect(VALID),
            },
            departed: Mutex::default(),
        }
    }
}

/// Why making a metric does not fail.
const VALID: &str = "the name and the labels are valid";

fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::new(name, help).expect(VALID)
}

fn counter_vec(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect(VALID)
}

fn histogram_vec(options: HistogramOpts, labels: &[&str]) -> HistogramVec {
    HistogramVec::new(options, labels).expect(VALID)
}

/// A histogram of times of the queue, with the bounds of client-go: ten powers of ten from 10 ns on.
fn queue_histogram(name: &str, help: &str) -> Histogram {
    let bounds = exponential_buckets(1e-8, 10.0, 10).expect(VALID);
    Histogram::with_opts(HistogramOpts::new(name, help).const_label("name", QUEUE).buckets(bounds))
        .expect(VALID)
}

impl Metrics {
    /// The count to be put in front of a client.
    #[must_use]
    pub const fn count_requests(&self) -> &CountRequests {
        &self.count_requests
    }

    /// An object was reconciled in that time. Only Rollouts have series of their own.
    pub fn reconciled(&self, object: &ObjectRef, took: Duration) {
        if object.kind == ObjectKind::Rollout {
            self.of_rollouts.reconciled(&object.key, took);
        }
    }

    /// Something went wrong with a Rollout. A conflict is no error of it: it is decided anew, and nobody has to know.
    pub fn failed(&self, object: &ObjectRef, class: ErrorClass) {
        self.errors.with_label_values(&[class.as_str()]).inc();
        if class != ErrorClass::Conflict && object.kind == ObjectKind::Rollout {
            self.of_rollouts.failed(&object.key);
        }
    }

    /// An Event of a Rollout.
    pub fn told(&self, object: &ObjectRef, reason: EventReason) {
        if object.kind == ObjectKind::Rollout {
            self.of_rollouts.told(&object.key, reason);
        }
    }

    /// An update has ended. One of which the times or the way are not known counts for nothing.
    pub fn update_ended(&self, update: &RolloutDuration) {
        let (Some(start), Some(end), Some(how)) =
            (&update.rollout_started_at, &update.finished_at, update.completion_status)
        else {
            return;
        };
        let all = end.0.duration_since(start.0).max(SignedDuration::ZERO);
        let paused = SignedDuration::from_secs(update.total_manual_pause_duration_seconds.max(0)).min(all);
        let times = [
            (&self.updates.all, all),
            (&self.updates.progression, all - paused),
            (&self.updates.manual_pause, paused),
        ];
        for (histogram, time) in times {
            histogram.with_label_values(&[how.as_str()]).observe(time.as_secs_f64());
        }
    }

    /// A decision waits for its own last write.
    pub fn waits_for_freshness(&self) {
        self.freshness_waits.inc();
    }

    /// The fence has held a request back.
    pub fn fenced(&self) {
        self.fence_refusals.inc();
    }

    /// A Rollout was taken out of the queue after that time.
    pub fn started(&self, waited: Duration) {
        self.queue_wait.observe(waited.as_secs_f64());
    }

    /// A Rollout was worked on for that time.
    pub fn finished(&self, took: Duration) {
        self.work.observe(took.as_secs_f64());
    }

    /// The watch of that resource is interrupted.
    pub fn watch_interrupted(&self, resource: &str) {
        self.count_requests.interrupted.with_label_values(&[resource]).set(1);
    }

    /// The Rollout is there: its series stay.
    pub fn present(&self, object: &ObjectRef) {
        self.departed().remove(object);
    }

    /// The Rollout is gone: its series go later.
    pub fn gone(&self, object: &ObjectRef, now: Timestamp) {
        self.departed().entry(object.clone()).or_insert(now);
        self.purge(now);
    }

    /// Drops the series of Rollouts that went long enough ago.
    fn purge(&self, now: Timestamp) {
        self.departed().retain(|key, since| {
            let stays = now.duration_since(*since) < REMEMBRANCE;
            if !stays {
                self.of_rollouts.forget(&key.key);
            }
            stays
        });
    }

    /// All that was counted until `now`.
    fn families(&self, now: Timestamp) -> Vec<MetricFamily> {
        self.purge(now);
        let registry = Registry::new();
        let CountRequests { requests, interrupted } = &self.count_requests;
        let all: [Box<dyn Collector>; 10] = [
            Box::new(self.updates.all.clone()),
            Box::new(self.updates.progression.clone()),
            Box::new(self.updates.manual_pause.clone()),
            Box::new(self.errors.clone()),
            Box::new(self.freshness_waits.clone()),
            Box::new(self.fence_refusals.clone()),
            Box::new(self.queue_wait.clone()),
            Box::new(self.work.clone()),
            Box::new(requests.clone()),
            Box::new(interrupted.clone()),
        ];
        for metric in all {
            registry.register(metric).expect("each name is used once");
        }
        registry.gather().into_iter().chain(self.of_rollouts.families()).collect()
    }

    fn departed(&self) -> MutexGuard<'_, BTreeMap<ObjectRef, Timestamp>> {
        self.departed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a time")
    }

    /// The number of series with a label of that value.
    fn series(metrics: &Metrics, now: Timestamp, name: &str) -> usize {
        let families = metrics.families(now);
        let all = families.iter().flat_map(MetricFamily::get_metric);
        all.filter(|metric| metric.get_label().iter().any(|label| label.value() == name)).count()
    }

    #[test]
    fn the_series_of_a_rollout_go_65_seconds_after_it() {
        let metrics = Metrics::default();
        let keys = [
            ObjectRef::new(ObjectKind::Rollout, "shop", "web"),
            ObjectRef::new(ObjectKind::Rollout, "shop", "api"),
        ];
        for key in &keys {
            metrics.reconciled(key, Duration::from_millis(3));
            metrics.failed(key, ErrorClass::Rejected);
            metrics.told(key, EventReason::RolloutAborted);
            metrics.told(key, EventReason::ScalingReplicaSet);
        }
        metrics.gone(&keys[0], at(100));
        assert_eq!(series(&metrics, at(164), "web"), 4);
        assert_eq!((series(&metrics, at(165), "web"), series(&metrics, at(165), "api")), (0, 4));
        assert!(metrics.departed().is_empty());
    }

    #[test]
    fn the_series_of_a_rollout_that_was_made_anew_stay() {
        let (metrics, key) = (Metrics::default(), ObjectRef::new(ObjectKind::Rollout, "shop", "web"));
        metrics.reconciled(&key, Duration::ZERO);
        metrics.gone(&key, at(0));
        metrics.present(&key);
        assert_eq!(series(&metrics, at(1_000), "web"), 1);
    }

    #[test]
    fn a_conflict_is_no_error_of_the_rollout() {
        let (metrics, key) = (Metrics::default(), ObjectRef::new(ObjectKind::Rollout, "shop", "web"));
        metrics.failed(&key, ErrorClass::Conflict);
        assert_eq!((series(&metrics, at(0), "conflict"), series(&metrics, at(0), "web")), (1, 0));
    }
}

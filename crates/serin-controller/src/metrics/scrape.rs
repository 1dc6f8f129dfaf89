//! How things are at the moment when somebody asks: Rollouts, the queue, the program.

use std::sync::Arc;

use prometheus::TextEncoder;
use prometheus::proto::{Metric, MetricFamily};

use super::sample::{counter, gauge, raw_sample, sample};
use super::{QUEUE, process};
use crate::dispatch::Dispatcher;
use crate::reconcile::Reconciler;
use serin_core::domain::object::ObjectKey;
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::labels::{self, PhaseLabel};
use serin_machine::caches::Caches;
use serin_machine::content::Rollout;
use serin_machine::entry::Entry;
use serin_machine::queue::Load;

/// The whole page, in the text format. What is said of Rollouts is said by the leader alone, for a sum over all
/// replicas is what dashboards make.
pub fn page<S>(reconciler: &Reconciler<S>, dispatcher: &Dispatcher) -> prometheus::Result<String> {
    let now = reconciler.clock.now();
    let mut families = reconciler.metrics.families(now);
    families.extend(process::families());
    families.extend(program(reconciler.fence.leads()));
    families.extend(queue(dispatcher.load(now), &dispatcher.busy()));
    if reconciler.fence.leads() {
        families.extend(rollouts(&reconciler.caches));
    }
    families.retain(|family| !family.get_metric().is_empty());
    families.sort_by(|a, b| a.name().cmp(b.name()));
    TextEncoder::new().encode_to_string(&families)
}

/// The words that Go has for processors, which the reference uses.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn program(leads: bool) -> [MetricFamily; 3] {
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    let build = [("commit", ""), ("goarch", architecture()), ("goversion", ""), ("version", version)];
    [
        gauge(
            "argo_rollouts_controller_info",
            "Running controller version.",
            vec![sample(&[("version", version)], 1)],
        ),
        gauge("build_info", "How this program was built.", vec![sample(&build, 1)]),
        gauge("serin_leader", "Whether this replica leads.", vec![sample(&[], i64::from(leads))]),
    ]
}

/// The queue; `busy` has the seconds for which each Rollout that is worked on has been.
fn queue(load: Load, busy: &[f64]) -> [MetricFamily; 5] {
    let of_queue = |value: f64| vec![raw_sample(&[("name", QUEUE)], value)];
    let longest = busy.iter().copied().fold(0.0, f64::max);
    let count = |value: u64| sample(&[("name", QUEUE)], i64::try_from(value).unwrap_or(i64::MAX));
    [
        counter("workqueue_adds_total", "Total number of adds handled by the queue.", vec![count(load.adds)]),
        counter(
            "workqueue_retries_total",
            "Total number of retries handled by the queue.",
            vec![count(load.retries)],
        ),
        gauge("workqueue_depth", "Current depth of the queue.", vec![count(load.depth)]),
        gauge(
            "workqueue_unfinished_work_seconds",
            "How many seconds of work are in progress.",
            of_queue(busy.iter().sum()),
        ),
        gauge(
            "workqueue_longest_running_processor_seconds",
            "For how many seconds the longest running work has been in progress.",
            of_queue(longest),
        ),
    ]
}

/// The gauges of all Rollouts.
fn rollouts(caches: &Caches) -> Vec<MetricFamily> {
    // The lock is not held for longer than it takes to note which Rollouts there are.
    let rollouts = caches.of(ObjectKind::Rollout).read();
    let all: Vec<(ObjectKey, Arc<Entry>)> =
        rollouts.iter().map(|(key, entry)| (key.clone(), Arc::clone(entry))).collect();
    drop(rollouts);
    let mut series = Series::default();
    for (key, entry) in &all {
        series.add(key, entry);
    }
    series.families()
}

#[derive(Default)]
struct Series {
    info: Vec<Metric>,
    phase: Vec<Metric>,
    available: Vec<Metric>,
    unavailable: Vec<Metric>,
    desired: Vec<Metric>,
    updated: Vec<Metric>,
}

impl Series {
    fn add(&mut self, key: &ObjectKey, entry: &Entry) {
        let rollout = entry.rollout().and_then(Rollout::object);
        let rollout = rollout.as_ref();
        let strategy = rollout.map_or("none", labels::strategy);
        let routers = rollout.map(labels::traffic_routers).unwrap_or_default();
        let status = rollout.and_then(|rollout| rollout.status.as_ref());
        let now = if rollout.is_some() { PhaseLabel::of(status) } else { PhaseLabel::InvalidSpec };
        let (name, namespace) = (("name", key.name.as_str()), ("namespace", key.namespace.as_str()));
        let (phase, strategy) = (("phase", now.as_str()), ("strategy", strategy));
        let info = [name, namespace, phase, strategy, ("traffic_router", routers.as_str())];
        self.info.push(sample(&info, 1));
        for label in PhaseLabel::ALL {
            let labels = [name, namespace, ("phase", label.as_str()), strategy];
            self.phase.push(sample(&labels, i64::from(label == now)));
        }
        let Some(rollout) = rollout else { return };
        let count = |of: fn(&serin_core::api::RolloutStatus) -> i32| i64::from(status.map_or(0, of));
        let (replicas, available) = (count(|s| s.replicas), count(|s| s.available_replicas));
        let of_rollout = [name, namespace];
        self.available.push(sample(&of_rollout, available));
        self.unavailable.push(sample(&of_rollout, replicas - available));
        self.desired.push(sample(&of_rollout, i64::from(rollout.spec.replicas.unwrap_or(1))));
        self.updated.push(sample(&of_rollout, count(|s| s.updated_replicas)));
    }

    fn families(self) -> Vec<MetricFamily> {
        vec![
            gauge("rollout_info", "Information about a Rollout.", self.info),
            gauge("rollout_phase", "The phase of a Rollout (deprecated, see rollout_info).", self.phase),
            gauge("rollout_info_replicas_available", "The available pods of a Rollout.", self.available),
            gauge(
                "rollout_info_replicas_unavailable",
                "The pods of a Rollout that are not available.",
                self.unavailable,
            ),
            gauge("rollout_info_replicas_desired", "The pods that a Rollout asks for.", self.desired),
            gauge(
                "rollout_info_replicas_updated",
                "The pods of the newest revision of a Rollout.",
                self.updated,
            ),
        ]
    }
}

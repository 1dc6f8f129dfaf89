//! `/metrics` against a recording of the reference's: names, types and labels that dashboards and alerts ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Value, json};
use serin_clock::Clock;
use serin_controller::apply::Server;
use serin_controller::dispatch::Dispatcher;
use serin_controller::fence::{Fence, Standing};
use serin_controller::metrics::scrape::page;
use serin_controller::reconcile::Reconciler;
use serin_core::api::Time;
use serin_core::api::rollout_status::{CompletionStatus, RolloutDuration};
use serin_core::domain::event::EventReason;
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::ObjectKind;
use serin_machine::failure::WriteError;
use serin_machine::object::RawObject;
use serin_values::random::Rng;
use tokio::sync::watch;
use tower::{Layer, Service};

/// The recording and the specification name these, and Serin does not have them.
const MISSING: [(&str, &str); 25] = [
    ("analysis_run_info", NO_ANALYSIS),
    ("analysis_run_metric_phase", NO_ANALYSIS),
    ("analysis_run_metric_type", NO_ANALYSIS),
    ("analysis_run_phase", NO_ANALYSIS),
    ("analysis_run_reconcile", NO_ANALYSIS),
    ("analysis_run_reconcile_error", NO_ANALYSIS),
    ("analysis_template_info", NO_ANALYSIS),
    ("analysis_template_metric_info", NO_ANALYSIS),
    ("experiment_info", NO_ANALYSIS),
    ("experiment_phase", NO_ANALYSIS),
    ("experiment_reconcile", NO_ANALYSIS),
    ("experiment_reconcile_error", NO_ANALYSIS),
    ("notification_send", NO_NOTIFICATIONS),
    ("notification_send_error", NO_NOTIFICATIONS),
    ("notification_send_success", NO_NOTIFICATIONS),
    ("go_gc_duration_seconds", NO_GO),
    ("go_goroutines", NO_GO),
    ("go_info", NO_GO),
    ("go_memstats_alloc_bytes", NO_GO),
    ("go_memstats_heap_inuse_bytes", NO_GO),
    ("go_threads", NO_GO),
    ("rest_client_request_duration_seconds", NO_CLIENT_GO),
    ("rest_client_requests_total", NO_CLIENT_GO),
    ("process_network_receive_bytes_total", NO_NETWORK),
    ("process_network_transmit_bytes_total", NO_NETWORK),
];
const NO_ANALYSIS: &str = "analysis and experiments are not built yet";
const NO_NOTIFICATIONS: &str = "notifications are not built yet";
const NO_GO: &str = "there is no Go runtime";
const NO_CLIENT_GO: &str = "controller_clientset_k8s_request_total says the same";
const NO_NETWORK: &str = "the system counts by network and not by process";

/// What the specification names beyond the recording: name, type and labels.
const SPECIFIED: [(&str, &str, &[&str]); 12] = [
    ("experiment_info", "gauge", &["namespace", "name", "phase"]),
    ("experiment_phase", "gauge", &["namespace", "name", "phase"]),
    ("experiment_reconcile", "histogram", &["namespace", "name"]),
    ("experiment_reconcile_error", "counter", &["namespace", "name"]),
    ("analysis_run_reconcile_error", "counter", &["namespace", "name"]),
    ("notification_send_success", "counter", &[]),
    ("notification_send_error", "counter", &[]),
    ("rollout_duration_seconds", "histogram", &["status"]),
    ("rollout_progression_duration_seconds", "histogram", &["status"]),
    ("rollout_manual_pause_duration_seconds", "histogram", &["status"]),
    ("process_cpu_seconds_total", "counter", &[]),
    ("process_resident_memory_bytes", "gauge", &[]),
];

/// A metric: its type and the names of its labels.
#[derive(Debug, Default, PartialEq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

/// The metrics of a page.
fn metrics(page: &str) -> BTreeMap<String, Metric> {
    let mut found = BTreeMap::<String, Metric>::new();
    let mut name = String::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (metric, kind) = rest.split_once(' ').expect("name and type");
            metric.clone_into(&mut name);
            let labels = BTreeSet::new();
            let before = found.insert(name.clone(), Metric { kind: kind.into(), labels });
            assert_eq!(before, None, "{name} twice");
        } else if !line.starts_with('#') {
            assert!(line.starts_with(&name), "{line} is not of {name}");
            let labels = labels(line).into_iter().filter(|label| label != "le");
            found.get_mut(&name).expect("its type comes first").labels.extend(labels);
        }
    }
    found
}

/// The names of the labels of a series. No value in these tests has a quotation mark.
fn labels(line: &str) -> Vec<String> {
    let pair = Regex::new("([a-z_]+)=\"[^\"]*\"").expect("an expression");
    pair.captures_iter(line).map(|found| found[1].to_owned()).collect()
}

/// The value of a series, if it is there.
fn value(page: &str, series: &str) -> Option<f64> {
    let line = page.lines().find(|line| line.split_once(' ').is_some_and(|(name, _)| name == series))?;
    line.split_once(' ')?.1.parse().ok()
}

/// A server that refuses everything.
struct Refusing;

impl Server for Refusing {
    async fn send(&self, _: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
        Err(WriteError::Rejected("no".into()))
    }
}

fn condition(reason: &str) -> Value {
    json!({"type": "Progressing", "status": "True", "reason": reason, "message": "",
        "lastUpdateTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"})
}

/// Knows the Rollout `demo`, which is at 3 of 4 pods, and one that cannot be read.
fn reconciler() -> Reconciler<Refusing> {
    let reconciler = Reconciler::new(Refusing, Clock::starting_at(Timestamp::UNIX_EPOCH), Rng::seeded(0));
    let put = |name: &str, spec: &Value| {
        let metadata = json!({"name": name, "namespace": "shop", "uid": name, "resourceVersion": "1"});
        let status = json!({"replicas": 4, "availableReplicas": 3, "updatedReplicas": 2,
            "conditions": [condition("RolloutPaused")]});
        let object = json!({"metadata": metadata, "spec": spec, "status": status});
        let wire = serde_json::from_value(object).expect("an object");
        reconciler.caches.of(ObjectKind::Rollout).write().put(wire);
    };
    let routing = json!({"nginx": {"stableIngress": "i"}, "traefik": {"weightedTraefikServiceName": "t"}});
    put("demo", &json!({"replicas": 5, "strategy": {"canary": {"trafficRouting": routing}}}));
    put("broken", &json!({"replicas": "many"}));
    reconciler
}

/// The page of a controller that has done a bit of everything.
async fn busy_page(fence: Fence) -> String {
    let mut reconciler = reconciler();
    reconciler.fence = fence;
    let demo = ObjectRef::new(ObjectKind::Rollout, "shop", "demo");
    reconciler.reconcile(&demo).await;
    reconciler.metrics.told(&demo, EventReason::RolloutPaused);
    let time = |second| Some(Time(Timestamp::from_second(second).expect("a time")));
    reconciler.metrics.update_ended(&RolloutDuration {
        rollout_started_at: time(100),
        finished_at: time(700),
        total_manual_pause_duration_seconds: 400,
        completion_status: Some(CompletionStatus::Aborted),
        ..RolloutDuration::default()
    });
    let answer = tower::service_fn(async |_: Request<()>| Ok::<_, WriteError>(Response::new(())));
    let mut client = reconciler.metrics.count_requests().layer(answer);
    client
        .call(Request::get("/api/v1/pods?watch=true").body(()).expect("a request"))
        .await
        .expect("an answer");
    reconciler.metrics.watch_interrupted("pods");
    page(&reconciler, &Dispatcher::new(Rng::seeded(0))).expect("a page")
}

#[tokio::test(start_paused = true)]
async fn names_types_and_labels_are_those_of_the_reference() {
    let ours = metrics(&busy_page(Fence::open()).await);
    let mut recorded = metrics(include_str!("vectors/metrics.txt"));
    assert!(recorded.len() > 20, "{}", recorded.len());
    let missing = |name: &str| MISSING.iter().any(|(row, _)| *row == name);
    for (name, kind, labels) in SPECIFIED {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        let metric = Metric { kind: kind.to_owned(), labels };
        recorded.entry(name.to_owned()).or_insert(metric);
    }
    for (name, expected) in &recorded {
        assert_eq!(ours.contains_key(name), !missing(name), "{name}: is it missing or not?");
        if let Some(metric) = ours.get(name) {
            assert_eq!(metric, expected, "{name}");
        }
    }
    for (name, why) in MISSING {
        assert!(!ours.contains_key(name) && why.len() > 10, "{name} is there");
    }
    let own = ours.keys().filter(|name| !recorded.contains_key(*name));
    let standard = |name: &&String| name.starts_with("process_") || name.starts_with("serin_");
    assert!(own.clone().all(|name| standard(&name)), "{:?}", own.collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_rollout_is_described_by_its_status() {
    let page = busy_page(Fence::open()).await;
    let of = |name: &str, labels: &str| value(&page, &format!("{name}{{{labels}}}"));
    let demo = "name=\"demo\",namespace=\"shop\"";
    assert_eq!(of("rollout_info_replicas_desired", demo), Some(5.0));
    assert_eq!(of("rollout_info_replicas_available", demo), Some(3.0));
    assert_eq!(of("rollout_info_replicas_unavailable", demo), Some(1.0));
    assert_eq!(of("rollout_info_replicas_updated", demo), Some(2.0));
    let info = |name: &str, phase: &str, strategy: &str, router: &str| {
        let labels = format!(
            "name=\"{name}\",namespace=\"shop\",phase=\"{phase}\",strategy=\"{strategy}\",traffic_router=\"{router}\""
        );
        of("rollout_info", &labels)
    };
    assert_eq!(info("demo", "Paused", "canary", "Nginx,Traefik"), Some(1.0));
    assert_eq!(info("broken", "InvalidSpec", "none", ""), Some(1.0));
    let phase = |phase: &str| of("rollout_phase", &format!("{demo},phase=\"{phase}\",strategy=\"canary\""));
    assert_eq!((phase("Paused"), phase("Completed"), phase("Abort")), (Some(1.0), Some(0.0), Some(0.0)));
    let refused = format!("{demo},reason=\"ReconciliationError\",type=\"Warning\"");
    assert_eq!(of("rollout_events_total", &refused), Some(1.0));
    assert_eq!(of("rollout_reconcile_error", demo), Some(1.0));
    assert_eq!(of("serin_errors_total", "class=\"rejected\""), Some(1.0));
    assert_eq!(of("rollout_reconcile_count", demo), Some(1.0));
    let bounds = |name: &str| {
        let series = format!("{name}_bucket{{");
        page.lines().filter(|line| line.starts_with(&series)).count()
    };
    assert_eq!((bounds("rollout_reconcile"), bounds("workqueue_work_duration_seconds")), (6, 11));
    let aborted = |name: &str| (bounds(name), of(&format!("{name}_sum"), "status=\"Aborted\""));
    assert_eq!(aborted("rollout_duration_seconds"), (12, Some(600.0)));
    assert_eq!(aborted("rollout_progression_duration_seconds"), (9, Some(200.0)));
    assert_eq!(aborted("rollout_manual_pause_duration_seconds"), (10, Some(400.0)));
    assert_eq!(value(&page, "serin_leader"), Some(1.0));
}

#[tokio::test(start_paused = true)]
async fn one_that_stands_by_says_nothing_of_rollouts() {
    let (_told, standing) = watch::channel(Standing::Standby { holder: None });
    let mut reconciler = reconciler();
    reconciler.fence = Fence::of(standing);
    let page = page(&reconciler, &Dispatcher::new(Rng::seeded(0))).expect("a page");
    let ours = metrics(&page);
    assert!(!ours.keys().any(|name| name.starts_with("rollout_")), "{ours:?}");
    assert!(ours.contains_key("build_info") && value(&page, "serin_leader") == Some(0.0));
}

#[tokio::test(start_paused = true)]
async fn the_queue_says_how_much_there_is_to_do() {
    let (reconciler, dispatcher) = (Arc::new(reconciler()), Arc::new(Dispatcher::new(Rng::seeded(0))));
    let (stop, stopped) = watch::channel(false);
    let work = tokio::spawn({
        let (reconciler, dispatcher) = (Arc::clone(&reconciler), Arc::clone(&dispatcher));
        async move { dispatcher.run(&reconciler, 1, stopped).await }
    });
    serin_clock::sleep(Duration::from_secs(1)).await;
    // The caches are not filled, so that nothing is taken out.
    let page = page(&reconciler, &dispatcher).expect("a page");
    let of_queue = |name: &str| value(&page, &format!("workqueue_{name}{{name=\"Rollouts\"}}"));
    assert_eq!(
        (of_queue("depth"), of_queue("adds_total"), of_queue("retries_total")),
        (Some(2.0), Some(2.0), Some(0.0))
    );
    assert_eq!(of_queue("longest_running_processor_seconds"), Some(0.0));
    stop.send(true).expect("it runs");
    work.await.expect("no panic");
}

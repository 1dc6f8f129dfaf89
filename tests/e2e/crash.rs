//! The controller is killed after each single write of an update in turn, and another one finishes the work.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use kube::Api;
use kube::api::{WatchEvent, WatchParams};
use serin_clock as clock;
use serin_core::api::Rollout;
use serin_testbed::{ControlPlane, EndsBy, Held};

use crate::gate::Gate;
use crate::rollouts::{SERIN, Stage, behind_nginx, controller};
use crate::support::cluster;

/// How many updates, each with a controller of its own, go on at the same time.
const AT_ONCE: usize = 8;
/// How many writes an update has at least: fewer would mean that the test has seen no update.
const WRITES_LEAST: u64 = 15;

/// The end of every update, whatever happened on the way.
const DONE: &str = "Healthy, step 2, weights 0/100
                    pods r1=0 r2=1
                    demo -> r2
                    demo-canary -> r2
                    demo-demo-canary: canary=true canary-weight=0";

fn start_behind(gate: &Gate, stage: &Stage<'_>) -> Held {
    let kubeconfig = gate.kubeconfig.to_str().unwrap();
    let args = ["controller", "--kubeconfig", kubeconfig, "--namespaced", "--namespace", &stage.namespace];
    let all: Vec<&str> =
        args.into_iter().chain(["--healthzPort=0", "--metricsPort=0", "--leader-elect=false"]).collect();
    let log = gate.kubeconfig.with_extension("log");
    Held::start(Path::new(SERIN), &all, &[], &log, EndsBy::Guard).unwrap()
}

/// Revision, step and weight of a Rollout at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moment {
    hash: String,
    step: i32,
    weight: i32,
}

/// Every state that the Rollouts of a namespace go through from now on, as a watch tells.
async fn record(stage: &Stage<'_>) -> Arc<Mutex<Vec<Moment>>> {
    let client = stage.plane.client().await.unwrap();
    let api = Api::<Rollout>::namespaced(client, &stage.namespace);
    let version =
        api.list(&kube::api::ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let moments = Arc::clone(&seen);
    tokio::spawn(async move {
        let watch = api.watch(&WatchParams::default(), &version).await.unwrap();
        let mut watch = watch.boxed();
        while let Ok(Some(event)) = watch.try_next().await {
            if let WatchEvent::Modified(rollout) = event {
                let status = rollout.status.unwrap_or_default();
                moments.lock().unwrap().push(Moment {
                    hash: status.current_pod_hash.unwrap_or_default(),
                    step: status.current_step_index.unwrap_or_default(),
                    weight: status.canary.weights.map_or(0, |weights| weights.canary.weight),
                });
            }
        }
    });
    seen
}

/// One update whose controller is killed when it has written `writes` times. False if it got to the end before.
async fn update_with_a_crash_after(plane: &ControlPlane, writes: u64) -> bool {
    let stage = Stage::new(plane, "demo").await;
    let gate = Gate::open(plane, &stage.namespace).await;
    let mut first = start_behind(&gate, &stage);
    stage.apply(&behind_nginx("1s", 1)).await;
    let begin = DONE.replace("r1=0 r2=1", "r1=1").replace("r2", "r1");
    stage.shows(&begin).await;
    // The last Events of the beginning are on their way.
    clock::sleep(Duration::from_secs(1)).await;

    let told = stage.events().await.len();
    let history = record(&stage).await;
    gate.allow(writes);
    stage.set_image("demo:green").await;
    let finished = async {
        stage.shows(DONE).await;
        clock::sleep(Duration::from_secs(2)).await;
    };
    let crashed = tokio::select! {
        biased;
        () = gate.shut() => true,
        () = finished => false,
    };
    first.kill().unwrap();
    let _second = crashed.then(|| controller(plane, &stage.namespace));
    stage.shows(DONE).await;
    if crashed {
        clock::sleep(Duration::from_secs(1)).await;
    }

    stage.shows_within(Duration::ZERO, DONE).await;
    assert_eq!(stage.rollout().await["metadata"]["annotations"]["rollout.argoproj.io/revision"], "2");
    check_events(writes, &stage.events().await[told..]);
    check_history(writes, &history.lock().unwrap());
    crashed
}

/// A crash may lose Events, but none is told twice.
fn check_events(writes: u64, events: &[String]) {
    let mut seen = BTreeSet::new();
    for event in events {
        assert!(seen.insert(event), "after {writes} writes, told twice: {event}\n{events:#?}");
    }
}

/// The steps of the new revision are taken in order, none of them twice.
fn check_history(writes: u64, history: &[Moment]) {
    let hash = &history.last().unwrap().hash;
    let new = history.iter().skip_while(|moment| moment.hash != *hash).collect::<Vec<_>>();
    assert!(new.iter().all(|moment| moment.hash == *hash), "after {writes} writes: {history:#?}");
    assert!(new.is_sorted_by_key(|moment| moment.step), "after {writes} writes: {history:#?}");
    let mut weights: Vec<_> = new.iter().map(|moment| moment.weight).collect();
    weights.dedup();
    assert_eq!(weights, [0, 50, 100, 0], "after {writes} writes: {history:#?}");
}

#[tokio::test]
async fn a_crash_after_any_write_is_made_good() {
    let Some(cluster) = cluster().await else { return };
    if cluster.plane.is_borrowed() {
        return;
    }
    let cases = stream::iter(1..).map(|writes| update_with_a_crash_after(&cluster.plane, writes));
    let crashes = cases.buffered(AT_ONCE).take_while(|crashed| std::future::ready(*crashed)).count().await;
    let crashes = u64::try_from(crashes).unwrap();
    eprintln!("one update has {crashes} writes");
    assert!(crashes >= WRITES_LEAST, "an update has more than {crashes} writes");
}

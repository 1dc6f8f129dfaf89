//! How many requests an update costs, counted by the API server: from a change until 36 s after the Rollout is Healthy.
//!
//! The reference (version 1.9.1) needs 29, 12 and 32 writes for the three updates here, and 50, 22 and 72 reads.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use serin_clock::{self as clock, Clock};
use serin_testbed::AuditEntry;

use crate::rollouts::{SOON, Stage, controller};
use crate::support::{cluster, eventually};

/// How long after the Rollout is Healthy requests still count: old pods stay for 30 s.
const AFTERWARDS: Duration = Duration::from_secs(36);

/// The requests that one change may cost.
struct Most {
    /// Without those for counts alone.
    writes: usize,
    events: usize,
}

/// The requests about the objects of one namespace.
#[derive(Debug, Default)]
struct Cost {
    writes: Vec<String>,
    events: usize,
    reads: Vec<String>,
}

fn cost(entries: Vec<AuditEntry>, namespace: &str, since: Timestamp) -> Cost {
    let mut cost = Cost::default();
    for entry in entries.into_iter().filter(|e| e.namespace == namespace && e.received > since) {
        let line = format!("{} {}/{} {}", entry.verb, entry.resource, entry.name, entry.subresource);
        match (entry.resource.as_str(), entry.verb.as_str()) {
            ("events", _) => cost.events += 1,
            ("leases", _) | (_, "watch") => {}
            _ if entry.is_write() => cost.writes.push(format!("{} {line}", entry.at)),
            _ => cost.reads.push(line),
        }
    }
    cost
}

/// Waits until another revision than `before` is stable and the Rollout Healthy; returns that revision.
async fn promoted(stage: &Stage<'_>, before: &Value) -> Value {
    eventually("the update is through", SOON, async || {
        let status = stage.rollout().await["status"].take();
        let is_through = status["phase"] == "Healthy" && status["stableRS"] != *before;
        is_through.then(|| status["stableRS"].clone())
    })
    .await
}

async fn assert_cost(stage: &Stage<'_>, what: &str, since: Timestamp, most: &Most) {
    clock::sleep(AFTERWARDS).await;
    let cost = cost(stage.plane.audit().unwrap(), &stage.namespace, since);
    eprintln!("{what}: {} writes, {} events, {} reads", cost.writes.len(), cost.events, cost.reads.len());
    // Counts are a second old at most: what a write of a ReplicaSet changes about pods may be told by itself, the more often
    // the longer pods take.
    let of_counts = cost.writes.iter().filter(|write| write.contains(" replicasets/")).count();
    let most_writes = most.writes + of_counts;
    assert!(cost.writes.len() <= most_writes, "{what} may cost {most_writes} writes: {:#?}", cost.writes);
    assert!(cost.events <= most.events, "{what} may cost {} Events, not {}", most.events, cost.events);
    assert!(cost.reads.is_empty(), "{what} reads: {:#?}", cost.reads);
}

async fn assert_costs(manifest: &str, creation: Most, update: Most) {
    let Some(cluster) = cluster().await else { return };
    let stage = Stage::new(&cluster.plane, "demo").await;
    let _controller = controller(&cluster.plane, &stage.namespace);
    // What the controller reads when it starts is not the cost of a Rollout.
    clock::sleep(Duration::from_secs(3)).await;
    let begin = Clock::System.now();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/economy").join(manifest);
    stage.apply_file(&path).await;
    let first = promoted(&stage, &Value::Null).await;
    assert_cost(&stage, &format!("first deployment of {manifest}"), begin, &creation).await;

    let begin = Clock::System.now();
    stage.patch(&json!({"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}})).await;
    promoted(&stage, &first).await;
    assert_cost(&stage, &format!("update of {manifest}"), begin, &update).await;
}

#[tokio::test]
async fn a_canary_behind_nginx() {
    assert_costs("nginx-canary.yaml", Most { writes: 8, events: 10 }, Most { writes: 18, events: 15 }).await;
}

#[tokio::test]
async fn a_blue_green_update() {
    assert_costs("blue-green.yaml", Most { writes: 8, events: 7 }, Most { writes: 9, events: 8 }).await;
}

#[tokio::test]
async fn a_canary_by_pods() {
    assert_costs("basic-canary.yaml", Most { writes: 6, events: 6 }, Most { writes: 20, events: 20 }).await;
}

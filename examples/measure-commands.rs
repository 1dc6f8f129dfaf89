//! Measures the command line, for docs/performance.md: `cargo build --release && cargo run --release --example
//! measure-commands`.
//!
//! On a real API server, in one namespace with few and with many Rollouts of ten ReplicaSets each: how many requests a
//! command sends, as the audit log has them, and how long it takes, from its start to its end.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use serin_clock::sleep;
use serin_core::api::Rollout;
use serin_testbed::ControlPlane;
use tokio::time::Instant;

type Failure = Box<dyn Error + Send + Sync>;

/// How many Rollouts there are.
const SIZES: [usize; 2] = [10, 1_000];
/// How many ReplicaSets each of them has.
const REVISIONS: usize = 10;
/// How often each command is measured.
const RUNS: usize = 11;
/// How many objects are made at the same time.
const WRITERS: usize = 32;
/// Until the audit log has been written.
const SETTLING: Duration = Duration::from_secs(1);
const COMMANDS: [&[&str]; 6] = [
    &["get", "rollout", "demo-3"],
    &["explain", "demo-3"],
    &["history", "demo-3"],
    &["list", "rollouts", "-A"],
    &["status", "demo-3", "--watch=false"],
    &["promote", "demo-3"],
];

#[tokio::main]
async fn main() -> Result<(), Failure> {
    for size in SIZES {
        let plane = ControlPlane::start().await?;
        plane.install().await?;
        // The audit log is about this user alone, who may do here what an administrator may.
        let binding =
            ["create", "clusterrolebinding", "measured", "--clusterrole=cluster-admin", "--user=serin"];
        plane.kubectl(&binding).await?.success()?;
        let namespace = plane.namespace("many").await?;
        let client = plane.client().await?;
        let begun = Instant::now();
        stream::iter(0..size)
            .map(|index| make(client.clone(), &namespace, index))
            .buffer_unordered(WRITERS)
            .try_collect::<()>()
            .await?;
        println!("{size} Rollouts with {} ReplicaSets, made in {:.0?}", size * REVISIONS, begun.elapsed());
        for words in COMMANDS {
            measure(&plane, &client, &namespace, words).await?;
        }
    }
    Ok(())
}

/// Makes a Rollout that is paused, with its ReplicaSets, none of which has pods.
async fn make(client: Client, namespace: &str, index: usize) -> Result<(), Failure> {
    let name = format!("demo-{index}");
    let rollouts: Api<Rollout> = Api::namespaced(client.clone(), namespace);
    let steps = json!([{"setWeight": 50}, {"pause": {}}]);
    let rollout = json!({
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template(&name, "0"),
            "strategy": {"canary": {"steps": steps}}},
    });
    let made = rollouts.create(&PostParams::default(), &serde_json::from_value(rollout)?).await?;
    pause(&rollouts, &name).await?;
    let sets: Api<ReplicaSet> = Api::namespaced(client, namespace);
    for revision in 0..REVISIONS {
        let hash = revision.to_string();
        let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": name,
            "uid": made.metadata.uid, "controller": true});
        let labels = json!({"app": name, "rollouts-pod-template-hash": hash});
        let annotations = json!({"rollout.argoproj.io/revision": (revision + 1).to_string()});
        let set = json!({
            "metadata": {"name": format!("{name}-{hash}"), "labels": labels, "annotations": annotations,
                "ownerReferences": [owner]},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template(&name, &hash)},
        });
        sets.create(&PostParams::default(), &serde_json::from_value(set)?).await?;
    }
    Ok(())
}

fn template(name: &str, hash: &str) -> Value {
    let labels = json!({"app": name, "rollouts-pod-template-hash": hash});
    json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": format!("demo:{hash}")}]}})
}

async fn pause(rollouts: &Api<Rollout>, name: &str) -> Result<(), Failure> {
    let status = json!({"status": {
        "observedGeneration": "1", "phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1,
        "controllerPause": true, "currentPodHash": "9", "stableRS": "8",
        "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
    }});
    rollouts.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
    Ok(())
}

/// Measures one command.
async fn measure(
    plane: &ControlPlane,
    client: &Client,
    namespace: &str,
    words: &[&str],
) -> Result<(), Failure> {
    let rollouts: Api<Rollout> = Api::namespaced(client.clone(), namespace);
    let before = plane.audit()?.len();
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let mut command = Command::new(program()?);
        command.arg("--kubeconfig").arg(plane.serin_kubeconfig()).args(["-n", namespace]).args(words);
        let begun = Instant::now();
        let output = command.stdin(Stdio::null()).output()?;
        times.push(begun.elapsed());
        if !matches!(output.status.code(), Some(0 | 11)) {
            return Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        if words[0] == "promote" {
            pause(&rollouts, words[1]).await?;
        }
    }
    sleep(SETTLING).await;
    let asked = plane.audit()?;
    let asked = &asked[before..];
    times.sort();
    let mut kinds: Vec<String> = asked.iter().map(|one| format!("{} {}", one.verb, one.resource)).collect();
    kinds.sort();
    kinds.dedup();
    println!(
        "  {}: {} requests ({}), median {:.0?}, {:.0?} to {:.0?} in {RUNS} runs",
        words.join(" "),
        asked.len() / RUNS,
        kinds.join(", "),
        times[RUNS / 2],
        times[0],
        times[RUNS - 1],
    );
    Ok(())
}

/// The program beside this one.
fn program() -> Result<PathBuf, Failure> {
    let example = std::env::current_exe()?;
    let folder = example.parent().and_then(Path::parent).ok_or("no folder")?;
    Ok(folder.join("serin"))
}

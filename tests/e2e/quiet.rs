//! A settled Rollout costs nothing: no request but the watches and the lease, and none of a second start but to look.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serin_clock::{self as clock, Clock};
use serin_cluster::kubelet::KubeletSettings;
use serin_testbed::{AuditEntry, ControlPlane};

use crate::rollouts::{SERIN, Stage, example};
use crate::support::{eventually, own_plane};

/// How long nothing may happen.
const SILENCE: Duration = Duration::from_mins(3);
/// How long what is under way may take to end before that.
const SETTLING: Duration = Duration::from_secs(5);
/// One watch for each kind: Rollouts, ReplicaSets, Services, Ingresses, Pods and AnalysisRuns.
const WATCHES: usize = 6;

/// The requests of the controller that came in since then, but for those about the lease, which is renewed all the time.
fn since(plane: &ControlPlane, begin: Timestamp) -> Vec<AuditEntry> {
    let is_new = |entry: &AuditEntry| entry.received > begin && entry.resource != "leases";
    plane.audit().unwrap().into_iter().filter(is_new).collect()
}

/// Three Rollouts of `examples/` at rest: two that are through, and one that waits for a hand.
async fn settled(plane: &ControlPlane) -> Vec<Stage<'_>> {
    let mut stages = Vec::new();
    for (name, file) in [
        ("canary-demo", "canary-nginx.yaml"),
        ("bluegreen-rollout", "blue-green-preview.yaml"),
        ("myapp-rollout", "canary-basic.yaml"),
    ] {
        let stage = Stage::new(plane, name).await;
        stage.apply_file(&example(file)).await;
        stages.push(stage);
    }
    for stage in &stages {
        stage.wait_healthy().await;
    }
    stages[2].set_image("argoproj/rollouts-demo:green").await;
    stages[2].shows("Paused: CanaryPauseStep, step 1\npods r1=4 r2=1").await;
    stages
}

#[tokio::test]
async fn settled_rollouts_cost_nothing() {
    let Some(plane) = own_plane().await else { return };
    plane.install().await.unwrap();
    let _kubelet = plane.start_kubelet(KubeletSettings::default()).await.unwrap();
    let mut controller = plane.start_controller(Path::new(SERIN), &["--leader-elect"]).unwrap();
    let stages = settled(&plane).await;
    clock::sleep(SETTLING).await;

    let begin = Clock::System.now();
    clock::sleep(SILENCE).await;
    let requests = since(&plane, begin);
    let other: Vec<_> = requests.iter().filter(|entry| entry.verb != "watch").collect();
    let unneeded = ["deployments", "podtemplates"];
    let is_unneeded = |entry: &&AuditEntry| unneeded.contains(&entry.resource.as_str());
    let entries = plane.audit().unwrap();
    assert_eq!(entries.iter().find(is_unneeded), None, "no Rollout names a workload");
    assert!(other.is_empty(), "{other:#?}");

    controller.terminate().unwrap();
    let status = controller.wait(Duration::from_secs(10)).await.unwrap().expect("it ends when it is told to");
    assert!(status.success(), "{status}");
    let mut before = Vec::new();
    for stage in &stages {
        before.push((stage.rollout().await, stage.events().await));
    }
    let begin = Clock::System.now();
    let _second = plane.start_controller(Path::new(SERIN), &["--leader-elect"]).unwrap();
    eventually("the second controller watches", Duration::from_secs(30), async || {
        let watches = since(&plane, begin).iter().filter(|entry| entry.verb == "watch").count();
        (watches >= WATCHES).then_some(())
    })
    .await;
    clock::sleep(SETTLING).await;
    let requests = since(&plane, begin);
    let writes: Vec<_> =
        requests.iter().filter(|entry| !["get", "list", "watch"].contains(&entry.verb.as_str())).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    for (stage, before) in stages.iter().zip(before) {
        assert_eq!((stage.rollout().await, stage.events().await), before);
    }
}

//! Two replicas and one lease: one writes at a time, whatever happens to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::Api;
use serde_json::{Value, json};
use serin_clock::Clock;
use serin_testbed::{AuditEntry, ControlPlane, EndsBy, Held, INSTALL_NAMESPACE};

use crate::gate::Gate;
use crate::rollouts::{SERIN, Stage, behind_nginx};
use crate::support::{cluster, eventually};

/// How long a take-over may take: until the lease is over, the next look at it, and some more on a busy machine.
const TAKE_OVER: Duration = Duration::from_secs(45);
/// The lease lasts so long.
const LEASE_SECONDS: i64 = 15;
const LABEL: &str = "argo-rollouts.argoproj.io/controller-instance-id";

/// A replica of the controller for one namespace, with a lease of its own.
struct Replica {
    held: Held,
    log: PathBuf,
}

impl Replica {
    fn start(stage: &Stage<'_>, name: &str) -> Self {
        Self::start_as(stage, name, stage.plane.serin_kubeconfig())
    }

    fn start_as(stage: &Stage<'_>, name: &str, kubeconfig: &Path) -> Self {
        let log = stage.plane.directory().join(format!("{}-{name}.log", stage.namespace));
        let (namespace, kubeconfig) = (stage.namespace.as_str(), kubeconfig.to_str().unwrap());
        let args = ["controller", "--kubeconfig", kubeconfig, "--namespaced", "--namespace", namespace];
        let others = ["--instance-id", namespace, "--healthzPort=0", "--metricsPort=0"];
        let held = Held::start(Path::new(SERIN), &[&args[..], &others].concat(), &[], &log, EndsBy::Guard);
        Self { held: held.unwrap(), log }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// The name by which it stands in the election, once it has started.
    async fn identity(&self) -> String {
        eventually("the replica says who it is", TAKE_OVER, async || {
            let log = self.log();
            let (_, rest) = log.split_once("identity=\"")?;
            rest.split_once('"').map(|(identity, _)| identity.to_owned())
        })
        .await
    }

    /// Waits until it leads; the lease then.
    async fn leads(&self, stage: &Stage<'_>) -> LeaseSpec {
        let identity = self.identity().await;
        eventually(&format!("{identity} leads"), TAKE_OVER, async || {
            let lease = lease(stage).await?;
            (lease.holder_identity.as_deref() == Some(&identity)).then_some(lease)
        })
        .await
    }
}

async fn lease(stage: &Stage<'_>) -> Option<LeaseSpec> {
    let leases = Api::<Lease>::namespaced(stage.plane.client().await.unwrap(), INSTALL_NAMESPACE);
    let name = format!("argo-rollouts-controller-lock-{}", stage.namespace);
    leases.get_opt(&name).await.unwrap()?.spec
}

/// The writes in the namespace of the stage, and who made them.
fn writes(plane: &ControlPlane, stage: &Stage<'_>) -> Vec<AuditEntry> {
    let mut writes = plane.audit().unwrap();
    writes.retain(|entry| entry.is_write() && entry.namespace == stage.namespace);
    writes
}

fn is_by(entry: &AuditEntry, identity: &str) -> bool {
    entry.user_agent.contains(identity)
}

fn labelled(mut rollout: Value, stage: &Stage<'_>) -> Value {
    rollout["metadata"]["labels"] = json!({LABEL: stage.namespace});
    rollout
}

/// A canary with one pod that stops at a pause.
fn pausing(stage: &Stage<'_>) -> Value {
    let labels = json!({"app": "demo"});
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                         "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
            "strategy": {"canary": {"maxSurge": 1, "steps": [{"setWeight": 100}, {"pause": {}}]}},
        },
    });
    labelled(rollout, stage)
}

#[tokio::test]
async fn replicas_take_over_from_each_other() {
    let Some(cluster) = cluster().await else { return };
    if cluster.plane.is_borrowed() {
        return;
    }
    let stage = Stage::new(&cluster.plane, "demo").await;
    let mut first = Replica::start(&stage, "first");
    first.leads(&stage).await;
    let mut second = Replica::start(&stage, "second");
    let (of_first, of_second) = (first.identity().await, second.identity().await);
    stage.apply(&pausing(&stage)).await;
    stage.wait_healthy().await;

    // One that dies leaves a lease that is over after a while, and not before.
    first.held.kill().unwrap();
    let before = lease(&stage).await.unwrap();
    assert_eq!(before.holder_identity.as_deref(), Some(of_first.as_str()));
    let after = second.leads(&stage).await;
    let last = before.renew_time.unwrap().0;
    let waited = after.acquire_time.unwrap().0.duration_since(last).as_secs();
    assert!(waited >= LEASE_SECONDS, "it was taken {waited} s after its last renewal");
    assert_eq!(after.lease_transitions, before.lease_transitions.map(|before| before + 1));
    stage.set_image("demo:green").await;
    stage.shows("Paused: CanaryPauseStep, step 1\npods r1=0 r2=1").await;

    // One that is told to end gives the lease back, and another one takes it without waiting for its end.
    let third = Replica::start(&stage, "third");
    let of_third = third.identity().await;
    second.held.terminate().unwrap();
    let ended = second.held.wait(Duration::from_secs(20)).await.unwrap().expect("it ends when it is told to");
    assert!(ended.success(), "{ended}: {}", second.log());
    assert!(second.log().contains("gave the lease back released=true"), "{}", second.log());
    let last = third.leads(&stage).await;
    assert_eq!(last.lease_transitions, after.lease_transitions.map(|before| before + 1));
    stage.promote().await;
    stage.shows("Healthy, step 2\npods r1=0 r2=1").await;

    // Each has written while it led, and nobody else has.
    let mut writers: Vec<_> =
        writes(&cluster.plane, &stage).iter().map(|entry| entry.user_agent.clone()).collect();
    writers.dedup();
    let agents = [of_first, of_second, of_third]
        .map(|identity| format!("serin/{} ({identity})", env!("CARGO_PKG_VERSION")));
    assert_eq!(writers, agents);
}

#[tokio::test]
async fn a_leader_that_stood_still_writes_nothing_when_it_goes_on() {
    const DONE: &str = "Healthy, step 2, weights 0/100
                        pods r1=1 r2=1
                        demo -> r2
                        demo-canary -> r2
                        demo-demo-canary: canary=true canary-weight=0";
    let Some(cluster) = cluster().await else { return };
    if cluster.plane.is_borrowed() {
        return;
    }
    let stage = Stage::new(&cluster.plane, "demo").await;
    let mut first = Replica::start(&stage, "first");
    first.leads(&stage).await;
    let second = Replica::start(&stage, "second");
    let (of_first, of_second) = (first.identity().await, second.identity().await);
    let mut objects = behind_nginx("25s", 600);
    objects["items"][3] = labelled(objects["items"][3].take(), &stage);
    stage.apply(&objects).await;
    stage.wait_healthy().await;
    stage.set_image("demo:green").await;
    let paused = "Paused: CanaryPauseStep, step 1, weights 50/50
                  pods r1=1 r2=1
                  demo -> r1
                  demo-canary -> r2
                  demo-demo-canary: canary=true canary-weight=50";
    stage.shows(paused).await;
    // The Event about the pause is on its way.
    serin_clock::sleep(Duration::from_secs(2)).await;

    // The pause ends while the leader stands still: the end of it is the first thing that it wants to write.
    first.held.freeze().await.unwrap();
    let frozen = Clock::System.now();
    second.leads(&stage).await;
    stage.shows(DONE).await;
    first.held.thaw().unwrap();
    let ended = first.held.wait(Duration::from_secs(20)).await.unwrap().expect("it ends by itself");
    assert_eq!(ended.code(), Some(1), "{}", first.log());
    let last = first.log().lines().last().unwrap_or_default().to_owned();
    assert!(last.starts_with("serin: this replica leads no more and ends"), "{last}");

    let later: Vec<_> =
        writes(&cluster.plane, &stage).into_iter().filter(|entry| entry.received > frozen).collect();
    assert!(later.iter().any(|entry| is_by(entry, &of_second)), "the second has written");
    let of_the_first: Vec<_> = later.iter().filter(|entry| is_by(entry, &of_first)).collect();
    assert!(of_the_first.is_empty(), "{of_the_first:#?}");
    stage.stays(Duration::from_secs(1), DONE).await;
}

/// A blue-green Rollout with one pod that switches by itself, and whose new pods go soon after an abort.
fn switching(stage: &Stage<'_>) -> Value {
    let labels = json!({"app": "demo"});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "demo"},
                         "spec": {"selector": labels, "ports": [{"port": 80}]}});
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels},
                         "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
            "strategy": {"blueGreen": {"activeService": "demo", "abortScaleDownDelaySeconds": 1}},
        },
    });
    json!({"apiVersion": "v1", "kind": "List", "items": [service, labelled(rollout, stage)]})
}

/// What no fence can keep back is a request that has left in time and is carried out late. It finds its Service as it was,
/// and points users at a revision that has no pods any more.
#[tokio::test]
async fn a_late_write_of_the_leader_before_is_made_good_at_once() {
    let Some(cluster) = cluster().await else { return };
    if cluster.plane.is_borrowed() {
        return;
    }
    let plane = &cluster.plane;
    let stage = Stage::new(plane, "demo").await;
    let gate = Gate::open(plane, &stage.namespace).await;
    let mut first = Replica::start_as(&stage, "first", &gate.kubeconfig);
    first.leads(&stage).await;
    let second = Replica::start(&stage, "second");
    let (of_first, of_second) = (first.identity().await, second.identity().await);
    stage.apply(&switching(&stage)).await;
    stage.shows("Healthy\npods r1=1\ndemo -> r1").await;

    gate.hold("/services/demo");
    stage.set_image("demo:green").await;
    gate.held().await;
    first.held.kill().unwrap();
    stage.abort().await;
    second.leads(&stage).await;
    let aborted = "pods r1=1 r2=0\ndemo -> r1\n";
    eventually("the new pods are gone", TAKE_OVER, async || {
        stage.view().await.ends_with(aborted).then_some(())
    })
    .await;
    let released = Clock::System.now();
    gate.let_go();
    let of_service = |entry: &AuditEntry, since: Timestamp| {
        entry.received > since && (entry.resource.as_str(), entry.name.as_str()) == ("services", "demo")
    };
    let late = eventually("the second has pointed the Service back", TAKE_OVER, async || {
        let mut late = writes(plane, &stage);
        late.retain(|entry| of_service(entry, released));
        (late.len() >= 2).then_some(late)
    })
    .await;
    let codes: Vec<_> = late.iter().map(|entry| (is_by(entry, &of_first), entry.code)).collect();
    assert_eq!(codes, [(true, 200), (false, 200)], "{late:#?}");
    assert!(is_by(&late[1], &of_second));
    eventually("the Service is where it was", TAKE_OVER, async || {
        stage.view().await.ends_with(aborted).then_some(())
    })
    .await;
}

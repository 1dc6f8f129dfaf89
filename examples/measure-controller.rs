//! Measures the resident memory of the controller, for docs/performance.md: `cargo build --release --no-default-features &&
//! cargo run --example measure-controller [ROLLOUTS]`.
//!
//! The controller is the program `target/release/serin`, in a process of its own, on an embedded API in this one. Its Rollouts
//! are canaries behind NGINX of one pod, each with two Services and an Ingress; the second Ingress and the second ReplicaSet
//! come with the first update.

use std::error::Error;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use serin_clock::{Clock, sleep};
use serin_cluster::actors::{self, ActorName};
use serin_cluster::api::store::{Settings, Store};
use serin_cluster::http::{Front, Server, ServerSettings};
use serin_cluster::kubelet::{self, KubeletSettings};
use serin_core::api::schema::definitions;
use serin_core::api::{Rollout, RolloutPhase};

type Failure = Box<dyn Error + Send + Sync>;

/// How long the controller has nothing to do before its memory is read.
const REST: Duration = Duration::from_secs(10);
/// It is the only controller, and serves nothing.
const FLAGS: [&str; 7] =
    ["--leader-elect=false", "--healthzPort", "0", "--metricsPort", "0", "--loglevel", "error"];
/// How many objects are written at the same time.
const WRITERS: usize = 8;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let rollouts: usize = std::env::args().nth(1).map_or(Ok(1_000), |text| text.parse())?;
    let clock = Clock::System;
    let front = Front::new(Store::new(&Settings::default(), clock.now()), clock);
    let client = front.client("default");
    let server = Server::start(front, ServerSettings { port: 0, tls: false, token: None }).await?;
    tokio::spawn(actors::run(client.clone(), ActorName::all(), clock));
    let kubelet = KubeletSettings { start_latency: Duration::from_millis(300), ..KubeletSettings::default() };
    tokio::spawn(kubelet::run(client.clone(), kubelet, clock));
    for definition in definitions() {
        create::<CustomResourceDefinition>(&Api::all(client.clone()), definition).await?;
    }
    let directory = tempfile::tempdir()?;
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, server.kubeconfig())?;
    let controller = Controller::start(&kubeconfig)?;

    sleep(REST).await;
    let empty = controller.resident()?;
    println!("start, no Rollouts: {:.1} MB", megabytes(empty));
    stream::iter(0..rollouts)
        .map(|index| apply(&client, index))
        .buffer_unordered(WRITERS)
        .try_collect::<()>()
        .await?;
    for update in 0..=2 {
        if update > 0 {
            let all = stream::iter(0..rollouts).map(|index| set_image(&client, index, update));
            all.buffer_unordered(WRITERS).try_collect::<()>().await?;
        }
        settled(&client, rollouts).await?;
        sleep(REST).await;
        let now = controller.resident()?;
        let each = (now.saturating_sub(empty)) / u64::try_from(rollouts)?;
        println!(
            "{rollouts} Rollouts after {update} updates: {:.1} MB, {each} bytes a Rollout",
            megabytes(now)
        );
    }
    Ok(())
}

#[allow(clippy::cast_precision_loss, reason = "a number for people")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The controller in its own process.
struct Controller(Child);

impl Controller {
    fn start(kubeconfig: &Path) -> Result<Self, Failure> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/release/serin");
        let mut command = Command::new(program);
        command.arg("controller").arg("--kubeconfig").arg(kubeconfig).args(FLAGS);
        Ok(Self(command.stderr(Stdio::inherit()).spawn()?))
    }

    /// Its resident memory in bytes.
    fn resident(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the controller has ended")?;
        let kilobytes: u64 = line.split_whitespace().next().unwrap_or_default().parse()?;
        Ok(kilobytes * 1024)
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _status = self.0.wait();
    }
}

fn name(index: usize) -> String {
    format!("checkout-service-{index:05}")
}

async fn create<K>(api: &Api<K>, object: Value) -> Result<(), Failure>
where
    K: DeserializeOwned + Serialize + Clone + std::fmt::Debug,
{
    api.create(&PostParams::default(), &serde_json::from_value(object)?).await?;
    Ok(())
}

/// A Rollout, and what it needs.
async fn apply(client: &Client, index: usize) -> Result<(), Failure> {
    let name = name(index);
    let (stable, canary) = (format!("{name}-stable"), format!("{name}-canary"));
    for service in [&stable, &canary] {
        let spec = json!({"selector": {"app": name}, "ports": [{"port": 80}]});
        let service = json!({"metadata": {"name": service}, "spec": spec});
        create::<Service>(&Api::default_namespaced(client.clone()), service).await?;
    }
    let backend = json!({"service": {"name": stable, "port": {"number": 80}}});
    let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
    let rules = json!([{"host": format!("{name}.example.com"), "http": {"paths": [path]}}]);
    let ingress = json!({"metadata": {"name": name}, "spec": {"ingressClassName": "nginx", "rules": rules}});
    create::<Ingress>(&Api::default_namespaced(client.clone()), ingress).await?;
    let strategy = json!({
        "canaryService": canary, "stableService": stable, "trafficRouting": {"nginx": {"stableIngress": name}},
        "scaleDownDelaySeconds": 5, "steps": [{"setWeight": 20}, {"pause": {"duration": "1s"}}, {"setWeight": 50}],
    });
    let spec = json!({
        "replicas": 1, "selector": {"matchLabels": {"app": name}}, "strategy": {"canary": strategy},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container(0)]}},
    });
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name}, "spec": spec});
    create::<Rollout>(&Api::default_namespaced(client.clone()), rollout).await
}

fn container(update: usize) -> Value {
    json!({
        "name": "checkout", "image": format!("registry.example.net/shop/checkout:{update}"),
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": "LOG_LEVEL", "value": "info"}, {"name": "REGION", "value": "eu-central-1"}],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    })
}

async fn set_image(client: &Client, index: usize, update: usize) -> Result<(), Failure> {
    let patch = json!({"spec": {"template": {"spec": {"containers": [container(update)]}}}});
    let rollouts = Api::<Rollout>::default_namespaced(client.clone());
    rollouts.patch(&name(index), &PatchParams::default(), &Patch::Merge(patch)).await?;
    Ok(())
}

/// Waits until all Rollouts are Healthy in their last generation.
async fn settled(client: &Client, rollouts: usize) -> Result<(), Failure> {
    loop {
        sleep(Duration::from_secs(2)).await;
        let all = Api::<Rollout>::default_namespaced(client.clone()).list(&ListParams::default()).await?;
        let is_settled = |rollout: &&Rollout| {
            let generation = rollout.metadata.generation.map(|generation| generation.to_string());
            let status = rollout.status.as_ref();
            status.is_some_and(|status| {
                status.phase == Some(RolloutPhase::Healthy) && status.observed_generation == generation
            })
        };
        if all.items.iter().filter(is_settled).count() == rollouts {
            return Ok(());
        }
    }
}

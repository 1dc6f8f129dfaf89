//! Measures the playground, for docs/performance.md: `cargo build --release && cargo run --release --example measure`.
//!
//! Each number is of a `serin playground` of its own process, which is the program beside this one.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::json;
use serin_clock::sleep;
use serin_core::api::{Rollout, RolloutPhase};
use tokio::time::{Instant, timeout};

type Failure = Box<dyn Error + Send + Sync>;

/// The playground's own example.
const EXAMPLE: &str = include_str!("../src/cli/playground/example.yaml");
/// How many starts are measured.
const STARTS: usize = 11;
/// How long requests are counted.
const PERIOD: Duration = Duration::from_secs(5);
/// How many clients send requests at the same time.
const CLIENTS: [usize; 2] = [1, 8];
/// From the first Healthy until the proxy has all endpoints, and nothing is written any more.
const SETTLING: Duration = Duration::from_secs(2);
/// How long something may take before it counts as broken.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> Result<(), Failure> {
    starts().await?;
    memory().await?;
    for clients in CLIENTS {
        operations(clients).await?;
    }
    for clients in CLIENTS {
        requests(clients).await?;
    }
    Ok(())
}

/// From the start of the process until the Rollout of the example, with two replicas, is healthy.
async fn starts() -> Result<(), Failure> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let _playground = Playground::start(&EXAMPLE.replace("replicas: 4", "replicas: 2")).await?;
        times.push(begun.elapsed());
    }
    times.sort();
    println!(
        "start to Healthy with 2 replicas: median {:.2?}, {:.2?} to {:.2?} in {STARTS} starts",
        times[STARTS / 2],
        times[0],
        times[STARTS - 1]
    );
    Ok(())
}

/// Resident memory: when the example is healthy, after half a minute of its visitors, and after a client has read all that
/// there is to know about types, as kubectl does.
async fn memory() -> Result<(), Failure> {
    let playground = Playground::start(EXAMPLE).await?;
    println!("memory, Healthy with 4 replicas: {}", playground.memory()?);
    sleep(Duration::from_secs(30)).await;
    println!("memory, 30 s later, with visitors: {}", playground.memory()?);
    for path in ["/api/v1", "/apis/apps/v1", "/openapi/v3", "/openapi/v3/apis/apps/v1", "/openapi/v2"] {
        playground.client.request_text(http::Request::get(path).body(Vec::new())?).await?;
    }
    println!("memory, after a client has read discovery and OpenAPI: {}", playground.memory()?);
    Ok(())
}

/// Operations of the embedded API over HTTP: each client creates, reads, patches and deletes a `ConfigMap` in turn.
async fn operations(clients: usize) -> Result<(), Failure> {
    let playground = Playground::start(EXAMPLE).await?;
    sleep(SETTLING).await;
    let begun = Instant::now();
    let counts = try_join_all((0..clients).map(|number| {
        let client = playground.client.clone();
        async move { tokio::spawn(operate(client, number, begun)).await? }
    }));
    let count: u32 = counts.await?.into_iter().sum();
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    println!("embedded API, {clients} clients: {rate:.0} operations a second");
    Ok(())
}

async fn operate(client: Client, number: usize, begun: Instant) -> Result<u32, Failure> {
    let api: Api<ConfigMap> = Api::default_namespaced(client);
    let name = format!("measured-{number}");
    let object: ConfigMap = serde_json::from_value(json!({"metadata": {"name": name}, "data": {"a": "b"}}))?;
    let patch = json!({"data": {"a": "c"}});
    let mut count = 0;
    while begun.elapsed() < PERIOD {
        api.create(&PostParams::default(), &object).await?;
        api.get(&name).await?;
        api.patch(&name, &PatchParams::default(), &Patch::Merge(&patch)).await?;
        api.delete(&name, &DeleteParams::default()).await?;
        count += 4;
    }
    Ok(count)
}

/// Requests through the ingress proxy to the example's pods and back.
async fn requests(clients: usize) -> Result<(), Failure> {
    let playground = Playground::start(EXAMPLE).await?;
    sleep(SETTLING).await;
    let http = HttpClient::builder(TokioExecutor::new()).build(HttpConnector::new());
    let begun = Instant::now();
    let counts = join_all((0..clients).map(|_| {
        let (http, url) = (http.clone(), playground.ingress.clone());
        async move { tokio::spawn(request(http, url, begun)).await? }
    }));
    let count: u32 = counts.await.into_iter().collect::<Result<Vec<u32>, Failure>>()?.into_iter().sum();
    let rate = f64::from(count) / begun.elapsed().as_secs_f64();
    println!("ingress proxy, {clients} clients: {rate:.0} requests a second");
    Ok(())
}

async fn request(
    http: HttpClient<HttpConnector, Empty<Bytes>>,
    url: String,
    begun: Instant,
) -> Result<u32, Failure> {
    let mut count = 0;
    while begun.elapsed() < PERIOD {
        let request = http::Request::get(&url).header("host", "demo.local").body(Empty::new())?;
        let answer = http.request(request).await?;
        let status = answer.status();
        answer.into_body().collect().await?;
        if !status.is_success() {
            return Err(format!("a request was answered with {status}").into());
        }
        count += 1;
    }
    Ok(count)
}

/// A playground whose Rollout is healthy. It ends when dropped.
struct Playground {
    process: Child,
    client: Client,
    ingress: String,
    _directory: tempfile::TempDir,
}

impl Playground {
    async fn start(manifests: &str) -> Result<Self, Failure> {
        let directory = tempfile::tempdir()?;
        let file = directory.path().join("manifests.yaml");
        std::fs::write(&file, manifests)?;
        let mut process =
            Command::new(program()?).args(["playground", "-f"]).arg(&file).stdout(Stdio::piped()).spawn()?;
        let output = process.stdout.take().ok_or("the playground has no output")?;
        let mut lines = BufReader::new(output).lines();
        let first = lines.next().ok_or("the playground said nothing")??;
        let second = lines.next().ok_or("the playground said one line only")??;
        let ingress = word_after(&first, "ingress ")?;
        let client = client(&word_after(&second, "KUBECONFIG=")?).await?;
        // What it says later is read, so that it need not wait.
        std::thread::spawn(move || lines.for_each(drop));
        let playground = Self { process, client, ingress, _directory: directory };
        timeout(PATIENCE, playground.healthy()).await??;
        Ok(playground)
    }

    /// Returns when the Rollout is healthy.
    async fn healthy(&self) -> Result<(), Failure> {
        let api: Api<Rollout> = Api::default_namespaced(self.client.clone());
        loop {
            let status = api.get("demo").await?.status;
            if status.is_some_and(|status| status.phase == Some(RolloutPhase::Healthy)) {
                return Ok(());
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Resident memory, now and at most.
    fn memory(&self) -> Result<String, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let of = |name: &str| -> Result<u32, Failure> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no memory is told")?;
            Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
        };
        let megabytes = |kilobytes: u32| f64::from(kilobytes) / 1024.0;
        Ok(format!("{:.0} MiB, at most {:.0} MiB", megabytes(of("VmRSS:")?), megabytes(of("VmHWM:")?)))
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        // It ends in order, and so removes its kubeconfig.
        let _ended = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status();
        let _status = self.process.wait();
    }
}

/// The program `serin` of the same build.
fn program() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let directory = own.parent().and_then(Path::parent).ok_or("no directory of the build")?;
    Ok(directory.join("serin"))
}

fn word_after(line: &str, mark: &str) -> Result<String, Failure> {
    let rest = line.split_once(mark).ok_or_else(|| format!("no {mark} in {line}"))?.1;
    Ok(rest.split([';', ' ']).next().unwrap_or_default().to_owned())
}

async fn client(kubeconfig: &str) -> Result<Client, Failure> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig)?;
    Ok(Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)?)
}

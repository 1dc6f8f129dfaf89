//! The kubelet at work: watches pods, and sends what [`Node`] asks for.

use std::io;
use std::pin::pin;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node as NodeObject, Pod};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions};
use kube::{Api, Client, Config, Error};
use serde_json::{Value, json};
use tokio::sync::mpsc::{Receiver, channel as mpsc_channel};
use tokio::sync::oneshot;

use super::node::{Node, Outcome};
use super::settings::KubeletSettings;
use super::step::{PodKey, Request};
use crate::view::{Detail, Resource, Sight, follow};
use serin_clock::{self as clock, Clock};

/// After an error of the API server, the next try waits this long.
const RETRY: Duration = Duration::from_millis(500);

/// How many requests may be under way at the same time.
const UNDER_WAY: usize = 64;

/// Capacity of the channel of watch events.
const SIGHTS: usize = 256;

/// What a probe of a container found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// The pod.
    pub key: PodKey,
    /// The container.
    pub container: String,
    /// Whether it answers.
    pub is_answering: bool,
}

/// Registers the node and acts on the pods of the cluster until dropped. It carries on when the API server is away.
pub async fn run(client: Client, settings: KubeletSettings, clock: Clock) {
    let (_never, probes) = mpsc_channel(1);
    work(client, Node::new(settings.clone()), settings.node_name, clock, probes).await;
}

/// As [`run`], with real probes: a container that serves is ready only after `probes` has said so.
pub async fn run_probed(client: Client, settings: KubeletSettings, clock: Clock, probes: Receiver<Probed>) {
    work(client, Node::new(settings.clone()).probing(), settings.node_name, clock, probes).await;
}

async fn work(client: Client, mut node: Node, node_name: String, clock: Clock, mut probes: Receiver<Probed>) {
    register(&client, &node_name).await;
    let (sender, mut sights) = mpsc_channel(SIGHTS);
    let pods = Resource::namespaced("pods", "Pod");
    let mut watch = pin!(follow(client.clone(), pods, Detail::Whole, sender));
    let mut under_way = FuturesUnordered::new();
    loop {
        for request in node.step(clock.now(), UNDER_WAY - under_way.len()) {
            under_way.push(send(&client, &node_name, request));
        }
        let is_full = under_way.len() == UNDER_WAY;
        let wake = node.wake().filter(|_| !is_full).unwrap_or(Timestamp::MAX);
        tokio::select! {
            biased;
            Some((key, outcome)) = under_way.next() => node.finished(&key, outcome, clock.now()),
            Some(Probed { key, container, is_answering }) = probes.recv() => {
                node.probed(&key, &container, is_answering, clock.now());
            }
            Some((_, sight)) = sights.recv() => observe(&mut node, sight, clock.now()),
            () = &mut watch => return,
            () = clock.sleep_until(wake) => {}
        }
    }
}

fn observe(node: &mut Node, sight: Sight, now: Timestamp) {
    match sight {
        Sight::Applied(object) => {
            if let Some(pod) = pod(object) {
                node.applied(pod, now);
            }
        }
        Sight::Deleted(object) => {
            if let Some(pod) = pod(object) {
                node.deleted(&pod);
            }
        }
        Sight::Listed(objects, _) => node.relisted(objects.into_iter().filter_map(pod).collect(), now),
    }
}

/// Decodes a pod; `None` if that fails.
fn pod(object: Value) -> Option<Pod> {
    serde_json::from_value(object).inspect_err(|error| tracing::debug!(%error, "a pod cannot be read")).ok()
}

/// Creates the Node object, which may exist already.
async fn register(client: &Client, name: &str) {
    let api = Api::<NodeObject>::all(client.clone());
    let Ok(object) = serde_json::from_value::<NodeObject>(node_object(name)) else {
        return;
    };
    while let Err(error) = api.create(&PostParams::default(), &object).await {
        if is_code(&error, 409) {
            return;
        }
        tracing::debug!(%error, "the node is not registered yet");
        clock::sleep(RETRY).await;
    }
}

fn node_object(name: &str) -> Value {
    let room = json!({"cpu": "1000", "memory": "1000Gi", "pods": "10000"});
    json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        "status": {
            "capacity": room,
            "allocatable": room,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
        },
    })
}

async fn send(client: &Client, node: &str, request: Request) -> (PodKey, Outcome) {
    let key = request.key().clone();
    let pods = Api::<Pod>::namespaced(client.clone(), &key.namespace);
    let result = match request {
        Request::Bind { uid, .. } => bind(&pods, &key.name, &uid, node).await.map(|()| None),
        Request::WriteStatus { uid, resource_version, status, .. } => {
            let body =
                json!({"metadata": {"uid": uid, "resourceVersion": resource_version}, "status": status});
            pods.patch_status(&key.name, &PatchParams::default(), &Patch::Merge(body)).await.map(Some)
        }
        Request::Delete { uid, .. } => {
            let preconditions = Preconditions { uid: Some(uid), resource_version: None };
            let params = DeleteParams::default().grace_period(0).preconditions(preconditions);
            pods.delete(&key.name, &params).await.map(|_| None)
        }
    };
    (key, outcome(result))
}

async fn bind(pods: &Api<Pod>, name: &str, uid: &str, node: &str) -> Result<(), Error> {
    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name, "uid": uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    });
    pods.create_subresource::<Value, Value>("binding", name, &PostParams::default(), &binding).await.map(drop)
}

fn outcome(result: Result<Option<Pod>, Error>) -> Outcome {
    match result {
        Ok(pod) => Outcome::Done(pod.map(Box::new)),
        Err(error) if is_code(&error, 404) || is_code(&error, 409) => Outcome::Outdated,
        Err(error) => {
            tracing::debug!(%error, "a request of the kubelet failed");
            Outcome::Failed
        }
    }
}

fn is_code(error: &Error, code: u16) -> bool {
    matches!(error, Error::Api(status) if status.code == code)
}

/// A kubelet on a thread and runtime of its own, so that it outlives the test that was the first to need it.
#[derive(Debug)]
pub struct Background {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// Starts a kubelet for the API of `config`; it stops when the returned value is dropped.
    pub fn start(config: Config, settings: KubeletSettings) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (report, started) = mpsc::channel();
        let thread = std::thread::Builder::new().name("kubelet".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return report.send(Err(error)).unwrap_or_default(),
            };
            runtime.block_on(async {
                let client = match Client::try_from(config) {
                    Ok(client) => client,
                    Err(error) => return report.send(Err(io::Error::other(error))).unwrap_or_default(),
                };
                report.send(Ok(())).unwrap_or_default();
                tokio::select! {
                    _ = stopped => {}
                    () = run(client, settings, Clock::System) => {}
                }
            });
        })?;
        started.recv().map_err(io::Error::other)??;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A kubelet that panicked has said so.
            let _panicked = thread.join();
        }
    }
}

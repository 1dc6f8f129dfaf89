//! Starts the controller, and ends it.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Config};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::dispatch::Dispatcher;
use super::entry::{IngressEntry, PodEntry, ReplicaSetEntry, RolloutEntry, ServiceEntry};
use super::health;
use super::object::RawObject;
use super::random::Rng;
use super::reconcile::Reconciler;
use super::start::{self, StartError};
use super::trigger::Trigger;
use super::watch::Watch;
use super::workload::{Deployments, OfKind, PodTemplates, ReplicaSets, WorkloadEntry};
use crate::clock::Clock;
use crate::domain::plan::ObjectKind;
use crate::rollout::workload::WorkloadKind;

/// How long Events that wait may take to be sent when the controller stops.
const FLUSH: Duration = Duration::from_secs(5);

/// What a run of the controller needs to know.
#[derive(Debug)]
pub struct Options {
    /// How to reach the cluster.
    pub config: Config,
    /// The only namespace to look after; all if not set.
    pub namespace: Option<String>,
    /// How many Rollouts are reconciled at the same time.
    pub rollout_threads: usize,
    /// The port of `/healthz` and `/readyz`; none if not set.
    pub healthz_port: Option<u16>,
}

/// Runs the controller until SIGTERM or SIGINT, then ends what has begun. An error says why it did not start.
pub async fn run(options: Options) -> Result<(), StartError> {
    let mut signals = Signals::new().map_err(StartError::Signals)?;
    let listener = match options.healthz_port {
        Some(port) => Some(health::bind(port).await?),
        None => None,
    };
    let url = options.config.cluster_url.to_string();
    let client = start::client(options.config)?;
    start::check(&client, &url).await?;
    let scope = options.namespace.as_deref().unwrap_or("all namespaces");
    tracing::info!(version = env!("CARGO_PKG_VERSION"), url, scope, "the controller starts");

    let work = Work {
        client,
        namespace: options.namespace,
        rollout_threads: options.rollout_threads,
        clock: Clock::System,
        rng: Rng::unforeseen(),
    };
    work.until(signals.next(), listener).await
}

/// The controller without the process around it: no signals, no checks at the start, and a clock that can be driven.
pub struct Work {
    /// How to reach the cluster.
    pub client: Client,
    /// The only namespace to look after; all if not set.
    pub namespace: Option<String>,
    /// How many Rollouts are reconciled at the same time.
    pub rollout_threads: usize,
    /// Where the time comes from.
    pub clock: Clock,
    /// Where jitter comes from.
    pub rng: Rng,
}

impl Work {
    /// Works until `stop` returns, which says why, then ends what has begun. `health` is where the health server listens.
    pub async fn until(
        mut self,
        stop: impl Future<Output = &'static str>,
        health: Option<TcpListener>,
    ) -> Result<(), StartError> {
        let dispatcher = Arc::new(Dispatcher::new(Rng::seeded(self.rng.next())));
        let reconciler = Reconciler::new(self.client.clone(), self.clock, Rng::seeded(self.rng.next()));
        let reconciler = Arc::new(reconciler);
        let (fatal, mut fatal_errors) = mpsc::channel(1);
        let mut background = Background {
            client: self.client,
            namespace: self.namespace,
            tasks: JoinSet::new(),
            reconciler: Arc::clone(&reconciler),
            dispatcher: Arc::clone(&dispatcher),
            rng: self.rng,
            fatal,
        };
        background.watch_all();
        if let Some(listener) = health {
            background.tasks.spawn(health::serve(listener, Arc::clone(&reconciler)));
        }
        let events = Arc::clone(&reconciler);
        let sender = tokio::spawn(async move { events.events.send(&events.server, &events.clock).await });
        let (ending, ended) = watch::channel(false);
        let worker = Arc::clone(&reconciler);
        let work = tokio::spawn(async move {
            dispatcher.run(&worker, self.rollout_threads, ended).await;
        });

        let mut stop = std::pin::pin!(stop);
        let failure = loop {
            tokio::select! {
                biased;
                failure = fatal_errors.recv() => break failure,
                reason = &mut stop => {
                    tracing::info!(reason, "the controller stops");
                    break None;
                }
                kind = reconciler.caches.workloads.demand.next() => background.watch_workloads(kind),
            }
        };
        let _ = ending.send(true);
        let _ = work.await;
        reconciler.events.close();
        if tokio::time::timeout(FLUSH, sender).await.is_err() {
            tracing::warn!("some Events could not be sent before the end");
        }
        failure.map_or(Ok(()), Err)
    }
}

/// What goes on aside: the watches and the health server. It ends when it is dropped.
struct Background {
    client: Client,
    /// The only namespace to look after; all if not set.
    namespace: Option<String>,
    tasks: JoinSet<()>,
    reconciler: Arc<Reconciler<Client>>,
    dispatcher: Arc<Dispatcher>,
    rng: Rng,
    fatal: mpsc::Sender<StartError>,
}

impl Background {
    /// Starts one watch a kind that every decision needs.
    fn watch_all(&mut self) {
        let pods: Api<PartialObjectMeta<Pod>> = match &self.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let fatal = self.fatal.clone();
        self.watch::<RolloutEntry>(self.objects(ObjectKind::Rollout), Some(&fatal));
        self.watch::<ReplicaSetEntry>(self.objects(ObjectKind::ReplicaSet), Some(&fatal));
        self.watch::<ServiceEntry>(self.objects(ObjectKind::Service), Some(&fatal));
        self.watch::<IngressEntry>(self.objects(ObjectKind::Ingress), Some(&fatal));
        self.watch::<PodEntry>(pods, Some(&fatal));
    }

    /// Starts the watch of a kind that a Rollout has asked for. Others do without, so that a refusal is for that
    /// Rollout alone.
    fn watch_workloads(&mut self, kind: WorkloadKind) {
        match kind {
            WorkloadKind::Deployment => self.watch_kind::<Deployments>(),
            WorkloadKind::ReplicaSet => self.watch_kind::<ReplicaSets>(),
            WorkloadKind::PodTemplate => self.watch_kind::<PodTemplates>(),
        }
    }

    fn watch_kind<K: OfKind>(&mut self) {
        tracing::info!(kind = K::WORKLOAD.as_str(), "a Rollout takes its template from one: all are watched");
        self.watch::<WorkloadEntry<K>>(self.objects(K::KIND), None);
    }

    fn watch<T: Trigger>(&mut self, api: Api<T::Wire>, fatal: Option<&mpsc::Sender<StartError>>) {
        let rng = Rng::seeded(self.rng.next());
        let watch = Watch::<Client, T>::new(api, &self.reconciler, &self.dispatcher, fatal, rng);
        self.tasks.spawn(watch.run());
    }

    fn objects(&self, kind: ObjectKind) -> Api<RawObject> {
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &kind),
            None => Api::all_with(self.client.clone(), &kind),
        }
    }
}

/// The signals that end the program.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

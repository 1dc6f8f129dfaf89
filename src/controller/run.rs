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
use crate::clock::Clock;
use crate::domain::plan::ObjectKind;

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
            tasks: JoinSet::new(),
            reconciler: Arc::clone(&reconciler),
            dispatcher: Arc::clone(&dispatcher),
            rng: self.rng,
            fatal,
        };
        background.watch_all(&self.client, self.namespace.as_deref());
        if let Some(listener) = health {
            background.tasks.spawn(health::serve(listener, Arc::clone(&reconciler)));
        }
        let events = Arc::clone(&reconciler);
        let sender = tokio::spawn(async move { events.events.send(&events.server).await });
        let (ending, ended) = watch::channel(false);
        let worker = Arc::clone(&reconciler);
        let work = tokio::spawn(async move {
            dispatcher.run(&worker, self.rollout_threads, ended).await;
        });

        let failure = tokio::select! {
            biased;
            failure = fatal_errors.recv() => failure,
            reason = stop => {
                tracing::info!(reason, "the controller stops");
                None
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
    tasks: JoinSet<()>,
    reconciler: Arc<Reconciler<Client>>,
    dispatcher: Arc<Dispatcher>,
    rng: Rng,
    fatal: mpsc::Sender<StartError>,
}

impl Background {
    /// Starts one watch a kind.
    fn watch_all(&mut self, client: &Client, namespace: Option<&str>) {
        let objects = |kind: ObjectKind| -> Api<RawObject> {
            match namespace {
                Some(namespace) => Api::namespaced_with(client.clone(), namespace, &kind),
                None => Api::all_with(client.clone(), &kind),
            }
        };
        let pods: Api<PartialObjectMeta<Pod>> = match namespace {
            Some(namespace) => Api::namespaced(client.clone(), namespace),
            None => Api::all(client.clone()),
        };
        self.watch::<RolloutEntry>(objects(ObjectKind::Rollout));
        self.watch::<ReplicaSetEntry>(objects(ObjectKind::ReplicaSet));
        self.watch::<ServiceEntry>(objects(ObjectKind::Service));
        self.watch::<IngressEntry>(objects(ObjectKind::Ingress));
        self.watch::<PodEntry>(pods);
    }

    fn watch<T: Trigger>(&mut self, api: Api<T::Wire>) {
        let rng = Rng::seeded(self.rng.next());
        let watch = Watch::<Client, T>::new(api, &self.reconciler, &self.dispatcher, &self.fatal, rng);
        self.tasks.spawn(watch.run());
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

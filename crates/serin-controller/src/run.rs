//! Starts the controller, and ends it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::{Client, Config};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use super::dispatch::Dispatcher;
use super::fence::{Fence, Standing};
use super::health::{self, Page};
use super::lease::election::Terms;
use super::lease::{self, Candidate};
use super::metrics::Metrics;
use super::perform::Network;
use super::reconcile::Reconciler;
use super::start::{self, Connection, StartError};
use super::watch::{Place, Watch};
use serin_clock::Clock;
use serin_core::domain::object::ObjectKey;
use serin_core::domain::plan::ObjectKind;
use serin_core::measure::Settings;
use serin_machine::kinds::{self, Demand};
use serin_values::random::Rng;
use serin_values::time::after;

/// How many Rollouts are reconciled at the same time unless something else is asked for.
const ROLLOUT_THREADS: usize = 10;
/// How long Events that wait may take to be sent when the controller stops.
const FLUSH: Duration = Duration::from_secs(5);
/// How long a kind is watched after the last one who looked at it, since the next one may come soon.
const LINGER: Duration = Duration::from_mins(5);

/// What a run of the controller needs to know.
#[derive(Debug)]
pub struct Options {
    /// How to reach the cluster.
    pub config: Config,
    /// The only namespace to look after; all if not set.
    pub namespace: Option<String>,
    /// The id in the label of the Rollouts to look after; those without the label if not set.
    pub instance_id: Option<String>,
    /// How many Rollouts are reconciled at the same time.
    pub rollout_threads: usize,
    /// When a Rollout is looked at again at the latest.
    pub resync: Duration,
    /// The port of `/healthz` and `/readyz`; none if not set.
    pub healthz_port: Option<u16>,
    /// The port of `/metrics`; none if not set.
    pub metrics_port: Option<u16>,
    /// How replicas agree on one that leads; if not set, this one leads.
    pub election: Option<ElectionOptions>,
    /// What metric providers use.
    pub settings: Settings,
}

impl Options {
    /// The only controller of a cluster, for all of its namespaces, which serves nothing.
    #[must_use]
    pub fn alone(config: Config, rollout_threads: usize) -> Self {
        Self {
            config,
            namespace: None,
            instance_id: None,
            rollout_threads,
            resync: super::reconcile::RESYNC,
            healthz_port: None,
            metrics_port: None,
            election: None,
            settings: Settings::default(),
        }
    }
}

/// How replicas agree on one that leads.
#[derive(Debug, Clone)]
pub struct ElectionOptions {
    /// The namespace of the lease.
    pub namespace: String,
    /// How long the lease lasts, and how it is renewed.
    pub terms: Terms,
}

/// Why the controller ended without being told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Another replica may lead now.
    #[error("this replica leads no more and ends, so that another one can go on: {0}")]
    LostLease(String),
}

/// A seed that nobody can foresee.
fn unforeseen() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Runs the controller until SIGTERM or SIGINT, then ends what has begun. An error says why it did not start, or why it
/// could not go on.
pub async fn run(options: Options) -> Result<(), RunError> {
    let mut signals = Signals::new().map_err(StartError::Signals)?;
    let health = listener(Page::Health, options.healthz_port).await?;
    let metrics_listener = listener(Page::Metrics, options.metrics_port).await?;
    let (metrics, mut rng) = (Arc::new(Metrics::default()), Rng::seeded(unforeseen()));
    let identity = lease::identity().map_err(StartError::Candidacy)?;
    let connection = Connection::new(options.config.clone(), &identity, metrics.count_requests().clone());
    let (client, url) = (connection.client()?, connection.url());
    start::check(&client, &url).await?;
    let scope = options.namespace.as_deref().unwrap_or("all namespaces");
    tracing::info!(version = env!("CARGO_PKG_VERSION"), url, scope, identity, "the controller starts");

    let leadership = Leadership::seek(&options, connection, identity, Rng::seeded(rng.next()))?;
    let work = Work {
        instance_id: options.instance_id,
        namespace: options.namespace,
        rollout_threads: options.rollout_threads,
        resync: options.resync,
        metrics,
        leadership,
        health,
        metrics_listener,
        settings: options.settings,
        ..Work::alone(client, Clock::System, rng)
    };
    work.until(signals.next()).await
}

/// The controller without the process around it: no signals, no checks at the start, and a clock that can be driven.
pub struct Work {
    client: Client,
    namespace: Option<String>,
    instance_id: Option<String>,
    rollout_threads: usize,
    resync: Duration,
    clock: Clock,
    rng: Rng,
    metrics: Arc<Metrics>,
    leadership: Leadership,
    health: Option<TcpListener>,
    metrics_listener: Option<TcpListener>,
    settings: Settings,
}

impl Work {
    /// The only controller of a cluster, for all of its namespaces, which serves nothing. Jitter comes from `rng`.
    #[must_use]
    pub fn alone(client: Client, clock: Clock, rng: Rng) -> Self {
        Self {
            client,
            namespace: None,
            instance_id: None,
            rollout_threads: ROLLOUT_THREADS,
            resync: super::reconcile::RESYNC,
            clock,
            rng,
            metrics: Arc::default(),
            leadership: Leadership::Given { is_told: false },
            health: None,
            metrics_listener: None,
            settings: Settings::default(),
        }
    }

    /// Works until `stop` returns, which says why, then ends what has begun. An error says why it could not go on.
    pub async fn until(mut self, stop: impl Future<Output = &'static str>) -> Result<(), RunError> {
        let mut reconciler = Reconciler::new(self.client.clone(), self.clock, Rng::seeded(self.rng.next()));
        reconciler.fence = self.leadership.fence();
        reconciler.metrics = self.metrics;
        reconciler.resync = self.resync;
        reconciler.settings = self.settings;
        reconciler.performer = Arc::new(Network::new(self.client.clone()));
        let reconciler = Arc::new(reconciler);
        let dispatcher = Arc::new(Dispatcher::new(Rng::seeded(self.rng.next())));
        let (fatal, mut fatal_errors) = mpsc::channel(1);
        let mut background = Background {
            client: self.client,
            place: Place { namespace: self.namespace, instance_id: self.instance_id },
            tasks: JoinSet::new(),
            watches: BTreeMap::new(),
            unneeded: BTreeMap::new(),
            reconciler: Arc::clone(&reconciler),
            dispatcher: Arc::clone(&dispatcher),
            rng: self.rng,
            fatal,
        };
        background.watch_needed();
        background.serve(self.health, self.metrics_listener);

        let mut leadership = self.leadership;
        let mut duties = None;
        let mut stop = std::pin::pin!(stop);
        let failure = loop {
            tokio::select! {
                biased;
                failure = fatal_errors.recv() => break failure.map(RunError::from),
                reason = &mut stop => {
                    tracing::info!(reason, "the controller stops");
                    break None;
                }
                won = leadership.changed() => match won {
                    Ok(()) => duties = Some(Duties::begin(&reconciler, &dispatcher, self.rollout_threads)),
                    Err(error) => {
                        duties.iter().for_each(Duties::abandon);
                        return Err(error);
                    }
                },
                () = reconciler.needs.notified() => background.watch_needed(),
                () = serin_clock::sleep(LINGER) => background.watch_needed(),
            }
        };
        if let Some(duties) = duties {
            duties.end(&reconciler).await;
        }
        leadership.end().await;
        failure.map_or(Ok(()), Err)
    }
}

async fn listener(page: Page, port: Option<u16>) -> Result<Option<TcpListener>, StartError> {
    match port {
        Some(port) => health::bind(page, port).await.map(Some),
        None => Ok(None),
    }
}

/// How this replica comes to lead.
enum Leadership {
    /// Nobody is asked. It may not have been said yet that it leads.
    Given { is_told: bool },
    /// Replicas elect one of them.
    Elected { candidate: Candidate, lease: ObjectKey, is_told: bool },
}

impl Leadership {
    fn seek(
        options: &Options,
        connection: Connection,
        identity: String,
        rng: Rng,
    ) -> Result<Self, StartError> {
        let Some(ElectionOptions { namespace, terms }) = &options.election else {
            return Ok(Self::Given { is_told: false });
        };
        let lease = lease::key(namespace, options.instance_id.as_deref());
        let candidate = Candidate::start(connection, lease.clone(), identity, *terms, rng);
        let candidate = candidate.map_err(StartError::Candidacy)?;
        Ok(Self::Elected { candidate, lease, is_told: false })
    }

    fn fence(&self) -> Fence {
        match self {
            Self::Given { .. } => Fence::open(),
            Self::Elected { candidate, .. } => candidate.fence(),
        }
    }

    /// Returns once when this replica begins to lead; after that, an error when it leads no more. An error, too, if it
    /// cannot take part.
    async fn changed(&mut self) -> Result<(), RunError> {
        match self {
            Self::Given { is_told: true } => std::future::pending().await,
            Self::Given { is_told } => {
                *is_told = true;
                Ok(())
            }
            Self::Elected { candidate, lease, is_told } => {
                let was_told = *is_told;
                let news = |standing: &Standing| match standing {
                    Standing::Standby { .. } => false,
                    Standing::Leading(_) => !was_told,
                    Standing::Barred(_) | Standing::Lost(_) => true,
                };
                let standing = candidate.standing.wait_for(news).await.map(|standing| standing.clone());
                match standing {
                    Ok(Standing::Leading(_)) => {
                        *is_told = true;
                        tracing::info!(%lease, "this replica leads");
                        Ok(())
                    }
                    Ok(Standing::Barred(cause)) => {
                        Err(StartError::NoLease { lease: lease.clone(), cause }.into())
                    }
                    Ok(Standing::Lost(why)) => Err(RunError::LostLease(why)),
                    Ok(Standing::Standby { .. }) | Err(_) => {
                        Err(RunError::LostLease("nothing renews the lease any more".into()))
                    }
                }
            }
        }
    }

    /// Leaves the lead to others.
    async fn end(self) {
        if let Self::Elected { candidate, .. } = self {
            candidate.stop().await;
        }
    }
}

/// What only a leader does: decisions, and Events.
struct Duties {
    stop: watch::Sender<bool>,
    decisions: JoinHandle<()>,
    events: JoinHandle<()>,
}

impl Duties {
    fn begin(reconciler: &Arc<Reconciler<Client>>, dispatcher: &Arc<Dispatcher>, threads: usize) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (of_events, of_decisions) = (Arc::clone(reconciler), Arc::clone(reconciler));
        let dispatcher = Arc::clone(dispatcher);
        let events =
            tokio::spawn(async move { of_events.events.send(&of_events.outlet(), &of_events.clock).await });
        let decisions = tokio::spawn(async move { dispatcher.run(&of_decisions, threads, stopped).await });
        Self { stop, decisions, events }
    }

    /// Lets go of everything: it is not this replica's any more.
    fn abandon(&self) {
        self.decisions.abort();
        self.events.abort();
    }

    /// Ends what has begun.
    async fn end(self, reconciler: &Reconciler<Client>) {
        let _ = self.stop.send(true);
        let _ = self.decisions.await;
        reconciler.events.close();
        if tokio::time::timeout(FLUSH, self.events).await.is_err() {
            tracing::warn!("some Events could not be sent before the end");
        }
    }
}

/// What goes on aside, whether this replica leads or not: the watches and the HTTP servers. It ends when it is dropped.
struct Background {
    client: Client,
    place: Place,
    tasks: JoinSet<()>,
    watches: BTreeMap<ObjectKind, AbortHandle>,
    /// Since when nobody has looked at a kind that is watched.
    unneeded: BTreeMap<ObjectKind, Timestamp>,
    reconciler: Arc<Reconciler<Client>>,
    dispatcher: Arc<Dispatcher>,
    rng: Rng,
    fatal: mpsc::Sender<StartError>,
}

impl Background {
    /// Watches the kinds that somebody looks at, and no others for longer than [`LINGER`].
    fn watch_needed(&mut self) {
        let (now, needed) = (self.reconciler.clock.now(), self.reconciler.caches.needed());
        for kind in &needed {
            self.unneeded.remove(kind);
            if !self.watches.contains_key(kind) {
                self.watch(*kind);
            }
        }
        let idle: Vec<_> = self.watches.keys().filter(|kind| !needed.contains(kind)).copied().collect();
        for kind in idle {
            let since = *self.unneeded.entry(kind).or_insert(now);
            if now >= after(since, LINGER) {
                self.unneeded.remove(&kind);
                if let Some(watch) = self.watches.remove(&kind) {
                    watch.abort();
                }
                tracing::info!(resource = kind.plural(), "no longer watched: nobody looks at one");
                self.reconciler.caches.of(kind).write().clear();
            }
        }
    }

    fn watch(&mut self, kind: ObjectKind) {
        // Others than these are done without, so that a refusal is for those alone that look at one.
        let fatal = (kinds::row(kind).demand == Demand::Always).then(|| self.fatal.clone());
        if kinds::row(kind).demand == Demand::WhenNamed {
            tracing::info!(resource = kind.plural(), "watched from now on: somebody looks at one");
        }
        let (client, place, rng) = (self.client.clone(), self.place.clone(), Rng::seeded(self.rng.next()));
        let watch = Watch::new(client, kind, place, &self.reconciler, &self.dispatcher, fatal, rng);
        self.watches.insert(kind, self.tasks.spawn(watch.run()));
    }

    fn serve(&mut self, health: Option<TcpListener>, metrics: Option<TcpListener>) {
        let (reconciler, dispatcher) = (&self.reconciler, &self.dispatcher);
        if let Some(listener) = health {
            self.tasks.spawn(health::serve(listener, health::health(Arc::clone(reconciler))));
        }
        if let Some(listener) = metrics {
            let routes = health::metrics(Arc::clone(reconciler), Arc::clone(dispatcher));
            self.tasks.spawn(health::serve(listener, routes));
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

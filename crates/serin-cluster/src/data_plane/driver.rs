//! The data plane at work: watches pods and rules, lets the ones listen and tells the proxy the others.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use jiff::Timestamp;
use kube::Client;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::Settings;
use super::config::config;
use super::directory::Directory;
use super::pods::{Listening, listening};
use super::probe::probe;
use super::proxy::{Proxy, respond};
use super::server::Server;
use super::tally::Tally;
use crate::kubelet::Probed;
use crate::view::{Detail, Resource, Sight, View, follow};
use serin_clock::Clock;
use serin_values::time::after;

/// How long a connection to a pod may take to come about.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection to a pod is kept when nothing is sent over it.
const IDLE: Duration = Duration::from_secs(30);
/// How many sights may wait.
const SIGHTS: usize = 256;
/// What is watched: name, kind.
const WATCHED: [(&str, &str); 5] = [
    ("pods", "Pod"),
    ("services", "Service"),
    ("replicasets.apps", "ReplicaSet"),
    ("endpointslices.discovery.k8s.io", "EndpointSlice"),
    ("ingresses.networking.k8s.io", "Ingress"),
];

/// The data plane as others see it. Copies are of the same one.
#[derive(Debug, Clone)]
pub struct DataPlane {
    pub(super) proxy: Arc<Proxy>,
    directory: Arc<Directory>,
    pub(super) listener: Arc<std::net::TcpListener>,
    client: HttpClient<HttpConnector, Body>,
    settings: Settings,
}

impl DataPlane {
    /// Takes the address of the ingress proxy; connections wait until [`run`] serves them. `seed` decides which
    /// requests are drawn for a canary. The error of an address that is taken names it.
    pub fn bind(settings: Settings, seed: u64) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(settings.ingress).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot listen on {}: {error}", settings.ingress))
        })?;
        listener.set_nonblocking(true)?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_PATIENCE));
        connector.set_nodelay(true);
        let client = HttpClient::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        let directory = Arc::new(Directory::default());
        let proxy = Arc::new(Proxy::new(Arc::clone(&directory), client.clone(), seed));
        Ok(Self { proxy, directory, listener: Arc::new(listener), client, settings })
    }

    /// Where the ingress proxy listens.
    pub fn ingress(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// What the proxy has counted since it started.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.proxy.tally()
    }

    /// Why something of an Ingress has no effect, one line each.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        self.proxy.config().notes.clone()
    }

    /// Which pods listen where.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}

/// Serves `plane` for the cluster of `client` until dropped. What probes find goes to `probed`, for the kubelet.
pub async fn run(plane: DataPlane, client: Client, clock: Clock, probed: mpsc::Sender<Probed>) {
    let (sender, mut sights) = mpsc::channel(SIGHTS);
    let mut tasks = JoinSet::new();
    for (name, kind) in WATCHED {
        tasks.spawn(follow(client.clone(), Resource::namespaced(name, kind), Detail::Whole, sender.clone()));
    }
    let proxy = Arc::clone(&plane.proxy);
    match plane.listener.try_clone() {
        Ok(listener) => _ = tasks.spawn(async { log(serve(listener, proxy).await) }),
        Err(error) => log(Err(error)),
    }
    let mut pods = Pods { plane: plane.clone(), probed, running: BTreeMap::new() };
    let mut view = View::default();
    let mut apply_at = None;
    loop {
        tokio::select! {
            biased;
            Some((name, sight)) = sights.recv() => {
                saw(&mut view, &name, sight);
                while let Ok((name, sight)) = sights.try_recv() {
                    saw(&mut view, &name, sight);
                }
                pods.update(listening(&view, plane.settings.network));
                apply_at.get_or_insert(after(clock.now(), plane.settings.delay));
            }
            () = clock.sleep_until(apply_at.unwrap_or(Timestamp::MAX)) => {
                apply_at = None;
                plane.proxy.apply(config(&view));
            }
        }
    }
}

fn log(ended: io::Result<()>) {
    if let Err(error) = ended {
        tracing::error!(%error, "the ingress proxy cannot serve");
    }
}

fn saw(view: &mut View, name: &Arc<str>, sight: Sight) {
    match sight {
        Sight::Listed(items, version) => drop(view.relisted(name, items, version)),
        Sight::Applied(object) => drop(view.applied(name, object)),
        Sight::Deleted(object) => drop(view.deleted(name, object)),
    }
}

pub(super) async fn serve(listener: std::net::TcpListener, proxy: Arc<Proxy>) -> io::Result<()> {
    let router = Router::new().fallback(respond).with_state(proxy);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(TcpListener::from_std(listener)?, service).await
}

/// The pods that listen, with their probes.
pub(super) struct Pods {
    pub(super) plane: DataPlane,
    pub(super) probed: mpsc::Sender<Probed>,
    pub(super) running: BTreeMap<String, (Listening, Server, JoinSet<()>)>,
}

impl Pods {
    pub(super) fn update(&mut self, wanted: BTreeMap<String, Listening>) {
        self.running.retain(|uid, _| wanted.contains_key(uid));
        for (uid, pod) in wanted {
            if let Some((known, server, probes)) = self.running.get_mut(&uid) {
                if *known == pod {
                    continue;
                }
                server.update(&pod);
                if known.probes != pod.probes {
                    *probes = start_probes(&self.plane, &self.probed, &pod);
                }
                *known = pod;
            } else {
                let mut server = Server::new(&pod, &self.plane.directory);
                server.update(&pod);
                let probes = start_probes(&self.plane, &self.probed, &pod);
                self.running.insert(uid, (pod, server, probes));
            }
        }
    }
}

fn start_probes(plane: &DataPlane, probed: &mpsc::Sender<Probed>, pod: &Listening) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for one in &pod.probes {
        let directory = Arc::clone(&plane.directory);
        tasks.spawn(probe(pod.clone(), one.clone(), directory, plane.client.clone(), probed.clone()));
    }
    tasks
}

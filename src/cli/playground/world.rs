//! The parts of the playground, started in order and stopped together.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::discovery::{Discovery, Scope};
use kube::{Api, Client, Config};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::User;
use super::error::{PlaygroundError, said};
use super::manifest::Document;
use super::tale::Tale;
use super::traffic::Visitor;
use serin_clock::Clock;
use serin_cluster::actors::{self, ActorName};
use serin_cluster::api::store::{Settings as StoreSettings, Store};
use serin_cluster::data_plane::{self, DataPlane};
use serin_cluster::http::{Front, Server, ServerSettings};
use serin_cluster::kubelet::{self, KubeletSettings};
use serin_controller::run::RunError;
use serin_controller::run::{Options, run as run_controller};
use serin_core::api::schema::definitions;

/// The manifests that are applied by default.
pub(super) const EXAMPLE: &str = include_str!("example.yaml");
/// The namespace for manifests without one.
pub(super) const NAMESPACE: &str = "default";
/// The command that users type for this program.
const NAME: &str = "serin";
/// Capacity of the queue of probe results.
const PROBES: usize = 64;
/// Number of Rollouts that the controller reconciles concurrently.
const ROLLOUT_THREADS: usize = 4;

/// Options of the playground.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) ingress_port: u16,
    pub(super) api_port: u16,
    pub(super) start_latency: Duration,
}

/// A running playground. Dropping it stops everything and removes its files.
pub(super) struct World {
    pub(super) client: Client,
    pub(super) plane: DataPlane,
    pub(super) ingress: SocketAddr,
    pub(super) api_url: String,
    pub(super) kubeconfig: PathBuf,
    /// Directory with a link to this program, if the shell does not find `serin`.
    pub(super) link: Option<PathBuf>,
    pub(super) tale: Tale,
    config: Config,
    _directory: TempDir,
    _tasks: JoinSet<()>,
    _server: Server,
}

impl World {
    /// Starts everything. The custom resources are defined when it returns.
    pub(super) async fn start(settings: Settings) -> Result<Self, PlaygroundError> {
        let clock = Clock::System;
        let ingress = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.ingress_port));
        let process = std::process::id();
        // Two playgrounds on one machine do not interfere.
        let network = u8::try_from(64 + process % 128).unwrap_or(64);
        let plane_settings = data_plane::Settings { ingress, network, ..data_plane::Settings::default() };
        let seed = u64::from(process);
        let plane = DataPlane::bind(plane_settings, seed).map_err(|cause| taken("--port", cause))?;
        let ingress = plane.ingress().map_err(|cause| taken("--port", cause))?;
        let front = Front::new(Store::new(&StoreSettings::default(), clock.now()), clock);
        let server_settings = ServerSettings { port: settings.api_port, tls: false, token: None };
        let client = front.client(NAMESPACE);
        let server =
            Server::start(front, server_settings).await.map_err(|cause| taken("--api-port", cause))?;
        let (directory, kubeconfig) = write_kubeconfig(&server.kubeconfig())?;
        let link = link(directory.path())?;
        let config = config(&server.kubeconfig()).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(actors::run(client.clone(), ActorName::all(), clock));
        let (sender, probes) = mpsc::channel(PROBES);
        tasks.spawn(data_plane::run(plane.clone(), client.clone(), clock, sender));
        let kubelet_settings = KubeletSettings {
            start_latency: settings.start_latency,
            drain: Duration::from_millis(500),
            ..KubeletSettings::default()
        };
        tasks.spawn(kubelet::run_probed(client.clone(), kubelet_settings, clock, probes));
        define_resources(&client).await?;
        let api_url = server.url();
        Ok(Self {
            client,
            plane,
            ingress,
            api_url,
            kubeconfig,
            link,
            tale: Tale::default(),
            config,
            _directory: directory,
            _tasks: tasks,
            _server: server,
        })
    }

    /// Runs the controller until it is stopped or fails to start.
    pub(super) fn controller(&self) -> impl Future<Output = Result<(), RunError>> + use<> {
        run_controller(Options::alone(self.config.clone(), ROLLOUT_THREADS))
    }

    /// Applies manifests in order, as `kubectl apply --server-side` does.
    pub(super) async fn apply(&self, documents: Vec<Document>) -> Result<(), PlaygroundError> {
        let discovery = Discovery::new(self.client.clone()).run().await?;
        for Document { source, object } in documents {
            let wrong = |problem: String| PlaygroundError::Manifest { source_name: source.clone(), problem };
            let mut object: DynamicObject =
                serde_json::from_value(object).map_err(|e| wrong(e.to_string()))?;
            let types = object.types.clone().unwrap_or_default();
            let gvk = kube::core::GroupVersionKind::try_from(&types).map_err(|e| wrong(e.to_string()))?;
            let Some((resource, capabilities)) = discovery.resolve_gvk(&gvk) else {
                let problem = format!(
                    "the embedded API has no kind {} in {}; `kubectl api-resources` lists what it has",
                    types.kind, types.api_version
                );
                return Err(wrong(problem));
            };
            let api: Api<DynamicObject> = match capabilities.scope {
                Scope::Namespaced => {
                    let namespace = object.metadata.namespace.get_or_insert_with(|| NAMESPACE.to_owned());
                    Api::namespaced_with(self.client.clone(), namespace, &resource)
                }
                Scope::Cluster => Api::all_with(self.client.clone(), &resource),
            };
            let name = object.metadata.name.clone().unwrap_or_default();
            let params = PatchParams::apply("serin-playground").force();
            api.patch(&name, &params, &Patch::Apply(&object)).await.map_err(|error| wrong(said(&error)))?;
        }
        Ok(())
    }

    /// The user of the Rollout `demo`.
    pub(super) fn user(&self) -> User {
        User::new(&self.client, NAMESPACE, "demo")
    }

    /// A visitor of `host` through the ingress.
    pub(super) fn visitor(&self, host: &str) -> Visitor {
        Visitor::new(self.ingress, host)
    }
}

fn taken(flag: &'static str, cause: std::io::Error) -> PlaygroundError {
    PlaygroundError::Listen { flag, cause }
}

/// Creates a directory for the file. It is removed when the directory is dropped.
fn write_kubeconfig(text: &str) -> Result<(TempDir, PathBuf), PlaygroundError> {
    let failed = |path: &Path, cause| PlaygroundError::File { path: path.to_owned(), cause };
    let made = tempfile::Builder::new().prefix("serin-playground-").tempdir();
    let directory = made.map_err(|cause| failed(&std::env::temp_dir(), cause))?;
    let file = directory.path().join("kubeconfig");
    std::fs::write(&file, text).map_err(|cause| failed(&file, cause))?;
    Ok((directory, file))
}

/// Puts a link to this program into a directory, unless the shell finds `serin`. Returns the directory if it did.
fn link(folder: &Path) -> Result<Option<PathBuf>, PlaygroundError> {
    let failed = |cause| PlaygroundError::File { path: folder.join(NAME), cause };
    let program = std::env::current_exe().and_then(|path| path.canonicalize()).map_err(failed)?;
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&paths).find_map(|folder| folder.join(NAME).canonicalize().ok());
    if found.as_ref() == Some(&program) {
        return Ok(None);
    }
    std::os::unix::fs::symlink(&program, folder.join(NAME)).map_err(failed)?;
    Ok(Some(folder.to_owned()))
}

async fn config(kubeconfig: &str) -> Result<Config, PlaygroundError> {
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig)?;
    Ok(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
}

async fn define_resources(client: &Client) -> Result<(), PlaygroundError> {
    let kind = ApiResource::erase::<CustomResourceDefinition>(&());
    let api = Api::<DynamicObject>::all_with(client.clone(), &kind);
    for definition in definitions() {
        let definition = serde_json::from_value(definition).map_err(kube::Error::SerdeError)?;
        api.create(&PostParams::default(), &definition).await?;
    }
    Ok(())
}

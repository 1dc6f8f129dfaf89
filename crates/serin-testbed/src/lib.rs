//! A real Kubernetes API on this machine: etcd, kube-apiserver and kube-controller-manager, started for one test run.
//!
//! There is no scheduler and no node: the [kubelet actor](serin_cluster::kubelet) binds pods and makes them ready. All servers
//! listen on the loopback address and end with this process, however it ends. [`ControlPlane::start`] takes about four
//! seconds, so a test binary shares one and gives each test a namespace of its own.
//!
//! Two users exist: the administrator, and `serin`, who may do exactly what `deploy/` grants to the controller and whose
//! requests are recorded ([`ControlPlane::audit`]).

mod audit;
mod directory;
mod error;
mod kubectl;
mod process;
mod program;
mod servers;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kube::Client;
use tokio::sync::Mutex;

pub use audit::AuditEntry;
pub use error::PlaneError;
pub use kubectl::KubectlOutput;
pub use process::{EndsBy, Held, resident_bytes};
pub use program::Source;
pub use servers::{SERIN_USER, ServerReport};

use directory::RunDirectory;
use serin_cluster::kubelet::{Background, KubeletSettings};
use serin_cluster::namespace;
use servers::{Files, Servers, Staff};

/// The namespace that `deploy/` installs the controller into.
pub const INSTALL_NAMESPACE: &str = "argo-rollouts";

/// What keeps several controllers on one machine and one cluster out of each other's way: flag, and how it is given.
const APART: [(&str, &str); 3] = [
    ("--healthzPort", "--healthzPort=0"),
    ("--metricsPort", "--metricsPort=0"),
    ("--leader-elect", "--leader-elect=false"),
];

/// How often a start is tried anew when another process took one of its ports.
const ATTEMPTS: u32 = 3;

/// A Kubernetes API with its controllers; ended, and its files removed, when dropped.
#[derive(Debug)]
pub struct ControlPlane {
    // Dropped first: the servers write into the directory.
    servers: Mutex<Option<Servers>>,
    source: Source,
    files: Files,
    controllers_started: AtomicU32,
    directory: RunDirectory,
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready, or connects to the one of `SERIN_TEST_KUBECONFIG`
    /// (see [`Source::find`]).
    pub async fn start() -> Result<Self, PlaneError> {
        Self::start_from(find_source().await?, Staff::Whole).await
    }

    /// Starts a control plane without controllers: nothing changes but what requests change. A cluster that runs already
    /// is of no use for that.
    pub async fn start_api_alone() -> Result<Self, PlaneError> {
        match find_source().await? {
            Source::Running(_) => {
                let why = "a control plane without controllers is needed, and the cluster that runs already has some";
                Err(PlaneError::Unavailable(why.to_owned()))
            }
            source @ (Source::Built(_) | Source::Assets(_)) => {
                Self::start_from(source, Staff::ApiAlone).await
            }
        }
    }

    async fn start_from(source: Source, staff: Staff) -> Result<Self, PlaneError> {
        let mut attempt = 1;
        loop {
            match Self::try_start(source.clone(), staff).await {
                Err(PlaneError::Failed(why))
                    if attempt < ATTEMPTS && why.contains("address already in use") =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn try_start(source: Source, staff: Staff) -> Result<Self, PlaneError> {
        let directory = RunDirectory::new()?;
        let mut files = Files::new(directory.path().to_owned());
        let servers = match &source {
            Source::Running(kubeconfig) => {
                files.admin_kubeconfig.clone_from(kubeconfig);
                files.serin_kubeconfig.clone_from(kubeconfig);
                None
            }
            Source::Built(_) | Source::Assets(_) => Some(Servers::start(&source, &files, staff).await?),
        };
        let controllers_started = AtomicU32::new(0);
        Ok(Self { servers: Mutex::new(servers), source, files, controllers_started, directory })
    }

    /// Whether the cluster was there before: its nodes are real, and it has no audit log for us.
    #[must_use]
    pub fn is_borrowed(&self) -> bool {
        matches!(self.source, Source::Running(_))
    }

    /// The directory of this run: kubeconfigs, logs (`NAME.log`), certificates.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The kubeconfig of the administrator.
    #[must_use]
    pub fn admin_kubeconfig(&self) -> &Path {
        &self.files.admin_kubeconfig
    }

    /// The kubeconfig of the user `serin`; in a borrowed cluster that of the administrator.
    #[must_use]
    pub fn serin_kubeconfig(&self) -> &Path {
        &self.files.serin_kubeconfig
    }

    /// The kubectl that goes with the servers.
    #[must_use]
    pub fn kubectl_program(&self) -> PathBuf {
        self.source.kubectl()
    }

    /// A new client of the administrator. A client belongs to the runtime that it was made in, so each test makes one.
    pub async fn client(&self) -> Result<Client, PlaneError> {
        servers::client(&self.files.admin_kubeconfig).await
    }

    /// A new client of the user `serin`.
    pub async fn serin_client(&self) -> Result<Client, PlaneError> {
        servers::client(&self.files.serin_kubeconfig).await
    }

    /// Starts a kubelet for this cluster; it stops when the returned value is dropped. A borrowed cluster has its own.
    pub async fn start_kubelet(&self, settings: KubeletSettings) -> Result<Option<Background>, PlaneError> {
        if self.is_borrowed() {
            return Ok(None);
        }
        let config = servers::config(&self.files.admin_kubeconfig).await?;
        Ok(Some(Background::start(config, settings)?))
    }

    /// Creates a namespace whose name begins with `prefix` and a hyphen, to which pods are admitted.
    pub async fn namespace(&self, prefix: &str) -> Result<String, PlaneError> {
        Ok(namespace::create(&self.client().await?, prefix).await?)
    }

    /// Every request of the user `serin` so far, oldest first; none in a borrowed cluster.
    pub fn audit(&self) -> Result<Vec<AuditEntry>, PlaneError> {
        Ok(audit::read(&self.files.audit_log)?)
    }

    /// What runs, and how much memory it has.
    pub async fn reports(&self) -> Vec<ServerReport> {
        let servers = self.servers.lock().await;
        servers.iter().flat_map(Servers::running).map(ServerReport::of).collect()
    }

    /// What starting took, until the API server was ready; zero in a borrowed cluster.
    pub async fn ready_after(&self) -> Duration {
        self.servers.lock().await.as_ref().map_or(Duration::ZERO, |servers| servers.ready_after)
    }

    /// Ends the API server at once, as a crash does. Its data stay with etcd.
    pub async fn stop_api_server(&self) -> Result<(), PlaneError> {
        let mut servers = self.servers.lock().await;
        let own = servers.as_mut().ok_or_else(not_ours)?;
        if let Some(mut api) = own.api.take() {
            api.kill()?;
        }
        Ok(())
    }

    /// Makes etcd forget the past up to `revision`, as the API server asks it to every few minutes. The API server goes on
    /// to answer from what it remembers itself.
    pub async fn compact(&self, revision: u64) -> Result<(), PlaneError> {
        self.servers.lock().await.as_ref().ok_or_else(not_ours)?.compact(revision).await
    }

    /// Starts the API server again, on the same port and data, and waits until it is ready.
    pub async fn start_api_server(&self) -> Result<(), PlaneError> {
        let mut servers = self.servers.lock().await;
        let own = servers.as_mut().ok_or_else(not_ours)?;
        if own.api.is_some() {
            return Ok(());
        }
        own.start_api(&self.files).await
    }

    /// Starts `PROGRAM controller --kubeconfig SERIN ARGS...` as the user `serin`; it ends when the returned value is
    /// dropped. It listens on no port and elects no leader unless the arguments say so. Its output goes to `controller-N.log` in the [directory](Self::directory), N from 1.
    pub fn start_controller(&self, program: &Path, args: &[&str]) -> Result<Held, PlaneError> {
        let number = self.controllers_started.fetch_add(1, Ordering::Relaxed) + 1;
        let mut all =
            vec![OsStr::new("controller"), OsStr::new("--kubeconfig"), self.serin_kubeconfig().as_os_str()];
        let is_given = |flag: &str| args.iter().any(|arg| arg.starts_with(flag));
        let apart = APART.iter().filter(|(flag, _)| !is_given(flag)).map(|(_, arg)| *arg);
        all.extend(args.iter().copied().chain(apart).map(OsStr::new));
        let log = self.files.log(&format!("controller-{number}"));
        Held::start(program, &all, &[], &log, EndsBy::Guard)
            .map_err(|error| PlaneError::Failed(format!("{}: {error}", program.display())))
    }
}

async fn find_source() -> Result<Source, PlaneError> {
    let found = tokio::task::spawn_blocking(Source::find).await;
    found.map_err(|error| PlaneError::Failed(error.to_string()))?
}

fn not_ours() -> PlaneError {
    PlaneError::Failed(
        "the API server of a cluster that runs already is not ours to stop and start".to_owned(),
    )
}

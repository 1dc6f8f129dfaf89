//! The three servers of a control plane: their files, flags and lives.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::audit;
use super::error::PlaneError;
use super::process::{Held, resident_bytes};
use super::program::Source;
use serin_clock as clock;

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The user that the controller under test is, so that RBAC and the audit log see it.
pub const SERIN_USER: &str = "serin";

/// The files of a control plane, all in one directory.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) directory: PathBuf,
    pub(super) admin_kubeconfig: PathBuf,
    pub(super) serin_kubeconfig: PathBuf,
    pub(super) audit_log: PathBuf,
    tokens: PathBuf,
    audit_policy: PathBuf,
    etcd_config: PathBuf,
    certificates: PathBuf,
}

impl Files {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self {
            admin_kubeconfig: directory.join("admin.kubeconfig"),
            serin_kubeconfig: directory.join("serin.kubeconfig"),
            audit_log: directory.join("audit.log"),
            tokens: directory.join("tokens.csv"),
            audit_policy: directory.join("audit-policy.yaml"),
            etcd_config: directory.join("etcd.yaml"),
            certificates: directory.join("certificates"),
            directory,
        }
    }

    pub(super) fn log(&self, server: &str) -> PathBuf {
        self.directory.join(format!("{server}.log"))
    }

    /// The key that the API server signs its own certificate with; it signs the tokens of service accounts, too.
    fn key(&self) -> PathBuf {
        self.certificates.join("apiserver.key")
    }
}

/// The ports of one control plane, all on the loopback address.
#[derive(Debug, Clone, Copy)]
struct Ports {
    etcd: u16,
    etcd_peer: u16,
    api: u16,
}

impl Ports {
    /// Asks the kernel for ports that nobody uses.
    fn free() -> io::Result<Self> {
        let ask = || TcpListener::bind(("127.0.0.1", 0));
        // All three are held until the last is known, so that they differ.
        let (first, second, third) = (ask()?, ask()?, ask()?);
        let port = |listener: &TcpListener| listener.local_addr().map(|address| address.port());
        Ok(Self { etcd: port(&first)?, etcd_peer: port(&second)?, api: port(&third)? })
    }
}

/// Which servers a control plane has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Staff {
    /// All.
    Whole,
    /// All but kube-controller-manager.
    ApiAlone,
}

/// The servers, running; the API server may be down for a while.
#[derive(Debug)]
pub(super) struct Servers {
    source: Source,
    ports: Ports,
    pub(super) etcd: Held,
    pub(super) api: Option<Held>,
    pub(super) controllers: Option<Held>,
    /// What starting took: until the API server was ready.
    pub(super) ready_after: Duration,
}

impl Servers {
    /// Starts all three, or the two that answer requests, and waits until the API server says that it is ready.
    pub(super) async fn start(source: &Source, files: &Files, staff: Staff) -> Result<Self, PlaneError> {
        let begin = Instant::now();
        let ports = Ports::free()?;
        write_files(files, ports)?;
        let config = ["--config-file".into(), files.etcd_config.clone().into_os_string()];
        let etcd = spawn(source, files, "etcd", &config)?;
        let mut servers = Self {
            source: source.clone(),
            ports,
            etcd,
            api: None,
            controllers: None,
            ready_after: Duration::ZERO,
        };
        servers.start_api(files).await?;
        if staff == Staff::Whole {
            let flags = controller_flags(files);
            servers.controllers = Some(spawn(source, files, "kube-controller-manager", &flags)?);
        }
        servers.ready_after = begin.elapsed();
        Ok(servers)
    }

    /// Starts the API server on its port and data, and waits until it is ready.
    pub(super) async fn start_api(&mut self, files: &Files) -> Result<(), PlaneError> {
        let flags = api_flags(files, self.ports);
        let api = self.api.insert(spawn(&self.source, files, "kube-apiserver", &flags)?);
        let deadline = Instant::now() + START_LIMIT;
        while !is_ready(files, self.ports.api).await {
            for (server, name) in [(&mut *api, "kube-apiserver"), (&mut self.etcd, "etcd")] {
                if let Some(status) = server.ended()? {
                    return Err(failed(name, &format!("ended with {status}"), &files.log(name)));
                }
            }
            if Instant::now() > deadline {
                return Err(failed("kube-apiserver", "did not become ready", &files.log("kube-apiserver")));
            }
            clock::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Makes etcd forget the past up to `revision`.
    pub(super) async fn compact(&self, revision: u64) -> Result<(), PlaneError> {
        let address = format!("http://127.0.0.1:{}", self.ports.etcd);
        let address = address.parse().map_err(|error| PlaneError::Failed(format!("{address}: {error}")))?;
        let body = json!({"revision": revision.to_string(), "physical": true}).to_string().into_bytes();
        let request = Request::post("/v3/kv/compaction").body(body);
        let request = request.map_err(|error| PlaneError::Failed(error.to_string()))?;
        let _header: Value = Client::try_from(Config::new(address))?.request(request).await?;
        Ok(())
    }

    /// Each server's name and process, of those that run.
    pub(super) fn running(&self) -> impl Iterator<Item = (&'static str, &Held)> {
        let api = self.api.as_ref().map(|held| ("kube-apiserver", held));
        let controllers = self.controllers.as_ref().map(|held| ("kube-controller-manager", held));
        [Some(("etcd", &self.etcd)), api, controllers].into_iter().flatten()
    }
}

/// One server of a control plane, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerReport {
    /// `etcd`, `kube-apiserver` or `kube-controller-manager`.
    pub name: &'static str,
    /// Its process id.
    pub id: u32,
    /// The memory that it has in RAM, in bytes; `None` where the system does not say.
    pub resident_bytes: Option<u64>,
}

impl ServerReport {
    pub(super) fn of((name, held): (&'static str, &Held)) -> Self {
        Self { name, id: held.id(), resident_bytes: resident_bytes(held.id()) }
    }
}

fn spawn(source: &Source, files: &Files, role: &'static str, flags: &[OsString]) -> Result<Held, PlaneError> {
    let Some((program, mut args, ends_by)) = source.server(role) else {
        return Err(PlaneError::Failed(format!(
            "{role} is not ours to start in a cluster that runs already"
        )));
    };
    args.extend_from_slice(flags);
    Held::start(&program, &args, &[], &files.log(role), ends_by)
        .map_err(|error| PlaneError::Failed(format!("{role} ({}): {error}", program.display())))
}

fn failed(server: &str, what: &str, log: &Path) -> PlaneError {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let tail = lines[lines.len().saturating_sub(15)..].join("\n");
    PlaneError::Failed(format!("{server} {what}; the end of its log:\n{tail}"))
}

async fn is_ready(files: &Files, port: u16) -> bool {
    // Its certificate is there once it listens.
    if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        return false;
    }
    let Ok(client) = client(&files.admin_kubeconfig).await else {
        return false;
    };
    let Ok(request) = Request::get("/readyz").body(Vec::new()) else {
        return false;
    };
    client.request_text(request).await.is_ok_and(|answer| answer == "ok")
}

/// What the kubeconfig file says.
pub(super) async fn config(kubeconfig: &Path) -> Result<Config, PlaneError> {
    let explain = |error| PlaneError::Failed(format!("{}: {error}", kubeconfig.display()));
    let file = Kubeconfig::read_from(kubeconfig).map_err(explain)?;
    Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await.map_err(explain)
}

/// A client that is what the kubeconfig file says.
pub(super) async fn client(kubeconfig: &Path) -> Result<Client, PlaneError> {
    Ok(serin_client::client(config(kubeconfig).await?)?)
}

fn write_files(files: &Files, ports: Ports) -> io::Result<()> {
    let (admin, serin) = (random_token()?, random_token()?);
    fs::write(&files.tokens, format!("{admin},admin,1,\"system:masters\"\n{serin},{SERIN_USER},2\n"))?;
    fs::write(&files.admin_kubeconfig, kubeconfig(files, ports, "admin", &admin))?;
    fs::write(&files.serin_kubeconfig, kubeconfig(files, ports, SERIN_USER, &serin))?;
    fs::write(&files.audit_policy, audit::POLICY)?;
    fs::write(&files.etcd_config, etcd_config(files, ports))
}

fn random_token() -> io::Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn kubeconfig(files: &Files, ports: Ports, user: &str, token: &str) -> String {
    let value = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": user,
        "clusters": [{"name": "test", "cluster": {
            "server": format!("https://127.0.0.1:{}", ports.api),
            // The API server signs for itself when it first starts.
            "certificate-authority": files.certificates.join("apiserver.crt"),
        }}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": user, "context": {"cluster": "test", "user": user, "namespace": "default"}}],
    });
    format!("{value:#}\n")
}

fn etcd_config(files: &Files, ports: Ports) -> String {
    let (clients, peers) =
        (format!("http://127.0.0.1:{}", ports.etcd), format!("http://127.0.0.1:{}", ports.etcd_peer));
    let value = serde_json::json!({
        "name": "test",
        "data-dir": files.directory.join("etcd"),
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peers,
        "initial-advertise-peer-urls": peers,
        "initial-cluster": format!("test={peers}"),
        // Nobody needs the data after a power cut.
        "unsafe-no-fsync": true,
        "log-level": "warn",
        // In nanoseconds. Unset would mean that every request is slow.
        "warning-unary-request-duration": 1_000_000_000,
    });
    format!("{value:#}\n")
}

fn api_flags(files: &Files, ports: Ports) -> Vec<OsString> {
    let fixed = [
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--external-hostname=localhost",
        "--authorization-mode=RBAC",
        "--anonymous-auth=true",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
    ];
    let mut flags: Vec<OsString> = fixed.into_iter().map(OsString::from).collect();
    flags.push(format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd).into());
    flags.push(format!("--secure-port={}", ports.api).into());
    flags.push(flag("--cert-dir", &files.certificates));
    flags.push(flag("--token-auth-file", &files.tokens));
    flags.push(flag("--service-account-key-file", &files.key()));
    flags.push(flag("--service-account-signing-key-file", &files.key()));
    flags.push(flag("--audit-policy-file", &files.audit_policy));
    flags.push(flag("--audit-log-path", &files.audit_log));
    flags
}

fn controller_flags(files: &Files) -> Vec<OsString> {
    let controllers = [
        "replicaset-controller",
        "deployment-controller",
        "job-controller",
        "garbage-collector-controller",
        "namespace-controller",
        "serviceaccount-controller",
        "disruption-controller",
        "endpointslice-controller",
    ];
    vec![
        flag("--kubeconfig", &files.admin_kubeconfig),
        "--leader-elect=false".into(),
        "--secure-port=0".into(),
        flag("--service-account-private-key-file", &files.key()),
        // The default of 20 requests a second would be what a benchmark measures.
        "--kube-api-qps=500".into(),
        "--kube-api-burst=1000".into(),
        format!("--controllers={}", controllers.join(",")).into(),
    ]
}

fn flag(name: &str, path: &Path) -> OsString {
    let mut text = OsString::from(name);
    text.push("=");
    text.push(path);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EndsBy;

    #[test]
    fn assets_are_guarded() {
        let source = Source::Assets("/assets".into());
        let (program, args, ends_by) = source.server("etcd").unwrap();
        assert_eq!((program.as_path(), args.len(), ends_by), (Path::new("/assets/etcd"), 0, EndsBy::Guard));
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(random_token().unwrap(), random_token().unwrap());
    }
}

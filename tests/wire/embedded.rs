//! An embedded API of one test, and kubectl for it.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use serde_json::json;
use serin_clock::Clock;
use serin_cluster::api::store::{Settings, Store};
use serin_cluster::http::{Front, Server, ServerSettings};
use serin_testbed::Source;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::support;

/// An embedded API with TLS and a token.
pub(crate) struct Embedded {
    // Ends with the test.
    _server: Server,
    kubectl: PathBuf,
    directory: TempDir,
}

/// What one run of kubectl gave.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) is_success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A store with nothing but what every cluster has.
pub(crate) fn front() -> Front {
    Front::new(Store::new(&Settings::default(), Clock::System.now()), Clock::System)
}

impl Embedded {
    /// None, after saying why, where there is no kubectl to be had.
    pub(crate) async fn start() -> Option<Self> {
        let source = tokio::task::spawn_blocking(Source::find).await.unwrap();
        let kubectl = source.map_err(|error| support::skip(&error)).ok()?.kubectl();
        let front = front();
        // Pods are not admitted without it; in a whole cluster a controller makes it.
        let account = serde_json::from_value(json!({"metadata": {"name": "default"}})).unwrap();
        let accounts = Api::<ServiceAccount>::default_namespaced(front.client("default"));
        accounts.create(&PostParams::default(), &account).await.unwrap();
        let settings =
            ServerSettings { tls: true, token: Some("open sesame".to_owned()), ..ServerSettings::default() };
        let server = Server::start(front, settings).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("config"), server.kubeconfig()).unwrap();
        Some(Self { _server: server, kubectl, directory })
    }

    /// The kubectl, and the kubeconfig for it.
    pub(crate) fn access(&self) -> (PathBuf, PathBuf) {
        (self.kubectl.clone(), self.directory.path().join("config"))
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        command.args(args).env("KUBECONFIG", self.directory.path().join("config"));
        command.env("KUBERC", "off").env("KUBECACHEDIR", self.directory.path().join("cache"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    /// Runs kubectl with an input.
    pub(crate) async fn run_with(&self, args: &[&str], input: &str) -> Output {
        let mut child = self.command(args).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A kubectl that does not read its input may be gone by now.
        let _gone = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output {
            is_success: output.status.success(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    /// Runs kubectl, which is to succeed; returns what it printed.
    pub(crate) async fn kubectl(&self, args: &[&str]) -> String {
        self.kubectl_with(args, "").await
    }

    /// Runs kubectl with an input; it is to succeed.
    pub(crate) async fn kubectl_with(&self, args: &[&str], input: &str) -> String {
        let output = self.run_with(args, input).await;
        assert!(output.is_success, "kubectl {}: {}", args.join(" "), output.stderr);
        output.stdout
    }

    /// Runs a kubectl that goes on, and gives the lines of its output.
    pub(crate) fn follow(&self, args: &[&str]) -> Followed {
        let mut child = self.command(args).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Followed { lines, _child: child }
    }
}

/// A kubectl that runs; ended when dropped.
pub(crate) struct Followed {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Followed {
    /// The next line, which is to come soon, by its words.
    pub(crate) async fn words(&mut self) -> Vec<String> {
        let line = tokio::time::timeout(Duration::from_secs(20), self.lines.next_line()).await;
        let line = line.expect("no line came").unwrap().expect("kubectl ended");
        line.split_whitespace().map(str::to_owned).collect()
    }
}

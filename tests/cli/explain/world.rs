//! A cluster that lives: the embedded API with its actors, a kubelet, the real controller, and a shell for its users.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kube::api::{ListParams, Patch, PatchParams};
use serde_json::{Value, json};
use serin_clock::{self as clock, Clock};
use serin_cluster::actors::{self, ActorName};
use serin_cluster::kubelet::{self, KubeletSettings};
use serin_cluster::namespace;
use serin_controller::run::Work;
use serin_testbed::Source;
use serin_values::random::Rng;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::stage::{Outcome, PLUGIN, SERIN, Stage, outcome};

/// The time limit of each wait.
const PATIENCE: Duration = Duration::from_mins(1);

/// A cluster with a namespace to try something in.
pub(crate) struct Live {
    pub(crate) stage: Stage,
    pub(crate) namespace: String,
    tools: TempDir,
    tasks: JoinSet<()>,
    controllers: Vec<Controller>,
}

/// A controller as a process of its own, which ends with the test.
struct Controller(Child);

impl Drop for Controller {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _status = self.0.wait();
    }
}

impl Live {
    /// A cluster without a controller.
    pub(crate) async fn start() -> Self {
        let stage = Stage::start().await;
        let mut tasks = JoinSet::new();
        tasks.spawn(actors::run(stage.client.clone(), ActorName::all(), Clock::System));
        let moment = Duration::from_millis(100);
        let settings = KubeletSettings { start_latency: moment, drain: moment, ..KubeletSettings::default() };
        tasks.spawn(kubelet::run(stage.client.clone(), settings, Clock::System));
        let namespace = namespace::create(&stage.client, "explain").await.expect("a namespace");
        let tools = tempfile::tempdir().expect("a folder");
        for name in [SERIN, PLUGIN] {
            symlink(env!("CARGO_BIN_EXE_serin"), tools.path().join(name)).expect("a link");
        }
        Self { stage, namespace, tools, tasks, controllers: Vec::new() }
    }

    /// A cluster with its controller.
    pub(crate) async fn controlled() -> Self {
        let mut live = Self::start().await;
        let work = Work::alone(live.stage.client.clone(), Clock::System, Rng::seeded(1));
        live.tasks.spawn(async move {
            let _ended = work.until(std::future::pending()).await;
        });
        live
    }

    /// Starts the program as a controller that takes part in elections, with more flags.
    pub(crate) fn control(&mut self, flags: &[&str]) {
        let mut command = self.stage.command(SERIN, &["controller", "--healthzPort=0", "--metricsPort=0"]);
        command.args(flags).env("POD_NAMESPACE", "default").stderr(Stdio::null());
        self.controllers.push(Controller(command.spawn().expect("a controller")));
    }

    /// Has the user's shell know the real kubectl. False, after saying why, where there is none.
    pub(crate) fn has_kubectl(&self) -> bool {
        match Source::find() {
            Ok(source) => {
                symlink(source.kubectl(), self.tools.path().join("kubectl")).expect("a link");
                true
            }
            Err(error) => {
                assert!(!std::env::var("CI").is_ok_and(|value| value == "true"), "no kubectl: {error}");
                eprintln!("\n*** SKIPPED: {error}\n");
                false
            }
        }
    }

    /// Runs a line of a user in a shell; an editor that it opens runs `editor`.
    pub(crate) fn shell(&self, line: &str, editor: &str) -> Outcome {
        let tools = self.tools.path().display();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).env("KUBECONFIG", self.stage.kubeconfig()).env("KUBE_EDITOR", editor);
        command.env("PATH", format!("{tools}:/usr/bin:/bin")).env("KUBERC", "off");
        outcome(command.env("KUBECACHEDIR", self.tools.path().join("cache")))
    }

    /// Makes an object in the namespace.
    pub(crate) async fn make(&self, object: &Value) {
        self.stage.make(Some(&self.namespace), object).await;
    }

    /// Merges `patch` into an object.
    pub(crate) async fn patch(&self, api_version: &str, kind: &str, name: &str, patch: &Value) {
        let objects =
            self.stage.objects(Some(&self.namespace), &json!({"apiVersion": api_version, "kind": kind}));
        objects.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await.expect("a patched object");
    }

    /// Merges `patch` into the Rollout `demo`.
    pub(crate) async fn change(&self, patch: &Value) {
        self.patch("argoproj.io/v1alpha1", "Rollout", "demo", patch).await;
    }

    /// Gives the pods that do not run that status, once there are any.
    pub(crate) async fn report_pending(&self, status: &Value) {
        let pods = self.stage.objects(Some(&self.namespace), &json!({"apiVersion": "v1", "kind": "Pod"}));
        let pending = ListParams::default().fields("status.phase=Pending");
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = pods.list(&pending).await.expect("pods").items;
            for pod in &found {
                let name = pod.metadata.name.as_deref().expect("a name");
                let patch = Patch::Merge(json!({"status": status}));
                pods.patch_status(name, &PatchParams::default(), &patch).await.expect("a status");
            }
            if !found.is_empty() {
                return;
            }
            assert!(Instant::now() < deadline, "no pod is pending");
            clock::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Has the pods of the Rollout `demo` replaced after a while.
    pub(crate) fn restart(&self, wait: &str) {
        let done = self.stage.run(SERIN, &["restart", "demo", "--in", wait, "-n", &self.namespace]);
        assert_eq!(done.exit, 0, "{}", done.stderr);
    }

    /// The explanation of the Rollout `demo`, for programs.
    pub(crate) fn explain(&self) -> Value {
        let said = self.stage.run(SERIN, &["explain", "demo", "-o", "json", "-n", &self.namespace]);
        assert_eq!((said.stderr.as_str(), said.exit), ("", 0));
        serde_json::from_str(&said.stdout).expect("JSON")
    }

    /// The explanation once the Rollout `demo` waits for that cause.
    pub(crate) async fn waits_for(&self, what: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.explain();
            if said["waitsFor"] == what {
                return said;
            }
            assert!(Instant::now() < deadline, "never waits for {what}, but: {said:#}");
            clock::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A file of the test.
    pub(crate) fn file(&self, name: &str) -> String {
        Path::join(self.tools.path(), name).display().to_string()
    }
}

//! What users type, on a real API server with a controller: each verb under each of the three names.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::rollouts::{SERIN, SOON, Stage, controller};
use crate::support::{cluster, eventually};

/// Serin, the same as a plugin of kubectl, and in the place of the reference's plugin.
const NAMES: [&str; 3] = ["serin", "kubectl-serin", "kubectl-argo-rollouts"];

/// What came of a command.
struct Outcome {
    stdout: String,
    stderr: String,
    exit: i32,
}

/// A user, who calls the program by one name.
struct User<'a> {
    stage: Stage<'a>,
    program: &'static str,
}

impl User<'_> {
    fn is_plugin(&self) -> bool {
        self.program == "kubectl-argo-rollouts"
    }

    /// Types words, with the flags of the place before the verb, as kubectl users do.
    fn types(&self, words: &str) -> Outcome {
        let mut command = Command::new(SERIN);
        command.arg0(self.program).arg("--kubeconfig").arg(self.stage.plane.admin_kubeconfig());
        command.args(["-n", &self.stage.namespace]).args(words.split(' '));
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome {
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
            exit: output.status.code().unwrap(),
        }
    }

    /// Types words that must succeed with this output.
    fn commands(&self, words: &str, said: &str) {
        let Outcome { stdout, stderr, exit } = self.types(words);
        let expected = format!("{said}\n");
        assert_eq!((stdout.as_str(), exit), (expected.as_str(), 0), "{} {words}: {stderr}", self.program);
    }

    /// Types words whose exit code depends on the name. What succeeds says so on the standard output alone, what fails
    /// says why on the error output.
    fn is_told(&self, words: &str, codes: (i32, i32), said: &str) {
        let Outcome { stdout, stderr, exit } = self.types(words);
        let code = if self.is_plugin() { codes.1 } else { codes.0 };
        let context = format!("{} {words}:\n{stdout}{stderr}", self.program);
        assert_eq!(exit, code, "{context}");
        assert_eq!(stderr.is_empty(), code == 0, "{context}");
        let told = if code == 0 { stdout } else { stderr };
        assert!(told.contains(said), "{context}");
    }

    /// Waits until a status is told.
    async fn sees(&self, line: &str) {
        eventually(line, SOON, async || {
            let told = self.types("status demo --watch=false").stdout;
            (told == format!("{line}\n")).then_some(())
        })
        .await;
    }

    /// What the Rollout has at this place.
    async fn stored(&self, pointer: &str) -> Value {
        self.stage.rollout().await.pointer(pointer).cloned().unwrap_or_default()
    }
}

fn rollout() -> Value {
    let labels = json!({"app": "demo"});
    let steps = json!([{"setWeight": 50}, {"pause": {}}, {"setWeight": 100}, {"pause": {}}]);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "demo:blue"}]}},
            "strategy": {"canary": {"steps": steps}},
        },
    })
}

const IMAGE: &str = "/spec/template/spec/containers/0/image";

#[tokio::test(flavor = "multi_thread")]
async fn an_update_is_led_from_the_command_line() {
    let Some(cluster) = cluster().await else { return };
    let _each = futures::future::join_all(NAMES.map(async |program| {
        let user = User { stage: Stage::new(&cluster.plane, "demo").await, program };
        let _controller = controller(&cluster.plane, &user.stage.namespace);
        offline(&user);
        make(&user);
        update(&user).await;
        take_back(&user).await;
        other_kinds(&user).await;
    }))
    .await;
}

/// What needs no cluster, though one is named.
fn offline(user: &User<'_>) {
    user.is_told("version", (0, 0), env!("CARGO_PKG_VERSION"));
    user.is_told("completion bash", (0, 0), "complete -o");
    user.is_told("dashboard", (1, 1), "dashboard");
    user.is_told("notifications", (1, 1), "notifications");
}

/// The Rollout, from a file that is checked first.
fn make(user: &User<'_>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.json");
    std::fs::write(&path, rollout().to_string()).unwrap();
    let path = path.to_str().unwrap();
    user.is_told(&format!("lint -f {path}"), (0, 0), "");
    user.is_told(&format!("create -f {path}x"), (1, 1), "No such file");
    user.commands(&format!("create -f {path}"), "rollout.argoproj.io/demo created");
    user.is_told(&format!("create -f {path}"), (1, 1), "already exists");
}

/// From the first revision through both pauses.
async fn update(user: &User<'_>) {
    user.sees("Healthy").await;
    user.is_told("status demo --timeout 90s", (0, 0), "Healthy");
    user.is_told("get rollout demo", (0, 0), "⟳ demo");
    user.is_told("list rollouts", (0, 0), "demo        Canary     Healthy");
    user.is_told("list rollouts -A", (0, 0), &user.stage.namespace);
    user.is_told(
        "set image demo nobody=demo:green",
        (1, 1),
        "container \"nobody\" not found; the template has: web",
    );
    user.commands("set image demo web=demo:green", "rollout \"demo\" image updated");
    assert_eq!(user.stored(IMAGE).await, "demo:green");
    user.sees("Paused - CanaryPauseStep").await;
    user.is_told("status demo --watch=false", (11, 0), "CanaryPauseStep");
    user.is_told("get rollout demo", (0, 0), "# revision:2");
    user.is_told("explain demo", (0, 0), "promote demo");
    let live = if user.is_plugin() { "list rollouts" } else { "lint --live -f examples/canary-basic.yaml" };
    user.is_told(live, (0, 0), "");
    user.is_told("history demo", (0, 0), "canary  1         demo:green");
    user.commands("pause demo", "rollout 'demo' paused");
    assert_eq!(user.stored("/spec/paused").await, true);
    user.sees("Paused - manually paused").await;
    let step = user.stored("/status/currentStepIndex").await;
    assert_eq!(step, 1);
    user.commands("promote demo", "rollout 'demo' promoted");
    assert_ne!(user.stored("/spec/paused").await, true);
    eventually("the second pause", SOON, async || {
        (user.stored("/status/currentStepIndex").await == 3).then_some(())
    })
    .await;
    user.sees("Paused - CanaryPauseStep").await;
}

/// Back from the second pause, forth to the end, back once more, and a restart.
async fn take_back(user: &User<'_>) {
    let wait = |words: &str| {
        if user.is_plugin() { words.to_owned() } else { format!("{words} --wait --timeout 90s") }
    };
    user.commands(&wait("abort demo"), "rollout 'demo' aborted");
    assert_eq!(user.stored("/status/abort").await, true);
    user.sees("Degraded").await;
    user.is_told("status demo", (10, 1), "RolloutAborted");
    user.commands("retry rollout demo", "rollout 'demo' retried");
    user.sees("Paused - CanaryPauseStep").await;
    assert_eq!(user.stored("/status/currentStepIndex").await, 1);
    user.commands(&wait("promote demo --full"), "rollout 'demo' fully promoted");
    user.sees("Healthy").await;
    user.is_told("abort demo -o name", if user.is_plugin() { (0, 0) } else { (1, 1) }, "");
    user.is_told("promote demo --full", (1, 0), "promote");
    user.sees("Healthy").await;
    user.commands("undo demo", "rollout 'demo' undo");
    assert_eq!(user.stored(IMAGE).await, "demo:blue");
    user.sees("Paused - CanaryPauseStep").await;
    user.commands("promote demo --full", "rollout 'demo' fully promoted");
    user.sees("Healthy").await;
    let pods = user.stage.pod_uids().await;
    user.commands(&wait("restart demo"), "rollout 'demo' restarts in 0s");
    eventually("the restart", Duration::from_secs(90), async || {
        let all = user.stage.pod_uids().await;
        (all.len() == 2 && all.is_disjoint(&pods)).then_some(())
    })
    .await;
    user.sees("Healthy").await;
    user.is_told("status nobody", (3, 1), "nobody");
}

/// Commands for kinds that the controller does not act on yet.
async fn other_kinds(user: &User<'_>) {
    for (kind, spec) in [("Experiment", json!({"templates": []})), ("AnalysisRun", json!({"metrics": []}))] {
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": spec});
        user.stage.apply(&object).await;
    }
    user.is_told("get experiment x", (0, 0), "Σ x");
    user.is_told("list experiments", (0, 0), "NAME");
    let slip = if user.is_plugin() { "retried" } else { "terminated" };
    user.commands("terminate experiment x", &format!("experiment 'x' {slip}"));
    user.commands("retry experiment x", "experiment 'x' retried");
    user.commands("terminate analysisrun x", "analysisRun 'x' terminated");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.json");
    let metric = json!({"name": "one", "provider": {"prometheus": {"query": "q"}}});
    let template = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "rate"},
        "spec": {"args": [{"name": "host"}], "metrics": [metric]}});
    std::fs::write(&path, template.to_string()).unwrap();
    let path = path.to_str().unwrap();
    user.commands(&format!("create -f {path}"), "analysistemplate.argoproj.io/rate created");
    let made = "analysisrun.argoproj.io/of-cluster created";
    user.commands("create analysisrun --from rate --name of-cluster -a host=h", made);
    let made = "analysisrun.argoproj.io/of-file created";
    user.commands(&format!("create ar --from-file {path} --name of-file -a host=h"), made);
    for run in ["of-cluster", "of-file"] {
        let host = user.stage.kubectl(&["get", "ar", run, "-o", "jsonpath={.spec.args[0].value}"]).await;
        assert_eq!(host, "h");
    }
    for kind in ["experiment", "analysisrun"] {
        assert_eq!(user.stage.kubectl(&["get", kind, "x", "-o", "jsonpath={.spec.terminate}"]).await, "true");
    }
}

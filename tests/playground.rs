//! The playground as its users run it.

#[path = "support/free_port.rs"]
mod free_port;
#[path = "support/healthy.rs"]
mod healthy;

use std::io::{BufRead, BufReader, Lines};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use free_port::free_port;
use healthy::{Verdict, judge};
use kube::{Client, Config};
use serin_clock::sleep;

/// How often something that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(100);
/// How many looks are had before it is waited for in vain.
const LOOKS: usize = 600;

fn playground(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_serin")).arg("playground").args(args).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Each story is judged by the responses that visitors got; its exit code is the judgement. Beside it, Healthy is what it
/// says whenever it is seen. A story may be Healthy for a few milliseconds only; that Healthy is seen and judged where it
/// lasts is for the test that acts as users do.
fn tell(story: &str, last_words: &str) {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let (output, seen) = std::thread::scope(|scope| {
        let told = scope.spawn(|| playground(&["--story", story, "--api-port", &port.to_string()]));
        let seen = look_on(&url, || told.is_finished());
        (told.join().expect("the story is told"), seen)
    });
    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{story}: {told}{errors}");
    assert!(told.trim_end().ends_with(last_words), "{story}: {told}");
    assert!(seen.complaints.is_empty(), "{story}: {}", seen.complaints.join("\n"));
}

fn client(url: &str) -> Client {
    Client::try_from(Config::new(url.parse().expect("a URL"))).expect("a client")
}

/// Judges the Rollouts that say that they are Healthy, of which there is one at least.
#[tokio::main(flavor = "current_thread")]
async fn look_at_healthy(url: &str) {
    let seen = judge(&client(url), "default").await.expect("the API");
    assert!(seen.healthy > 0, "no Rollout is Healthy");
    assert!(seen.complaints.is_empty(), "{}", seen.complaints.join("\n"));
}

/// Judges the Rollouts that say that they are Healthy, again and again until all is over; the API comes and goes.
#[tokio::main(flavor = "current_thread")]
async fn look_on(url: &str, is_over: impl Fn() -> bool) -> Verdict {
    let client = client(url);
    let mut all = Verdict::default();
    while !is_over() {
        if let Ok(seen) = judge(&client, "default").await {
            all.healthy += seen.healthy;
            all.complaints.extend(seen.complaints);
        }
        sleep(LOOK).await;
    }
    all
}

#[test]
fn a_canary_moves_real_requests_and_loses_none() {
    tell("canary", "requests failed");
}

#[test]
fn a_header_reaches_the_canary_whatever_the_weight() {
    tell("canary-header", "the header no longer selects a canary");
}

#[test]
fn blue_green_switches_once_and_goes_back_without_a_pod_start() {
    tell("blue-green", "no pod was started for it");
}

#[test]
fn an_aborted_update_is_met_by_nobody() {
    tell("rollback", "no pod was started for it");
}

#[test]
fn a_bad_release_meets_no_more_than_its_share() {
    tell("bad-release", "none reaches it any more");
}

#[test]
fn mistakes_are_said_with_file_line_and_field() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, manifest, said) in [
        ("broken.yaml", "a: b\n---\nkind: [\n", "broken.yaml:1: apiVersion is missing"),
        ("unclosed.yaml", "# nothing\n---\nkind: [\n", "unclosed.yaml:4: "),
        ("nameless.yaml", "apiVersion: v1\nkind: Service\n", "nameless.yaml:1: metadata.name is missing"),
        (
            "unknown.yaml",
            "apiVersion: v1\nkind: Nothing\nmetadata: {name: a}\n",
            "unknown.yaml:1: the embedded API has no kind Nothing in v1",
        ),
        (
            "misfit.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec:\n  replicas: many\n",
            "misfit.yaml:5: spec.replicas: invalid type",
        ),
        (
            "misspelt.yaml",
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {replicaz: 1}\n",
            "misspelt.yaml:1: failed to create typed patch object (default/a; argoproj.io/v1alpha1, Kind=Rollout): \
             .spec.replicaz: field not declared in schema",
        ),
        (
            "refused.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {}, template: {}}\n",
            "refused.yaml:1: Deployment.apps \"a\" is invalid",
        ),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, manifest).expect("a folder for tests");
        let output = playground(&["-f", file.to_str().expect("a path of text")]);
        let errors = text(&output.stderr);
        assert!(!output.status.success() && errors.contains(said), "{name}: {errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

#[test]
fn a_port_that_is_taken_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    for flag in ["--port", "--api-port"] {
        let output = playground(&[flag, &address.port().to_string()]);
        let errors = text(&output.stderr);
        let said = format!(
            "serin: cannot listen on {address}: Address already in use (os error 98); choose another port with {flag}"
        );
        assert!(!output.status.success() && errors.starts_with(&said), "{flag}: {errors}");
    }
}

/// The playground at work, once it has said where it is.
struct Playing {
    child: Child,
    api: String,
    kubeconfig: String,
    /// What it says later; it ends when nobody listens.
    lines: Lines<BufReader<ChildStdout>>,
}

impl Playing {
    fn start(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_serin"));
        command.arg("playground").args(args).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program runs");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let mut after = |mark: &str| {
            let line = lines.by_ref().map_while(Result::ok).find_map(|line| {
                let rest = line.split_once(mark)?.1;
                rest.split([',', ' ']).next().map(str::to_owned)
            });
            line.unwrap_or_else(|| panic!("it never said {mark}"))
        };
        let api = after("Kubernetes API http://");
        let kubeconfig = after("export KUBECONFIG=");
        Self { child, api, kubeconfig, lines }
    }

    /// Waits for its end.
    fn ended(&mut self) -> ExitStatus {
        self.child.wait().expect("it ends")
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([name, &self.child.id().to_string()]).status();
        assert!(sent.expect("a program kill").success());
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        // It may have ended.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

#[test]
fn an_interrupt_ends_everything() {
    for signal in ["-INT", "-TERM", "-HUP"] {
        let mut playing = Playing::start(&[]);
        assert!(TcpStream::connect(&playing.api).is_ok() && Path::new(&playing.kubeconfig).exists());
        playing.signal(signal);
        let status = playing.ended();
        assert!(status.success(), "{signal}: {status}");
        assert!(TcpStream::connect(&playing.api).is_err(), "{signal}: its API still listens");
        let folder = Path::new(&playing.kubeconfig).parent().expect("a folder of its own");
        assert!(!folder.exists(), "{signal}: {} is left", folder.display());
    }
}

/// Runs a line in a shell that finds nothing of ours by itself, after the lines that are to be typed first.
fn shell(first: &[String], line: &str) -> Output {
    let script = format!("{}\n{line}", first.join("\n"));
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).env_clear().env("PATH", "/usr/bin:/bin").output().expect("a shell")
}

#[test]
fn what_is_printed_to_be_tried_works_as_it_is() {
    let mut playing = Playing::start(&[]);
    let said = playing.lines.by_ref().map_while(Result::ok).take_while(|line| !line.starts_with("demo:"));
    let said: Vec<String> = said.map(|line| line.trim().to_owned()).collect();
    let mut first: Vec<String> = said.iter().filter(|line| line.starts_with("export ")).cloned().collect();
    first.push(format!("export KUBECONFIG={}", playing.kubeconfig));
    let run = |verb: &str| {
        let line = said.iter().find(|line| line.starts_with(&format!("serin {verb} ")));
        let line = line.unwrap_or_else(|| panic!("no {verb} among {said:#?}"));
        let done = shell(&first, line);
        assert!(done.status.success(), "{line}: {}", text(&done.stderr));
    };
    // The exit codes of status: 0 Healthy, 11 paused until a user does something.
    let until = |code: i32| {
        let is_there = || shell(&first, "serin status demo --watch=false").status.code() == Some(code);
        let mut looks = (0..LOOKS).map(|_| {
            is_there() || {
                std::thread::sleep(LOOK);
                false
            }
        });
        assert!(looks.any(|is_there| is_there), "status never ends with {code}");
    };
    let url = format!("http://{}", playing.api);
    until(0);
    look_at_healthy(&url);
    run("set image");
    until(11);
    run("abort");
    until(10);
    assert!(shell(&first, "serin retry rollout demo").status.success());
    until(11);
    run("promote");
    until(0);
    look_at_healthy(&url);
    playing.signal("-INT");
    assert!(playing.ended().success());
}

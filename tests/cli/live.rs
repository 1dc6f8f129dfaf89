//! Continuous commands: their output after changes, without the API server, and at their end.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::double::Double;
use crate::stage::{PLUGIN, SERIN, Stage};

/// The time limit of each wait; it is only reached on failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// A program that runs, and what it prints.
pub(super) struct Running {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    pub(super) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        let stdout = lines(child.stdout.take().expect("a pipe"));
        let stderr = lines(child.stderr.take().expect("a pipe"));
        Self { child, stdout, stderr }
    }

    /// The next line that has these words in it.
    pub(super) fn line(&self, words: &str) -> String {
        waited_for(&self.stdout, words)
    }

    fn complaint(&self, words: &str) -> String {
        waited_for(&self.stderr, words)
    }

    /// The exit code, and what was printed since.
    fn end(mut self) -> (i32, String, String) {
        let code = self.child.wait().expect("an end").code().expect("an exit code");
        let rest = |lines: &Receiver<String>| lines.iter().map(|line| line + "\n").collect::<String>();
        (code, rest(&self.stdout), rest(&self.stderr))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        let _ended = self.child.kill();
    }
}

fn lines(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn waited_for(lines: &Receiver<String>, words: &str) -> String {
    /// So much is not printed before what is waited for.
    const MOST: usize = 2000;
    let mut seen = String::new();
    for _ in 0..MOST {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) if line.contains(words) => return line,
            Ok(line) => seen = seen + &line + "\n",
            Err(error) => panic!("{error} before {words:?}, after:\n{seen}"),
        }
    }
    panic!("no {words:?} in:\n{seen}");
}

pub(super) const GET: [&str; 6] = ["get", "rollout", "demo", "-w", "-n", "steps-edited"];

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_is_printed_for_each_change_and_for_none_else() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    for program in [SERIN, PLUGIN] {
        let running = Running::start(&mut stage.command(program, &GET));
        assert_eq!(running.line("Status:"), "Status:          ॥ Paused");
        assert_eq!(running.line("Waits for:"), "Waits for:       a promotion");
        running.line("→");
        // A change of no consequence, and another after some frames.
        stage.patch_status("steps-edited", "demo", json!({"HPAReplicas": 7})).await;
        serin_clock::sleep(Duration::from_millis(2500)).await;
        stage.patch_status("steps-edited", "demo", json!({"message": "another"})).await;
        let mut since = Vec::new();
        while since.last().is_none_or(|line: &String| !line.starts_with("Message:")) {
            since.push(running.line(""));
        }
        let frames: Vec<usize> = (0..since.len()).filter(|&line| since[line].starts_with("Name:")).collect();
        let [frame] = frames.as_slice() else { panic!("{since:?}") };
        assert_eq!(since[frame - 1], "", "{since:?}");
        assert!(since.iter().all(|line| !line.contains('\x1b')), "{since:?}");
        assert_eq!(since.last().map(String::as_str), Some("Message:         another"));
        stage.patch_status("steps-edited", "demo", json!({"message": "CanaryPauseStep"})).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_stays_while_the_api_server_is_away() {
    let mut stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let running = Running::start(&mut stage.command(SERIN, &GET));
    running.line("Status:");
    stage.go_away().await;
    let said = running.line("cannot reach the API server since");
    assert!(said.contains(", retrying: "), "{said}");
    assert_eq!(running.line("Status:"), "Status:          ॥ Paused");
    stage.come_back().await;
    stage.patch_status("steps-edited", "demo", json!({"message": "news"})).await;
    assert_eq!(running.line("Name:"), "Name:            demo");
    // The picture of before may be drawn once more.
    running.line("Message:         news");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_and_list_say_that_the_api_server_is_away_and_go_on() {
    let mut stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let status = ["status", "demo", "-n", "steps-edited"];
    let list = ["list", "rollouts", "-w", "-n", "steps-edited"];
    let watching = [
        Running::start(&mut stage.command(PLUGIN, &status)),
        Running::start(&mut stage.command(SERIN, &list)),
    ];
    watching[0].line("Paused - CanaryPauseStep");
    watching[1].line("demo");
    stage.go_away().await;
    for one in &watching {
        one.complaint("cannot reach the API server since");
    }
    // More attempts fail without a message.
    serin_clock::sleep(Duration::from_secs(1)).await;
    stage.come_back().await;
    for one in &watching {
        assert_eq!(one.complaint(""), "the API server is back");
    }
    stage.patch_status("steps-edited", "demo", json!({"phase": "Degraded", "message": "why"})).await;
    watching[0].line("Degraded - why");
    watching[1].line("Degraded");
    let [status, list] = watching;
    assert_eq!(status.end().0, 1);
    drop(list);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_gives_a_list_up_when_the_api_server_stays_away() {
    let mut stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let list = ["list", "ro", "-w", "-n", "steps-edited"];
    let [running, other] = [PLUGIN, SERIN].map(|program| Running::start(&mut stage.command(program, &list)));
    running.line("demo");
    other.line("demo");
    stage.go_away().await;
    running.complaint("Error: cannot reach the Kubernetes API server");
    assert_eq!(running.end().0, 1);
    // Under its own name, the command continues.
    serin_clock::sleep(Duration::from_secs(1)).await;
    stage.come_back().await;
    other.complaint("the API server is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_on_with_rows_that_change() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    stage.play_named("bg-auto").await;
    let plugin = Running::start(&mut stage.command(PLUGIN, &["list", "ro", "-A", "-w"]));
    plugin.line("bg-auto");
    let running = Running::start(&mut stage.command(SERIN, &["list", "ro", "-A", "-w", "--timestamps"]));
    let titles = running.line("TIMESTAMP");
    running.line("basic-create");
    let created = running.line("bg-auto");
    stage.patch_status("basic-create", "demo", json!({"HPAReplicas": 7})).await;
    stage.patch_status("bg-auto", "demo", json!({"phase": "Progressing"})).await;
    let row = running.line("");
    assert!(row.contains("bg-auto") && row.contains("Progressing"), "{row}");
    // The columns are where they were.
    let column = |line: &str, word: &str| line.find(word).expect("the word");
    assert_eq!(column(&row, "BlueGreen"), column(&created, "BlueGreen"));
    assert_eq!(column(&row, "BlueGreen"), column(&titles, "STRATEGY"));
    let time = row.split_whitespace().next().expect("a time");
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "{row}");
    stage.delete("bg-auto", "demo").await;
    assert!(running.line("").contains("Deleted"));
    // The plugin does not tell that.
    stage.patch_status("basic-create", "demo", json!({"phase": "Degraded"})).await;
    let mut row = String::new();
    while !row.contains("Degraded") {
        row = plugin.line("");
        assert!(!row.contains("Deleted"), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_one_goes_on_with_that_one() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    stage.play_named("bg-auto").await;
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "other"},
        "spec": {"strategy": {"canary": {}}}});
    stage.make(Some("bg-auto"), &rollout).await;
    let list = ["list", "ro", "-A", "-w", "--name", "other"];
    let running = Running::start(&mut stage.command(SERIN, &list));
    let rows = [running.line("NAMESPACE"), running.line("")];
    assert!(rows[1].contains("other"), "{rows:?}");
    stage.patch_status("basic-create", "demo", json!({"phase": "Degraded"})).await;
    stage.patch_status("bg-auto", "other", json!({"phase": "Paused"})).await;
    let row = running.line("");
    assert!(row.contains("other") && row.contains("Paused"), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_reads_ends() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let list = ["list", "ro", "-w", "-n", "steps-edited"];
    let status = ["status", "demo", "-n", "steps-edited"];
    for (program, args) in [(SERIN, GET.as_slice()), (PLUGIN, &GET), (SERIN, &list), (PLUGIN, &status)] {
        let mut child = stage
            .command(program, args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program runs");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        assert!(!first.is_empty());
        let output = child.wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_is_deleted_ends_its_watch() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let status = ["status", "demo", "-n", "steps-edited"];
    let watching = [
        (Running::start(&mut stage.command(SERIN, &GET)), 3, "serin: the Rollout \"demo\" was deleted\n"),
        (
            Running::start(&mut stage.command(PLUGIN, &GET)),
            1,
            "Error: rollout.argoproj.io \"demo\" not found\n",
        ),
        (
            Running::start(&mut stage.command(PLUGIN, &status)),
            1,
            "Error: rollout.argoproj.io \"demo\" not found\n",
        ),
    ];
    for (running, ..) in &watching {
        running.line("Paused");
    }
    stage.delete("steps-edited", "demo").await;
    for (running, code, said) in watching {
        let (exit, _, stderr) = running.end();
        assert_eq!((exit, stderr.as_str()), (code, said));
    }
    stage.play_named("basic-create").await;
    stage.patch_status("basic-create", "demo", json!({"phase": "Progressing"})).await;
    let running = Running::start(&mut stage.command(SERIN, &["status", "demo", "-n", "basic-create"]));
    running.line("Progressing");
    stage.delete("basic-create", "demo").await;
    let (exit, _, stderr) = running.end();
    assert_eq!((exit, stderr.as_str()), (3, "serin: the Rollout \"demo\" was deleted\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_ends_with_its_time() {
    let stage = Stage::knowing(&["Rollout"]).await;
    stage.play_named("steps-edited").await;
    for program in [SERIN, PLUGIN] {
        let done = stage.run(program, &[GET.as_slice(), &["--timeout-seconds", "2"]].concat());
        assert_eq!((done.exit, done.stderr.as_str()), (0, ""));
        assert_eq!(done.stdout.matches("Name:").count(), 1, "{}", done.stdout);
    }
}

#[test]
fn what_may_not_be_seen_is_named_beside_what_may() {
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "demo", "namespace": "shop", "uid": "u", "resourceVersion": "7"},
        "spec": {"strategy": {"canary": {}}}, "status": {"phase": "Healthy"},
    });
    let refused = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "jane may not"});
    let none = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []});
    let server = Double::start(move |asked| {
        let is_one = asked.path.ends_with("/rollouts/demo");
        Some(match asked.path.rsplit('/').next() {
            _ if is_one => (200, rollout.clone()),
            Some("rollouts") => (200, with(&none, &rollout)),
            Some("pods" | "analysisruns") => (403, refused.clone()),
            _ => (200, none.clone()),
        })
    });
    let once = server.run(SERIN, &["get", "rollout", "demo", "-n", "shop"]);
    assert!(once.stdout.contains("⟳ demo") && once.exit == 0, "{once:?}");
    assert_eq!(once.stderr, "Pods are not shown: jane may not\nAnalysisRuns are not shown: jane may not\n");
    let watched =
        server.run(SERIN, &["get", "rollout", "demo", "-n", "shop", "-w", "--timeout-seconds", "2"]);
    assert_eq!(watched.exit, 0, "{watched:?}");
    let expected =
        "⚠ Pods are not shown: jane may not\n⚠ AnalysisRuns are not shown: jane may not\n\nName:  ";
    assert!(watched.stdout.contains(expected), "{watched:?}");
}

fn with(list: &Value, item: &Value) -> Value {
    let mut list = list.clone();
    list["items"] = json!([item]);
    list
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_is_watched_where_it_is() {
    let stage = Stage::start().await;
    stage.make(None, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rollout.json");
    let template =
        json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "cart", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template, "strategy": {"canary": {}}},
    });
    std::fs::write(&path, rollout.to_string()).expect("a file");
    let path = path.to_str().expect("a path");
    let running = Running::start(&mut stage.command(SERIN, &["create", "-w", "-f", path]));
    running.line("rollout.argoproj.io/cart created");
    assert_eq!(running.line("Namespace:"), "Namespace:       shop");
    stage.delete("shop", "cart").await;
    let (code, _, stderr) = running.end();
    assert_eq!((code, stderr.as_str()), (3, "serin: the Rollout \"cart\" was deleted\n"));
}

#[test]
fn a_watch_that_is_refused_ends() {
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo", "resourceVersion": "7"},
        "spec": {"strategy": {"canary": {}}}, "status": {"phase": "Progressing"},
    });
    let refused = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "jane may not"});
    let none = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": []});
    for args in [&["status", "demo"][..], &["get", "ro", "demo", "-w"], &["list", "ro", "-w"]] {
        let (rollout, refused, none) = (rollout.clone(), refused.clone(), none.clone());
        // A list is asked for once before it is watched.
        let listed = std::sync::atomic::AtomicBool::new(args[0] != "list");
        let server = Double::start(move |asked| {
            Some(match asked.path.rsplit('/').next() {
                Some("demo") => (200, rollout.clone()),
                Some("rollouts") if listed.swap(true, std::sync::atomic::Ordering::Relaxed) => {
                    (403, refused.clone())
                }
                _ => (200, none.clone()),
            })
        });
        let done = server.run(SERIN, args);
        assert!(done.stderr.ends_with("serin: jane may not\n") && done.exit == 4, "{args:?}: {done:?}");
    }
}

/// A Rollout of which a field cannot be read, unless `max_surge` is 1.
fn rollout_with(name: &str, max_surge: u64) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "7"},
        "spec": {"replicas": 3, "strategy": {"canary": {"maxSurge": max_surge}}},
        "status": {"phase": "Healthy", "replicas": 3, "readyReplicas": 3}})
}

/// An API of which `bad` is one Rollout, and `good` another.
fn with_a_bad_one() -> Double {
    let list = |items: Value| json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": items});
    Double::start(move |asked| {
        let (bad, good) = (rollout_with("bad", 99_999_999_999), rollout_with("good", 1));
        let unreadable =
            json!({"metadata": {"name": "run", "namespace": "shop"}, "spec": {"metrics": 7, "duration": 7}});
        Some(match asked.path.rsplit('/').next() {
            Some("bad") => (200, bad),
            Some("good") => (200, good),
            Some("rollouts") => (200, list(json!([bad, good]))),
            Some("experiments" | "analysisruns") => (200, list(json!([unreadable]))),
            _ => (200, list(json!([]))),
        })
    })
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    const PROBLEM: &str = "spec.strategy.canary.maxSurge: ";
    let server = with_a_bad_one();
    for program in [SERIN, PLUGIN] {
        let done = server.run(program, &["list", "rollouts", "-n", "shop"]);
        assert_eq!(done.exit, 0, "{done:?}");
        let row = |name: &str| done.stdout.lines().find(|line| line.starts_with(name)).map(str::to_owned);
        assert!(row("good ").is_some_and(|row| row.contains(" Healthy ")), "{done:?}");
        assert!(
            row("bad ").is_some_and(|row| row.contains(" Degraded ") && row.contains(" 3/3 ")),
            "{done:?}"
        );
        let said = format!("cannot read the Rollout \"bad\": {PROBLEM}");
        assert!(done.stderr.starts_with(&said), "{done:?}");
        let shown = server.run(program, &["get", "rollout", "bad", "-n", "shop"]);
        assert!(shown.exit == 0 && shown.stdout.contains(PROBLEM), "{shown:?}");
        // Objects of others do not matter here.
        let shown = server.run(program, &["get", "rollout", "good", "-n", "shop"]);
        assert!(shown.exit == 0 && shown.stdout.contains("Healthy"), "{shown:?}");
    }
    let wide = server.run(SERIN, &["list", "rollouts", "-o", "wide", "-n", "shop"]);
    assert!(wide.stdout.contains(&format!("InvalidSpec: cannot be read: {PROBLEM}")), "{wide:?}");
    let status = server.run(SERIN, &["status", "bad", "-n", "shop"]);
    assert!(status.exit == 10 && status.stdout.contains(PROBLEM), "{status:?}");
    let history = server.run(SERIN, &["history", "bad", "-n", "shop"]);
    assert_eq!(history.exit, 0, "{history:?}");
    // A command is not given to what cannot be carried out, and is given to the others.
    let abort = server.run(SERIN, &["pause", "bad", "good", "-n", "shop"]);
    assert!(abort.exit == 1 && abort.stdout == "rollout 'good' paused\n", "{abort:?}");
    assert!(abort.stderr.contains(PROBLEM), "{abort:?}");
}

#[test]
fn a_degraded_preview_is_an_end_although_its_pause_is() {
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo", "resourceVersion": "7"},
        "spec": {"strategy": {"blueGreen": {"activeService": "a"}}},
        "status": {"phase": "Degraded", "message": "ProgressDeadlineExceeded: late", "controllerPause": true},
    });
    let list =
        json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": [rollout]});
    let server = Double::start(move |asked| {
        let is_one = asked.path.ends_with("/demo");
        Some((200, if is_one { rollout.clone() } else { list.clone() }))
    });
    for (program, exit) in [(SERIN, 10), (PLUGIN, 1)] {
        for watch in ["--watch=true", "--watch=false"] {
            let done = server.run(program, &["status", "demo", watch, "--timeout", "30s"]);
            assert!(done.exit == exit && done.stdout.starts_with("Degraded"), "{program} {watch}: {done:?}");
        }
        let shown = server.run(program, &["list", "rollouts"]);
        assert!(shown.stdout.contains(" Degraded "), "{shown:?}");
    }
}

#[test]
fn seconds_without_effect_end_no_pause() {
    let rollout = |enabled: bool| {
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo", "resourceVersion": "7"},
            "spec": {"strategy": {"blueGreen": {
                "activeService": "a", "autoPromotionEnabled": enabled, "autoPromotionSeconds": 10,
            }}},
            "status": {"phase": "Paused", "message": "BlueGreenPause", "controllerPause": true,
                "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-01-01T00:00:00Z"}]},
        })
    };
    // Only a user ends the first pause, so a wait for it ends; the other one ends automatically.
    for (enabled, exit) in [(false, 11), (true, 124)] {
        let rollout = rollout(enabled);
        let list = json!({"kind": "List", "apiVersion": "v1", "metadata": {"resourceVersion": "7"}, "items": [rollout]});
        let server = Double::start(move |asked| {
            let is_one = asked.path.ends_with("/demo");
            Some((200, if is_one { rollout.clone() } else { list.clone() }))
        });
        let done = server.run(SERIN, &["status", "demo", "--timeout", "5s"]);
        assert_eq!(done.exit, exit, "{done:?}");
    }
}

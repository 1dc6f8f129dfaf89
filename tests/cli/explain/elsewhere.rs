//! Printed commands reach the selected cluster, whatever cluster a shell would use.

use std::fs;

use serde_json::{Value, json};

use super::world::Live;
use crate::stage::{Outcome, SERIN, Stage, outcome};

/// A kubeconfig that has `from`'s cluster in a context of that name, which is not the current one.
fn named_context(from: &std::path::Path, context: &str) -> String {
    let text = fs::read_to_string(from).expect("a kubeconfig");
    let mut config: Value = serde_yaml::from_str(&text).expect("YAML");
    config["contexts"][0]["name"] = context.into();
    config["current-context"] = "another".into();
    config.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_printed_reaches_the_cluster_that_was_named() {
    let live = Live::controlled().await;
    if !live.has_kubectl() {
        return;
    }
    let file = live.file("it's mine");
    fs::write(&file, named_context(&live.stage.kubeconfig(), "the shop's")).expect("a file");
    live.make(&super::case::stepwise()).await;
    live.waits_for("nothing").await;
    let template = json!({"metadata": {"annotations": {"v": "2"}}});
    live.change(&json!({"spec": {"paused": true, "template": template}})).await;
    // First a command of kubectl helps, then one of this program.
    for (waits_for, begin) in [("resume", "kubectl patch"), ("pause", "serin promote")] {
        live.waits_for(waits_for).await;
        let words =
            ["--kubeconfig", &file, "explain", "demo", "--context", "the shop's", "-n", &live.namespace];
        let mut explain = live.stage.command(SERIN, &[&words[..], &["-o", "json"]].concat());
        let said = outcome(explain.env("KUBECONFIG", "/nowhere"));
        let said: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}", said.stderr));
        let command = said["commands"][0]["run"].as_str().expect("a command");
        assert!(command.starts_with(begin), "{command}");
        let done = live.shell(&format!("KUBECONFIG=/nowhere {command}"), "false");
        assert_eq!(done.exit, 0, "{command}: {}", done.stderr);
    }
    live.waits_for("nothing").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hint_of_a_command_reaches_it_too() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    fs::write(&file, named_context(&stage.kubeconfig(), "c")).expect("a file");
    let file = file.to_str().expect("a path");
    let Outcome { stderr, .. } =
        stage.run(SERIN, &["--kubeconfig", file, "--context=c", "abort", "demo", "-n", "basic-create"]);
    let hint = format!(": serin history demo -n basic-create --kubeconfig={file} --context=c\n");
    assert!(stderr.ends_with(&hint), "{stderr}");
}

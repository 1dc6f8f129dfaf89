//! Version, completion and manual: what is asked before anything is commanded.

use std::process::Command;

use serde_json::json;

use crate::double::Double;
use crate::stage::{Outcome, PLUGIN, SERIN, Stage, command, outcome};

const SHELLS: [&str; 4] = ["bash", "zsh", "fish", "powershell"];

/// The program without a cluster.
fn alone(name: &str, args: &[&str]) -> Outcome {
    outcome(&mut command(name, "/nothing".as_ref(), args))
}

#[test]
fn the_version_is_said_in_each_form() {
    let version = concat!("v", env!("CARGO_PKG_VERSION"));
    for program in [SERIN, PLUGIN] {
        let long = alone(program, &["version"]);
        assert!(long.stdout.starts_with(&format!("{program}: {version}\n")) && long.exit == 0, "{long:?}");
        assert_eq!(alone(program, &["version", "--short"]).stdout, format!("{version}\n"));
        let elsewhere = ["-n", "shop", "version", "--context", "none", "--kubeconfig=/dev/null", "--short"];
        assert_eq!(alone(program, &elsewhere).stdout, format!("{version}\n"));
    }
    let form = "jsonpath={.version} {.platform}";
    let expected = format!("{version} {}/{}", std::env::consts::OS, std::env::consts::ARCH);
    assert_eq!(alone(SERIN, &["version", "-o", form]).stdout, expected);
}

#[test]
fn what_is_not_there_yet_says_so() {
    for (args, said) in [
        (
            vec!["dashboard", "-p", "3100"],
            "dashboard -p 3100: this version has no dashboard yet; a later version will have it",
        ),
        (
            vec!["notifications", "template", "get"],
            "notifications template get: this version has no notifications yet; a later version will have it",
        ),
    ] {
        for (program, prefix) in [(SERIN, "serin"), (PLUGIN, "Error")] {
            let refused = alone(program, &args);
            let expected = Outcome { stdout: String::new(), stderr: format!("{prefix}: {said}\n"), exit: 1 };
            assert_eq!(refused, expected, "{args:?}");
        }
    }
}

#[test]
fn each_shell_has_its_script() {
    for shell in SHELLS {
        for program in [SERIN, PLUGIN] {
            let script = alone(program, &["completion", shell]);
            assert!(
                script.stdout.contains("SERIN_COMPLETE") && script.stdout.contains(program),
                "{script:?}"
            );
            assert_eq!((script.stderr.as_str(), script.exit), ("", 0));
            let flags = ["-n", "shop", "completion", shell, "-v", "4"];
            assert_eq!(alone(program, &flags).stdout, script.stdout, "the flags of kubectl are accepted");
        }
    }
    let unknown = alone(SERIN, &["completion", "csh"]);
    assert!(
        unknown.exit == 2 && unknown.stderr.contains("[possible values: bash, zsh, fish, powershell]"),
        "{unknown:?}"
    );
}

/// The candidates of bash for a line. Needs bash.
fn offered(stage: &Stage, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut program = stage.command(SERIN, &[&["--"], words.as_slice()].concat());
    program.env("SERIN_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string());
    let offered = outcome(&mut program);
    assert_eq!((offered.stderr.as_str(), offered.exit), ("", 0), "{line}");
    offered.stdout.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn verbs_flags_and_names_are_offered() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    for (kind, name) in [("Experiment", "load"), ("AnalysisRun", "check")] {
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name},
            "spec": {"templates": [], "metrics": []}});
        stage.make(Some("basic-create"), &object).await;
    }
    for (line, expected) in [
        ("serin prom", "promote"),
        ("serin get roll", "rollout"),
        ("serin promote --sk", "--skip-current-step"),
        ("serin promote -n basic-create de", "demo"),
        ("serin get rollout --namespace=basic-create ", "demo"),
        ("serin status --kloglevel 3 -n basic-create ", "demo"),
        ("serin -n prod prom", "promote"),
        ("serin --context x --kubeconfig=y get roll", "rollout"),
        ("serin --con", "--context"),
        ("serin --insecure-skip-tls-verify stat", "status"),
        ("serin -n basic-create promote de", "demo"),
        ("serin --namespace=other get ro -n basic-create ", "demo"),
        ("serin -nbasic-create status ", "demo"),
        ("serin status --insecure-skip-tls-verify -n basic-create ", "demo"),
        ("serin status -n other -n basic-create ", "demo"),
        ("serin retry experiment -n basic-create ", "load"),
        ("serin get experiment -n basic-create ", "load"),
        ("serin terminate ar -n basic-create ", "check"),
    ] {
        let offered = offered(&stage, line);
        assert!(offered.iter().any(|one| one == expected), "{line}: {offered:?}");
    }
    assert_eq!(offered(&stage, "serin --context "), [""; 0], "a value is no verb");
    assert!(!offered(&stage, "serin promote ").iter().any(|one| one == "demo"), "it is in another namespace");
    let kubectl = stage.run(PLUGIN, &["__complete", "get", "rollout", "-n", "basic-create", "d"]);
    assert_eq!((kubectl.stdout.as_str(), kubectl.exit), ("demo\n:4\n", 0));
    let file = stage.kubeconfig();
    let file = file.to_str().expect("a path");
    let before = ["__complete", "--kubeconfig", file, "-n", "basic-create", "get", "rollout", "d"];
    let kubectl = outcome(stage.command(PLUGIN, &before).env("KUBECONFIG", "/nowhere"));
    assert_eq!((kubectl.stdout.as_str(), kubectl.exit), ("demo\n:4\n", 0), "{}", kubectl.stderr);
    let verb = stage.run(PLUGIN, &["__complete", "promo"]);
    assert_eq!(verb.stdout, "promote\tEnd the pause of Rollouts, or skip steps of their updates\n:4\n");
    let flags = stage.run(PLUGIN, &["__complete", "status", "--"]).stdout;
    assert!(flags.contains("--watch\tWait until") && !flags.contains("--kloglevel"), "{flags}");
}

#[test]
fn a_shell_does_not_wait_for_a_server_that_is_silent() {
    let offered = Double::start(|_| None).run(PLUGIN, &["__complete", "promote", ""]);
    assert!(offered.stdout.ends_with(":4\n") && offered.exit == 0, "{offered:?}");
}

#[test]
fn who_does_not_read_a_result_to_the_end_need_not() {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let unread = outcome(command(SERIN, "/nothing".as_ref(), &["completion", "bash"]).stdout(writer));
    assert_eq!((unread.stderr.as_str(), unread.exit), ("", 0));
}

#[test]
fn without_a_cluster_no_names_are_offered() {
    let mut program = command(SERIN, "/nothing".as_ref(), &["--", "serin", "promote", ""]);
    program.env("SERIN_COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", "2");
    let offered = outcome(&mut program);
    assert_eq!((offered.stderr.as_str(), offered.exit), ("", 0));
}

#[test]
fn bash_accepts_its_script() {
    let script = alone(SERIN, &["completion", "bash"]).stdout;
    let checked = Command::new("bash").args(["-n", "-c", &script]).output().expect("bash");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn the_reference_page_is_that_of_the_definition() {
    let page = std::fs::read_to_string("docs/cli-reference.md").expect("the page");
    assert_eq!(
        page,
        serin::cli::manual::reference(serin::cli::definition()),
        "serin manual > docs/cli-reference.md"
    );
}

#[test]
fn each_verb_has_a_man_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("a path");
    let written = alone(SERIN, &["manual", "--man", path]);
    assert_eq!((written.stderr.as_str(), written.exit), ("", 0));
    for verb in ["serin", "serin-get-rollout", "serin-promote", "serin-set-image", "serin-controller"] {
        let page = std::fs::read_to_string(folder.path().join(format!("{verb}.1"))).expect(verb);
        assert!(page.contains(".SH NAME") && page.contains(".SH SYNOPSIS"), "{verb}: {page}");
    }
}

//! The playground as its users run it.

use std::path::Path;
use std::process::{Command, Output};

fn playground(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_serin")).arg("playground").args(args).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Each story is judged by the responses that visitors got; its exit code is the judgement.
fn tell(story: &str, last_words: &str) {
    let output = playground(&["--story", story]);
    let (told, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{story}: {told}{errors}");
    assert!(told.trim_end().ends_with(last_words), "{story}: {told}");
}

#[test]
fn a_canary_moves_real_requests_and_loses_none() {
    tell("canary", "steady requests failed");
}

#[test]
fn a_header_reaches_the_canary_whatever_the_weight() {
    tell("canary-header", "the header finds no canary any more");
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
    tell("bad-release", "nobody meets it any more");
}

#[test]
fn mistakes_are_said_with_file_and_line() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, manifest, said) in [
        ("broken.yaml", "a: b\n---\nkind: [\n", "broken.yaml:"),
        ("nameless.yaml", "apiVersion: v1\nkind: Service\n", "nameless.yaml:1: metadata.name is missing"),
        ("unknown.yaml", "apiVersion: v1\nkind: Nothing\nmetadata: {name: a}\n", "no kind Nothing in v1"),
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
    let port = taken.local_addr().expect("an address").port().to_string();
    for flag in ["--port", "--api-port"] {
        let output = playground(&[flag, &port]);
        let errors = text(&output.stderr);
        assert!(!output.status.success() && errors.contains("choose another port"), "{flag}: {errors}");
    }
}

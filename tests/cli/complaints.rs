//! Messages for users who do not know the program yet.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

fn serin(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_serin"));
    command.args(args).env_remove("KUBECONFIG").env_remove("KUBERNETES_SERVICE_HOST");
    // A home without a kubeconfig.
    command.env("HOME", "/nonexistent");
    command
}

/// The exit code, and the standard error: it must be short and free of backtraces.
fn complaint(output: &Output) -> (Option<i32>, String) {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.lines().count() <= 7 && !text.contains("panicked"), "{text}");
    (output.status.code(), text)
}

fn complaint_of(args: &[&str]) -> (Option<i32>, String) {
    complaint(&serin(args).output().expect("the program runs"))
}

fn kubeconfig(directory: &Path, server: &str) -> String {
    let file = directory.join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
         contexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: '{server}'}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    std::fs::write(&file, text).expect("a file");
    file.to_string_lossy().into_owned()
}

/// An address of this machine at which nothing listens.
fn silent_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[test]
fn without_a_cluster_it_says_how_to_name_one() {
    let (code, text) = complaint_of(&["controller"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.starts_with("serin: no cluster is configured:") && text.contains("--kubeconfig"), "{text}");
}

#[test]
fn a_kubeconfig_that_is_not_there_is_named() {
    let (code, text) = complaint_of(&["controller", "--kubeconfig", "/nonexistent/config"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("/nonexistent/config: No such file"), "{text}");
}

#[test]
fn a_context_that_is_not_there_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = kubeconfig(directory.path(), "http://127.0.0.1:1");
    let (code, text) = complaint_of(&["controller", "--kubeconfig", &file, "--context", "nowhere"]);
    assert_eq!(code, Some(1), "{text}");
    let list =
        format!("context \"nowhere\" not found; `kubectl config get-contexts --kubeconfig={file}` lists");
    assert!(text.contains(&list), "{text}");
}

#[test]
fn a_cluster_that_does_not_answer_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let address = silent_address();
    let file = kubeconfig(directory.path(), &address);
    let args =
        ["controller", "--kubeconfig", &file, "--healthzPort=0", "--metricsPort=0", "--loglevel=error"];
    let (code, text) = complaint_of(&args);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("cannot reach the Kubernetes API server at {address}")), "{text}");
    assert!(text.contains("Is the cluster running"), "{text}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = kubeconfig(directory.path(), "http://127.0.0.1:1");
    let taken = TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let (code, text) = complaint_of(&["controller", "--kubeconfig", &file, "--healthzPort", &port]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains(&format!("on port {port}: ")) && text.contains("--healthzPort"), "{text}");
}

#[test]
fn unknown_and_incomplete_flags_are_explained() {
    let (code, text) = complaint_of(&["controller", "--no-such-flag"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("unexpected argument '--no-such-flag'"), "{text}");
    let (code, text) = complaint_of(&["controller", "--rollout-thread", "3"]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("'--rollout-threads'"), "{text}");
}

#[test]
fn the_version_is_that_of_the_package() {
    let output = serin(&["--version"]).output().expect("the program runs");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("serin {}\n", env!("CARGO_PKG_VERSION")));
    let output = serin(&["controller", "--version"]).output().expect("the program runs");
    let version = format!("serin-controller {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), version);
}

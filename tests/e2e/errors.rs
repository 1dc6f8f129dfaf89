//! The mistakes that a new user makes, and what the program says to each: what is wrong, and what to do.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serin_clock as clock;

use crate::rollouts::SERIN;
use crate::support::own_plane;

/// Longer than the program takes to give up on a server that does not answer.
const LIMIT: Duration = Duration::from_secs(30);

/// How a run of the program that should not last ended: the exit code and the standard error.
async fn run(args: &[&str], env: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(SERIN);
    // Nothing of the one who runs the tests.
    command.args(args).env_remove("KUBECONFIG").env("HOME", "/nonexistent").envs(env.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let deadline = tokio::time::Instant::now() + LIMIT;
    while child.try_wait().unwrap().is_none() && tokio::time::Instant::now() < deadline {
        clock::sleep(Duration::from_millis(20)).await;
    }
    // Whether it still runs shows in the missing exit code.
    child.kill().unwrap_or_default();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// What keeps a controller out of the way of those that other tests run at the same time.
const APART: [&str; 3] = ["controller", "--metricsPort=0", "--leader-elect=false"];

/// Runs the controller, which must end with code 1 and these lines, without what it logs before.
async fn says(args: &[&str], env: &[(&str, &str)], expected: &[&str]) {
    let all: Vec<&str> = APART.into_iter().chain(args.iter().copied()).collect();
    let (code, stderr) = run(&all, env).await;
    let lines: Vec<_> = stderr.lines().filter(|line| !line.contains(" INFO ")).collect();
    assert_eq!((code, lines.as_slice()), (Some(1), expected), "{args:?}");
}

fn file(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used() {
    let none = "serin: no cluster is configured: /nonexistent/.kube/config: No such file or directory (os error 2); \
                and this process does not run in a pod: $KUBERNETES_SERVICE_HOST is not set";
    says(&[], &[], &[none, "Set --kubeconfig or $KUBECONFIG to a kubeconfig."]).await;

    let absent = "cannot use the kubeconfig /nonexistent/config: No such file or directory (os error 2)";
    let other = "Set --kubeconfig or $KUBECONFIG to another file, or --context to another context.";
    says(&["--kubeconfig", "/nonexistent/config"], &[], &[&format!("serin: {absent}"), other]).await;
    says(&[], &[("KUBECONFIG", "/nonexistent/config")], &[&format!("serin: {absent}"), other]).await;

    let directory = tempfile::tempdir().unwrap();
    let broken = file(directory.path(), "broken", "not: [closed");
    let (code, stderr) = run(&["controller", "--kubeconfig", &broken], &[]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.starts_with(&format!("serin: cannot use the kubeconfig {broken}: ")), "{stderr}");
    assert!(stderr.contains("line 1") && stderr.ends_with(&format!("\n{other}\n")), "{stderr}");

    let empty = file(directory.path(), "empty", "apiVersion: v1\nkind: Config\n");
    let error = format!("serin: cannot use the kubeconfig {empty}: no current context is set");
    says(&["--kubeconfig", &empty], &[], &[&error, other]).await;
    let error = format!(
        "serin: cannot use the kubeconfig {empty}: context \"shop\" not found; `kubectl config \
         get-contexts --kubeconfig={empty}` lists the existing ones"
    );
    says(&["--kubeconfig", &empty, "--context", "shop"], &[], &[&error, other]).await;
}

#[tokio::test]
async fn a_cluster_that_does_not_answer() {
    let directory = tempfile::tempdir().unwrap();
    // A port that nobody listens on.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let kubeconfig = file(
        directory.path(),
        "kubeconfig",
        &format!(
            "{{\"apiVersion\": \"v1\", \"kind\": \"Config\",
        \"current-context\": \"c\", \"users\": [{{\"name\": \"u\", \"user\": {{}}}}],
        \"clusters\": [{{\"name\": \"c\", \"cluster\": {{\"server\": \"https://127.0.0.1:{port}\"}}}}],
        \"contexts\": [{{\"name\": \"c\", \"context\": {{\"cluster\": \"c\", \"user\": \"u\"}}}}]}}"
        ),
    );
    let error = format!(
        "serin: cannot reach the Kubernetes API server at https://127.0.0.1:{port}/: Connection refused (os error 111)"
    );
    let remedy =
        "Is the cluster running, and is this the one you mean? --kubeconfig and --context choose another.";
    says(&["--kubeconfig", &kubeconfig, "--healthzPort", "0"], &[], &[&error, remedy]).await;

    let taken = TcpListener::bind(("::", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = format!(
        "serin: cannot serve /healthz and /readyz on port {port}: Address already in use (os error 98)"
    );
    let remedy = "Choose another port with --healthzPort, or 0 for none.";
    says(&["--kubeconfig", &kubeconfig, "--healthzPort", &port], &[], &[&error, remedy]).await;
}

#[tokio::test]
async fn mistakes_on_the_command_line() {
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["controller", "--healthz-port", "1"],
            &["unexpected argument '--healthz-port'", "'--healthzPort' exists"],
        ),
        (&["controller", "--leader-elect=often"], &["'often'", "'--leader-elect[=<BOOL>]'", "true or false"]),
        (
            &["controller", "--controllers", "analysis"],
            &["'analysis'", "AnalysisRuns alone is not built yet"],
        ),
        (&["controller", "--healthzPort", "99999"], &["'99999'", "'--healthzPort <PORT>'", "0..=65535"]),
        (
            &["controller", "--loglevel", "loud"],
            &["'loud'", "[possible values: error, warn, info, debug, trace]"],
        ),
        (
            &["contorller"],
            &["unrecognized subcommand 'contorller'", "similar subcommand exists: 'controller'"],
        ),
    ];
    for (args, parts) in cases {
        let (code, stderr) = run(args, &[]).await;
        assert_eq!(code, Some(2), "{args:?}: {stderr}");
        for part in parts {
            let part = part.replace("'--healthzPort' exists", "similar argument exists: '--healthzPort'");
            assert!(stderr.contains(&part), "{args:?}: {part} is not in {stderr}");
        }
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_prepared() {
    let Some(plane) = own_plane().await else { return };
    let serin = plane.serin_kubeconfig().to_str().unwrap().to_owned();
    let port = ["--healthzPort", "0"];
    let args = [&["--kubeconfig", &serin][..], &port].concat();
    says(&args, &[], &[
        "serin: the cluster does not know the kinds of argoproj.io/v1alpha1; install the definitions first:",
        "kubectl apply -f crds/   (or: serin crds | kubectl apply -f -)",
    ]).await;

    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let names = plane
        .kubectl(&["apply", "--server-side", "-o", "name", "-f", crds])
        .await
        .unwrap()
        .success()
        .unwrap();
    let wait = ["wait", "--for=condition=Established", "--timeout=30s"];
    let all: Vec<&str> = wait.into_iter().chain(names.lines()).collect();
    plane.kubectl(&all).await.unwrap().success().unwrap();
    for (scope, place) in
        [(&[][..], "at the cluster scope"), (&["--namespaced"][..], "in the namespace \"default\"")]
    {
        let (code, stderr) = run(&[&APART[..], &args, scope].concat(), &[]).await;
        let lines: Vec<_> = stderr.lines().filter(|line| !line.contains(" INFO ")).collect();
        assert_eq!((code, lines.len()), (Some(1), 2), "{stderr}");
        assert!(lines[0].starts_with("serin: no right to list "), "{stderr}");
        assert!(
            lines[0].contains("User \"serin\" cannot list resource") && lines[0].ends_with(place),
            "{stderr}"
        );
        assert_eq!(
            lines[1],
            "Bind the ClusterRole of deploy/ to the user: with a ClusterRoleBinding, or for --namespaced with a RoleBinding."
        );
    }

    // The administrator has every right, but there is no place for the lease.
    let kubeconfig = plane.admin_kubeconfig().to_str().unwrap();
    let elect = ["controller", "--metricsPort=0", "--healthzPort=0", "--kubeconfig", kubeconfig];
    let (code, stderr) = run(&elect, &[("POD_NAMESPACE", "nowhere")]).await;
    let expected = "serin: cannot take part in the election of a leader by the Lease \
                    nowhere/argo-rollouts-controller-lock: namespaces \"nowhere\" not found\n\
                    Create the namespace and bind the Role of deploy/ in it, name another one in $POD_NAMESPACE, or run a \
                    single replica with --leader-elect=false.\n";
    assert!(code == Some(1) && stderr.ends_with(expected), "{code:?} {stderr}");

    let admin = std::fs::read_to_string(plane.admin_kubeconfig()).unwrap();
    let text = std::fs::read_to_string(&serin).unwrap();
    let token = text.split("\"token\": \"").nth(1).unwrap().split('"').next().unwrap();
    let stranger = file(plane.directory(), "stranger.kubeconfig", &text.replace(token, "no-such-token"));
    let server = admin.split("\"server\": \"").nth(1).unwrap().split('"').next().unwrap();
    let error = format!(
        "serin: the Kubernetes API server at {server}/ does not accept the credentials: Unauthorized"
    );
    let remedy = "Log in again, or choose another user with --kubeconfig or --context.";
    says(&[&["--kubeconfig", &stranger][..], &port].concat(), &[], &[&error, remedy]).await;
}

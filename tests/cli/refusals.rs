//! What users are told who may not ask, or get no answer.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::stage::{Outcome, PLUGIN, SERIN, command, outcome};

/// A server that gives everybody the same answer, or none.
struct Answerer {
    _directory: TempDir,
    kubeconfig: PathBuf,
}

impl Answerer {
    fn start(answer: Option<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = format!("http://{}", listener.local_addr().expect("an address"));
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for mut stream in listener.incoming().map_while(Result::ok) {
                match &answer {
                    // A request without a body fits.
                    Some(answer) => {
                        let _read = stream.read(&mut [0; 8192]);
                        let _gone = stream.write_all(answer.as_bytes());
                    }
                    None => silent.push(stream),
                }
            }
        });
        let directory = tempfile::tempdir().expect("a folder");
        let kubeconfig = directory.path().join("config");
        let text = json!({
            "current-context": "c", "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        });
        std::fs::write(&kubeconfig, text.to_string()).expect("a file");
        Self { _directory: directory, kubeconfig }
    }

    fn run(&self, name: &str, args: &[&str]) -> Outcome {
        outcome(&mut command(name, &self.kubeconfig, args))
    }
}

const ALL: [&[&str]; 3] = [&["get", "rollout", "demo"], &["list", "rollouts"], &["status", "demo"]];

#[test]
fn a_missing_right_has_a_code_of_its_own() {
    let status =
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "rollouts is forbidden: jane may not"})
        .to_string();
    let head =
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:";
    let server = Answerer::start(Some(format!("{head} {}\r\n\r\n{status}", status.len())));
    for args in ALL {
        let refused = server.run(SERIN, args);
        let expected = "serin: rollouts is forbidden: jane may not\n";
        assert_eq!((refused.stderr.as_str(), refused.exit), (expected, 4), "{args:?}");
        assert_eq!(server.run(PLUGIN, args).exit, 1, "{args:?}");
    }
}

#[test]
fn an_answer_that_does_not_come_has_a_code_of_its_own() {
    let server = Answerer::start(None);
    for args in ALL {
        let late = server.run(SERIN, &[args, &["--request-timeout", "200ms"]].concat());
        let expected = "serin: no answer from the API server within 200ms\n";
        assert_eq!((late.stderr.as_str(), late.exit), (expected, 5), "{args:?}");
    }
}

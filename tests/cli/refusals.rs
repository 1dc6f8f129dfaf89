//! Messages for users without permission, and for requests without an answer.

use serde_json::json;

use crate::double::{Asked, Double};
use crate::stage::{PLUGIN, SERIN};

const ALL: [&[&str]; 15] = [
    &["get", "rollout", "demo"],
    &["list", "rollouts"],
    &["status", "demo"],
    &["explain", "demo"],
    &["promote", "demo"],
    &["abort", "demo"],
    &["retry", "rollout", "demo"],
    &["pause", "demo"],
    &["restart", "demo"],
    &["retry", "experiment", "demo"],
    &["undo", "demo"],
    &["history", "demo"],
    &["set", "image", "demo", "web=a:b"],
    &["terminate", "analysisrun", "demo"],
    &["terminate", "experiment", "demo"],
];

#[test]
fn a_missing_right_has_a_code_of_its_own() {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403,
        "reason": "Forbidden", "message": "rollouts is forbidden: jane may not"});
    let server = Double::start(move |_| Some((403, status.clone())));
    for args in ALL {
        let refused = server.run(SERIN, args);
        let expected = "serin: rollouts is forbidden: jane may not\n";
        assert_eq!((refused.stderr.as_str(), refused.exit), (expected, 4), "{args:?}");
        let refused = server.run(PLUGIN, args);
        let expected = "Error: rollouts is forbidden: jane may not\n";
        assert_eq!((refused.stderr.as_str(), refused.exit), (expected, 1), "{args:?}");
    }
}

#[test]
fn an_answer_that_does_not_come_has_a_code_of_its_own() {
    let server = Double::start(|_| None);
    for args in ALL {
        let late = server.run(SERIN, &[args, &["--request-timeout", "200ms"]].concat());
        let expected = "serin: no answer from the API server within 200ms\n";
        assert_eq!((late.stderr.as_str(), late.exit), (expected, 5), "{args:?}");
    }
}

#[test]
fn what_an_explanation_can_do_without_is_named() {
    let refused = |asked: &Asked| {
        let resource = asked.path.rsplit('/').next().unwrap_or_default().to_owned();
        let message = format!("{resource} is forbidden: jane may not");
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 403, "message": message})
    };
    let server = Double::start(move |asked| {
        let optional = ["/pods", "/leases", "/poddisruptionbudgets"];
        if optional.iter().any(|end| asked.path.ends_with(end)) {
            return Some((403, refused(asked)));
        }
        let is_rollout = asked.path.ends_with("/rollouts/demo");
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"name": "demo", "namespace": "shop", "uid": "u", "generation": 1, "resourceVersion": "1"},
            "spec": {"restartAt": "2026-01-01T00:00:00Z"},
        });
        let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": []});
        Some((200, if is_rollout { rollout } else { list }))
    });
    let said = server.run(SERIN, &["explain", "demo", "-n", "shop"]);
    assert_eq!((said.stderr.as_str(), said.exit), ("", 0));
    for resource in ["pods", "leases", "poddisruptionbudgets"] {
        let expected = format!("Not readable: {resource}: {resource} is forbidden: jane may not\n");
        assert!(said.stdout.contains(&expected), "{}", said.stdout);
    }
}

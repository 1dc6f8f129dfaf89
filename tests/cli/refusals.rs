//! What users are told who may not ask, or get no answer.

use serde_json::json;

use crate::double::Double;
use crate::stage::{PLUGIN, SERIN};

const ALL: [&[&str]; 14] = [
    &["get", "rollout", "demo"],
    &["list", "rollouts"],
    &["status", "demo"],
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

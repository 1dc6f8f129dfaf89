//! What the commands send: the patches of the reference's plugin.

use serde_json::{Value, json};

use crate::double::{Answer, Asked, Double};
use crate::stage::{PLUGIN, SERIN, Stage};

const DEMO: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/demo";

/// A Rollout that the user and a step have paused.
fn paused() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo", "namespace": "shop"},
        "spec": {"paused": true, "strategy": {"canary": {"steps": [{"pause": {}}]}}},
        "status": {
            "currentStepIndex": 0, "controllerPause": true, "currentPodHash": "b", "stableRS": "a",
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
        },
    })
}

fn not_found() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404,
        "reason": "NotFound", "message": "the server could not find the requested resource"})
}

/// What was patched: the end of the path, and the body.
fn patches(asked: Vec<Asked>) -> Vec<(String, Value)> {
    let patches = asked.into_iter().filter(|asked| asked.method == "PATCH");
    patches
        .map(|asked| {
            assert_eq!(asked.content_type, "application/merge-patch+json");
            (asked.path.strip_prefix(DEMO).expect("the path of the Rollout").to_owned(), asked.body)
        })
        .collect()
}

fn patch(path: &str, body: Value) -> (String, Value) {
    (path.to_owned(), body)
}

#[test]
fn each_command_sends_its_patches() {
    let server = Double::start(|_| Some((200, paused())));
    let status = |status: Value| patch("/status", json!({"status": status}));
    let unpause = patch("", json!({"spec": {"paused": false}}));
    for (args, said, expected) in [
        (vec!["abort", "demo"], "aborted", vec![status(json!({"abort": true}))]),
        (vec!["retry", "rollout", "demo"], "retried", vec![status(json!({"abort": false}))]),
        (vec!["retry", "ro", "demo"], "retried", vec![status(json!({"abort": false}))]),
        (vec!["pause", "demo"], "paused", vec![patch("", json!({"spec": {"paused": true}}))]),
        (
            vec!["promote", "demo"],
            "promoted",
            vec![status(json!({"pauseConditions": null})), unpause.clone()],
        ),
        (
            vec!["promote", "demo", "--full"],
            "fully promoted",
            vec![status(json!({"promoteFull": true})), unpause],
        ),
        (vec!["promote", "demo", "-c"], "promoted", vec![status(json!({"currentStepIndex": 1}))]),
        (
            vec!["promote", "demo", "--skip-all-steps"],
            "promoted",
            vec![status(json!({"currentStepIndex": 1}))],
        ),
    ] {
        for program in [SERIN, PLUGIN] {
            let done = server.run(program, &[args.as_slice(), &["-n", "shop"]].concat());
            let expected_words = format!("rollout 'demo' {said}\n");
            assert_eq!(
                (done.stdout.as_str(), done.stderr.as_str(), done.exit),
                (expected_words.as_str(), "", 0)
            );
            assert_eq!(patches(server.asked()), expected, "{args:?}");
        }
    }
}

#[test]
fn a_restart_sends_a_time() {
    let server = Double::start(|_| Some((200, paused())));
    let done = server.run(SERIN, &["restart", "demo", "-n", "shop", "--in", "90s"]);
    assert_eq!(
        (done.stdout.as_str(), done.exit),
        ("rollout 'demo' restarts in 1m30s\n", 0),
        "{}",
        done.stderr
    );
    let patches = patches(server.asked());
    let [(path, body)] = patches.as_slice() else { panic!("{patches:?}") };
    let at = body["spec"]["restartAt"].as_str().expect("a time");
    assert!(
        path.is_empty() && at.len() == "2026-01-01T00:00:00Z".len() && at.parse::<jiff::Timestamp>().is_ok()
    );
    assert_eq!(body.pointer("/spec").and_then(Value::as_object).map(serde_json::Map::len), Some(1));
}

#[test]
fn without_a_subresource_everything_goes_into_the_rollout() {
    let answer = |asked: &Asked| -> Answer {
        if asked.path.ends_with("/status") { Some((404, not_found())) } else { Some((200, paused())) }
    };
    let server = Double::start(answer);
    for (args, body) in [
        (vec!["abort", "demo"], json!({"status": {"abort": true}})),
        (vec!["promote", "demo"], json!({"status": {"pauseConditions": null}, "spec": {"paused": false}})),
    ] {
        let done = server.run(SERIN, &[args.as_slice(), &["-n", "shop"]].concat());
        assert_eq!(done.exit, 0, "{}", done.stderr);
        let sent = patches(server.asked());
        assert_eq!(sent.last(), Some(&patch("", body)), "{args:?}");
        assert_eq!(sent.len(), 2, "{sent:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_rollouts_are_commanded_until_one_is_missing() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    let done = stage.run(SERIN, &["abort", "demo", "missing", "other", "-n", "basic-create"]);
    assert_eq!((done.stdout.as_str(), done.exit), ("rollout 'demo' aborted\n", 3));
    let expected = "serin: there is no Rollout \"missing\" in the namespace \"basic-create\"\n";
    assert_eq!(done.stderr, expected);
    let skipped = stage.run(SERIN, &["promote", "demo", "-c", "-a"]);
    assert_eq!(skipped.exit, 2, "{}", skipped.stderr);
}

//! What the commands send: the patches of the reference's plugin.

use serde_json::{Value, json};

use crate::double::{Answer, Asked, Double};
use crate::stage::{PLUGIN, SERIN};

const NAMESPACE: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop";
const DEMO: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/demo";
const MERGE: &str = "application/merge-patch+json";

/// A Rollout that the user and a step have paused.
fn paused() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": {"name": "demo", "namespace": "shop", "uid": "u"},
        "spec": {"paused": true, "strategy": {"canary": {"steps": [{"pause": {}}]}}, "template": template("new")},
        "status": {
            "currentStepIndex": 0, "controllerPause": true, "currentPodHash": "b", "stableRS": "a",
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
        },
    })
}

/// The same, aborted.
fn aborted() -> Value {
    let mut rollout = paused();
    rollout["spec"]["paused"] = false.into();
    rollout["status"]["abort"] = true.into();
    rollout
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "demo"}}, "spec": {"containers": [{"name": "web", "image": image}]}})
}

/// The ReplicaSets of two revisions, and one of somebody else.
fn replica_sets() -> Value {
    let set = |revision: &str, image: &str, uid: &str| {
        let mut template = template(image);
        template["metadata"]["labels"]["rollouts-pod-template-hash"] = revision.into();
        let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "demo", "uid": uid, "controller": true});
        let annotations = json!({"rollout.argoproj.io/revision": revision});
        json!({"metadata": {"name": image, "annotations": annotations, "ownerReferences": [owner]},
            "spec": {"template": template}})
    };
    let items = [set("1", "old", "u"), set("3", "foreign", "v"), set("2", "new", "u")];
    json!({"apiVersion": "apps/v1", "kind": "ReplicaSetList", "metadata": {}, "items": items})
}

fn not_found() -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404,
        "reason": "NotFound", "message": "the server could not find the requested resource"})
}

/// A server with a Rollout that stands so.
fn server(rollout: Value) -> Double {
    Double::start(move |asked| {
        let is_list = asked.path.ends_with("/replicasets");
        Some((200, if is_list { replica_sets() } else { rollout.clone() }))
    })
}

fn is_write(asked: &Asked) -> bool {
    asked.method != "GET"
}

/// What was sent to change something: method, end of the path, content type, body.
fn writes(asked: Vec<Asked>) -> Vec<Asked> {
    asked.into_iter().filter(is_write).collect()
}

fn merge(path: &str, body: Value) -> Asked {
    Asked { method: "PATCH".to_owned(), path: path.to_owned(), content_type: MERGE.to_owned(), body }
}

#[test]
fn each_command_sends_its_patches() {
    let status = |status: Value| merge(&format!("{DEMO}/status"), json!({"status": status}));
    let spec = |spec: Value| merge(DEMO, json!({"spec": spec}));
    let unpause = || spec(json!({"paused": false}));
    let experiment = |body: Value| merge(&format!("{NAMESPACE}/experiments/x"), body);
    let end = json!({"spec": {"terminate": true}});
    let mut playing = paused();
    playing["spec"]["paused"] = false.into();
    let unpaused = playing.clone();
    let mut other_image = paused();
    other_image["spec"]["template"] = template("a=b:c");
    let back = Asked {
        content_type: "application/json-patch+json".to_owned(),
        ..merge(DEMO, json!([{"op": "replace", "path": "/spec/template", "value": template("old")}]))
    };
    let put = Asked {
        method: "PUT".to_owned(),
        content_type: "application/json".to_owned(),
        ..merge(DEMO, other_image)
    };
    for (args, rollout, said, expected) in [
        ("abort demo", unpaused.clone(), "rollout 'demo' aborted", vec![status(json!({"abort": true}))]),
        ("retry rollout demo", aborted(), "rollout 'demo' retried", vec![status(json!({"abort": false}))]),
        ("retry ro demo", aborted(), "rollout 'demo' retried", vec![status(json!({"abort": false}))]),
        ("retry rollouts demo", aborted(), "rollout 'demo' retried", vec![status(json!({"abort": false}))]),
        ("retry exp x", paused(), "experiment 'x' retried", vec![experiment(json!({"status": null}))]),
        ("pause demo", unpaused.clone(), "rollout 'demo' paused", vec![spec(json!({"paused": true}))]),
        (
            "promote demo",
            paused(),
            "rollout 'demo' promoted",
            vec![status(json!({"pauseConditions": null})), unpause()],
        ),
        ("promote demo", unpaused, "rollout 'demo' promoted", vec![status(json!({"pauseConditions": null}))]),
        (
            "promote demo --full",
            paused(),
            "rollout 'demo' fully promoted",
            vec![status(json!({"promoteFull": true})), unpause()],
        ),
        (
            "promote demo -c",
            paused(),
            "rollout 'demo' promoted",
            vec![status(json!({"currentStepIndex": 1}))],
        ),
        (
            "promote demo --skip-all-steps",
            paused(),
            "rollout 'demo' promoted",
            vec![status(json!({"currentStepIndex": 1}))],
        ),
        ("undo demo", paused(), "rollout 'demo' undo", vec![back.clone()]),
        ("undo demo --to-revision 1", paused(), "rollout 'demo' undo", vec![back.clone()]),
        ("undo demo --to-revision=1", paused(), "rollout 'demo' undo", vec![back]),
        ("set image demo web=a=b:c", paused(), "rollout \"demo\" image updated", vec![put.clone()]),
        ("set image demo *=a=b:c", paused(), "rollout \"demo\" image updated", vec![put]),
        (
            "terminate ar x",
            paused(),
            "analysisRun 'x' terminated",
            vec![merge(&format!("{NAMESPACE}/analysisruns/x"), end.clone())],
        ),
        (
            "terminate analysisrun x",
            paused(),
            "analysisRun 'x' terminated",
            vec![merge(&format!("{NAMESPACE}/analysisruns/x"), end.clone())],
        ),
        ("terminate exp x", paused(), "experiment 'x' terminated", vec![experiment(end)]),
    ] {
        for program in [SERIN, "kubectl-serin", PLUGIN] {
            let server = server(rollout.clone());
            let args: Vec<&str> = args.split(' ').collect();
            // The reference's plugin says that it retried what it terminated.
            let slip = program == PLUGIN && args[..2] == ["terminate", "exp"];
            let said = if slip { "experiment 'x' retried" } else { said };
            let done = server.run(program, &[&["-n", "shop"], args.as_slice()].concat());
            assert_eq!(
                (done.stdout, done.stderr.as_str(), done.exit),
                (format!("{said}\n"), "", 0),
                "{program} {args:?}"
            );
            let asked = server.asked();
            if program == PLUGIN && ["abort", "pause", "retry", "terminate"].contains(&args[0]) {
                assert!(asked.iter().all(is_write), "{asked:?}");
            }
            assert_eq!(writes(asked), expected, "{program} {args:?}");
        }
    }
}

#[test]
fn a_write_that_came_too_late_is_tried_again() {
    let conflict = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 409,
        "reason": "Conflict", "message": "the object has been modified"});
    for (conflicts, exit, puts) in [(4, 0, 5), (5, 1, 5)] {
        let left = std::sync::Mutex::new(conflicts);
        let conflict = conflict.clone();
        let server = Double::start(move |asked| {
            let mut left = left.lock().expect("the count");
            if asked.method == "PUT" && *left > 0 {
                *left -= 1;
                return Some((409, conflict.clone()));
            }
            Some((200, paused()))
        });
        let done = server.run(SERIN, &["set", "image", "demo", "web=a", "-n", "shop"]);
        assert_eq!(done.exit, exit, "{}", done.stderr);
        let asked = server.asked();
        assert_eq!(writes(asked.clone()).len(), puts);
        assert_eq!(asked.len(), 2 * puts, "{asked:?}");
    }
}

#[test]
fn a_restart_sends_a_time() {
    let server = server(paused());
    let done = server.run(SERIN, &["restart", "demo", "-n", "shop", "--in", "90s"]);
    assert_eq!(
        (done.stdout.as_str(), done.exit),
        ("rollout 'demo' restarts in 1m30s\n", 0),
        "{}",
        done.stderr
    );
    let writes = writes(server.asked());
    let [Asked { path, body, .. }] = writes.as_slice() else { panic!("{writes:?}") };
    let at = body["spec"]["restartAt"].as_str().expect("a time");
    assert!(
        path == DEMO && at.len() == "2026-01-01T00:00:00Z".len() && at.parse::<jiff::Timestamp>().is_ok()
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
        let sent = writes(server.asked());
        assert_eq!(sent.last(), Some(&merge(DEMO, body)), "{args:?}");
        assert_eq!(sent.len(), 2, "{sent:?}");
    }
}

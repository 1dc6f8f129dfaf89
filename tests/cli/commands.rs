//! Requests of commands: the patches of the reference's plugin.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use serin_clock::Clock;

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

/// The same, which only a step has paused.
fn unpaused() -> Value {
    let mut rollout = paused();
    rollout["spec"]["paused"] = false.into();
    rollout
}

/// The same, aborted.
fn aborted() -> Value {
    let mut rollout = unpaused();
    rollout["status"]["abort"] = true.into();
    rollout
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "demo"}}, "spec": {"containers": [{"name": "web", "image": image}]}})
}

/// The ReplicaSets of two revisions, and those of others.
fn replica_sets() -> Value {
    let set = |revision: &str, image: &str, uid: &str| {
        let mut template = template(image);
        template["metadata"]["labels"]["rollouts-pod-template-hash"] = revision.into();
        let owner = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "demo", "uid": uid, "controller": true});
        let annotations = json!({"rollout.argoproj.io/revision": revision});
        json!({"metadata": {"name": image, "annotations": annotations, "ownerReferences": [owner]},
            "spec": {"template": template}})
    };
    // One that it owns and does not control.
    let mut owned = set("3", "owned", "u");
    owned["metadata"]["ownerReferences"][0]["controller"] = false.into();
    let items = [set("1", "old", "u"), set("3", "foreign", "v"), owned, set("2", "new", "u")];
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

/// The requests that change something: method, end of the path, content type, body.
fn writes(asked: Vec<Asked>) -> Vec<Asked> {
    asked.into_iter().filter(is_write).collect()
}

fn merge(path: &str, body: Value) -> Asked {
    Asked { method: "PATCH".to_owned(), path: path.to_owned(), content_type: MERGE.to_owned(), body }
}

/// A row of `patches.yaml`.
#[derive(Deserialize)]
struct Row {
    words: String,
    of: String,
    said: String,
    /// Messages of the reference's plugin that differ from what it did.
    slip: Option<String>,
    /// The only name of the program under which it is sent.
    only: Option<String>,
    sent: Vec<Sent>,
}

#[derive(Deserialize)]
struct Sent {
    path: String,
    #[serde(rename = "type")]
    content_type: Option<String>,
    #[serde(default)]
    body: Value,
    put: Option<BTreeMap<String, Value>>,
}

impl Sent {
    /// The request, to an object that is so.
    fn request(self, object: &Value) -> Asked {
        let path = format!("{NAMESPACE}/{}", self.path);
        let Some(values) = self.put else {
            let content_type = self.content_type.unwrap_or_else(|| MERGE.to_owned());
            return Asked { content_type, ..merge(&path, self.body) };
        };
        let mut body = object.clone();
        for (pointer, value) in values {
            *body.pointer_mut(&pointer).expect("a place") = value;
        }
        Asked { method: "PUT".to_owned(), content_type: "application/json".to_owned(), ..merge(&path, body) }
    }
}

fn standing(word: &str) -> Value {
    match word {
        "paused" => paused(),
        "unpaused" => unpaused(),
        "aborted" => aborted(),
        // An analysis of the step could not tell.
        "inconclusive" => {
            let mut rollout = unpaused();
            rollout["status"]["canary"]["currentStepAnalysisRunStatus"] =
                json!({"name": "a", "status": "Inconclusive"});
            rollout
        }
        // A step is under way.
        "running" => {
            let mut rollout = unpaused();
            rollout["status"]["pauseConditions"] = Value::Null;
            rollout
        }
        // The update is done.
        "settled" => {
            let mut rollout = standing("running");
            rollout["status"]["currentPodHash"] = "a".into();
            rollout
        }
        // The update is done, and there is another, which the controller has not seen yet.
        "unseen" => {
            let mut rollout = standing("settled");
            rollout["metadata"]["generation"] = 2.into();
            rollout["status"]["observedGeneration"] = "1".into();
            rollout
        }
        // It has no revision yet.
        "new" => {
            let mut rollout = paused();
            rollout["status"] = json!({});
            rollout
        }
        // It has containers of each sort.
        "crowded" => {
            let mut rollout = paused();
            rollout["spec"]["template"]["spec"] = json!({
                "initContainers": [{"name": "init", "image": "new"}],
                "containers": [{"name": "web", "image": "new"}, {"name": "log", "image": "new"}],
                "ephemeralContainers": [{"name": "debug", "image": "new"}],
            });
            rollout
        }
        // It has no steps, and a user holds it.
        "held" => {
            let mut rollout = paused();
            rollout["spec"]["strategy"] = json!({"blueGreen": {"activeService": "a"}});
            rollout["status"]["pauseConditions"] = Value::Null;
            rollout
        }
        other => panic!("{other} is no state of a Rollout"),
    }
}

#[test]
fn each_command_sends_its_patches() {
    let rows: Vec<Row> = serde_yaml::from_str(include_str!("patches.yaml")).expect("rows");
    for Row { words, of, said, slip, only, sent } in rows {
        let rollout = standing(&of);
        let expected: Vec<Asked> = sent.into_iter().map(|sent| sent.request(&rollout)).collect();
        for program in [SERIN, "kubectl-serin", PLUGIN] {
            if only.as_ref().is_some_and(|only| only != program) {
                continue;
            }
            let server = server(rollout.clone());
            let args: Vec<&str> = words.split(' ').collect();
            let said = slip.as_ref().filter(|_| program == PLUGIN).unwrap_or(&said);
            let done = server.run(program, &[&["-n", "shop"], args.as_slice()].concat());
            let printed = (done.stdout, done.stderr.as_str(), done.exit);
            assert_eq!(printed, (format!("{said}\n"), "", 0), "{program} {words}");
            let asked = server.asked();
            if program == PLUGIN && ["abort", "pause", "retry", "terminate"].contains(&args[0]) {
                assert!(asked.iter().all(is_write), "{asked:?}");
            }
            assert_eq!(writes(asked), expected, "{program} {words}");
        }
    }
}

#[test]
fn an_undo_changes_the_template_where_it_is() {
    for (version, kind, plural, path) in [
        ("apps/v1", "Deployment", "apis/apps/v1/namespaces/shop/deployments", "/spec/template"),
        ("apps/v1", "ReplicaSet", "apis/apps/v1/namespaces/shop/replicasets", "/spec/template"),
        ("v1", "PodTemplate", "api/v1/namespaces/shop/podtemplates", "/template"),
    ] {
        let mut rollout = paused();
        rollout["spec"]["workloadRef"] = json!({"apiVersion": version, "kind": kind, "name": "work"});
        let mut workload =
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": "work"}, "spec": {}});
        let (parent, field) = path.rsplit_once('/').expect("a path");
        workload.pointer_mut(parent).expect("a place")[field] = template("new");
        let server = Double::start(move |asked| {
            Some((
                200,
                match asked.path.rsplit('/').next() {
                    // A watch, which sees nothing yet.
                    Some("rollouts") => return None,
                    Some("demo") => rollout.clone(),
                    Some("work") => workload.clone(),
                    _ => replica_sets(),
                },
            ))
        });
        let undo = ["undo", "demo", "-n", "shop"];
        let done = server.run(SERIN, &[&undo[..], &["--wait", "--timeout", "100ms"]].concat());
        let late = "serin: timed out after 100ms waiting for rollout 'demo'\n";
        let said = (done.stdout.as_str(), done.stderr.as_str(), done.exit);
        assert_eq!(said, ("rollout 'demo' undo\n", late, 5), "{kind}");
        let body = json!([{"op": "replace", "path": path, "value": template("old")}]);
        let path = format!("/{plural}/work");
        let content_type = "application/json-patch+json".to_owned();
        assert_eq!(writes(server.asked()), [Asked { content_type, ..merge(&path, body) }], "{kind}");
        let shown =
            server.run(SERIN, &[&undo[..], &["--dry-run=client", "-o", "jsonpath={..image}"]].concat());
        assert_eq!((shown.stdout.as_str(), shown.exit), ("old", 0), "{}", shown.stderr);
        assert_eq!(writes(server.asked()), [], "{kind}");
    }
}

#[test]
fn a_dry_run_shows_both_patches_and_sends_none() {
    let server = server(paused());
    let form = "jsonpath={.status.pauseConditions}|{.spec.paused}|{..image}";
    for (words, shown) in
        [(&["promote", "demo"][..], "|false|new"), (&["set", "image", "demo", "web=a:b"], "|true|a:b")]
    {
        let done = server.run(SERIN, &[words, &["-n", "shop", "--dry-run=client", "-o", form]].concat());
        assert_eq!((done.stdout.ends_with(shown), done.exit), (true, 0), "{done:?}");
        assert_eq!(writes(server.asked()), []);
    }
}

#[test]
fn an_undo_that_is_not_possible_says_why() {
    let mut other = paused();
    other["spec"]["workloadRef"] = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "work"});
    let mut foreign = paused();
    foreign["metadata"]["uid"] = "w".into();
    for (rollout, said) in [
        (
            other,
            "spec.workloadRef: unsupported workload apps/v1 StatefulSet: expected apps/v1 Deployment, \
             apps/v1 ReplicaSet or v1 PodTemplate",
        ),
        (foreign, "rollout 'demo' has no revisions yet"),
    ] {
        let server = server(rollout);
        for (program, complaint) in [(SERIN, "serin"), (PLUGIN, "Error")] {
            let refused = server.run(program, &["undo", "demo", "-n", "shop"]);
            assert_eq!((refused.stderr, refused.exit), (format!("{complaint}: {said}\n"), 1));
            assert_eq!(writes(server.asked()), []);
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
    let later = || Clock::System.now() + SignedDuration::from_secs(90);
    let earliest = later().as_second();
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
    let sent: Timestamp = at.parse().expect("a time");
    assert!(path == DEMO && at.len() == "2026-01-01T00:00:00Z".len(), "{path} {at}");
    assert!((earliest..=later().as_second()).contains(&sent.as_second()), "{at}");
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

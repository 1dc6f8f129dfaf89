//! Explanations of saved objects: those of the recordings, and situations that are defined here.

use std::collections::BTreeSet;
use std::fs;

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use super::situations::{changed, situations};
use super::world::Live;
use crate::recorded::{Recording, recordings};
use crate::stage::{Outcome, PLUGIN, SERIN, Stage, command, outcome};

/// Runs `explain` of a file, with more arguments, without any cluster.
pub(super) fn run(program: &str, file: &str, args: &[&str]) -> Outcome {
    let nowhere = std::path::Path::new("/dev/null");
    outcome(&mut command(program, nowhere, &[&["explain", "--snapshot", file], args].concat()))
}

pub(super) fn file(name: &str, text: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("explain");
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(name);
    fs::write(&path, text).expect("a file");
    path.display().to_string()
}

/// The objects of a recording, with the Services and Ingresses that its Rollout names, as `explain --save` writes them.
pub(super) fn saved(recording: &Recording) -> Value {
    let mut items = recording.objects.items.clone();
    let rollout = items.iter().find(|one| one["kind"] == "Rollout").expect("a Rollout").clone();
    let names = |path: &str| rollout.pointer(path).cloned();
    let is_aborted = names("/status/abort").is_some();
    for (service, hash) in [
        ("canary/stableService", "stableRS"),
        ("canary/canaryService", if is_aborted { "stableRS" } else { "currentPodHash" }),
        ("blueGreen/activeService", "blueGreen/activeSelector"),
        ("blueGreen/previewService", "blueGreen/previewSelector"),
    ] {
        let Some(name) = names(&format!("/spec/strategy/{service}")) else { continue };
        let mut selector = rollout["spec"]["selector"]["matchLabels"].clone();
        selector["rollouts-pod-template-hash"] = names(&format!("/status/{hash}")).unwrap_or_default();
        let annotations = json!({"argo-rollouts.argoproj.io/managed-by-rollouts": "demo"});
        items.push(json!({
            "apiVersion": "v1", "kind": "Service", "spec": {"selector": selector},
            "metadata": {"name": name, "namespace": "default", "uid": name, "annotations": annotations},
        }));
    }
    if names("/spec/strategy/canary/trafficRouting/nginx").is_some() {
        items.extend(ingresses(&rollout));
    }
    let about = json!({"namespace": "default", "rollout": "demo", "time": recording.now});
    json!({"apiVersion": "v1", "kind": "List", "explain": about, "items": items})
}

/// The Ingress of a Rollout's stable Service, and that of its canary with the recorded weight.
fn ingresses(rollout: &Value) -> [Value; 2] {
    let canary = &rollout["spec"]["strategy"]["canary"];
    let ingress = |name: &str, service: &Value, more: Value| {
        let backend = json!({"service": {"name": service, "port": {"number": 80}}});
        let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
        let mut ingress = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": more,
            "spec": {"ingressClassName": "nginx", "rules": [{"host": "demo", "http": {"paths": paths}}]},
        });
        ingress["metadata"]["name"] = name.into();
        ingress
    };
    let owner = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "demo", "controller": true,
        "blockOwnerDeletion": true, "uid": rollout["metadata"]["uid"],
    });
    let weight = &rollout["status"]["canary"]["weights"]["canary"]["weight"];
    let prefix = "nginx.ingress.kubernetes.io";
    let mut annotations = json!({
        format!("{prefix}/canary"): "true", format!("{prefix}/canary-weight"): weight.to_string(),
    });
    let routing = &canary["trafficRouting"];
    for (key, value) in routing["nginx"]["additionalIngressAnnotations"].as_object().into_iter().flatten() {
        annotations[format!("{prefix}/{key}")] = value.clone();
    }
    for (key, value) in routing["nginx"]["canaryIngressAnnotations"].as_object().into_iter().flatten() {
        annotations[key] = value.clone();
    }
    if let Some(total) = routing["maxTrafficWeight"].as_i64() {
        annotations[format!("{prefix}/canary-weight-total")] = total.to_string().into();
    }
    let own = json!({"ownerReferences": [owner], "annotations": annotations});
    [
        ingress("demo", &canary["stableService"], json!({})),
        ingress("demo-demo-canary", &canary["canaryService"], own),
    ]
}

#[test]
fn what_is_said_of_each_recording_goes_with_its_phase() {
    for recording in recordings() {
        let name = &recording.name;
        let path = file(&format!("{name}.json"), &saved(&recording).to_string());
        let said = run(SERIN, &path, &["-o", "json"]);
        assert_eq!((said.stderr.as_str(), said.exit), ("", 0), "{name}");
        let said: Value = serde_json::from_str(&said.stdout).expect("JSON");
        let words: &[&str] = match said["phase"].as_str().expect("a phase") {
            "Healthy" => &["nothing"],
            "Paused" => &["pause", "promotion", "resume"],
            "Degraded" => &["retry", "validSpec", "service", "progress", "pod"],
            _ => &[],
        };
        assert!(words.contains(&said["waitsFor"].as_str().expect("a word")), "{name}: {said:#}");
        let text = run(SERIN, &path, &[]);
        assert_eq!((text.stderr.as_str(), text.exit), ("", 0), "{name}");
        assert!(text.stdout.contains(said["because"].as_str().expect("a reason")), "{name}: {}", text.stdout);
    }
}

/// The recording of a canary at a pause, saved.
fn paused() -> Value {
    let recordings = recordings();
    saved(recordings.iter().find(|one| one.name == "basic-scale-paused").expect("a recording"))
}

#[test]
fn the_whole_text_of_a_pause() {
    let path = file("paused.json", &paused().to_string());
    let expected = "\
demo in default: Paused

Step 2 of 2 is a pause that only a user ends.
Since 2026-11-21 02:28:46Z, 18s ago.
To continue with the next step:
    serin promote demo -n default
To roll back to the stable revision, which then gets all traffic:
    serin abort demo -n default

Next writes, in this order:
  1. ReplicaSet demo-bfcb8ccf7: from 1 to 2 pods
  2. Rollout demo: step 2 of 2 done
  3. ReplicaSet demo-6c89d8f565: from 1 to 0 pods
  4. Rollout demo: revision bfcb8ccf7 becomes stable

At most 3 pods at a time, not counting terminating ones.
The duration depends on the start of pods and a pause that only a user ends.
";
    assert_eq!(
        run(SERIN, &path, &[]),
        Outcome { stdout: expected.to_owned(), stderr: String::new(), exit: 0 }
    );
    let said = run(PLUGIN, &path, &[]);
    assert_eq!(said.stdout, expected.replace("    serin ", "    kubectl argo rollouts "));
}

#[test]
fn commands_say_again_which_cluster_was_named() {
    let path = file("named.json", &paused().to_string());
    let flags =
        ["--context", "a b", "--server=https://x:1", "--user", "jane", "--as-group=s", "--token", "secret"];
    for (program, name) in [(SERIN, "serin"), (PLUGIN, "kubectl argo rollouts")] {
        let said = run(program, &path, &flags).stdout;
        let command = format!(
            "    {name} promote demo -n default --context='a b' --user=jane --server=https://x:1 --as-group=s --token=TOKEN\n"
        );
        assert!(said.contains(&command) && !said.contains("secret"), "{said}");
    }
    let mut held = paused();
    let items = held["items"].as_array_mut().expect("items");
    items.iter_mut().find(|one| one["kind"] == "Rollout").expect("a Rollout")["spec"]["paused"] = true.into();
    let path = file("held.json", &held.to_string());
    let said = run(SERIN, &path, &["--kubeconfig", "it's", "--proxy-url", "http://p:1"]).stdout;
    let (begin, end) = ("    HTTPS_PROXY=http://p:1 kubectl patch ", " -n default --kubeconfig=\"it's\"\n");
    assert!(said.contains(begin) && said.contains(end), "{said}");
}

#[test]
fn the_fields_for_programs_are_these() {
    let path = file("fields.json", &paused().to_string());
    let said: Value = serde_json::from_str(&run(SERIN, &path, &["-o", "json"]).stdout).expect("JSON");
    let fields: Vec<_> = said.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut expected = vec![
        "namespace",
        "rollout",
        "time",
        "phase",
        "waitsFor",
        "since",
        "until",
        "because",
        "commands",
        "also",
        "plan",
        "peakPods",
        "atLeastSeconds",
        "notLookedAt",
    ];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    let first = json!({"run": "serin promote demo -n default", "to": "continue with the next step"});
    assert_eq!(
        (&said["commands"][0], &said["peakPods"], &said["atLeastSeconds"]),
        (&first, &json!(3), &json!(0))
    );
}

#[test]
fn times_that_are_known_are_added_up() {
    let mut saved = paused();
    let rollout =
        saved["items"].as_array_mut().expect("items").iter_mut().find(|one| one["kind"] == "Rollout");
    let rollout = rollout.expect("a Rollout");
    // The completed steps are the same, so only the changed hash would restart the update.
    rollout["spec"]["minReadySeconds"] = 7.into();
    rollout["spec"]["strategy"]["canary"]["steps"] = json!([{"setWeight": 50}, {"pause": {"duration": 30}}, {"setWeight": 60}, {"pause": {"duration": "1m"}}]);
    rollout["status"]["currentStepHash"] = Value::Null;
    rollout["status"]["pauseConditions"] = Value::Null;
    rollout["status"]["controllerPause"] = false.into();
    let path = file("times.json", &saved.to_string());
    let said = run(SERIN, &path, &[]).stdout;
    assert!(said.contains("Minimum duration: 1m37s (1m30s of pauses, 7s of minReadySeconds)."), "{said}");
}

#[test]
fn pods_that_stay_for_a_while_are_told_beside() {
    let path = file("delay.json", &changed("bg-abort", |_| {}).to_string());
    let said: Value = serde_json::from_str(&run(SERIN, &path, &["-o", "json"]).stdout).expect("JSON");
    let also = json!([&said["waitsFor"], &said["also"][0]["waitsFor"], &said["also"][0]["until"]]);
    assert_eq!(also, json!(["nothing", "scaleDownDelay", "2026-11-21T02:30:12Z"]));
    assert_eq!((&said["atLeastSeconds"], &said["peakPods"]), (&json!(26), &json!(4)));
    assert_eq!(said["plan"], json!(["ReplicaSet demo-6c89d8f565: from 2 to 0 pods"]));
}

#[test]
fn a_file_that_cannot_be_used_says_what_is_wrong() {
    let mut nameless = paused();
    nameless["items"][0]["metadata"]["name"] = 7.into();
    let mut misfit = paused();
    let items = misfit["items"].as_array_mut().expect("items");
    items.push(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {
        "name": "p", "labels": {"rollouts-pod-template-hash": 7},
    }}));
    let count = items.len() - 1;
    let mut timeless = paused();
    timeless["explain"]["time"] = "noon".into();
    let mut empty = paused();
    empty["items"] = json!([]);
    for (name, text, expected) in [
        ("text.yaml", "a: [".to_owned(), "invalid YAML or JSON: ".to_owned()),
        (
            "list.yaml",
            "kind: List".to_owned(),
            "missing field `explain`: expected a file written by".to_owned(),
        ),
        ("nameless.json", nameless.to_string(), "items[0].metadata.name: must be a string".to_owned()),
        ("misfit.json", misfit.to_string(), format!("items[{count}] (Pod): metadata.labels.")),
        ("timeless.json", timeless.to_string(), "explain.time: ".to_owned()),
        ("empty.json", empty.to_string(), "contains no Rollout \"demo\" of namespace \"default\"".to_owned()),
    ] {
        let path = file(name, &text);
        let said = run(SERIN, &path, &[]);
        let expected = format!("serin: cannot use {path}: {expected}");
        assert!(said.stderr.starts_with(&expected) && said.exit == 1, "{}", said.stderr);
    }
    let other = run(SERIN, &file("other.json", &paused().to_string()), &["shop"]);
    assert!(other.stderr.ends_with("it contains the Rollout \"demo\", not \"shop\"\n"), "{}", other.stderr);
    let absent = run(SERIN, "/nowhere/at/all", &[]);
    assert!(
        absent.stderr.starts_with("serin: cannot use /nowhere/at/all: No such file"),
        "{}",
        absent.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_saved_says_the_same_later() {
    let live = Live::controlled().await;
    live.make(&super::case::stepwise()).await;
    live.waits_for("nothing").await;
    live.change(&json!({"spec": {"template": {"metadata": {"annotations": {"v": "2"}}}}})).await;
    live.waits_for("pause").await;
    for name in ["saved.yaml", "saved.json"] {
        let path = live.file(name);
        let now = live.stage.run(SERIN, &["explain", "demo", "-n", &live.namespace, "--save", &path]);
        assert_eq!((now.stderr.as_str(), now.exit), ("", 0));
        assert_eq!(run(SERIN, &path, &[]), now);
        let text = fs::read_to_string(&path).expect("a file");
        assert!(!text.contains("managedFields") && text.contains("ReplicaSet"), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rollout_owns_is_read_although_its_selector_does_not_match() {
    let stage = Stage::start().await;
    for name in ["basic-history", "steps-edited"] {
        stage.play_named(name).await;
        let folder = tempfile::tempdir().expect("a folder");
        let read = |file: &str| {
            let path = folder.path().join(file).display().to_string();
            let said = stage.run(SERIN, &["explain", "demo", "-n", name, "--save", &path]);
            assert_eq!((said.stderr.as_str(), said.exit), ("", 0));
            let saved: Value =
                serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON");
            let items = saved["items"].as_array().expect("items").iter();
            let text = |value: &Value| value.as_str().expect("a string").to_owned();
            let names = items.map(|one| (text(&one["kind"]), text(&one["metadata"]["name"])));
            names.collect::<BTreeSet<_>>()
        };
        let before = read("before.json");
        assert!(before.iter().filter(|(kind, _)| kind == "ReplicaSet").count() > 1, "{before:?}");
        assert!(before.iter().any(|(kind, _)| kind == "Pod"), "{before:?}");
        let sets = stage.objects(Some(name), &json!({"apiVersion": "apps/v1", "kind": "ReplicaSet"}));
        for (_, set) in before.iter().filter(|(kind, _)| kind == "ReplicaSet") {
            let patch = Patch::Merge(json!({"metadata": {"labels": {"app": "other"}}}));
            sets.patch(set, &PatchParams::default(), &patch).await.expect("another label");
        }
        assert_eq!(read("after.json"), before);
    }
}

#[test]
fn every_situation_that_is_written_down_is_told() {
    for (index, (saved, word, part)) in situations().into_iter().enumerate() {
        let path = file(&format!("situation-{index}.json"), &saved.to_string());
        let said = run(SERIN, &path, &["-o", "json"]);
        assert_eq!((said.stderr.as_str(), said.exit), ("", 0), "{part}");
        let said: Value = serde_json::from_str(&said.stdout).expect("JSON");
        assert_eq!(said["waitsFor"], word, "{said:#}");
        let because = said["because"].as_str().expect("a reason");
        assert!(because.contains(part), "{because}");
    }
}

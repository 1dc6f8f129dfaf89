//! Experiments as `get` and `list` show them.

use kube::api::PostParams;
use serde_json::json;

use crate::live::{GET, Running};
use crate::stage::{PLUGIN, SERIN, Stage};

/// Where they are.
const AT: [&str; 2] = ["-n", "basic-create"];

#[tokio::test(flavor = "multi_thread")]
async fn experiments_are_shown_and_listed() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    let template = json!({"metadata": {"labels": {"app": "try"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let experiment = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": {"name": "try"},
        "spec": {"duration": "10m", "templates": [
            {"name": "candidate", "selector": {"matchLabels": {"app": "try"}}, "template": template}]},
    });
    let made = stage.make(Some("basic-create"), &experiment).await;
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": "try-candidate", "labels": {"app": "try"},
            "annotations": {"experiment.argoproj.io/template-name": "candidate"},
            "ownerReferences": [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "name": "try",
                "uid": made.metadata.uid.expect("a uid")}],
        },
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "try"}}, "template": template},
        "status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "observedGeneration": 1},
    });
    stage.make(Some("basic-create"), &set).await;
    for verb in ["experiment", "exp", "experiments"] {
        let shown = stage.run(PLUGIN, &[["get", verb, "try"].as_slice(), &AT].concat());
        assert_eq!((shown.stderr.as_str(), shown.exit), ("", 0));
        let expected = "Name:            try\nNamespace:       basic-create\nStatus:          ?\n\
                        Images:          i (Σ:candidate)\n\nNAME";
        let head: String = shown.stdout.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        assert!(
            head.starts_with(expected) && head.contains("└──⧉ try-candidate  ReplicaSet  ✔ Healthy"),
            "{head}"
        );
    }
    let watched =
        stage.run(SERIN, &[["get", "exp", "try", "-w", "--timeout-seconds", "2"].as_slice(), &AT].concat());
    assert!(watched.stdout.contains("⧉ try-candidate") && watched.exit == 0, "{watched:?}");
    let listed = stage.run(SERIN, &[["list", "exp"].as_slice(), &AT].concat()).stdout;
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["NAME", "STATUS", "DURATION", "REMAINING", "AGE"]);
    assert_eq!((rows[1][0], &rows[1][1..3]), ("try", ["10m", "-"].as_slice()));
    assert_eq!(
        stage.run(SERIN, &["list", "experiments", "-A", "-o", "name"]).stdout,
        "experiment.argoproj.io/try\n"
    );
    one_that_has_ended_is_listed(&stage).await;
    one_that_is_missing_is_named(&stage);
}

async fn one_that_has_ended_is_listed(stage: &Stage) {
    let ended = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "metadata": {"name": "ended"},
        "spec": {"duration": "10m", "templates": []},
        "status": {"phase": "Successful", "availableAt": "2026-01-01T00:00:00Z"},
    });
    let experiments = stage.objects(Some("basic-create"), &ended);
    let ended = serde_json::from_value(ended).expect("an object");
    experiments.create(&PostParams::default(), &ended).await.expect("an Experiment");
    let listed = stage.run(SERIN, &[["list", "exp", "--name", "ended"].as_slice(), &AT].concat()).stdout;
    let row: Vec<&str> = listed.lines().nth(1).unwrap_or_default().split_whitespace().take(4).collect();
    assert_eq!(row, ["ended", "Successful", "10m", "-"]);
}

fn one_that_is_missing_is_named(stage: &Stage) {
    let missing = stage.run(SERIN, &[["get", "exp", "tri"].as_slice(), &AT].concat());
    let expected =
        "serin: Experiment \"tri\" not found in namespace \"basic-create\"; did you mean \"try\"?\n";
    assert_eq!((missing.stderr.as_str(), missing.exit), (expected, 3));
    let missing = stage.run(PLUGIN, &[["get", "exp", "tri"].as_slice(), &AT].concat());
    assert_eq!(missing.stderr, "Error: experiment.argoproj.io \"tri\" not found\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_experiments_is_told_of() {
    let bare = Stage::knowing(&["Rollout"]).await;
    for args in [&["get", "exp", "try"][..], &["list", "exp"]] {
        let unknown = bare.run(SERIN, args);
        let expected = "serin: the cluster has no kind Experiment; `serin crds` prints its definition\n";
        assert_eq!((unknown.stderr.as_str(), unknown.exit), (expected, 1), "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_experiment_of_a_rollout_makes_is_seen() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let rollout = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"});
    let rollout = stage.objects(Some("steps-edited"), &rollout).get("demo").await.expect("a Rollout");
    let owner = |kind: &str, name: &str, uid: Option<String>| json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "name": name, "uid": uid}]);
    let running = Running::start(&mut stage.command(SERIN, &GET));
    running.line("⟳ demo");
    let experiment = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Experiment", "spec": {"templates": []},
        "metadata": {"name": "try", "labels": {"rollouts-pod-template-hash": "bfcb8ccf7"},
            "ownerReferences": owner("Rollout", "demo", rollout.metadata.uid)},
    });
    let made = stage.make(Some("steps-edited"), &experiment).await;
    running.line("Σ try");
    let template = json!({"metadata": {"labels": {"app": "try"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"selector": {"matchLabels": {"app": "try"}}, "template": template},
        "metadata": {"name": "try-one", "labels": {"app": "try"},
            "ownerReferences": owner("Experiment", "try", made.metadata.uid)},
    });
    stage.make(Some("steps-edited"), &set).await;
    running.line("⧉ try-one");
    let once = stage.run(PLUGIN, &["get", "rollout", "demo", "-n", "steps-edited"]);
    assert!(once.stdout.contains("Σ try") && once.stdout.contains("⧉ try-one"), "{once:?}");
}

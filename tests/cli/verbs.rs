//! Output of user commands, and their exit codes.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::ApiResource;
use serde_json::{Value, json};

use crate::stage::{Outcome, PLUGIN, SERIN, Stage, outcome};

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_code_of_status_says_how_a_rollout_stands() {
    let stage = Stage::start().await;
    for name in ["basic-create", "nginx-abort", "steps-edited"] {
        stage.play_named(name).await;
    }
    let once = "--watch=false";
    for (args, exit, stdout, stderr) in [
        (vec!["basic-create", once], 0, "Healthy\n", ""),
        (vec!["basic-create"], 0, "Healthy\n", ""),
        (
            vec!["nginx-abort", once],
            10,
            "Degraded\n",
            "serin: The rollout is in a degraded state with message: RolloutAborted: Rollout aborted update to revision 2\n",
        ),
        (
            vec!["steps-edited", once],
            11,
            "Paused - CanaryPauseStep\n",
            "serin: the rollout is paused: CanaryPauseStep\n",
        ),
        (
            vec!["steps-edited"],
            11,
            "Paused - CanaryPauseStep\n",
            "serin: the rollout is paused: CanaryPauseStep\n",
        ),
        (vec!["steps-edited", "--paused-is-ok"], 0, "Paused - CanaryPauseStep\n", ""),
    ] {
        let args = [&["status", "demo", "-n"], args.as_slice()].concat();
        let expected = Outcome { stdout: stdout.to_owned(), stderr: stderr.to_owned(), exit };
        assert_eq!(stage.run(SERIN, &args), expected, "{args:?}");
    }
    // A closed output does not change the exit code.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let words = ["status", "demo", "-n", "nginx-abort", once];
    assert_eq!(outcome(stage.command(SERIN, &words).stdout(writer)).exit, 10);
    let rollouts = stage
        .objects(Some("steps-edited"), &json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}));
    let steps = json!([{"setWeight": 50}, {"pause": {"duration": "1h"}}]);
    let timed = Patch::Merge(json!({"spec": {"strategy": {"canary": {"steps": steps}}}}));
    rollouts.patch("demo", &PatchParams::default(), &timed).await.expect("a Rollout");
    stage.patch_status("steps-edited", "demo", json!({"observedGeneration": "99"})).await;
    let timed = stage.run(SERIN, &["status", "demo", "-n", "steps-edited", "--timeout", "300ms"]);
    assert_eq!((timed.stdout.as_str(), timed.exit), ("Paused - CanaryPauseStep\n", 124), "{}", timed.stderr);
    stage.patch_status("basic-create", "demo", json!({"phase": "Progressing", "message": "more"})).await;
    let args = ["status", "demo", "-n", "basic-create", "--timeout", "100ms"];
    let late = stage.run(SERIN, &args);
    assert_eq!((late.stdout.as_str(), late.exit), ("Progressing - more\n", 124), "{}", late.stderr);
    let once = stage.run(SERIN, &["status", "demo", "-n", "basic-create", once]);
    assert_eq!((once.stdout.as_str(), once.exit), ("Progressing - more\n", 12), "{}", once.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_that_is_watched_ends_with_the_update() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let mut command = stage.command(PLUGIN, &["status", "demo", "-n", "steps-edited"]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the program runs");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map_while(Result::ok);
    assert_eq!(lines.next().as_deref(), Some("Paused - CanaryPauseStep"));
    // A change of no consequence.
    stage.patch_status("steps-edited", "demo", json!({"HPAReplicas": 7})).await;
    let step =
        json!({"pauseConditions": null, "controllerPause": false, "phase": "Progressing", "message": "more"});
    stage.patch_status("steps-edited", "demo", step).await;
    assert_eq!(lines.next().as_deref(), Some("Progressing - more"));
    stage.patch_status("steps-edited", "demo", json!({"phase": "Healthy", "message": null})).await;
    assert_eq!(lines.next().as_deref(), Some("Healthy"));
    assert_eq!(lines.next(), None);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_exist_leads_to_the_nearest() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    for args in [["get", "rollout", "dem"].as_slice(), &["status", "dem"]] {
        let args = [args, &["-n", "basic-create"]].concat();
        let Outcome { stderr, exit, .. } = stage.run(SERIN, &args);
        let expected =
            "serin: Rollout \"dem\" not found in namespace \"basic-create\"; did you mean \"demo\"?\n";
        assert_eq!((stderr.as_str(), exit), (expected, 3), "{args:?}");
    }
    let nowhere = stage.run(SERIN, &["get", "rollout", "demo", "-n", "basic"]);
    assert_eq!((nowhere.stderr.as_str(), nowhere.exit), ("serin: namespace \"basic\" not found\n", 3));
    let elsewhere = stage.run(SERIN, &["get", "rollout", "demo"]);
    let expected = "serin: Rollout \"demo\" not found in namespace \"default\"\n";
    assert_eq!((elsewhere.stderr.as_str(), elsewhere.exit), (expected, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_are_not_installed_are_not_missed() {
    let stage = Stage::knowing(&["Rollout"]).await;
    stage.play_named("basic-create").await;
    let shown = stage.run(SERIN, &["get", "ro", "demo", "-n", "basic-create"]);
    assert!(shown.stdout.contains("└──⧉ demo-6c89d8f565") && shown.exit == 0, "{shown:?}");
    let bare = Stage::knowing(&[]).await.run(SERIN, &["list", "rollouts"]);
    let expected = "serin: the cluster has no kind Rollout; `serin crds` prints its definition\n";
    assert_eq!((bare.stderr.as_str(), bare.exit), (expected, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_of_one_or_all_namespaces() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    stage.play_named("bg-auto").await;
    let all = stage.run(SERIN, &["list", "ro", "-A"]).stdout;
    let columns: Vec<Vec<&str>> = all.lines().map(|line| line.split_whitespace().take(3).collect()).collect();
    let expected = [
        ["NAMESPACE", "NAME", "STRATEGY"],
        ["basic-create", "demo", "Canary"],
        ["bg-auto", "demo", "BlueGreen"],
    ];
    assert_eq!(columns, expected);
    let named = stage.run(SERIN, &["list", "rollouts", "-n", "bg-auto", "--name", "other"]);
    assert_eq!((named.stdout.as_str(), named.stderr.as_str(), named.exit), ("", "No resources found.\n", 0));
    let timed = stage.run(SERIN, &["list", "rollouts", "-n", "bg-auto", "--timestamps"]).stdout;
    let row = timed.lines().nth(1).expect("a row").split_once("  ").expect("a time");
    assert!(
        timed.starts_with("TIMESTAMP             NAME  ") && row.0.parse::<jiff::Timestamp>().is_ok(),
        "{timed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_objects() {
    let stage = Stage::start().await;
    stage.play_named("basic-create").await;
    let read = |args: &[&str]| stage.run(SERIN, &[args, &["-n", "basic-create"]].concat()).stdout;
    let json: Value = serde_json::from_str(&read(&["get", "rollout", "demo", "-o", "json"])).expect("JSON");
    assert_eq!((&json["kind"], &json["status"]["phase"]), (&json!("Rollout"), &json!("Healthy")));
    let yaml: Value = serde_yaml::from_str(&read(&["get", "rollout", "demo", "-o", "yaml"])).expect("YAML");
    assert_eq!(yaml, json);
    let list: Value = serde_json::from_str(&read(&["list", "rollouts", "-o", "json"])).expect("JSON");
    assert_eq!((&list["kind"], &list["items"]), (&json!("List"), &json!([json])));
    assert_eq!(read(&["list", "rollouts", "-o", "name"]), "rollout.argoproj.io/demo\n");
    let images = "jsonpath={range .items[*]}{.metadata.name}:{.spec.template.spec.containers[*].image}{end}";
    assert_eq!(read(&["list", "rollouts", "-o", images]), "demo:argoproj/rollouts-demo:blue");
    let status: Value = serde_json::from_str(&read(&["status", "demo", "-o", "json"])).expect("JSON");
    let replicas = json!({"desired": 2, "current": 2, "updated": 2, "ready": 2, "available": 2});
    let expected = json!({"namespace": "basic-create", "name": "demo", "phase": "Healthy", "message": "",
        "step": 2, "steps": 2, "setWeight": 100, "replicas": replicas});
    assert_eq!(status, expected);
    assert_eq!(read(&["status", "demo", "--watch=false", "-o", "jsonpath={.phase}"]), "Healthy");
    let wide = read(&["list", "rollouts", "-o", "wide"]);
    let (titles, row) = wide.split_once('\n').expect("a row");
    assert!(titles.ends_with("AVAILABLE  AGE  IMAGES                       MESSAGE"), "{wide}");
    assert!(row.contains("argoproj/rollouts-demo:blue"), "{wide}");
    let kind = ApiResource::erase::<Pod>(&());
    let pods: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), "basic-create", &kind);
    let pod =
        pods.list(&ListParams::default()).await.expect("pods").items.remove(0).metadata.name.expect("a name");
    let placed = json!({"status": {"podIP": "10.0.0.3", "podIPs": [{"ip": "10.0.0.3"}]}});
    pods.patch_status(&pod, &PatchParams::default(), &Patch::Merge(placed)).await.expect("a status");
    let full = read(&["get", "rollout", "demo", "-o", "wide"]);
    assert!(full.contains("ready:1/1") && full.contains("ip:10.0.0.3"), "{full}");
    assert!(!read(&["get", "rollout", "demo"]).contains("ip:"), "{full}");
    let wrong = stage.run(SERIN, &["list", "rollouts", "-o", "jsonpath={.a"]);
    assert!(wrong.exit == 2 && wrong.stderr.contains("unclosed brace before \".a\""), "{wrong:?}");
    for wrong in [["list", "ro", "-w", "-o", "json"].as_slice(), &["get", "ro", "demo", "-w", "-o", "json"]] {
        assert_eq!(stage.run(SERIN, wrong).exit, 2, "{wrong:?}");
    }
    assert_eq!(read(&["status", "demo", "-o", "name"]), "rollout.argoproj.io/demo\n");
}

//! Effects of commands on the objects of an API, and messages of commands without effect.

use std::io::{BufRead, BufReader};

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use serde::Deserialize;
use serde_json::{Value, json};
use serin_clock::sleep;
use serin_core::api::Rollout;

use crate::stage::{Outcome, PLUGIN, SERIN, Stage};

/// A Rollout of a recording, as it is stored.
async fn stored(stage: &Stage, namespace: &str) -> Value {
    let kind = ApiResource::erase::<Rollout>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), namespace, &kind);
    serde_json::to_value(api.get("demo").await.expect("a Rollout")).expect("JSON")
}

fn run(stage: &Stage, namespace: &str, args: &[&str]) -> Outcome {
    stage.run(SERIN, &[args, &["-n", namespace]].concat())
}

/// A command that changes nothing.
#[derive(Deserialize)]
struct Needless {
    namespace: String,
    words: String,
    exit: i32,
    said: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_has_nothing_to_do_says_so() {
    let stage = Stage::start().await;
    for name in ["basic-create", "nginx-abort", "bg-auto", "basic-history"] {
        stage.play_named(name).await;
    }
    let cases: Vec<Needless> =
        serde_yaml::from_str(include_str!("needless.yaml")).expect("what is said of needless commands");
    for Needless { namespace, words, exit, said } in cases {
        let before = stored(&stage, &namespace).await;
        let outcome = run(&stage, &namespace, &words.split(' ').collect::<Vec<_>>());
        let expected = Outcome { stdout: String::new(), stderr: format!("serin: {said}\n"), exit };
        assert_eq!(outcome, expected, "{words}");
        assert_eq!(stored(&stage, &namespace).await, before, "{words}");
    }
    for (namespace, args, said) in [
        (
            "nginx-abort",
            vec!["abort", "demo", "--wait", "--timeout", "1s"],
            "rollout 'demo' is already aborted\n",
        ),
        (
            "basic-create",
            vec!["set", "image", "demo", "demo=argoproj/rollouts-demo:blue"],
            "rollout \"demo\" already has that image\n",
        ),
    ] {
        let before = stored(&stage, namespace).await;
        let outcome = run(&stage, namespace, &args);
        assert_eq!((outcome.stdout.as_str(), outcome.exit), (said, 0), "{args:?}: {}", outcome.stderr);
        assert_eq!(stored(&stage, namespace).await, before, "{args:?}");
    }
    let same = stage.run(PLUGIN, &["undo", "demo", "--to-revision", "1", "-n", "basic-create"]);
    let skipped = "skipped rollback (current template already matches revision 1)\n";
    assert_eq!((same.stdout.as_str(), same.exit), (skipped, 0), "{}", same.stderr);
}

/// A condition that is true.
fn condition(kind: &str, message: &str) -> Value {
    let time = "2026-01-01T00:00:00Z";
    json!({"type": kind, "status": "True", "reason": kind, "message": message, "lastUpdateTime": time,
        "lastTransitionTime": time})
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_spec_is_invalid_only_an_abort_is_carried_out() {
    let stage = Stage::start().await;
    for name in ["steps-edited", "nginx-abort", "basic-create"] {
        stage.play_named(name).await;
        let status = json!({"phase": "Degraded", "message": "InvalidSpec: why", "observedGeneration": "1",
            "conditions": [condition("InvalidSpec", "why")]});
        stage.patch_status(name, "demo", status).await;
    }
    for (namespace, words, done) in [
        ("steps-edited", "promote demo", "promoted"),
        ("steps-edited", "promote demo --full", "promoted"),
        ("steps-edited", "promote demo -c", "promoted"),
        ("steps-edited", "restart demo", "restarted"),
        ("nginx-abort", "retry rollout demo", "retried"),
        ("basic-create", "promote demo", "promoted"),
    ] {
        let before = stored(&stage, namespace).await;
        let outcome = run(&stage, namespace, &words.split(' ').collect::<Vec<_>>());
        let said = format!("serin: rollout 'demo' cannot be {done} until its spec is valid: why\n");
        assert_eq!(outcome, Outcome { stdout: String::new(), stderr: said, exit: 1 }, "{words}");
        assert_eq!(stored(&stage, namespace).await, before, "{words}");
    }
    // The reference's plugin still sends it.
    let promoted = stage.run(PLUGIN, &["promote", "demo", "-n", "steps-edited"]);
    assert_eq!((promoted.stdout.as_str(), promoted.exit), ("rollout 'demo' promoted\n", 0));
    let aborted = run(&stage, "steps-edited", &["abort", "demo"]);
    assert_eq!((aborted.stdout.as_str(), aborted.exit), ("rollout 'demo' aborted\n", 0), "{aborted:?}");
    assert_eq!(stored(&stage, "steps-edited").await["status"]["abort"], true);
    // Commands that may make the spec valid are sent.
    let image = run(&stage, "steps-edited", &["set", "image", "demo", "demo=a:b"]);
    assert_eq!(image.exit, 0, "{image:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_is_not_waited_for_that_has_nothing_to_take_back() {
    let stage = Stage::start().await;
    stage.play_named("bg-abort").await;
    // The preview of an update, before it was promoted; no controller runs.
    let status = json!({"phase": "Degraded", "message": "InvalidSpec: why", "observedGeneration": "1",
        "conditions": [condition("InvalidSpec", "why")], "stableRS": "6c89d8f565",
        "blueGreen": {"activeSelector": "6c89d8f565", "previewSelector": "bfcb8ccf7"}});
    stage.patch_status("bg-abort", "demo", status).await;
    let aborted = run(&stage, "bg-abort", &["abort", "demo", "--wait", "--timeout", "30s"]);
    assert_eq!((aborted.stdout.as_str(), aborted.exit), ("rollout 'demo' aborted\n", 0), "{aborted:?}");
    // Users still reach the new revision: that is waited for.
    let switched = json!({"abort": null, "blueGreen": {"activeSelector": "bfcb8ccf7"}});
    stage.patch_status("bg-abort", "demo", switched).await;
    let aborted = run(&stage, "bg-abort", &["abort", "demo", "--wait", "--timeout", "2s"]);
    assert_eq!(aborted.exit, 5, "{aborted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_tells_of_a_write_that_is_refused() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let said = "The API server refused a write of Ingress demo: bad key";
    stage.patch_status("steps-edited", "demo", json!({"conditions": [condition("Blocked", said)]})).await;
    let aborted = run(&stage, "steps-edited", &["abort", "demo"]);
    let note = format!(
        "rollout 'demo': the API server refuses a write, and dependent changes wait: \
                        {said}\n"
    );
    let expected = Outcome { stdout: "rollout 'demo' aborted\n".to_owned(), stderr: note, exit: 0 };
    assert_eq!(aborted, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_changes_nothing() {
    let stage = Stage::start().await;
    for name in ["steps-edited", "basic-undo-midway", "nginx-abort"] {
        stage.play_named(name).await;
    }
    for (namespace, args, said, pointer, value) in [
        (
            "steps-edited",
            vec!["promote", "demo", "--wait", "--timeout", "1s"],
            "rollout 'demo' promoted",
            "/status/pauseConditions",
            Value::Null,
        ),
        (
            "steps-edited",
            vec!["promote", "demo", "--full"],
            "rollout 'demo' fully promoted",
            "/status/promoteFull",
            json!(true),
        ),
        ("steps-edited", vec!["abort", "demo"], "rollout 'demo' aborted", "/status/abort", json!(true)),
        ("nginx-abort", vec!["retry", "ro", "demo"], "rollout 'demo' retried", "/status/abort", Value::Null),
        ("steps-edited", vec!["pause", "demo"], "rollout 'demo' paused", "/spec/paused", json!(true)),
        (
            "steps-edited",
            vec!["restart", "demo", "--in", "1m"],
            "rollout 'demo' restarts in 1m0s",
            "/spec/paused",
            Value::Null,
        ),
        (
            "steps-edited",
            vec!["set", "image", "demo", "*=a:b=c"],
            "rollout \"demo\" image updated",
            "/spec/template/spec/containers/0/image",
            json!("a:b=c"),
        ),
    ] {
        for (flag, note) in
            [("--dry-run=client", " (dry run)\n"), ("--dry-run=server", " (server dry run)\n")]
        {
            let before = stored(&stage, namespace).await;
            let args = [args.as_slice(), &[flag]].concat();
            let outcome = run(&stage, namespace, &args);
            assert_eq!(outcome.exit, 0, "{args:?}: {}", outcome.stderr);
            assert_eq!(outcome.stdout, format!("{said}{note}"), "{args:?}");
            let outcome = run(&stage, namespace, &[args.as_slice(), &["-o", "json"]].concat());
            let shown: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
            let shown =
                shown.pointer(pointer).filter(|shown| **shown != json!(false)).cloned().unwrap_or_default();
            assert_eq!(shown, value, "{args:?}");
            assert_eq!(stored(&stage, namespace).await, before, "{args:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_shows_what_changes_where_nothing_else_is_done() {
    let stage = Stage::start().await;
    stage.play_named("basic-history").await;
    let history = run(&stage, "basic-history", &["history", "demo", "-o", "json"]);
    let history: Value = serde_json::from_str(&history.stdout).expect("JSON");
    let revisions: Vec<i64> = history["revisions"]
        .as_array()
        .expect("revisions")
        .iter()
        .filter_map(|one| one["revision"].as_i64())
        .collect();
    let before = stored(&stage, "basic-history").await;
    let outcome = run(&stage, "basic-history", &["undo", "demo", "--dry-run=client"]);
    let first = format!("The template of rollout 'demo' becomes that of revision {}:\n", revisions[1]);
    assert!(outcome.stdout.starts_with(&first), "{outcome:?}");
    assert!(outcome.stdout.lines().any(|line| line.starts_with("- ")), "{outcome:?}");
    assert!(outcome.stdout.ends_with("rollout 'demo' undo (dry run)\n"), "{outcome:?}");
    let plugin = stage.run(PLUGIN, &["undo", "demo", "--dry-run=client", "-n", "basic-history"]);
    assert_eq!((plugin.stdout.as_str(), plugin.exit), ("rollout 'demo' undo (dry run)\n", 0));
    assert_eq!(stored(&stage, "basic-history").await, before);
    // Without a terminal a real one says only that it is done.
    let outcome = run(&stage, "basic-history", &["undo", "demo"]);
    assert_eq!((outcome.stdout.as_str(), outcome.exit), ("rollout 'demo' undo\n", 0), "{}", outcome.stderr);
    let template = run(
        &stage,
        "basic-history",
        &["history", "demo", "--revision", &revisions[1].to_string(), "-o", "json"],
    );
    let template: Value = serde_json::from_str(&template.stdout).expect("JSON");
    let text = run(&stage, "basic-history", &["history", "demo", "--revision", &revisions[1].to_string()]);
    assert!(text.stdout.starts_with("metadata:\n"), "{text:?}");
    let names = run(&stage, "basic-history", &["history", "demo", "-o", "name"]);
    assert_eq!(names.stdout, "replicaset.apps/demo-5847bbdcc5\nreplicaset.apps/demo-695748f8c8\n");
    assert_eq!(stored(&stage, "basic-history").await["spec"]["template"], template);
    assert!(template.pointer("/metadata/labels/rollouts-pod-template-hash").is_none(), "{template}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_takes_back_what_a_revision_was_given_for_its_role() {
    let stage = Stage::start().await;
    stage.play_named("basic-history").await;
    let history =
        run(&stage, "basic-history", &["history", "demo", "-o", "jsonpath={.revisions[1].replicaSet}"]);
    let sets: Api<k8s_openapi::api::apps::v1::ReplicaSet> =
        Api::namespaced(stage.client.clone(), "basic-history");
    let given = json!({
        "metadata": {"annotations": {"rollout.argoproj.io/ephemeral-metadata": "{\"labels\":{\"role\":\"canary\"}}"}},
        "spec": {"template": {"metadata": {"labels": {"role": "canary"}}}},
    });
    sets.patch(&history.stdout, &PatchParams::default(), &Patch::Merge(given))
        .await
        .expect("a changed ReplicaSet");
    assert_eq!(run(&stage, "basic-history", &["undo", "demo"]).exit, 0);
    let labels = stored(&stage, "basic-history").await["spec"]["template"]["metadata"]["labels"].clone();
    assert_eq!(labels, json!({"app": "demo"}));
    let again = run(&stage, "basic-history", &["undo", "demo", "--to-revision", "3"]);
    let said = "serin: nothing to undo: rollout 'demo' already has the template of revision 3\n";
    assert_eq!((again.stderr.as_str(), again.exit), (said, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn several_rollouts_are_commanded_by_name_labels_or_all() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let kind = ApiResource::erase::<Rollout>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), "steps-edited", &kind);
    for (name, tier) in [("one", "a"), ("two", "b")] {
        let template = json!({"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name, "labels": {"tier": tier}},
            "spec": {"selector": {"matchLabels": {"app": name}}, "template": template, "strategy": {"canary": {}}},
        });
        api.create(&PostParams::default(), &serde_json::from_value(rollout).expect("an object"))
            .await
            .expect("a Rollout");
    }
    let paused = |names: &[&str]| {
        names.iter().map(|name| format!("rollout '{name}' paused\n")).collect::<Vec<_>>().concat()
    };
    let named = run(&stage, "steps-edited", &["pause", "one", "missing", "two", "lost"]);
    let stderr: String = ["missing", "lost"]
        .map(|name| format!("serin: Rollout {name:?} not found in namespace \"steps-edited\"\n"))
        .concat();
    assert_eq!(named, Outcome { stdout: paused(&["one", "two"]), stderr, exit: 3 });
    let stopped = stage.run(PLUGIN, &["pause", "one", "missing", "two", "-n", "steps-edited"]);
    let missing = "Error: rollout.argoproj.io \"missing\" not found\n";
    assert_eq!(stopped, Outcome { stdout: paused(&["one"]), stderr: missing.to_owned(), exit: 1 });
    let one = run(&stage, "steps-edited", &["restart", "one", "missing", "-o", "name"]);
    assert_eq!((one.stdout.as_str(), one.exit), ("rollout.argoproj.io/one\n", 3), "{}", one.stderr);
    let chosen = run(&stage, "steps-edited", &["restart", "-l", "tier=b", "-o", "name"]);
    assert_eq!((chosen.stdout.as_str(), chosen.exit), ("rollout.argoproj.io/two\n", 0), "{}", chosen.stderr);
    // There is no terminal to ask on.
    let all = run(&stage, "steps-edited", &["restart", "--all", "-o", "name"]);
    assert_eq!(all.stdout.lines().count(), 3, "{all:?}");
    let none = run(&stage, "steps-edited", &["abort", "-l", "tier=c"]);
    let said = "serin: no Rollout with the labels \"tier=c\" found in namespace \"steps-edited\"\n";
    assert_eq!((none.stderr.as_str(), none.exit), (said, 3));
    for wrong in [
        &["abort"][..],
        &["abort", "one", "--all"],
        &["abort", "--all", "-l", "a=b"],
        &["abort", "one", "--timeout", "1s"],
    ] {
        assert_eq!(run(&stage, "steps-edited", wrong).exit, 2, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_set_where_the_template_is() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let outcome = run(&stage, "steps-edited", &["set", "image", "demo", "demo=a:1"]);
    assert_eq!(
        (outcome.stdout.as_str(), outcome.exit),
        ("rollout \"demo\" image updated\n", 0),
        "{}",
        outcome.stderr
    );
    let changed = stored(&stage, "steps-edited").await;
    assert_eq!(changed["spec"]["template"]["spec"]["containers"][0]["image"], "a:1");
    let kind = ApiResource::erase::<Rollout>(&());
    let api: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), "steps-edited", &kind);
    let deployments: Api<Deployment> = Api::namespaced(stage.client.clone(), "steps-edited");
    let pods = json!({"metadata": {"labels": {"app": "w"}}, "spec": {
        "initContainers": [{"name": "init", "image": "i"}], "containers": [{"name": "main", "image": "i"}]}});
    let deployment = json!({"metadata": {"name": "work"}, "spec": {"selector": {"matchLabels": {"app": "w"}}, "template": pods}});
    let deployment = serde_json::from_value(deployment).expect("a Deployment");
    deployments.create(&PostParams::default(), &deployment).await.expect("a Deployment");
    let reference = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "work"});
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "referring"},
        "spec": {"workloadRef": reference, "strategy": {"canary": {}}},
    });
    api.create(&PostParams::default(), &serde_json::from_value(rollout).expect("an object"))
        .await
        .expect("a Rollout");
    for program in [SERIN, PLUGIN] {
        let image = format!("*=img:{program}");
        let outcome = stage.run(program, &["set", "image", "referring", &image, "-n", "steps-edited"]);
        assert_eq!(
            (outcome.stdout.as_str(), outcome.exit),
            ("deployment \"work\" image updated\n", 0),
            "{}",
            outcome.stderr
        );
        let spec =
            deployments.get("work").await.expect("it").spec.expect("a spec").template.spec.expect("pods");
        let images: Vec<_> = spec
            .init_containers
            .iter()
            .flatten()
            .chain(&spec.containers)
            .map(|one| one.image.clone())
            .collect();
        assert_eq!(images, [Some(format!("img:{program}")), Some(format!("img:{program}"))]);
    }
    // It is the Rollout that is waited for, and what it was before does not count.
    stage.patch_status("steps-edited", "referring", json!({"phase": "Healthy"})).await;
    let wait = ["set", "image", "referring", "main=a:1", "--wait", "--timeout", "200ms"];
    let late = run(&stage, "steps-edited", &wait);
    assert!(
        late.stderr.ends_with("serin: timed out after 200ms waiting for rollout 'referring'\n")
            && late.exit == 5,
        "{late:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_commanded_is_waited_for() {
    let stage = Stage::start().await;
    stage.play_named("steps-edited").await;
    let late = run(&stage, "steps-edited", &["promote", "demo", "--wait", "--timeout", "300ms"]);
    assert_eq!((late.stdout.as_str(), late.exit), ("rollout 'demo' promoted\n", 5), "{}", late.stderr);
    assert_eq!(
        late.stderr,
        "demo: Progressing - waiting for rollout to unpause\nserin: timed out after 300ms waiting for rollout 'demo'\n"
    );
    let child = |args: &[&str]| {
        let mut command = stage.command(SERIN, &[args, &["-n", "steps-edited"]].concat());
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().expect("the program runs")
    };
    // The controller answers what was commanded; each of its writes is another one.
    let end = async |mut child: std::process::Child, mut patch: Value| {
        let mut said = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut said).expect("a line");
        for count in 0.. {
            if child.try_wait().expect("a child").is_some() {
                break;
            }
            patch["collisionCount"] = count.into();
            stage.patch_status("steps-edited", "demo", patch.clone()).await;
            sleep(std::time::Duration::from_millis(20)).await;
        }
        let output = child.wait_with_output().expect("an end");
        let told = String::from_utf8(output.stderr).expect("text");
        let mut lines: Vec<&str> = told.lines().collect();
        lines.dedup();
        assert_eq!(lines.len(), told.lines().count(), "{told}");
        output.status.code()
    };
    let observed = || json!({"observedGeneration": "99", "controllerPause": false, "abort": null});
    let with = |more: Value| {
        let mut patch = observed();
        patch.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
        patch
    };
    let healthy =
        end(child(&["set", "image", "demo", "demo=a:1", "--wait"]), with(json!({"phase": "Healthy"}))).await;
    assert_eq!(healthy, Some(0));
    let degraded =
        end(child(&["undo", "demo", "--wait"]), with(json!({"phase": "Degraded", "message": "why"}))).await;
    assert_eq!(degraded, Some(10));
    let pause = json!([{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}]);
    let paused = with(json!({"phase": "Paused", "message": "CanaryPauseStep", "pauseConditions": pause}));
    assert_eq!(end(child(&["restart", "demo", "--wait"]), paused).await, Some(11));
    let back = json!({"phase": "Degraded", "abort": true, "updatedReplicas": 0, "availableReplicas": 9});
    stage.patch_status("steps-edited", "demo", json!({"abort": null})).await;
    assert_eq!(end(child(&["abort", "demo", "--wait"]), with(back)).await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_kinds_have_commands_too() {
    let stage = Stage::start().await;
    for (kind, plural) in [("Experiment", "experiments"), ("AnalysisRun", "analysisruns")] {
        let mut resource = ApiResource::erase::<Rollout>(&());
        (resource.kind, resource.plural) = (kind.to_owned(), plural.to_owned());
        let api: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), "default", &resource);
        let spec = if kind == "Experiment" { json!({"templates": []}) } else { json!({"metrics": []}) };
        let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": "x"}, "spec": spec,
            "status": {"phase": "Running"}});
        let object = serde_json::from_value(object).expect("an object");
        api.create(&PostParams::default(), &object).await.unwrap_or_else(|error| panic!("{error}"));
        let word = if kind == "Experiment" { "experiment" } else { "analysisrun" };
        for program in [SERIN, PLUGIN] {
            let said = match (kind, program) {
                ("Experiment", PLUGIN) => "experiment 'x' retried\n",
                ("Experiment", _) => "experiment 'x' terminated\n",
                _ => "analysisRun 'x' terminated\n",
            };
            let outcome = stage.run(program, &["terminate", word, "x"]);
            assert_eq!((outcome.stdout.as_str(), outcome.exit), (said, 0), "{}", outcome.stderr);
        }
        let ended = api.get("x").await.expect("it").data;
        assert_eq!(ended["spec"]["terminate"], true);
        if kind == "Experiment" {
            let retried = stage.run(SERIN, &["retry", "exp", "x"]);
            assert_eq!(
                (retried.stdout.as_str(), retried.exit),
                ("experiment 'x' retried\n", 0),
                "{}",
                retried.stderr
            );
            assert_eq!(api.get("x").await.expect("it").data["status"], Value::Null);
        }
        let unknown = stage.run(SERIN, &["terminate", word, "y"]);
        let said = format!("serin: {kind} \"y\" not found in namespace \"default\"\n");
        assert_eq!((unknown.stderr, unknown.exit), (said, 3));
    }
}

//! Objects that `create` creates from files and templates.

use std::fs;

use kube::api::{Api, DynamicObject};
use kube::core::ApiResource;
use serde_json::{Value, json};
use serin_core::api::AnalysisRun;

use crate::stage::{Outcome, PLUGIN, SERIN, Stage};

const ROLLOUT: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: cart}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: web, image: a}]}}
  strategy: {canary: {}}
";
const TEMPLATES: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rate, labels: {team: a}}
spec:
  args: [{name: host}]
  templates: [{templateName: common, clusterScope: true}]
  metrics: [{name: one, provider: {prometheus: {query: q}}}]
---
apiVersion: argoproj.io/v1alpha1
kind: ClusterAnalysisTemplate
metadata: {name: common}
spec:
  args: [{name: host}, {name: port, value: '80'}]
  metrics: [{name: two, provider: {prometheus: {query: q}}}]
";

/// A file with that text.
fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("a file");
    path.to_str().expect("a path").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_from_files() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let templates = file(&folder, "templates.yaml", TEMPLATES);
    let said =
        "analysistemplate.argoproj.io/rate created\nclusteranalysistemplate.argoproj.io/common created\n";
    let dry = stage.run(SERIN, &["create", "-f", &templates, "--dry-run=server", "-o", "name"]);
    assert_eq!((dry.stdout.as_str(), dry.exit), (said.replace(" created", "").as_str(), 0), "{}", dry.stderr);
    for (program, name) in [(SERIN, "cart"), ("kubectl-serin", "basket"), (PLUGIN, "till")] {
        let rollout =
            file(&folder, "rollout.yaml", &ROLLOUT.replace("name: cart}", &format!("name: {name}}}")));
        let made = stage.run(program, &["create", "-f", &rollout]);
        let said = format!("rollout.argoproj.io/{name} created\n");
        assert_eq!((made.stdout, made.exit), (said, 0), "{}", made.stderr);
    }
    let both = stage.run(SERIN, &["create", "-f", &templates]);
    assert_eq!((both.stdout.as_str(), both.exit), (said, 0), "{}", both.stderr);
    let again = stage.run(SERIN, &["create", "-f", &templates]);
    assert_eq!(again.exit, 1);
    assert!(
        again.stderr.contains("analysistemplates.argoproj.io \"rate\" already exists"),
        "{}",
        again.stderr
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_where_something_is_wrong() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let misspelt =
        file(&folder, "misspelt.yaml", &format!("{TEMPLATES}---{}", ROLLOUT.replace("strategy", "stratgy")));
    let service = file(
        &folder,
        "service.yaml",
        &format!("{TEMPLATES}---\napiVersion: v1\nkind: Service\nmetadata: {{name: s}}\n"),
    );
    for (path, said) in [
        (&misspelt, "spec.stratgy: unknown field; did you mean strategy? [unknown-field]"),
        (
            &service,
            "unsupported kind Service (v1): expected one of Rollout, Experiment, AnalysisTemplate, ClusterAnalysisTemplate, AnalysisRun; use `kubectl create` for others",
        ),
        (
            &file(&folder, "other.yaml", &ROLLOUT.replace("argoproj.io/v1alpha1", "example.org/v1")),
            "unsupported kind Rollout (example.org/v1): expected one of Rollout, Experiment,",
        ),
        (
            &"/nothing.yaml".to_owned(),
            "/nothing.yaml: error: cannot be read: No such file or directory (os error 2) [unreadable-file]",
        ),
    ] {
        let Outcome { stdout, stderr, exit } = stage.run(SERIN, &["create", "-f", path]);
        assert_eq!((stdout.as_str(), exit), ("", 1), "{stderr}");
        assert!(stderr.contains(said), "{stderr}");
    }
    let watched = file(&folder, "watched.yaml", TEMPLATES);
    let refused = stage.run(SERIN, &["create", "-w", "-f", &watched]);
    let said = "serin: cannot watch the kind ClusterAnalysisTemplate; only Rollout and Experiment\n";
    assert_eq!((refused.stdout.as_str(), refused.stderr.as_str(), refused.exit), ("", said, 2));
    let templates = stage.run(SERIN, &["create", "analysisrun", "--from", "rate"]);
    let missing = "serin: AnalysisTemplate \"rate\" not found\n";
    assert_eq!((templates.stderr.as_str(), templates.exit), (missing, 3));
    for wrong in [
        &["create"][..],
        &["create", "-f", "a", "-w", "-o", "json"],
        &["create", "analysisrun"],
        &["create", "analysisrun", "--from", "a", "--from-file", "b"],
    ] {
        assert_eq!(stage.run(SERIN, wrong).exit, 2, "{wrong:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_run() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let templates = file(&folder, "templates.yaml", TEMPLATES);
    assert_eq!(stage.run(SERIN, &["create", "-f", &templates]).exit, 0);
    let common = file(&folder, "common.yaml", TEMPLATES.split("---").nth(1).expect("the second"));
    let kind = ApiResource::erase::<AnalysisRun>(&());
    let runs: Api<DynamicObject> = Api::namespaced_with(stage.client.clone(), "default", &kind);
    let args = |host: &str| json!([{"name": "host", "value": host}, {"name": "port", "value": "80"}]);
    for (words, name, metrics, labels) in [
        ("create analysisrun --from rate --name a -a host=h", "a", vec!["one", "two"], json!({"team": "a"})),
        ("create ar --from common --global --name b --argument host=h", "b", vec!["two"], Value::Null),
        (
            "create ar --from rate --name c -a host=h --instance-id i",
            "c",
            vec!["one", "two"],
            json!({"argo-rollouts.argoproj.io/controller-instance-id": "i"}),
        ),
        (&format!("create ar --from-file {common} --name d -a host=h"), "d", vec!["two"], Value::Null),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        let made = stage.run(SERIN, &words);
        let said = format!("analysisrun.argoproj.io/{name} created\n");
        assert_eq!((made.stdout, made.exit), (said, 0), "{}", made.stderr);
        let run = runs.get(name).await.expect("a run");
        let found: Vec<&str> = run.data["spec"]["metrics"]
            .as_array()
            .expect("metrics")
            .iter()
            .filter_map(|one| one["name"].as_str())
            .collect();
        assert_eq!((found, &run.data["spec"]["args"]), (metrics, &args("h")), "{words:?}");
        assert_eq!(serde_json::to_value(run.metadata.labels).expect("JSON"), labels, "{words:?}");
    }
    let named = stage.run(PLUGIN, &["create", "analysisrun", "--from", "rate", "-a", "host=h"]);
    assert!(named.stdout.starts_with("analysisrun.argoproj.io/rate-") && named.exit == 0, "{named:?}");
    let open = stage.run(SERIN, &["create", "ar", "--from", "rate"]);
    let said = "serin: missing values of arguments: host; set them with -a NAME=VALUE\n";
    assert_eq!((open.stderr.as_str(), open.exit), (said, 1));
}

/// A template that refers to another, which refers back to it.
const CIRCLE: &str = "
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: outer}
spec:
  args: [{name: host}]
  templates: [{templateName: inner}]
  metrics: [{name: one, provider: {prometheus: {query: q}}}]
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: inner}
spec:
  args: [{name: host}, {name: port, value: '80'}]
  templates: [{templateName: outer}, {templateName: last}]
  dryRun: [{metricName: two}]
  metrics: [{name: two, provider: {prometheus: {query: q}}}]
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: last}
spec:
  measurementRetention: [{metricName: three, limit: 2}]
  metrics: [{name: three, provider: {prometheus: {query: q}}}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_run_has_what_other_templates_have_and_each_once() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let circle = file(&folder, "circle.yaml", CIRCLE);
    assert_eq!(stage.run(SERIN, &["create", "-f", &circle]).exit, 0);
    let create =
        ["create", "ar", "--from", "outer", "-a", "host=h", "--generate-name", "try-", "--dry-run=client"];
    let said = stage.run(SERIN, &create);
    assert_eq!((said.stdout.as_str(), said.exit), ("analysisrun.argoproj.io/try- created (dry run)\n", 0));
    let shown = stage.run(SERIN, &[&create[..], &["-o", "json"]].concat());
    let run: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    let metric = |name: &str| json!({"name": name, "provider": {"prometheus": {"query": "q"}}});
    let expected = json!({
        "args": [{"name": "host", "value": "h"}, {"name": "port", "value": "80"}],
        "metrics": [metric("one"), metric("two"), metric("three")],
        "dryRun": [{"metricName": "two"}],
        "measurementRetention": [{"metricName": "three", "limit": 2}],
    });
    assert_eq!(run["spec"], expected);
    let listed = stage.run(SERIN, &["terminate", "ar", "try-"]);
    assert_eq!(listed.exit, 3, "nothing was made: {listed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_template_of_a_file_is_the_only_one() {
    let stage = Stage::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let common = TEMPLATES.split("---").nth(1).expect("the second");
    for (text, said) in [
        (TEMPLATES.to_owned(), "the file contains more than one template"),
        (ROLLOUT.to_owned(), "the file contains no AnalysisTemplate or ClusterAnalysisTemplate"),
        (format!("{common}---{ROLLOUT}"), ""),
    ] {
        let path = file(&folder, "some.yaml", &text);
        let words = ["create", "ar", "--from-file", &path, "-a", "host=h", "--dry-run=client"];
        let Outcome { stderr, exit, .. } = stage.run(SERIN, &words);
        let expected = if said.is_empty() { String::new() } else { format!("serin: {path}: {said}\n") };
        assert_eq!((stderr, exit), (expected, i32::from(!said.is_empty())));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_made_where_their_files_say() {
    let stage = Stage::start().await;
    stage.make(None, &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})).await;
    let folder = tempfile::tempdir().expect("a folder");
    let rollout =
        file(&folder, "rollout.yaml", &ROLLOUT.replace("name: cart}", "name: cart, namespace: shop}"));
    let dry = stage.run(SERIN, &["create", "-f", &rollout, "--dry-run=client"]);
    assert_eq!((dry.stdout.as_str(), dry.exit), ("rollout.argoproj.io/cart created (dry run)\n", 0));
    let named = |namespace: &str| stage.run(SERIN, &["list", "ro", "-n", namespace, "-o", "name"]).stdout;
    assert_eq!(named("shop"), "");
    assert_eq!(stage.run(SERIN, &["create", "-f", &rollout, "-n", "default"]).exit, 0);
    assert_eq!((named("shop").as_str(), named("default").as_str()), ("rollout.argoproj.io/cart\n", ""));
}

//! `serin lint`: rules, places and forms.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};
use serin_values::merge_patch::apply_merge_patch;
use tempfile::TempDir;

use crate::double::{Asked, Double};
use crate::stage::{Outcome, PLUGIN, SERIN, command, outcome};

mod real;

#[derive(Deserialize)]
struct Cases {
    bases: BTreeMap<String, Vec<Value>>,
    rules: BTreeMap<String, Pair>,
    more: Vec<Case>,
}

#[derive(Deserialize)]
struct Pair {
    hit: Case,
    miss: Case,
}

/// Objects, and the field that a rule blames, if it blames any.
#[derive(Deserialize)]
struct Case {
    #[serde(default)]
    rule: String,
    base: Option<String>,
    spec: Option<Value>,
    #[serde(default)]
    objects: Vec<Value>,
    text: Option<String>,
    at: Option<String>,
}

impl Case {
    fn manifest(&self, bases: &BTreeMap<String, Vec<Value>>) -> String {
        if let Some(text) = &self.text {
            return text.clone();
        }
        let base = self.base.as_ref().expect("a base or a text");
        let mut objects = bases[base].clone();
        if let Some(spec) = &self.spec {
            objects[0] = apply_merge_patch(&objects[0], &json!({"spec": spec}));
        }
        objects.extend(self.objects.iter().cloned());
        objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
    }
}

fn cases() -> Cases {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/lint/cases.yaml");
    let text = fs::read_to_string(path).expect("a file");
    // Merges are a matter of the reader.
    let mut value: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
    value.apply_merge().expect("merges");
    serde_yaml::from_value(value).expect("cases")
}

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn run_as(name: &str, folder: &Path, args: &[&str]) -> Outcome {
    let mut command = command(name, Path::new("/nonexistent"), &[&["lint"], args].concat());
    outcome(command.current_dir(folder))
}

fn run(folder: &Path, args: &[&str]) -> Outcome {
    run_as(SERIN, folder, args)
}

/// The findings of a file: rule and field.
fn findings(text: &str) -> Vec<(String, String)> {
    let folder = folder(&[("a.yaml", text)]);
    let done = run(folder.path(), &["a.yaml", "-o", "json"]);
    let document: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let findings = document["findings"].as_array().expect("a list").clone();
    let word = |finding: &Value, name: &str| finding[name].as_str().expect("a string").to_owned();
    findings.iter().map(|finding| (word(finding, "rule"), word(finding, "field"))).collect()
}

/// Names of all rules.
fn rules() -> BTreeSet<String> {
    let table = run(Path::new("/"), &["--rules"]).stdout;
    let ids = table.lines().skip(2).filter_map(|row| row.split('`').nth(1));
    ids.map(str::to_owned).collect()
}

/// Rules that need more than a text: a file that cannot be read, or a cluster. They have tests of their own.
const ELSEWHERE: [&str; 3] = ["unreadable-file", "missing-template", "missing-right"];

#[test]
fn every_rule_has_a_hit_and_a_near_miss() {
    let cases = cases();
    let with_cases: BTreeSet<String> =
        cases.rules.keys().cloned().chain(ELSEWHERE.map(str::to_owned)).collect();
    assert_eq!(with_cases, rules());
    let pairs = cases.rules.iter().flat_map(|(rule, pair)| [(rule, &pair.hit), (rule, &pair.miss)]);
    let mut wrong = Vec::new();
    for (rule, case) in pairs.chain(cases.more.iter().map(|case| (&case.rule, case))) {
        let text = case.manifest(&cases.bases);
        let found = findings(&text);
        let blamed: Vec<&String> =
            found.iter().filter(|(id, _)| id == rule).map(|(_, field)| field).collect();
        if blamed != case.at.iter().collect::<Vec<_>>() {
            wrong.push(format!("{rule}: {:?} and not {blamed:?}: {text}", case.at));
        }
    }
    for (rule, pair) in &cases.rules {
        assert!(pair.hit.at.is_some() && pair.miss.at.is_none(), "{rule}");
    }
    assert!(wrong.is_empty(), "{}\n{} are wrong", wrong.join("\n"), wrong.len());
}

#[test]
fn the_table_of_rules_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md");
    let page = fs::read_to_string(&path).expect("a page");
    let table = run(Path::new("/"), &["--rules"]).stdout;
    let (before, rest) = page.split_once("<!-- rules -->\n").expect("the mark before the table");
    let (_, after) = rest.split_once("<!-- end of rules -->").expect("the mark after the table");
    let current = format!("{before}<!-- rules -->\n{table}<!-- end of rules -->{after}");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &current).expect("a page");
    }
    assert_eq!(page, current, "UPDATE=1 writes it again");
}

const GOOD: &str = "\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: demo
spec:
  replicas: 10
  selector: {matchLabels: {app: demo}}
  template:
    metadata: {labels: {app: demo}}
    spec: {containers: [{name: web, image: 'demo:1'}]}
  strategy:
    canary:
      steps:
      - setWeight: 20
      - pause: {}
";

fn bad() -> String {
    GOOD.replace("setWeight: 20", "setWeight: 200")
}

fn warned() -> String {
    GOOD.replace("      steps:\n", "      maxSurge: '50'\n      steps:\n")
}

#[test]
fn exit_codes_tell_errors_from_warnings() {
    let folder = folder(&[("good.yaml", GOOD), ("bad.yaml", &bad()), ("warned.yaml", &warned())]);
    for (args, exit, summary) in [
        (vec!["-f", "good.yaml"], 0, ""),
        (vec!["-f", "warned.yaml"], 0, "serin: 1 warning\n"),
        (vec!["-f", "warned.yaml", "--strict"], 1, "serin: 1 warning\n"),
        (vec!["warned.yaml", "--warnings-are-errors"], 1, "serin: 1 warning\n"),
        (vec!["-f", "bad.yaml", "warned.yaml"], 1, "serin: 1 error, 1 warning\n"),
        (vec!["-f", "bad.yaml", "-f", "bad.yaml", "good.yaml"], 1, "serin: 1 error\n"),
        (vec![], 2, "serin: no file or directory given; use `serin lint -f FILE`\n"),
    ] {
        for name in [SERIN, "kubectl-serin"] {
            let done = run_as(name, folder.path(), &args);
            assert_eq!((done.exit, done.stderr.as_str()), (exit, summary), "{args:?}: {}", done.stdout);
        }
    }
    assert_eq!(run(folder.path(), &["-f", "good.yaml", "--no-such-flag"]).exit, 2);
}

#[test]
fn a_finding_is_a_line_with_its_place() {
    let two = format!("# first\n{GOOD}---\n# second\n{}", bad());
    let folder = folder(&[("two.yaml", &two), ("warned.yaml", &warned())]);
    let done = run(folder.path(), &["two.yaml", "warned.yaml"]);
    let expected = "\
two.yaml:32:9: error: spec.strategy.canary.steps[0].setWeight: 200: must be between 0 and 100 [invalid-spec]
warned.yaml:13:7: warning: spec.strategy.canary.maxSurge: \"50\": means 50 %, not 50 pods; write 50% or 50, whichever is intended [percent-without-sign]
";
    assert_eq!(done.stdout, expected);
}

#[test]
fn unknown_fields_and_wrong_types_say_what_is_meant() {
    let text = GOOD
        .replace("replicas: 10", "replicas: '10'")
        .replace("app: demo}}\n    spec", "app: yes}}\n    spec")
        .replace(
            "strategy:\n    canary:\n      steps",
            "strategy:\n    maxSurge: 1\n    canary:\n      Steps",
        );
    let folder = folder(&[("a.yaml", &text)]);
    let lines = run(folder.path(), &["a.yaml"]).stdout;
    for line in [
        "a.yaml:6:3: error: spec.replicas: \"10\": must be an integer, but is a string; write it without \
         quotes",
        "a.yaml:9:25: error: spec.template.metadata.labels.app: true: must be a string, but is a boolean; put it in \
         quotes, as in \"yes\": without them kubectl reads yes as true",
        "a.yaml:12:5: error: spec.strategy.maxSurge: unknown field; did you mean canary.maxSurge?",
        "a.yaml:14:7: error: spec.strategy.canary.Steps: unknown field; did you mean steps?",
    ] {
        assert!(lines.contains(line), "{line}\n{lines}");
    }
}

#[test]
fn the_standard_input_is_read() {
    let mut command = command(SERIN, Path::new("/nonexistent"), &["lint", "-f", "-"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program runs");
    child.stdin.take().expect("a pipe").write_all(bad().as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("<stdin>:14:9: error: "), "{text}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn directories_are_searched() {
    let files = [
        ("d/b.yml", bad()),
        ("d/a.json", json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}).to_string()),
        ("d/notes.txt", "a: [".to_owned()),
        ("d/kustomization.yaml", "resources: [b.yml]\n".to_owned()),
        ("d/inner/c.yaml", bad()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = folder(&files);
    let names = |args: &[&str]| {
        let text = run(folder.path(), args).stdout;
        text.lines().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["d"]), ["d/a.json", "d/b.yml"]);
    assert_eq!(names(&["-R", "-f", "d"]), ["d/a.json", "d/b.yml", "d/inner/c.yaml"]);
}

#[test]
fn what_cannot_be_read_does_not_hide_the_rest() {
    let list = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"}, "spec": {"replicas": -1}},
    ]});
    let mixed = format!("a: [\n---\n{}---\n{list}\n", bad());
    let folder = folder(&[
        ("mixed.yaml", &mixed),
        ("empty.yaml", ""),
        ("text.yaml", "just words"),
        ("bad.json", "{,}"),
    ]);
    fs::write(folder.path().join("bytes.yaml"), [0xff, 0xfe, 0x00]).expect("a file");
    let args = ["mixed.yaml", "empty.yaml", "text.yaml", "bad.json", "bytes.yaml", "missing.yaml"];
    let done = run(folder.path(), &args);
    let lines: Vec<&str> = done.stdout.lines().collect();
    for start in [
        "bad.json:1:2: error: invalid JSON: ",
        "bytes.yaml: error: cannot be read: the file is not UTF-8 text [unreadable-file]",
        "missing.yaml: error: cannot be read: No such file",
        "mixed.yaml:2:1: error: invalid YAML: ",
        "mixed.yaml:16:9: error: spec.strategy.canary.steps[0].setWeight: 200: ",
        "text.yaml:1:1: error: not an object",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start}\n{}", done.stdout);
    }
    let replicas =
        lines.iter().find(|line| line.contains("spec.replicas: -1")).expect("the item of the list");
    assert!(replicas.starts_with("mixed.yaml:19:"), "{replicas}");
    assert!(!done.stdout.contains("empty.yaml") && done.exit == 1);
}

#[test]
fn json_has_the_fields_of_the_page() {
    let folder = folder(&[("a.yaml", &bad())]);
    let done = run(folder.path(), &["a.yaml", "-o", "json"]);
    let document: Value = serde_json::from_str(&done.stdout).expect("JSON");
    let expected = json!({"errors": 1, "warnings": 0, "notes": 0, "findings": [{
        "rule": "invalid-spec", "severity": "error", "file": "a.yaml", "line": 14, "column": 9,
        "object": {"kind": "Rollout", "name": "demo"}, "field": "spec.strategy.canary.steps[0].setWeight", "value": 200,
        "problem": "must be between 0 and 100",
    }]});
    assert_eq!(document, expected);
    let page =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/lint.md")).expect("a page");
    for field in
        ["rule", "severity", "file", "line", "column", "object", "field", "value", "problem", "remedy"]
    {
        assert!(page.contains(&format!("| `{field}` |")), "{field}");
    }
}

#[test]
fn sarif_has_what_its_standard_asks_for() {
    let folder = folder(&[("with space.yaml", &bad())]);
    let done = run(folder.path(), &["with space.yaml", "missing.yaml", "-o", "sarif"]);
    let log: Value = serde_json::from_str(&done.stdout).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    let ids: Vec<&str> =
        driver["rules"].as_array().expect("rules").iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(driver["name"], "serin");
    assert_eq!(ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>(), rules());
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(result["message"]["text"].as_str().is_some_and(|text| !text.is_empty()));
        assert!(["error", "warning"].contains(&result["level"].as_str().expect("a level")));
        let index = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("small");
        assert_eq!(result["ruleId"], ids[index]);
        let uri = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert!(uri.as_str().is_some_and(|uri| !uri.contains(' ')), "{uri}");
    }
    let place = &results[1]["locations"][0];
    assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "with%20space.yaml");
    assert_eq!(place["physicalLocation"]["region"], json!({"startLine": 14, "startColumn": 9}));
    assert!(results[0]["locations"][0]["physicalLocation"].get("region").is_none(), "a file has no line");
}

#[test]
fn under_the_name_of_the_plugin_it_is_the_plugin() {
    let twice = format!("{}---\n{}", bad(), bad().replace("replicas: 10", "replicas: -1"));
    let unknown = GOOD.replace("replicas: 10", "replica: 10");
    let folder = folder(&[
        ("good.yaml", GOOD),
        ("warned.yaml", &warned()),
        ("twice.yaml", &twice),
        ("unknown.yaml", &unknown),
    ]);
    let body = "Invalid value: 200: SetWeight needs to be between 0 and 100\n";
    let bodies = format!("{body}Invalid value: -1: must be greater than or equal to 0\n{body}");
    let first = format!("Error: spec.strategy.steps[0].setWeight: {body}");
    let decoding = "Error: error unmarshaling JSON: while decoding JSON: json: unknown field \"replica\"\n";
    for (file, stdout, stderr, exit) in [
        ("good.yaml", "", "", 0),
        ("warned.yaml", "", "", 0),
        ("twice.yaml", bodies.as_str(), first.as_str(), 1),
        ("unknown.yaml", "", decoding, 1),
    ] {
        let done = run_as(PLUGIN, folder.path(), &["-f", file]);
        assert_eq!((done.stdout.as_str(), done.stderr.as_str(), done.exit), (stdout, stderr, exit), "{file}");
    }
}

/// A cluster in which a Service selects other pods, and the rest of what is asked for is missing.
fn cluster(asked: &Asked) -> (u16, Value) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 404,
        "reason": "NotFound", "message": "not found", "details": {"name": "x"}});
    if asked.path.ends_with("/selfsubjectaccessreviews") {
        let verb = &asked.body["spec"]["resourceAttributes"]["verb"];
        return (
            201,
            json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "metadata": {}, "spec": asked.body["spec"], "status": {"allowed": verb != "patch"}}),
        );
    }
    if asked.path == "/api/v1/namespaces/shop/services/active" {
        return (
            200,
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "active", "namespace": "shop"},
            "spec": {"selector": {"app": "other", "rollouts-pod-template-hash": "abc"}}}),
        );
    }
    (404, status)
}

#[test]
fn a_cluster_tells_what_is_missing() {
    let text = GOOD.split("    canary:\n").next().expect("the head").to_owned()
        + "    blueGreen:\n      activeService: active\n      previewService: preview\n      prePromotionAnalysis:\n        \
           templates:\n        - templateName: smoke\n        - {templateName: known}\n";
    let known = "---\napiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: known}\nspec:\n  \
                 metrics: [{name: m, provider: {web: {url: 'http://a'}}}]\n";
    let folder = folder(&[("a.yaml", &(text + known))]);
    let server = Double::start(|asked| Some(cluster(asked)));
    let file = folder.path().join("a.yaml").display().to_string();
    let done = server.run(SERIN, &["lint", "--live", "-n", "shop", "-f", &file]);
    let lines = done.stdout.lines().filter(|line| !line.ends_with("[not-built]"));
    let lines: Vec<String> = lines.map(|line| line.replace(&file, "a.yaml")).collect();
    let expected = [
        "a.yaml:1:1: error: permission denied: the user cannot patch Rollouts in namespace \"shop\" \
         [missing-right]",
        "a.yaml:13:7: error: spec.strategy.blueGreen.activeService: \"active\": the Service selects pods with app=other, but \
         that label of spec.template is \"demo\"; correct the selector or the label [invalid-reference]",
        "a.yaml:14:7: error: spec.strategy.blueGreen.previewService: \"preview\": service \"preview\" not found; create it in \
         the Rollout's namespace [invalid-reference]",
        "a.yaml:17:11: error: spec.strategy.blueGreen.prePromotionAnalysis.templates[0].templateName: \"smoke\": \
         AnalysisTemplate \"smoke\" not found; create it [missing-template]",
    ];
    assert_eq!(lines, expected.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{}", done.stderr);
    assert_eq!(done.exit, 1);
    let asked: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert!(
        !asked.iter().any(|path| path.ends_with("/known")),
        "what is in the files is not asked for: {asked:?}"
    );
}

/// A cluster that runs version 1, whose Services and Rollout are about to be those of version 2.
fn running_cluster(asked: &Asked) -> (u16, Value) {
    let object = match asked.path.rsplit('/').next() {
        Some("ver") => {
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "ver"},
            "status": {"stableRS": "abc"}})
        }
        Some("ver-abc") => {
            json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "ver-abc"},
            "spec": {"template": {"metadata": {"labels": {"app": "ver", "app.kubernetes.io/version": "1"}}}},
            "status": {"availableReplicas": 3}})
        }
        _ => return cluster(asked),
    };
    (200, object)
}

#[test]
fn a_cluster_tells_that_a_service_would_lose_the_revision_that_serves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults");
    let server = Double::start(|asked| Some(running_cluster(asked)));
    let said = |name: &str| {
        let file = root.join(name).display().to_string();
        let done = server.run(SERIN, &["lint", "--live", "-n", "shop", "-f", &file]);
        done.stdout
            .lines()
            .filter(|line| line.ends_with("[invalid-reference]"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(said("33-selector-1.yaml"), [""; 0]);
    let lost = "spec.strategy.blueGreen.activeService: \"ver-active\": the Service selects pods with \
                app.kubernetes.io/version=2, but that label of the pods of ReplicaSet \"ver-abc\" is \"1\"";
    let found = said("33-selector-2.yaml");
    assert!(found.len() == 1 && found[0].contains(lost), "{found:?}");
}

#[test]
fn our_own_manifests_are_free_of_findings() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    for folder in ["examples", "deploy", "src/cli/playground"] {
        let done = run(&root, &["-R", folder]);
        let lines = done.stdout.lines().filter(|line| !line.ends_with("[not-built]"));
        assert_eq!(lines.collect::<Vec<_>>(), Vec::<&str>::new(), "{folder}");
    }
}

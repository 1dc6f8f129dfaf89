//! Holds the arithmetic to recorded facts of the reference controller.
//!
//! Every `*.jsonl` file of `tests/vectors` (or of the folder that `SERIN_VECTORS` names) is read, one fact a line.
//! A file that no checker knows fails, as does one without lines, or a missing one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Deserialize;
use serde_json::Value;
use serin_core::domain::hash::{pod_template_hash, step_hash, step_text};
use serin_core::domain::replicas::{
    AbortDelay, BasicCanaryInput, CanaryPosition, CanaryScale, RecordedWeights, ReplicaSetCounts,
    RoutedCanaryInput, StepSize, basic_canary_counts, desired_weight, fenceposts, routed_canary_counts,
    routed_weight,
};
use serin_values::text_hash::text_hash;

/// What is wrong with a line, or nothing.
type Verdict = Result<(), String>;

/// Who checks a file.
enum Checker {
    Here(fn(&str) -> Verdict),
    /// Another test binary, which fails by itself.
    Elsewhere(&'static str),
}

/// The files that must be there.
const FILES: [&str; 5] = [
    "conditions.jsonl",
    "pod-template-hash.jsonl",
    "replica-counts.jsonl",
    "step-hash.jsonl",
    "validation.jsonl",
];

fn checker(file: &str) -> Option<Checker> {
    match file {
        "conditions.jsonl" => Some(Checker::Elsewhere("crates/serin-conditions/tests/vectors.rs")),
        "pod-template-hash.jsonl" => Some(Checker::Here(check_pod_template_hash)),
        "replica-counts.jsonl" => Some(Checker::Here(check_replica_counts)),
        "step-hash.jsonl" => Some(Checker::Here(check_step_hash)),
        "validation.jsonl" => Some(Checker::Elsewhere("tests/validation.rs")),
        _ => None,
    }
}

#[test]
fn every_recorded_fact_holds() {
    let folder = std::env::var_os("SERIN_VECTORS")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors"), PathBuf::from);
    let mut failures = check_folder(&folder);
    failures.truncate(20);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check_folder(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return vec![format!("{}: there is no such folder", folder.display())];
    };
    let names: BTreeSet<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "jsonl"))
        .collect();
    let missing = FILES.iter().filter(|name| !names.contains(**name)).map(|name| format!("{name}: missing"));
    missing.chain(names.iter().flat_map(|name| check_file(folder, name))).collect()
}

fn check_file(folder: &Path, name: &str) -> Vec<String> {
    let Some(checker) = checker(name) else {
        return vec![format!("{name}: no checker knows this file")];
    };
    let text = match fs::read_to_string(folder.join(name)) {
        Ok(text) if text.trim().is_empty() => return vec![format!("{name}: empty")],
        Ok(text) => text,
        Err(error) => return vec![format!("{name}: {error}")],
    };
    match checker {
        Checker::Elsewhere(binary) => {
            println!("{name}: {} lines, checked by {binary}", text.lines().count());
            Vec::new()
        }
        Checker::Here(check) => {
            let failures = check_lines(name, &text, check);
            println!("{name}: {} lines checked, {} differ", text.lines().count(), failures.len());
            failures
        }
    }
}

fn check_lines(name: &str, text: &str, check: fn(&str) -> Verdict) -> Vec<String> {
    let numbered = text.lines().enumerate();
    numbered
        .filter_map(|(index, line)| {
            check(line).err().map(|problem| format!("{name}:{}: {problem}\n  {line}", index + 1))
        })
        .collect()
}

fn agree<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, recorded: &T) -> Verdict {
    if ours == recorded { Ok(()) } else { Err(format!("{what}: {ours:?}, recorded {recorded:?}")) }
}

fn parsed<T: for<'a> Deserialize<'a>>(line: &str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PodTemplateHash {
    hash: String,
    template: Value,
    collision_count: Option<i32>,
}

fn check_pod_template_hash(line: &str) -> Verdict {
    let fact: PodTemplateHash = parsed(line)?;
    agree("hash", &pod_template_hash(&fact.template, fact.collision_count), &fact.hash)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepHash {
    hash: String,
    steps: Option<Value>,
}

/// The configuration of a plugin step is any JSON, hashed as it comes. From an API server it comes with its keys
/// sorted; these facts were recorded without one, so the configurations are put back as they are written.
fn check_step_hash(line: &str) -> Verdict {
    let fact: StepHash = parsed(line)?;
    let mut text = step_text(fact.steps.as_ref());
    agree("hash of text", &step_hash(fact.steps.as_ref()), &text_hash(&text))?;
    for (start, key) in line.match_indices("\"config\":") {
        let rest = &line[start + key.len()..];
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let sorted = values.next().ok_or("no config")?.map_err(|error| error.to_string())?;
        text = text.replace(&sorted.to_string(), &rest[..values.byte_offset()]);
    }
    agree("hash", &text_hash(&text), &fact.hash)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplicaCounts {
    r#in: ReplicaInput,
    out: ReplicaOutput,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplicaInput {
    routed: bool,
    replicas: i32,
    abort: bool,
    canary: RecordedReplicaSet,
    stable: RecordedReplicaSet,
    #[serde(default)]
    others: Vec<RecordedReplicaSet>,
    steps: Option<Vec<RecordedStep>>,
    current_step_index: Option<i32>,
    max_surge: Option<IntOrString>,
    max_unavailable: Option<IntOrString>,
    max_traffic_weight: Option<i32>,
    min_pods_per_replica_set: Option<i32>,
    #[serde(default)]
    dynamic_stable_scale: bool,
    current_weights: Option<CurrentWeights>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ReplicaOutput {
    canary: i32,
    stable: i32,
    desired_weight: i32,
    surge: Option<i32>,
    unavailable: Option<i32>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
struct RecordedReplicaSet {
    #[serde(rename = "specReplicas")]
    spec: i32,
    #[serde(rename = "availableReplicas")]
    available: i32,
    #[serde(rename = "statusReplicas")]
    status: i32,
}

impl From<RecordedReplicaSet> for ReplicaSetCounts {
    fn from(recorded: RecordedReplicaSet) -> Self {
        Self { spec: recorded.spec, available: recorded.available, status: recorded.status }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordedStep {
    set_weight: Option<i32>,
    set_canary_scale: Option<RecordedScale>,
    #[serde(rename = "pause")]
    _pause: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordedScale {
    weight: Option<i32>,
    replicas: Option<i32>,
    #[serde(default)]
    match_traffic_weight: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CurrentWeights {
    canary: i32,
    stable: i32,
}

impl RecordedStep {
    fn size(&self) -> StepSize {
        let set_canary_scale = self.set_canary_scale.as_ref().map(|scale| CanaryScale {
            weight: scale.weight,
            replicas: scale.replicas,
            match_traffic_weight: scale.match_traffic_weight,
        });
        StepSize { set_weight: self.set_weight, set_canary_scale }
    }
}

fn check_replica_counts(line: &str) -> Verdict {
    let fact: ReplicaCounts = parsed(line)?;
    let steps: Vec<StepSize> = fact.r#in.steps.iter().flatten().map(RecordedStep::size).collect();
    let position = CanaryPosition {
        steps: &steps,
        index: fact.r#in.current_step_index,
        max_weight: fact.r#in.max_traffic_weight.unwrap_or(100),
        is_aborted: fact.r#in.abort,
        is_promoted: false,
    };
    if fact.r#in.routed { check_routed(&fact, position) } else { check_basic(&fact, position) }
}

fn check_basic(fact: &ReplicaCounts, position: CanaryPosition<'_>) -> Verdict {
    let input = &fact.r#in;
    agree("desired weight", &desired_weight(&position), &fact.out.desired_weight)?;
    let limits = fenceposts(input.max_surge.as_ref(), input.max_unavailable.as_ref(), input.replicas);
    agree("surge", &Some(limits.surge), &fact.out.surge)?;
    agree("unavailable", &Some(limits.unavailable), &fact.out.unavailable)?;
    let next = basic_canary_counts(&BasicCanaryInput {
        replicas: input.replicas,
        limits,
        position,
        canary: Some(input.canary.into()),
        stable: Some(input.stable.into()),
        others_spec: input.others.iter().map(|other| other.spec).sum(),
    });
    agree("canary, stable", &(next.canary, next.stable), &(fact.out.canary, fact.out.stable))
}

fn check_routed(fact: &ReplicaCounts, position: CanaryPosition<'_>) -> Verdict {
    let input = &fact.r#in;
    let weights = input.current_weights.as_ref();
    let routed = RoutedCanaryInput {
        replicas: input.replicas,
        position,
        canary: Some(input.canary.into()),
        stable: Some(input.stable.into()),
        min_pods: input.min_pods_per_replica_set,
        is_stable_dynamic: input.dynamic_stable_scale,
        abort_delay: AbortDelay::Default,
        weights: weights.map(|weights| RecordedWeights { canary: weights.canary, stable: weights.stable }),
    };
    agree("desired weight", &routed_weight(&routed), &fact.out.desired_weight)?;
    let next = routed_canary_counts(&routed);
    // The reference asks for fewer than no stable pods when the canary is scaled beyond the maximum weight.
    let recorded_stable = fact.out.stable.max(0);
    agree("canary, stable", &(next.canary, next.stable), &(fact.out.canary, recorded_stable))
}

#[test]
fn a_wrong_fact_fails() {
    let wrong = r#"{"hash":"5ffbfbbd65","steps":null}"#;
    assert_eq!(check_lines("x", wrong, check_step_hash).len(), 1);
    assert!(check_lines("x", &wrong.replace("bd65", "bd64"), check_step_hash).is_empty());
    assert_eq!(check_lines("x", "not json", check_step_hash).len(), 1);
}

#[test]
fn empty_missing_and_unknown_files_fail() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("step-hash.jsonl"), "\n").unwrap();
    fs::write(folder.path().join("unheard-of.jsonl"), "{}\n").unwrap();
    let failures = check_folder(folder.path()).join("\n");
    assert!(failures.contains("step-hash.jsonl: empty"), "{failures}");
    assert!(failures.contains("unheard-of.jsonl: no checker"), "{failures}");
    assert!(failures.contains("replica-counts.jsonl: missing"), "{failures}");
    assert_eq!(check_folder(&folder.path().join("nowhere")).len(), 1);
}

//! Situations that no recording is of: what the view shows of them.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use serin::cli::view::{self, Surroundings};

/// The uid of the Rollout; that of any other object is its name.
const ROLLOUT: &str = "demo";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    case: String,
    spec: Value,
    status: Value,
    #[serde(default)]
    sets: Vec<Set>,
    #[serde(default)]
    experiments: Vec<Run>,
    #[serde(default)]
    runs: Vec<Run>,
    shown: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Set {
    hash: String,
    #[serde(default)]
    revision: u32,
    owner: Option<String>,
    /// The template of an Experiment that it is of.
    template: Option<String>,
    image: String,
    replicas: u32,
    available: u32,
    #[serde(default = "an_hour")]
    age: i64,
    /// When it is to be scaled down.
    deadline: Option<String>,
    /// Its pods cannot be made.
    #[serde(default)]
    failure: bool,
    #[serde(default)]
    pods: Vec<Pod>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pod {
    /// What its container waits for; it runs where there is nothing.
    waiting: Option<String>,
    #[serde(default)]
    restarts: u32,
}

/// An `AnalysisRun` or an Experiment.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    name: String,
    #[serde(default)]
    revision: u32,
    owner: Option<String>,
    #[serde(default = "an_hour")]
    age: i64,
    status: Value,
}

fn an_hour() -> i64 {
    3600
}

fn now() -> Timestamp {
    "2026-01-01T01:00:00Z".parse().expect("a time")
}

fn meta(name: &str, age: i64, owner: &str, revision: u32) -> Value {
    let since = now() - SignedDuration::from_secs(age);
    json!({
        "name": name, "namespace": "shop", "uid": name, "creationTimestamp": since,
        "ownerReferences": [{"apiVersion": "v1", "kind": "Owner", "name": owner, "uid": owner}],
        "annotations": {"rollout.argoproj.io/revision": revision.to_string()},
    })
}

impl Set {
    fn object(&self) -> Value {
        let owner = self.owner.as_deref().unwrap_or(ROLLOUT);
        let mut meta = meta(&format!("demo-{}", self.hash), self.age, owner, self.revision);
        meta["labels"]["rollouts-pod-template-hash"] = self.hash.as_str().into();
        if let Some(template) = &self.template {
            meta["annotations"]["experiment.argoproj.io/template-name"] = template.as_str().into();
        }
        if let Some(deadline) = &self.deadline {
            meta["annotations"]["scale-down-deadline"] = deadline.as_str().into();
        }
        let failure = json!({"type": "ReplicaFailure", "status": "True"});
        let conditions: Vec<Value> = self.failure.then_some(failure).into_iter().collect();
        json!({
            "metadata": meta,
            "spec": {
                "replicas": self.replicas, "selector": {},
                "template": {"spec": {"containers": [{"name": "main", "image": self.image}]}},
            },
            "status": {"replicas": self.replicas, "availableReplicas": self.available, "conditions": conditions},
        })
    }

    fn pods(&self) -> impl Iterator<Item = Value> {
        self.pods.iter().enumerate().map(|(index, pod)| {
            let state = match &pod.waiting {
                Some(reason) => json!({"waiting": {"reason": reason}}),
                None => json!({"running": {}}),
            };
            json!({
                "metadata": meta(&format!("{}-{index}", self.hash), self.age, &format!("demo-{}", self.hash), 0),
                "spec": {"containers": [{"name": "main"}]},
                "status": {"phase": "Running", "containerStatuses": [{
                    "name": "main", "image": "i", "imageID": "i", "state": state, "ready": pod.waiting.is_none(),
                    "restartCount": pod.restarts,
                }]},
            })
        })
    }
}

impl Run {
    fn object(&self) -> Value {
        let owner = self.owner.as_deref().unwrap_or(ROLLOUT);
        let meta = meta(&self.name, self.age, owner, self.revision);
        json!({"metadata": meta, "spec": {"metrics": [], "templates": []}, "status": self.status})
    }
}

fn read<T: serde::de::DeserializeOwned>(objects: impl Iterator<Item = Value>) -> Vec<T> {
    objects.map(|object| serde_json::from_value(object).expect("a readable object")).collect()
}

/// Without the blanks at the ends of lines, and with two between columns: names have the widths of their own.
fn tidied(text: &str) -> String {
    let gaps = regex::Regex::new("  +").expect("a pattern");
    text.lines().map(|line| gaps.replace_all(line.trim_end(), "  ").into_owned() + "\n").collect()
}

#[test]
fn each_situation_is_shown() {
    let situations: Vec<Situation> =
        serde_yaml::from_str(include_str!("situations.yaml")).expect("situations");
    let codes = regex::Regex::new("\x1b\\[[0-9]+m").expect("a pattern");
    for situation in situations {
        let Situation { case, spec, status, sets, experiments, runs, shown } = situation;
        let rollout =
            json!({"metadata": meta(ROLLOUT, an_hour(), "nobody", 0), "spec": spec, "status": status});
        let rollout = serde_json::from_value(rollout).expect("a Rollout");
        let around = Surroundings {
            replica_sets: read(sets.iter().map(Set::object)),
            pods: read(sets.iter().flat_map(Set::pods)),
            experiments: read(experiments.iter().map(Run::object)),
            analysis_runs: read(runs.iter().map(Run::object)),
        };
        let plain = view::rollout(&rollout, &around, now(), false);
        assert_eq!(tidied(&plain), tidied(&shown), "{case}");
        let coloured = view::rollout(&rollout, &around, now(), true);
        assert!(codes.is_match(&coloured), "{case}");
        assert_eq!(codes.replace_all(&coloured, ""), plain, "{case}: colours change no width");
    }
}

//! Situations that no recording is of: what the view shows of them.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use serin::cli::view::{self, Look};
use serin_insight::surroundings::Surroundings;

/// The uid of the Rollout; that of any other object is its name.
const ROLLOUT: &str = "demo";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    case: String,
    /// The number of changes of the spec.
    #[serde(default)]
    generation: i64,
    spec: Value,
    status: Value,
    #[serde(default)]
    sets: Vec<Set>,
    #[serde(default)]
    experiments: Vec<Run>,
    #[serde(default)]
    runs: Vec<Run>,
    /// The output of the reference.
    shown: Option<String>,
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
    /// The scale-down deadline.
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
    /// The reason why its container waits; it runs without one.
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

fn situations() -> Vec<Situation> {
    serde_yaml::from_str(include_str!("situations.yaml")).expect("situations")
}

impl Situation {
    fn shown(&self, look: &Look) -> String {
        let mut meta = meta(ROLLOUT, an_hour(), "noone", 0);
        meta["generation"] = self.generation.into();
        let rollout = json!({"metadata": meta, "spec": self.spec, "status": self.status});
        let rollout = serde_json::from_value(rollout).expect("a Rollout");
        let around = Surroundings {
            replica_sets: read(self.sets.iter().map(Set::object)),
            pods: read(self.sets.iter().flat_map(Set::pods)),
            experiments: read(self.experiments.iter().map(Run::object)),
            analysis_runs: read(self.runs.iter().map(Run::object)),
        };
        view::rollout(&rollout, &around, look)
    }

    /// The output on a terminal, below a ruler.
    fn framed(&self, columns: usize) -> String {
        let look = Look { is_full: true, columns: Some(columns), ..Look::plain(now()) };
        let shown = self.shown(&look);
        let narrow_tree = shown.find('⟳').filter(|_| columns == 20).unwrap_or(shown.len());
        for line in shown[..narrow_tree].lines() {
            assert!(line.trim_end().chars().count() <= columns, "{}: {line}", self.case);
        }
        format!("{}\n{shown}", "=".repeat(columns))
    }
}

#[test]
fn each_situation_is_shown() {
    let codes = regex::Regex::new("\x1b\\[[0-9]+m").expect("a pattern");
    let look = Look::plain(now());
    for situation in situations() {
        let case = &situation.case;
        let plain = situation.shown(&look);
        if let Some(shown) = &situation.shown {
            assert_eq!(tidied(&plain), tidied(shown), "{case}");
        }
        for look in [look, Look { is_full: true, columns: Some(80), ..look }] {
            let plain = situation.shown(&look);
            let coloured = situation.shown(&Look { is_coloured: true, ..look });
            let has_colour = |sign: char| "✔✖◌◷⚠→".contains(sign);
            assert_eq!(codes.is_match(&coloured), plain.contains(has_colour), "{case}");
            assert_eq!(codes.replace_all(&coloured, ""), plain, "{case}: colours change no width");
        }
    }
}

#[test]
fn what_is_shown_beyond_the_reference_stands_above_the_tree() {
    for situation in situations() {
        let plain = situation.shown(&Look::plain(now()));
        let full = situation.shown(&Look { is_full: true, ..Look::plain(now()) });
        let (head, tree) = plain.split_once("\n\n").expect("a tree");
        let (full_head, full_tree) = full.split_once("\n\n").expect("a tree");
        let case = &situation.case;
        assert_eq!(tree, full_tree, "{case}");
        assert!(full_head.starts_with(head), "{case}: {full_head}");
    }
}

#[test]
fn a_delay_that_has_just_begun_is_shown_as_long_as_it_is() {
    let all = situations();
    let situation = all.iter().find(|one| one.case.starts_with("an abort behind a router")).expect("a case");
    // The deadline is 27 s after `now`, and a part of the first of 28 seconds has passed.
    let just_begun = now() - SignedDuration::from_millis(400);
    for (is_full, shown) in [(true, "delay:28s"), (false, "delay:27s")] {
        let text = situation.shown(&Look { is_full, ..Look::plain(just_begun) });
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn with_few_rows_less_is_said_above_the_tree() {
    for situation in situations() {
        let look = Look { is_full: true, columns: Some(80), ..Look::plain(now()) };
        let (whole, short) = (situation.shown(&look), situation.shown(&Look { rows: Some(5), ..look }));
        let rows = |text: &str| text.split("\n\n").map(|part| part.lines().count()).collect::<Vec<_>>();
        let case = &situation.case;
        assert!(
            rows(&short)[0] + 4 <= rows(&whole)[0] && rows(&short)[1] == rows(&whole)[1],
            "{case}: {short}"
        );
        let enough = Look { rows: Some(whole.lines().count()), ..look };
        assert_eq!(situation.shown(&enough), whole, "{case}");
    }
}

#[test]
fn frames_fit_into_their_columns() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/frames");
    for situation in situations() {
        let frames: String = [20, 80, 200].map(|columns| situation.framed(columns)).concat();
        let file = folder.join(situation.case.replace([',', ' '], "-") + ".txt");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, &frames).expect("a written file");
        }
        let stored = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(frames, stored, "{}: UPDATE=1 stores what is shown now", situation.case);
    }
}

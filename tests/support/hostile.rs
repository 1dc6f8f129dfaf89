//! Malformed and hostile Rollouts: the cases of `tests/hostile`, as data.

#![allow(dead_code, reason = "each test binary uses some of it")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::hash::pod_template_hash;
use serin_values::merge_patch::apply_merge_patch;

/// The Rollout that a case is about.
pub(crate) const NAME: &str = "demo";

/// When the hostile part comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Moment {
    /// From the start.
    #[default]
    Start,
    /// When the first template runs.
    Healthy,
    /// At the pause of an update.
    Paused,
}

/// A ReplicaSet that has a name which the Rollout wants.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taker {
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// The name of the Rollout that it says it belongs to; never the one of the case.
    owner: Option<String>,
}

/// A malformed or hostile Rollout, and what has to become of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[allow(
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    reason = "these are the keys of the files, each of which may be left out"
)]
pub(crate) struct Case {
    /// What it is about.
    pub(crate) case: String,
    /// The objects of `bases.yaml` that it begins with.
    base: String,
    /// A real API server stores it, so it is tried there, too.
    #[serde(default)]
    pub(crate) real: bool,
    #[serde(default)]
    pub(crate) at: Moment,
    /// Merged into the Rollout.
    #[serde(default)]
    rollout: Value,
    /// As many equal steps.
    many_steps: Option<usize>,
    /// How long the name of the Rollout is.
    name: Option<usize>,
    /// Merged into its status.
    #[serde(default)]
    status: Value,
    /// Takes the place of its status.
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) whole_status: Option<Value>,
    /// Merged into its ReplicaSets.
    #[serde(default)]
    pub(crate) replica_sets: Value,
    /// Merged into Services and Ingresses by name; null deletes.
    #[serde(default)]
    pub(crate) services: BTreeMap<String, Value>,
    #[serde(default)]
    pub(crate) ingresses: BTreeMap<String, Value>,
    /// Which of its ReplicaSets is deleted: `stable` or `newest`.
    pub(crate) gone: Option<String>,
    /// Something else has the name that its first ReplicaSet would get.
    #[serde(default)]
    taken_name: bool,
    #[serde(default)]
    taken_by: Taker,
    /// There is a ReplicaSet of its template without an owner; this is merged into it.
    #[serde(default)]
    orphan: Option<Value>,
    /// Objects that are there, too.
    #[serde(default)]
    also: Vec<Value>,
    /// Then the template is changed.
    #[serde(default)]
    pub(crate) update: bool,
    /// And a while later a pause is ended.
    #[serde(default)]
    pub(crate) promote: bool,
    /// A part of the message of its condition `InvalidSpec` or `Blocked`.
    pub(crate) says: Option<String>,
    /// How its phase and message begin in the end.
    pub(crate) ends: Option<String>,
    /// The same of other Rollouts of the case: the beginning of phase and message, or a part of the condition.
    #[serde(default)]
    pub(crate) others: BTreeMap<String, String>,
}

fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All cases.
pub(crate) fn cases() -> Vec<Case> {
    let entries = fs::read_dir(folder().join("cases")).expect("a folder of cases");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.iter().flat_map(|file| read::<Vec<Case>>(file)).collect()
}

impl Case {
    /// The name of the Rollout.
    pub(crate) fn rollout_name(&self) -> String {
        self.name.map_or_else(|| NAME.to_owned(), |length| "d".repeat(length))
    }

    /// The objects to begin with, and the Rollout as the last of them.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let bases: BTreeMap<String, Vec<Value>> = read(&folder().join("bases.yaml"));
        let mut objects = bases.get(&self.base).unwrap_or_else(|| panic!("no base {}", self.base)).clone();
        let mut rollout = objects.pop().expect("a Rollout");
        rollout["metadata"]["name"] = self.rollout_name().into();
        if self.at == Moment::Start {
            rollout = apply_merge_patch(&rollout, &self.rollout_patch());
            if let Some(patch) = self.status_patch() {
                rollout = apply_merge_patch(&rollout, &json!({"status": patch}));
            }
            objects = objects.iter().filter_map(|object| self.changed(object)).collect();
            objects.extend(self.also.clone());
        }
        objects.extend(self.takers(&rollout["spec"]));
        objects.push(rollout);
        objects
    }

    /// What comes when everything runs.
    pub(crate) fn later_objects(&self) -> &[Value] {
        if self.at == Moment::Start { &[] } else { &self.also }
    }

    /// What is merged into the Rollout.
    pub(crate) fn rollout_patch(&self) -> Value {
        let steps = self.many_steps.map(|count| vec![json!({"setWeight": 50}); count]);
        let steps = steps.map(|steps| json!({"spec": {"strategy": {"canary": {"steps": steps}}}}));
        let patch = if self.rollout.is_null() { json!({}) } else { self.rollout.clone() };
        steps.unwrap_or(patch)
    }

    /// What is merged into its status.
    pub(crate) fn status_patch(&self) -> Option<Value> {
        (!self.status.is_null()).then(|| self.status.clone())
    }

    /// A Service or Ingress as the case has it; none where that is deleted.
    pub(crate) fn changed(&self, object: &Value) -> Option<Value> {
        let patches = match object["kind"].as_str() {
            Some("Service") => &self.services,
            Some("Ingress") => &self.ingresses,
            Some(_) | None => return Some(object.clone()),
        };
        match patches.get(object["metadata"]["name"].as_str().unwrap_or_default()) {
            Some(Value::Null) => None,
            Some(patch) => Some(apply_merge_patch(object, patch)),
            None => Some(object.clone()),
        }
    }

    /// ReplicaSets that were there before the Rollout.
    fn takers(&self, spec: &Value) -> Vec<Value> {
        let hash = pod_template_hash(
            &spec["template"],
            spec["status"]["collisionCount"].as_i64().and_then(|n| i32::try_from(n).ok()),
        );
        let name = format!("{NAME}-{hash}");
        let mut found = Vec::new();
        if self.taken_name {
            let owner = self.taken_by.owner.as_ref().map(|owner| json!([{
                "apiVersion": keys::API_VERSION, "kind": keys::ROLLOUT, "name": owner, "uid": "uid-of-another", "controller": true,
            }]));
            found.push(replica_set(
                &name,
                &json!(self.taken_by.labels),
                owner,
                &json!({"x": "y"}),
                "theirs:1",
            ));
        }
        if let Some(patch) = &self.orphan {
            let labels = json!({"app": "demo", keys::POD_HASH_LABEL: hash});
            let orphan = replica_set(&name, &labels, None, &labels, "demo:blue");
            found.push(apply_merge_patch(&orphan, patch));
        }
        found
    }
}

#[allow(clippy::needless_pass_by_value, reason = "a value is written where it is called")]
fn replica_set(name: &str, labels: &Value, owners: Option<Value>, pod_labels: &Value, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": name, "labels": labels, "ownerReferences": owners},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": pod_labels},
            "template": {
                "metadata": {"labels": pod_labels},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    })
}

/// The message of the condition `InvalidSpec` or `Blocked` of a Rollout; empty if it has neither.
pub(crate) fn said(rollout: &Value) -> &str {
    let conditions = rollout["status"]["conditions"].as_array().into_iter().flatten();
    let mut found = conditions.filter(|c| ["InvalidSpec", "Blocked"].iter().any(|kind| c["type"] == **kind));
    found.next().and_then(|condition| condition["message"].as_str()).unwrap_or_default()
}

/// Phase and message of a Rollout.
pub(crate) fn phase(rollout: &Value) -> String {
    let field = |name: &str| rollout["status"][name].as_str().unwrap_or_default();
    format!("{}: {}", field("phase"), field("message"))
}

/// What is wrong with how a Rollout ended, if anything is.
pub(crate) fn complaint(rollout: &Value, says: Option<&str>, ends: Option<&str>) -> Option<String> {
    let (said, phase) = (said(rollout), phase(rollout));
    match (says, ends) {
        (Some(part), None) if said.contains(part) => None,
        (None, Some(start)) if phase.starts_with(start) && said.is_empty() => None,
        (Some(part), None) => Some(format!("says {said:?} ({phase}), and not {part:?}")),
        (None, Some(start)) => Some(format!("ends as {phase:?}, saying {said:?}, and not as {start:?}")),
        (None, None) | (Some(_), Some(_)) => Some("must say something or end somehow".to_owned()),
    }
}

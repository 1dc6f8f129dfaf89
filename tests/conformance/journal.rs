//! What was seen of one scenario, in order.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use super::facets::{at_rest, facets};
use super::kinds::Kind;

/// Stands for the scenario's namespace, whose name differs from run to run.
const NAMESPACE: &str = "NAMESPACE";

/// One run of a scenario, in the form of a recording.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(crate) struct Run {
    /// The successive distinct values of each facet, without those times when there was none.
    pub(crate) sequences: BTreeMap<String, Vec<Value>>,
    /// `TYPE REASON: MESSAGE` of each event.
    pub(crate) events: Vec<String>,
    /// The objects at the end, by `KIND/NAME`.
    #[serde(rename = "final")]
    pub(crate) objects: BTreeMap<String, Value>,
}

/// Writes down what the watches of one namespace tell.
#[derive(Debug)]
pub(crate) struct Journal {
    began: Instant,
    /// Every change and event in the order seen, for the reader of a run that differs.
    trace: String,
    sequences: BTreeMap<String, Vec<Value>>,
    events: Vec<String>,
    objects: BTreeMap<String, Value>,
    faults: Vec<String>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            trace: String::new(),
            sequences: BTreeMap::new(),
            events: Vec::new(),
            objects: BTreeMap::new(),
            faults: Vec::new(),
        }
    }
}

impl Journal {
    pub(crate) fn saw(&mut self, kind: Kind, object: &Value) {
        for (facet, value) in facets(kind, object) {
            let sequence = self.sequences.entry(facet.clone()).or_default();
            if sequence.last() != Some(&value) {
                // That an optional part is not there at first is no news.
                let is_news = !(sequence.is_empty() && value.is_null());
                sequence.push(value.clone());
                if is_news {
                    self.note(&format!("{facet} {value}"));
                }
            }
        }
        if kind == Kind::ReplicaSet {
            let status = &object["status"];
            let (all, available) = (&status["replicas"], &status["availableReplicas"]);
            self.note(&format!("{} has {all}, available {available}", key(kind, object)));
        }
        self.objects.insert(key(kind, object), at_rest(object));
    }

    pub(crate) fn lost(&mut self, kind: Kind, object: &Value) {
        self.objects.remove(&key(kind, object));
    }

    /// An event, new or counted once more. Those of pods and ReplicaSets are not the controller's.
    pub(crate) fn saw_event(&mut self, event: &Value) {
        let about = event["involvedObject"]["kind"].as_str();
        if matches!(about, Some("Rollout" | "AnalysisRun" | "Experiment")) {
            let text = |field: &str| event[field].as_str().unwrap_or_default();
            let event = format!("{} {}: {}", text("type"), text("reason"), text("message"));
            self.note(&event);
            self.events.push(event);
        }
    }

    fn note(&mut self, what: &str) {
        let seconds = self.began.elapsed().as_secs_f32();
        // Writing to a string cannot fail.
        let _written = writeln!(self.trace, "{seconds:8.3} {what}");
    }

    pub(crate) fn trace(&self) -> &str {
        &self.trace
    }

    /// Something that keeps this journal from being whole.
    pub(crate) fn fault(&mut self, what: String) {
        self.faults.push(what);
    }

    pub(crate) fn faults(&self) -> &[String] {
        &self.faults
    }

    /// What was seen, with the name of the namespace taken out.
    pub(crate) fn run(&self, namespace: &str) -> Run {
        let present = |values: &Vec<Value>| {
            values.iter().filter(|value| !value.is_null()).map(|value| renamed(value, namespace)).collect()
        };
        Run {
            sequences: self
                .sequences
                .iter()
                .map(|(facet, values)| (facet.clone(), present(values)))
                .collect(),
            events: self.events.iter().map(|event| event.replace(namespace, NAMESPACE)).collect(),
            objects: self
                .objects
                .iter()
                .map(|(key, object)| (key.clone(), renamed(object, namespace)))
                .collect(),
        }
    }
}

fn key(kind: Kind, object: &Value) -> String {
    format!("{}/{}", kind.word(), object["metadata"]["name"].as_str().unwrap_or_default())
}

fn renamed(value: &Value, namespace: &str) -> Value {
    match value {
        Value::String(text) => text.replace(namespace, NAMESPACE).into(),
        Value::Array(items) => items.iter().map(|item| renamed(item, namespace)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), renamed(field, namespace))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(hash: &Value) -> Value {
        json!({"metadata": {"name": "web"}, "spec": {"selector": {"rollouts-pod-template-hash": hash}}})
    }

    #[test]
    fn a_sequence_holds_changes_and_skips_absence() {
        let mut journal = Journal::default();
        for hash in &[Value::Null, json!("a"), json!("a"), json!("b"), Value::Null, json!("b")] {
            journal.saw(Kind::Service, &service(hash));
        }
        assert_eq!(journal.run("n").sequences["svc.web.hash"], [json!("a"), json!("b"), json!("b")]);
    }

    #[test]
    fn a_deleted_object_is_gone_and_its_sequence_stays() {
        let mut journal = Journal::default();
        let object = service(&json!("a"));
        journal.saw(Kind::Service, &object);
        assert!(journal.run("n").objects.contains_key("svc/web"));
        journal.lost(Kind::Service, &object);
        let run = journal.run("n");
        assert!(run.objects.is_empty());
        assert_eq!(run.sequences["svc.web.hash"], [json!("a")]);
    }

    #[test]
    fn events_are_those_about_our_kinds_without_the_namespace() {
        let event = |kind: &str| {
            let about = json!({"kind": kind});
            json!({"type": "Normal", "reason": "Seen", "message": "in ns-1", "involvedObject": about})
        };
        let mut journal = Journal::default();
        for kind in ["Rollout", "ReplicaSet", "Rollout"] {
            journal.saw_event(&event(kind));
        }
        assert_eq!(journal.run("ns-1").events, ["Normal Seen: in NAMESPACE"; 2]);
    }
}

//! Parses objects with unreadable fields.
//!
//! A value that the type cannot hold (`maxSurge: 99999999999`) must not hide the other fields, or other objects. It
//! is ignored, and the object reports it in its phase and message, as the controller does.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use serin_core::api::{
    AnalysisPhase, AnalysisRun, ConditionStatus, DecodeError, Experiment, Rollout, RolloutCondition,
    RolloutPhase, Time, decode,
};
use serin_core::domain::condition::ConditionType;

/// Maximum number of fields that are ignored per object.
const FIELDS_MAX: usize = 100;

/// A kind that can be shown without its unreadable fields.
pub trait Legible: DeserializeOwned {
    /// Makes the object report the problem.
    fn mark(&mut self, problem: String);

    /// Parses `value`, and reports unreadable fields. Returns an error if nothing is readable.
    fn read(value: Value) -> Result<(Self, Vec<String>), DecodeError> {
        let mut value = value;
        let mut problems = Vec::new();
        loop {
            let error = match decode::<Self>(value.clone()) {
                Ok(mut object) => {
                    if !problems.is_empty() {
                        object.mark(problems.join("; also "));
                    }
                    return Ok((object, problems));
                }
                Err(error) => error,
            };
            if problems.len() == FIELDS_MAX || !leave_out(&mut value, &error.path) {
                return Err(error);
            }
            problems.push(error.to_string());
        }
    }
}

impl Legible for Rollout {
    fn mark(&mut self, problem: String) {
        let kind = ConditionType::InvalidSpec.as_str();
        let message = format!("cannot be read: {problem}");
        let status = self.status.get_or_insert_default();
        status.phase = Some(RolloutPhase::Degraded);
        status.message = Some(format!("{kind}: {message}"));
        // It applies to the current spec, whatever generation the status has.
        status.observed_generation = None;
        status.conditions.retain(|condition| condition.type_ != kind);
        status.conditions.push(RolloutCondition {
            type_: kind.to_owned(),
            status: ConditionStatus::True,
            last_update_time: Time(Timestamp::UNIX_EPOCH),
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            reason: kind.to_owned(),
            message,
        });
    }
}

impl Legible for Experiment {
    fn mark(&mut self, problem: String) {
        let status = self.status.get_or_insert_default();
        status.phase = AnalysisPhase::Error;
        status.message = Some(format!("cannot be read: {problem}"));
    }
}

impl Legible for AnalysisRun {
    fn mark(&mut self, problem: String) {
        let status = self.status.get_or_insert_default();
        status.phase = AnalysisPhase::Error;
        status.message = Some(format!("cannot be read: {problem}"));
    }
}

/// Removes the field at `path`, such as `spec.steps[1].pause`. If the field name is ambiguous because it contains
/// dots, as label keys do, removes its parent. Returns false if that would be the whole object.
fn leave_out(value: &mut Value, path: &str) -> bool {
    let mut pointer = String::new();
    for name in path.replace('[', ".").replace(']', "").split('.') {
        let next = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        if value.pointer(&next).is_none() {
            break;
        }
        pointer = next;
    }
    let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&name.replace("~1", "/").replace("~0", "~")).is_some(),
        Some(Value::Array(items)) => {
            let index = name.parse().ok().filter(|index| *index < items.len());
            index.map(|index: usize| items.remove(index)).is_some()
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::standing::Standing;

    fn read(spec: &Value) -> Result<(Rollout, Vec<String>), DecodeError> {
        let meta = json!({"name": "demo", "generation": 3});
        let status = json!({"phase": "Healthy", "observedGeneration": "2", "replicas": 4});
        Rollout::read(json!({"metadata": meta, "spec": spec, "status": status}))
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_said() {
        let steps = json!([{"setWeight": 20}, {"setWeight": "half"}, {"pause": {}}]);
        let canary = json!({"maxSurge": 99_999_999_999_u64, "steps": steps});
        let (rollout, problems) = read(&json!({"replicas": 4, "strategy": {"canary": canary}})).unwrap();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!((rollout.spec.replicas, rollout.status.as_ref().unwrap().replicas), (Some(4), 4));
        assert_eq!(rollout.spec.strategy.canary.as_ref().unwrap().steps.len(), 3);
        let line = Standing::of(&rollout).line();
        let start = "Degraded - InvalidSpec: cannot be read: spec.strategy.canary.maxSurge: ";
        assert!(line.starts_with(start) && line.contains("; also spec.strategy.canary.steps[1]"), "{line}");
    }

    #[test]
    fn what_can_be_read_is_as_it_is() {
        let (rollout, problems) = read(&json!({"strategy": {"canary": {}}})).unwrap();
        assert_eq!((problems.len(), rollout.status.unwrap().phase), (0, Some(RolloutPhase::Healthy)));
    }

    #[test]
    fn names_with_dots_and_slashes_are_found_or_go_with_their_map() {
        for (path, left) in [
            ("a.b", json!({"a": {"c/d": 1}, "l": [1, 2]})),
            ("a.c/d", json!({"a": {"b": {"x.y": 1}}, "l": [1, 2]})),
            ("a.b.x.y", json!({"a": {"c/d": 1}, "l": [1, 2]})),
            ("l[0]", json!({"a": {"b": {"x.y": 1}, "c/d": 1}, "l": [2]})),
        ] {
            let mut value = json!({"a": {"b": {"x.y": 1}, "c/d": 1}, "l": [1, 2]});
            assert!(leave_out(&mut value, path), "{path}");
            assert_eq!(value, left, "{path}");
        }
        assert!(!leave_out(&mut json!({"a": 1}), "."));
    }
}

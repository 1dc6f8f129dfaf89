//! Reading an object from JSON, with an error that a user can act on.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Why a JSON value cannot be read as what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct DecodeError {
    /// The field at fault, such as `spec.strategy.canary.steps[1].setWeight`.
    pub path: String,
    /// What it holds and what it should hold.
    pub reason: String,
}

/// Reads `value` as a `T`; an error names the field at fault.
pub fn decode<T: DeserializeOwned>(value: Value) -> Result<T, DecodeError> {
    serde_path_to_error::deserialize(value)
        .map_err(|error| DecodeError { path: error.path().to_string(), reason: error.inner().to_string() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{AnalysisRun, AnalysisTemplate, Experiment, Rollout};

    fn rollout(spec: &Value) -> Result<Rollout, DecodeError> {
        decode(
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "demo"}, "spec": spec}),
        )
    }

    #[test]
    fn an_error_names_the_field_the_value_and_what_would_be_right() {
        let steps = json!({"strategy": {"canary": {"steps": [{"pause": {}}, {"setWeight": "half"}]}}});
        let error = rollout(&steps).expect_err("a word is no weight");
        assert_eq!(
            error.to_string(),
            "spec.strategy.canary.steps[1].setWeight: invalid type: string \"half\", expected i32"
        );
    }

    #[test]
    fn an_error_inside_lists_and_maps_that_may_be_null_has_its_path_too() {
        let mirror = json!({"setMirrorRoute": {"name": "m", "match": [{"headers": {"a": {"exact": 1}}}]}});
        let error = rollout(&json!({"strategy": {"canary": {"steps": [mirror]}}})).expect_err("1 is no text");
        assert_eq!(error.path, "spec.strategy.canary.steps[0].setMirrorRoute.match[0].headers.a.exact");
    }

    #[test]
    fn a_missing_object_is_named() {
        let run = json!({"metadata": {}, "spec": {"metrics": [{"name": "m"}]}});
        let error = decode::<AnalysisRun>(run).expect_err("a metric needs a provider");
        assert_eq!(error.to_string(), "spec.metrics[0]: missing field `provider`");
    }

    #[test]
    fn a_missing_word_is_left_to_validation() {
        let read = rollout(&json!({"strategy": {"blueGreen": {}}})).expect("readable");
        assert_eq!(read.spec.strategy.blue_green.expect("blueGreen").active_service, "");
    }

    #[test]
    fn a_number_that_does_not_fit_is_an_error() {
        let error = rollout(&json!({"replicas": 3_000_000_000_u64})).expect_err("too many");
        assert_eq!(error.path, "spec.replicas");
    }

    #[test]
    fn a_template_that_is_no_object_is_an_error() {
        let error = rollout(&json!({"template": "nginx"})).expect_err("a word is no template");
        assert_eq!(error.path, "spec.template");
    }

    /// Replaces each value below an object by null, one at a time, and calls `check` with the result.
    fn with_each_null(value: &Value, path: &str, check: &mut impl FnMut(&str, Value)) {
        fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
            match value {
                Value::Object(fields) => {
                    for (name, field) in fields {
                        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                        found.push(at.clone());
                        paths(field, &at, found);
                    }
                }
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        paths(item, &format!("{at}/{index}"), found);
                    }
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let mut found = Vec::new();
        paths(value.pointer(path).expect("the start"), path, &mut found);
        for path in found {
            let mut changed = value.clone();
            *changed.pointer_mut(&path).expect("a found path") = Value::Null;
            check(&path, changed);
        }
    }

    #[test]
    fn null_stands_for_absent_everywhere_in_a_spec() {
        let text = include_str!("testdata/everything.json");
        let everything: Vec<Value> = serde_json::from_str(text).expect("JSON");
        for object in everything {
            let kind = object["kind"].as_str().expect("a kind").to_owned();
            with_each_null(&object, "/spec", &mut |path, changed| {
                let error = match kind.as_str() {
                    "Rollout" => decode::<Rollout>(changed).err(),
                    "AnalysisTemplate" => decode::<AnalysisTemplate>(changed).err(),
                    "AnalysisRun" => decode::<AnalysisRun>(changed).err(),
                    _ => decode::<Experiment>(changed).err(),
                };
                // An entry of a map is not a field, and Kubernetes' own selectors want their keys.
                let maps = ["abels", "nnotations", "headers", "queries"];
                let parent = path.rsplit('/').nth(1).unwrap_or_default();
                let exempt =
                    maps.iter().any(|map| parent.ends_with(map)) || path.contains("/matchExpressions/");
                assert!(error.is_none() || exempt, "{kind} {path}: {error:?}");
            });
        }
    }

    #[test]
    fn everything_that_is_read_is_written_again() {
        let text = include_str!("testdata/everything.json");
        let everything: Vec<Value> = serde_json::from_str(text).expect("JSON");
        for object in everything {
            let again = match object["kind"].as_str().expect("a kind") {
                "Rollout" => serde_json::to_value(decode::<Rollout>(object.clone()).expect("a Rollout")),
                "AnalysisTemplate" => {
                    serde_json::to_value(decode::<AnalysisTemplate>(object.clone()).expect("a template"))
                }
                "AnalysisRun" => serde_json::to_value(decode::<AnalysisRun>(object.clone()).expect("a run")),
                _ => serde_json::to_value(decode::<Experiment>(object.clone()).expect("an experiment")),
            };
            assert_eq!(again.expect("JSON"), object);
        }
    }
}

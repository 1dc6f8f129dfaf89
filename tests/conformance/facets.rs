//! What of an object is compared: the facets whose successive values make a sequence, and the whole object at rest.

use serde_json::{Map, Value};
use serin_core::api::keys;

use super::kinds::Kind;

const CANARY_WEIGHT: &str = "nginx.ingress.kubernetes.io/canary-weight";

/// The names and present values of the facets of an object; null where there is none.
pub(crate) fn facets(kind: Kind, object: &Value) -> Vec<(String, Value)> {
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    let word = kind.word();
    match kind {
        Kind::Rollout => of_rollout(&object["status"]),
        Kind::ReplicaSet => {
            let spec = &object["spec"];
            let deadline = &object["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE];
            let has_deadline = deadline.as_str().is_some_and(|text| !text.is_empty());
            vec![
                (format!("{word}.{name}.replicas"), spec["replicas"].clone()),
                (format!("{word}.{name}.deadline"), if has_deadline { "set" } else { "none" }.into()),
                (format!("{word}.{name}.labels"), spec["template"]["metadata"]["labels"].clone()),
            ]
        }
        Kind::Service => {
            vec![(format!("{word}.{name}.hash"), object["spec"]["selector"][keys::POD_HASH_LABEL].clone())]
        }
        Kind::Ingress => {
            vec![(format!("{word}.{name}.weight"), object["metadata"]["annotations"][CANARY_WEIGHT].clone())]
        }
        Kind::Deployment => vec![(format!("{word}.{name}.replicas"), object["spec"]["replicas"].clone())],
        Kind::AnalysisRun | Kind::Experiment | Kind::Job => Vec::new(),
    }
}

fn of_rollout(status: &Value) -> Vec<(String, Value)> {
    let or_false = |field: &str| status.get(field).cloned().unwrap_or(false.into());
    let mut facets: Vec<(String, Value)> = [
        ("phase", status["phase"].clone()),
        ("step", status["currentStepIndex"].clone()),
        ("stableRS", status["stableRS"].clone()),
        ("currentPodHash", status["currentPodHash"].clone()),
        ("pauses", pauses(&status["pauseConditions"])),
        ("controllerPause", or_false("controllerPause")),
        ("abort", or_false("abort")),
        ("promoteFull", or_false("promoteFull")),
        ("activeSelector", status["blueGreen"]["activeSelector"].clone()),
        ("previewSelector", status["blueGreen"]["previewSelector"].clone()),
        ("weight", status["canary"]["weights"]["canary"]["weight"].clone()),
    ]
    .into_iter()
    .map(|(name, value)| (format!("rollout.{name}"), value))
    .collect();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for condition in status["conditions"].as_array().into_iter().flatten() {
        let name = format!("rollout.condition.{}", text(&condition["type"]));
        let value = format!("{} {}", text(&condition["status"]), text(&condition["reason"]));
        facets.push((name, value.into()));
    }
    facets
}

fn pauses(conditions: &Value) -> Value {
    let reasons = conditions.as_array().into_iter().flatten().filter_map(|pause| pause["reason"].as_str());
    let reasons: Vec<_> = reasons.collect();
    if reasons.is_empty() { Value::Null } else { reasons.join(",").into() }
}

/// An object without what differs from run to run (names of servers' making, times, versions) and without what the API
/// server alone decides.
pub(crate) fn at_rest(object: &Value) -> Value {
    let mut object = object.clone();
    let metadata = &mut object["metadata"];
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "namespace", "generation"] {
        remove(metadata, field);
    }
    if let Some(annotations) = metadata.get_mut("annotations") {
        // The digests are Serin's alone: the reference does not record what a ReplicaSet was created for.
        for key in [keys::LAST_APPLIED, keys::TEMPLATE_DIGEST, keys::STORED_TEMPLATE_DIGEST] {
            remove(annotations, key);
        }
        if annotations.as_object().is_none_or(Map::is_empty) {
            remove(metadata, "annotations");
        }
    }
    for owner in metadata.get_mut("ownerReferences").and_then(Value::as_array_mut).into_iter().flatten() {
        remove(owner, "uid");
    }
    if let Some(status) = object.get_mut("status") {
        status_at_rest(status);
    }
    if let Some(spec) = object.get_mut("spec") {
        let of_services = [
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "internalTrafficPolicy",
            "sessionAffinity",
        ];
        for field in of_services {
            remove(spec, field);
        }
    }
    without_times(&mut object);
    object
}

fn status_at_rest(status: &mut Value) {
    for field in [
        "observedGeneration",
        "workloadObservedGeneration",
        "duration",
        "loadBalancer",
        "terminatingReplicas",
    ] {
        remove(status, field);
    }
    let Some(conditions) = status.get_mut("conditions").and_then(Value::as_array_mut) else { return };
    for condition in &mut *conditions {
        remove(condition, "lastUpdateTime");
        remove(condition, "lastTransitionTime");
    }
    conditions.sort_by_key(|condition| condition["type"].to_string());
}

fn remove(value: &mut Value, field: &str) {
    if let Some(object) = value.as_object_mut() {
        object.remove(field);
    }
}

fn without_times(value: &mut Value) {
    match value {
        Value::String(text) if text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok() => {
            "TIME".clone_into(text);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        Value::Object(fields) => fields.values_mut().for_each(without_times),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_at_rest_has_nothing_of_its_run() {
        let object = json!({
            "metadata": {
                "name": "a", "uid": "u", "generation": 3, "namespace": "n", "managedFields": [],
                "annotations": {(keys::LAST_APPLIED): "{}"},
                "ownerReferences": [{"kind": "Rollout", "name": "r", "uid": "u"}],
            },
            "spec": {"clusterIP": "10.0.0.1", "restartAt": "2026-01-02T03:04:05Z", "not": "2026-01-02 and Z"},
            "status": {
                "observedGeneration": "3",
                "conditions": [
                    {"type": "B", "lastUpdateTime": "x"},
                    {"type": "A", "lastTransitionTime": "2026-01-02T03:04:05.000006Z"},
                ],
            },
        });
        let rest = json!({
            "metadata": {"name": "a", "ownerReferences": [{"kind": "Rollout", "name": "r"}]},
            "spec": {"restartAt": "TIME", "not": "2026-01-02 and Z"},
            "status": {"conditions": [{"type": "A"}, {"type": "B"}]},
        });
        assert_eq!(at_rest(&object), rest);
    }

    #[test]
    fn an_object_without_optional_parts_gains_none() {
        let object = json!({"metadata": {"name": "a"}});
        assert_eq!(at_rest(&object), object);
    }

    #[test]
    fn pauses_are_named_in_order() {
        let status = json!({"pauseConditions": [{"reason": "A"}, {"reason": "B"}]});
        let found = of_rollout(&status);
        assert!(found.contains(&("rollout.pauses".to_owned(), json!("A,B"))));
        assert!(found.contains(&("rollout.controllerPause".to_owned(), json!(false))));
        assert!(of_rollout(&json!({})).contains(&("rollout.pauses".to_owned(), Value::Null)));
    }
}

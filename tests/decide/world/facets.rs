//! What can be seen of an object, as the recordings name it.

use serde_json::Value;
use serin::api::keys;
use serin::domain::plan::ObjectKind;

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

/// The facets of an object, with their values.
pub(super) fn facets_of(kind: ObjectKind, name: &str, object: &Value) -> Vec<(String, String)> {
    let status = &object["status"];
    let annotations = &object["metadata"]["annotations"];
    let found = match kind {
        ObjectKind::Rollout => {
            let mut found = vec![
                ("rollout.phase".to_owned(), text(&status["phase"])),
                ("rollout.step".to_owned(), text(&status["currentStepIndex"])),
                ("rollout.stableRS".to_owned(), text(&status["stableRS"])),
                ("rollout.weight".to_owned(), text(&status["canary"]["weights"]["canary"]["weight"])),
                ("rollout.activeSelector".to_owned(), text(&status["blueGreen"]["activeSelector"])),
                ("rollout.previewSelector".to_owned(), text(&status["blueGreen"]["previewSelector"])),
            ];
            for condition in status["conditions"].as_array().into_iter().flatten() {
                let field = |name: &str| condition[name].as_str().unwrap_or_default();
                let value = format!("{} {}", field("status"), field("reason"));
                found.push((format!("rollout.condition.{}", field("type")), Some(value)));
            }
            found
        }
        ObjectKind::ReplicaSet => {
            let deadline = if annotations[keys::SCALE_DOWN_DEADLINE].is_null() { "none" } else { "set" };
            vec![
                (format!("rs.{name}.replicas"), text(&object["spec"]["replicas"])),
                (format!("rs.{name}.deadline"), Some(deadline.to_owned())),
                (
                    format!("rs.{name}.labels"),
                    Some(spaced(&object["spec"]["template"]["metadata"]["labels"])),
                ),
            ]
        }
        ObjectKind::Service => {
            vec![(format!("svc.{name}.hash"), text(&object["spec"]["selector"][keys::POD_HASH_LABEL]))]
        }
        ObjectKind::Ingress => {
            let weight = &annotations["nginx.ingress.kubernetes.io/canary-weight"];
            vec![(format!("ing.{name}.weight"), text(weight))]
        }
        ObjectKind::Pod => Vec::new(),
    };
    found.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// JSON with a space after each colon and comma, as the recordings have it.
fn spaced(labels: &Value) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs: Vec<_> = pairs.map(|(key, value)| format!("\"{key}\": {value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

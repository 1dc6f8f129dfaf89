//! Selectors in specs.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use super::super::store::object::at;
use serin_values::selector::matches;

/// The operators of requirements. Another check refuses all others; here they are ignored.
const OPERATORS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];

/// Reports whether a selector of a spec selects an object. An empty one selects every object, `null` none.
pub(super) fn selects(selector: &Value, object: &Value) -> bool {
    let Ok(mut selector) = serde_json::from_value::<LabelSelector>(selector.clone()) else { return false };
    if let Some(requirements) = &mut selector.match_expressions {
        requirements.retain(|requirement| OPERATORS.contains(&requirement.operator.as_str()));
    }
    let labels = at(object, &["metadata", "labels"]).as_object().into_iter().flatten();
    let labels = labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    matches(&selector, &labels.collect::<BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_empty_selector_selects_all_and_none_selects_nothing() {
        let object = json!({"metadata": {"labels": {"app": "web"}}});
        assert!(selects(&json!({}), &object) && !selects(&Value::Null, &object));
        assert!(selects(&json!({"matchLabels": {"app": "web"}}), &object));
        assert!(!selects(&json!({"matchLabels": {"app": "api"}}), &object));
        let unknown = json!({"matchExpressions": [{"key": "app", "operator": "Near"}]});
        assert!(selects(&unknown, &object));
    }
}

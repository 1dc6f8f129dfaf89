//! Label selectors: which objects a Rollout means.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

/// Whether `selector` selects an object with `labels`.
///
/// All of `matchLabels` and `matchExpressions` must hold. A selector without any requirement selects nothing here:
/// for Kubernetes it would select every object of the namespace, which no Rollout may mean. A requirement with an
/// operator that Kubernetes does not know holds for no object.
#[must_use]
pub fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equalities = selector.match_labels.as_ref();
    let requirements = selector.match_expressions.as_deref().unwrap_or_default();
    let is_empty = requirements.is_empty() && equalities.is_none_or(BTreeMap::is_empty);
    !is_empty && matches(selector, labels)
}

/// As [`selects`], but as Kubernetes means it: a selector without any requirement selects every object.
#[must_use]
pub fn matches(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let mut equalities = selector.match_labels.iter().flatten();
    let mut requirements = selector.match_expressions.iter().flatten();
    equalities.all(|(key, value)| labels.get(key) == Some(value))
        && requirements.all(|requirement| holds(requirement, labels))
}

/// Whether `selector` says anything about the label `key`.
#[must_use]
pub fn asks_for(selector: &LabelSelector, key: &str) -> bool {
    let by_label = selector.match_labels.as_ref().is_some_and(|labels| labels.contains_key(key));
    by_label || selector.match_expressions.iter().flatten().any(|requirement| requirement.key == key)
}

fn holds(requirement: &LabelSelectorRequirement, labels: &BTreeMap<String, String>) -> bool {
    let value = labels.get(&requirement.key);
    let listed = || value.is_some_and(|v| requirement.values.iter().flatten().any(|known| known == v));
    match requirement.operator.as_str() {
        "In" => listed(),
        "NotIn" => !listed(),
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    fn selector(json: serde_json::Value) -> LabelSelector {
        serde_json::from_value(json).expect("a selector")
    }

    #[test]
    fn match_labels_must_all_be_equal() {
        let s = selector(serde_json::json!({"matchLabels": {"app": "web", "tier": "front"}}));
        assert!(selects(&s, &labels(&[("app", "web"), ("tier", "front"), ("more", "yes")])));
        assert!(!selects(&s, &labels(&[("app", "web")])));
        assert!(!selects(&s, &labels(&[("app", "web"), ("tier", "back")])));
    }

    #[test]
    fn match_expressions_follow_their_operators() {
        let with = |operator: &str, values: &[&str]| {
            let requirement = serde_json::json!({"key": "app", "operator": operator, "values": values});
            selector(serde_json::json!({"matchExpressions": [requirement]}))
        };
        let (web, none) = (labels(&[("app", "web")]), labels(&[]));
        assert!(selects(&with("In", &["api", "web"]), &web));
        assert!(!selects(&with("In", &["api"]), &web) && !selects(&with("In", &["web"]), &none));
        assert!(selects(&with("NotIn", &["api"]), &web) && selects(&with("NotIn", &["web"]), &none));
        assert!(!selects(&with("NotIn", &["web"]), &web));
        assert!(selects(&with("Exists", &[]), &web) && !selects(&with("Exists", &[]), &none));
        assert!(selects(&with("DoesNotExist", &[]), &none) && !selects(&with("DoesNotExist", &[]), &web));
        assert!(!selects(&with("Gt", &["1"]), &web));
    }

    #[test]
    fn labels_and_expressions_must_both_hold() {
        let s = selector(serde_json::json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "canary", "operator": "DoesNotExist"}],
        }));
        assert!(selects(&s, &labels(&[("app", "web")])));
        assert!(!selects(&s, &labels(&[("app", "web"), ("canary", "")])));
    }

    #[test]
    fn labels_are_asked_for_by_name_and_by_requirement() {
        let s = selector(serde_json::json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "canary", "operator": "DoesNotExist"}],
        }));
        assert!(asks_for(&s, "app") && asks_for(&s, "canary") && !asks_for(&s, "web"));
    }

    #[test]
    fn a_selector_without_requirements_matches_everything() {
        assert!(matches(&LabelSelector::default(), &labels(&[("app", "web")])));
        let web = selector(serde_json::json!({"matchLabels": {"app": "web"}}));
        assert!(matches(&web, &labels(&[("app", "web")])) && !matches(&web, &labels(&[])));
    }

    #[test]
    fn a_selector_without_requirements_selects_nothing() {
        assert!(!selects(&LabelSelector::default(), &labels(&[("app", "web")])));
        assert!(!selects(&selector(serde_json::json!({"matchLabels": {}})), &labels(&[])));
    }
}

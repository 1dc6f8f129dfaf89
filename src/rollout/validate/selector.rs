//! Label selectors: whether one is well formed, and what it selects.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

use super::error::{Findings, Path};
use super::names;
use crate::api::LabelSelector;

/// What a requirement asks of one label.
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Operator {
    fn parse(text: &str) -> Option<Self> {
        [
            ("In", Self::In),
            ("NotIn", Self::NotIn),
            ("Exists", Self::Exists),
            ("DoesNotExist", Self::DoesNotExist),
        ]
        .into_iter()
        .find_map(|(name, operator)| (name == text).then_some(operator))
    }
}

/// Whether a selector says nothing, and so would select every object.
pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
}

/// Whether `selector` selects an object with `labels`. A requirement with an unknown operator selects nothing.
#[must_use]
pub fn matches(selector: &LabelSelector, labels: &BTreeMap<&str, &str>) -> bool {
    let label = |key: &str| labels.get(key).copied();
    let exact = selector.match_labels.iter().flatten();
    let requirements = selector.match_expressions.iter().flatten();
    exact.into_iter().all(|(key, value)| label(key) == Some(value))
        && requirements
            .into_iter()
            .all(|requirement| holds(requirement, label(&requirement.key)))
}

fn holds(requirement: &LabelSelectorRequirement, label: Option<&str>) -> bool {
    let is_listed = |label: &str| requirement.values.iter().flatten().any(|value| value == label);
    match Operator::parse(&requirement.operator) {
        Some(Operator::In) => label.is_some_and(is_listed),
        Some(Operator::NotIn) => !label.is_some_and(is_listed),
        Some(Operator::Exists) => label.is_some(),
        Some(Operator::DoesNotExist) => label.is_none(),
        None => false,
    }
}

/// Checks the form of the selector at `path`; whether there is nothing to say.
pub(super) fn check(selector: &LabelSelector, path: &Path, found: &mut Findings) -> bool {
    let before = found.len();
    for (key, value) in selector.match_labels.iter().flatten() {
        let path = path.field("matchLabels");
        key_has_form(key, &path, found);
        value_has_form(value, &path, found);
    }
    for (index, requirement) in selector.match_expressions.iter().flatten().enumerate() {
        let path = path.field("matchExpressions").index(index);
        key_has_form(&requirement.key, &path.field("key"), found);
        operator_fits_values(requirement, &path, found);
        for (index, value) in requirement.values.iter().flatten().enumerate() {
            value_has_form(value, &path.field("values").index(index), found);
        }
    }
    found.len() == before
}

fn operator_fits_values(requirement: &LabelSelectorRequirement, path: &Path, found: &mut Findings) {
    let values = requirement.values.as_deref().unwrap_or_default();
    match Operator::parse(&requirement.operator) {
        Some(Operator::In | Operator::NotIn) if values.is_empty() => {
            found.required(
                &path.field("values"),
                "the operators In and NotIn need at least one value",
            );
        }
        Some(Operator::Exists | Operator::DoesNotExist) if !values.is_empty() => {
            let problem = "the operators Exists and DoesNotExist take no values";
            found.invalid_but(&path.field("values"), values.join(", "), problem, "remove them");
        }
        Some(Operator::In | Operator::NotIn | Operator::Exists | Operator::DoesNotExist) => {}
        None => found.invalid(
            &path.field("operator"),
            requirement.operator.as_str(),
            "must be one of In, NotIn, Exists, DoesNotExist",
        ),
    }
}

fn key_has_form(key: &str, path: &Path, found: &mut Findings) {
    if let Err(problem) = names::qualified_name(key) {
        found.invalid(path, key, problem);
    }
}

fn value_has_form(value: &str, path: &Path, found: &mut Findings) {
    if let Err(problem) = names::label_value(value) {
        found.invalid(path, value, problem);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn selector(value: Value) -> LabelSelector {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_operator_selects_as_kubernetes_does() {
        let labels = BTreeMap::from([("app", "demo"), ("tier", "web")]);
        let requirement = |operator: &str, key: &str, values: &[&str]| {
            selector(json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]}))
        };
        let cases = [
            (selector(json!({})), true),
            (selector(json!({"matchLabels": {"app": "demo"}})), true),
            (selector(json!({"matchLabels": {"app": "demo", "x": "y"}})), false),
            (requirement("In", "tier", &["db", "web"]), true),
            (requirement("In", "tier", &["db"]), false),
            (requirement("In", "x", &["db"]), false),
            (requirement("NotIn", "tier", &["db"]), true),
            (requirement("NotIn", "tier", &["web"]), false),
            (requirement("NotIn", "x", &["web"]), true),
            (requirement("Exists", "app", &[]), true),
            (requirement("Exists", "x", &[]), false),
            (requirement("DoesNotExist", "x", &[]), true),
            (requirement("DoesNotExist", "app", &[]), false),
            (requirement("Like", "app", &["demo"]), false),
        ];
        for (selector, expected) in cases {
            assert_eq!(matches(&selector, &labels), expected, "{selector:?}");
        }
    }

    #[test]
    fn a_malformed_selector_is_described() {
        let bad = selector(json!({
            "matchLabels": {"-": "a b"},
            "matchExpressions": [
                {"key": "a", "operator": "Bad"},
                {"key": "a", "operator": "In"},
                {"key": "", "operator": "Exists", "values": ["x"]},
            ],
        }));
        let mut found = Findings::default();
        check(&bad, &Path::new("spec.selector"), &mut found);
        let text = found.into_result().unwrap_err();
        let paths: Vec<&str> = text.iter().map(|error| error.path.as_str()).collect();
        let expected = [
            "spec.selector.matchLabels",
            "spec.selector.matchLabels",
            "spec.selector.matchExpressions[0].operator",
            "spec.selector.matchExpressions[1].values",
            "spec.selector.matchExpressions[2].key",
            "spec.selector.matchExpressions[2].values",
        ];
        assert_eq!(paths, expected, "{text}");
    }
}

//! Label selectors: whether one is well formed.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

use super::error::{Findings, Path};
use super::names;
use crate::api::LabelSelector;

/// Whether a selector says nothing, and so would select every object.
pub(super) fn is_empty(selector: &LabelSelector) -> bool {
    selector.match_labels.as_ref().is_none_or(BTreeMap::is_empty)
        && selector.match_expressions.as_ref().is_none_or(Vec::is_empty)
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
    match requirement.operator.as_str() {
        "In" | "NotIn" => {
            if values.is_empty() {
                found.required(&path.field("values"), "the operators In and NotIn need at least one value");
            }
        }
        "Exists" | "DoesNotExist" => {
            if !values.is_empty() {
                let problem = "the operators Exists and DoesNotExist take no values";
                found.invalid_but(&path.field("values"), values.join(", "), problem, "remove them");
            }
        }
        unknown => {
            let problem = "must be one of In, NotIn, Exists, DoesNotExist";
            found.invalid(&path.field("operator"), unknown, problem);
        }
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
    use serde_json::json;

    use super::*;

    #[test]
    fn a_malformed_selector_is_described() {
        let bad = serde_json::from_value(json!({
            "matchLabels": {"-": "a b"},
            "matchExpressions": [
                {"key": "a", "operator": "Bad"},
                {"key": "a", "operator": "In"},
                {"key": "", "operator": "Exists", "values": ["x"]},
            ],
        }))
        .unwrap();
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

//! The pod anti-affinity against another revision, which the controller puts into a template.
//!
//! It is recognised by what it is about, the hash label, since nothing else about it is sure to stay.

use serde_json::{Map, Value, json};

use crate::api::keys::POD_HASH_LABEL;

/// Where the terms are that the scheduler must keep to.
const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
/// Where the terms are that the scheduler weighs.
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

/// How strictly pods of another revision are kept away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Not on the same node.
    Required,
    /// On other nodes rather than on the same, with this weight from 1 to 100.
    Preferred(i32),
}

/// `affinity`, the one of a pod template or null, with a term at its end that keeps away from pods of the revision `hash`
/// in `namespace`.
#[must_use]
pub fn apart_from(affinity: &Value, hash: &str, namespace: &str, strictness: Strictness) -> Value {
    let term = json!({
        "labelSelector": {
            "matchExpressions": [{"key": POD_HASH_LABEL, "operator": "In", "values": [hash]}],
        },
        "namespaces": [namespace],
        "topologyKey": "kubernetes.io/hostname",
    });
    let (list, term) = match strictness {
        Strictness::Required => (REQUIRED, term),
        Strictness::Preferred(weight) => (PREFERRED, json!({"weight": weight, "podAffinityTerm": term})),
    };
    let mut affinity = affinity.as_object().cloned().unwrap_or_default();
    let mut apart = affinity.get("podAntiAffinity").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut terms = apart.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    terms.push(term);
    apart.insert(list.to_owned(), terms.into());
    affinity.insert("podAntiAffinity".to_owned(), apart.into());
    affinity.into()
}

/// The terms of `affinity` that are about revisions, in the order of its lists.
#[must_use]
pub fn terms_about_revisions(affinity: &Value) -> Vec<&Value> {
    let lists =
        [REQUIRED, PREFERRED].into_iter().filter_map(|list| affinity["podAntiAffinity"][list].as_array());
    lists.flatten().filter(|term| is_about_revisions(term)).collect()
}

/// Removes from the spec of a pod the terms that are about revisions, and what they leave empty.
pub(super) fn remove_terms_about_revisions(spec: &mut Map<String, Value>) {
    let Some(affinity) = spec.get_mut("affinity").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(apart) = affinity.get_mut("podAntiAffinity").and_then(Value::as_object_mut) {
        for list in [REQUIRED, PREFERRED] {
            if let Some(terms) = apart.get_mut(list).and_then(Value::as_array_mut) {
                terms.retain(|term| !is_about_revisions(term));
            }
        }
        apart.retain(|_, terms| terms.as_array().is_none_or(|terms| !terms.is_empty()));
        if apart.is_empty() {
            affinity.remove("podAntiAffinity");
        }
    }
    if affinity.values().all(Value::is_null) {
        spec.remove("affinity");
    }
}

/// Whether an affinity term, weighted or not, selects by the hash label.
fn is_about_revisions(term: &Value) -> bool {
    let term = term.get("podAffinityTerm").unwrap_or(term);
    let expressions = term.pointer("/labelSelector/matchExpressions").and_then(Value::as_array);
    expressions.is_some_and(|expressions| {
        expressions
            .iter()
            .any(|expression| expression.get("key").and_then(Value::as_str) == Some(POD_HASH_LABEL))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other() -> Value {
        json!({"topologyKey": "zone", "labelSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}})
    }

    #[test]
    fn a_term_comes_after_those_of_the_user() {
        let users = json!({"nodeAffinity": {"a": 1}, "podAntiAffinity": {REQUIRED: [other()]}});
        let required = apart_from(&users, "abc", "shop", Strictness::Required);
        assert_eq!(required["nodeAffinity"], users["nodeAffinity"]);
        let terms = required["podAntiAffinity"][REQUIRED].as_array().expect("terms");
        assert_eq!((terms.len(), &terms[0]), (2, &other()));
        let expression = json!({"key": "rollouts-pod-template-hash", "operator": "In", "values": ["abc"]});
        let term = json!({
            "labelSelector": {"matchExpressions": [expression]},
            "namespaces": ["shop"],
            "topologyKey": "kubernetes.io/hostname",
        });
        assert_eq!(terms[1], term);

        let preferred = apart_from(&Value::Null, "abc", "shop", Strictness::Preferred(7));
        assert_eq!(
            preferred,
            json!({"podAntiAffinity": {PREFERRED: [{"weight": 7, "podAffinityTerm": term}]}})
        );
    }

    #[test]
    fn only_terms_about_revisions_are_found_and_removed() {
        let users = json!({"podAntiAffinity": {REQUIRED: [other()]}});
        assert!(terms_about_revisions(&users).is_empty() && terms_about_revisions(&Value::Null).is_empty());
        let both = apart_from(
            &apart_from(&users, "a", "shop", Strictness::Required),
            "b",
            "shop",
            Strictness::Preferred(1),
        );
        assert_eq!(terms_about_revisions(&both).len(), 2);
        let mut spec = Map::from_iter([("affinity".to_owned(), both)]);
        remove_terms_about_revisions(&mut spec);
        assert_eq!(spec["affinity"], users);

        let alone = apart_from(&Value::Null, "a", "shop", Strictness::Required);
        let mut spec = Map::from_iter([("affinity".to_owned(), alone)]);
        remove_terms_about_revisions(&mut spec);
        assert!(spec.is_empty(), "{spec:?}");
    }
}

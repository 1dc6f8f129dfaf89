//! Where pods may run: tolerations, affinity, topology.

use serde_json::Value;

use super::super::error::{Findings, Path};
use super::super::{names, selector};
use super::table::{Check, each, formed, in_range, items, labels, one_of, run};
use crate::api::LabelSelector;

/// Fields of a toleration.
const TOLERATION: &[(&str, Check)] = &[
    ("key", |value, path, found| {
        if let Some(key) = value {
            formed(key, names::qualified_name, path, found);
        }
    }),
    ("effect", |value, path, found| {
        one_of(value, path, found, &["NoSchedule", "PreferNoSchedule", "NoExecute"]);
    }),
];

/// Fields of a term of pod affinity.
const TERM: &[(&str, Check)] = &[("topologyKey", topology_key), ("labelSelector", label_selector)];

/// Fields of a preferred term of pod affinity.
const PREFERRED: &[(&str, Check)] = &[
    ("weight", weight),
    ("podAffinityTerm", |value, path, found| {
        if let Some(term) = value {
            run(TERM, term, path, found);
        }
    }),
];

/// Fields of a preferred term of node affinity.
const PREFERRED_NODES: &[(&str, Check)] = &[("weight", weight)];

/// Fields of a constraint about topology.
const SPREAD: &[(&str, Check)] = &[
    ("maxSkew", |value, path, found| match value {
        None => found.required(path, "must be 1 or more"),
        Some(skew) => in_range(skew, 1..=i64::from(i32::MAX), path, found),
    }),
    ("topologyKey", topology_key),
    ("whenUnsatisfiable", |value, path, found| match value {
        None => found.required(path, "must be one of DoNotSchedule, ScheduleAnyway"),
        Some(_) => one_of(value, path, found, &["DoNotSchedule", "ScheduleAnyway"]),
    }),
    ("labelSelector", label_selector),
];

/// Fields of `affinity`.
const AFFINITY: &[(&str, Check)] = &[
    ("podAffinity.requiredDuringSchedulingIgnoredDuringExecution", terms),
    ("podAffinity.preferredDuringSchedulingIgnoredDuringExecution", preferred_terms),
    ("podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution", terms),
    ("podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution", preferred_terms),
    ("nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution", |value, path, found| {
        each(value, path, found, PREFERRED_NODES);
    }),
];

/// Checks `affinity`.
pub(super) fn affinity(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(affinity) = value {
        run(AFFINITY, affinity, path, found);
    }
}

/// Checks `topologySpreadConstraints`.
pub(super) fn spread(value: Option<&Value>, path: &Path, found: &mut Findings) {
    each(value, path, found, SPREAD);
}

/// Checks `tolerations`.
pub(super) fn tolerations(value: Option<&Value>, path: &Path, found: &mut Findings) {
    each(value, path, found, TOLERATION);
    for (index, toleration) in items(value).enumerate() {
        let path = path.index(index);
        let text = |name: &str| toleration.get(name).and_then(Value::as_str).unwrap_or_default();
        let (operator, value) = (text("operator"), text("value"));
        if text("key").is_empty() && operator != "Exists" {
            let problem = "must be Exists where there is no key";
            found.invalid_but(
                &path.field("operator"),
                operator,
                problem,
                "set the key, or the operator to Exists",
            );
        }
        if operator == "Exists" && !value.is_empty() {
            let problem = "must not be set where the operator is Exists";
            found.invalid_but(
                &path.field("value"),
                value,
                problem,
                "remove it, or set the operator to Equal",
            );
        } else if matches!(operator, "" | "Equal")
            && let Err(problem) = names::label_value(value)
        {
            found.invalid(&path.field("value"), value, problem);
        }
        let seconds = toleration.get("tolerationSeconds").filter(|seconds| !seconds.is_null());
        if let Some(seconds) = seconds.filter(|_| text("effect") != "NoExecute") {
            let problem = "can only be set with the effect NoExecute";
            found.invalid_but(&path.field("tolerationSeconds"), seconds.clone(), problem, "remove it");
        }
    }
}

fn terms(value: Option<&Value>, path: &Path, found: &mut Findings) {
    each(value, path, found, TERM);
}

fn preferred_terms(value: Option<&Value>, path: &Path, found: &mut Findings) {
    each(value, path, found, PREFERRED);
}

fn weight(value: Option<&Value>, path: &Path, found: &mut Findings) {
    match value {
        None => found.required(path, "must be between 1 and 100"),
        Some(weight) => in_range(weight, 1..=100, path, found),
    }
}

fn topology_key(value: Option<&Value>, path: &Path, found: &mut Findings) {
    match value {
        None => found.required(path, "names a label of nodes, such as kubernetes.io/hostname"),
        Some(key) => formed(key, names::qualified_name, path, found),
    }
}

fn label_selector(value: Option<&Value>, path: &Path, found: &mut Findings) {
    let Some(value) = value else { return };
    match serde_json::from_value::<LabelSelector>(value.clone()) {
        Ok(read) => {
            selector::check(&read, path, found);
        }
        // Texts are asked for, and a number or a truth value was written.
        Err(_) => labels(value.get("matchLabels"), &path.field("matchLabels"), found),
    }
}

//! What Kubernetes refuses in a ReplicaSet's pod template, found before a ReplicaSet is made of it.
//!
//! The tables hold the mistakes that people make. They are deliberately not the whole of Kubernetes' rules: the API
//! server checks every ReplicaSet, and what it refuses is reported in its words. A rule here must never refuse what
//! the API server accepts.

mod amounts;
mod container;
mod probes;
mod scheduling;
mod volumes;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::{Findings, Path};
use super::names::{self, Verdict};
use container::CONTAINER;

/// Looks at one field; `None` where it is absent, null or a blank string (which the API server fills in).
type Check = fn(Option<&Value>, &Path, &mut Findings);

/// Fields of a template, and what is checked about each.
const TEMPLATE: &[(&str, Check)] = &[
    ("metadata.labels", labels),
    ("metadata.annotations", annotation_keys),
    ("spec.restartPolicy", only_always),
    ("spec.activeDeadlineSeconds", no_deadline),
    ("spec.dnsPolicy", |value, path, found| {
        one_of(value, path, found, &["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"]);
    }),
    ("spec.ephemeralContainers", no_ephemeral_containers),
    ("spec.serviceAccountName", subdomain),
    ("spec.serviceAccount", subdomain),
    ("spec.nodeName", subdomain),
    ("spec.priorityClassName", subdomain),
    ("spec.runtimeClassName", subdomain),
    ("spec.hostname", label_name),
    ("spec.subdomain", label_name),
    ("spec.nodeSelector", labels),
    ("spec.tolerations", scheduling::tolerations),
    ("spec.affinity", scheduling::affinity),
    ("spec.topologySpreadConstraints", scheduling::spread),
    ("spec.readinessGates", |value, path, found| each(value, path, found, GATE)),
    ("spec.overhead", amounts::each),
    ("spec.resources", amounts::of_anything),
    ("spec.volumes", volumes::check),
    ("spec.containers", containers),
    ("spec.initContainers", init_containers),
];

/// Fields of a readiness gate.
const GATE: &[(&str, Check)] = &[("conditionType", |value, path, found| match value {
    None => found.required(path, "names a condition of the pod"),
    Some(name) => formed(name, names::qualified_name, path, found),
})];

/// Checks the template of a Rollout at `path`.
pub(super) fn check(template: &Value, path: &Path, found: &mut Findings) {
    run(TEMPLATE, template, path, found);
    mounted_volumes_exist(template, path, found);
    init_names_differ_from_containers(template, path, found);
}

fn run(table: &[(&str, Check)], value: &Value, path: &Path, found: &mut Findings) {
    for (name, check) in table {
        let field = name.split('.').try_fold(value, |value, part| value.get(part));
        let is_set = |field: &&Value| !field.is_null() && field.as_str() != Some("");
        check(field.filter(is_set), &path.field(name), found);
    }
}

fn each(list: Option<&Value>, path: &Path, found: &mut Findings, table: &[(&str, Check)]) {
    for (index, item) in items(list).enumerate() {
        run(table, item, &path.index(index), found);
    }
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn entries(map: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    map.and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn one_of(value: Option<&Value>, path: &Path, found: &mut Findings, allowed: &[&str]) {
    if let Some(value) = value
        && !value.as_str().is_some_and(|text| allowed.contains(&text))
    {
        found.invalid(path, value.clone(), format!("must be one of {}", allowed.join(", ")));
    }
}

fn in_range(value: &Value, range: std::ops::RangeInclusive<i64>, path: &Path, found: &mut Findings) {
    if !value.as_i64().is_some_and(|number| range.contains(&number)) {
        let problem = format!("must be between {} and {}, inclusive", range.start(), range.end());
        found.invalid(path, value.clone(), problem);
    }
}

fn formed(value: &Value, form: fn(&str) -> Verdict, path: &Path, found: &mut Findings) {
    if let Err(problem) = form(value.as_str().unwrap_or_default()) {
        found.invalid(path, value.clone(), problem);
    }
}

fn subdomain(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(value) = value {
        formed(value, names::dns_subdomain, path, found);
    }
}

fn label_name(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(value) = value {
        formed(value, names::dns_label, path, found);
    }
}

/// Checks labels.
pub(super) fn labels(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (key, value) in entries(value) {
        formed(&Value::from(key.as_str()), names::qualified_name, path, found);
        if is_text(key, value, path, found)
            && let Err(problem) = names::label_value(value.as_str().unwrap_or_default())
        {
            found.invalid(path, value.clone(), format!("the value of {key} {problem}"));
        }
    }
}

/// Checks annotations. Their keys are compared without regard to case.
pub(super) fn annotation_keys(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (key, value) in entries(value) {
        if let Err(problem) = names::qualified_name(&key.to_lowercase()) {
            found.invalid(path, key.as_str(), problem);
        }
        is_text(key, value, path, found);
    }
}

fn is_text(key: &str, value: &Value, path: &Path, found: &mut Findings) -> bool {
    if !value.is_string() {
        found.invalid_but(
            path,
            value.clone(),
            format!("the value of {key} must be a string"),
            "put it in quotes",
        );
    }
    value.is_string()
}

fn only_always(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(value) = value.filter(|value| *value != "Always") {
        found.invalid_but(
            path,
            value.clone(),
            "pods of a Rollout are always restarted",
            "set it to Always or remove it",
        );
    }
}

fn no_deadline(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(value) = value {
        found.invalid_but(path, value.clone(), "pods of a Rollout must be able to run forever", "remove it");
    }
}

fn no_ephemeral_containers(value: Option<&Value>, path: &Path, found: &mut Findings) {
    let names: Vec<&str> = items(value).filter_map(name_of).collect();
    if items(value).next().is_some() {
        found.invalid_but(
            path,
            names.join(", "),
            "ephemeral containers are added to running pods only",
            "remove them from the template",
        );
    }
}

fn containers(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if items(value).next().is_none() {
        found.required(path, "a pod needs at least one container");
    }
    each(value, path, found, CONTAINER);
    names_differ(value, "name", path, found);
}

fn init_containers(value: Option<&Value>, path: &Path, found: &mut Findings) {
    each(value, path, found, CONTAINER);
    for (index, container) in items(value).enumerate() {
        probes::none_in_init(container, &path.index(index), found);
    }
    names_differ(value, "name", path, found);
}

fn names_differ(list: Option<&Value>, field: &str, path: &Path, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for (index, item) in items(list).enumerate() {
        let name = item.get(field).and_then(Value::as_str).unwrap_or_default();
        if !name.is_empty() && !seen.insert(name) {
            let problem = "is used more than once";
            found.invalid_but(&path.index(index).field(field), name, problem, "give each its own");
        }
    }
}

fn mounted_volumes_exist(template: &Value, path: &Path, found: &mut Findings) {
    let known: BTreeSet<&str> = list(template, "volumes").filter_map(name_of).collect();
    let remedy = if known.is_empty() {
        "add it to spec.template.spec.volumes, which is empty".to_owned()
    } else {
        let names: Vec<&str> = known.iter().copied().collect();
        format!("spec.template.spec.volumes has {}", names.join(", "))
    };
    for kind in ["initContainers", "containers"] {
        let path = path.field("spec").field(kind);
        for (index, container) in list(template, kind).enumerate() {
            let path = path.index(index).field("volumeMounts");
            for (index, mount) in items(container.get("volumeMounts")).enumerate() {
                if let Some(name) = name_of(mount).filter(|name| !known.contains(name)) {
                    let path = path.index(index).field("name");
                    found.invalid_but(&path, name, "there is no volume of that name", remedy.clone());
                }
            }
        }
    }
}

fn init_names_differ_from_containers(template: &Value, path: &Path, found: &mut Findings) {
    let containers: BTreeSet<&str> = list(template, "containers").filter_map(name_of).collect();
    for (index, container) in list(template, "initContainers").enumerate() {
        if let Some(name) = name_of(container).filter(|name| containers.contains(name)) {
            let path = path.field("spec.initContainers").index(index).field("name");
            found.invalid_but(&path, name, "is also the name of a container", "give each its own");
        }
    }
}

fn list<'v>(template: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    items(template.get("spec").and_then(|spec| spec.get(name)))
}

fn name_of(item: &Value) -> Option<&str> {
    item.get("name").and_then(Value::as_str).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;

//! What Kubernetes refuses in a ReplicaSet's pod template, found before a ReplicaSet is made of it.
//!
//! The tables hold the mistakes that people make. They are deliberately not the whole of Kubernetes' rules: the API
//! server checks every ReplicaSet, and what it refuses is reported in its words. A rule here must never refuse what
//! the API server accepts.

mod amounts;
mod container;
mod probes;
mod scheduling;
mod table;
mod volumes;

use std::collections::BTreeSet;

use serde_json::Value;

use super::error::{Findings, Path};
use super::names;
use container::CONTAINER;
use table::{Check, each, formed, items, label_name, names_differ, one_of, run, subdomain};

pub(super) use table::{annotation_keys, labels};

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

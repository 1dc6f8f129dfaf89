//! What Kubernetes refuses in a ReplicaSet's pod template, found before a ReplicaSet is made of it.
//!
//! The tables hold the mistakes that people make. They are deliberately not the whole of Kubernetes' rules: the API
//! server checks every ReplicaSet, and what it refuses is reported in its words. A rule here must never refuse what
//! the API server accepts.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::error::{Findings, Path};
use super::names::{self, Verdict};

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
    ("spec.volumes", volumes),
    ("spec.containers", containers),
    ("spec.initContainers", init_containers),
];

/// Fields of a container.
const CONTAINER: &[(&str, Check)] = &[
    ("name", container_name),
    ("image", image),
    ("imagePullPolicy", |value, path, found| {
        one_of(value, path, found, &["Always", "IfNotPresent", "Never"]);
    }),
    ("terminationMessagePolicy", |value, path, found| {
        one_of(value, path, found, &["File", "FallbackToLogsOnError"]);
    }),
    ("ports", |value, path, found| each(value, path, found, PORT)),
    ("ports", port_names_differ),
    ("env", |value, path, found| each(value, path, found, VARIABLE)),
    ("env", one_source_each),
    ("volumeMounts", |value, path, found| {
        each(value, path, found, MOUNT);
    }),
    ("volumeMounts", mount_paths_differ),
];

/// Fields of a container's port.
const PORT: &[(&str, Check)] = &[
    ("containerPort", |value, path, found| match value {
        None => found.required(path, "must be between 1 and 65535"),
        Some(port) => in_range(port, 1..=65535, path, found),
    }),
    ("hostPort", |value, path, found| {
        if let Some(port) = value {
            in_range(port, 0..=65535, path, found);
        }
    }),
    ("name", |value, path, found| {
        if let Some(name) = value {
            formed(name, names::port_name, path, found);
        }
    }),
    ("protocol", |value, path, found| {
        one_of(value, path, found, &["TCP", "UDP", "SCTP"]);
    }),
];

/// Fields of an environment variable.
const VARIABLE: &[(&str, Check)] = &[("name", |value, path, found| match value {
    None => found.required(path, "an environment variable needs a name"),
    Some(name) if name.as_str().is_some_and(|name| name.contains('=')) => {
        found.invalid(path, name.clone(), "must not contain =");
    }
    Some(_) => {}
})];

/// Fields of a volume mount.
const MOUNT: &[(&str, Check)] = &[
    ("name", |value, path, found| {
        if value.is_none() {
            found.required(path, "names one of spec.template.spec.volumes");
        }
    }),
    ("mountPath", |value, path, found| {
        if value.is_none() {
            found.required(path, "where in the container the volume is to appear");
        }
    }),
];

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

fn labels(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (key, value) in entries(value) {
        formed(&Value::from(key.as_str()), names::qualified_name, path, found);
        if is_text(key, value, path, found) {
            formed(value, names::label_value, path, found);
        }
    }
}

/// Annotation keys are compared without regard to case.
fn annotation_keys(value: Option<&Value>, path: &Path, found: &mut Findings) {
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
            format!("the value of {key} must be a text"),
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
    names_differ(value, "name", path, found);
}

fn container_name(value: Option<&Value>, path: &Path, found: &mut Findings) {
    match value {
        None => found.required(path, "a container needs a name"),
        Some(name) => formed(name, names::dns_label, path, found),
    }
}

fn image(value: Option<&Value>, path: &Path, found: &mut Findings) {
    match value {
        None => found.required(path, "a container needs an image"),
        Some(image) => {
            let text = image.as_str().unwrap_or_default();
            if text.trim() != text {
                found.invalid(path, text, "must not have leading or trailing white space");
            }
        }
    }
}

fn volumes(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (index, volume) in items(value).enumerate() {
        let path = path.index(index);
        match volume.get("name").filter(|name| !name.is_null() && *name != "") {
            None => found.required(&path.field("name"), "a volume needs a name"),
            Some(name) => formed(name, names::dns_label, &path.field("name"), found),
        }
        let sources: Vec<&str> = entries(Some(volume))
            .filter(|(key, source)| *key != "name" && !source.is_null())
            .map(|(key, _)| key.as_str())
            .collect();
        if sources.len() > 1 {
            found.invalid_but(&path, sources.join(", "), "a volume has one source", "keep one of them");
        }
    }
    names_differ(value, "name", path, found);
}

fn port_names_differ(value: Option<&Value>, path: &Path, found: &mut Findings) {
    names_differ(value, "name", path, found);
}

fn mount_paths_differ(value: Option<&Value>, path: &Path, found: &mut Findings) {
    names_differ(value, "mountPath", path, found);
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

fn one_source_each(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (index, variable) in items(value).enumerate() {
        let text = variable.get("value").and_then(Value::as_str).unwrap_or_default();
        if let Some(from) = variable.get("valueFrom").filter(|from| !from.is_null() && !text.is_empty()) {
            let path = path.index(index).field("valueFrom");
            found.invalid_but(
                &path,
                from.clone(),
                "must not be set together with a value",
                "keep one of value and valueFrom",
            );
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

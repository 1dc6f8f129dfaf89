//! Containers: names, images, ports, environment, mounts.

use serde_json::Value;

use super::super::error::{Findings, Path};
use super::super::names;
use super::table::{Check, each, formed, in_range, items, names_differ, one_of};
use super::{amounts, probes};

/// Fields of a container.
pub(super) const CONTAINER: &[(&str, Check)] = &[
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
    ("resources", amounts::of_container),
    ("livenessProbe", probes::check_alive),
    ("readinessProbe", probes::check_ready),
    ("startupProbe", probes::check_alive),
    ("lifecycle.postStart", probes::hook),
    ("lifecycle.preStop", probes::hook),
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
const VARIABLE: &[(&str, Check)] = &[
    ("name", |value, path, found| match value {
        None => found.required(path, "an environment variable needs a name"),
        Some(name) if name.as_str().is_some_and(|name| name.contains('=')) => {
            found.invalid(path, name.clone(), "must not contain =");
        }
        Some(_) => {}
    }),
    ("valueFrom.resourceFieldRef.divisor", amounts::check),
];

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

fn port_names_differ(value: Option<&Value>, path: &Path, found: &mut Findings) {
    names_differ(value, "name", path, found);
}

fn mount_paths_differ(value: Option<&Value>, path: &Path, found: &mut Findings) {
    names_differ(value, "mountPath", path, found);
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

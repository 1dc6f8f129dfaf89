//! Probes and lifecycle hooks of containers.

use serde_json::Value;

use super::super::error::{Findings, Path};
use super::super::names;
use super::table::{Check, in_range, items, one_of, run};

/// What a probe or a hook may do.
const ACTIONS: [&str; 5] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/// Fields of every probe.
const PROBE: &[(&str, Check)] = &[
    ("initialDelaySeconds", number),
    ("timeoutSeconds", number),
    ("periodSeconds", number),
    ("failureThreshold", number),
    ("successThreshold", number),
];

/// Fields of every action.
const ACTION: &[(&str, Check)] = &[
    ("httpGet.scheme", |value, path, found| one_of(value, path, found, &["HTTP", "HTTPS"])),
    ("grpc.port", |value, path, found| {
        if let Some(port) = value {
            in_range(port, 1..=65535, path, found);
        }
    }),
];

/// Checks a readiness probe.
pub(super) fn check_ready(value: Option<&Value>, path: &Path, found: &mut Findings) {
    let Some(probe) = value else { return };
    run(PROBE, probe, path, found);
    hook(value, path, found);
}

/// Checks a liveness or startup probe, which one success is enough for.
pub(super) fn check_alive(value: Option<&Value>, path: &Path, found: &mut Findings) {
    check_ready(value, path, found);
    let threshold = value.and_then(|probe| probe.get("successThreshold")).filter(|value| !value.is_null());
    // The API server sets 1 for 0.
    if let Some(threshold) = threshold.filter(|value| value.as_i64().is_some_and(|number| number > 1)) {
        let problem = "must be 1 in a liveness or startup probe";
        found.invalid_but(&path.field("successThreshold"), threshold.clone(), problem, "remove it");
    }
}

/// Checks what a probe or a hook does.
pub(super) fn hook(value: Option<&Value>, path: &Path, found: &mut Findings) {
    let Some(action) = value else { return };
    let set: Vec<&str> =
        ACTIONS.into_iter().filter(|name| action.get(name).is_some_and(|value| !value.is_null())).collect();
    match set.as_slice() {
        [] => found.required(path, "set one of exec, httpGet, tcpSocket and grpc"),
        [_] => {}
        several => {
            found.invalid_but(path, several.join(", "), "must do one thing", "keep one of them");
        }
    }
    run(ACTION, action, path, found);
    for name in ["httpGet", "tcpSocket"] {
        if let Some(action) = action.get(name).filter(|value| value.is_object()) {
            port(action.get("port"), &path.field(name).field("port"), found);
        }
    }
    let exec = action.get("exec").filter(|value| value.is_object());
    if exec.is_some_and(|exec| items(exec.get("command")).next().is_none()) {
        found.required(&path.field("exec.command"), "name the program and its arguments");
    }
}

/// Init containers run to their end before others start, except those with `restartPolicy: Always`.
pub(super) fn none_in_init(container: &Value, path: &Path, found: &mut Findings) {
    if container.get("restartPolicy").is_some_and(|policy| policy == "Always") {
        return;
    }
    for name in ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(value) = container.get(name).filter(|value| !value.is_null()) {
            let problem = "must not be set for an init container that ends";
            let remedy = "remove it, or set restartPolicy: Always for a sidecar";
            found.invalid_but(&path.field(name), value.clone(), problem, remedy);
        }
    }
}

fn port(value: Option<&Value>, path: &Path, found: &mut Findings) {
    match value.filter(|value| !value.is_null()) {
        None => found.required(path, "a number between 1 and 65535, or the name of a port of the container"),
        Some(Value::String(text)) if text.parse::<u16>().is_ok() => {
            let problem = "is a number in quotes, which counts as a port name";
            found.invalid_but(path, text.as_str(), problem, "write it without quotes");
        }
        Some(Value::String(text)) => {
            if let Err(problem) = names::port_name(text) {
                found.invalid(path, text.as_str(), problem);
            }
        }
        Some(number) => in_range(number, 1..=65535, path, found),
    }
}

fn number(value: Option<&Value>, path: &Path, found: &mut Findings) {
    if let Some(value) = value
        && !value.as_i64().is_some_and(|number| (0..=i64::from(i32::MAX)).contains(&number))
    {
        found.invalid(path, value.clone(), "must be a whole number, 0 or more");
    }
}

//! What is wrong with objects of built-in kinds, beside their metadata.
//!
//! Not every rule of Kubernetes is here: those that controllers and people run into are.

mod forms;
mod pods;
pub(super) mod services;
mod workloads;

use serde_json::Value;

use super::super::schema;
use super::super::status::Cause;
use super::super::store::Resource;
use super::super::store::object::{at, items, namespace, text};
use super::call::Part;
use super::refuse::{not_allowed, required, unsupported, wrong, wrong_inside};
use forms::unchanged;

/// What is wrong with an object as it is to be.
pub(super) fn object(resource: &Resource, object: &Value) -> Vec<Cause> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => {
            let mut causes = pods::spec("spec", at(object, &["spec"]));
            causes.extend(pods::images(object));
            causes
        }
        ("", "services") => services::object(object),
        ("", "configmaps") => config_map(object),
        ("", "secrets") => secret(object),
        ("", "events") => event(object),
        ("events.k8s.io", "events") => new_event(object),
        ("apps", "replicasets") => workloads::replica_set(object),
        ("apps", "deployments") => workloads::deployment(object),
        ("batch", "jobs") => workloads::job(object),
        ("networking.k8s.io", "ingresses") => ingress(object),
        ("policy", "poddisruptionbudgets") => budget(object),
        ("coordination.k8s.io", "leases") => lease(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => schema::check(object),
        _ => Vec::new(),
    }
}

/// What is wrong with a change, and with what it makes of an object. Some kinds look at the change first.
pub(super) fn change(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    let of_change = match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => pods::change(old, new),
        ("", "services") => services::change(old, new),
        ("", "secrets") => {
            let mut causes = unchanged(&["type"], old, new);
            causes.extend(frozen_data(&["data"], old, new));
            causes
        }
        ("", "configmaps") => frozen_data(&["data", "binaryData"], old, new),
        ("apps", "replicasets" | "deployments") => unchanged(&["spec", "selector"], old, new),
        ("batch", "jobs") => workloads::job_change(old, new),
        ("discovery.k8s.io", "endpointslices") => unchanged(&["addressType"], old, new),
        ("networking.k8s.io", "ingressclasses") => unchanged(&["spec", "controller"], old, new),
        _ => Vec::new(),
    };
    let of_object = object(resource, new);
    let is_change_first = resource.group.is_empty()
        && matches!(resource.plural.as_str(), "services" | "secrets" | "configmaps");
    if is_change_first { [of_change, of_object].concat() } else { [of_object, of_change].concat() }
}

/// What is wrong with a status.
pub(super) fn status(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("apps", "replicasets") => workloads::replica_set_status(new),
        ("", "pods") => pods::status(old, new),
        ("", "services") => services::status(new),
        ("policy", "poddisruptionbudgets") => budget_status(new),
        _ => Vec::new(),
    }
}

/// How a kind looks at metadata by itself, beside what every object is looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MetadataCheck {
    /// What of them on an update. On a create it is all, or nothing.
    pub(super) on_update: Again,
    /// Whether the names of finalizers have to be qualified.
    pub(super) of_finalizers: bool,
}

/// What of the metadata of an update a kind looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    Never,
    /// At what must not change.
    Change,
    /// At all of it.
    All,
}

pub(super) fn metadata_check(resource: &Resource, part: Part) -> MetadataCheck {
    let check = |on_update: Again, of_finalizers: bool| MetadataCheck { on_update, of_finalizers };
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("policy", "poddisruptionbudgets") => check(Again::Never, false),
        ("coordination.k8s.io", _) => check(Again::Change, false),
        _ if resource.custom.is_some() => check(Again::Change, false),
        ("", "pods" | "configmaps" | "secrets") if part == Part::Main => check(Again::All, true),
        _ => check(Again::Change, true),
    }
}

/// The keys and the size of a map whose values become files.
fn files(object: &Value, fields: &[&str]) -> (Vec<Cause>, usize) {
    let (mut causes, mut size) = (Vec::new(), 0);
    for field in fields {
        for (key, value) in at(object, &[field]).as_object().into_iter().flatten() {
            causes.extend(forms::config_key(field, key));
            size += value.as_str().map_or(0, str::len);
        }
    }
    (causes, size)
}

fn config_map(object: &Value) -> Vec<Cause> {
    let (mut causes, size) = files(object, &["data", "binaryData"]);
    let keys = at(object, &["data"]).as_object().into_iter().flatten();
    for (key, _) in keys.filter(|(key, _)| !at(object, &["binaryData", key]).is_null()) {
        let why = "duplicate of key present in binaryData";
        causes.push(wrong(format!("data[{key}]"), &key.as_str().into(), why));
    }
    causes.extend(forms::total_size("", size));
    causes
}

fn secret(object: &Value) -> Vec<Cause> {
    let (mut causes, size) = files(object, &["data"]);
    causes.extend(forms::total_size("data", size));
    causes
}

fn frozen_data(fields: &[&str], old: &Value, new: &Value) -> Vec<Cause> {
    if old["immutable"] != true {
        return Vec::new();
    }
    let why = "field is immutable when `immutable` is set";
    let unfrozen = (new["immutable"] != true).then(|| not_allowed("immutable", why));
    let fields = fields.iter().filter(|field| old.get(field) != new.get(field));
    unfrozen.into_iter().chain(fields.map(|field| not_allowed(*field, why))).collect()
}

fn ingress(object: &Value) -> Vec<Cause> {
    let spec = at(object, &["spec"]);
    let rules = items(spec, &["rules"]);
    if rules.is_empty() && at(spec, &["defaultBackend"]).is_null() {
        let why = "either `defaultBackend` or `rules` must be specified";
        return vec![wrong("spec", &Value::Null, why)];
    }
    let mut causes = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        for (number, path) in items(rule, &["http", "paths"]).iter().enumerate() {
            let here = format!("spec.rules[{index}].http.paths[{number}]");
            let value = text(path, &["path"]);
            let kind = text(path, &["pathType"]);
            if kind.is_empty() {
                causes.push(required(format!("{here}.pathType"), "pathType must be specified"));
            } else if !["Exact", "Prefix", "ImplementationSpecific"].contains(&kind) {
                let known = ["Exact", "ImplementationSpecific", "Prefix"];
                causes.push(unsupported(format!("{here}.pathType"), kind, &known));
            } else if !value.starts_with('/') && (kind != "ImplementationSpecific" || !value.is_empty()) {
                let field = format!("{here}.path");
                causes.push(wrong(field, &value.into(), "must be an absolute path"));
            }
            if at(path, &["backend", "service"]).is_null() && at(path, &["backend", "resource"]).is_null() {
                causes.push(required(format!("{here}.backend"), "port name or number is required"));
            }
        }
    }
    causes
}

fn budget(object: &Value) -> Vec<Cause> {
    let spec = at(object, &["spec"]);
    let (least, most) = (at(spec, &["minAvailable"]), at(spec, &["maxUnavailable"]));
    let mut causes = Vec::new();
    if !least.is_null() && !most.is_null() {
        // The server shows what it has inside.
        let shown = format!(
            "{{\"MinAvailable\":{least},\"Selector\":{},\"MaxUnavailable\":{most},\"UnhealthyPodEvictionPolicy\":{}}}",
            at(spec, &["selector"]),
            at(spec, &["unhealthyPodEvictionPolicy"]),
        );
        causes.push(wrong_inside("spec", &shown, "minAvailable and maxUnavailable cannot be both set"));
    }
    for (field, value) in [("spec.minAvailable", least), ("spec.maxUnavailable", most)] {
        causes.extend(forms::count_or_percent(field, value));
        causes.extend(forms::at_most_all(field, value));
    }
    causes.extend(forms::selector("spec.selector", at(spec, &["selector"])));
    let policy = text(spec, &["unhealthyPodEvictionPolicy"]);
    let known = ["AlwaysAllow", "IfHealthyBudget"];
    if !policy.is_empty() && !known.contains(&policy) {
        causes.push(unsupported("spec.unhealthyPodEvictionPolicy", policy, &known));
    }
    causes
}

fn budget_status(object: &Value) -> Vec<Cause> {
    let fields = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"];
    let numbers = fields.iter();
    let fault = |field: &&str| forms::not_negative(format!("status.{field}"), at(object, &["status", field]));
    numbers.filter_map(fault).collect()
}

fn lease(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let seconds = at(object, &["spec", "leaseDurationSeconds"]);
    if seconds.as_i64().is_some_and(|seconds| seconds <= 0) {
        causes.push(wrong("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
    }
    let transitions = at(object, &["spec", "leaseTransitions"]);
    if transitions.as_i64().is_some_and(|transitions| transitions < 0) {
        causes.push(wrong("spec.leaseTransitions", transitions, forms::NOT_NEGATIVE));
    }
    causes
}

fn event(object: &Value) -> Vec<Cause> {
    let inside = at(object, &["involvedObject", "namespace"]);
    let of_event = namespace(object);
    let expected = if inside.is_null() { "default" } else { inside.as_str().unwrap_or_default() };
    if expected == of_event {
        return Vec::new();
    }
    vec![wrong(
        "involvedObject.namespace",
        &inside.as_str().unwrap_or("").into(),
        "does not match event.namespace",
    )]
}

fn new_event(object: &Value) -> Vec<Cause> {
    let mut causes = event(object);
    // What carries on an event of the old form is not held to the rules of the new.
    if !at(object, &["firstTimestamp"]).is_null() {
        return causes;
    }
    if at(object, &["eventTime"]).is_null() {
        causes.push(required("eventTime", ""));
    }
    let kind = text(object, &["type"]);
    if !["Normal", "Warning"].contains(&kind) {
        causes.push(wrong("type", &kind.into(), &format!("has invalid value: {kind}")));
    }
    causes
}

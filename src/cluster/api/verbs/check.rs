//! What is wrong with objects of built-in kinds, beside their metadata.
//!
//! Not every rule of Kubernetes is here: those that controllers and people run into are.

use serde_json::Value;

use super::super::schema;
use super::super::status::Cause;
use super::super::store::Resource;
use super::super::store::object::{at, items, label, namespace, text};
use super::metadata::check_labels;
use super::refuse::{not_allowed, required, unsupported, wrong};

const NOT_NEGATIVE: &str = "must be greater than or equal to 0";
const IMMUTABLE: &str = "field is immutable";
const NO_MATCH: &str = "`selector` does not match template `labels`";
const PORT_RANGE: &str = "must be between 1 and 65535, inclusive";
const POD_CHANGES: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
    `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
    tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

/// What is wrong with an object as it is to be.
pub(super) fn object(resource: &Resource, object: &Value) -> Vec<Cause> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => pod_spec("spec", at(object, &["spec"]), &[]),
        ("", "services") => service(object),
        ("", "events") => event(object),
        ("events.k8s.io", "events") => new_event(object),
        ("apps", "replicasets" | "deployments") => workload(object),
        ("batch", "jobs") => job(object),
        ("networking.k8s.io", "ingresses") => ingress(object),
        ("policy", "poddisruptionbudgets") => budget(object),
        ("coordination.k8s.io", "leases") => lease(object),
        ("apiextensions.k8s.io", "customresourcedefinitions") => schema::check(object),
        _ => Vec::new(),
    }
}

/// What is wrong with a change.
pub(super) fn change(resource: &Resource, old: &Value, new: &Value) -> Vec<Cause> {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => pod_change(old, new),
        ("", "services") => service_change(old, new),
        ("", "secrets") => unchanged(&["type"], old, new),
        ("", "configmaps") => frozen_data(old, new),
        ("apps", "replicasets" | "deployments") => unchanged(&["spec", "selector"], old, new),
        ("batch", "jobs") => {
            let mut causes = unchanged(&["spec", "selector"], old, new);
            causes.extend(unchanged(&["spec", "completions"], old, new));
            if at(old, &["spec", "suspend"]) != &Value::Bool(true) {
                causes.extend(unchanged(&["spec", "template"], old, new));
            }
            causes
        }
        ("discovery.k8s.io", "endpointslices") => unchanged(&["addressType"], old, new),
        ("networking.k8s.io", "ingressclasses") => unchanged(&["spec", "controller"], old, new),
        _ => Vec::new(),
    }
}

/// What is wrong with a status.
pub(super) fn status(resource: &Resource, object: &Value) -> Vec<Cause> {
    if !resource.is("apps", "replicasets") {
        return Vec::new();
    }
    let number = |field: &str| at(object, &["status", field]).as_i64().unwrap_or(0);
    let replicas = number("replicas");
    let mut causes = Vec::new();
    let fields =
        ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"];
    for field in fields.into_iter().filter(|field| number(field) < 0) {
        causes.push(wrong(format!("status.{field}"), &number(field).into(), NOT_NEGATIVE));
    }
    for field in &fields[1..4] {
        if number(field) > replicas {
            let why = "cannot be greater than status.replicas";
            causes.push(wrong(format!("status.{field}"), &number(field).into(), why));
        }
    }
    if number("availableReplicas") > number("readyReplicas") {
        let why = "cannot be greater than readyReplicas";
        causes.push(wrong("status.availableReplicas", &number("availableReplicas").into(), why));
    }
    causes
}

fn unchanged(path: &[&str], old: &Value, new: &Value) -> Vec<Cause> {
    if at(old, path) == at(new, path) {
        return Vec::new();
    }
    vec![wrong(path.join("."), at(new, path), IMMUTABLE)]
}

fn frozen_data(old: &Value, new: &Value) -> Vec<Cause> {
    if old["immutable"] != true {
        return Vec::new();
    }
    let fields = ["data", "binaryData"].into_iter().filter(|field| old.get(field) != new.get(field));
    fields.map(|field| not_allowed(field, "field is immutable when `immutable` is set")).collect()
}

fn workload(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"] {
        let number = at(object, &["spec", field]);
        if number.as_i64().is_some_and(|number| number < 0) {
            causes.push(wrong(format!("spec.{field}"), number, NOT_NEGATIVE));
        }
    }
    let selector = at(object, &["spec", "selector"]);
    let requirements = items(selector, &["matchExpressions"]).len()
        + at(selector, &["matchLabels"]).as_object().map_or(0, serde_json::Map::len);
    if selector.is_null() {
        causes.push(required("spec.selector", ""));
    } else if requirements == 0 {
        causes.push(wrong("spec.selector", selector, "empty selector is invalid for deployment"));
    }
    let template = at(object, &["spec", "template"]);
    let labels = at(template, &["metadata", "labels"]);
    if selector.is_null() || !matches(selector, template) {
        causes.push(wrong("spec.template.metadata.labels", labels, NO_MATCH));
    }
    causes.extend(check_labels("spec.template.metadata.labels", labels));
    let spec = at(template, &["spec"]);
    causes.extend(pod_spec("spec.template.spec", spec, &[]));
    let policy = text(spec, &["restartPolicy"]);
    if !policy.is_empty() && policy != "Always" {
        causes.push(unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
    causes
}

fn matches(selector: &Value, object: &Value) -> bool {
    let equal = at(selector, &["matchLabels"]).as_object().into_iter().flatten();
    let mut equal = equal.map(|(key, value)| label(object, key) == value.as_str());
    let mut expressions = items(selector, &["matchExpressions"]).iter().map(|requirement| {
        let value = label(object, text(requirement, &["key"]));
        let listed =
            value.is_some_and(|value| items(requirement, &["values"]).iter().any(|known| known == value));
        match text(requirement, &["operator"]) {
            "In" => listed,
            "NotIn" => !listed,
            "Exists" => value.is_some(),
            _ => value.is_none(),
        }
    });
    equal.all(|holds| holds) && expressions.all(|holds| holds)
}

fn pod_spec(field: &str, spec: &Value, policies: &[&str]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let containers = items(spec, &["containers"]);
    if containers.is_empty() {
        causes.push(required(format!("{field}.containers"), ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for (index, container) in containers.iter().enumerate() {
        let here = format!("{field}.containers[{index}]");
        if text(container, &["image"]).is_empty() {
            causes.push(required(format!("{here}.image"), ""));
        }
        let name = text(container, &["name"]);
        if name.is_empty() {
            causes.push(required(format!("{here}.name"), ""));
        } else if names.contains(&name) {
            let message = format!("Duplicate value: \"{name}\"");
            causes.push(Cause {
                reason: "FieldValueDuplicate".to_owned(),
                message,
                field: format!("{here}.name"),
            });
        }
        names.push(name);
        for (number, port) in items(container, &["ports"]).iter().enumerate() {
            let value = at(port, &["containerPort"]);
            if !value.as_i64().is_some_and(|port| (1..=65_535).contains(&port)) {
                causes.push(match value.as_i64() {
                    None | Some(0) => required(format!("{here}.ports[{number}].containerPort"), ""),
                    Some(_) => wrong(format!("{here}.ports[{number}].containerPort"), value, PORT_RANGE),
                });
            }
        }
    }
    let policy = text(spec, &["restartPolicy"]);
    if !policies.is_empty() && !policies.contains(&policy) {
        causes.push(unsupported(format!("{field}.restartPolicy"), policy, policies));
    }
    causes
}

fn job(object: &Value) -> Vec<Cause> {
    let field = "spec.template.spec";
    let spec = at(object, &["spec", "template", "spec"]);
    let mut causes = pod_spec(field, spec, &[]);
    for number in
        ["parallelism", "completions", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"]
    {
        let value = at(object, &["spec", number]);
        if value.as_i64().is_some_and(|value| value < 0) {
            causes.push(wrong(format!("spec.{number}"), value, NOT_NEGATIVE));
        }
    }
    let policy_field = format!("{field}.restartPolicy");
    match text(spec, &["restartPolicy"]) {
        "OnFailure" | "Never" => {}
        "" | "Always" => causes.push(required(policy_field, "valid values: \"OnFailure\", \"Never\"")),
        other => causes.push(unsupported(policy_field, other, &["OnFailure", "Never"])),
    }
    causes
}

/// A pod that runs keeps its specification, but for images and few more.
fn pod_change(old: &Value, new: &Value) -> Vec<Cause> {
    let strip = |pod: &Value| {
        let mut spec = at(pod, &["spec"]).clone();
        for field in ["containers", "initContainers"] {
            for container in spec.get_mut(field).and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(container) = container.as_object_mut() {
                    container.remove("image");
                }
            }
        }
        if let Some(spec) = spec.as_object_mut() {
            for field in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
                spec.remove(field);
            }
        }
        spec
    };
    let mut causes = Vec::new();
    if strip(old) != strip(new) {
        causes.push(not_allowed("spec", POD_CHANGES));
    }
    let tolerations = items(new, &["spec", "tolerations"]);
    if !items(old, &["spec", "tolerations"]).iter().all(|old| tolerations.contains(old)) {
        let why = "existing toleration can not be modified except its tolerationSeconds";
        causes.push(not_allowed("spec.tolerations", why));
    }
    causes
}

fn service(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let spec = at(object, &["spec"]);
    let kind = text(spec, &["type"]);
    if !["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"].contains(&kind) {
        let known = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
        causes.push(unsupported("spec.type", kind, &known));
    }
    let ports = items(spec, &["ports"]);
    if ports.is_empty() && kind != "ExternalName" && text(spec, &["clusterIP"]) != "None" {
        causes.push(required("spec.ports", ""));
    }
    if kind == "ExternalName" && text(spec, &["externalName"]).is_empty() {
        causes.push(required("spec.externalName", ""));
    }
    for (index, port) in ports.iter().enumerate() {
        if ports.len() > 1 && text(port, &["name"]).is_empty() {
            causes.push(required(format!("spec.ports[{index}].name"), ""));
        }
        for field in ["port", "targetPort"] {
            let value = at(port, &[field]);
            let out_of_range = value.as_i64().is_some_and(|port| !(1..=65_535).contains(&port));
            if out_of_range || (field == "port" && value.is_null()) {
                let number = value.as_i64().unwrap_or(0);
                causes.push(wrong(format!("spec.ports[{index}].{field}"), &number.into(), PORT_RANGE));
            }
        }
    }
    causes
}

fn service_change(old: &Value, new: &Value) -> Vec<Cause> {
    let external = |service: &Value| text(service, &["spec", "type"]) == "ExternalName";
    let (was, is) = (text(old, &["spec", "clusterIP"]), text(new, &["spec", "clusterIP"]));
    if external(old) || external(new) || was.is_empty() || was == is {
        return Vec::new();
    }
    let why = "may not change once set";
    vec![wrong("spec.clusterIPs[0]", at(new, &["spec", "clusterIPs"]), why)]
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
            if !["Exact", "Prefix", "ImplementationSpecific"].contains(&kind) {
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
    if !at(spec, &["minAvailable"]).is_null() && !at(spec, &["maxUnavailable"]).is_null() {
        let why = "minAvailable and maxUnavailable cannot be both set";
        return vec![wrong("spec", spec, why)];
    }
    Vec::new()
}

fn lease(object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let seconds = at(object, &["spec", "leaseDurationSeconds"]);
    if seconds.as_i64().is_some_and(|seconds| seconds <= 0) {
        causes.push(wrong("spec.leaseDurationSeconds", seconds, "must be greater than 0"));
    }
    let transitions = at(object, &["spec", "leaseTransitions"]);
    if transitions.as_i64().is_some_and(|transitions| transitions < 0) {
        causes.push(wrong("spec.leaseTransitions", transitions, NOT_NEGATIVE));
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

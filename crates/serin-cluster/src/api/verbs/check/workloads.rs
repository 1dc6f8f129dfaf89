//! What is wrong with what runs pods: replica sets, deployments, jobs.

use serde_json::Value;

use super::super::super::status::Cause;
use super::super::super::store::object::{at, items, text};
use super::super::metadata::{check_annotations, check_labels};
use super::super::refuse::{not_allowed, required, unsupported, wrong};
use super::super::selection::selects;
use super::forms::{self, unchanged};
use super::pods;

const NO_MATCH: &str = "`selector` does not match template `labels`";

fn numbers(object: &Value, fields: &[&str]) -> Vec<Cause> {
    let fault = |field: &&str| forms::not_negative(format!("spec.{field}"), at(object, &["spec", field]));
    fields.iter().filter_map(fault).collect()
}

pub(super) fn replica_set(object: &Value) -> Vec<Cause> {
    let mut causes = numbers(object, &["replicas", "minReadySeconds"]);
    causes.extend(selected(object));
    causes.extend(replicated(object, "ReplicaSet"));
    causes
}

pub(super) fn deployment(object: &Value) -> Vec<Cause> {
    let mut causes = numbers(object, &["replicas"]);
    causes.extend(selected(object));
    causes.extend(replicated(object, "ReplicaSet"));
    causes.extend(strategy(at(object, &["spec", "strategy"])));
    causes.extend(numbers(object, &["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"]));
    let number = |field: &str| at(object, &["spec", field]).as_i64().unwrap_or(0);
    if number("progressDeadlineSeconds") <= number("minReadySeconds") {
        let deadline = at(object, &["spec", "progressDeadlineSeconds"]);
        causes.push(wrong("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"));
    }
    causes
}

/// What is wrong with the selector.
fn selected(object: &Value) -> Vec<Cause> {
    let selector = at(object, &["spec", "selector"]);
    if selector.is_null() {
        return vec![required("spec.selector", "")];
    }
    let mut causes = forms::selector("spec.selector", selector);
    let requirements = items(selector, &["matchExpressions"]).len()
        + at(selector, &["matchLabels"]).as_object().map_or(0, serde_json::Map::len);
    if requirements == 0 {
        causes.push(wrong("spec.selector", selector, "empty selector is invalid for deployment"));
    }
    causes
}

/// What is wrong with the template of pods that are replaced when they end.
fn replicated(object: &Value, kind: &str) -> Vec<Cause> {
    let (selector, template) = (at(object, &["spec", "selector"]), at(object, &["spec", "template"]));
    let mut causes = Vec::new();
    let selects_all =
        at(selector, &["matchLabels"]).is_null() && items(selector, &["matchExpressions"]).is_empty();
    // No selector selects nothing.
    if selector.is_null() || (!selects_all && !selects(selector, template)) {
        causes.push(wrong("spec.template.metadata.labels", at(template, &["metadata", "labels"]), NO_MATCH));
    }
    causes.extend(pod_template(template));
    let policy = text(template, &["spec", "restartPolicy"]);
    if policy != "Always" {
        causes.push(unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
    if !at(template, &["spec", "activeDeadlineSeconds"]).is_null() {
        let why = format!("activeDeadlineSeconds in {kind} is not Supported");
        causes.push(not_allowed("spec.template.spec.activeDeadlineSeconds", &why));
    }
    causes
}

fn pod_template(template: &Value) -> Vec<Cause> {
    let metadata = at(template, &["metadata"]);
    let mut causes = check_labels("spec.template.labels", at(metadata, &["labels"]));
    causes.extend(check_annotations("spec.template.annotations", at(metadata, &["annotations"])));
    causes.extend(pods::spec("spec.template.spec", at(template, &["spec"])));
    causes
}

fn strategy(strategy: &Value) -> Vec<Cause> {
    let field = "spec.strategy";
    let rolling = at(strategy, &["rollingUpdate"]);
    match text(strategy, &["type"]) {
        "Recreate" if !rolling.is_null() => {
            let why = "may not be specified when strategy `type` is 'Recreate'";
            vec![not_allowed(format!("{field}.rollingUpdate"), why)]
        }
        "Recreate" => Vec::new(),
        "RollingUpdate" => {
            let field = format!("{field}.rollingUpdate");
            let (down, up) = (at(rolling, &["maxUnavailable"]), at(rolling, &["maxSurge"]));
            let mut causes = forms::count_or_percent(&format!("{field}.maxUnavailable"), down);
            causes.extend(forms::count_or_percent(&format!("{field}.maxSurge"), up));
            let is_none = |value: &Value| value == 0 || value == "0%";
            if is_none(down) && is_none(up) {
                let why = "may not be 0 when `maxSurge` is 0";
                causes.push(wrong(format!("{field}.maxUnavailable"), down, why));
            }
            causes.extend(forms::at_most_all(&format!("{field}.maxUnavailable"), down));
            causes
        }
        other => vec![unsupported(field, other, &["Recreate", "RollingUpdate"])],
    }
}

pub(super) fn job(object: &Value) -> Vec<Cause> {
    let fields =
        ["parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished"];
    let mut causes = numbers(object, &fields);
    causes.extend(pod_template(at(object, &["spec", "template"])));
    let policy_field = "spec.template.spec.restartPolicy";
    match text(object, &["spec", "template", "spec", "restartPolicy"]) {
        "OnFailure" | "Never" => {}
        "Always" => causes.push(required(policy_field, "valid values: \"OnFailure\", \"Never\"")),
        other => causes.push(unsupported(policy_field, other, &["OnFailure", "Never"])),
    }
    causes
}

pub(super) fn job_change(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = unchanged(&["spec", "selector"], old, new);
    causes.extend(unchanged(&["spec", "completions"], old, new));
    if at(old, &["spec", "suspend"]) != &Value::Bool(true) {
        causes.extend(unchanged(&["spec", "template"], old, new));
    }
    causes
}

/// What is wrong with the status of a replica set.
pub(super) fn replica_set_status(object: &Value) -> Vec<Cause> {
    let number = |field: &str| at(object, &["status", field]).as_i64().unwrap_or(0);
    let fields = [
        "replicas",
        "fullyLabeledReplicas",
        "readyReplicas",
        "availableReplicas",
        "observedGeneration",
        "terminatingReplicas",
    ];
    let fault = |field: &&str| forms::not_negative(format!("status.{field}"), at(object, &["status", field]));
    let mut causes: Vec<Cause> = fields.iter().filter_map(fault).collect();
    let mut greater = |field: &str, why: &str| {
        causes.push(wrong(format!("status.{field}"), &number(field).into(), why));
    };
    for field in &fields[1..4] {
        if number(field) > number("replicas") {
            greater(field, "cannot be greater than status.replicas");
        }
    }
    if number("availableReplicas") > number("readyReplicas") {
        greater("availableReplicas", "cannot be greater than readyReplicas");
    }
    causes
}

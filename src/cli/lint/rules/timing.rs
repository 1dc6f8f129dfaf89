//! Rules about durations.

use serde_json::Value;

use super::subject::Subject;
use crate::cli::lint::finding::Remark;
use crate::cli::lint::rule::{Rule, Severity};

pub(super) static DEADLINE_TOO_SHORT: Rule = Rule {
    id: "deadline-too-short",
    severity: Severity::Warning,
    summary: "a progress deadline that passes before a pod can be available",
    why: "A pod is available at the earliest after the initial delays of its probes and minReadySeconds. \
          Each update would be reported as failed, and with progressDeadlineAbort it would be aborted.",
};

pub(super) fn deadline_too_short(subject: &Subject<'_>) -> Vec<Remark> {
    let spec = &subject.rollout.spec;
    let template = spec.template.as_value();
    let containers = template.pointer("/spec/containers").and_then(Value::as_array);
    let delays = containers.into_iter().flatten().flat_map(|container| {
        let delay = |probe: &str| container[probe]["initialDelaySeconds"].as_i64();
        [delay("readinessProbe"), delay("startupProbe")]
    });
    let delay = delays.flatten().max().unwrap_or(0);
    let deadline = i64::from(spec.deadline_seconds());
    let needed = delay + i64::from(spec.min_ready_seconds);
    // Without a delay only minReadySeconds matters, which the controller refuses.
    if delay == 0 || needed < deadline {
        return Vec::new();
    }
    let ready = spec.min_ready_seconds;
    let problem = format!(
        "a pod needs at least {needed} s: {delay} s of a probe's initialDelaySeconds and {ready} s of \
         minReadySeconds"
    );
    let remedy = format!("raise it above {needed}, or lower the delays");
    vec![Remark::new("spec.progressDeadlineSeconds", deadline, problem, remedy)]
}

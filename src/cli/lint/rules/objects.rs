//! Rules about Rollouts that do not match the objects around them.

use super::fields::service_fields;
use super::subject::{Subject, step_path, weights};
use crate::cli::lint::finding::Remark;
use crate::cli::lint::rule::{Rule, Severity};
use serin_core::api::keys;
use serin_core::rollout::workload::WorkloadKind;

pub(super) static SELECTS_VERSION: Rule = Rule {
    id: "selects-version",
    severity: Severity::Warning,
    summary: "a Service of the Rollout whose selector names a label that changes with each version",
    why: "Both revisions run during an update, but such a Service selects only one of them: users of the \
          other one reach no pod. The controller refuses the update with the condition InvalidSpec.",
};

/// Labels that name the version of a pod.
const VERSION_LABELS: [&str; 5] =
    ["app.kubernetes.io/version", "version", "helm.sh/chart", "tags.datadoghq.com/version", "chart"];

pub(super) fn selects_version(subject: &Subject<'_>) -> Vec<Remark> {
    let template = &subject.rollout.spec.template;
    let labels = template.labels();
    let tags: Vec<&str> = template.images().filter_map(tag).collect();
    let views = subject.services();
    let mut all = Vec::new();
    // The preview follows only the new revision.
    let fields = service_fields(subject).into_iter().filter(|(field, _)| !field.ends_with(".previewService"));
    for (field, name) in fields {
        let selector = views.get(name).map(|view| &view.selector);
        for (key, value) in selector.into_iter().flatten() {
            let is_version = VERSION_LABELS.contains(&key.as_str()) || tags.contains(&value.as_str());
            // A label that the template does not have is an error of its own.
            if is_version && key != keys::POD_HASH_LABEL && labels.get(key.as_str()) == Some(&value.as_str())
            {
                let problem = format!(
                    "the Service selects pods with {key}={value}, a label that changes with the version; \
                     during an update it cannot select both the old and the new pods"
                );
                let remedy = format!("remove {key} from the selector of the Service");
                all.push(Remark::new(field.clone(), name, problem, remedy));
            }
        }
    }
    all
}

/// The tag of an image.
fn tag(image: &str) -> Option<&str> {
    let (image, _) = image.split_once('@').unwrap_or((image, ""));
    image.rsplit('/').next()?.split_once(':').map(|(_, tag)| tag)
}

pub(super) static FEWER_PODS: Rule = Rule {
    id: "fewer-pods-than-workload",
    severity: Severity::Warning,
    summary: "a Rollout that is smaller than the Deployment that it replaces",
    why: "With scaleDown, the Deployment is scaled down to 0, and fewer pods remain than before.",
};

pub(super) fn fewer_pods(subject: &Subject<'_>) -> Vec<Remark> {
    let spec = &subject.rollout.spec;
    let (Some(reference), Some(replicas)) = (&spec.workload_ref, spec.replicas) else { return Vec::new() };
    let workload = subject.world.workload(reference, subject.namespace());
    let scales = reference.scale_down.as_deref().is_some_and(|word| word != "never");
    let Some(workload) = workload.filter(|workload| workload.kind == WorkloadKind::Deployment && scales)
    else {
        return Vec::new();
    };
    if workload.replicas <= replicas {
        return Vec::new();
    }
    let problem =
        format!("{} pods of Deployment {:?} are replaced by {replicas}", workload.replicas, workload.id.name);
    let remedy =
        format!("set it to {}, or leave it out to take the size of the Deployment", workload.replicas);
    vec![Remark::new("spec.replicas", replicas, problem, remedy)]
}

pub(super) static STABLE_EMPTIED: Rule = Rule {
    id: "stable-emptied",
    severity: Severity::Warning,
    summary: "a setWeight of 100 without a router but with a stableService",
    why: "Without a router, weight 100 removes all old pods, but the stableService selects the old \
          revision until the update is promoted.",
};

pub(super) fn stable_emptied(subject: &Subject<'_>) -> Vec<Remark> {
    let canary = subject.canary().filter(|canary| !canary.is_routed());
    let Some(canary) = canary.filter(|canary| canary.stable_service.is_some()) else { return Vec::new() };
    let full = weights(canary).into_iter().filter(|(_, weight)| *weight == 100);
    full.map(|(index, weight)| {
        let problem = "replaces all old pods, but stableService selects the old revision until the update \
                       is promoted";
        let remedy = "remove the step: after the last one the new revision gets all traffic";
        Remark::new(format!("{}.setWeight", step_path(index)), weight, problem, remedy)
    })
    .collect()
}

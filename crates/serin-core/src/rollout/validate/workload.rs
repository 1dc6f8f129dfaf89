//! `spec.workloadRef`, and the workload that it names.
//!
//! Beyond the reference, a word in `scaleDown` must mean something for the kind of the workload, and containers in
//! `spec.template`, which nobody would run, are a mistake.

use serde_json::{Map, Value, json};

use super::error::{Findings, Path, Relation};
use super::{SpecErrors, pod_template};
use crate::api::rollout::{RolloutSpec, WorkloadRef};
use crate::api::{PodTemplate, Rollout};
use crate::domain::workload::{ScaleDown, WorkloadKind};
use crate::rollout::snapshot::{Unresolved, WorkloadView};
use serin_values::selector::selects;

/// Checks what `spec` says about its workload; `path` is that of the spec.
pub(super) fn check_reference(
    spec: &RolloutSpec,
    reference: &WorkloadRef,
    path: &Path,
    found: &mut Findings,
) {
    if let Some(written) = written(&spec.template) {
        found.invalid_but(
            &path.field("template"),
            written,
            "template must be empty for workload reference rollout; workloadRef names the source of the template",
            "remove spec.template or spec.workloadRef",
        );
    }
    let path = path.field("workloadRef");
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let Some(kind) = WorkloadKind::of(reference) else {
        let named = format!("{}/{}", text(&reference.api_version), text(&reference.kind));
        let problem = "must be a Deployment or ReplicaSet of apps/v1, or a PodTemplate of v1";
        return found.invalid(&path, named, problem);
    };
    if reference.name.is_none() {
        found.required(&path.field("name"), format!("name a {} of the Rollout's namespace", kind.as_str()));
    }
    let problem = match ScaleDown::of(reference) {
        None => "must be never, onsuccess or progressively",
        Some(ScaleDown::OnSuccess | ScaleDown::Progressively) if kind != WorkloadKind::Deployment => {
            "must be never, because only a Deployment can be scaled down"
        }
        Some(ScaleDown::Never | ScaleDown::OnSuccess | ScaleDown::Progressively) => return,
    };
    found.invalid(&path.field("scaleDown"), text(&reference.scale_down), problem);
}

/// What the template says of pods, if it says anything.
fn written(template: &PodTemplate) -> Option<Value> {
    let (labels, annotations) = (template.labels(), template.annotations());
    let mut written = Map::new();
    let metadata = [("labels", json!(labels)), ("annotations", json!(annotations))];
    let metadata = metadata.into_iter().filter(|(_, map)| map.as_object().is_some_and(|map| !map.is_empty()));
    let metadata: Map<String, Value> = metadata.map(|(name, map)| (name.to_owned(), map)).collect();
    if !metadata.is_empty() {
        written.insert("metadata".to_owned(), Value::Object(metadata));
    }
    if template.images().count() > 0 {
        let spec = template.as_value().get("spec").and_then(Value::as_object).into_iter().flatten();
        let containers = spec.filter(|(name, _)| matches!(name.as_str(), "containers" | "initContainers"));
        let containers = containers.map(|(name, list)| (name.clone(), list.clone())).collect();
        written.insert("spec".to_owned(), Value::Object(containers));
    }
    (!written.is_empty()).then_some(Value::Object(written))
}

/// Checks what `reference` led to; `filled` is the Rollout with what its workload gives to it.
///
/// What is found here heals without a change of the Rollout, when the workload appears or is corrected.
pub(super) fn check_found(
    reference: &WorkloadRef,
    workload: Result<&WorkloadView, &Unresolved>,
    filled: &Rollout,
) -> Result<(), SpecErrors> {
    let mut found = Findings::default();
    let path = Path::new("spec.workloadRef");
    let name = reference.name.clone().unwrap_or_default();
    let kind = reference.kind.clone().unwrap_or_default();
    match workload {
        Ok(workload) => check_workload(workload, filled, &mut found),
        Err(Unresolved::Absent) => found.related(
            Relation::Missing,
            &path.field("name"),
            name.as_str(),
            format!("{kind} {name:?} not found"),
            "create it in the Rollout's namespace",
        ),
        Err(Unresolved::Unreadable(said)) => found.invalid_but(
            &path,
            format!("{kind} {name}"),
            format!("the controller cannot watch objects of this kind: {said}"),
            "let it get, list and watch them",
        ),
    }
    found.into_result()
}

fn check_workload(workload: &WorkloadView, filled: &Rollout, found: &mut Findings) {
    let (kind, name) = (workload.kind.as_str(), &workload.id.name);
    let path = Path::new(&format!("spec.workloadRef ({kind} {name})"));
    let template = match workload.kind {
        WorkloadKind::Deployment | WorkloadKind::ReplicaSet => path.field("spec.template"),
        WorkloadKind::PodTemplate => path.field("template"),
    };
    pod_template::check(workload.template.as_value(), &template, found);
    let labels = workload.template.labels();
    let owned = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    match &filled.spec.selector {
        None => found.required(
            &Path::new("spec.selector"),
            format!("name labels of the {kind}, which has no selector"),
        ),
        Some(selector) if !selects(selector, &owned) => found.invalid_but(
            &template.field("metadata.labels"),
            json!(labels),
            "spec.selector does not select pods with these labels",
            "name labels of the workload in spec.selector, or leave it out where the workload has one",
        ),
        Some(_) => {}
    }
}

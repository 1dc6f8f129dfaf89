//! Whether a Rollout says something that can be done: [`validate`] looks at its spec alone,
//! [`validate_references`] at the Services and Ingresses that it names.
//!
//! What the reference accepts is accepted and what it refuses is refused, but for the few cases that each module
//! names. All mistakes are reported at once, each with its field, its value and what would be right.

mod blue_green;
mod canary;
mod error;
mod limits;
mod metadata;
mod names;
mod nginx;
mod pod_template;
mod references;
mod roles;
mod routing;
mod selector;
mod steps;
mod unbuilt;
mod workload;

#[cfg(test)]
mod tests;

use serde_json::json;
use thiserror::Error;

use error::{Findings, Path};
use limits::not_negative;

use super::snapshot::{Snapshot, Unresolved, WorkloadView};
use super::valid::ValidRollout;
use super::workload::filled_by;
use crate::api::rollout::RolloutSpec;
use crate::api::{LabelSelector, Rollout};
use serin_values::selector::selects;

pub use error::{Relation, SpecError, SpecErrors};
pub use metadata::{NameForm, metadata_mistakes};
pub use references::{Running, validate_references};
pub use unbuilt::{Unbuilt, unbuilt_features, unbuilt_routers};

/// Why nothing can be done about a Rollout until it or what it names changes.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The spec is wrong, and may also ask for what this version cannot do.
    #[error("{errors}{}", also(.unbuilt))]
    Invalid {
        /// What is wrong.
        errors: SpecErrors,
        /// What this version cannot do.
        unbuilt: Vec<Unbuilt>,
    },
    /// The spec is right, but an object that it names is missing or wrong.
    #[error(transparent)]
    Reference(SpecErrors),
    /// The spec is right, but asks for what this version cannot do.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; also "))]
    Unbuilt(Vec<Unbuilt>),
}

fn also(unbuilt: &[Unbuilt]) -> String {
    unbuilt.iter().flat_map(|feature| ["; also ".to_owned(), feature.to_string()]).collect()
}

/// The spec of a Rollout that can be carried out. `filled` is it with what its workload gives to it.
pub(super) fn check<'a>(snapshot: &Snapshot, filled: &'a Rollout) -> Result<ValidRollout<'a>, Refusal> {
    let rollout = &snapshot.rollout;
    let unbuilt = unbuilt_features(rollout);
    let spec = match read(rollout, filled) {
        Ok(spec) => spec,
        Err(errors) => return Err(Refusal::Invalid { errors, unbuilt }),
    };
    if !unbuilt.is_empty() {
        return Err(Refusal::Unbuilt(unbuilt));
    }
    if let (Some(reference), Some(found)) = (&rollout.spec.workload_ref, &snapshot.workload) {
        workload::check_found(reference, found.as_ref(), filled).map_err(Refusal::Reference)?;
    }
    let stable = rollout.status.as_ref().and_then(|status| status.stable_rs.as_deref());
    let running = references::running(snapshot, stable);
    validate_references(filled, &running, &snapshot.services, &snapshot.objects)
        .map_err(Refusal::Reference)?;
    Ok(spec)
}

/// Reads the spec of `rollout` alone. Where `workloadRef` names the source of the template, that is checked once it was
/// found.
///
/// # Errors
///
/// Every mistake in the spec, in the order of its fields.
pub fn validate(rollout: &Rollout) -> Result<ValidRollout<'_>, SpecErrors> {
    read(rollout, rollout)
}

/// Checks what the `workloadRef` of `rollout` led to, if it has one.
pub fn validate_workload(
    rollout: &Rollout,
    workload: Result<&WorkloadView, &Unresolved>,
) -> Result<(), SpecErrors> {
    let Some(reference) = &rollout.spec.workload_ref else { return Ok(()) };
    match workload {
        Ok(found) => workload::check_found(reference, workload, &filled_by(rollout, found)),
        Err(_) => workload::check_found(reference, workload, rollout),
    }
}

/// Checks `rollout`, and reads `filled`, which is it with what its workload gives to it.
fn read<'a>(rollout: &Rollout, filled: &'a Rollout) -> Result<ValidRollout<'a>, SpecErrors> {
    let spec = &rollout.spec;
    let path = Path::new("spec");
    let mut found = Findings::default();
    check_name(rollout, &mut found);
    not_negative(spec.replicas, &path.field("replicas"), &mut found);
    check_selector(spec, &path.field("selector"), &mut found);
    match &spec.workload_ref {
        Some(reference) => workload::check_reference(spec, reference, &path, &mut found),
        None => pod_template::check(spec.template.as_value(), &path.field("template"), &mut found),
    }
    not_negative(Some(spec.min_ready_seconds), &path.field("minReadySeconds"), &mut found);
    not_negative(spec.revision_history_limit, &path.field("revisionHistoryLimit"), &mut found);
    check_progress_deadline(spec, &path, &mut found);
    check_strategy(rollout, &path.field("strategy"), &mut found);
    found.into_result_with(ValidRollout::read(filled))
}

/// ReplicaSets are named after their Rollout: a dash and the hash of the template follow its name.
fn check_name(rollout: &Rollout, found: &mut Findings) {
    const LENGTH_MAX: usize = 253 - 11;
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    if name.len() > LENGTH_MAX {
        let problem = format!(
            "must have at most {LENGTH_MAX} characters: names of ReplicaSets are 11 longer, and have at most 253"
        );
        found.invalid(&Path::new("metadata.name"), name, problem);
    }
}

fn check_selector(spec: &RolloutSpec, path: &Path, found: &mut Findings) {
    let Some(selector) = &spec.selector else {
        if spec.workload_ref.is_none() {
            found.required(path, "name labels of spec.template in matchLabels");
        }
        return;
    };
    if selector::is_empty(selector) {
        found.invalid_but(
            path,
            json!({}),
            "an empty selector would select every pod of the namespace",
            "name at least one label of spec.template in matchLabels",
        );
    } else if selector::check(selector, path, found) && spec.workload_ref.is_none() {
        check_selects_template(spec, selector, found);
    }
}

fn check_selects_template(spec: &RolloutSpec, selector: &LabelSelector, found: &mut Findings) {
    let labels = spec.template.labels();
    let owned = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    if !selects(selector, &owned) {
        found.invalid_but(
            &Path::new("spec.template.metadata.labels"),
            json!(labels),
            "spec.selector does not select pods with these labels",
            "add the labels that the selector asks for",
        );
    }
}

fn check_progress_deadline(spec: &RolloutSpec, path: &Path, found: &mut Findings) {
    let deadline = spec.deadline_seconds();
    if deadline < 0 || deadline <= spec.min_ready_seconds {
        let ready = spec.min_ready_seconds;
        found.invalid(
            &path.field("progressDeadlineSeconds"),
            deadline,
            format!("must be greater than minReadySeconds, which is {ready}, and not negative; it is 600 if not set"),
        );
    }
}

/// Exactly one strategy is set, and nothing is wrong with it.
fn check_strategy(rollout: &Rollout, path: &Path, found: &mut Findings) {
    let spec = &rollout.spec;
    let selector = spec.selector.clone().unwrap_or_default();
    match (&spec.strategy.blue_green, &spec.strategy.canary) {
        (None, None) => found.required(path, "set one of blueGreen and canary"),
        (Some(_), Some(_)) => {
            found.invalid_but(path, "blueGreen, canary", "a Rollout has one strategy", "keep one of them");
        }
        (Some(blue_green), None) => {
            let history = spec.history_limit();
            blue_green::check(blue_green, &selector, history, &path.field("blueGreen"), found);
        }
        (None, Some(canary)) => {
            let name = rollout.metadata.name.as_deref().unwrap_or_default();
            canary::check(canary, name, &selector, &path.field("canary"), found);
        }
    }
}

//! Runs the controller's own validation.

use std::borrow::Cow;

use super::finding::Remark;
use super::rule::Rule;
use super::rules::{INVALID_REFERENCE, INVALID_SPEC, NOT_BUILT};
use super::world::{Revision, World, ingress_names};
use serin_core::api::Rollout;
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::observed_keys;
use serin_core::rollout::snapshot::{Unresolved, WorkloadView};
use serin_core::rollout::validate::{
    Running, SpecError, unbuilt_features, validate, validate_references, validate_workload,
};
use serin_core::rollout::workload::filled_by;

/// The Rollout with the template of its workload, if it is known.
pub(super) fn filled<'r>(rollout: &'r Rollout, world: &World) -> Cow<'r, Rollout> {
    match workload(rollout, world) {
        Some(workload) => Cow::Owned(filled_by(rollout, workload)),
        None => Cow::Borrowed(rollout),
    }
}

fn workload<'w>(rollout: &Rollout, world: &'w World) -> Option<&'w WorkloadView> {
    world.workload(rollout.spec.workload_ref.as_ref()?, rollout.metadata.namespace.as_deref())
}

/// Everything that the controller would refuse.
pub(super) fn check(rollout: &Rollout, world: &World) -> Vec<(&'static Rule, Remark)> {
    let mut found = Vec::new();
    let mut add = |rule: &'static Rule, errors: Vec<SpecError>| {
        found.extend(errors.iter().map(|error| (rule, remark(error))));
    };
    add(
        &INVALID_SPEC,
        validate(rollout).err().map(|errors| errors.iter().cloned().collect()).unwrap_or_default(),
    );
    add(&INVALID_REFERENCE, references(rollout, world));
    let unbuilt = unbuilt_features(rollout).into_iter().map(|feature| {
        let problem = format!("this version of Serin cannot {} yet", feature.what);
        (&NOT_BUILT, Remark { field: feature.path, problem, ..Remark::whole("") })
    });
    found.extend(unbuilt);
    found
}

/// Mistakes in the objects that `rollout` references.
pub(super) fn references(rollout: &Rollout, world: &World) -> Vec<SpecError> {
    let namespace = rollout.metadata.namespace.as_deref();
    let mut found = Vec::new();
    let workload = workload(rollout, world);
    let has_name = rollout.spec.workload_ref.as_ref().is_some_and(|reference| reference.name.is_some());
    let resolved = match workload {
        Some(workload) => Some(Ok(workload)),
        None => (has_name && world.is_complete).then_some(Err(&Unresolved::Absent)),
    };
    if let Some(resolved) = resolved {
        let errors = validate_workload(rollout, resolved).err();
        found.extend(errors.iter().flat_map(|errors| errors.iter().cloned()));
    }
    let filled = filled(rollout, world);
    let services = observed_keys(rollout).names(ObjectKind::Service);
    let services = if rollout.spec.workload_ref.is_some() && workload.is_none() {
        // The labels of the pods are unknown.
        World::default().services(&services, namespace)
    } else {
        world.services(&services, namespace)
    };
    let (ingresses, stable) = ingress_names(rollout);
    let ingresses = world.ingresses(&ingresses, stable, namespace);
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    let running: Vec<Running<'_>> = world.serving(name, namespace).map(running).collect();
    let errors = validate_references(&filled, &running, &services, &ingresses).err();
    found.extend(errors.iter().flat_map(|errors| errors.iter().cloned()));
    found
}

fn running(revision: &Revision) -> Running<'_> {
    let Revision { replica_set, hash, template } = revision;
    Running { replica_set, hash, template, is_stable: true }
}

/// The finding for a mistake that the controller's validation reports.
pub(super) fn remark(error: &SpecError) -> Remark {
    let SpecError { path, value, problem, remedy, relation: _ } = error.clone();
    let problem = if value.is_empty() { format!("is required: {problem}") } else { problem };
    Remark { field: path, value, problem, remedy }
}

//! Finds the referenced object that is missing or invalid, and its remedy.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cause::{Cause, Place, StrayLabel};
use super::naming::mistakes;
use super::scene::Scene;
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::observed_keys;
use serin_core::rollout::snapshot::{ServiceView, Unresolved};
use serin_core::rollout::validate::{SpecError, SpecErrors};
use serin_core::traffic::nginx::uses_service;

/// The cause for the first object that `errors` are about.
pub(super) fn reference(scene: &Scene<'_>, errors: &SpecErrors) -> Cause {
    if let Some(Err(Unresolved::Absent)) = &scene.snapshot.workload
        && let Some(workload) = observed_keys(&scene.rollout).workload()
    {
        return Cause::NoWorkload { kind: workload.kind.name().to_owned(), name: workload.key.name.clone() };
    }
    let is_meant = |name: &&String| errors.iter().any(|error| names(error, name));
    let observed = observed_keys(&scene.rollout);
    let services = observed.of_kind(ObjectKind::Service).map(|key| &key.name);
    let service = services.filter(is_meant).find_map(|service| of_service(scene, service));
    let ingresses = stable_ingresses(scene);
    let ingress = || ingresses.iter().filter(is_meant).find_map(|ingress| of_ingress(scene, ingress));
    service
        .or_else(ingress)
        .unwrap_or_else(|| Cause::Reference { mistakes: mistakes(errors), place: place(scene, errors) })
}

/// True if a mistake is about the object of that name.
fn names(error: &SpecError, name: &str) -> bool {
    serde_json::from_str::<Value>(&error.value).is_ok_and(|value| value == name)
}

/// The place of a correction that is about neither a Service nor an Ingress.
fn place(scene: &Scene<'_>, errors: &SpecErrors) -> Place {
    // The path of a mistake in a workload contains its name.
    let is_in_workload = errors.iter().all(|error| error.path.starts_with("spec.workloadRef ("));
    match &scene.snapshot.workload {
        Some(Err(Unresolved::Unreadable(_))) => Place::Rights,
        Some(Ok(workload)) if is_in_workload => {
            Place::Object { kind: workload.kind.as_str().to_owned(), name: workload.id.name.clone() }
        }
        Some(Ok(_) | Err(Unresolved::Absent)) | None => Place::Rollout,
    }
}

fn of_service(scene: &Scene<'_>, name: &str) -> Option<Cause> {
    let service = name.to_owned();
    let Some(found) = scene.snapshot.services.get(name) else {
        return Some(Cause::NoService { service, labels: scene.selected_labels(), port: pod_port(scene) });
    };
    if let Some(other) = found.managed_by.clone().filter(|other| other != scene.name()) {
        let is_there = scene.picture.find(ObjectKind::Rollout, &other).is_some();
        return Some(Cause::SharedService { service, other, is_there });
    }
    let strays = strays(scene, found);
    let labels = scene.selected_labels();
    (!strays.is_empty()).then_some(Cause::StrayService { service, strays, labels })
}

/// Labels in the selector of a Service that do not match the new or the current pods.
fn strays(scene: &Scene<'_>, service: &ServiceView) -> Vec<StrayLabel> {
    let of_template = |template: &Value| -> BTreeMap<String, String> {
        let labels = template.pointer("/metadata/labels").cloned().unwrap_or_default();
        serde_json::from_value(labels).unwrap_or_default()
    };
    let running = scene.replica_sets().into_iter().filter(|rs| rs.replicas > 0);
    let revisions: Vec<_> =
        std::iter::once(scene.labels()).chain(running.map(|rs| of_template(&rs.template))).collect();
    let asked = service.selector.iter().filter(|(key, _)| *key != keys::POD_HASH_LABEL);
    let stray = |(key, value): (&String, &String)| {
        let labels = revisions.iter().find(|labels| labels.get(key) != Some(value))?;
        Some(StrayLabel { key: key.clone(), asked: value.clone(), has: labels.get(key).cloned() })
    };
    asked.filter_map(stray).collect()
}

/// The names of the Ingresses in the Rollout.
fn stable_ingresses(scene: &Scene<'_>) -> Vec<String> {
    let canary = scene.rollout.spec.strategy.canary.as_ref();
    let routing = canary.and_then(|canary| canary.traffic_routing.as_ref());
    let nginx = routing.and_then(|routing| routing.nginx.as_ref());
    nginx
        .into_iter()
        .flat_map(|nginx| nginx.stable_ingress.iter().chain(&nginx.stable_ingresses))
        .cloned()
        .collect()
}

fn of_ingress(scene: &Scene<'_>, name: &str) -> Option<Cause> {
    let canary = scene.rollout.spec.strategy.canary.as_ref()?;
    let service = canary.stable_service.clone()?;
    let ingress = name.to_owned();
    let namespace = scene.rollout.metadata.namespace.as_deref().unwrap_or_default();
    match scene.snapshot.objects.get(ObjectKind::Ingress, namespace, name) {
        None => Some(Cause::NoIngress { ingress, port: service_port(scene, &service), service }),
        Some(found) if !uses_service(found, &service) => Some(Cause::StrayIngress { ingress, service }),
        Some(_) => None,
    }
}

/// A container port of the template; 80 if it has none.
fn pod_port(scene: &Scene<'_>) -> i64 {
    let containers = scene.rollout.spec.template.as_value().pointer("/spec/containers");
    let ports = containers.and_then(Value::as_array).into_iter().flatten();
    let mut ports = ports.filter_map(|container| container.pointer("/ports/0/containerPort")?.as_i64());
    ports.next().unwrap_or(80)
}

/// A port of the Service; 80 if it is unknown.
fn service_port(scene: &Scene<'_>, name: &str) -> i64 {
    let service = scene.picture.find(ObjectKind::Service, name);
    service.and_then(|service| service.pointer("/spec/ports/0/port")?.as_i64()).unwrap_or(80)
}

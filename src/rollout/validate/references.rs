//! The Services and Ingresses that a Rollout names, as they stand.
//!
//! Ingresses of other routers than nginx are not looked at: those routers are not built yet.

use std::collections::BTreeMap;

use serde_json::Value;

use super::SpecErrors;
use super::error::{Findings, Path};
use crate::api::routing::NginxRouting;
use crate::api::{CanaryStrategy, Rollout, keys};
use crate::rollout::snapshot::ServiceView;
use crate::traffic::nginx::uses_service;

/// Checks the Services and Ingresses that `rollout` names; `services` and `ingresses` are those of its namespace that
/// exist, by name.
///
/// What is found here heals without a change of the Rollout, when the object appears or is corrected.
pub fn validate_references(
    rollout: &Rollout,
    services: &BTreeMap<String, ServiceView>,
    ingresses: &BTreeMap<String, Value>,
) -> Result<(), SpecErrors> {
    let mut found = Findings::default();
    for (field, name) in service_fields(rollout) {
        check_service(rollout, name, services.get(name), &Path::new(field), &mut found);
    }
    if let Some(canary) = &rollout.spec.strategy.canary
        && let Some(nginx) = canary.traffic_routing.as_ref().and_then(|routing| routing.nginx.as_ref())
    {
        check_nginx(canary, nginx, ingresses, &mut found);
    }
    found.into_result()
}

/// Every field that names a Service, with the name, where it is set.
fn service_fields(rollout: &Rollout) -> Vec<(&'static str, &str)> {
    let strategy = &rollout.spec.strategy;
    let mut fields = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        fields.push(("spec.strategy.blueGreen.activeService", blue_green.active_service.as_str()));
        let preview = blue_green.preview_service.as_deref().unwrap_or_default();
        fields.push(("spec.strategy.blueGreen.previewService", preview));
    }
    if let Some(canary) = &strategy.canary {
        let canary_service = canary.canary_service.as_deref().unwrap_or_default();
        let stable_service = canary.stable_service.as_deref().unwrap_or_default();
        fields.push(("spec.strategy.canary.canaryService", canary_service));
        fields.push(("spec.strategy.canary.stableService", stable_service));
        if let Some(pair) = &canary.ping_pong {
            fields.push(("spec.strategy.canary.pingPong.pingService", &pair.ping_service));
            fields.push(("spec.strategy.canary.pingPong.pongService", &pair.pong_service));
        }
    }
    fields.retain(|(_, name)| !name.is_empty());
    fields
}

fn check_service(
    rollout: &Rollout,
    name: &str,
    service: Option<&ServiceView>,
    path: &Path,
    found: &mut Findings,
) {
    let Some(service) = service else {
        let problem = format!("service {name:?} not found");
        return found.invalid_but(path, name, problem, "create it in the Rollout's namespace");
    };
    let labels = rollout.spec.template.labels();
    let asked = service.selector.iter().filter(|(key, _)| *key != keys::POD_HASH_LABEL);
    for (key, value) in asked {
        let label = labels.get(key.as_str()).copied();
        if label != Some(value) {
            let has = label.map_or_else(|| "is not set".to_owned(), |label| format!("is {label:?}"));
            found.invalid_but(
                path,
                name,
                format!("the Service selects pods with {key}={value}, but that label of spec.template {has}"),
                "correct the selector or the label",
            );
        }
    }
    let own_name = rollout.metadata.name.as_deref().unwrap_or_default();
    if let Some(other) = service.managed_by.as_deref().filter(|manager| *manager != own_name) {
        found.invalid_but(
            path,
            name,
            format!("the Service is managed by another Rollout, {other:?}"),
            format!("use another Service, or remove its annotation {}", keys::MANAGED_BY_ROLLOUTS),
        );
    }
}

fn check_nginx(
    canary: &CanaryStrategy,
    nginx: &NginxRouting,
    ingresses: &BTreeMap<String, Value>,
    found: &mut Findings,
) {
    let path = Path::new("spec.strategy.canary.trafficRouting.nginx");
    let (single, list) = (path.field("stableIngress"), path.field("stableIngresses"));
    let service = canary.stable_service.as_deref().unwrap_or_default();
    match (&nginx.stable_ingress, nginx.stable_ingresses.as_slice()) {
        (None, []) => found.required(&single, "set either stableIngress or stableIngresses"),
        (Some(name), []) => check_ingress(name, service, ingresses, &single, found),
        (None, names) => {
            for (index, name) in names.iter().enumerate() {
                let path = list.index(index);
                if names[..index].contains(name) {
                    found.invalid_but(&path, name.as_str(), "is there twice", "name each Ingress once");
                } else {
                    check_ingress(name, service, ingresses, &path, found);
                }
            }
        }
        (Some(name), [_, ..]) => found.invalid_but(
            &single,
            name.as_str(),
            "must not be set together with stableIngresses",
            "move the name into stableIngresses",
        ),
    }
}

fn check_ingress(
    name: &str,
    service: &str,
    ingresses: &BTreeMap<String, Value>,
    path: &Path,
    found: &mut Findings,
) {
    match ingresses.get(name) {
        None => found.invalid_but(
            path,
            name,
            format!("ingress {name:?} not found"),
            "create it in the Rollout's namespace",
        ),
        Some(ingress) if !uses_service(ingress, service) => found.invalid_but(
            path,
            name,
            format!("ingress `{name}` has no rules using service {service} backend"),
            "point a path of it at the stableService",
        ),
        Some(_) => {}
    }
}

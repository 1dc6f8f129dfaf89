//! The Services and Ingresses that a Rollout names, as they stand.
//!
//! Ingresses of other routers than nginx are not looked at: those routers are not built yet.

use std::collections::BTreeMap;

use serde_json::Value;

use super::SpecErrors;
use super::error::{Findings, Path, Relation};
use crate::api::routing::NginxRouting;
use crate::api::{CanaryStrategy, Rollout, keys};
use crate::domain::object::Objects;
use crate::domain::plan::ObjectKind;
use crate::rollout::snapshot::{ReplicaSetView, ServiceView, Snapshot};
use crate::traffic::nginx::uses_service;

/// A revision that has available pods.
#[derive(Debug, Clone, Copy)]
pub struct Running<'a> {
    /// Name of its ReplicaSet.
    pub replica_set: &'a str,
    /// Its hash.
    pub hash: &'a str,
    /// The template of its ReplicaSet.
    pub template: &'a Value,
    /// Whether it is the stable one.
    pub is_stable: bool,
}

impl<'a> Running<'a> {
    /// A label of its pods.
    fn label(&self, key: &str) -> Option<&'a str> {
        self.template.pointer("/metadata/labels")?.get(key)?.as_str()
    }
}

/// The revisions of the Rollout that have available pods. Others have nobody to serve, and hold up nothing.
pub(super) fn running<'a>(snapshot: &'a Snapshot, stable: Option<&str>) -> Vec<Running<'a>> {
    let is_running = |rs: &&ReplicaSetView| rs.owned && rs.status.available > 0 && !rs.hash().is_empty();
    let running = snapshot.replica_sets.iter().filter(is_running);
    running
        .map(|rs| Running {
            replica_set: &rs.id.name,
            hash: rs.hash(),
            template: &rs.template,
            is_stable: stable == Some(rs.hash()),
        })
        .collect()
}

/// The revisions that a Service has to select at some time of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Serves {
    /// The new one.
    New,
    /// The new one, and the stable one before it and after an abort.
    NewAndStable,
    /// The same, and the one that the Service selects now: the users reach it.
    Users,
}

impl Serves {
    fn includes(self, revision: &Running<'_>, service: &ServiceView) -> bool {
        match self {
            Self::New => false,
            Self::NewAndStable => revision.is_stable,
            Self::Users => revision.is_stable || service.selected_hash() == Some(revision.hash),
        }
    }
}

/// Checks the Services and Ingresses that `rollout` names; `services` are those of its namespace that
/// exist, and `running` the revisions that it runs.
///
/// What is found here heals without a change of the Rollout, when the object appears or is corrected.
pub fn validate_references(
    rollout: &Rollout,
    running: &[Running<'_>],
    services: &BTreeMap<String, ServiceView>,
    objects: &Objects,
) -> Result<(), SpecErrors> {
    let mut found = Findings::default();
    for (field, name, serves) in service_fields(rollout) {
        let path = Path::new(field);
        let Some(service) = services.get(name) else {
            let problem = format!("service {name:?} not found");
            found.related(Relation::Missing, &path, name, problem, "create it in the Rollout's namespace");
            continue;
        };
        let served: Vec<_> = running.iter().filter(|one| serves.includes(one, service)).collect();
        check_service(rollout, service, &served, &path, &mut found);
    }
    if let Some(canary) = &rollout.spec.strategy.canary
        && let Some(nginx) = canary.traffic_routing.as_ref().and_then(|routing| routing.nginx.as_ref())
    {
        let namespace = rollout.metadata.namespace.as_deref().unwrap_or_default();
        check_nginx(canary, nginx, &Ingresses { objects, namespace }, &mut found);
    }
    found.into_result()
}

/// Every field that names a Service, with the name, where it is set.
fn service_fields(rollout: &Rollout) -> Vec<(&'static str, &str, Serves)> {
    let strategy = &rollout.spec.strategy;
    let mut fields = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        fields.push((
            "spec.strategy.blueGreen.activeService",
            blue_green.active_service.as_str(),
            Serves::Users,
        ));
        let preview = blue_green.preview_service.as_deref().unwrap_or_default();
        fields.push(("spec.strategy.blueGreen.previewService", preview, Serves::New));
    }
    if let Some(canary) = &strategy.canary {
        let canary_service = canary.canary_service.as_deref().unwrap_or_default();
        let stable_service = canary.stable_service.as_deref().unwrap_or_default();
        fields.push(("spec.strategy.canary.canaryService", canary_service, Serves::NewAndStable));
        fields.push(("spec.strategy.canary.stableService", stable_service, Serves::Users));
        if let Some(pair) = &canary.ping_pong {
            fields.push(("spec.strategy.canary.pingPong.pingService", &pair.ping_service, Serves::Users));
            fields.push(("spec.strategy.canary.pingPong.pongService", &pair.pong_service, Serves::Users));
        }
    }
    fields.retain(|(_, name, _)| !name.is_empty());
    fields
}

fn check_service(
    rollout: &Rollout,
    service: &ServiceView,
    served: &[&Running<'_>],
    path: &Path,
    found: &mut Findings,
) {
    let labels = rollout.spec.template.labels();
    let asked = service.selector.iter().filter(|(key, _)| *key != keys::POD_HASH_LABEL);
    for (key, value) in asked {
        check_label(&service.id.name, (key, value), labels.get(key.as_str()).copied(), served, path, found);
    }
    let own_name = rollout.metadata.name.as_deref().unwrap_or_default();
    if let Some(other) = service.managed_by.as_deref().filter(|manager| *manager != own_name) {
        found.related(
            Relation::Foreign,
            path,
            service.id.name.as_str(),
            format!("the Service is managed by another Rollout, {other:?}"),
            format!("use another Service, or remove its annotation {}", keys::MANAGED_BY_ROLLOUTS),
        );
    }
}

/// Checks that the pods of the new revision, which have the label `new`, and those of each revision that is served have
/// a label that the Service `name` asks for.
fn check_label(
    name: &str,
    (key, value): (&str, &str),
    new: Option<&str>,
    served: &[&Running<'_>],
    path: &Path,
    found: &mut Findings,
) {
    let has =
        |label: Option<&str>| label.map_or_else(|| "is not set".to_owned(), |label| format!("is {label:?}"));
    let changes =
        format!("remove {key} from the selector of the Service, because it changes with the version");
    if new != Some(value) {
        let is_right = served.iter().any(|one| one.label(key) == Some(value));
        let remedy = if is_right { changes } else { "correct the selector or the label".to_owned() };
        let has = has(new);
        let problem =
            format!("the Service selects pods with {key}={value}, but that label of spec.template {has}");
        return found.related(Relation::Label(key.to_owned()), path, name, problem, remedy);
    }
    if let Some(one) = served.iter().find(|one| one.label(key) != Some(value)) {
        let (has, replica_set) = (has(one.label(key)), one.replica_set);
        let problem = format!(
            "the Service selects pods with {key}={value}, but that label of the pods of ReplicaSet {replica_set:?} \
             {has}, so that it does not select the revision that serves until the update is promoted"
        );
        found.related(Relation::Label(key.to_owned()), path, name, problem, changes);
    }
}

/// The Ingresses of a namespace.
struct Ingresses<'a> {
    objects: &'a Objects,
    namespace: &'a str,
}

impl<'a> Ingresses<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.objects.get(ObjectKind::Ingress, self.namespace, name)
    }
}

fn check_nginx(
    canary: &CanaryStrategy,
    nginx: &NginxRouting,
    ingresses: &Ingresses<'_>,
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
                    found.invalid_but(&path, name.as_str(), "is a duplicate", "name each Ingress once");
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

fn check_ingress(name: &str, service: &str, ingresses: &Ingresses<'_>, path: &Path, found: &mut Findings) {
    match ingresses.get(name) {
        None => found.related(
            Relation::Missing,
            path,
            name,
            format!("ingress {name:?} not found"),
            "create it in the Rollout's namespace",
        ),
        Some(ingress) if !uses_service(ingress, service) => found.related(
            Relation::NoRule,
            path,
            name,
            format!("ingress `{name}` has no rules using service {service} backend"),
            "point a path of it at the stableService",
        ),
        Some(_) => {}
    }
}

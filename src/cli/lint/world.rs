//! The objects that Rollouts are checked against: those of the files, and with `--live` those of a cluster.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::ObjectName;
use crate::api::analysis::{AnalysisTemplateSpec, TemplateRef};
use crate::api::rollout::WorkloadRef;
use crate::api::{Rollout, decode, keys};
use crate::rollout::snapshot::{Identity, ServiceView, WorkloadView};
use crate::rollout::workload::WorkloadKind;

/// An autoscaler that sets the size of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Autoscaler {
    /// The Rollout that it scales.
    pub(super) target: String,
}

/// An object that Rollouts refer to.
#[derive(Debug, Clone)]
enum Known {
    Service(ServiceView),
    Ingress(Value),
    Template(AnalysisTemplateSpec),
    ClusterTemplate(AnalysisTemplateSpec),
    Workload(WorkloadView),
    Autoscaler(Autoscaler),
}

/// All objects that Rollouts may refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    known: Vec<(ObjectName, Known)>,
    /// Whether what is not here does not exist.
    pub(super) is_complete: bool,
}

impl World {
    /// Adds an object, if Rollouts may refer to its kind. One that cannot be read is left out.
    pub(super) fn add(&mut self, name: &ObjectName, object: &Value) {
        if let Some(known) = known(name, object) {
            self.known.push((name.clone(), known));
        }
    }

    /// Whether there is such an object.
    pub(super) fn has(&self, name: &ObjectName) -> bool {
        let namespace = name.namespace.as_deref();
        self.known
            .iter()
            .any(|(one, _)| one.kind == name.kind && one.name == name.name && is_in(one, namespace))
    }

    /// One of that namespace, or else one of which the namespace is not known.
    fn find<'w, T>(
        &'w self,
        namespace: Option<&str>,
        name: &str,
        pick: impl Fn(&'w Known) -> Option<&'w T>,
    ) -> Option<&'w T> {
        let named = || self.known.iter().filter(|(one, _)| one.name == name);
        let same = named().filter(|(one, _)| one.namespace.as_deref() == namespace);
        let open = named().filter(|(one, _)| is_in(one, namespace));
        same.chain(open).find_map(|(_, known)| pick(known))
    }

    /// The Services that `rollout` names, by name. Of those that are not known nothing bad is assumed.
    pub(super) fn services(&self, names: &[&str], namespace: Option<&str>) -> BTreeMap<String, ServiceView> {
        let view = |name: &str| {
            let found = self.find(namespace, name, |known| match known {
                Known::Service(view) => Some(view),
                _ => None,
            });
            found.cloned().or_else(|| (!self.is_complete).then(|| service(name, &Value::Null)))
        };
        names.iter().filter_map(|name| Some(((*name).to_owned(), view(name)?))).collect()
    }

    /// The Ingresses of these names, with a rule for `service` where they are not known.
    pub(super) fn ingresses(
        &self,
        names: &[&str],
        service: &str,
        namespace: Option<&str>,
    ) -> BTreeMap<String, Value> {
        let assumed = || {
            let backend = json!({"service": {"name": service}});
            json!({"spec": {"rules": [{"http": {"paths": [{"backend": backend}]}}]}})
        };
        let view = |name: &str| {
            let found = self.find(namespace, name, |known| match known {
                Known::Ingress(ingress) => Some(ingress),
                _ => None,
            });
            found.cloned().or_else(|| (!self.is_complete).then(assumed))
        };
        names.iter().filter_map(|name| Some(((*name).to_owned(), view(name)?))).collect()
    }

    /// The template that `reference` names.
    pub(super) fn template(
        &self,
        reference: &TemplateRef,
        namespace: Option<&str>,
    ) -> Option<&AnalysisTemplateSpec> {
        let name = reference.template_name.as_deref()?;
        if reference.cluster_scope == Some(true) {
            return self.find(None, name, |known| match known {
                Known::ClusterTemplate(template) => Some(template),
                _ => None,
            });
        }
        self.find(namespace, name, |known| match known {
            Known::Template(template) => Some(template),
            _ => None,
        })
    }

    /// The workload that `reference` names.
    pub(super) fn workload(&self, reference: &WorkloadRef, namespace: Option<&str>) -> Option<&WorkloadView> {
        let kind = WorkloadKind::of(reference)?;
        self.find(namespace, reference.name.as_deref()?, |known| match known {
            Known::Workload(workload) if workload.kind == kind => Some(workload),
            _ => None,
        })
    }

    /// The name of the autoscaler that sets the size of a Rollout.
    pub(super) fn autoscaler_of(&self, rollout: &str, namespace: Option<&str>) -> Option<&str> {
        let scales = |known: &Known| matches!(known, Known::Autoscaler(one) if one.target == rollout);
        let found = self.known.iter().find(|(name, known)| scales(known) && is_in(name, namespace));
        found.map(|(name, _)| name.name.as_str())
    }
}

fn is_in(name: &ObjectName, namespace: Option<&str>) -> bool {
    match (name.namespace.as_deref(), namespace) {
        (Some(own), Some(asked)) => own == asked,
        (None, _) | (_, None) => true,
    }
}

fn known(name: &ObjectName, object: &Value) -> Option<Known> {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let (group, _) = version.split_once('/').unwrap_or_default();
    Some(match (group, name.kind.as_str()) {
        ("", "Service") => Known::Service(service(&name.name, object)),
        ("networking.k8s.io" | "extensions", "Ingress") => Known::Ingress(as_v1(object.clone())),
        (keys::GROUP, keys::ANALYSIS_TEMPLATE) => Known::Template(decode(object["spec"].clone()).ok()?),
        (keys::GROUP, keys::CLUSTER_ANALYSIS_TEMPLATE) => {
            Known::ClusterTemplate(decode(object["spec"].clone()).ok()?)
        }
        ("autoscaling" | "keda.sh", "HorizontalPodAutoscaler" | "ScaledObject") => {
            let target = &object["spec"]["scaleTargetRef"];
            let is_rollout = target["kind"] == keys::ROLLOUT;
            is_rollout.then(|| target["name"].as_str()).flatten()?;
            Known::Autoscaler(Autoscaler { target: target["name"].as_str()?.to_owned() })
        }
        _ => Known::Workload(workload(version, name, object)?),
    })
}

/// What the controller reads of a Service.
fn service(name: &str, object: &Value) -> ServiceView {
    let texts = object["spec"]["selector"].as_object().into_iter().flatten();
    let texts = texts.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    let managed_by = object["metadata"]["annotations"][keys::MANAGED_BY_ROLLOUTS].as_str();
    ServiceView { id: identity(name), selector: texts.collect(), managed_by: managed_by.map(str::to_owned) }
}

fn identity(name: &str) -> Identity {
    Identity { name: name.to_owned(), uid: String::new(), resource_version: String::new() }
}

/// What the controller reads of a workload.
fn workload(version: &str, name: &ObjectName, object: &Value) -> Option<WorkloadView> {
    let reference = WorkloadRef {
        api_version: Some(version.to_owned()),
        kind: Some(name.kind.clone()),
        ..WorkloadRef::default()
    };
    let kind = WorkloadKind::of(&reference)?;
    let template = match kind {
        WorkloadKind::Deployment | WorkloadKind::ReplicaSet => &object["spec"]["template"],
        WorkloadKind::PodTemplate => &object["template"],
    };
    Some(WorkloadView {
        kind,
        id: identity(&name.name),
        generation: 0,
        template: decode(template.clone()).ok()?,
        selector: decode(object["spec"]["selector"].clone()).ok()?,
        replicas: decode::<Option<i32>>(object["spec"]["replicas"].clone()).ok()?.unwrap_or(1),
    })
}

/// An Ingress of an older version, with its backends where version 1 has them.
fn as_v1(mut ingress: Value) -> Value {
    for rule in ingress.pointer_mut("/spec/rules").and_then(Value::as_array_mut).into_iter().flatten() {
        let paths = rule.pointer_mut("/http/paths").and_then(Value::as_array_mut);
        for path in paths.into_iter().flatten() {
            if let Some(name) = path.pointer("/backend/serviceName").cloned() {
                path["backend"]["service"] = json!({"name": name});
            }
        }
    }
    ingress
}

/// The Services that `rollout` names.
pub(super) fn service_names(rollout: &Rollout) -> Vec<&str> {
    let strategy = &rollout.spec.strategy;
    let mut names = Vec::new();
    if let Some(blue_green) = &strategy.blue_green {
        names.push(blue_green.active_service.as_str());
        names.extend(blue_green.preview_service.as_deref());
    }
    if let Some(canary) = &strategy.canary {
        names.extend(
            [canary.canary_service.as_deref(), canary.stable_service.as_deref()].into_iter().flatten(),
        );
        let pair = canary.ping_pong.iter();
        names.extend(pair.flat_map(|pair| [pair.ping_service.as_str(), pair.pong_service.as_str()]));
    }
    names
}

/// The Ingresses that `rollout` names, and the Service that their rules must name.
pub(super) fn ingress_names(rollout: &Rollout) -> (Vec<&str>, &str) {
    let Some(canary) = &rollout.spec.strategy.canary else { return (Vec::new(), "") };
    let nginx = canary.traffic_routing.as_ref().and_then(|routing| routing.nginx.as_ref());
    let names = nginx.into_iter().flat_map(|nginx| {
        nginx.stable_ingress.as_deref().into_iter().chain(nginx.stable_ingresses.iter().map(String::as_str))
    });
    (names.collect(), canary.stable_service.as_deref().unwrap_or_default())
}

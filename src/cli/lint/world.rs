//! The objects that Rollouts are checked against: from the files, and with `--live` from a cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::finding::ObjectName;
use serin_core::api::analysis::{AnalysisTemplateSpec, TemplateRef};
use serin_core::api::rollout::WorkloadRef;
use serin_core::api::{Rollout, decode, keys};
use serin_core::domain::object::{ObjectRef, Objects};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::{Identity, ServiceView, WorkloadView};
use serin_core::rollout::workload::WorkloadKind;
use serin_machine::kinds;
use serin_machine::object::RawObject;

/// Objects of a kind.
type Named<T> = Vec<(ObjectName, T)>;

/// An autoscaler of a Rollout.
#[derive(Debug, Clone)]
pub(super) struct Autoscaler {
    /// Name of the Rollout.
    rollout: String,
    /// Its minimum number of pods.
    pub(super) least: i32,
}

/// The stable revision of a Rollout in the cluster.
#[derive(Debug, Clone)]
pub(super) struct Revision {
    pub(super) replica_set: String,
    pub(super) hash: String,
    pub(super) template: Value,
}

/// All objects that Rollouts may reference.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    services: Named<ServiceView>,
    ingresses: Named<Value>,
    templates: Named<AnalysisTemplateSpec>,
    cluster_templates: Named<AnalysisTemplateSpec>,
    workloads: Named<WorkloadView>,
    autoscalers: Named<Autoscaler>,
    /// Stable revisions in the cluster, with the names of their Rollouts.
    revisions: Named<Revision>,
    /// True if objects that are not in here do not exist.
    pub(super) is_complete: bool,
}

impl World {
    /// Adds an object if Rollouts may reference its kind. Ignores unreadable objects.
    pub(super) fn add(&mut self, name: &ObjectName, object: &Value) {
        let version = object["apiVersion"].as_str().unwrap_or_default();
        let (group, _) = version.split_once('/').unwrap_or_default();
        let template = || decode(object["spec"].clone()).ok().map(|spec| (name.clone(), spec));
        match (group, name.kind.as_str()) {
            ("", "Service") => self.services.push((name.clone(), service(&name.name, object))),
            ("networking.k8s.io" | "extensions", "Ingress") => {
                self.ingresses.push((name.clone(), as_v1(object.clone())));
            }
            (keys::GROUP, keys::ANALYSIS_TEMPLATE) => self.templates.extend(template()),
            (keys::GROUP, keys::CLUSTER_ANALYSIS_TEMPLATE) => self.cluster_templates.extend(template()),
            ("autoscaling" | "keda.sh", "HorizontalPodAutoscaler" | "ScaledObject") => {
                let target = &object["spec"]["scaleTargetRef"];
                let rollout = target["name"].as_str().filter(|_| target["kind"] == keys::ROLLOUT);
                // HorizontalPodAutoscalers have the first field, ScaledObjects the second.
                let least = ["minReplicas", "minReplicaCount"].map(|field| object["spec"][field].as_i64());
                let least = least.into_iter().flatten().next().and_then(|least| i32::try_from(least).ok());
                let least = least.unwrap_or(1);
                let autoscaler = rollout.map(|rollout| Autoscaler { rollout: rollout.to_owned(), least });
                self.autoscalers.extend(autoscaler.map(|autoscaler| (name.clone(), autoscaler)));
            }
            _ => {
                let workload = workload(version, name, object);
                self.workloads.extend(workload.map(|workload| (name.clone(), workload)));
            }
        }
    }

    /// True if the object is known.
    pub(super) fn has(&self, name: &ObjectName) -> bool {
        let is = |one: &ObjectName| {
            one.kind == name.kind && one.name == name.name && is_in(one, name.namespace.as_deref())
        };
        let services = self.services.iter().map(|(one, _)| one);
        let ingresses = self.ingresses.iter().map(|(one, _)| one);
        let templates = self.templates.iter().chain(&self.cluster_templates).map(|(one, _)| one);
        let workloads = self.workloads.iter().map(|(one, _)| one);
        services.chain(ingresses).chain(templates).chain(workloads).any(is)
    }

    /// The Services of these names, by name. Unknown ones get values that pass validation.
    pub(super) fn services(
        &self,
        names: &BTreeSet<String>,
        namespace: Option<&str>,
    ) -> BTreeMap<String, ServiceView> {
        let view = |name: &str| {
            let found = find(&self.services, namespace, name);
            found.cloned().or_else(|| (!self.is_complete).then(|| unknown_service(name)))
        };
        names.iter().filter_map(|name| Some((name.clone(), view(name)?))).collect()
    }

    /// The Ingresses of these names. Unknown ones get a rule for `service`.
    pub(super) fn ingresses(&self, names: &[&str], service: &str, namespace: Option<&str>) -> Objects {
        let assumed = || {
            let backend = json!({"service": {"name": service}});
            json!({"spec": {"rules": [{"http": {"paths": [{"backend": backend}]}}]}})
        };
        let view = |name: &str| {
            let found = find(&self.ingresses, namespace, name);
            found.cloned().or_else(|| (!self.is_complete).then(assumed))
        };
        let object = |name: &str| ObjectRef::new(ObjectKind::Ingress, namespace.unwrap_or_default(), name);
        names.iter().filter_map(|name| Some((object(name), view(name)?))).collect()
    }

    /// The template that `reference` names.
    pub(super) fn template(
        &self,
        reference: &TemplateRef,
        namespace: Option<&str>,
    ) -> Option<&AnalysisTemplateSpec> {
        let name = reference.template_name.as_deref()?;
        if reference.cluster_scope == Some(true) {
            return find(&self.cluster_templates, None, name);
        }
        find(&self.templates, namespace, name)
    }

    /// The workload that `reference` names.
    pub(super) fn workload(&self, reference: &WorkloadRef, namespace: Option<&str>) -> Option<&WorkloadView> {
        let kind = WorkloadKind::of(reference)?;
        let name = reference.name.as_deref()?;
        let named = self.workloads.iter().filter(|(one, _)| one.name == name && is_in(one, namespace));
        named.map(|(_, workload)| workload).find(|workload| workload.kind == kind)
    }

    /// Adds the stable revision of a Rollout.
    pub(super) fn serves(&mut self, rollout: ObjectName, revision: Revision) {
        self.revisions.push((rollout, revision));
    }

    /// The stable revisions of a Rollout.
    pub(super) fn serving<'w>(
        &'w self,
        rollout: &'w str,
        namespace: Option<&'w str>,
    ) -> impl Iterator<Item = &'w Revision> {
        let of = move |name: &ObjectName| name.name == rollout && name.namespace.as_deref() == namespace;
        self.revisions.iter().filter(move |(name, _)| of(name)).map(|(_, revision)| revision)
    }

    /// The autoscaler of a Rollout, and its name.
    pub(super) fn autoscaler_of(
        &self,
        rollout: &str,
        namespace: Option<&str>,
    ) -> Option<(&str, &Autoscaler)> {
        let mut all = self.autoscalers.iter();
        let found = all.find(|(name, autoscaler)| autoscaler.rollout == rollout && is_in(name, namespace));
        found.map(|(name, autoscaler)| (name.name.as_str(), autoscaler))
    }
}

/// The object of that namespace, otherwise one without a known namespace.
fn find<'w, T>(all: &'w Named<T>, namespace: Option<&str>, name: &str) -> Option<&'w T> {
    let named = || all.iter().filter(|(one, _)| one.name == name);
    let same = named().find(|(one, _)| one.namespace.as_deref() == namespace);
    same.or_else(|| named().find(|(one, _)| is_in(one, namespace))).map(|(_, found)| found)
}

fn is_in(name: &ObjectName, namespace: Option<&str>) -> bool {
    match (name.namespace.as_deref(), namespace) {
        (Some(own), Some(asked)) => own == asked,
        (None, _) | (_, None) => true,
    }
}

/// Reduces a Service to what the controller reads. An unreadable one is treated as unknown.
fn service(name: &str, object: &Value) -> ServiceView {
    let wire = decode::<RawObject>(object.clone()).ok();
    let entry = wire.map(|mut wire| (kinds::row(ObjectKind::Service).prune)(&mut wire));
    let view = entry.and_then(|entry| Some(entry.service()?.view(&entry.id)));
    view.unwrap_or_else(|| unknown_service(name))
}

/// A Service that passes validation.
fn unknown_service(name: &str) -> ServiceView {
    ServiceView { id: identity(name), selector: BTreeMap::new(), managed_by: None }
}

fn identity(name: &str) -> Identity {
    Identity { name: name.to_owned(), uid: String::new(), resource_version: String::new() }
}

/// Reduces a workload to what the controller reads.
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

/// Converts an Ingress of an older version, with its backends as in version 1.
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

/// The names of the Ingresses in `rollout`, and the Service that their rules must use.
pub(super) fn ingress_names(rollout: &Rollout) -> (Vec<&str>, &str) {
    let Some(canary) = &rollout.spec.strategy.canary else { return (Vec::new(), "") };
    let nginx = canary.traffic_routing.as_ref().and_then(|routing| routing.nginx.as_ref());
    let names = nginx.into_iter().flat_map(|nginx| {
        nginx.stable_ingress.as_deref().into_iter().chain(nginx.stable_ingresses.iter().map(String::as_str))
    });
    (names.collect(), canary.stable_service.as_deref().unwrap_or_default())
}

//! Reads the target cluster: the objects that Rollouts reference, and the permissions of the user.

use std::collections::BTreeSet;

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::{Api, DynamicObject, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::Value;

use super::check::Read;
use super::finding::{Finding, ObjectName, Remark};
use super::rules::{self, MISSING_RIGHT, MISSING_TEMPLATE, Subject};
use super::world::{Revision, World, ingress_names};
use crate::cli::client::Cluster;
use crate::cli::failure::Failure;
use serin_core::api::analysis::TemplateRef;
use serin_core::api::{Rollout, keys};
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::observed_keys;

/// The objects of files and cluster together.
pub(super) struct Live {
    pub(super) world: World,
    /// The default namespace of Rollouts.
    namespace: String,
    /// Missing permissions: verb and namespace.
    denied: BTreeSet<(&'static str, String)>,
}

/// An object that a Rollout references.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    api_version: String,
    kind: String,
    /// `None` for cluster-scoped objects.
    namespace: Option<String>,
    name: String,
}

impl Wanted {
    fn template(reference: &TemplateRef, namespace: Option<&str>) -> Option<Self> {
        let is_cluster = reference.cluster_scope == Some(true);
        let kind = if is_cluster { keys::CLUSTER_ANALYSIS_TEMPLATE } else { keys::ANALYSIS_TEMPLATE };
        Some(Self {
            api_version: keys::API_VERSION.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.filter(|_| !is_cluster).map(str::to_owned),
            name: reference.template_name.clone()?,
        })
    }

    fn object_name(&self) -> ObjectName {
        ObjectName { kind: self.kind.clone(), namespace: self.namespace.clone(), name: self.name.clone() }
    }
}

impl Live {
    /// Gets the objects that `rollouts` reference. Objects in `files` override those in the cluster, because they
    /// will be applied.
    pub(super) async fn look(
        cluster: &Cluster,
        rollouts: &[Read<'_>],
        files: &World,
    ) -> Result<Self, Failure> {
        let namespace = cluster.namespace.clone();
        let mut live = Self { world: files.clone(), namespace, denied: BTreeSet::new() };
        live.world.is_complete = true;
        let mut pending: BTreeSet<Wanted> =
            rollouts.iter().flat_map(|read| live.wanted(&read.rollout)).collect();
        let mut seen = BTreeSet::new();
        while let Some(wanted) = pending.pop_first() {
            if !seen.insert(wanted.clone()) {
                continue;
            }
            let name = wanted.object_name();
            if !live.world.has(&name)
                && let Some(object) = fetch(cluster, &wanted).await?
            {
                live.world.add(&name, &object);
            }
            pending.extend(live.inner_templates(&wanted));
        }
        for read in rollouts {
            let name = &read.object.name;
            if let Some(stable) =
                stable_revision(cluster, &name.name, &live.namespace_of(&read.rollout)).await
            {
                live.world.serves(name.clone(), stable);
            }
        }
        let namespaces: BTreeSet<String> =
            rollouts.iter().map(|read| live.namespace_of(&read.rollout)).collect();
        for namespace in namespaces {
            for verb in ["create", "patch"] {
                if !may(cluster, verb, &namespace).await? {
                    live.denied.insert((verb, namespace.clone()));
                }
            }
        }
        Ok(live)
    }

    fn namespace_of(&self, rollout: &Rollout) -> String {
        rollout.metadata.namespace.clone().unwrap_or_else(|| self.namespace.clone())
    }

    fn wanted(&self, rollout: &Rollout) -> Vec<Wanted> {
        let namespace = self.namespace_of(rollout);
        let want = |api_version: &str, kind: &str, name: &str| Wanted {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: Some(namespace.clone()),
            name: name.to_owned(),
        };
        let mut all: Vec<Wanted> = observed_keys(rollout)
            .of_kind(ObjectKind::Service)
            .map(|key| want("v1", "Service", &key.name))
            .collect();
        let (ingresses, _) = ingress_names(rollout);
        all.extend(ingresses.into_iter().map(|name| want("networking.k8s.io/v1", "Ingress", name)));
        let subject = Subject { rollout, world: &self.world };
        let runs = rules::runs(&subject);
        let templates = runs.iter().flat_map(|run| run.templates);
        let templates = templates.filter_map(|reference| Wanted::template(reference, Some(&namespace)));
        all.extend(templates);
        all.extend(rollout.spec.workload_ref.iter().filter_map(|reference| {
            Some(want(
                reference.api_version.as_deref()?,
                reference.kind.as_deref()?,
                reference.name.as_deref()?,
            ))
        }));
        all.retain(|wanted| !wanted.name.is_empty());
        all
    }

    /// The templates that a template references.
    fn inner_templates(&self, wanted: &Wanted) -> Vec<Wanted> {
        let is_cluster = wanted.kind == keys::CLUSTER_ANALYSIS_TEMPLATE;
        if !is_cluster && wanted.kind != keys::ANALYSIS_TEMPLATE {
            return Vec::new();
        }
        let reference =
            TemplateRef { template_name: Some(wanted.name.clone()), cluster_scope: Some(is_cluster) };
        let template = self.world.template(&reference, wanted.namespace.as_deref());
        let inner = template.into_iter().flat_map(|template| &template.templates);
        inner.filter_map(|inner| Wanted::template(inner, wanted.namespace.as_deref())).collect()
    }

    /// Findings that need the cluster.
    pub(super) fn judge(&self, read: &Read<'_>) -> Vec<Finding> {
        let subject = Subject { rollout: &read.rollout, world: &self.world };
        let mut found = Vec::new();
        for run in rules::runs(&subject) {
            for (index, reference) in run.templates.iter().enumerate() {
                let Some(name) = reference.template_name.as_deref() else { continue };
                if self.world.template(reference, read.rollout.metadata.namespace.as_deref()).is_none() {
                    let field = format!("{}.templates[{index}].templateName", run.path);
                    let scope = if reference.cluster_scope == Some(true) {
                        "ClusterAnalysisTemplate"
                    } else {
                        "AnalysisTemplate"
                    };
                    let problem = format!("{scope} {name:?} not found");
                    found.push((&MISSING_TEMPLATE, Remark::new(field, name, problem, "create it")));
                }
            }
        }
        let namespace = self.namespace_of(&read.rollout);
        let denied = self.denied.iter().filter(|(_, at)| *at == namespace);
        found.extend(denied.map(|(verb, at)| {
            let problem = format!("permission denied: the user cannot {verb} Rollouts in namespace {at:?}");
            (&MISSING_RIGHT, Remark::whole(problem))
        }));
        found.into_iter().map(|remark| read.object.finding(remark)).collect()
    }
}

/// Gets a stored object; `None` if the object or its kind does not exist.
async fn fetch(cluster: &Cluster, wanted: &Wanted) -> Result<Option<Value>, Failure> {
    let (group, version) = wanted.api_version.split_once('/').unwrap_or(("", &wanted.api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &wanted.kind));
    let client = cluster.client.clone();
    let objects: Api<DynamicObject> = match &wanted.namespace {
        Some(namespace) => Api::namespaced_with(client, namespace, &resource),
        None => Api::all_with(client, &resource),
    };
    let request = async {
        match objects.get_opt(&wanted.name).await {
            Err(error) if Failure::is_unknown_kind(&error) => Ok(None),
            answer => answer,
        }
    };
    let Some(object) = cluster.ask(request).await? else { return Ok(None) };
    let mut value = serde_json::to_value(object).map_err(|error| Failure::Failed(error.to_string()))?;
    value["apiVersion"] = wanted.api_version.as_str().into();
    value["kind"] = wanted.kind.as_str().into();
    Ok(Some(value))
}

/// The stable revision of a Rollout, if it has available pods. `None` if the user must not read it.
async fn stable_revision(cluster: &Cluster, rollout: &str, namespace: &str) -> Option<Revision> {
    let wanted = |api_version: &str, kind: &str, name: &str| Wanted {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
    };
    let live = fetch(cluster, &wanted(keys::API_VERSION, keys::ROLLOUT, rollout)).await.ok().flatten()?;
    let hash = live["status"]["stableRS"].as_str()?;
    let replica_set = format!("{rollout}-{hash}");
    let mut found = fetch(cluster, &wanted("apps/v1", "ReplicaSet", &replica_set)).await.ok().flatten()?;
    let is_available = found["status"]["availableReplicas"].as_i64().is_some_and(|pods| pods > 0);
    let template = found["spec"]["template"].take();
    is_available.then(|| Revision { replica_set, hash: hash.to_owned(), template })
}

async fn may(cluster: &Cluster, verb: &str, namespace: &str) -> Result<bool, Failure> {
    let attributes = ResourceAttributes {
        group: Some(keys::GROUP.to_owned()),
        resource: Some("rollouts".to_owned()),
        verb: Some(verb.to_owned()),
        namespace: Some(namespace.to_owned()),
        ..ResourceAttributes::default()
    };
    let spec = SelfSubjectAccessReviewSpec { resource_attributes: Some(attributes), ..Default::default() };
    let review = SelfSubjectAccessReview { spec, ..Default::default() };
    let reviews: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let answer = cluster.ask(reviews.create(&PostParams::default(), &review)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

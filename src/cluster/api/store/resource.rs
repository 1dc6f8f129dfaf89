//! Which resources there are: the built-in ones, and those that custom resource definitions add.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::object::{at, items, text};

/// When `metadata.generation` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Never: the kind has no generation.
    Never,
    /// When `spec` changes.
    Spec,
    /// When `spec` or the annotations change (Deployments).
    SpecAndAnnotations,
    /// When anything but the metadata changes, or the labels do (EndpointSlices).
    ContentAndLabels,
    /// When anything but the metadata changes, and, where status is a subresource, but the status (custom resources).
    Content,
}

/// Where a custom resource keeps its scale: paths like `.spec.replicas`, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePaths {
    /// Of the desired number.
    pub spec: Vec<String>,
    /// Of the observed number.
    pub status: Vec<String>,
    /// Of the selector as text; none where there is no selector.
    pub selector: Option<Vec<String>>,
}

/// How writes to a kind differ from the common way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Habits {
    /// A PUT of what does not exist makes it.
    pub create_on_update: bool,
    /// A PUT has to say the resourceVersion.
    pub needs_version: bool,
}

/// A resource in one of its versions.
#[derive(Debug, Clone)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: String,
    /// Version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// Plural name, which is in the URL.
    pub plural: String,
    /// Kind of a list.
    pub list_kind: String,
    /// Whether objects are in namespaces.
    pub namespaced: bool,
    /// Whether `status` is a subresource.
    pub status: bool,
    /// Whether there is a `scale` subresource, and where it is kept.
    pub scale: Option<ScalePaths>,
    /// When the generation counts.
    pub generation: Generation,
    /// How writes differ.
    pub habits: Habits,
    /// For resources of a definition: the name of the definition and the version's part of it.
    pub custom: Option<Arc<Custom>>,
    /// The resource that objects are stored as; differs for `events.k8s.io`, a view of core events.
    pub stored: (String, String),
}

/// What a definition says of one version.
#[derive(Debug)]
pub struct Custom {
    /// Name of the definition, `PLURAL.GROUP`.
    pub definition: String,
    /// The element of `spec.versions`.
    pub version: Value,
}

impl Resource {
    /// `apps/v1`, or `v1` of the core group.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// `replicasets.apps`, or `pods` of the core group: as messages name a resource.
    #[must_use]
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `ReplicaSet.apps`, or `Pod` of the core group: as messages name a kind.
    #[must_use]
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() { self.kind.clone() } else { format!("{}.{}", self.kind, self.group) }
    }

    /// Whether it is this built-in resource.
    #[must_use]
    pub fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }
}

/// All resources, by group, version and plural name.
#[derive(Debug)]
pub(crate) struct Registry {
    resources: BTreeMap<(String, String, String), Arc<Resource>>,
}

impl Registry {
    pub(crate) fn built_in() -> Self {
        let resources = BUILT_IN.iter().map(Row::resource);
        Self { resources: resources.map(|resource| (id(&resource), Arc::new(resource))).collect() }
    }

    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.resources.get(&(group.to_owned(), version.to_owned(), plural.to_owned())).cloned()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.values()
    }

    /// Takes in what a definition says; what an earlier form of it said is forgotten.
    pub(crate) fn define(&mut self, definition: &Value) {
        self.forget(super::object::name(definition));
        for resource in defined(definition) {
            self.resources.insert(id(&resource), Arc::new(resource));
        }
    }

    /// Forgets the resources of a definition.
    pub(crate) fn forget(&mut self, definition: &str) {
        self.resources.retain(|_, resource| {
            resource.custom.as_ref().is_none_or(|custom| custom.definition != definition)
        });
    }
}

fn id(resource: &Resource) -> (String, String, String) {
    (resource.group.clone(), resource.version.clone(), resource.plural.clone())
}

/// The resources of a definition: one for each version that is served.
fn defined(definition: &Value) -> Vec<Resource> {
    let spec = at(definition, &["spec"]);
    let (group, plural) = (text(spec, &["group"]), text(spec, &["names", "plural"]));
    let kind = text(spec, &["names", "kind"]);
    let list_kind = match text(spec, &["names", "listKind"]) {
        "" => format!("{kind}List"),
        given => given.to_owned(),
    };
    let served = items(spec, &["versions"]).iter().filter(|version| version["served"] == true);
    served
        .map(|version| Resource {
            group: group.to_owned(),
            version: text(version, &["name"]).to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            list_kind: list_kind.clone(),
            namespaced: text(spec, &["scope"]) == "Namespaced",
            status: !at(version, &["subresources", "status"]).is_null(),
            scale: scale_paths(at(version, &["subresources", "scale"])),
            generation: Generation::Content,
            habits: Habits { create_on_update: false, needs_version: true },
            custom: Some(Arc::new(Custom {
                definition: super::object::name(definition).to_owned(),
                version: version.clone(),
            })),
            stored: (group.to_owned(), plural.to_owned()),
        })
        .collect()
}

fn scale_paths(scale: &Value) -> Option<ScalePaths> {
    let path = |name: &str| {
        let path = text(scale, &[name]);
        (!path.is_empty()).then(|| path.split('.').skip(1).map(str::to_owned).collect::<Vec<_>>())
    };
    Some(ScalePaths {
        spec: path("specReplicasPath")?,
        status: path("statusReplicasPath")?,
        selector: path("labelSelectorPath"),
    })
}

/// A built-in resource.
struct Row {
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    plural: &'static str,
    namespaced: bool,
    status: bool,
    generation: Generation,
}

const fn row(api: (&'static str, &'static str), kind: &'static str, plural: &'static str) -> Row {
    let (group, version) = api;
    Row { group, version, kind, plural, namespaced: true, status: false, generation: Generation::Never }
}

impl Row {
    const fn cluster(mut self) -> Self {
        self.namespaced = false;
        self
    }

    const fn status(mut self) -> Self {
        self.status = true;
        self
    }

    const fn counts(mut self, generation: Generation) -> Self {
        self.generation = generation;
        self
    }

    fn resource(&self) -> Resource {
        let scaled = matches!((self.group, self.plural), ("apps", "replicasets" | "deployments"));
        let replicas = |half: &str| vec![half.to_owned(), "replicas".to_owned()];
        let made_by_update = ["events", "services", "endpoints", "leases"].contains(&self.plural);
        let stored = if self.plural == "events" { "" } else { self.group };
        Resource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            kind: self.kind.to_owned(),
            plural: self.plural.to_owned(),
            list_kind: format!("{}List", self.kind),
            namespaced: self.namespaced,
            status: self.status,
            scale: scaled.then(|| ScalePaths {
                spec: replicas("spec"),
                status: replicas("status"),
                selector: None,
            }),
            generation: self.generation,
            habits: Habits {
                create_on_update: made_by_update,
                needs_version: ["leases", "poddisruptionbudgets"].contains(&self.plural),
            },
            custom: None,
            stored: (stored.to_owned(), self.plural.to_owned()),
        }
    }
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const NETWORKING: (&str, &str) = ("networking.k8s.io", "v1");

const BUILT_IN: &[Row] = &[
    row(CORE, "Namespace", "namespaces").cluster().status(),
    row(CORE, "Node", "nodes").cluster().status(),
    row(CORE, "Pod", "pods").status().counts(Generation::Spec),
    row(CORE, "Service", "services").status(),
    row(CORE, "Endpoints", "endpoints"),
    row(CORE, "ConfigMap", "configmaps"),
    row(CORE, "Secret", "secrets"),
    row(CORE, "ServiceAccount", "serviceaccounts"),
    row(CORE, "Event", "events"),
    row(("events.k8s.io", "v1"), "Event", "events"),
    row(APPS, "ReplicaSet", "replicasets").status().counts(Generation::Spec),
    row(APPS, "Deployment", "deployments").status().counts(Generation::SpecAndAnnotations),
    row(("batch", "v1"), "Job", "jobs").status().counts(Generation::Spec),
    row(NETWORKING, "Ingress", "ingresses").status().counts(Generation::Spec),
    row(NETWORKING, "IngressClass", "ingressclasses").cluster().counts(Generation::Spec),
    row(("discovery.k8s.io", "v1"), "EndpointSlice", "endpointslices").counts(Generation::ContentAndLabels),
    row(("coordination.k8s.io", "v1"), "Lease", "leases"),
    row(("policy", "v1"), "PodDisruptionBudget", "poddisruptionbudgets").status().counts(Generation::Spec),
    row(("autoscaling", "v2"), "HorizontalPodAutoscaler", "horizontalpodautoscalers").status(),
    row(("apiextensions.k8s.io", "v1"), "CustomResourceDefinition", "customresourcedefinitions")
        .cluster()
        .status()
        .counts(Generation::Spec),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_definition_adds_its_served_versions_and_takes_them_away() {
        let mut registry = Registry::built_in();
        let version = |name: &str, served: bool| {
            json!({"name": name, "served": served, "subresources": {"status": {},
                "scale": {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                          "labelSelectorPath": ".status.selector"}}})
        };
        registry.define(&json!({"metadata": {"name": "boxes.example.com"}, "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"plural": "boxes", "kind": "Box"},
            "versions": [version("v1", true), version("v2", false)]}}));
        let found = registry.find("example.com", "v1", "boxes").expect("it is served");
        assert_eq!(found.list_kind, "BoxList");
        assert_eq!(found.api_version(), "example.com/v1");
        assert!(found.status && found.namespaced);
        let scale = found.scale.as_ref().expect("it has a scale");
        assert_eq!(scale.spec, ["spec", "replicas"]);
        assert_eq!(scale.selector.as_deref(), Some(&["status".to_owned(), "selector".to_owned()][..]));
        assert!(registry.find("example.com", "v2", "boxes").is_none());
        registry.forget("boxes.example.com");
        assert!(registry.find("example.com", "v1", "boxes").is_none());
    }

    #[test]
    fn core_names_have_no_group() {
        let registry = Registry::built_in();
        let pods = registry.find("", "v1", "pods").expect("pods");
        let sets = registry.find("apps", "v1", "replicasets").expect("sets");
        assert_eq!((pods.api_version(), pods.qualified()), ("v1".to_owned(), "pods".to_owned()));
        assert_eq!(sets.qualified(), "replicasets.apps");
        assert_eq!(sets.qualified_kind(), "ReplicaSet.apps");
    }
}

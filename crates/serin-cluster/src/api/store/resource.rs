//! Which resources there are: the built-in ones, and those that custom resource definitions add.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::super::kinds::{self, GenerationRule, Kind};
use super::super::schema::Schema;
use super::object::{items, text};

/// When `metadata.generation` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// Never: the kind has no generation.
    Never,
    /// When `spec` changes.
    Spec,
    /// When `spec` or the annotations change (Deployments).
    SpecAndAnnotations,
    /// When anything but the metadata changes, or the labels do (`EndpointSlice`).
    ContentAndLabels,
    /// When anything but the metadata changes, and, where status is a subresource, but the status (custom resources, pod
    /// templates).
    Content,
}

impl Generation {
    const fn of(rule: GenerationRule) -> Self {
        match rule {
            GenerationRule::Never => Self::Never,
            GenerationRule::Spec => Self::Spec,
            GenerationRule::ExceptMetadata | GenerationRule::ExceptMetadataAndStatus => Self::Content,
            GenerationRule::ExceptServerMetadata => Self::ContentAndLabels,
        }
    }
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
    /// Group and plural name that objects are stored under; differs for `events.k8s.io`, a view of core events.
    pub stored: (String, String),
    /// `apiVersion` of the stored objects.
    pub stored_version: String,
    /// The kind as discovery shows it, with its verbs and subresources.
    pub entry: Arc<Kind>,
}

/// What a definition says of one version.
#[derive(Debug)]
pub struct Custom {
    /// Name of the definition, `PLURAL.GROUP`.
    pub definition: String,
    /// The paths of its `selectableFields`, without the dot in front.
    pub selectable: Vec<String>,
    /// Its schema; none where it has none that compiles.
    pub schema: Option<Arc<Schema>>,
}

impl Resource {
    /// What all kinds have in common.
    fn of(kind: &Kind) -> Self {
        Self {
            group: kind.group.clone(),
            version: kind.version.clone(),
            kind: kind.kind.clone(),
            plural: kind.plural.clone(),
            list_kind: kind.list_kind.clone(),
            namespaced: kind.namespaced,
            status: kind.subresource("status").is_some(),
            scale: None,
            generation: Generation::of(kind.generation),
            habits: Habits::default(),
            custom: None,
            stored: (kind.group.clone(), kind.plural.clone()),
            stored_version: kind.api_version(),
            entry: Arc::new(kind.clone()),
        }
    }

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
#[derive(Debug, Clone)]
pub(crate) struct Registry {
    resources: BTreeMap<(String, String, String), Arc<Resource>>,
}

impl Registry {
    pub(crate) fn built_in() -> Self {
        let resources = kinds::built_in().iter().map(built_in);
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

/// What the store does with a kind beyond its table: where it is stored, and how writes differ.
fn built_in(kind: &Kind) -> Resource {
    let at = (kind.group.as_str(), kind.plural.as_str());
    let replicas = |half: &str| vec![half.to_owned(), "replicas".to_owned()];
    let scaled = kind.subresource("scale").is_some();
    // Events of both groups, and both versions of autoscalers, are the same objects.
    let (group, version) = match at {
        ("events.k8s.io", "events") => ("", "v1"),
        ("autoscaling", "horizontalpodautoscalers") => ("autoscaling", "v2"),
        _ => (kind.group.as_str(), kind.version.as_str()),
    };
    let stored_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    Resource {
        scale: scaled.then(|| ScalePaths {
            spec: replicas("spec"),
            status: replicas("status"),
            selector: None,
        }),
        generation: if at == ("apps", "deployments") {
            Generation::SpecAndAnnotations
        } else {
            Generation::of(kind.generation)
        },
        habits: Habits {
            create_on_update: matches!(at.1, "events" | "services" | "endpoints" | "leases"),
            needs_version: matches!(at.1, "leases" | "poddisruptionbudgets"),
        },
        custom: None,
        stored: (group.to_owned(), kind.plural.clone()),
        stored_version,
        ..Resource::of(kind)
    }
}

fn selectable(version: &Value) -> Vec<String> {
    let fields = items(version, &["selectableFields"]).iter();
    fields.map(|field| text(field, &["jsonPath"]).trim_start_matches('.').to_owned()).collect()
}

/// The resources of a definition: one for each version that is served.
fn defined(definition: &Value) -> Vec<Resource> {
    let group = text(definition, &["spec", "group"]);
    let versions = items(definition, &["spec", "versions"]);
    let of_storage = versions.iter().find(|version| version["storage"] == true);
    let kinds = Kind::from_definition(definition);
    kinds
        .iter()
        .map(|kind| {
            let version = versions.iter().find(|version| version["name"] == kind.version.as_str());
            let stored = of_storage.map_or(kind.version.as_str(), |version| text(version, &["name"]));
            Resource {
                scale: kind.scale.as_ref().map(ScalePaths::of),
                habits: Habits { create_on_update: false, needs_version: true },
                custom: Some(Arc::new(Custom {
                    definition: super::object::name(definition).to_owned(),
                    schema: version.and_then(compiled).map(Arc::new),
                    selectable: version.map(selectable).unwrap_or_default(),
                })),
                stored_version: format!("{group}/{stored}"),
                ..Resource::of(kind)
            }
        })
        .collect()
}

fn compiled(version: &Value) -> Option<Schema> {
    let schema = version.get("schema")?.get("openAPIV3Schema")?;
    Schema::compile(schema, "").ok()
}

impl ScalePaths {
    fn of(paths: &kinds::ScalePaths) -> Self {
        let steps = |path: &str| path.split('.').skip(1).map(str::to_owned).collect::<Vec<_>>();
        Self {
            spec: steps(&paths.spec),
            status: steps(&paths.status),
            selector: paths.selector.as_deref().map(steps),
        }
    }
}

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

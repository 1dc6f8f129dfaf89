//! One kind of objects, built-in or defined.

use serde_json::Value;
use serin_kubernetes::types;

/// The verbs of an ordinary built-in kind, as discovery lists them.
pub const ALL_VERBS: [&str; 8] =
    ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

/// The verbs of a custom resource, in the order that discovery lists them.
const CUSTOM_VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];

/// The verbs of `status` and `scale`.
pub(super) const PART_VERBS: [&str; 3] = ["get", "patch", "update"];

/// What makes `metadata.generation` grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GenerationRule {
    /// The kind has no generation.
    Never,
    /// A change of `spec`.
    Spec,
    /// A change of anything but `metadata`: pod templates, and custom resources without a status subresource.
    ExceptMetadata,
    /// A change of anything but `metadata` and `status`: custom resources with a status subresource.
    ExceptMetadataAndStatus,
    /// A change of anything but what the server itself keeps in `metadata`: labels and annotations count.
    ExceptServerMetadata,
}

/// A part of a resource with a URL of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subresource {
    /// E.g. `status`.
    pub name: String,
    /// Group of what is sent and received; empty for the core group.
    pub group: String,
    /// Version of what is sent and received.
    pub version: String,
    /// Kind of what is sent and received.
    pub kind: String,
    /// What can be done, as discovery lists it.
    pub verbs: Vec<String>,
}

impl Subresource {
    pub(super) fn new([group, version, kind]: [&str; 3], name: &str, verbs: &[&str]) -> Self {
        let [group, version, kind, name] = [group, version, kind, name].map(str::to_owned);
        Self { name, group, version, kind, verbs: owned(verbs) }
    }

    pub(super) fn scale() -> Self {
        Self::new(["autoscaling", "v1", "Scale"], "scale", &PART_VERBS)
    }
}

/// Where the scale subresource of a custom resource finds its numbers: JSON paths such as `.spec.replicas`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScalePaths {
    /// Wanted replicas.
    pub spec: String,
    /// Actual replicas.
    pub status: String,
    /// The selector in text form, if it has one.
    pub selector: Option<String>,
}

/// One kind in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    /// API group, empty for the core group.
    pub group: String,
    /// API version, e.g. `v1`.
    pub version: String,
    /// E.g. `ReplicaSet`.
    pub kind: String,
    /// E.g. `ReplicaSetList`.
    pub list_kind: String,
    /// Name in URLs, e.g. `replicasets`.
    pub plural: String,
    /// Name for people who mean one, e.g. `replicaset`.
    pub singular: String,
    /// E.g. `rs`.
    pub short_names: Vec<String>,
    /// Groups of kinds that people ask for at once, e.g. `all`.
    pub categories: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What can be done, as discovery lists it; reviews can only be created, and are not kept.
    pub verbs: Vec<String>,
    /// Its parts with URLs of their own.
    pub subresources: Vec<Subresource>,
    /// What makes its generation grow.
    pub generation: GenerationRule,
    /// Name of the definition that it comes from; none for built-in kinds.
    pub definition: Option<String>,
    /// Where its scale subresource reads and writes; custom resources only.
    pub scale: Option<ScalePaths>,
}

impl Kind {
    /// `v1`, `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            return self.version.clone();
        }
        format!("{}/{}", self.group, self.version)
    }

    /// Whether `verb` is one of its verbs, e.g. `deletecollection`.
    #[must_use]
    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|own| own == verb)
    }

    /// Whether its objects are kept: reviews are answered and forgotten.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.allows("get")
    }

    /// The part of that name.
    #[must_use]
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|part| part.name == name)
    }

    /// Name of its type in OpenAPI documents, e.g. `io.k8s.api.core.v1.Pod`.
    #[must_use]
    pub fn type_name(&self) -> String {
        let Self { group, version, kind, .. } = self;
        if self.definition.is_some() {
            let reversed: Vec<&str> = group.rsplit('.').collect();
            return format!("{}.{version}.{kind}", reversed.join("."));
        }
        match group.split('.').next() {
            Some("apiextensions") => {
                format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.{version}.{kind}")
            }
            Some("") | None => format!("io.k8s.api.core.{version}.{kind}"),
            Some("rbac") => format!("io.k8s.api.rbac.{version}.{kind}"),
            Some(package) => format!("io.k8s.api.{package}.{version}.{kind}"),
        }
    }

    /// Name of its type in the table of [`types`], e.g. `core/v1.Pod`; custom resources have none there.
    #[must_use]
    pub fn table_name(&self) -> String {
        types::name(&self.group, &self.version, &self.kind)
    }

    /// The kinds that a `CustomResourceDefinition` (as JSON) adds: one for each version that is served, newest first by
    /// the rules of Kubernetes' version priority. Fields that are not there are taken as empty.
    #[must_use]
    pub fn from_definition(definition: &Value) -> Vec<Self> {
        let versions = definition["spec"]["versions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let served = versions.iter().filter(|version| version["served"] == true);
        let mut kinds: Vec<Self> = served.map(|version| Self::custom(definition, version)).collect();
        kinds.sort_by_key(|kind| std::cmp::Reverse(priority(&kind.version)));
        kinds
    }

    fn custom(definition: &Value, version: &Value) -> Self {
        let spec = &definition["spec"];
        // What was accepted has its names in the status; without a status, what was asked for.
        let accepted = &definition["status"]["acceptedNames"];
        let names = if accepted["plural"].is_string() { accepted } else { &spec["names"] };
        let kind = text(&names["kind"]);
        let [group, name] = [text(&spec["group"]), text(&version["name"])];
        let parts = &version["subresources"];
        let mut subresources = Vec::new();
        if !parts["status"].is_null() {
            subresources.push(Subresource::new([&group, &name, &kind], "status", &PART_VERBS));
        }
        if !parts["scale"].is_null() {
            subresources.push(Subresource::scale());
        }
        let generation = if parts["status"].is_null() {
            GenerationRule::ExceptMetadata
        } else {
            GenerationRule::ExceptMetadataAndStatus
        };
        let or = |value: &Value, fallback: String| value.as_str().map_or(fallback, str::to_owned);
        Self {
            group,
            version: name,
            list_kind: or(&names["listKind"], format!("{kind}List")),
            plural: text(&names["plural"]),
            singular: or(&names["singular"], kind.to_lowercase()),
            kind,
            short_names: texts(&names["shortNames"]),
            categories: texts(&names["categories"]),
            namespaced: spec["scope"] == "Namespaced",
            verbs: owned(&CUSTOM_VERBS),
            subresources,
            generation,
            definition: Some(text(&definition["metadata"]["name"])),
            scale: scale_paths(&parts["scale"]),
        }
    }
}

/// Order of versions: stable before beta before alpha before anything else, and higher numbers first.
pub(in crate::api) fn priority(version: &str) -> (u8, u32, u32) {
    let parse = || {
        let rest = version.strip_prefix('v')?;
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (major, rest) = rest.split_at(digits);
        let (stability, minor) = match (rest, rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            ("", _, _) => (3, "0"),
            (_, Some(minor), _) => (2, minor),
            (_, _, Some(minor)) => (1, minor),
            _ => return None,
        };
        Some((stability, major.parse().ok()?, minor.parse().ok()?))
    };
    parse().unwrap_or_default()
}

fn scale_paths(scale: &Value) -> Option<ScalePaths> {
    Some(ScalePaths {
        spec: scale["specReplicasPath"].as_str()?.to_owned(),
        status: scale["statusReplicasPath"].as_str()?.to_owned(),
        selector: scale["labelSelectorPath"].as_str().map(str::to_owned),
    })
}

pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

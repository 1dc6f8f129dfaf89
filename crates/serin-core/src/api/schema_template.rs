//! What the definitions say about pod templates and job specs.
//!
//! The schema comes from the Kubernetes types of k8s-openapi, which know neither defaults nor list types; both are in
//! tables here. They matter: a default becomes part of the stored template and so of its hash, and the keys of a
//! list decide how `kubectl apply` merges it. Fields that the types do not know are kept.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

/// Marks the place of a pod template or job spec in what schemars says.
pub(super) const EMBED: &str = "x-embed";
/// The value of [`EMBED`] in the place of a job spec.
pub(super) const JOB_SPEC: &str = "JobSpec";
/// The value of [`EMBED`] in the place of a pod template.
const POD_TEMPLATE: &str = "PodTemplateSpec";

/// Marks an object whose unknown fields are kept.
pub(super) const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
/// Says who owns the fields of a map.
pub(super) const MAP_TYPE: &str = "x-kubernetes-map-type";

/// Values that the API server fills in, by the end of the path.
const DEFAULTS: [(&str, Default); 8] = [
    ("ports[].protocol", Default::Text("TCP")),
    ("grpc.service", Default::Text("")),
    ("configMapRef.name", Default::Text("")),
    ("secretRef.name", Default::Text("")),
    ("configMapKeyRef.name", Default::Text("")),
    ("secretKeyRef.name", Default::Text("")),
    ("imagePullSecrets[].name", Default::Text("")),
    ("fileKeyRef.optional", Default::Flag(false)),
];

/// Lists whose items have keys, by the name of the field.
const LIST_KEYS: [(&str, &[&str]); 13] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("ports", &["containerPort", "protocol"]),
    ("claims", &["name"]),
    ("volumeDevices", &["devicePath"]),
    ("volumeMounts", &["mountPath"]),
    ("hostAliases", &["ip"]),
    ("imagePullSecrets", &["name"]),
    ("resourceClaims", &["name"]),
    ("schedulingGates", &["name"]),
    ("topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
];

/// Fields of any shape, by the end of the path. Resources are among them because users write `cpu: 0.5`, a number
/// that Kubernetes' own quantities accept and an int-or-string does not.
const OPAQUE: [&str; 7] = [
    "volumes",
    "containers[].resources.limits",
    "containers[].resources.requests",
    "initContainers[].resources.limits",
    "initContainers[].resources.requests",
    "ephemeralContainers[].resources.limits",
    "ephemeralContainers[].resources.requests",
];

/// Objects that have one owner as a whole, by the end of the path.
const ATOMIC: [&str; 13] = [
    "selector",
    "labelSelector",
    "namespaceSelector",
    "nodeSelector",
    "nodeSelectorTerms[]",
    "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
    "preference",
    "fieldRef",
    "resourceFieldRef",
    "secretKeyRef",
    "configMapKeyRef",
    "fileKeyRef",
    "imagePullSecrets[]",
];

enum Default {
    Text(&'static str),
    Flag(bool),
}

/// Stands for the schema of a pod template.
pub(super) fn pod_template() -> Schema {
    json_schema!({ EMBED: POD_TEMPLATE })
}

/// Stands for the schema of a job spec.
pub(super) fn job_spec() -> Schema {
    json_schema!({ EMBED: JOB_SPEC })
}

/// Whether the node at `path` may hold anything.
pub(super) fn is_opaque(path: &str) -> bool {
    OPAQUE.iter().any(|end| path_ends(path, end))
}

/// Whether the definitions name the field `name` of the node at `path`. Of the metadata of a template, labels and
/// annotations are all that pods get; the reference drops the rest, and so the rest cannot be in the hash.
pub(super) fn is_kept(path: &str, name: &str) -> bool {
    !path_ends(path, "metadata") || name == "labels" || name == "annotations"
}

/// Adds to the schema of the node at `path` what the Kubernetes types do not say.
pub(super) fn annotate(path: &str, out: &mut Map<String, Value>) {
    if out.contains_key("properties") && !path_ends(path, "metadata") {
        out.insert(PRESERVE.into(), true.into());
    }
    if out.get("type").is_some_and(|kind| kind == "object") && ATOMIC.iter().any(|end| path_ends(path, end)) {
        out.insert(MAP_TYPE.into(), "atomic".into());
    }
    if let Some((_, default)) = DEFAULTS.iter().find(|(end, _)| path_ends(path, end)) {
        let value = match default {
            Default::Text(text) => Value::from(*text),
            Default::Flag(flag) => Value::from(*flag),
        };
        out.insert("default".into(), value);
    }
    if let Some((_, keys)) = LIST_KEYS.iter().find(|(end, _)| path_ends(path, end)) {
        out.insert("x-kubernetes-list-type".into(), "map".into());
        out.insert("x-kubernetes-list-map-keys".into(), json!(keys));
    }
}

/// Whether the last fields of `path` are those of `end`.
pub(super) fn path_ends(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|start| start.is_empty() || start.ends_with('.'))
}

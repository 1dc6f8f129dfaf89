//! The definitions (CRDs) of the five kinds.
//!
//! They are made from the Rust types: schemars describes the types, and this module turns that into what Kubernetes
//! calls a structural schema. Only what is named here gets into a definition; in particular no defaults (the
//! reference has none outside pod templates but two), no enums (a wrong word is reported by validation, where the
//! message can say more) and one sentence of description per field.
//!
//! <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#specifying-a-structural-schema>

use k8s_openapi::api::batch::v1::JobSpec;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube_core::crd::CustomResourceExt;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::schema_template::{self, EMBED, JOB_SPEC, MAP_TYPE, PRESERVE, path_ends};
use super::{
    AnalysisRun, AnalysisRunSpec, AnalysisRunStatus, AnalysisTemplate, AnalysisTemplateSpec,
    ClusterAnalysisTemplate, Experiment, ExperimentSpec, ExperimentStatus, Rollout, RolloutSpec,
    RolloutStatus,
};

const INT_OR_STRING: &str = "x-kubernetes-int-or-string";

/// Defaults outside pod templates, by the end of the path.
const DEFAULTS: [(&str, &str); 2] = [("datadog.apiVersion", "v1"), ("datadog.interval", "5m")];

/// The one field that cannot be changed: the selector of a Rollout.
const IMMUTABLE: &str = "spec.selector";

/// The definitions of all five kinds, as the type that Kubernetes has for them.
///
/// # Panics
///
/// If a schema made here is not one that this type can hold, which the tests rule out: nothing that goes into the
/// schemas comes from outside the program.
#[must_use]
pub fn all_crds() -> Vec<CustomResourceDefinition> {
    let typed =
        |definition| serde_json::from_value(definition).expect("a definition with a structural schema");
    definitions().into_iter().map(typed).collect()
}

/// The definitions of all five kinds, as JSON. The type takes several times the memory.
#[must_use]
pub fn definitions() -> Vec<Value> {
    let embedded = Embedded {
        pod_template: template_schema::<PodTemplateSpec>(),
        job_spec: template_schema::<JobSpec>(),
    };
    let mut rollout = definition::<Rollout>(object::<RolloutSpec>(
        &embedded,
        "A Rollout runs pods as a Deployment does, and moves them from one revision to the next by a strategy.",
        Some(describe::<RolloutStatus>(&embedded, "status")),
    ));
    rollout["spec"]["versions"][0]["subresources"] = json!(Rollout::crd().spec.versions[0].subresources);
    vec![
        rollout,
        definition::<AnalysisTemplate>(object::<AnalysisTemplateSpec>(
            &embedded,
            "An AnalysisTemplate says which metrics are measured, and what they must be.",
            None,
        )),
        definition::<ClusterAnalysisTemplate>(object::<AnalysisTemplateSpec>(
            &embedded,
            "A ClusterAnalysisTemplate is an AnalysisTemplate for all namespaces.",
            None,
        )),
        definition::<AnalysisRun>(object::<AnalysisRunSpec>(
            &embedded,
            "An AnalysisRun measures metrics until it can tell whether they are as they must be.",
            Some(describe::<AnalysisRunStatus>(&embedded, "status")),
        )),
        definition::<Experiment>(object::<ExperimentSpec>(
            &embedded,
            "An Experiment runs pods of one or more templates for a time, and analyses them.",
            Some(describe::<ExperimentStatus>(&embedded, "status")),
        )),
    ]
}

/// The definition of kind `K`, without subresources: clients of the reference write the status of runs and
/// experiments through the object itself, which a status subresource would ignore.
fn definition<K: CustomResourceExt>(schema: Value) -> Value {
    let mut crd = K::crd();
    crd.spec.names.list_kind = Some(format!("{}List", crd.spec.names.kind));
    let mut definition = json!(crd);
    let version = &mut definition["spec"]["versions"][0];
    version["schema"]["openAPIV3Schema"] = schema;
    version["subresources"] = json!({});
    definition
}

/// The schema of a whole object.
fn object<Spec: JsonSchema>(embedded: &Embedded, about: &str, status: Option<Value>) -> Value {
    let mut properties = json!({
        "apiVersion": {"type": "string", "description": "Group and version of the API that the object is written in."},
        "kind": {"type": "string", "description": "Kind of the object."},
        "metadata": {"type": "object"},
        "spec": describe::<Spec>(embedded, "spec"),
    });
    if let Some(status) = status {
        properties["status"] = status;
    }
    json!({"description": about, "type": "object", "required": ["spec"], "properties": properties})
}

fn describe<T: JsonSchema>(embedded: &Embedded, path: &str) -> Value {
    Walk { embedded: Some(embedded) }.structural(&raw::<T>(), path).into()
}

/// The schema of a pod template or of a job spec.
fn template_schema<T: JsonSchema>() -> Map<String, Value> {
    Walk { embedded: None }.structural(&raw::<T>(), "")
}

/// What schemars says about a type, with every type written out where it is used.
fn raw<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
        settings.transforms.clear();
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// What comes in the place of the marks. Both are large, and are in several definitions.
struct Embedded {
    pod_template: Map<String, Value>,
    job_spec: Map<String, Value>,
}

/// Turns what schemars says into a structural schema.
struct Walk<'a> {
    /// Pod template and job spec; none where the schema is itself of one of these, which has no descriptions, but defaults
    /// and list keys.
    embedded: Option<&'a Embedded>,
}

impl Walk<'_> {
    fn is_inside_template(&self) -> bool {
        self.embedded.is_none()
    }

    /// The structural schema of the node at `path` (fields joined by dots, `[]` after a list's).
    fn structural(&self, node: &Value, path: &str) -> Map<String, Value> {
        let mut out = Map::new();
        if !self.is_inside_template()
            && let Some(text) = node.get("description").and_then(Value::as_str)
        {
            out.insert("description".into(), first_sentence(text).into());
        }
        if let (Some(mark), Some(embedded)) = (node.get(EMBED), self.embedded) {
            let schema = if mark == JOB_SPEC { &embedded.job_spec } else { &embedded.pod_template };
            out.append(&mut schema.clone());
            return out;
        }
        if self.is_inside_template() && schema_template::is_opaque(path) {
            out.insert(PRESERVE.into(), true.into());
            return out;
        }
        match type_of(node) {
            Some(kind) => self.typed(node, kind, path, &mut out),
            None if node.get(INT_OR_STRING).is_some() => {
                out.insert(INT_OR_STRING.into(), true.into());
                out.insert("anyOf".into(), json!([{"type": "integer"}, {"type": "string"}]));
            }
            None => {
                out.insert(PRESERVE.into(), true.into());
            }
        }
        self.annotate(path, &mut out);
        out
    }

    fn typed(&self, node: &Value, kind: &str, path: &str, out: &mut Map<String, Value>) {
        out.insert("type".into(), kind.into());
        match kind {
            "object" => self.object(node, path, out),
            "array" => {
                let mut items = self.structural(&node["items"], &format!("{path}[]"));
                items.remove("description");
                out.insert("items".into(), items.into());
            }
            _ => {
                if let Some(format) = node.get("format") {
                    out.insert("format".into(), format.clone());
                }
            }
        }
    }

    fn object(&self, node: &Value, path: &str, out: &mut Map<String, Value>) {
        let join = |name: &str| {
            if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
        };
        if let Some(properties) = node.get("properties").and_then(Value::as_object) {
            let walked: Map<_, _> = properties
                .iter()
                .filter(|(name, _)| !self.is_inside_template() || schema_template::is_kept(path, name))
                .map(|(name, property)| (name.clone(), Value::Object(self.structural(property, &join(name)))))
                .collect();
            let required = |name: &&String| is_required(node, name) && walked[*name].get("default").is_none();
            let required: Vec<_> = walked.keys().filter(required).collect();
            if !required.is_empty() {
                out.insert("required".into(), json!(required));
            }
            out.insert("properties".into(), walked.into());
            return;
        }
        match node.get("additionalProperties") {
            Some(Value::Bool(true)) => {
                out.insert(PRESERVE.into(), true.into());
            }
            Some(values @ Value::Object(_)) => {
                out.insert("additionalProperties".into(), self.structural(values, &join("*")).into());
            }
            _ => {}
        }
    }

    /// Adds what the types do not say.
    fn annotate(&self, path: &str, out: &mut Map<String, Value>) {
        if self.is_inside_template() {
            schema_template::annotate(path, out);
            return;
        }
        if let Some((_, default)) = DEFAULTS.iter().find(|(end, _)| path_ends(path, end)) {
            out.insert("default".into(), (*default).into());
        }
        if path_ends(path, "selector") && out.get("type").is_some_and(|kind| kind == "object") {
            out.insert(MAP_TYPE.into(), "atomic".into());
        }
        if path == IMMUTABLE {
            let rule = json!([{"rule": "self == oldSelf", "message": "is immutable"}]);
            out.insert("x-kubernetes-validations".into(), rule);
        }
    }
}

/// Whether the object `node` must have the field `name`. A number, word or list that is written even when it is
/// blank must be there, though its absence is read as blank: schemars gives it a default, and only it.
fn is_required(node: &Value, name: &str) -> bool {
    let always_written = node["properties"][name].get("default").is_some_and(|default| !default.is_object());
    always_written || node["required"].as_array().is_some_and(|names| names.iter().any(|other| other == name))
}

/// The one type of a node; words that make an enum are plain strings here.
fn type_of(node: &Value) -> Option<&str> {
    match &node["type"] {
        Value::String(kind) => Some(kind),
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            let variants = node.get("oneOf").or_else(|| node.get("anyOf"))?.as_array()?;
            variants.iter().find_map(type_of)
        }
    }
}

fn first_sentence(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = line.match_indices(". ").map(|(at, _)| at + 1).find(|end| !line[..*end].ends_with("e.g."));
    line[..end.unwrap_or(line.len())].to_owned()
}

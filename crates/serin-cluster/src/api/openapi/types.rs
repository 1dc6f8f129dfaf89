//! The types in OpenAPI documents.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::{
    apps, authentication, authorization, autoscaling, batch, coordination, core, discovery, events,
    networking, policy, rbac,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::super::kinds::{Field, Items, Kind, Subresource, built_in as kinds, field_types};

/// The version of OpenAPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Two,
    Three,
}

impl Dialect {
    fn prefix(self) -> &'static str {
        match self {
            Self::Two => "#/definitions/",
            Self::Three => "#/components/schemas/",
        }
    }

    /// A schema that is another one, by its name.
    pub(super) fn reference(self, name: &str) -> Value {
        json!({"$ref": format!("{}{name}", self.prefix())})
    }

    /// A described reference: version 3 ignores what stands beside one, so that it is wrapped.
    fn described(self, name: &str, description: &str) -> Value {
        let reference = self.reference(name);
        match self {
            Self::Two => json!({"description": description, "$ref": reference["$ref"]}),
            Self::Three => json!({"description": description, "default": {}, "allOf": [reference]}),
        }
    }
}

/// The name of a type that every kind uses.
pub(super) fn meta_name(kind: &str) -> String {
    format!("io.k8s.apimachinery.pkg.apis.meta.v1.{kind}")
}

/// The name of the type of a kind's lists.
pub(super) fn list_name(kind: &Kind) -> String {
    kind.type_name()
        .strip_suffix(kind.kind.as_str())
        .map_or_else(String::new, |package| format!("{package}{}", kind.list_kind))
}

/// The name of the type that a subresource is about.
pub(super) fn part_name(part: &Subresource) -> String {
    let package =
        if part.group.is_empty() { "core" } else { part.group.split('.').next().unwrap_or_default() };
    format!("io.k8s.api.{package}.{}.{}", part.version, part.kind)
}

/// Has the generator learn the types.
macro_rules! learn {
    ($generator:ident, $($kind:ty),+ $(,)?) => {
        $(let _ = $generator.subschema_for::<$kind>();)+
    };
}

/// Every built-in type.
pub(super) fn built_in(dialect: Dialect) -> BTreeMap<String, Value> {
    let mut generator = generator(dialect);
    learn_kinds(&mut generator);
    learn_parts(&mut generator);
    let learnt = generator.take_definitions(true);
    let mut types: BTreeMap<String, Value> =
        learnt.into_iter().map(|(name, schema)| (name.clone(), completed(&name, schema, dialect))).collect();
    for kind in kinds() {
        if let Some(schema) = types.get_mut(&kind.type_name()) {
            mark(schema, kind, &kind.kind);
            // The crate requires the metadata of every kind, the server those of events only.
            let is_event = kind.kind == "Event" && kind.group.is_empty();
            if let Some(required) = schema["required"].as_array_mut().filter(|_| !is_event) {
                required.retain(|field| field != "metadata");
            }
        }
    }
    types.insert(
        meta_name("Patch"),
        json!({"type": "object", "description": "A change, in one of several forms."}),
    );
    types
}

fn generator(dialect: Dialect) -> SchemaGenerator {
    let settings = SchemaSettings::openapi3();
    let path = dialect.prefix().trim_start_matches('#').trim_end_matches('/').to_owned();
    settings.with(|settings| settings.definitions_path = path.into()).into_generator()
}

fn learn_kinds(generator: &mut SchemaGenerator) {
    learn!(
        generator,
        core::v1::Binding,
        core::v1::ConfigMap,
        core::v1::Endpoints,
        core::v1::Event,
        core::v1::Namespace,
        core::v1::Node,
        core::v1::Pod,
        core::v1::PodTemplate,
        core::v1::Secret,
        core::v1::Service,
        core::v1::ServiceAccount,
        apps::v1::Deployment,
        apps::v1::ReplicaSet,
        batch::v1::Job,
        networking::v1::Ingress,
        networking::v1::IngressClass,
        discovery::v1::EndpointSlice,
        policy::v1::PodDisruptionBudget,
        autoscaling::v1::HorizontalPodAutoscaler,
        autoscaling::v2::HorizontalPodAutoscaler,
        events::v1::Event,
        coordination::v1::Lease,
        apiextensions::v1::CustomResourceDefinition,
        rbac::v1::ClusterRole,
        rbac::v1::ClusterRoleBinding,
        rbac::v1::Role,
        rbac::v1::RoleBinding,
    );
}

/// Reviews, and what subresources and all kinds use.
fn learn_parts(generator: &mut SchemaGenerator) {
    learn!(
        generator,
        authentication::v1::SelfSubjectReview,
        authentication::v1::TokenRequest,
        authorization::v1::LocalSubjectAccessReview,
        authorization::v1::SelfSubjectAccessReview,
        authorization::v1::SelfSubjectRulesReview,
        authorization::v1::SubjectAccessReview,
        autoscaling::v1::Scale,
        policy::v1::Eviction,
        meta::v1::DeleteOptions,
        meta::v1::ListMeta,
        meta::v1::ObjectMeta,
        meta::v1::Status,
    );
}

/// A generated type as the server describes it.
fn completed(name: &str, mut schema: Value, dialect: Dialect) -> Value {
    simplify(&mut schema, dialect);
    let fields = field_types().get(name);
    if let Some(properties) = schema["properties"].as_object_mut() {
        for (name, field) in fields.into_iter().flatten() {
            if let Some(property) = properties.get_mut(*name) {
                annotate(property, field);
            }
        }
    }
    schema
}

/// Brings what the generator writes differently into the server's form.
fn simplify(schema: &mut Value, dialect: Dialect) {
    let Value::Object(fields) = schema else { return };
    // Alternatives are not described: clients cannot do anything with them.
    fields.remove("oneOf");
    if fields.remove("x-kubernetes-int-or-string").is_some() {
        // Clients print such a type by its name only where it has no type itself.
        match dialect {
            Dialect::Two => fields.insert("type".to_owned(), "string".into()),
            Dialect::Three => {
                fields.insert("oneOf".to_owned(), json!([{"type": "integer"}, {"type": "string"}]))
            }
        };
        fields.insert("format".to_owned(), "int-or-string".into());
    }
    if dialect == Dialect::Three
        && fields.len() > 1
        && let Some(reference) = fields.remove("$ref")
    {
        fields.insert("allOf".to_owned(), json!([{"$ref": reference}]));
    }
    for inner in inner_schemas(fields) {
        simplify(inner, dialect);
    }
}

/// The schemas in a schema: of its fields, its items and its values.
fn inner_schemas(fields: &mut Map<String, Value>) -> impl Iterator<Item = &mut Value> {
    fields.iter_mut().flat_map(|(name, value)| match (name.as_str(), value) {
        ("properties", Value::Object(properties)) => properties.values_mut().collect(),
        ("items" | "additionalProperties", inner) => vec![inner],
        _ => Vec::new(),
    })
}

/// Says of a field how its lists and maps are merged.
fn annotate(property: &mut Value, field: &Field) {
    let is_list = property["type"] == "array";
    match &field.list {
        Items::Set => property["x-kubernetes-list-type"] = "set".into(),
        Items::By(keys) => {
            property["x-kubernetes-list-type"] = "map".into();
            property["x-kubernetes-list-map-keys"] = keys.iter().map(|(name, _)| name.as_str()).collect();
        }
        Items::Whole if is_list => property["x-kubernetes-list-type"] = "atomic".into(),
        Items::Whole => {}
    }
    if field.is_atomic && !is_list {
        property["x-kubernetes-map-type"] = "atomic".into();
    }
    let strategies = [("merge", field.merge_key.is_some()), ("retainKeys", field.retains_keys)];
    let strategies: Vec<&str> =
        strategies.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name).collect();
    if !strategies.is_empty() {
        property["x-kubernetes-patch-strategy"] = strategies.join(",").into();
    }
    if let Some(key) = field.merge_key.as_deref().filter(|key| !key.is_empty()) {
        property["x-kubernetes-patch-merge-key"] = key.into();
    }
}

/// Says which kind a type is.
fn mark(schema: &mut Value, kind: &Kind, name: &str) {
    let Kind { group, version, .. } = kind;
    schema["x-kubernetes-group-version-kind"] = json!([{"group": group, "version": version, "kind": name}]);
}

const API_VERSION: &str = "Group and version of the kind.";
const KIND: &str = "Name of the kind.";

/// The type of a kind's lists.
pub(super) fn list(kind: &Kind, dialect: Dialect) -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    let mut schema = json!({
        "description": format!("{} is a list of {}", kind.list_kind, kind.kind),
        "type": "object",
        "required": ["items"],
        "properties": {
            "apiVersion": text(API_VERSION),
            "kind": text(KIND),
            "metadata": dialect.described(&meta_name("ListMeta"), "What is said of the list as a whole."),
            "items": {
                "description": format!("List of {}.", kind.plural),
                "type": "array", "items": dialect.reference(&kind.type_name()),
            },
        },
    });
    mark(&mut schema, kind, &kind.list_kind);
    schema
}

/// The type of a custom resource: the schema of its definition, with what every object has.
pub(super) fn custom(kind: &Kind, definitions: &[Arc<Value>], dialect: Dialect) -> Value {
    let definition = definitions
        .iter()
        .find(|definition| definition["metadata"]["name"].as_str() == kind.definition.as_deref());
    let versions = definition.and_then(|definition| definition["spec"]["versions"].as_array());
    let version = versions.into_iter().flatten().find(|version| version["name"] == kind.version.as_str());
    let given = version.map(|version| &version["schema"]["openAPIV3Schema"]);
    let mut schema =
        given.filter(|schema| schema.is_object()).cloned().unwrap_or_else(|| json!({"type": "object"}));
    for (name, description) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        if schema["properties"][name].is_null() {
            schema["properties"][name] = json!({"type": "string", "description": description});
        }
    }
    schema["properties"]["metadata"] =
        dialect.described(&meta_name("ObjectMeta"), "Name, labels, and what else every object has.");
    if dialect == Dialect::Two {
        flatten(&mut schema);
    }
    mark(&mut schema, kind, &kind.kind);
    schema
}

/// Takes out of a schema what version 2 does not know. What keeps unknown fields has no fields in it: its clients
/// would refuse those that are not named.
fn flatten(schema: &mut Value) {
    let Value::Object(fields) = schema else { return };
    for name in ["nullable", "oneOf", "anyOf", "allOf", "not", "x-kubernetes-validations"] {
        fields.remove(name);
    }
    if fields.remove("x-kubernetes-int-or-string").is_some() {
        fields.remove("type");
    }
    if fields.contains_key("x-kubernetes-preserve-unknown-fields") {
        fields.remove("properties");
        fields.remove("items");
    }
    inner_schemas(fields).for_each(flatten);
}

/// Adds the names of the types that a document's part refers to.
pub(super) fn references(part: &Value, names: &mut Vec<String>) {
    match part {
        Value::Array(items) => items.iter().for_each(|item| references(item, names)),
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            names.extend(name.map(str::to_owned));
            fields.values().for_each(|value| references(value, names));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

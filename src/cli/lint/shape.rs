//! The schemas of kinds: the definitions of custom resources, and the API server's types otherwise. Definitions leave
//! pod templates open; there, the API server's types apply.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use serin_core::api::keys;
use serin_core::api::schema::definitions;
use serin_kubernetes::types::{self, Inside, Shape, Type};

/// A place for a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// A value with this OpenAPI schema.
    Schema(&'a Value),
    /// A value of this shape.
    Shape(&'a Shape),
    /// An object of this type.
    Type(&'static str),
}

/// The allowed values of a place.
pub(super) enum Holds<'a> {
    /// An object with these fields.
    Fields(BTreeMap<&'a str, Place<'a>>),
    /// A map with values of one type.
    Each(Place<'a>),
    Items(Place<'a>),
    Text,
    Truth,
    Whole,
    Number,
    WholeOrText,
    /// Any value.
    Open,
}

/// The place for objects of a kind; `None` for unknown kinds.
pub(super) fn of_kind(api_version: &str, kind: &str) -> Option<Place<'static>> {
    static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
        let named = |mut definition: Value| {
            let kind = definition["spec"]["names"]["kind"].as_str().unwrap_or_default().to_owned();
            (kind, definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take())
        };
        definitions().into_iter().map(named).collect()
    });
    match (api_version, kind) {
        (keys::API_VERSION, kind) => SCHEMAS.get(kind).map(Place::Schema),
        ("v1", "Service") => Some(Place::Type("core/v1.Service")),
        ("networking.k8s.io/v1", "Ingress") => Some(Place::Type("networking/v1.Ingress")),
        _ => None,
    }
}

impl<'a> Holds<'a> {
    /// The named fields, if it has any.
    pub(super) fn fields(self) -> Option<BTreeMap<&'a str, Place<'a>>> {
        if let Holds::Fields(fields) = self { Some(fields) } else { None }
    }

    /// The place of list items, if it is a list.
    pub(super) fn items(self) -> Option<Place<'a>> {
        if let Holds::Items(item) = self { Some(item) } else { None }
    }
}

impl<'a> Place<'a> {
    pub(super) fn holds(self) -> Holds<'a> {
        match self {
            Place::Schema(schema) => holds_by_schema(schema),
            Place::Shape(shape) => holds_by_shape(shape),
            Place::Type(name) => types::find(name).map_or(Holds::Open, |own| Holds::Fields(fields(own))),
        }
    }
}

fn holds_by_schema(schema: &Value) -> Holds<'_> {
    if schema["x-kubernetes-int-or-string"] == true {
        return Holds::WholeOrText;
    }
    match schema["type"].as_str() {
        Some("string") => Holds::Text,
        Some("boolean") => Holds::Truth,
        Some("integer") => Holds::Whole,
        Some("number") => Holds::Number,
        Some("array") => Holds::Items(Place::Schema(&schema["items"])),
        Some("object") if schema["additionalProperties"].is_object() => {
            Holds::Each(Place::Schema(&schema["additionalProperties"]))
        }
        Some("object") => match schema["properties"].as_object() {
            Some(properties) => {
                let places = properties.iter().map(|(name, schema)| (name.as_str(), inner(name, schema)));
                Holds::Fields(places.collect())
            }
            None => Holds::Open,
        },
        _ => Holds::Open,
    }
}

/// The place of a property. The API server's types replace open parts of definitions.
fn inner<'a>(name: &str, schema: &'a Value) -> Place<'a> {
    let has = |pointer: &str| schema.pointer(pointer).is_some();
    if name == "template" && has("/properties/spec/properties/containers") {
        Place::Type("core/v1.PodTemplateSpec")
    } else if name == "spec"
        && has("/properties/template/properties/spec/properties/containers")
        && is_job(schema)
    {
        Place::Type("batch/v1.JobSpec")
    } else if name == "metadata" && !has("/properties") {
        Place::Type("meta/v1.ObjectMeta")
    } else {
        Place::Schema(schema)
    }
}

/// True if a schema with a pod template belongs to a Job. The spec of a Rollout has a pod template, too.
fn is_job(schema: &Value) -> bool {
    schema["properties"].get("strategy").is_none()
}

fn holds_by_shape(shape: &Shape) -> Holds<'_> {
    match shape {
        Shape::Text(_) | Shape::Bytes | Shape::Time | Shape::MicroTime => Holds::Text,
        Shape::Truth => Holds::Truth,
        Shape::Int32 | Shape::Int64 => Holds::Whole,
        Shape::Float => Holds::Number,
        Shape::IntOrText => Holds::WholeOrText,
        Shape::Quantity | Shape::Any => Holds::Open,
        Shape::Object(name) => Place::Type(name).holds(),
        Shape::List(_, item) => Holds::Items(Place::Shape(item)),
        Shape::Map(_, value) => Holds::Each(Place::Shape(value)),
    }
}

/// The fields of a type, including those of inlined types.
fn fields(own: &Type) -> BTreeMap<&'static str, Place<'static>> {
    let mut all = BTreeMap::new();
    let Some(own) = types::find(own.name) else { return all };
    for field in &own.fields {
        if !field.name.is_empty() {
            all.insert(field.name, Place::Shape(&field.shape));
        } else if let Inside::Type(name) = field.shape.inside()
            && let Some(inner) = types::find(name)
        {
            all.append(&mut fields(inner));
        }
    }
    all
}

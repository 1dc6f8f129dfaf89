//! What fields a kind has: from its definition where it is a custom resource, else from the types of the API server. Inside
//! of pod templates, which definitions leave open, the types of the API server count.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

use serin_core::api::keys;
use serin_core::api::schema::definitions;
use serin_kubernetes::types::{self, Inside, Shape, Type};

/// The place for a value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// As a schema has it.
    Schema(&'a Value),
    /// A value of that shape.
    Shape(&'a Shape),
    /// An object of that type.
    Type(&'static str),
}

/// What may stand in a place.
pub(super) enum Holds<'a> {
    /// Fields of their own.
    Fields(BTreeMap<&'a str, Place<'a>>),
    /// Any fields, all of one sort.
    Each(Place<'a>),
    Items(Place<'a>),
    Text,
    Truth,
    Whole,
    Number,
    WholeOrText,
    /// Anything.
    Open,
}

/// The place for the objects of a kind; none where it is not known here.
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
    /// The fields, where it has some of its own.
    pub(super) fn fields(self) -> Option<BTreeMap<&'a str, Place<'a>>> {
        if let Holds::Fields(fields) = self { Some(fields) } else { None }
    }

    /// The place of items, where it is a list.
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

/// The place of a property. Of what definitions leave open, the types of the API server know more.
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

/// The spec of a Rollout has a pod template, too.
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

/// The fields of a type, with those that stand in the place of a nameless one.
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

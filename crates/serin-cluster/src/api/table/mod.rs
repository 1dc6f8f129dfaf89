//! Objects as the tables that `kubectl get` prints: the server decides on columns and cells.
//!
//! A [`Printer`] knows the columns of one kind: those of a real API server for the built-in kinds, the
//! `additionalPrinterColumns` for custom resources, and name and creation time for the rest.

mod column;
mod custom;
mod events;
mod format;
mod network;
mod objects;
mod pods;
mod scaling;
mod workloads;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::conversion;
use super::kinds::Kind;
use column::{BuiltIn, Column};
use custom::CustomColumns;

/// How much of each object a row carries: the query parameter `includeObject`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Include {
    /// Nothing.
    None,
    /// `kind`, `apiVersion` and `metadata`.
    #[default]
    Metadata,
    /// All of it.
    Object,
}

enum Source {
    BuiltIn(BuiltIn, Box<Kind>),
    Custom(CustomColumns),
}

/// Makes tables of the objects of one kind.
pub struct Printer {
    source: Source,
    prints_conditions: bool,
}

impl Printer {
    /// The printer of a kind; `definition` is the object that a custom resource comes from.
    #[must_use]
    pub fn new(kind: &Kind, definition: Option<&Value>) -> Self {
        let source = match definition {
            Some(definition) => Source::Custom(CustomColumns::new(definition, &kind.version)),
            None => Source::BuiltIn(built_in(&kind.group, &kind.plural), Box::new(kind.clone())),
        };
        Self { source, prints_conditions: kind.group.is_empty() && kind.plural == "pods" }
    }

    /// `columnDefinitions` of its tables.
    #[must_use]
    pub fn columns(&self) -> Value {
        match &self.source {
            Source::Custom(custom) => custom.definitions(),
            Source::BuiltIn(built_in, _) => built_in.columns.iter().map(Column::definition).collect(),
        }
    }

    /// The row of an object.
    #[must_use]
    pub fn row(&self, object: &Value, include: Include, now: Timestamp) -> Value {
        let cells = match &self.source {
            Source::Custom(custom) => custom.cells(object, now),
            Source::BuiltIn(built_in, kind) => (built_in.cells)(&conversion::as_stored(kind, object), now),
        };
        let mut row = json!({"cells": cells});
        match include {
            Include::None => row["object"] = Value::Null,
            Include::Metadata => row["object"] = partial(object),
            Include::Object => row["object"] = object.clone(),
        }
        if self.prints_conditions
            && let Some(condition) = pods::completed(object)
        {
            row["conditions"] = json!([condition]);
        }
        row
    }

    /// The table of a list, or of one object.
    #[must_use]
    pub fn table(&self, body: &Value, include: Include, now: Timestamp) -> Value {
        let objects = body["items"].as_array().map_or(std::slice::from_ref(body), Vec::as_slice);
        let mut rows: Vec<Value> = objects.iter().map(|object| self.row(object, include, now)).collect();
        if include == Include::Object
            && let Some(kind) = body["kind"].as_str().and_then(|kind| kind.strip_suffix("List"))
        {
            // The items of a list leave their kind to the list.
            for row in &mut rows {
                row["object"]["kind"] = kind.into();
                row["object"]["apiVersion"] = body["apiVersion"].clone();
            }
        }
        let mut metadata = json!({});
        for field in ["resourceVersion", "continue", "remainingItemCount"] {
            if let Some(value) = body["metadata"].get(field).filter(|value| **value != "") {
                metadata[field] = value.clone();
            }
        }
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": self.columns(), "rows": rows,
        })
    }
}

/// An object as far as every kind has it.
#[must_use]
pub fn partial(object: &Value) -> Value {
    let metadata = &object["metadata"];
    json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
}

/// An object, or the items of a list, as far as every kind has them.
#[must_use]
pub fn partials(body: &Value) -> Value {
    let Value::Array(items) = &body["items"] else { return partial(body) };
    let items: Vec<Value> = items.iter().map(partial).collect();
    let mut metadata = body["metadata"].clone();
    if metadata["continue"] == "" {
        metadata.as_object_mut().map(|metadata| metadata.remove("continue"));
    }
    json!({
        "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata, "items": if items.is_empty() { Value::Null } else { items.into() },
    })
}

fn built_in(group: &str, plural: &str) -> BuiltIn {
    let found = match (group, plural) {
        ("", "pods") => Some(pods::PODS),
        ("", "events") | ("events.k8s.io", _) => Some(events::EVENTS),
        _ => workloads::find(group, plural)
            .or_else(|| network::find(group, plural))
            .or_else(|| scaling::find(group, plural))
            .or_else(|| objects::find(group, plural)),
    };
    found.unwrap_or(objects::PLAIN)
}

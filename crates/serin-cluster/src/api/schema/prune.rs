//! What a schema does not know is dropped.

use serde_json::{Map, Value};

use super::Schema;
use super::node::{Additional, Node};

/// The fields of the metadata of every object.
pub(super) const METADATA: [&str; 15] = [
    "name",
    "generateName",
    "namespace",
    "selfLink",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "ownerReferences",
    "finalizers",
    "managedFields",
];

impl Schema {
    /// Drops all fields that the schema does not know, and returns their paths in order, such as `spec.foo`.
    pub fn prune(&self, object: &mut Value) -> Vec<String> {
        let mut dropped = Vec::new();
        prune(object, &self.root, true, "", &mut dropped);
        dropped.sort();
        dropped
    }

    /// Drops nulls in fields that must not be null and have no default, as the API server does with what it decodes.
    pub fn drop_nulls(&self, object: &mut Value) {
        drop_nulls(object, &self.root);
    }
}

fn prune(value: &mut Value, node: &Node, is_resource: bool, path: &str, dropped: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                let path = format!("{path}[{index}]");
                let unknown = Node::default();
                prune(item, node.items.as_deref().unwrap_or(&unknown), false, &path, dropped);
            }
        }
        Value::Object(fields) => {
            let is_resource = is_resource || node.is_embedded;
            fields.retain(|name, value| {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                if is_resource && name == "metadata" {
                    prune_metadata(value, &path, dropped);
                } else if is_resource && (name == "apiVersion" || name == "kind") {
                    // Of every object.
                } else if let Some(node) = node.field(name) {
                    if !has_no_say(node) {
                        prune(value, node, false, &path, dropped);
                    }
                } else if !node.keeps(name) {
                    dropped.push(path);
                    return false;
                }
                true
            });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether nothing below is to be dropped.
fn has_no_say(node: &Node) -> bool {
    node.keeps_unknown && !node.is_embedded && node.properties.is_empty() && node.items.is_none()
}

fn prune_metadata(metadata: &mut Value, path: &str, dropped: &mut Vec<String>) {
    let Some(fields) = metadata.as_object_mut() else { return };
    fields.retain(|name, _| {
        let is_known = METADATA.contains(&name.as_str());
        if !is_known {
            dropped.push(format!("{path}.{name}"));
        }
        is_known
    });
}

fn drop_nulls(value: &mut Value, node: &Node) {
    match value {
        Value::Array(items) => {
            if let Some(node) = node.items.as_deref() {
                for item in items {
                    drop_nulls(item, node);
                }
            }
        }
        Value::Object(fields) => drop_null_fields(fields, node),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn drop_null_fields(fields: &mut Map<String, Value>, node: &Node) {
    fields.retain(|name, value| {
        let Some(field) = node.field(name) else { return true };
        let is_free = matches!(node.additional, Additional::Schema(_));
        if value.is_null() && !field.is_nullable && field.default.is_none() && !is_free {
            return false;
        }
        drop_nulls(value, field);
        true
    });
}

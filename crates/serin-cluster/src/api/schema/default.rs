//! Defaults.

use serde_json::Value;

use super::Schema;
use super::node::Node;

impl Schema {
    /// Fills in the defaults of the schema. A null where none is allowed counts as missing.
    pub fn default(&self, object: &mut Value) {
        default(object, &self.root);
    }
}

fn default(value: &mut Value, node: &Node) {
    match value {
        Value::Object(fields) => {
            for (name, property) in &node.properties {
                let Some(default) = &property.default else { continue };
                let is_missing = fields.get(name).is_none_or(|old| old.is_null() && !property.is_nullable);
                if is_missing {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields {
                if let Some(node) = node.field(name) {
                    default(value, node);
                }
            }
        }
        Value::Array(items) => {
            if let Some(node) = node.items.as_deref() {
                for item in items {
                    default(item, node);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

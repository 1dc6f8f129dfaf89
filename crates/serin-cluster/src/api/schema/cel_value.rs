//! Values as validation rules see them.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::kind::Kind;
use super::node::Node;

/// Words that CEL keeps for itself, and fields of these names are therefore written with underscores around them.
const RESERVED: [&str; 17] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
];

/// A value as rules see it, by its schema.
pub(super) fn to_cel(value: &Value, node: Option<&Node>) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => {
            let is_number = node.is_some_and(|node| node.kind == Some(Kind::Number));
            match number.as_i64().filter(|_| !is_number) {
                Some(number) => cel::Value::Int(number),
                None => cel::Value::Float(number.as_f64().unwrap_or_default()),
            }
        }
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => {
            let node = node.and_then(|node| node.items.as_deref());
            cel::Value::List(Arc::new(items.iter().map(|item| to_cel(item, node)).collect()))
        }
        Value::Object(fields) => {
            let fields: HashMap<String, cel::Value> = fields
                .iter()
                .map(|(name, value)| {
                    let is_named = node.is_some_and(|node| node.properties.contains_key(name));
                    let key = if is_named { escaped(name) } else { name.clone() };
                    (key, to_cel(value, node.and_then(|node| node.field(name))))
                })
                .collect();
            cel::Value::from(fields)
        }
    }
}

/// A field's name as rules write it.
fn escaped(name: &str) -> String {
    if RESERVED.contains(&name) {
        return format!("__{name}__");
    }
    name.replace("__", "__underscores__")
        .replace('.', "__dot__")
        .replace('-', "__dash__")
        .replace('/', "__slash__")
}

//! Values as the messages of the API server show them.

use serde_json::Value;

/// A value in the form that is meant for people.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Object(map) => {
            let fields: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", plain(value))).collect();
            format!("map[{}]", fields.join(" "))
        }
    }
}

/// A value in the form that it has in the source of a program.
pub(super) fn source(value: &Value) -> String {
    let inner = match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return value.to_string(),
        Value::Array(items) => items.iter().map(source).collect::<Vec<_>>(),
        Value::Object(map) => map.iter().map(|(key, value)| format!("{key:?}:{}", source(value))).collect(),
    };
    format!("{}{{{}}}", type_name(value), inner.join(", "))
}

/// What its type is called.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

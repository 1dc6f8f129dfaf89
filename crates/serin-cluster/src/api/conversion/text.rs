//! Objects as the JSON text of their types: fields in the order of the type, as annotations hold it.

use serde_json::Value;

use serin_kubernetes::types::{self, Field, Shape};

/// Which names fields have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// Those of the API; what is not there is left out.
    Api,
    /// Those of the programming language of the API server, which leaves nothing out.
    Own,
}

/// The text of a value of a type.
pub(super) fn write(shape: &Shape, value: &Value, names: Names) -> String {
    match (shape, value) {
        (Shape::Object(name), Value::Object(_)) => {
            let fields = types::find(name).map(|own| own.fields.as_slice()).unwrap_or_default();
            let written = fields.iter().filter_map(|field| write_field(field, value, names));
            format!("{{{}}}", written.collect::<Vec<_>>().join(","))
        }
        (Shape::List(_, item), Value::Array(items)) => {
            let written = items.iter().map(|value| write(item, value, names));
            format!("[{}]", written.collect::<Vec<_>>().join(","))
        }
        _ => escaped(&value.to_string()),
    }
}

fn write_field(field: &Field, owner: &Value, names: Names) -> Option<String> {
    let value = owner.get(field.name);
    let (name, value) = match names {
        Names::Api => (field.name.into(), value?),
        Names::Own => (field.go_name(), value.unwrap_or(&Value::Null)),
    };
    Some(format!("\"{name}\":{}", write(&field.shape, value, names)))
}

/// JSON that may stand in a web page.
fn escaped(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// A value of a type whose fields have the names of the programming language, or others that differ in case only.
pub(super) fn with_api_names(shape: &Shape, value: &Value) -> Value {
    match (shape, value) {
        (Shape::Object(name), Value::Object(members)) => {
            let fields = types::find(name).map(|own| own.fields.as_slice()).unwrap_or_default();
            let named = members.iter().filter(|(_, value)| !value.is_null()).filter_map(|(name, value)| {
                let field = fields.iter().find(|field| field.go_name().eq_ignore_ascii_case(name))?;
                Some((field.name.to_owned(), with_api_names(&field.shape, value)))
            });
            Value::Object(named.collect())
        }
        (Shape::List(_, item), Value::Array(items)) => {
            items.iter().map(|value| with_api_names(item, value)).collect()
        }
        _ => value.clone(),
    }
}

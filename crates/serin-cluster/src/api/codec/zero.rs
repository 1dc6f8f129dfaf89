//! Zero values of types, and the rules by which objects omit them.

use serde_json::{Map, Value, json};

use serin_kubernetes::types::{self, Field, Shape, Type};

/// The object of a type in which nothing is set; an empty one where the type is not known.
pub(in crate::api) fn empty(type_name: &str) -> Value {
    types::find(type_name).map_or_else(|| json!({}), |own| zero(&Shape::Object(own.name)))
}

/// Writes an object's values, and those that are not set, as far as they are not left out.
pub(super) fn write(own: &'static Type, values: &mut Map<String, Value>, object: &mut Map<String, Value>) {
    for field in &own.fields {
        match (field.name, &field.shape) {
            ("", Shape::Object(inner)) => {
                if let Some(inner) = types::find(inner) {
                    write(inner, values, object);
                }
            }
            (name, shape) => {
                let set = values.remove(name);
                let value = match set {
                    Some(value) => value,
                    None if field.is_pointer => Value::Null,
                    None => zero(shape),
                };
                if !is_left_out(field, &value) {
                    object.insert(name.to_owned(), value);
                }
            }
        }
    }
}

fn is_left_out(field: &Field, value: &Value) -> bool {
    if field.omits_zero && value.is_null() {
        return true;
    }
    if !field.omits_empty {
        return false;
    }
    if field.is_pointer {
        return value.is_null();
    }
    match &field.shape {
        Shape::Text(_) => value == "",
        Shape::Truth => value == false,
        Shape::Int32 | Shape::Int64 => value == 0,
        Shape::Float => value.as_f64() == Some(0.0),
        Shape::Bytes => value == "" || value.is_null(),
        Shape::List(..) => value.as_array().is_none_or(Vec::is_empty),
        Shape::Map(..) => value.as_object().is_none_or(Map::is_empty),
        // What has fields of its own is never empty.
        Shape::Quantity
        | Shape::Time
        | Shape::MicroTime
        | Shape::IntOrText
        | Shape::Any
        | Shape::Object(_) => false,
    }
}

/// What a field holds that is not set.
pub(super) fn zero(shape: &Shape) -> Value {
    match shape {
        Shape::Text(_) => "".into(),
        Shape::Truth => false.into(),
        Shape::Int32 | Shape::Int64 | Shape::Float | Shape::IntOrText => 0.into(),
        Shape::Quantity => "0".into(),
        Shape::Bytes | Shape::Time | Shape::MicroTime | Shape::Any | Shape::List(..) | Shape::Map(..) => {
            Value::Null
        }
        Shape::Object(name) => {
            let mut object = Map::new();
            if let Some(own) = types::find(name) {
                write(own, &mut Map::new(), &mut object);
            }
            object.into()
        }
    }
}

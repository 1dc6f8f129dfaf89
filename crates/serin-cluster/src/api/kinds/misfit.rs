//! What in an applied configuration a built-in kind has no place for.

use serde_json::Value;

use crate::api::codec;
use crate::api::lists::{ListType, Lists};
use crate::api::misfit::{no, no_number, no_text, place, undeclared};
use serin_kubernetes::types::{self, Field, Inside, Shape, Type};

/// The first thing in an object of a type that has no place in it.
pub(super) fn find(type_name: &str, lists: &dyn Lists, object: &Value) -> Option<String> {
    let own = types::find(type_name)?;
    let mut walk = Walk { lists, names: Vec::new() };
    let fields = object.as_object().into_iter().flatten();
    let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind"));
    fields.map(|(name, value)| walk.field(own, name, value, "")).find_map(|misfit| misfit)
}

/// The first thing in the metadata of an object that has no place there, whatever the kind of the object.
pub(in crate::api) fn of_metadata(lists: &dyn Lists, metadata: &Value) -> Option<String> {
    let mut walk = Walk { lists, names: vec!["metadata".to_owned()] };
    walk.misfit(&Shape::Object("meta/v1.ObjectMeta"), metadata, ".metadata")
}

struct Walk<'a> {
    lists: &'a dyn Lists,
    /// The fields that lead to where it is.
    names: Vec<String>,
}

impl Walk<'_> {
    fn field(&mut self, own: &Type, name: &str, value: &Value, path: &str) -> Option<String> {
        let path = format!("{path}.{name}");
        let Some(field) = field(own, name) else { return Some(undeclared(&path)) };
        self.within(name, |walk| walk.misfit(&field.shape, value, &path))
    }

    fn within<T>(&mut self, name: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.names.push(name.to_owned());
        let found = look(self);
        self.names.pop();
        found
    }

    fn misfit(&mut self, shape: &Shape, value: &Value, path: &str) -> Option<String> {
        match (shape, value) {
            (_, Value::Null)
            | (Shape::Any | Shape::Quantity | Shape::Time | Shape::MicroTime | Shape::IntOrText, _)
            | (Shape::Text(_) | Shape::Bytes, Value::String(_))
            | (Shape::Truth, Value::Bool(_))
            | (Shape::Int32 | Shape::Int64 | Shape::Float, Value::Number(_)) => None,
            (Shape::Text(_) | Shape::Bytes, _) => Some(no_text(path, value)),
            (Shape::Truth, _) => Some(no("boolean", path, value)),
            (Shape::Int32 | Shape::Int64 | Shape::Float, _) => Some(no_number(path, value)),
            (Shape::Object(name), Value::Object(fields)) => {
                let own = types::find(name)?;
                fields.iter().find_map(|(name, value)| self.field(own, name, value, path))
            }
            (Shape::Map(_, inner), Value::Object(values)) => values.iter().find_map(|(key, value)| {
                self.within(key, |walk| walk.misfit(inner, value, &format!("{path}.{key}")))
            }),
            (Shape::Object(_) | Shape::Map(..), _) => Some(no("map", path, value)),
            (Shape::List(_, item), Value::Array(values)) => {
                let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
                let keys = match self.lists.list_type(&names) {
                    ListType::Map(keys) => keys,
                    ListType::Atomic | ListType::Set => Vec::new(),
                };
                let places = values.iter().enumerate();
                let places: Vec<String> =
                    places.map(|(index, value)| place(self.lists, &names, &keys, index, value)).collect();
                let mut items = values.iter().zip(places);
                items.find_map(|(value, place)| self.misfit(item, value, &format!("{path}{place}")))
            }
            (Shape::List(..), _) => Some(no("list", path, value)),
        }
    }
}

fn field(own: &Type, name: &str) -> Option<&'static Field> {
    let own = types::find(own.name)?;
    own.fields.iter().find(|field| field.name == name).or_else(|| {
        own.fields.iter().filter(|field| field.name.is_empty()).find_map(|within| {
            match within.shape.inside() {
                Inside::Type(inner) => field(types::find(inner)?, name),
                Inside::Each(_) | Inside::Nothing => None,
            }
        })
    })
}

/// A type that is no kind of its own: nothing in it is merged.
pub(in crate::api) struct Plain(pub(in crate::api) &'static str);

impl Lists for Plain {
    fn list_type(&self, _path: &[&str]) -> ListType {
        ListType::Atomic
    }

    fn merge_key(&self, _path: &[&str]) -> Option<&str> {
        None
    }

    fn is_atomic_map(&self, _path: &[&str]) -> bool {
        false
    }

    fn empty(&self) -> Value {
        codec::empty(self.0)
    }

    fn misfit(&self, configuration: &Value) -> Option<String> {
        find(self.0, self, configuration)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::find as kind;

    #[test]
    fn what_has_no_place_is_named() {
        use super::Lists;
        let set = kind("apps", "v1", "replicasets").unwrap();
        let containers = |container| json!({"spec": {"template": {"spec": {"containers": [container]}}}});
        for (object, expected) in [
            (json!({"status": {"bogus": 1}}), ".status.bogus: field not declared in schema"),
            (
                json!({"spec": {"replicas": "3"}}),
                ".spec.replicas: expected numeric (int or float), got string",
            ),
            (json!({"spec": "x"}), ".spec: expected map, got &{x}"),
            (
                json!({"metadata": {"labels": {"a": 1}}}),
                ".metadata.labels.a: expected string, got &value.valueUnstructured{Value:1}",
            ),
            (
                containers(json!({"name": "c", "tty": "yes"})),
                ".spec.template.spec.containers[name=\"c\"].tty: expected boolean, got &{yes}",
            ),
        ] {
            assert_eq!(set.misfit(&object).as_deref(), Some(expected));
        }
        let whole = json!({"kind": "ReplicaSet", "spec": {"replicas": null, "template": {"spec": {"volumes": [
            {"name": "v", "emptyDir": {"sizeLimit": "1Gi"}}]}}}});
        assert_eq!(set.misfit(&whole), None);
    }
}

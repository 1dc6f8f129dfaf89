//! The lists and maps of a custom resource.

use serde_json::Value;

use super::super::kinds;
use super::super::lists::{ListType, Lists};
use super::super::misfit::{no, no_number, no_text, place, undeclared};
use super::Schema;
use super::kind::Kind;
use super::node::Node;

impl Schema {
    /// The schema at `path`, of a list rather than of its items.
    fn find(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(&self.root, |node, name| items(node).field(name))
    }
}

/// The schema of the items of a list, or what is no list.
fn items(node: &Node) -> &Node {
    node.items.as_deref().map_or(node, items)
}

impl Lists for Schema {
    fn list_type(&self, path: &[&str]) -> ListType {
        match path {
            ["metadata", "finalizers"] => ListType::Set,
            ["metadata", "ownerReferences"] => ListType::Map(vec!["uid".to_owned()]),
            _ => self.find(path).and_then(|node| node.list_type.clone()).unwrap_or(ListType::Atomic),
        }
    }

    /// None: custom resources have no strategic merge patches.
    fn merge_key(&self, _path: &[&str]) -> Option<&str> {
        None
    }

    fn is_atomic_map(&self, path: &[&str]) -> bool {
        path == ["metadata", "ownerReferences"]
            || self.find(path).is_some_and(|node| items(node).is_atomic_map)
    }

    fn is_free_key(&self, path: &[&str]) -> bool {
        match path {
            [] | ["apiVersion" | "kind" | "metadata"] | ["metadata", _] => false,
            [parents @ .., name] => {
                self.find(parents).is_none_or(|parent| !items(parent).properties.contains_key(*name))
            }
        }
    }

    fn key_default(&self, path: &[&str], key: &str) -> Option<Value> {
        if path == ["metadata", "ownerReferences"] {
            return Some("".into());
        }
        items(self.find(path)?).properties.get(key)?.default.clone()
    }

    fn misfit(&self, configuration: &Value) -> Option<String> {
        if let Some(misfit) = kinds::metadata_misfit(self, &configuration["metadata"]) {
            return Some(misfit);
        }
        let fields = configuration.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
        let mut walk = Misfits { lists: self, names: Vec::new() };
        fields.map(|(name, value)| walk.field(&self.root, name, value, "")).find_map(|misfit| misfit)
    }
}

/// The search for what has no place in a schema.
struct Misfits<'a> {
    lists: &'a Schema,
    /// The fields that lead to where it is.
    names: Vec<&'a str>,
}

impl<'a> Misfits<'a> {
    fn field(&mut self, node: &Node, name: &'a str, value: &'a Value, path: &str) -> Option<String> {
        let path = format!("{path}.{name}");
        match node.field(name) {
            Some(node) => {
                self.names.push(name);
                let misfit = self.misfit(node, value, &path);
                self.names.pop();
                misfit
            }
            None if node.keeps(name) => None,
            None => Some(undeclared(&path)),
        }
    }

    /// The first thing in `value` that has no place in the schema.
    fn misfit(&mut self, node: &Node, value: &'a Value, path: &str) -> Option<String> {
        let is_free = node.keeps_unknown || node.is_int_or_string || value.is_null();
        match (node.kind, value) {
            (_, Value::Object(fields)) if matches!(node.kind, Some(Kind::Object) | None) => {
                fields.iter().find_map(|(name, value)| self.field(node, name, value, path))
            }
            (Some(Kind::Array), Value::Array(values)) => {
                let of_items = node.items.as_deref()?;
                let keys =
                    if let Some(ListType::Map(keys)) = &node.list_type { keys.as_slice() } else { &[] };
                values.iter().enumerate().find_map(|(index, item)| {
                    let place = place(self.lists, &self.names, keys, index, item);
                    self.misfit(of_items, item, &format!("{path}{place}"))
                })
            }
            (None, _) => None,
            _ if is_free => None,
            (Some(Kind::Integer | Kind::Number), value) if !value.is_number() => Some(no_number(path, value)),
            (Some(Kind::String), value) if !value.is_string() => Some(no_text(path, value)),
            (Some(Kind::Boolean), value) if !value.is_boolean() => Some(no("boolean", path, value)),
            (Some(Kind::Array), value) => Some(no("list", path, value)),
            (Some(Kind::Object), value) => Some(no("map", path, value)),
            (Some(_), _) => None,
        }
    }
}

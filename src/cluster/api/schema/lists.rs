//! The lists and maps of a custom resource.

use serde_json::Value;

use super::super::lists::{ListType, Lists};
use super::Schema;
use super::node::{Kind, Node};
use super::prune::METADATA;

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
        self.find(path).is_some_and(|node| node.is_atomic_map)
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
        items(self.find(path)?).properties.get(key)?.default.clone()
    }

    fn misfit(&self, configuration: &Value) -> Option<String> {
        let metadata = configuration["metadata"].as_object();
        let unknown = metadata.into_iter().flatten().find(|(name, _)| !METADATA.contains(&name.as_str()));
        if let Some((name, _)) = unknown {
            return Some(format!(".metadata.{name}: field not declared in schema"));
        }
        let fields = configuration.as_object().into_iter().flatten();
        let fields = fields.filter(|(name, _)| !matches!(name.as_str(), "apiVersion" | "kind" | "metadata"));
        fields.map(|(name, value)| field_misfit(&self.root, name, value, "")).find_map(|misfit| misfit)
    }
}

fn field_misfit(node: &Node, name: &str, value: &Value, path: &str) -> Option<String> {
    let path = format!("{path}.{name}");
    match node.field(name) {
        Some(node) => misfit(node, value, &path),
        None if node.keeps(name) => None,
        None => Some(format!("{path}: field not declared in schema")),
    }
}

/// The first thing in `value` that has no place in the schema.
fn misfit(node: &Node, value: &Value, path: &str) -> Option<String> {
    let unfit = |wanted: &str, shown: String| Some(format!("{path}: expected {wanted}, got {shown}"));
    let is_free = node.keeps_unknown || node.is_int_or_string || value.is_null();
    match (node.kind, value) {
        (_, Value::Object(fields)) if matches!(node.kind, Some(Kind::Object) | None) => {
            fields.iter().find_map(|(name, value)| field_misfit(node, name, value, path))
        }
        (Some(Kind::Array), Value::Array(values)) => {
            let of_items = node.items.as_deref()?;
            let keys = if let Some(ListType::Map(keys)) = &node.list_type { keys.as_slice() } else { &[] };
            values.iter().enumerate().find_map(|(index, item)| {
                misfit(of_items, item, &format!("{path}{}", place(keys, index, item)))
            })
        }
        (None, _) => None,
        _ if is_free => None,
        (Some(Kind::Integer | Kind::Number), value) if !value.is_number() => {
            unfit("numeric (int or float)", go_type(value).to_owned())
        }
        (Some(Kind::String), value) if !value.is_string() => {
            unfit("string", format!("&value.valueUnstructured{{Value:{value}}}"))
        }
        (Some(Kind::Boolean), value) if !value.is_boolean() => {
            unfit("boolean", format!("&{{{}}}", plain(value)))
        }
        (Some(Kind::Array), value) => unfit("list", format!("&{{{}}}", plain(value))),
        (Some(Kind::Object), value) => unfit("map", format!("&{{{}}}", plain(value))),
        (Some(_), _) => None,
    }
}

/// Where an item stands: `[name="a"]`, or `[0]` where it has no keys.
fn place(keys: &[String], index: usize, item: &Value) -> String {
    let keys: Vec<String> =
        keys.iter().filter_map(|key| item.get(key).map(|value| format!("{key}={value}"))).collect();
    if keys.is_empty() { format!("[{index}]") } else { format!("[{}]", keys.join(",")) }
}

fn go_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

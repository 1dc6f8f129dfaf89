//! Facts about patches, each as a real API server shows it.

mod apply;
mod strategic;

use serde_json::Value;

use super::super::lists::{ListType, Lists};

/// The lists of a Deployment, as far as the tests need them.
struct Deployment;

impl Lists for Deployment {
    fn list_type(&self, path: &[&str]) -> ListType {
        let map = |keys: &[&str]| ListType::Map(keys.iter().map(|key| (*key).to_owned()).collect());
        match path {
            [.., "containers" | "env"] => map(&["name"]),
            [.., "ports"] => map(&["containerPort", "protocol"]),
            [.., "conditions"] => map(&["type"]),
            ["metadata", "finalizers"] => ListType::Set,
            ["metadata", "ownerReferences"] => map(&["uid"]),
            _ => ListType::Atomic,
        }
    }

    fn merge_key(&self, path: &[&str]) -> Option<&str> {
        match path {
            [.., "containers" | "env" | "volumes"] => Some("name"),
            [.., "ports"] => Some("containerPort"),
            ["metadata", "finalizers"] => Some(""),
            _ => None,
        }
    }

    fn is_atomic_map(&self, path: &[&str]) -> bool {
        matches!(path, ["spec", "selector"])
    }

    fn key_default(&self, path: &[&str], key: &str) -> Option<Value> {
        (path.last() == Some(&"ports") && key == "protocol").then(|| Value::from("TCP"))
    }

    fn misfit(&self, configuration: &Value) -> Option<String> {
        configuration.pointer("/spec/foo").map(|_| ".spec.foo: field not declared in schema".to_owned())
    }
}

//! How lists and maps inside of objects are merged: by whom their items are told apart.
//!
//! `lists.txt` is the compact table of the built-in types, made from the OpenAPI documents of a real API server by
//! `cargo run --example kind-tables`. Each line is a type and its fields that are not plain:
//!
//! ```text
//! TYPE FIELD[!][=set|=map:KEY[:DEFAULT],...][~KEY][^][>[*]TYPE] ...
//! ```
//!
//! `!`: the object, or each item, is one value with one owner. `=`: the list type; atomic where absent. `~`: strategic
//! merge patches merge the list by that key (`~` alone: a list of scalars). `^`: a patch names the keys to retain.
//! `>`: the type of the field or of its items; `>*`: of the values of a map.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::Kind;
use crate::api::lists::{ListType, Lists};
use crate::api::{codec, conversion};

/// What is known of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct Field {
    /// The object, or each item, is one value.
    pub(in crate::api) is_atomic: bool,
    /// Whose items are told apart how.
    pub(in crate::api) list: Items,
    /// How strategic merge patches tell items apart.
    pub(in crate::api) merge_key: Option<String>,
    /// Whether strategic merge patches name the keys to retain.
    pub(in crate::api) retains_keys: bool,
    /// The type of the field, of its items, or of its values.
    target: Option<Target>,
}

/// How the items of a list are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Items {
    /// Not at all, or the field is no list.
    Whole,
    /// By themselves.
    Set,
    /// By these fields, each with what it means where it is absent.
    By(Vec<(String, Option<String>)>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Own(String),
    Values(String),
}

type Types = BTreeMap<&'static str, BTreeMap<&'static str, Field>>;

/// Every built-in type that has a field of note.
pub(in crate::api) fn types() -> &'static Types {
    static TYPES: LazyLock<Types> = LazyLock::new(|| include_str!("lists.txt").lines().map(parse).collect());
    &TYPES
}

fn parse(line: &'static str) -> (&'static str, BTreeMap<&'static str, Field>) {
    let mut words = line.split(' ');
    let name = words.next().unwrap_or_default();
    (name, words.map(parse_field).collect())
}

fn parse_field(word: &'static str) -> (&'static str, Field) {
    let (word, target) = word.split_once('>').map_or((word, None), |(word, target)| (word, Some(target)));
    let (word, retains_keys) = word.strip_suffix('^').map_or((word, false), |word| (word, true));
    let (word, merge_key) = word.split_once('~').map_or((word, None), |(word, key)| (word, Some(key)));
    let (word, list) = word.split_once('=').unwrap_or((word, ""));
    let (name, is_atomic) = word.strip_suffix('!').map_or((word, false), |name| (name, true));
    let list = match list.strip_prefix("map:") {
        Some(keys) => Items::By(keys.split(',').map(parse_key).collect()),
        None if list == "set" => Items::Set,
        None => Items::Whole,
    };
    let target = target.map(|name| match name.strip_prefix('*') {
        Some(name) => Target::Values(name.to_owned()),
        None => Target::Own(name.to_owned()),
    });
    (name, Field { is_atomic, list, merge_key: merge_key.map(str::to_owned), retains_keys, target })
}

fn parse_key(key: &str) -> (String, Option<String>) {
    let (name, default) = key.split_once(':').map_or((key, None), |(name, default)| (name, Some(default)));
    (name.to_owned(), default.map(str::to_owned))
}

impl Kind {
    /// What is known of the field at `path`, following the types from that of the kind on.
    fn field(&self, path: &[&str]) -> Option<&'static Field> {
        let root = if self.definition.is_some() { None } else { types().get(self.type_name().as_str()) };
        // Every object has the same metadata, those of custom resources, too.
        let (mut fields, mut path) = match (root, path.split_first()) {
            (None, Some((&"metadata", rest))) => (types().get(OBJECT_META)?, rest),
            (root, _) => (root?, path),
        };
        loop {
            let (name, rest) = path.split_first()?;
            let field = fields.get(*name)?;
            if rest.is_empty() {
                return Some(field);
            }
            let type_name;
            (type_name, path) = match field.target.as_ref()? {
                Target::Own(name) => (name, rest),
                Target::Values(name) => (name, &rest[1..]),
            };
            fields = types().get(type_name.as_str())?;
        }
    }
}

const OBJECT_META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// For built-in kinds; of a custom resource it knows the metadata only, its schema knows the rest.
impl Lists for Kind {
    fn list_type(&self, path: &[&str]) -> ListType {
        match self.field(path).map(|field| &field.list) {
            Some(Items::By(keys)) => ListType::Map(keys.iter().map(|(name, _)| name.clone()).collect()),
            Some(Items::Set) => ListType::Set,
            Some(Items::Whole) | None => ListType::Atomic,
        }
    }

    fn merge_key(&self, path: &[&str]) -> Option<&str> {
        self.field(path)?.merge_key.as_deref()
    }

    fn is_atomic_map(&self, path: &[&str]) -> bool {
        self.field(path).is_some_and(|field| field.is_atomic)
    }

    fn is_free_key(&self, path: &[&str]) -> bool {
        let Some((_, parents)) = path.split_last() else { return false };
        matches!(self.field(parents), Some(Field { target: Some(Target::Values(_)), .. }))
    }

    fn has_version(&self, api_version: &str) -> bool {
        self.api_version() == api_version || conversion::in_version(self, api_version).is_some()
    }

    fn in_version(&self, object: &Value, api_version: &str) -> Option<(Arc<dyn Lists>, Value)> {
        let (kind, object) = conversion::between(self, object, api_version)?;
        Some((Arc::new(kind.clone()), object))
    }

    fn empty(&self) -> Value {
        codec::empty(&self.table_name())
    }

    fn misfit(&self, configuration: &Value) -> Option<String> {
        super::misfit::find(&self.table_name(), self, configuration)
    }

    fn key_default(&self, path: &[&str], key: &str) -> Option<Value> {
        let Items::By(keys) = &self.field(path)?.list else { return None };
        let (_, default) = keys.iter().find(|(name, _)| name == key)?;
        // The default of a number is one.
        default
            .as_ref()
            .map(|text| text.parse().map_or_else(|_| text.as_str().into(), |number: i64| number.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::find;
    use super::*;

    #[test]
    fn lists_of_built_in_kinds_are_known_by_path() {
        let sets = find("apps", "v1", "replicasets").unwrap();
        let pod = ["spec", "template", "spec"];
        let path = |rest: &[&'static str]| [&pod[..], rest].concat();
        let map = |keys: &[&str]| ListType::Map(keys.iter().map(|&key| key.to_owned()).collect());
        assert_eq!(sets.list_type(&path(&["containers"])), map(&["name"]));
        let ports = path(&["containers", "ports"]);
        assert_eq!(sets.list_type(&ports), map(&["containerPort", "protocol"]));
        assert_eq!(sets.merge_key(&ports), Some("containerPort"));
        assert_eq!(sets.key_default(&ports, "protocol"), Some("TCP".into()));
        assert_eq!(sets.key_default(&ports, "containerPort"), Some(0.into()));
        assert_eq!(sets.key_default(&path(&["containers"]), "name"), Some("".into()));
        assert_eq!(sets.key_default(&ports, "hostPort"), None);
        assert_eq!(sets.list_type(&path(&["containers", "command"])), ListType::Atomic);
        assert_eq!(sets.merge_key(&path(&["tolerations"])), None);
        assert!(sets.is_atomic_map(&["spec", "selector"]));
        assert!(sets.is_atomic_map(&path(&["nodeSelector"])));
        assert!(!sets.is_atomic_map(&path(&["containers", "resources"])));
    }

    #[test]
    fn metadata_is_known_of_every_kind() {
        let path = ["metadata", "finalizers"];
        let custom = Kind { definition: Some("things.example.com".to_owned()), ..built_in() };
        for kind in [&built_in(), &custom] {
            assert_eq!(kind.list_type(&path), ListType::Set);
            assert_eq!(kind.merge_key(&path), Some(""));
            let owners = ["metadata", "ownerReferences"];
            assert_eq!(kind.list_type(&owners), ListType::Map(vec!["uid".to_owned()]));
            assert!(kind.is_atomic_map(&owners));
        }
        assert_eq!(custom.list_type(&["spec", "containers"]), ListType::Atomic);
    }

    fn built_in() -> Kind {
        find("", "v1", "pods").unwrap().clone()
    }

    #[test]
    fn maps_have_their_keys_in_paths() {
        let definitions = find("apiextensions.k8s.io", "v1", "customresourcedefinitions").unwrap();
        let path = [
            "spec",
            "versions",
            "schema",
            "openAPIV3Schema",
            "properties",
            "spec",
            "x-kubernetes-validations",
        ];
        assert_eq!(definitions.list_type(&path), ListType::Map(vec!["rule".to_owned()]));
    }
}

//! What a patch has to know of the lists and maps of a kind.
//!
//! Built-in kinds implement [`Lists`] from their table, custom resources from their compiled schema. It stands in a
//! module of its own because both, and the patches, depend on it.

use std::sync::Arc;

use serde_json::{Value, json};

/// How the items of a list belong to each other: `x-kubernetes-list-type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListType {
    /// One value: replaced, and owned, whole.
    Atomic,
    /// Scalars of which each occurs once; each has owners of its own.
    Set,
    /// Objects that are told apart by the values of these fields, in the order of the schema.
    Map(Vec<String>),
}

/// The lists and maps of one kind.
///
/// A path is the names of the fields from the root of the object. The items of a list contribute nothing to it: the
/// ports of the containers of a pod are `["spec", "containers", "ports"]`. The keys of a map do: a label is
/// `["metadata", "labels", "app"]`.
pub trait Lists {
    /// The type of the list at `path`; [`ListType::Atomic`] where nothing is known.
    fn list_type(&self, path: &[&str]) -> ListType;

    /// How a strategic merge patch merges the list at `path`: by the value of this field of its items, as a set of
    /// scalars where it is empty, and where there is none the list is replaced.
    fn merge_key(&self, path: &[&str]) -> Option<&str>;

    /// Whether the map at `path`, or each item of the list there, is one value (`x-kubernetes-map-type: atomic`).
    fn is_atomic_map(&self, path: &[&str]) -> bool;

    /// Whether the last name of `path` is a key that the user chose (`additionalProperties`, or a field that no schema
    /// knows) and not a field of the kind.
    ///
    /// It is of importance only where maps or lists stand at such keys: the default is right where scalars do.
    fn is_free_key(&self, path: &[&str]) -> bool {
        let _ = path;
        false
    }

    /// What `key` is in an item of the list at `path` that does not say it, such as TCP for the protocol of a port.
    fn key_default(&self, path: &[&str], key: &str) -> Option<Value> {
        let _ = (path, key);
        None
    }

    /// Whether the kind is served in that version; owners in another are forgotten with the next write.
    fn has_version(&self, api_version: &str) -> bool {
        let _ = api_version;
        true
    }

    /// An object of the kind in another of its versions, and the lists of that version; nothing where the versions
    /// differ in their name alone.
    fn in_version(&self, object: &Value, api_version: &str) -> Option<(Arc<dyn Lists>, Value)> {
        let _ = (object, api_version);
        None
    }

    /// An object of the kind in which nothing is set.
    fn empty(&self) -> Value {
        json!({})
    }

    /// The first thing in an applied configuration that the kind has no place for, as a path and what is wrong, such
    /// as `.spec.foo: field not declared in schema`.
    fn misfit(&self, configuration: &Value) -> Option<String> {
        let _ = configuration;
        None
    }
}

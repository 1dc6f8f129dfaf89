//! An object of any kind, as JSON, with what actors read of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

/// Where an object is: resource, namespace and name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Plural name and group, as in the names of CRDs: `pods`, `replicasets.apps`.
    pub resource: Arc<str>,
    /// Namespace, empty for objects of the cluster.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Place {
    /// The place of `name` in `namespace`.
    #[must_use]
    pub fn new(resource: &str, namespace: &str, name: &str) -> Self {
        Self { resource: resource.into(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Plural name and group.
    #[must_use]
    pub fn parts(&self) -> (&str, &str) {
        self.resource.split_once('.').unwrap_or((&self.resource, ""))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.resource, self.namespace, self.name)
    }
}

/// An entry of `metadata.ownerReferences`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// `apiVersion`.
    pub api_version: &'a str,
    /// `kind`.
    pub kind: &'a str,
    /// `name`.
    pub name: &'a str,
    /// `uid`.
    pub uid: &'a str,
    /// `controller`.
    pub is_controller: bool,
    /// `blockOwnerDeletion`.
    pub is_blocking: bool,
}

/// An object, shared; without `managedFields`, which no actor reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Object(Arc<Value>);

impl Object {
    /// The object that `json` is.
    #[must_use]
    pub fn new(mut json: Value) -> Self {
        if let Some(metadata) = json.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("managedFields");
        }
        Self(Arc::new(json))
    }

    /// All of it.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0
    }

    /// The value at a JSON pointer; null where there is none.
    #[must_use]
    pub fn at(&self, pointer: &str) -> &Value {
        self.0.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The text at a JSON pointer; empty where there is none.
    #[must_use]
    pub fn text(&self, pointer: &str) -> &str {
        self.at(pointer).as_str().unwrap_or_default()
    }

    /// The number at a JSON pointer.
    #[must_use]
    pub fn integer(&self, pointer: &str) -> Option<i64> {
        self.at(pointer).as_i64()
    }

    /// The time at a JSON pointer.
    #[must_use]
    pub fn time(&self, pointer: &str) -> Option<Timestamp> {
        self.at(pointer).as_str()?.parse().ok()
    }

    /// The list at a JSON pointer; empty where there is none.
    pub fn list(&self, pointer: &str) -> impl Iterator<Item = &Value> {
        self.at(pointer).as_array().into_iter().flatten()
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `metadata.namespace`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// `metadata.uid`.
    #[must_use]
    pub fn uid(&self) -> &str {
        self.text("/metadata/uid")
    }

    /// `metadata.resourceVersion`.
    #[must_use]
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// `metadata.resourceVersion` as the number that it is; 0 where it is none.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.resource_version().parse().unwrap_or(0)
    }

    /// Whether it is being deleted.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        !self.at("/metadata/deletionTimestamp").is_null()
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> impl Iterator<Item = &str> {
        self.list("/metadata/finalizers").filter_map(Value::as_str)
    }

    /// `metadata.labels`.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        texts(self.at("/metadata/labels"))
    }

    /// The label `key`.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.at("/metadata/labels").get(key)?.as_str()
    }

    /// The annotation `key`.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.at("/metadata/annotations").get(key)?.as_str()
    }

    /// `metadata.ownerReferences`.
    pub fn owners(&self) -> impl Iterator<Item = Owner<'_>> {
        self.list("/metadata/ownerReferences").map(|owner| {
            let text = |field| owner.get(field).and_then(Value::as_str).unwrap_or_default();
            let flag = |field| owner.get(field).and_then(Value::as_bool).unwrap_or(false);
            Owner {
                api_version: text("apiVersion"),
                kind: text("kind"),
                name: text("name"),
                uid: text("uid"),
                is_controller: flag("controller"),
                is_blocking: flag("blockOwnerDeletion"),
            }
        })
    }

    /// The owner that controls it.
    #[must_use]
    pub fn controller(&self) -> Option<Owner<'_>> {
        self.owners().find(|owner| owner.is_controller)
    }

    /// The entry of `status.conditions` of this type.
    #[must_use]
    pub fn condition(&self, kind: &str) -> Option<&Value> {
        self.list("/status/conditions").find(|condition| condition["type"] == kind)
    }

    /// Whether the condition of this type is `True`.
    #[must_use]
    pub fn is_true(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|condition| condition["status"] == "True")
    }
}

/// A map of texts; what is no text is left out.
#[must_use]
pub fn texts(map: &Value) -> BTreeMap<String, String> {
    let entries = map.as_object().into_iter().flatten();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

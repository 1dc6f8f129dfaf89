//! The names by which objects are known, and objects that stay JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::kind::ObjectKind;

/// Namespace and name of an object; with its kind it says which object is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ObjectKey {
    /// The key of the object `name` in `namespace`.
    #[must_use]
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The object of that key and `kind`.
    #[must_use]
    pub fn of_kind(self, kind: ObjectKind) -> ObjectRef {
        ObjectRef { kind, key: self }
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Which object is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its namespace and name.
    pub key: ObjectKey,
}

impl ObjectRef {
    /// The object `name` of `kind` in `namespace`.
    #[must_use]
    pub fn new(kind: ObjectKind, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind, key: ObjectKey::new(namespace, name) }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.name(), self.key)
    }
}

/// Objects as JSON, as the API server has them but for what no decision reads. Those that do not exist are absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objects(BTreeMap<ObjectRef, Value>);

impl Objects {
    /// The object, if it exists.
    #[must_use]
    pub fn get(&self, kind: ObjectKind, namespace: &str, name: &str) -> Option<&Value> {
        self.0.get(&ObjectRef::new(kind, namespace, name))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&ObjectRef, &Value)> {
        self.0.iter()
    }
}

impl FromIterator<(ObjectRef, Value)> for Objects {
    fn from_iter<T: IntoIterator<Item = (ObjectRef, Value)>>(objects: T) -> Self {
        Self(objects.into_iter().collect())
    }
}

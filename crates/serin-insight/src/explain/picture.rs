//! The input of an explanation: plain Kubernetes objects at one point in time, read from a cluster or from a saved
//! file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use serin_core::api::keys;
use serin_core::domain::object::ObjectKey;
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::snapshot::Remembered;
use serin_machine::cache::Closed;
use serin_machine::caches::Caches;
use serin_machine::kinds::{self, Demand, Labels};
use serin_machine::object::RawObject;
use serin_machine::observe::{Observed, observe};

/// The objects for an explanation. Its file format is a Kubernetes List with one additional field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    api_version: String,
    kind: String,
    /// The subject of the list.
    pub explain: About,
    /// The objects, each with `apiVersion` and `kind`.
    pub items: Vec<Value>,
}

/// The Rollout of a picture, and the time of the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub rollout: String,
    /// The time at which the objects were read.
    pub time: Timestamp,
    /// The resources that could not be read, by name, with the API server's message.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<String, String>,
}

impl Picture {
    /// Returns a picture without objects.
    #[must_use]
    pub fn new(namespace: &str, rollout: &str, time: Timestamp) -> Self {
        let (namespace, rollout) = (namespace.to_owned(), rollout.to_owned());
        let explain = About { namespace, rollout, time, unread: BTreeMap::new() };
        Self { api_version: "v1".to_owned(), kind: "List".to_owned(), explain, items: Vec::new() }
    }

    /// Reads a saved picture. Returns an error with the problem and its place.
    pub fn from_value(value: &Value) -> Result<Self, String> {
        if value.get("explain").is_none() {
            return Err("missing field `explain`: expected a file written by `explain --save`".to_owned());
        }
        let picture: Self = serde_path_to_error::deserialize(value)
            .map_err(|error| format!("{}: {}", error.path(), error.inner()))?;
        for (index, item) in picture.items.iter().enumerate() {
            for path in ["/apiVersion", "/kind", "/metadata/name"] {
                let field = path.trim_start_matches('/').replace('/', ".");
                let text = item.pointer(path).and_then(Value::as_str);
                text.ok_or_else(|| format!("items[{index}].{field}: must be a string"))?;
            }
        }
        picture.caches()?;
        let About { namespace, rollout, .. } = &picture.explain;
        match picture.find(ObjectKind::Rollout, rollout) {
            Some(_) => Ok(picture),
            None => Err(format!("contains no Rollout {rollout:?} of namespace {namespace:?}")),
        }
    }

    /// Adds objects that are not in the picture yet. Drops unused parts: managed fields, except for routers, and the
    /// copy of the manifest that `kubectl apply` stores.
    pub fn add(&mut self, objects: impl IntoIterator<Item = Value>) {
        let mut known: BTreeSet<_> = self.items.iter().map(kind_and_name).collect();
        for object in objects {
            if known.insert(kind_and_name(&object)) {
                self.items.push(without_unread(object));
            }
        }
    }

    /// The object of that kind and name.
    #[must_use]
    pub(super) fn find(&self, kind: ObjectKind, name: &str) -> Option<&Value> {
        let kind = kind.name();
        self.of_kind(kind).find(|object| object["metadata"]["name"] == name)
    }

    /// The object of that kind and name, mutable.
    pub(super) fn find_mut(&mut self, kind: ObjectKind, name: &str) -> Option<&mut Value> {
        let kind = kind.name();
        self.items.iter_mut().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
    }

    /// The Rollout of the picture, mutable.
    pub(super) fn rollout_mut(&mut self) -> Option<&mut Value> {
        let name = self.explain.rollout.clone();
        self.find_mut(ObjectKind::Rollout, &name)
    }

    /// True if objects of that resource, such as `pods`, could be read.
    #[must_use]
    pub(super) fn has_read(&self, resource: &str) -> bool {
        !self.explain.unread.contains_key(resource)
    }

    /// The readable objects of a kind, parsed.
    #[must_use]
    pub fn all<T: DeserializeOwned>(&self, kind: &str) -> Vec<T> {
        self.of_kind(kind).filter_map(|object| serde_json::from_value(object.clone()).ok()).collect()
    }

    /// The names of the objects of a kind.
    pub fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.of_kind(kind).filter_map(|object| object["metadata"]["name"].as_str())
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.items.iter().filter(move |object| object["kind"] == kind)
    }

    /// The controller's snapshot of this picture.
    pub fn observe(&self, remembered: Remembered) -> Result<Observed, String> {
        let About { namespace, rollout, .. } = &self.explain;
        Ok(observe(&ObjectKey::new(namespace, rollout), &self.caches()?, remembered))
    }

    /// The controller's caches, filled with the objects.
    fn caches(&self) -> Result<Caches, String> {
        let caches = Caches::default();
        for kind in ObjectKind::ALL {
            // The controller, too, may not have been let look at them.
            match self.explain.unread.get(kind.plural()) {
                Some(said) if kinds::row(*kind).demand == Demand::WhenNamed => {
                    caches.of(*kind).write().close(Closed::Refused(said.clone()));
                }
                Some(_) | None => self.fill(*kind, &caches)?,
            }
        }
        Ok(caches)
    }

    fn fill(&self, kind: ObjectKind, caches: &Caches) -> Result<(), String> {
        // The controller's watch does not select these objects.
        let label = (kinds::row(kind).labels == Labels::Hash).then_some(keys::POD_HASH_LABEL);
        let is_seen = |object: &Value| {
            object["kind"] == kind.name()
                && label.iter().all(|label| object["metadata"]["labels"].get(label).is_some())
        };
        let mut cache = caches.of(kind).write();
        for (index, object) in self.items.iter().enumerate().filter(|(_, one)| is_seen(one)) {
            let read = serde_path_to_error::deserialize::<_, RawObject>(object);
            let mut wire = read.map_err(|error| format!("items[{index}] ({}): {error}", kind.name()))?;
            wire.metadata.namespace = Some(self.explain.namespace.clone());
            cache.collect(wire);
        }
        cache.swap();
        Ok(())
    }
}

fn kind_and_name(object: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&object["kind"]), text(&object["metadata"]["name"]))
}

fn without_unread(mut object: Value) -> Value {
    let is_routed = object["kind"] == "Ingress";
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.remove(keys::LAST_APPLIED);
        }
        if !is_routed {
            metadata.remove("managedFields");
        }
    }
    object
}

//! Custom resource definitions: accepted at once, and gone with their objects.

use serde_json::{Value, json};

use super::super::schema;
use super::super::store::object::{at, items, set, text, time};
use super::super::store::{Key, Store};
use super::call::Call;

/// Holds a definition until its objects are gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Fills in names and says that the definition is in force: there is nobody else whose names it could take.
pub(super) fn accept(call: &Call<'_>, definition: &mut Value) {
    schema::default_definition(definition);
    let names = at(definition, &["spec", "names"]).clone();
    set(definition, &["status", "acceptedNames"], names);
    if items(definition, &["status", "conditions"]).is_empty() {
        let now = time(call.now);
        let conditions = json!([
            {"type": "NamesAccepted", "status": "True", "lastTransitionTime": now, "reason": "NoConflicts",
             "message": "no conflicts found"},
            {"type": "Established", "status": "True", "lastTransitionTime": now, "reason": "InitialNamesAccepted",
             "message": "the initial names have been accepted"},
        ]);
        set(definition, &["status", "conditions"], conditions);
    }
    let stored = items(definition, &["spec", "versions"]).iter().find(|version| version["storage"] == true);
    let name = stored.map(|version| text(version, &["name"]).to_owned()).unwrap_or_default();
    let known = items(definition, &["status", "storedVersions"]).to_vec();
    if !known.iter().any(|version| version == name.as_str()) {
        let all: Vec<Value> = known.into_iter().chain([name.into()]).collect();
        set(definition, &["status", "storedVersions"], all.into());
    }
}

impl Store {
    /// Deletes the objects of a definition that is to go, and marks those that finalizers hold.
    ///
    /// Whether none is left.
    pub(super) fn clear_objects(&mut self, definition: &Value, now: jiff::Timestamp) -> bool {
        let group = text(definition, &["spec", "group"]).to_owned();
        let plural = text(definition, &["spec", "names", "plural"]).to_owned();
        let found: Vec<(Key, Value)> = self
            .range(&group, &plural, None)
            .map(|(key, object)| (key.clone(), (**object).clone()))
            .collect();
        let mut left = false;
        for (key, mut object) in found {
            if items(&object, &["metadata", "finalizers"]).is_empty() {
                self.take(&key);
                continue;
            }
            left = true;
            if at(&object, &["metadata", "deletionTimestamp"]).is_null() {
                set(&mut object, &["metadata", "deletionTimestamp"], time(now).into());
                set(&mut object, &["metadata", "deletionGracePeriodSeconds"], 0.into());
                self.put(&key, object);
            }
        }
        !left
    }

    /// Lets a definition go whose last object has gone.
    pub(super) fn release_definition(&mut self, name: &str) {
        let key = Key::new("apiextensions.k8s.io", "customresourcedefinitions", None, name);
        let Some(definition) = self.read(&key).cloned() else {
            return;
        };
        let finalizers = items(&definition, &["metadata", "finalizers"]);
        let waits = finalizers.len() == 1 && finalizers.iter().all(|finalizer| finalizer == CLEANUP);
        let (group, plural) =
            (text(&definition, &["spec", "group"]), text(&definition, &["spec", "names", "plural"]));
        if waits && self.range(group, plural, None).next().is_none() {
            self.take(&key);
        }
    }
}

/// Makes a definition wait for its objects.
pub(super) fn wait_for_objects(definition: &mut Value) {
    let mut finalizers = items(definition, &["metadata", "finalizers"]).to_vec();
    if !finalizers.iter().any(|finalizer| finalizer == CLEANUP) {
        finalizers.push(CLEANUP.into());
        set(definition, &["metadata", "finalizers"], finalizers.into());
    }
}

//! `metadata.managedFields`: who owns which fields.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::field_set::FieldSet;

/// How many managers that did not apply are remembered; the oldest beyond are merged into one.
const UPDATERS_MAX: usize = 10;

/// The manager of what was merged.
const ANCIENT: &str = "ancient-changes";

/// How a manager came to its fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// The fields of one manager.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) manager: String,
    pub(super) operation: Operation,
    pub(super) api_version: String,
    pub(super) subresource: String,
    /// Whole seconds since the epoch.
    pub(super) time: Option<i64>,
    pub(super) fields: FieldSet,
}

impl Entry {
    /// Whether the entry is of this manager; who applies is one manager in all versions.
    pub(super) fn is_of(&self, other: &Self) -> bool {
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && (self.operation == Operation::Apply || self.api_version == other.api_version)
    }

    fn from_json(entry: &Value) -> Option<Self> {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
        let operation = match text("operation") {
            "Apply" => Operation::Apply,
            "Update" => Operation::Update,
            _ => return None,
        };
        if text("apiVersion").is_empty() || text("fieldsType") != "FieldsV1" {
            return None;
        }
        Some(Self {
            manager: text("manager").to_owned(),
            operation,
            api_version: text("apiVersion").to_owned(),
            subresource: text("subresource").to_owned(),
            time: text("time").parse::<Timestamp>().ok().map(Timestamp::as_second),
            fields: FieldSet::from_json(&entry["fieldsV1"]),
        })
    }

    fn to_json(&self) -> Value {
        let mut entry = json!({
            "operation": self.operation.as_str(),
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.to_json(),
        });
        let time = self.time.and_then(|time| Timestamp::from_second(time).ok());
        let optional = [
            ("manager", self.manager.clone()),
            ("subresource", self.subresource.clone()),
            ("time", time.map(|time| time.to_string()).unwrap_or_default()),
        ];
        for (key, value) in optional.into_iter().filter(|(_, value)| !value.is_empty()) {
            entry[key] = Value::from(value);
        }
        entry
    }
}

/// The entries of an object; nothing where one of them cannot be read. Of several of one manager the last counts.
pub(super) fn read(object: &Value) -> Option<Vec<Entry>> {
    let mut read: Vec<Entry> = Vec::new();
    for entry in object["metadata"]["managedFields"].as_array().into_iter().flatten() {
        let entry = Entry::from_json(entry)?;
        read.retain(|other| !other.is_of(&entry));
        read.push(entry);
    }
    Some(read)
}

/// Takes `metadata.managedFields` from an object.
pub(super) fn strip(object: &mut Value) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.remove("managedFields")
}

/// Whether the entries of an object ask for all to be forgotten: an empty list, or a list of one empty entry.
pub(super) fn is_reset(object: &Value) -> bool {
    match object["metadata"]["managedFields"].as_array().map(Vec::as_slice) {
        Some([]) => true,
        Some([entry]) => entry.as_object().is_some_and(Map::is_empty),
        Some(_) | None => false,
    }
}

/// Puts the entries that own anything into an object, in the order of the API server.
pub(super) fn write(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by(|a, b| {
        let key = |entry: &Entry| {
            let names = (entry.manager.clone(), entry.api_version.clone(), entry.subresource.clone());
            (entry.operation, entry.time.unwrap_or_default(), names)
        };
        key(a).cmp(&key(b))
    });
    strip(object);
    if !entries.is_empty() {
        object["metadata"]["managedFields"] = entries.iter().map(Entry::to_json).collect();
    }
}

/// Merges the oldest entries of updaters until there are no more than the API server keeps.
pub(super) fn cap(entries: &mut Vec<Entry>) {
    let is_updater = |entry: &&Entry| entry.operation == Operation::Update;
    while entries.iter().filter(is_updater).count() > UPDATERS_MAX {
        let Some(first) = oldest(entries) else { return };
        let first = entries.remove(first);
        let Some(second) = oldest(entries) else { return };
        let second = entries.remove(second);
        let bucket = Entry {
            manager: ANCIENT.to_owned(),
            subresource: String::new(),
            time: first.time.max(second.time),
            fields: first.fields.union(&second.fields),
            ..second
        };
        entries.push(bucket);
    }
}

/// The oldest entry of an updater; what was merged already counts as the oldest.
fn oldest(entries: &[Entry]) -> Option<usize> {
    let updaters = entries.iter().enumerate().filter(|(_, entry)| entry.operation == Operation::Update);
    let age =
        |entry: &Entry| (entry.manager != ANCIENT, entry.time.unwrap_or_default(), entry.manager.clone());
    updaters.min_by_key(|(_, entry)| age(entry)).map(|(index, _)| index)
}

//! The owners of the one number that a scale shows, there and back.
//!
//! A scale has `managedFields` of its own, of those who own the number in the object. What a write of the scale makes of
//! them is brought back. Who wrote the number but did not apply it is known by the version of what was written, which
//! differs between the object and its scale: so such owners come back as new ones, without a time, as in the API server.

use serde_json::{Value, json};

use super::field_set::{Element, FieldSet};
use super::managed::{self, Entry, Operation};

/// The version of scales.
const VERSION: &str = "autoscaling/v1";

/// Where a scale has the number.
const PLACE: [&str; 2] = ["spec", "replicas"];

/// `metadata.managedFields` of the scale of an object that has the number at `path`; null where nobody owns it.
#[must_use]
pub fn scale_owners(object: &Value, path: &[&str]) -> Value {
    let number = at(path);
    let owners = managed::read(object).unwrap_or_default().into_iter();
    let owners = owners.filter(|entry| !entry.fields.intersection(&number).is_empty());
    let owners = owners.map(|entry| Entry { api_version: VERSION.to_owned(), fields: at(&PLACE), ..entry });
    let mut scale = json!({});
    managed::write(&mut scale, owners.collect());
    scale["metadata"]["managedFields"].take()
}

/// Gives `object`, whose version is `version`, the owners that a write made of those of its scale.
pub fn keep_scale_owners(object: &mut Value, scale: &Value, version: &str, path: &[&str]) {
    let number = at(path);
    let mut of_scale = managed::read(scale).unwrap_or_default();
    let mut entries = Vec::new();
    for mut entry in managed::read(object).unwrap_or_default() {
        if !entry.fields.intersection(&number).is_empty() {
            match of_scale.iter().position(|other| is_one(other, &entry)) {
                Some(kept) => _ = of_scale.remove(kept),
                None => entry.fields = entry.fields.difference(&number),
            }
        }
        entries.push(entry);
    }
    let place = at(&PLACE);
    let new = of_scale.into_iter().filter(|entry| !entry.fields.intersection(&place).is_empty());
    entries.extend(new.map(|entry| Entry {
        api_version: version.to_owned(),
        fields: number.clone(),
        time: None,
        ..entry
    }));
    managed::write(object, entries);
}

fn is_one(one: &Entry, other: &Entry) -> bool {
    one.is_of(other) && (one.operation == Operation::Apply || one.api_version == other.api_version)
}

fn at(path: &[&str]) -> FieldSet {
    let mut set = FieldSet::default();
    let elements: Vec<Element> = path.iter().map(|name| Element::Field((*name).to_owned())).collect();
    set.insert(&elements);
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(manager: &str, operation: &str, version: &str, fields: &Value) -> Value {
        json!({"manager": manager, "operation": operation, "apiVersion": version, "fieldsType": "FieldsV1",
            "fieldsV1": fields, "time": "2026-01-01T00:00:00Z"})
    }

    #[test]
    fn owners_of_the_number_come_back() {
        let path = ["spec", "replicas"];
        let both = json!({"f:spec": {"f:replicas": {}, "f:paused": {}}});
        let mut object = json!({"metadata": {"managedFields": [
            entry("a", "Apply", "apps/v1", &both), entry("u", "Update", "apps/v1", &both)]}});
        let owners = scale_owners(&object, &path);
        let number = json!({"f:spec": {"f:replicas": {}}});
        let expected = json!([entry("a", "Apply", VERSION, &number), entry("u", "Update", VERSION, &number)]);
        assert_eq!(owners, expected);
        keep_scale_owners(&mut object, &json!({"metadata": {"managedFields": owners}}), "apps/v1", &path);
        let mut new = entry("u", "Update", "apps/v1", &number);
        new.as_object_mut().unwrap().remove("time");
        let rest = entry("u", "Update", "apps/v1", &json!({"f:spec": {"f:paused": {}}}));
        let expected = json!([entry("a", "Apply", "apps/v1", &both), new, rest]);
        assert_eq!(object["metadata"]["managedFields"], expected);
    }
}

//! Volumes.

use serde_json::Value;

use super::super::error::{Findings, Path};
use super::super::names;
use super::amounts;
use super::table::{Check, each, entries, formed, items, names_differ};

/// Fields of a volume.
const VOLUME: &[(&str, Check)] = &[
    ("emptyDir.sizeLimit", amounts::check),
    ("ephemeral.volumeClaimTemplate.spec.resources", amounts::of_anything),
    ("downwardAPI.items", |value, path, found| each(value, path, found, FILE)),
    ("projected.sources", |value, path, found| each(value, path, found, SOURCE)),
];

/// Fields of a source of a projected volume.
const SOURCE: &[(&str, Check)] =
    &[("downwardAPI.items", |value, path, found| each(value, path, found, FILE))];

/// Fields of a file of the downward API.
const FILE: &[(&str, Check)] = &[("resourceFieldRef.divisor", amounts::check)];

pub(super) fn check(value: Option<&Value>, path: &Path, found: &mut Findings) {
    for (index, volume) in items(value).enumerate() {
        let path = path.index(index);
        match volume.get("name").filter(|name| !name.is_null() && *name != "") {
            None => found.required(&path.field("name"), "a volume needs a name"),
            Some(name) => formed(name, names::dns_label, &path.field("name"), found),
        }
        let sources: Vec<&str> = entries(Some(volume))
            .filter(|(key, source)| *key != "name" && !source.is_null())
            .map(|(key, _)| key.as_str())
            .collect();
        if sources.len() > 1 {
            found.invalid_but(&path, sources.join(", "), "a volume has one source", "keep one of them");
        }
    }
    each(value, path, found, VOLUME);
    names_differ(value, "name", path, found);
}

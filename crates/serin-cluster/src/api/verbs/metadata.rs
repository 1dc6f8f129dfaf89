//! What `metadata` may be.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::names::{label_faults, label_value_faults, qualified_name_faults, subdomain_faults};
use super::super::status::Cause;
use super::super::store::Resource;
use super::super::store::object::{at, finalizers, is_terminating, items, name, text};
use super::refuse::{not_allowed, required, too_long, wrong};

/// The most that all annotations of an object may take, in bytes.
const ANNOTATIONS_MAX: usize = 256 * 1024;

/// The longest part of a `generateName` that a generated name keeps.
const GENERATED_BASE_MAX: usize = 58;

/// A name made of `prefix` and five random characters.
pub(super) fn generated(prefix: &str, suffix: &str) -> String {
    let base: String = prefix.chars().take(GENERATED_BASE_MAX).collect();
    format!("{base}{suffix}")
}

/// What is wrong with the metadata of an object as it is to be.
pub(super) fn check(resource: &Resource, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let prefix = text(object, &["metadata", "generateName"]);
    if !prefix.is_empty() {
        // A prefix may end with a dash, which the generated name goes on from.
        let masked = prefix.strip_suffix('-').map_or_else(|| prefix.to_owned(), |base| format!("{base}a"));
        causes.extend(
            name_faults(resource, &masked)
                .into_iter()
                .map(|why| wrong("metadata.generateName", &prefix.into(), &why)),
        );
    }
    let name = name(object);
    if name.is_empty() {
        causes.push(required("metadata.name", "name or generateName is required"));
    } else {
        let faults = name_faults(resource, name);
        causes.extend(faults.into_iter().map(|why| wrong("metadata.name", &name.into(), &why)));
    }
    causes.extend(check_common(object));
    causes
}

/// What is wrong with a change of metadata.
pub(super) fn check_changed(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if is_terminating(old) {
        let had = finalizers(old);
        let added: Vec<String> = finalizers(new)
            .into_iter()
            .filter(|finalizer| !had.contains(finalizer))
            .map(|finalizer| format!("\"{finalizer}\""))
            .collect();
        if !added.is_empty() {
            let why = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                added.join(", ")
            );
            causes.push(not_allowed("metadata.finalizers", &why));
        }
    }
    for field in ["uid", "deletionTimestamp", "deletionGracePeriodSeconds"] {
        let value = at(new, &["metadata", field]);
        if value != at(old, &["metadata", field]) {
            causes.push(wrong(format!("metadata.{field}"), value, "field is immutable"));
        }
    }
    causes.extend(check_maps(new));
    causes
}

fn check_maps(object: &Value) -> Vec<Cause> {
    let mut causes = check_labels("metadata.labels", at(object, &["metadata", "labels"]));
    causes.extend(check_annotations("metadata.annotations", at(object, &["metadata", "annotations"])));
    causes.extend(check_owners(at(object, &["metadata", "ownerReferences"])));
    causes
}

fn check_common(object: &Value) -> Vec<Cause> {
    let field = "metadata.finalizers";
    let mut causes = check_maps(object);
    let names = finalizers(object);
    for name in &names {
        let faults = qualified_name_faults(name);
        causes.extend(faults.into_iter().map(|why| wrong(field, &(*name).into(), &why)));
    }
    let both = ["orphan", "foregroundDeletion"];
    if both.iter().all(|name| names.contains(name)) {
        let why = format!("finalizer {} and {} cannot be both set", both[0], both[1]);
        causes.push(wrong(field, at(object, &["metadata", "finalizers"]), &why));
    }
    causes
}

/// The finalizers that are the system's own.
const SYSTEM_FINALIZERS: [&str; 3] = ["foregroundDeletion", "orphan", "kubernetes"];

/// What is wrong with the names of finalizers where they have to be qualified.
pub(super) fn check_finalizers(object: &Value) -> Vec<Cause> {
    let why = "name is neither a standard finalizer name nor is it fully qualified";
    let names = finalizers(object).into_iter().enumerate();
    names
        .filter(|(_, name)| !name.contains('/') && !SYSTEM_FINALIZERS.contains(name))
        .map(|(index, name)| wrong(format!("metadata.finalizers[{index}]"), &name.into(), why))
        .collect()
}

/// What there is to say of new names of finalizers where they do not have to be qualified.
pub(super) fn finalizer_warnings(old: Option<&Value>, new: &Value) -> Vec<String> {
    let had = old.map(finalizers).unwrap_or_default();
    let added: BTreeSet<&str> = finalizers(new).into_iter().filter(|name| !had.contains(name)).collect();
    let mut said = Vec::new();
    for name in added {
        let mut say = |why: &str| said.push(format!("metadata.finalizers: {name:?}: {why}"));
        for why in qualified_name_faults(name) {
            say(&why);
        }
        if !name.contains('/') && !SYSTEM_FINALIZERS.contains(&name) {
            let path = if name.contains('.') { " including a path (/)" } else { "" };
            say(&format!(
                "prefer a domain-qualified finalizer name{path} to avoid accidental conflicts with other finalizer writers"
            ));
        }
    }
    said
}

/// What is wrong with a map of labels.
pub(super) fn check_labels(field: &str, labels: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (key, value) in labels.as_object().into_iter().flatten() {
        let faults = qualified_name_faults(key);
        causes.extend(faults.into_iter().map(|why| wrong(field, &key.as_str().into(), &why)));
        let faults = label_value_faults(value.as_str().unwrap_or_default());
        causes.extend(faults.into_iter().map(|why| wrong(field, value, &why)));
    }
    causes
}

/// What is wrong with a map of annotations.
pub(super) fn check_annotations(field: &str, annotations: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut size = 0;
    for (key, value) in annotations.as_object().into_iter().flatten() {
        let faults = qualified_name_faults(&key.to_lowercase());
        causes.extend(faults.into_iter().map(|why| wrong(field, &key.as_str().into(), &why)));
        size += key.len() + value.as_str().map_or(0, str::len);
    }
    if size > ANNOTATIONS_MAX {
        causes.push(too_long(field, ANNOTATIONS_MAX));
    }
    causes
}

fn check_owners(owners: &Value) -> Vec<Cause> {
    let field = "metadata.ownerReferences";
    let mut causes = Vec::new();
    let mut controllers = Vec::new();
    for owner in items(owners, &[]) {
        let faults = [("apiVersion", "version must not be empty"), ("kind", "must not be empty")];
        for (part, why) in
            faults.into_iter().chain([("name", "must not be empty"), ("uid", "must not be empty")])
        {
            if text(owner, &[part]).is_empty() {
                causes.push(wrong(format!("{field}.{part}"), &"".into(), why));
            }
        }
        if (text(owner, &["apiVersion"]), text(owner, &["kind"])) == ("v1", "Event") {
            causes.push(wrong(field, owner, "/v1, Kind=Event is disallowed from being an owner"));
        }
        if owner["controller"] == true {
            controllers.push(format!("{}/{}", text(owner, &["kind"]), text(owner, &["name"])));
        }
    }
    if let [first, second, ..] = controllers.as_slice() {
        let why = format!(
            "Only one reference can have Controller set to true. Found \"true\" in references for {first} and {second}"
        );
        causes.push(wrong(field, owners, &why));
    }
    causes
}

/// What is wrong with the name of an object of a resource.
fn name_faults(resource: &Resource, name: &str) -> Vec<String> {
    let is_label =
        matches!((resource.group.as_str(), resource.plural.as_str()), ("", "namespaces" | "services"));
    if is_label { label_faults(name) } else { subdomain_faults(name) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::store::Registry;
    use super::*;

    fn faults(plural: &str, metadata: &Value) -> Vec<String> {
        let resource = Registry::built_in().find("", "v1", plural).expect("a built-in resource");
        let causes = check(&resource, &json!({"metadata": metadata}));
        causes.into_iter().map(|cause| format!("{}: {}", cause.field, cause.message)).collect()
    }

    #[test]
    fn names_are_subdomains_or_labels() {
        assert!(faults("configmaps", &json!({"name": "a.b-c.9"})).is_empty());
        assert!(faults("configmaps", &json!({"name": "Bad_Name"}))[0].contains("RFC 1123 subdomain"));
        assert!(faults("services", &json!({"name": "A"}))[0].contains("RFC 1123 label"));
        assert!(faults("services", &json!({"name": "1a"})).is_empty());
        assert_eq!(
            faults("namespaces", &json!({"name": "a.b"})),
            ["metadata.name: Invalid value: \"a.b\": must not contain dots"]
        );
        assert_eq!(
            faults("configmaps", &json!({})),
            ["metadata.name: Required value: name or generateName is required"]
        );
    }

    #[test]
    fn long_prefixes_are_cut_so_that_names_fit() {
        assert_eq!(generated("web-", "abcde"), "web-abcde");
        assert_eq!(generated(&"a".repeat(254), "sfskg").len(), 63);
    }

    #[test]
    fn labels_have_qualified_keys_and_plain_values() {
        let labels = |labels: Value| faults("configmaps", &json!({"name": "x", "labels": labels}));
        assert!(labels(json!({"app.kubernetes.io/name": "Web_1.0", "empty": ""})).is_empty());
        assert!(labels(json!({"a b": "c"}))[0].contains("name part must consist of"));
        assert!(labels(json!({"a": "b c"}))[0].contains("a valid label must be an empty string"));
        assert!(labels(json!({"a/b/c": "c"}))[0].contains("optional DNS subdomain prefix"));
        assert_eq!(labels(json!({"": "c"})).len(), 2);
    }

    #[test]
    fn finalizers_are_qualified() {
        let finalizers = |name: &str| faults("configmaps", &json!({"name": "x", "finalizers": [name]}));
        assert!(finalizers("example.com/hold").is_empty() && finalizers("orphan").is_empty());
        assert!(
            finalizers("hold").is_empty() && finalizers("not ok")[0].starts_with("metadata.finalizers: ")
        );
        let held = json!({"metadata": {"finalizers": ["orphan", "hold", "a.b", "a.b/c"]}});
        let fields: Vec<String> = check_finalizers(&held).into_iter().map(|cause| cause.field).collect();
        assert_eq!(fields, ["metadata.finalizers[1]", "metadata.finalizers[2]"]);
        let said = finalizer_warnings(Some(&json!({"metadata": {"finalizers": ["hold"]}})), &held);
        assert!(
            said.len() == 1 && said[0].contains("\"a.b\": prefer") && said[0].contains("path (/)"),
            "{said:?}"
        );
    }

    #[test]
    fn owners_are_whole_and_one_controls() {
        let owner = |name: &str| json!({"apiVersion": "v1", "kind": "Pod", "name": name, "uid": name, "controller": true});
        let owners = |owners: Value| faults("configmaps", &json!({"name": "x", "ownerReferences": owners}));
        assert!(owners(json!([owner("a")])).is_empty());
        assert!(owners(json!([owner("a"), owner("b")]))[0].contains("references for Pod/a and Pod/b"));
        assert_eq!(owners(json!([{"kind": "x"}])).len(), 3);
    }

    #[test]
    fn what_the_system_sets_is_immutable() {
        let old = json!({"metadata": {"uid": "1", "deletionTimestamp": "t", "finalizers": ["a/b"]}});
        let new = json!({"metadata": {"uid": "2", "deletionTimestamp": "t", "finalizers": ["a/c"]}});
        let causes = check_changed(&old, &new);
        assert_eq!(causes.len(), 2);
        assert_eq!(causes[1].message, "Invalid value: \"2\": field is immutable");
        assert_eq!(
            causes[0].message,
            "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"a/c\"}"
        );
    }
}

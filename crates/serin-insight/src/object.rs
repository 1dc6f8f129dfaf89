//! Facts in the metadata of objects.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use serin_core::api::keys;

/// True if `object` is owned by the object with the uid of `owner`.
#[must_use]
pub fn is_owned(object: &ObjectMeta, owner: &ObjectMeta) -> bool {
    let references = object.owner_references.as_deref().unwrap_or_default();
    references.iter().any(|reference| Some(&reference.uid) == owner.uid.as_ref())
}

/// The revision number of an object; 0 if it has none.
#[must_use]
pub fn revision(object: &ObjectMeta) -> i64 {
    annotation(object, keys::REVISION).parse().unwrap_or(0)
}

/// The value of an annotation; empty if there is none.
#[must_use]
pub fn annotation<'a>(object: &'a ObjectMeta, key: &str) -> &'a str {
    object.annotations.as_ref().and_then(|all| all.get(key)).map_or("", String::as_str)
}

/// The pod hash of a ReplicaSet; empty if it has none.
#[must_use]
pub fn hash(set: &ReplicaSet) -> &str {
    let labels = set.metadata.labels.as_ref();
    labels.and_then(|labels| labels.get(keys::POD_HASH_LABEL)).map_or("", String::as_str)
}

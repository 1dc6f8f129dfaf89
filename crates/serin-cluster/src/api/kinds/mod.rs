//! The kinds of objects that the API serves: the built-in ones, and those that custom resource definitions add.

mod built_in;
pub(super) mod defaults;
mod kind;
mod lists;
mod misfit;

use std::sync::LazyLock;

pub(super) use kind::priority;
pub use kind::{ALL_VERBS, GenerationRule, Kind, ScalePaths, Subresource};
pub(super) use lists::{Field, Items, types as field_types};
pub(super) use misfit::{Plain, of_metadata as metadata_misfit};

/// Every built-in kind, in the order of discovery: the core group first.
#[must_use]
pub fn built_in() -> &'static [Kind] {
    static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(built_in::all);
    &KINDS
}

/// The built-in kind that a URL names.
#[must_use]
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    built_in().iter().find(|kind| kind.plural == plural && kind.group == group && kind.version == version)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serin_kubernetes::types;

    use super::*;

    #[test]
    fn built_in_kinds_are_found_by_their_url() {
        let sets = find("apps", "v1", "replicasets").unwrap();
        assert_eq!((sets.kind.as_str(), sets.list_kind.as_str()), ("ReplicaSet", "ReplicaSetList"));
        assert_eq!(sets.api_version(), "apps/v1");
        assert_eq!(sets.type_name(), "io.k8s.api.apps.v1.ReplicaSet");
        assert_eq!(sets.subresource("scale").unwrap().group, "autoscaling");
        assert_eq!(find("", "v1", "pods").unwrap().api_version(), "v1");
        assert!(!find("authorization.k8s.io", "v1", "selfsubjectaccessreviews").unwrap().is_stored());
        assert!(find("apps", "v1", "statefulsets").is_none());
    }

    #[test]
    fn versions_are_ordered_by_stability_then_number() {
        let mut versions = ["v1alpha1", "foo1", "v2", "v1beta2", "v10", "v1", "v11beta2"];
        versions.sort_by_key(|version| std::cmp::Reverse(priority(version)));
        assert_eq!(versions, ["v10", "v2", "v1", "v11beta2", "v1beta2", "v1alpha1", "foo1"]);
    }

    #[test]
    fn a_definition_adds_its_served_versions() {
        let definition = json!({
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": {"plural": "things", "kind": "Thing", "shortNames": ["th"]},
                "versions": [
                    {"name": "v1beta1", "served": true},
                    {"name": "v1", "served": true, "subresources": {"status": {}, "scale": {
                        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}}},
                    {"name": "v1alpha1", "served": false},
                ],
            },
        });
        let kinds = Kind::from_definition(&definition);
        let versions: Vec<&str> = kinds.iter().map(|kind| kind.version.as_str()).collect();
        assert_eq!(versions, ["v1", "v1beta1"]);
        assert_eq!(kinds[0].generation, GenerationRule::ExceptMetadataAndStatus);
        assert_eq!(kinds[1].generation, GenerationRule::ExceptMetadata);
        assert_eq!((kinds[0].singular.as_str(), kinds[0].list_kind.as_str()), ("thing", "ThingList"));
        assert_eq!(kinds[0].scale.as_ref().unwrap().spec, ".spec.replicas");
        assert_eq!(kinds[0].type_name(), "com.example.v1.Thing");
        let parts: Vec<&str> = kinds[0].subresources.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(parts, ["status", "scale"]);
    }

    #[test]
    fn every_type_that_is_named_is_known() {
        fn named(shape: &types::Shape, names: &mut Vec<&'static str>) {
            match shape.inside() {
                types::Inside::Type(name) => names.push(name),
                types::Inside::Each(inner) => named(inner, names),
                types::Inside::Nothing => {}
            }
        }
        let kinds = built_in().iter().filter(|kind| kind.is_stored() && kind.group != "apiextensions.k8s.io");
        let mut open: Vec<String> = kinds.map(Kind::table_name).collect();
        let mut known = std::collections::BTreeSet::new();
        while let Some(name) = open.pop() {
            let own = types::find(&name).unwrap_or_else(|| panic!("{name}"));
            if known.insert(name) {
                let mut names = Vec::new();
                own.fields.iter().for_each(|field| named(&field.shape, &mut names));
                open.extend(names.into_iter().map(str::to_owned));
            }
        }
        assert!(known.len() > 150, "{}", known.len());
    }
}

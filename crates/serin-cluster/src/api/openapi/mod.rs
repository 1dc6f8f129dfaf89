//! OpenAPI documents of what is served: version 3 by group and version, version 2 as one document.
//!
//! The built-in types are those of the k8s-openapi crate, completed from the table of lists; the types of custom
//! resources are the schemas of their definitions. Documents are made when they are asked for and not kept: they are
//! large, and clients keep them by the hash that the index names.

mod paths;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};

use super::kinds::Kind;
use types::Dialect;

/// The index at `/openapi/v3`. `definitions` are the objects of custom resource definitions.
#[must_use]
pub fn index(kinds: &[Kind], definitions: &[Arc<Value>]) -> Value {
    let mut paths = Map::new();
    for kind in kinds {
        let path = group_version_path(kind);
        if !paths.contains_key(&path) {
            let hash = hash(kind, definitions);
            let url = format!("/openapi/v3/{path}?hash={hash:016X}");
            paths.insert(path, json!({"serverRelativeURL": url}));
        }
    }
    json!({"paths": paths})
}

/// The document of one group and version at `/openapi/v3/api/v1` or `/openapi/v3/apis/GROUP/VERSION`; none where
/// nothing is served of it.
#[must_use]
pub fn document(kinds: &[Kind], definitions: &[Arc<Value>], group: &str, version: &str) -> Option<Value> {
    let own: Vec<&Kind> =
        kinds.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    if own.is_empty() {
        return None;
    }
    let schemas = schemas(&own, definitions, Dialect::Three);
    Some(json!({
        "openapi": "3.0.0", "info": info(), "paths": paths::all(&own, Dialect::Three),
        "components": {"schemas": schemas},
    }))
}

/// The document at `/openapi/v2`.
#[must_use]
pub fn swagger(kinds: &[Kind], definitions: &[Arc<Value>]) -> Value {
    let all: Vec<&Kind> = kinds.iter().collect();
    json!({
        "swagger": "2.0", "info": info(), "paths": paths::all(&all, Dialect::Two),
        "definitions": schemas(&all, definitions, Dialect::Two),
    })
}

/// What a field of a built-in type is for; the type by its name in the table of types, such as `core/v1.PodStatus`.
pub(super) fn description(type_name: &str, field: &str) -> String {
    static TEXTS: LazyLock<BTreeMap<String, BTreeMap<String, String>>> = LazyLock::new(texts);
    let name = match type_name.split_once('/') {
        Some(("meta", rest)) => format!("io.k8s.apimachinery.pkg.apis.meta.{rest}"),
        Some((package, rest)) => format!("io.k8s.api.{package}.{rest}"),
        None => type_name.to_owned(),
    };
    TEXTS.get(&name).and_then(|fields| fields.get(field)).cloned().unwrap_or_default()
}

/// The descriptions of the fields of every built-in type.
fn texts() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = |(field, schema): (&String, &Value)| {
        schema["description"].as_str().map(|text| (field.clone(), text.to_owned()))
    };
    let fields =
        |schema: &Value| schema["properties"].as_object().into_iter().flatten().filter_map(text).collect();
    let types = types::built_in(Dialect::Three);
    types.into_iter().map(|(name, schema)| (name, fields(&schema))).collect()
}

fn info() -> Value {
    json!({"title": "Kubernetes", "version": "v1.36.3"})
}

/// `api/v1`, `apis/apps/v1`.
fn group_version_path(kind: &Kind) -> String {
    if kind.group.is_empty() {
        format!("api/{}", kind.version)
    } else {
        format!("apis/{}", kind.api_version())
    }
}

/// Changes when the document of the kind's group and version may have changed: with this program's version, and with
/// each definition of the group.
fn hash(kind: &Kind, definitions: &[Arc<Value>]) -> u64 {
    let own = definitions.iter().filter(|definition| definition["spec"]["group"] == kind.group.as_str());
    let specs = own.map(|definition| definition["spec"].to_string());
    let text = std::iter::once(env!("CARGO_PKG_VERSION").to_owned()).chain(specs).collect::<String>();
    // FNV-1a: stable across runs, and nobody is kept from finding collisions.
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The types of the kinds, of their lists, and of what these lead to.
fn schemas(kinds: &[&Kind], definitions: &[Arc<Value>], dialect: Dialect) -> BTreeMap<String, Value> {
    let mut known = types::built_in(dialect);
    for kind in kinds {
        if kind.definition.is_some() {
            known.insert(kind.type_name(), types::custom(kind, definitions, dialect));
        }
        if kind.is_stored() {
            known.insert(types::list_name(kind), types::list(kind, dialect));
        }
    }
    let meta = ["DeleteOptions", "Status", "Patch"].map(types::meta_name);
    let own = kinds.iter().flat_map(|kind| [kind.type_name(), types::list_name(kind)]);
    let parts = kinds.iter().flat_map(|kind| &kind.subresources).map(types::part_name);
    let mut open: Vec<String> = own.chain(parts).chain(meta).collect();
    let mut reached = BTreeSet::new();
    while let Some(name) = open.pop() {
        if let Some(schema) = known.get(&name)
            && reached.insert(name)
        {
            types::references(schema, &mut open);
        }
    }
    known.retain(|name, _| reached.contains(name));
    known
}

#[cfg(test)]
mod tests {
    use super::super::kinds::built_in;
    use super::*;

    #[test]
    fn a_document_has_the_types_that_it_refers_to() {
        for (group, version) in [("", "v1"), ("apps", "v1"), ("apiextensions.k8s.io", "v1")] {
            let document = document(built_in(), &[], group, version).unwrap();
            let schemas = document["components"]["schemas"].as_object().unwrap();
            let mut references = Vec::new();
            types::references(&document, &mut references);
            assert!(!references.is_empty());
            for name in references {
                assert!(schemas.contains_key(&name), "{group}/{version}: {name}");
            }
        }
        assert!(document(built_in(), &[], "apps", "v2").is_none());
    }

    #[test]
    fn lists_are_told_apart_as_the_table_says() {
        let document = document(built_in(), &[], "apps", "v1").unwrap();
        let pod = &document["components"]["schemas"]["io.k8s.api.core.v1.PodSpec"]["properties"];
        assert_eq!(pod["containers"]["x-kubernetes-list-map-keys"], json!(["name"]));
        assert_eq!(pod["containers"]["x-kubernetes-patch-merge-key"], "name");
        assert_eq!(pod["volumes"]["x-kubernetes-patch-strategy"], "merge,retainKeys");
        assert_eq!(pod["nodeSelector"]["x-kubernetes-map-type"], "atomic");
        let set = &document["components"]["schemas"]["io.k8s.api.apps.v1.ReplicaSet"];
        assert_eq!(
            set["x-kubernetes-group-version-kind"],
            json!([{"group": "apps", "version": "v1", "kind": "ReplicaSet"}])
        );
    }

    #[test]
    fn a_custom_resource_has_the_schema_of_its_definition() {
        let definition = |description: &str| {
            Arc::new(json!({
                "metadata": {"name": "things.example.com"},
                "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "things", "kind": "Thing"},
                    "versions": [{"name": "v1", "served": true, "schema": {"openAPIV3Schema": {
                        "type": "object", "properties": {"spec": {"type": "object", "description": description}}}}}]},
            }))
        };
        let kinds = Kind::from_definition(&definition("x"));
        let document = document(&kinds, &[definition("x")], "example.com", "v1").unwrap();
        let thing = &document["components"]["schemas"]["com.example.v1.Thing"];
        assert_eq!(thing["properties"]["spec"]["description"], "x");
        assert!(thing["properties"]["metadata"]["allOf"][0]["$ref"].is_string());
        let path = &document["paths"]["/apis/example.com/v1/namespaces/{namespace}/things/{name}"];
        let names: Vec<&Value> =
            path["patch"]["parameters"].as_array().unwrap().iter().map(|given| &given["name"]).collect();
        assert!(names.iter().any(|name| **name == "fieldValidation"), "{names:?}");
        let url = |description: &str| {
            index(&kinds, &[definition(description)])["paths"]["apis/example.com/v1"].clone()
        };
        assert_eq!(url("x"), url("x"));
        assert_ne!(url("x"), url("y"));
    }
}

//! What the API serves, as clients ask for it first: groups, versions and resources.
//!
//! Both forms are there: one document a group and version, and the aggregated one that holds them all.

use serde_json::{Value, json};

use super::kinds::{Kind, Subresource, priority};

/// Media type of the aggregated form, without its parameters' order mattering to clients.
pub const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// `/api`: the versions of the core group. `address` is where the server is, as `host:port`.
#[must_use]
pub fn core_versions(address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    })
}

/// `/apis`: every group but the core group.
#[must_use]
pub fn groups(kinds: &[Kind]) -> Value {
    let groups: Vec<Value> = group_names(kinds).into_iter().map(|name| group_body(kinds, name)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`; none where nothing is served of it.
#[must_use]
pub fn group(kinds: &[Kind], name: &str) -> Option<Value> {
    if name.is_empty() || kinds.iter().all(|kind| kind.group != name) {
        return None;
    }
    let mut group = group_body(kinds, name);
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Some(group)
}

/// `/api/v1`, `/apis/GROUP/VERSION`; none where nothing is served of it.
#[must_use]
pub fn resources(kinds: &[Kind], group: &str, version: &str) -> Option<Value> {
    let own: Vec<&Kind> =
        kinds.iter().filter(|kind| kind.group == group && kind.version == version).collect();
    let group_version = own.first()?.api_version();
    let resources: Vec<Value> = own.into_iter().flat_map(resource_bodies).collect();
    // The core group's list has no apiVersion on the wire.
    let mut list = json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources});
    if !group.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    Some(list)
}

/// `/api` (`is_core`) or `/apis` in the aggregated form.
#[must_use]
pub fn aggregated(kinds: &[Kind], is_core: bool) -> Value {
    let names = if is_core { vec![""] } else { group_names(kinds) };
    let items: Vec<Value> = names.into_iter().map(|name| aggregated_group(kinds, name)).collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

/// Groups but the core group, in the order of their first kind.
fn group_names(kinds: &[Kind]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for kind in kinds {
        if !kind.group.is_empty() && !names.contains(&kind.group.as_str()) {
            names.push(&kind.group);
        }
    }
    names
}

/// The versions of a group, the preferred one first.
fn versions<'a>(kinds: &'a [Kind], group: &str) -> Vec<&'a str> {
    let own = kinds.iter().filter(|kind| kind.group == group);
    let mut versions: Vec<&str> = own.map(|kind| kind.version.as_str()).collect();
    versions.sort_by_key(|version| (std::cmp::Reverse(priority(version)), *version));
    versions.dedup();
    versions
}

fn group_body(kinds: &[Kind], name: &str) -> Value {
    let version = |version: &str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let versions: Vec<Value> = versions(kinds, name).into_iter().map(version).collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

/// A resource and its parts, as a list has them side by side.
fn resource_bodies(kind: &Kind) -> Vec<Value> {
    let mut body = json!({
        "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
        "kind": kind.kind, "verbs": kind.verbs,
    });
    set_names(&mut body, kind);
    let part = |part: &Subresource| {
        let name = format!("{}/{}", kind.plural, part.name);
        let mut body = json!({
            "name": name, "singularName": "", "namespaced": kind.namespaced,
            "kind": part.kind, "verbs": part.verbs,
        });
        if (&part.group, &part.version) != (&kind.group, &kind.version) {
            body["group"] = part.group.as_str().into();
            body["version"] = part.version.as_str().into();
        }
        body
    };
    std::iter::once(body).chain(kind.subresources.iter().map(part)).collect()
}

/// Short names and categories, where there are any.
fn set_names(body: &mut Value, kind: &Kind) {
    for (field, names) in [("shortNames", &kind.short_names), ("categories", &kind.categories)] {
        if !names.is_empty() {
            body[field] = names.as_slice().into();
        }
    }
}

fn aggregated_group(kinds: &[Kind], name: &str) -> Value {
    let version = |version: &str| {
        let own = kinds.iter().filter(|kind| kind.group == name && kind.version == version);
        let resources: Vec<Value> = own.map(aggregated_resource).collect();
        json!({"version": version, "resources": resources, "freshness": "Current"})
    };
    let versions: Vec<Value> = versions(kinds, name).into_iter().map(version).collect();
    let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(kind: &Kind) -> Value {
    let is_custom = kind.definition.is_some();
    // The server names group and version of its own kinds only where they differ from those around them.
    let response = |group: &str, version: &str, name: &str| {
        let is_implied = !is_custom && (group, version) == (kind.group.as_str(), kind.version.as_str());
        let [group, version] = if is_implied { ["", ""] } else { [group, version] };
        json!({"group": group, "version": version, "kind": name})
    };
    let mut body = json!({
        "resource": kind.plural,
        "responseKind": response(&kind.group, &kind.version, &kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs,
    });
    set_names(&mut body, kind);
    if !kind.subresources.is_empty() {
        let part = |part: &Subresource| {
            json!({
                "subresource": part.name,
                "responseKind": response(&part.group, &part.version, &part.kind),
                "verbs": part.verbs,
            })
        };
        body["subresources"] = kind.subresources.iter().map(part).collect();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::kinds::built_in;
    use super::*;

    #[test]
    fn the_preferred_version_is_the_first() {
        let scaling = group(built_in(), "autoscaling").unwrap();
        assert_eq!(scaling["preferredVersion"]["groupVersion"], "autoscaling/v2");
        assert_eq!(scaling["versions"][1]["version"], "v1");
        assert_eq!(scaling["kind"], "APIGroup");
        assert!(group(built_in(), "example.com").is_none());
        assert!(group(built_in(), "").is_none());
        let groups = groups(built_in());
        let names: Vec<&Value> =
            groups["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
        assert_eq!(names.iter().filter(|name| **name == "autoscaling").count(), 1);
    }

    #[test]
    fn parts_stand_beside_their_resource() {
        let apps = resources(built_in(), "apps", "v1").unwrap();
        let list = apps["resources"].as_array().unwrap();
        let scale = list.iter().find(|body| body["name"] == "replicasets/scale").unwrap();
        assert_eq!((&scale["group"], &scale["kind"]), (&json!("autoscaling"), &json!("Scale")));
        let status = list.iter().find(|body| body["name"] == "replicasets/status").unwrap();
        assert!(status.get("group").is_none());
        let sets = list.iter().find(|body| body["name"] == "replicasets").unwrap();
        assert_eq!((&sets["shortNames"], &sets["categories"]), (&json!(["rs"]), &json!(["all"])));
        assert!(resources(built_in(), "apps", "v1beta1").is_none());
    }

    #[test]
    fn the_aggregated_form_holds_all_of_a_group() {
        let core = aggregated(built_in(), true);
        assert_eq!(core["items"].as_array().unwrap().len(), 1);
        let resources = core["items"][0]["versions"][0]["resources"].as_array().unwrap();
        let pods = resources.iter().find(|body| body["resource"] == "pods").unwrap();
        let parts = pods["subresources"].as_array().unwrap();
        let eviction = parts.iter().find(|part| part["subresource"] == "eviction").unwrap();
        assert_eq!(eviction["responseKind"], json!({"group": "policy", "version": "v1", "kind": "Eviction"}));
        let others = aggregated(built_in(), false);
        assert!(others["items"].as_array().unwrap().iter().all(|group| group["metadata"]["name"] != ""));
    }
}

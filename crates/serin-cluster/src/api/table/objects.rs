//! Rows of the other built-in kinds.

use jiff::Timestamp;
use serde_json::Value;

use super::column::{AGE, BuiltIn, Column, NAME, text as column, wide};
use super::format::{NONE, condition, items, name, or_none, text};
use serin_kubernetes::age;

pub(super) fn find(group: &str, plural: &str) -> Option<BuiltIn> {
    match (group, plural) {
        ("", "nodes") => Some(NODES),
        ("", "namespaces") => Some(NAMESPACES),
        ("", "configmaps") => Some(CONFIG_MAPS),
        ("", "secrets") => Some(SECRETS),
        ("", "serviceaccounts") => Some(NAME_AND_AGE),
        ("coordination.k8s.io", "leases") => Some(LEASES),
        ("rbac.authorization.k8s.io", "rolebindings") => Some(BINDINGS),
        ("rbac.authorization.k8s.io", "clusterrolebindings") => Some(CLUSTER_BINDINGS),
        _ => None,
    }
}

/// Of kinds that have no columns of their own.
pub(super) const PLAIN: BuiltIn = BuiltIn {
    columns: &[NAME, Column::new("Created At", "date", "").of("meta/v1.ObjectMeta", "creationTimestamp")],
    cells: |object, _| vec![name(object), object["metadata"]["creationTimestamp"].clone()],
};

const NAME_AND_AGE: BuiltIn =
    BuiltIn { columns: &[NAME, AGE], cells: |object, now| vec![name(object), age::of(object, now)] };

const NODES: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Status").meaning("The status of the node"),
        column("Roles").meaning("The roles of the node"),
        AGE,
        column("Version").of("core/v1.NodeSystemInfo", "kubeletVersion"),
        wide("Internal-IP").of("core/v1.NodeStatus", "addresses"),
        wide("External-IP").of("core/v1.NodeStatus", "addresses"),
        wide("OS-Image").of("core/v1.NodeSystemInfo", "osImage"),
        wide("Kernel-Version").of("core/v1.NodeSystemInfo", "kernelVersion"),
        wide("Container-Runtime").of("core/v1.NodeSystemInfo", "containerRuntimeVersion"),
    ],
    cells: node,
};

const NAMESPACES: BuiltIn = BuiltIn {
    columns: &[NAME, column("Status").meaning("The status of the namespace"), AGE],
    cells: |namespace, now| {
        vec![name(namespace), namespace["status"]["phase"].clone(), age::of(namespace, now)]
    },
};

const CONFIG_MAPS: BuiltIn = BuiltIn {
    columns: &[NAME, column("Data").of("core/v1.ConfigMap", "data"), AGE],
    cells: |map, now| {
        let entries = entries(&map["data"]) + entries(&map["binaryData"]);
        vec![name(map), entries.into(), age::of(map, now)]
    },
};

const SECRETS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Type").of("core/v1.Secret", "type"),
        column("Data").of("core/v1.Secret", "data"),
        AGE,
    ],
    cells: |secret, now| {
        vec![name(secret), secret["type"].clone(), entries(&secret["data"]).into(), age::of(secret, now)]
    },
};

const LEASES: BuiltIn = BuiltIn {
    columns: &[NAME, column("Holder").of("coordination/v1.LeaseSpec", "holderIdentity"), AGE],
    cells: |lease, now| vec![name(lease), text(&lease["spec"]["holderIdentity"]).into(), age::of(lease, now)],
};

const BINDINGS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Role").meaning(
            "RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the \
             RoleRef cannot be resolved, the Authorizer must return an error.",
        ),
        AGE,
        wide("Users").meaning("Users in the roleBinding"),
        wide("Groups").meaning("Groups in the roleBinding"),
        wide("ServiceAccounts").meaning("ServiceAccounts in the roleBinding"),
    ],
    cells: binding,
};

const CLUSTER_BINDINGS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column("Role").meaning(
            "RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the \
             Authorizer must return an error.",
        ),
        AGE,
        wide("Users").meaning("Users in the clusterRoleBinding"),
        wide("Groups").meaning("Groups in the clusterRoleBinding"),
        wide("ServiceAccounts").meaning("ServiceAccounts in the clusterRoleBinding"),
    ],
    cells: binding,
};

fn binding(binding: &Value, now: Timestamp) -> Vec<Value> {
    let role = &binding["roleRef"];
    let subjects = |kind: &str| {
        let own = items(&binding["subjects"]).iter().filter(|subject| subject["kind"] == kind);
        let named = own.map(|subject| match text(&subject["namespace"]) {
            "" => text(&subject["name"]).to_owned(),
            namespace => format!("{namespace}/{}", text(&subject["name"])),
        });
        Value::from(named.collect::<Vec<_>>().join(", "))
    };
    vec![
        name(binding),
        format!("{}/{}", text(&role["kind"]), text(&role["name"])).into(),
        age::of(binding, now),
        subjects("User"),
        subjects("Group"),
        subjects("ServiceAccount"),
    ]
}

fn entries(map: &Value) -> usize {
    map.as_object().map_or(0, serde_json::Map::len)
}

fn node(node: &Value, now: Timestamp) -> Vec<Value> {
    let ready = condition(node, "Ready").map(|condition| condition["status"] == "True");
    let state = match ready {
        Some(true) => "Ready",
        Some(false) => "NotReady",
        None => "Unknown",
    };
    let cordoned = if node["spec"]["unschedulable"] == true { ",SchedulingDisabled" } else { "" };
    let address = |kind: &str| {
        let found = items(&node["status"]["addresses"]).iter().find(|address| address["type"] == kind);
        Value::from(found.map_or(NONE, |address| text(&address["address"])))
    };
    let info = |field: &str| match text(&node["status"]["nodeInfo"][field]) {
        "" => Value::from(age::UNKNOWN),
        value => value.into(),
    };
    vec![
        name(node),
        format!("{state}{cordoned}").into(),
        roles(node).into(),
        age::of(node, now),
        text(&node["status"]["nodeInfo"]["kubeletVersion"]).into(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

/// The roles that a node's labels name.
fn roles(node: &Value) -> String {
    let labels = node["metadata"]["labels"].as_object().into_iter().flatten();
    let role = |(key, value): (&String, &Value)| match key.strip_prefix("node-role.kubernetes.io/") {
        Some(role) => Some(role.to_owned()),
        None if key == "kubernetes.io/role" => Some(text(value).to_owned()),
        None => None,
    };
    let mut roles: Vec<String> = labels.filter_map(role).filter(|role| !role.is_empty()).collect();
    roles.sort();
    roles.dedup();
    or_none(roles.join(","))
}

//! What there is to say of pods and of templates for pods.

use serde_json::Value;

use super::super::super::codec::quantity;
use super::super::super::store::object::{at, items, text};

/// Labels of nodes that others have taken the place of.
const NODE_LABELS: [(&str, &str); 8] = [
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
];

/// Annotations that fields have taken the place of.
const ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

/// Kinds of volumes that are gone or going.
const VOLUMES: [(&str, &str); 9] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "deprecated in v1.28, non-functional in v1.31+"),
];

const NO_SELECTOR: &str = "a null labelSelector results in matching no pod";

/// All there is to say of the pods of a specification; `above` is where it is, with a dot at its end.
pub(super) fn all(above: &str, spec: &Value, metadata: &Value) -> Vec<String> {
    let field = format!("{above}spec");
    let mut said = deprecated(above, spec, metadata);
    said.extend(repeated(&field, spec, "hostAliases", "ip"));
    said.extend(repeated(&field, spec, "imagePullSecrets", "name"));
    for (index, secret) in items(spec, &["imagePullSecrets"]).iter().enumerate() {
        if text(secret, &["name"]).is_empty() {
            said.push(format!("{field}.imagePullSecrets[{index}].name: invalid empty name \"\""));
        }
    }
    said.extend(fractions(&format!("{field}.overhead"), at(spec, &["overhead"])));
    let containers = containers(&field, spec);
    for (here, container) in &containers {
        for part in ["limits", "requests"] {
            let amounts = at(container, &["resources", part]);
            said.extend(fractions(&format!("{here}.resources.{part}"), amounts));
        }
        said.extend(hidden(here, items(container, &["env"])));
    }
    said.extend(ports(&containers));
    if at(spec, &["terminationGracePeriodSeconds"]).as_i64().is_some_and(|seconds| seconds < 0) {
        said.push(format!(
            "{field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    said.extend(unselective(&field, spec));
    said
}

fn message<'a>(table: &[(&str, &'a str)], key: &str) -> Option<&'a str> {
    table.iter().find(|(known, _)| *known == key).map(|(_, why)| *why)
}

fn deprecated(above: &str, spec: &Value, metadata: &Value) -> Vec<String> {
    let mut said = Vec::new();
    for (key, _) in at(spec, &["nodeSelector"]).as_object().into_iter().flatten() {
        let why = message(&NODE_LABELS, key);
        said.extend(why.map(|why| format!("{above}spec.nodeSelector[{key}]: {why}")));
    }
    for (index, constraint) in items(spec, &["topologySpreadConstraints"]).iter().enumerate() {
        let here = format!("{above}spec.topologySpreadConstraints[{index}]");
        let key = text(constraint, &["topologyKey"]);
        let why = message(&NODE_LABELS, key);
        said.extend(why.map(|why| format!("{here}.topologyKey: {key} is {why}")));
        if at(constraint, &["labelSelector"]).is_null() {
            said.push(format!("{here}.labelSelector: {NO_SELECTOR}"));
        }
    }
    for (key, why) in ANNOTATIONS {
        if !at(metadata, &["annotations", key]).is_null() {
            said.push(format!("{above}metadata.annotations[{key}]: {why}"));
        }
    }
    for (index, volume) in items(spec, &["volumes"]).iter().enumerate() {
        for (kind, why) in VOLUMES.iter().filter(|(kind, _)| !at(volume, &[kind]).is_null()) {
            let kind = if *kind == "storageos" { "storageOS" } else { kind };
            said.push(format!("{above}spec.volumes[{index}].{kind}: {why}"));
        }
    }
    said
}

/// What is in a list twice, though it should not be.
fn repeated(field: &str, spec: &Value, list: &str, key: &str) -> Vec<String> {
    let all = items(spec, &[list]);
    let is_again = |index: &usize| all[..*index].iter().any(|other| other[key] == all[*index][key]);
    let again = (0..all.len()).filter(is_again);
    again
        .map(|index| {
            format!("{field}.{list}[{index}].{key}: duplicate {key} {:?}", text(&all[index], &[key]))
        })
        .collect()
}

/// Amounts of bytes are whole.
fn fractions(field: &str, amounts: &Value) -> Vec<String> {
    let amount = |name: &str| quantity::read(at(amounts, &[name])).ok();
    ["memory", "ephemeral-storage"]
        .into_iter()
        .filter_map(|name| Some((name, amount(name).filter(|amount| !amount.is_whole())?)))
        .map(|(name, amount)| {
            format!("{field}[{name}]: fractional byte value \"{amount}\" is invalid, must be an integer")
        })
        .collect()
}

/// Variables that an earlier one of the same name does not reach.
fn hidden(field: &str, variables: &[Value]) -> Vec<String> {
    let mut said = Vec::new();
    for (index, variable) in variables.iter().enumerate() {
        let name = text(variable, &["name"]);
        let reference = format!("$({name})");
        let value = text(variable, &["value"]);
        let extends =
            at(variable, &["valueFrom"]).is_null() && value.contains(&reference) && value != reference;
        if variables[..index].iter().any(|other| other["name"] == variable["name"]) && !extends {
            said.push(format!(
                "{field}.env[{index}]: hides previous definition of {name:?}, which may be dropped when using apply"
            ));
        }
    }
    said
}

/// Containers in the order in which they are looked at, each with where it is.
fn containers<'a>(field: &str, spec: &'a Value) -> Vec<(String, &'a Value)> {
    ["initContainers", "containers", "ephemeralContainers"]
        .into_iter()
        .flat_map(|list| items(spec, &[list]).iter().enumerate().map(move |(index, one)| (list, index, one)))
        .map(|(list, index, one)| (format!("{field}.{list}[{index}]"), one))
        .collect()
}

fn ports(containers: &[(String, &Value)]) -> Vec<String> {
    let all: Vec<(String, &Value)> = containers
        .iter()
        .flat_map(|(here, container)| {
            let ports = items(container, &["ports"]).iter().enumerate();
            ports.map(move |(index, port)| (format!("{here}.ports[{index}]"), port))
        })
        .collect();
    let number = |port: &Value| at(port, &["hostPort"]).as_i64().unwrap_or(0);
    let address = |port: &Value| text(port, &["hostIP"]).to_owned();
    let mut said = Vec::new();
    for (index, (here, port)) in all.iter().enumerate() {
        let is_same = |other: &Value| {
            other["containerPort"] == port["containerPort"] && other["protocol"] == port["protocol"]
        };
        for (there, other) in all[..index].iter().filter(|(_, other)| is_same(other)) {
            let what = if address(port) == address(other) && number(port) == number(other) {
                "duplicate"
            } else if number(port) == 0 || number(other) == 0 {
                "overlapping"
            } else if number(port) == number(other) && address(port).is_empty() != address(other).is_empty() {
                "dangerously ambiguous"
            } else {
                continue;
            };
            said.push(format!("{here}: {what} port definition with {there}"));
        }
    }
    for (index, (here, port)) in all.iter().enumerate() {
        let name = text(port, &["name"]);
        let first = all[..index].iter().find(|(_, other)| !name.is_empty() && other["name"] == port["name"]);
        said.extend(first.map(|(there, _)| {
            format!(
                "{here}: duplicate port name {name:?} with {there}, services and probes that select ports by name will \
                 use {there}"
            )
        }));
    }
    said
}

/// Terms about other pods that mean none.
fn unselective(field: &str, spec: &Value) -> Vec<String> {
    let mut said = Vec::new();
    for kind in ["podAffinity", "podAntiAffinity"] {
        for (list, inside) in [
            ("requiredDuringSchedulingIgnoredDuringExecution", ""),
            ("preferredDuringSchedulingIgnoredDuringExecution", ".podAffinityTerm"),
        ] {
            for (index, term) in items(spec, &["affinity", kind, list]).iter().enumerate() {
                let selects = if inside.is_empty() { term } else { at(term, &["podAffinityTerm"]) };
                if at(selects, &["labelSelector"]).is_null() {
                    said.push(format!(
                        "{field}.affinity.{kind}.{list}[{index}]{inside}.labelSelector: {NO_SELECTOR}"
                    ));
                }
            }
        }
    }
    said
}

//! Decoding of built-in kinds: what a client sent becomes what a server with typed fields keeps of it.
//!
//! The types are those of `k8s-openapi`: fields that they do not know are dropped (and reported), values that do not
//! fit are refused, times and quantities get their canonical form. Empty values are then dropped where Kubernetes'
//! encoder omits them.

use k8s_openapi::api::{
    apps::v1 as apps, autoscaling::v1 as autoscaling1, autoscaling::v2 as autoscaling, batch::v1 as batch,
    coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    networking::v1 as networking, policy::v1 as policy, rbac::v1 as rbac,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::status::Status;
use super::super::store::Resource;
use super::refuse;

/// What came of decoding.
pub(super) struct Decoded {
    pub(super) object: Value,
    /// Paths of fields that the kind does not have.
    pub(super) unknown: Vec<String>,
}

/// Decodes an object of a built-in kind; kinds without a type here are kept as they are, as are
/// definitions, whose schemas hold values of any form.
pub(super) fn built_in(resource: &Resource, sent: &Value) -> Result<Decoded, Status> {
    let typed = match (resource.group.as_str(), resource.version.as_str(), resource.plural.as_str()) {
        ("", "v1", "configmaps") => through::<core::ConfigMap>,
        ("", "v1", "endpoints") => through::<core::Endpoints>,
        ("", "v1", "namespaces") => through::<core::Namespace>,
        ("", "v1", "nodes") => through::<core::Node>,
        ("", "v1", "pods") => through::<core::Pod>,
        ("", "v1", "podtemplates") => through::<core::PodTemplate>,
        ("", "v1", "secrets") => through::<core::Secret>,
        ("", "v1", "serviceaccounts") => through::<core::ServiceAccount>,
        ("", "v1", "services") => through::<core::Service>,
        ("apps", "v1", "deployments") => through::<apps::Deployment>,
        ("apps", "v1", "replicasets") => through::<apps::ReplicaSet>,
        ("autoscaling", "v1", "horizontalpodautoscalers") => through::<autoscaling1::HorizontalPodAutoscaler>,
        ("autoscaling", "v2", "horizontalpodautoscalers") => through::<autoscaling::HorizontalPodAutoscaler>,
        ("batch", "v1", "jobs") => through::<batch::Job>,
        ("coordination.k8s.io", "v1", "leases") => through::<coordination::Lease>,
        ("discovery.k8s.io", "v1", "endpointslices") => through::<discovery::EndpointSlice>,
        ("networking.k8s.io", "v1", "ingresses") => through::<networking::Ingress>,
        ("networking.k8s.io", "v1", "ingressclasses") => through::<networking::IngressClass>,
        ("policy", "v1", "poddisruptionbudgets") => through::<policy::PodDisruptionBudget>,
        ("rbac.authorization.k8s.io", "v1", "roles") => through::<rbac::Role>,
        ("rbac.authorization.k8s.io", "v1", "rolebindings") => through::<rbac::RoleBinding>,
        ("rbac.authorization.k8s.io", "v1", "clusterroles") => through::<rbac::ClusterRole>,
        ("rbac.authorization.k8s.io", "v1", "clusterrolebindings") => through::<rbac::ClusterRoleBinding>,
        _ => return Ok(Decoded { object: sent.clone(), unknown: Vec::new() }),
    };
    let mut ready = sent.clone();
    quantities_to_text(&mut ready, "");
    let mut object = typed(resource, &ready)?;
    let mut unknown = Vec::new();
    find_unknown(&ready, &object, "", &mut unknown);
    drop_additions(&ready, &mut object);
    omit_empty(&mut object, "");
    Ok(Decoded { object, unknown })
}

fn through<T: DeserializeOwned + Serialize>(resource: &Resource, sent: &Value) -> Result<Value, Status> {
    let refused = |why: String| {
        refuse::bad_request(format!(
            "{kind} in version \"{}\" cannot be handled as a {kind}: {why}",
            resource.version,
            kind = resource.kind
        ))
    };
    let typed: T = serde_path_to_error::deserialize(sent).map_err(|error| {
        let path = error.path().to_string();
        let found = json_type(at_path(sent, &path));
        let path = if path == "." { String::new() } else { format!(".{}", field_of(&path)) };
        let expected = expected_type(&error.inner().to_string());
        refused(format!(
            "json: cannot unmarshal {found} into Go struct field {}{path} of type {expected}",
            resource.kind
        ))
    })?;
    serde_json::to_value(typed).map_err(|error| refused(error.to_string()))
}

fn at_path<'a>(object: &'a Value, path: &str) -> &'a Value {
    let steps = path.split('.').flat_map(|step| step.split('[')).map(|step| step.trim_end_matches(']'));
    steps
        .filter(|step| !step.is_empty())
        .try_fold(object, |value, step| match value {
            Value::Array(list) => step.parse::<usize>().ok().and_then(|index| list.get(index)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
                value.get(step)
            }
        })
        .unwrap_or(&Value::Null)
}

/// The field that a path leads to: without the places in lists, and for a value in a map, the map.
fn field_of(path: &str) -> String {
    let mut steps: Vec<&str> = path.split('.').map(|step| step.split('[').next().unwrap_or(step)).collect();
    if steps.len() > 1 && FREE_MAPS.contains(&steps[steps.len() - 2]) {
        steps.pop();
    }
    steps.join(".")
}

fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The Go type that stands for what the decoder expected.
fn expected_type(error: &str) -> &'static str {
    let expected = error.rsplit("expected ").next().unwrap_or_default();
    let known =
        [("a string", "string"), ("a boolean", "bool"), ("i32", "int32"), ("i64", "int64"), ("a map", "map")];
    known.iter().find(|(word, _)| expected.starts_with(word)).map_or("struct", |(_, name)| name)
}

/// Finds the members that decoding dropped.
fn find_unknown(sent: &Value, kept: &Value, path: &str, unknown: &mut Vec<String>) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            for (key, value) in sent {
                let here = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match kept.get(key) {
                    Some(inner) => find_unknown(value, inner, &here, unknown),
                    None if value.is_null() => {}
                    None => unknown.push(here),
                }
            }
        }
        (Value::Array(sent), Value::Array(kept)) => {
            for (index, (value, inner)) in sent.iter().zip(kept).enumerate() {
                find_unknown(value, inner, &format!("{path}[{index}]"), unknown);
            }
        }
        _ => {}
    }
}

/// Drops the empty values that the types have for fields that were not sent.
fn drop_additions(sent: &Value, kept: &mut Value) {
    match (sent, kept) {
        (Value::Object(sent), Value::Object(kept)) => {
            kept.retain(|key, value| sent.contains_key(key) || !is_empty(value));
            for (key, value) in kept {
                drop_additions(sent.get(key).unwrap_or(&Value::Null), value);
            }
        }
        (Value::Array(sent), Value::Array(kept)) => {
            sent.iter().zip(kept).for_each(|(sent, kept)| drop_additions(sent, kept));
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Maps whose values are the user's: nothing in them is omitted.
const FREE_MAPS: [&str; 13] = [
    "labels",
    "annotations",
    "matchLabels",
    "data",
    "stringData",
    "binaryData",
    "nodeSelector",
    "selector",
    "limits",
    "requests",
    "capacity",
    "allocatable",
    "disruptedPods",
];
/// Maps of quantities.
const QUANTITIES: [&str; 4] = ["limits", "requests", "capacity", "allocatable"];
/// Numbers and flags that are omitted when they are zero or false.
const OMITTED_ZEROS: [&str; 29] = [
    "minReadySeconds",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "updatedReplicas",
    "observedGeneration",
    "succeeded",
    "failed",
    "hostPort",
    "initialDelaySeconds",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "readOnly",
    "paused",
    "publishNotReadyAddresses",
    "nodePort",
    "count",
    "unschedulable",
    "active",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
    "generation",
];
/// Texts that are told from absent ones even when they are empty.
const KEPT_TEXTS: [&str; 7] =
    ["ingressClassName", "storageClassName", "appProtocol", "apiGroup", "service", "volumeName", "name"];

/// Drops what Kubernetes' encoder omits: empty lists and maps of values, empty texts, some zeros.
fn omit_empty(value: &mut Value, name: &str) {
    match value {
        Value::Object(map) if FREE_MAPS.contains(&name) && map.values().all(|v| !v.is_object()) => {}
        Value::Object(map) => {
            map.retain(|key, value| {
                omit_empty(value, key);
                !is_omitted(key, value)
            });
        }
        Value::Array(list) => list.iter_mut().for_each(|item| omit_empty(item, "")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_omitted(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        // An empty map of the user's values is omitted; an empty structure says something (`emptyDir: {}`).
        Value::Object(map) => map.is_empty() && FREE_MAPS.contains(&key) && key != "selector",
        Value::String(text) => text.is_empty() && !KEPT_TEXTS.contains(&key),
        Value::Bool(flag) => !flag && OMITTED_ZEROS.contains(&key),
        Value::Number(number) => number.as_i64() == Some(0) && OMITTED_ZEROS.contains(&key),
    }
}

/// Quantities may be sent as numbers, and are kept in canonical form.
fn quantities_to_text(value: &mut Value, name: &str) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                if QUANTITIES.contains(&name) {
                    let text = match &*inner {
                        Value::String(text) => text.clone(),
                        Value::Number(number) => number.to_string(),
                        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
                    };
                    *inner = canonical_quantity(&text).into();
                } else {
                    quantities_to_text(inner, key);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| quantities_to_text(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A quantity in canonical form: `0.5` is `500m`, `1000m` is `1`, `1.5Gi` is `1536Mi`; what is none stays as it is.
fn canonical_quantity(text: &str) -> String {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(end);
    let units: (u128, &[&str]) = match suffix {
        "Ki" | "Mi" | "Gi" | "Ti" | "Pi" => (1024, &["", "Ki", "Mi", "Gi", "Ti", "Pi"]),
        _ => (1000, &["m", "", "k", "M", "G", "T", "P"]),
    };
    canonical(digits, suffix, units).unwrap_or_else(|| text.to_owned())
}

fn canonical(digits: &str, suffix: &str, (base, units): (u128, &[&str])) -> Option<String> {
    let power = u32::try_from(units.iter().position(|unit| *unit == suffix)?).ok()?;
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let number: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scaled = number.checked_mul(base.checked_pow(power)?)?;
    let divisor = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    if !scaled.is_multiple_of(divisor) {
        return None;
    }
    let mut amount = scaled / divisor;
    if amount == 0 {
        return Some("0".to_owned());
    }
    let mut unit = 0;
    while amount.is_multiple_of(base) && unit + 1 < units.len() {
        amount /= base;
        unit += 1;
    }
    Some(format!("{amount}{}", units.get(unit)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::store::Registry;
    use super::*;

    fn decoded(group: &str, plural: &str, sent: &Value) -> Result<Decoded, Status> {
        let resource = Registry::built_in().find(group, "v1", plural).expect("a built-in resource");
        built_in(&resource, sent)
    }

    #[test]
    fn quantities_have_one_form() {
        for (sent, kept) in [
            ("1000m", "1"),
            ("0.5", "500m"),
            ("1", "1"),
            ("0", "0"),
            ("1500m", "1500m"),
            ("128Mi", "128Mi"),
            ("1000", "1k"),
            ("1.5Gi", "1536Mi"),
            ("1024Mi", "1Gi"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(canonical_quantity(sent), kept, "{sent}");
        }
    }

    #[test]
    fn unknown_fields_are_dropped_and_told() {
        let sent = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"},
            "dat": {"x": 1}, "data": {"k": ""}});
        let decoded = decoded("", "configmaps", &sent).expect("it fits");
        assert_eq!(decoded.unknown, ["dat"]);
        assert_eq!(decoded.object["data"], json!({"k": ""}));
        assert_eq!(decoded.object.get("dat"), None);
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let sent = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}, "data": {"k": 5}});
        let refused = decoded("", "configmaps", &sent).err().expect("a refusal");
        assert!(
            refused.message.starts_with(
                "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal"
            ),
            "{}",
            refused.message
        );
    }

    #[test]
    fn empty_values_are_omitted_but_empty_structures_are_not() {
        let sent = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "labels": {}},
            "spec": {"hostNetwork": false, "containers": [{"name": "c", "args": [], "env": [{"name": "E", "value": ""}],
                "resources": {"limits": {"cpu": 1}}}],
                "volumes": [{"name": "v", "emptyDir": {}}]}});
        let object = decoded("", "pods", &sent).expect("it fits").object;
        assert_eq!(object["metadata"], json!({"name": "x"}));
        let container = json!({"name": "c", "env": [{"name": "E"}], "resources": {"limits": {"cpu": "1"}}});
        assert_eq!(object["spec"]["containers"], json!([container]));
        assert_eq!(object["spec"]["volumes"], json!([{"name": "v", "emptyDir": {}}]));
        assert_eq!(object["spec"].get("hostNetwork"), None);
    }
}

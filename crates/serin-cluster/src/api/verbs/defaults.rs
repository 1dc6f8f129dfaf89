//! The values that a server gives to fields of built-in kinds that are not set.
//!
//! They depend on the type that has the field, wherever in an object it stands: most are in a table of
//! [`kinds`](super::super::kinds), and those that depend on more are rules here.

use serde_json::{Value, json};

use super::super::kinds::defaults;
use super::super::store::Resource;
use super::super::store::object::{at, fill, members, remove, set, text};
use super::check::services;
use serin_kubernetes::types;

/// Sets what is not set.
pub(super) fn fill_in(resource: &Resource, object: &mut Value) {
    fill_type(&resource.entry.table_name(), object);
}

/// Sets what is not set in a value of a type, and in what it holds.
fn fill_type(name: &str, value: &mut Value) {
    if !value.is_object() {
        return;
    }
    for default in defaults::of(name) {
        let is_empty =
            !default.is_pointer && matches!(&value[default.field], Value::String(text) if text.is_empty());
        if is_empty || value[default.field].is_null() {
            set(value, &[default.field], default.value.clone());
        }
    }
    apply_rule(name, value);
    for field in types::find(name).map(|own| own.fields.as_slice()).unwrap_or_default() {
        match (field.name, &field.shape) {
            ("", types::Shape::Object(inner)) => fill_type(inner, value),
            (name, shape) => {
                if let Some(child) = value.get_mut(name) {
                    fill_shape(shape, child);
                }
            }
        }
    }
}

fn fill_shape(shape: &types::Shape, value: &mut Value) {
    match (shape.inside(), value) {
        (types::Inside::Type(name), value) => fill_type(name, value),
        (types::Inside::Each(inner), Value::Array(items)) => {
            for value in items {
                fill_shape(inner, value);
            }
        }
        (types::Inside::Each(inner), Value::Object(map)) => {
            for value in map.values_mut() {
                fill_shape(inner, value);
            }
        }
        (types::Inside::Each(_) | types::Inside::Nothing, _) => {}
    }
}

/// Sets what depends on more than the field itself.
fn apply_rule(type_name: &str, value: &mut Value) {
    match type_name {
        "core/v1.Pod" => pod(value),
        "core/v1.PodSpec" => service_account(value),
        "core/v1.Container" | "core/v1.EphemeralContainerCommon" => {
            let policy = pull_policy(text(value, &["image"]));
            fill(value, &["imagePullPolicy"], policy);
        }
        "core/v1.Volume" => volume(value),
        "core/v1.Service" => service(value),
        "core/v1.NodeStatus" => fill_from(value, "allocatable", "capacity"),
        "apps/v1.DeploymentStrategy" if text(value, &["type"]) == "RollingUpdate" => {
            fill(value, &["rollingUpdate"], json!({}));
        }
        "batch/v1.Job" => job(value),
        "autoscaling/v2.HorizontalPodAutoscalerSpec" => autoscaler(value),
        "rbac/v1.Subject" if matches!(text(value, &["kind"]), "User" | "Group") => {
            fill(value, &["apiGroup"], "rbac.authorization.k8s.io");
        }
        _ => {}
    }
}

fn list<'a>(object: &'a mut Value, path: &[&str]) -> impl Iterator<Item = &'a mut Value> {
    let list = path.iter().try_fold(object, |value, key| value.get_mut(key)).and_then(Value::as_array_mut);
    list.into_iter().flatten()
}

fn each(object: &mut Value, path: &[&str], change: impl FnMut(&mut Value)) {
    list(object, path).for_each(change);
}

/// Sets a field that is not set to what another one is.
fn fill_from(object: &mut Value, field: &str, other: &str) {
    let value = at(object, &[other]).clone();
    if !value.is_null() {
        fill(object, &[field], value);
    }
}

/// What templates do not get, for their pods get it.
fn pod(pod: &mut Value) {
    let address = text(pod, &["status", "podIP"]).to_owned();
    if !address.is_empty() {
        fill(pod, &["status", "podIPs"], json!([{"ip": address}]));
    }
    let Some(spec) = pod.get_mut("spec") else { return };
    fill(spec, &["enableServiceLinks"], true);
    let is_on_host = at(spec, &["hostNetwork"]) == true;
    for field in ["containers", "initContainers"] {
        each(spec, &[field], |container| {
            // A limit without a request is a request.
            let limits = at(container, &["resources", "limits"]).clone();
            for (name, limit) in limits.as_object().into_iter().flatten() {
                fill(container, &["resources", "requests", name], limit.clone());
            }
            if is_on_host {
                each(container, &["ports"], |port| fill_from(port, "hostPort", "containerPort"));
            }
        });
    }
}

/// Both names of the service account say the same.
fn service_account(spec: &mut Value) {
    let (from, to) = match text(spec, &["serviceAccountName"]) {
        "" => ("serviceAccount", "serviceAccountName"),
        _ => ("serviceAccountName", "serviceAccount"),
    };
    let name = at(spec, &[from]).clone();
    if name.is_string() {
        set(spec, &[to], name);
    }
}

/// When an image is pulled: always where it names no tag, or the tag `latest`, and no digest.
fn pull_policy(image: &str) -> &'static str {
    let last = image.rsplit('/').next().unwrap_or(image);
    let is_latest = !last.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest");
    if is_latest { "Always" } else { "IfNotPresent" }
}

fn volume(volume: &mut Value) {
    // A volume of no kind is an empty directory.
    if members(volume).len() == 1 {
        set(volume, &["emptyDir"], json!({}));
    }
    if volume.get("image").is_some() {
        let policy = pull_policy(text(volume, &["image", "reference"]));
        fill(volume, &["image", "pullPolicy"], policy);
    }
}

fn job(job: &mut Value) {
    let by_completions = !at(job, &["spec", "completions"]).is_null();
    let by_parallelism = !at(job, &["spec", "parallelism"]).is_null();
    if !by_completions && !by_parallelism {
        set(job, &["spec", "completions"], 1.into());
    }
    let retries = if at(job, &["spec", "backoffLimitPerIndex"]).is_null() { 6 } else { i32::MAX };
    fill(job, &["spec", "backoffLimit"], retries);
    let policy =
        if at(job, &["spec", "podFailurePolicy"]).is_null() { "TerminatingOrFailed" } else { "Failed" };
    fill(job, &["spec", "podReplacementPolicy"], policy);
    let labels = at(job, &["metadata", "labels"]).as_object().is_none_or(serde_json::Map::is_empty);
    if labels {
        let of_template = at(job, &["spec", "template", "metadata", "labels"]).clone();
        if of_template.as_object().is_some_and(|labels| !labels.is_empty()) {
            set(job, &["metadata", "labels"], of_template);
        }
    }
}

fn service(service: &mut Value) {
    fill(service, &["spec", "type"], "ClusterIP");
    fill(service, &["spec", "sessionAffinity"], "None");
    match text(service, &["spec", "sessionAffinity"]) {
        "ClientIP" => fill(service, &["spec", "sessionAffinityConfig", "clientIP"], json!({})),
        "None" => _ = remove(service, &["spec", "sessionAffinityConfig"]),
        _ => {}
    }
    each(service, &["spec", "ports"], |port| {
        if matches!(at(port, &["targetPort"]), Value::Null)
            || port["targetPort"] == 0
            || port["targetPort"] == ""
        {
            let same = at(port, &["port"]).clone();
            set(port, &["targetPort"], same);
        }
    });
    let kind = text(service, &["spec", "type"]).to_owned();
    if services::is_reached_from_outside(service) {
        fill(service, &["spec", "externalTrafficPolicy"], "Cluster");
    }
    if matches!(kind.as_str(), "ClusterIP" | "NodePort" | "LoadBalancer") {
        fill(service, &["spec", "internalTrafficPolicy"], "Cluster");
    }
    if kind == "LoadBalancer" {
        fill(service, &["spec", "allocateLoadBalancerNodePorts"], true);
        each(service, &["status", "loadBalancer", "ingress"], |point| {
            if !text(point, &["ip"]).is_empty() {
                fill(point, &["ipMode"], "VIP");
            }
        });
    }
}

fn autoscaler(spec: &mut Value) {
    let by_cpu = json!([{"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    fill(spec, &["metrics"], by_cpu);
    if spec.get("behavior").is_none() {
        return;
    }
    let policy = |kind: &str, value: i32| json!({"type": kind, "value": value, "periodSeconds": 15});
    fill(spec, &["behavior", "scaleUp", "stabilizationWindowSeconds"], 0);
    for (direction, policies) in [
        ("scaleUp", json!([policy("Pods", 4), policy("Percent", 100)])),
        ("scaleDown", json!([policy("Percent", 100)])),
    ] {
        fill(spec, &["behavior", direction, "selectPolicy"], "Max");
        fill(spec, &["behavior", direction, "policies"], policies);
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::store::Registry;
    use super::*;

    fn filled(group: &str, plural: &str, mut object: Value) -> Value {
        let resource = Registry::built_in().find(group, "v1", plural).expect("a built-in resource");
        fill_in(&resource, &mut object);
        object
    }

    #[test]
    fn images_without_a_tag_are_always_pulled() {
        for (image, latest) in [
            ("web", true),
            ("web:latest", true),
            ("web:1", false),
            ("host:5000/web", true),
            ("web@sha256:ab", false),
        ] {
            assert_eq!(pull_policy(image) == "Always", latest, "{image}");
        }
    }

    #[test]
    fn templates_get_the_defaults_of_pods() {
        let set = json!({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i",
            "readinessProbe": {"httpGet": {"port": 80}}}]}}}});
        let set = filled("apps", "replicasets", set);
        assert_eq!(set["spec"]["replicas"], 1);
        let spec = &set["spec"]["template"]["spec"];
        assert_eq!(spec["restartPolicy"], "Always");
        assert_eq!(spec["containers"][0]["imagePullPolicy"], "Always");
        assert_eq!(
            spec["containers"][0]["readinessProbe"]["httpGet"],
            json!({"port": 80, "path": "/", "scheme": "HTTP"})
        );
        assert_eq!(spec["containers"][0]["readinessProbe"]["failureThreshold"], 3);
        assert_eq!(spec.get("enableServiceLinks"), None);
    }

    #[test]
    fn limits_of_pods_are_requests_but_not_those_of_templates() {
        let containers = json!([{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}}]);
        let pod = filled("", "pods", json!({"spec": {"containers": containers}}));
        assert_eq!(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"], "1");
        assert_eq!(pod["spec"]["enableServiceLinks"], true);
        let set = filled(
            "apps",
            "replicasets",
            json!({"spec": {"template": {"spec": {"containers": containers}}}}),
        );
        assert_eq!(set["spec"]["template"]["spec"]["containers"][0]["resources"].get("requests"), None);
    }

    #[test]
    fn services_route_to_the_port_of_the_same_number() {
        let service = filled(
            "",
            "services",
            json!({"spec": {"ports": [{"port": 80}, {"port": 81, "targetPort": "x"}]}}),
        );
        assert_eq!(service["spec"]["ports"][0], json!({"port": 80, "protocol": "TCP", "targetPort": 80}));
        assert_eq!(service["spec"]["ports"][1]["targetPort"], "x");
        assert_eq!(service["spec"]["internalTrafficPolicy"], "Cluster");
    }
}

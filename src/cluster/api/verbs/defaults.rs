//! The values that a server gives to fields of built-in kinds that are not set.

use serde_json::{Value, json};

use super::super::store::Resource;
use super::super::store::object::{at, fill, members, remove, set, text};
use super::check::services;

/// Sets what is not set.
pub(super) fn fill_in(resource: &Resource, object: &mut Value) {
    match (resource.group.as_str(), resource.plural.as_str()) {
        ("", "pods") => pod(object),
        ("", "services") => service(object),
        ("", "secrets") => fill(object, &["type"], "Opaque"),
        ("", "endpoints") => {
            for subset in list(object, &["subsets"]) {
                each(subset, &["ports"], |port| fill(port, &["protocol"], "TCP"));
            }
        }
        ("apps", "replicasets") => {
            fill(object, &["spec", "replicas"], 1);
            template(object);
        }
        ("apps", "deployments") => deployment(object),
        ("batch", "jobs") => job(object),
        ("networking.k8s.io", "ingresses") => {
            for rule in list(object, &["spec", "rules"]) {
                each(rule, &["http", "paths"], |path| fill(path, &["pathType"], "ImplementationSpecific"));
            }
        }
        ("discovery.k8s.io", "endpointslices") => {
            each(object, &["ports"], |port| {
                fill(port, &["name"], "");
                fill(port, &["protocol"], "TCP");
            });
            each(object, &["endpoints"], |endpoint| fill(endpoint, &["conditions"], json!({})));
        }
        ("autoscaling", "horizontalpodautoscalers") if resource.version == "v2" => autoscaler(object),
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

fn pod(pod: &mut Value) {
    let address = text(pod, &["status", "podIP"]).to_owned();
    if !address.is_empty() {
        fill(pod, &["status", "podIPs"], json!([{"ip": address}]));
    }
    let Some(spec) = pod.get_mut("spec") else { return };
    pod_spec(spec);
    fill(spec, &["enableServiceLinks"], true);
    // A limit without a request is a request.
    for field in ["containers", "initContainers"] {
        each(spec, &[field], |container| {
            let limits = at(container, &["resources", "limits"]).clone();
            for (name, limit) in limits.as_object().into_iter().flatten() {
                fill(container, &["resources", "requests", name], limit.clone());
            }
        });
    }
}

fn template(object: &mut Value) {
    if let Some(spec) = object.pointer_mut("/spec/template/spec") {
        pod_spec(spec);
    }
}

fn pod_spec(spec: &mut Value) {
    fill(spec, &["restartPolicy"], "Always");
    fill(spec, &["terminationGracePeriodSeconds"], 30);
    fill(spec, &["dnsPolicy"], "ClusterFirst");
    fill(spec, &["securityContext"], json!({}));
    fill(spec, &["schedulerName"], "default-scheduler");
    match text(spec, &["serviceAccountName"]) {
        "" => copy_if_set(spec, "serviceAccount", "serviceAccountName"),
        _ => copy_if_set(spec, "serviceAccountName", "serviceAccount"),
    }
    for field in ["containers", "initContainers"] {
        each(spec, &[field], container);
    }
    each(spec, &["volumes"], volume);
}

fn copy_if_set(spec: &mut Value, from: &str, to: &str) {
    let value = at(spec, &[from]).clone();
    if value.is_string() {
        set(spec, &[to], value);
    }
}

fn container(container: &mut Value) {
    fill(container, &["terminationMessagePath"], "/dev/termination-log");
    fill(container, &["terminationMessagePolicy"], "File");
    let policy = if is_latest(text(container, &["image"])) { "Always" } else { "IfNotPresent" };
    fill(container, &["imagePullPolicy"], policy);
    each(container, &["ports"], |port| fill(port, &["protocol"], "TCP"));
    each(container, &["env"], |variable| {
        if !at(variable, &["valueFrom", "fieldRef"]).is_null() {
            fill(variable, &["valueFrom", "fieldRef", "apiVersion"], "v1");
        }
    });
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(given) = container.get_mut(name) {
            probe(given);
        }
    }
    for hook in ["postStart", "preStop"] {
        http_get(container.pointer_mut(&format!("/lifecycle/{hook}/httpGet")));
    }
}

/// Whether an image names no tag, or the tag `latest`, and no digest.
fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or(image);
    !last.contains('@') && last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn probe(probe: &mut Value) {
    for (field, value) in
        [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        fill(probe, &[field], value);
    }
    http_get(probe.get_mut("httpGet"));
    if let Some(grpc) = probe.get_mut("grpc") {
        fill(grpc, &["service"], "");
    }
}

fn http_get(get: Option<&mut Value>) {
    if let Some(get) = get {
        fill(get, &["path"], "/");
        fill(get, &["scheme"], "HTTP");
    }
}

fn volume(volume: &mut Value) {
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if volume.get(source).is_some() {
            fill(volume, &[source, "defaultMode"], 0o644);
        }
    }
    if let Some(host) = volume.get_mut("hostPath").filter(|host| host.get("type").is_none()) {
        members(host).insert("type".to_owned(), "".into());
    }
    each(volume, &["projected", "sources"], |source| {
        if source.get("serviceAccountToken").is_some() {
            fill(source, &["serviceAccountToken", "expirationSeconds"], 3600);
        }
    });
    // A volume of no kind is an empty directory.
    if members(volume).len() == 1 {
        set(volume, &["emptyDir"], json!({}));
    }
}

fn deployment(deployment: &mut Value) {
    fill(deployment, &["spec", "replicas"], 1);
    template(deployment);
    fill(deployment, &["spec", "strategy", "type"], "RollingUpdate");
    if text(deployment, &["spec", "strategy", "type"]) == "RollingUpdate" {
        fill(deployment, &["spec", "strategy", "rollingUpdate", "maxUnavailable"], "25%");
        fill(deployment, &["spec", "strategy", "rollingUpdate", "maxSurge"], "25%");
    }
    fill(deployment, &["spec", "revisionHistoryLimit"], 10);
    fill(deployment, &["spec", "progressDeadlineSeconds"], 600);
}

fn job(job: &mut Value) {
    template(job);
    let by_completions = !at(job, &["spec", "completions"]).is_null();
    let by_parallelism = !at(job, &["spec", "parallelism"]).is_null();
    if !by_completions && !by_parallelism {
        set(job, &["spec", "completions"], 1.into());
    }
    fill(job, &["spec", "parallelism"], 1);
    fill(job, &["spec", "backoffLimit"], 6);
    fill(job, &["spec", "completionMode"], "NonIndexed");
    fill(job, &["spec", "suspend"], false);
    fill(job, &["spec", "manualSelector"], false);
    let policy =
        if at(job, &["spec", "podFailurePolicy"]).is_null() { "TerminatingOrFailed" } else { "Failed" };
    fill(job, &["spec", "podReplacementPolicy"], policy);
    // A Job has to say when its pods start again; what every other template defaults to is no choice here.
    if text(job, &["spec", "template", "spec", "restartPolicy"]) == "Always" {
        remove(job, &["spec", "template", "spec", "restartPolicy"]);
    }
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
        "ClientIP" => fill(service, &["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"], 10_800),
        "None" => _ = remove(service, &["spec", "sessionAffinityConfig"]),
        _ => {}
    }
    each(service, &["spec", "ports"], |port| {
        fill(port, &["protocol"], "TCP");
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

fn autoscaler(autoscaler: &mut Value) {
    fill(autoscaler, &["spec", "minReplicas"], 1);
    let by_cpu = json!([{"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    fill(autoscaler, &["spec", "metrics"], by_cpu);
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
            assert_eq!(is_latest(image), latest, "{image}");
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

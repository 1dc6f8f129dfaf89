//! Equality of pod templates against what a real API server makes of them.

use kube::api::{Api, ApiResource, DynamicObject, PostParams};
use serde_json::{Value, json};
use serin_core::domain::template::{EphemeralMetadata, templates_equal};

use crate::mistakes::{Mistake, mistakes};
use crate::support::cluster;

/// A template with one container, which has `more` beside its name and image.
fn container(more: &Value) -> Value {
    json!({"spec": {"containers": [merged(json!({"name": "c", "image": "demo:1"}), more)]}})
}

/// A template with one volume of `source`.
fn volume(source: &Value) -> Value {
    pod(&json!({"volumes": [merged(json!({"name": "v"}), source)]}))
}

/// A template whose pod has `more` beside its container.
fn pod(more: &Value) -> Value {
    json!({"spec": merged(container(&json!({}))["spec"].take(), more)})
}

fn merged(mut object: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

/// Templates that reach what an API server fills in.
fn templates() -> Vec<Value> {
    let items = json!([{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]);
    let claim =
        json!({"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}});
    vec![
        container(&json!({"image": "registry:5000/demo"})),
        container(&json!({"image": "demo:latest"})),
        container(&json!({"image": "Not An Image"})),
        container(
            &json!({"resources": {"limits": {"cpu": "1.0005", "memory": "0.5Gi"}, "requests": {"cpu": 0.1}}}),
        ),
        container(&json!({"ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}]})),
        container(
            &json!({"livenessProbe": {"grpc": {"port": 80}}, "readinessProbe": {"tcpSocket": {"port": 80}}}),
        ),
        container(
            &json!({"lifecycle": {"preStop": {"httpGet": {"port": 80}}, "postStart": {"exec": {"command": ["a"]}}}}),
        ),
        container(&json!({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "B", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}}]})),
        container(&json!({"securityContext": {"privileged": false, "capabilities": {"drop": ["ALL"]}}})),
        volume(&json!({})),
        volume(&json!({"secret": {"secretName": "s"}})),
        volume(&json!({"configMap": {"name": "c", "items": [{"key": "k", "path": "p"}]}})),
        volume(&json!({"downwardAPI": {"items": items}})),
        volume(&json!({"hostPath": {"path": "/tmp"}})),
        volume(
            &json!({"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {"downwardAPI": {"items": items}}]}}),
        ),
        volume(&json!({"iscsi": {"targetPortal": "10.0.0.1", "iqn": "iqn.2001-04.com.example:a", "lun": 0}})),
        volume(&json!({"azureDisk": {"diskName": "d", "diskURI": "https://a.example/d"}})),
        volume(&json!({"ephemeral": {"volumeClaimTemplate": claim}})),
        volume(&json!({"image": {"reference": "demo:2"}})),
        pod(&json!({"initContainers": [{"name": "i", "image": "demo", "restartPolicy": "Always"}]})),
        pod(&json!({"hostNetwork": true, "serviceAccountName": "runner"})),
        pod(&json!({"serviceAccount": "runner", "terminationGracePeriodSeconds": 0})),
        pod(&json!({"securityContext": {"runAsUser": 0, "supplementalGroups": []}, "nodeSelector": {}})),
        pod(&json!({"topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}]})),
    ]
}

/// The ReplicaSet that the controller would make of `template`.
fn replica_set(name: &str, template: &Value) -> DynamicObject {
    let labels = json!({"rollouts-pod-template-hash": "abc"});
    let mut template = template.clone();
    template["metadata"]["labels"]["rollouts-pod-template-hash"] = json!("abc");
    serde_json::from_value(json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {"name": name},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }))
    .unwrap()
}

#[tokio::test]
async fn a_template_equals_what_the_api_server_stores_of_it() {
    let Some(cluster) = cluster().await else { return };
    let namespace = cluster.plane.namespace("template").await.unwrap();
    let client = cluster.plane.client().await.unwrap();
    let kind = ApiResource::erase::<k8s_openapi::api::apps::v1::ReplicaSet>(&());
    let sets = Api::<DynamicObject>::namespaced_with(client, &namespace, &kind);
    let dry_run = PostParams { dry_run: true, ..PostParams::default() };

    let templates = templates();
    for (index, template) in templates.iter().enumerate() {
        let created = sets.create(&dry_run, &replica_set(&format!("rs-{index}"), template)).await;
        let live =
            created.unwrap_or_else(|error| panic!("{template}: {error}")).data["spec"]["template"].take();
        let equal = templates
            .iter()
            .enumerate()
            .filter(|(_, other)| templates_equal(&live, other, &EphemeralMetadata::default()));
        let equal: Vec<usize> = equal.map(|(other, _)| other).collect();
        assert_eq!(equal, [index], "{template} is stored as {live}");
    }
}

/// The controller's validation has the same list (`tests/validation.rs`), so that it refuses nothing that could run.
#[tokio::test]
async fn mistakes_in_templates_are_refused_by_the_api_server() {
    let Some(cluster) = cluster().await else { return };
    let namespace = cluster.plane.namespace("mistakes").await.unwrap();
    let client = cluster.plane.client().await.unwrap();
    let kind = ApiResource::erase::<k8s_openapi::api::apps::v1::ReplicaSet>(&());
    let sets = Api::<DynamicObject>::namespaced_with(client, &namespace, &kind);
    let tried = PostParams { dry_run: true, ..PostParams::default() };
    let mut wrong = Vec::new();
    for Mistake { spec, container, at } in mistakes() {
        let fields = |value: Value| if value.is_null() { json!({}) } else { value };
        let mut template = pod(&fields(spec));
        template["spec"]["containers"] = self::container(&fields(container))["spec"]["containers"].take();
        let answer = sets.create(&tried, &replica_set("demo", &template)).await;
        if answer.is_err() != at.is_some() {
            wrong.push(format!("{at:?}: {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

//! The definitions of the five kinds, as a real API server understands them.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use serin_testbed::ControlPlane;

use crate::support::cluster;

/// An object of every kind but the cluster-wide one, with every field that the types know.
const EVERYTHING: &str = include_str!("../../crates/serin-core/src/api/testdata/everything.json");

fn api(client: Client, namespace: &str, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource {
        group: "argoproj.io".into(),
        version: "v1alpha1".into(),
        api_version: "argoproj.io/v1alpha1".into(),
        kind: kind.into(),
        plural: format!("{}s", kind.to_lowercase()),
    };
    Api::namespaced_with(client, namespace, &resource)
}

fn strict() -> PatchParams {
    PatchParams { field_validation: Some(kube::api::ValidationDirective::Strict), ..PatchParams::default() }
}

async fn create(plane: &ControlPlane, namespace: &str, object: &Value) -> DynamicObject {
    let client = plane.client().await.unwrap();
    let kind = object["kind"].as_str().unwrap();
    let mut object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    object.metadata.namespace = Some(namespace.to_owned());
    api(client, namespace, kind).create(&PostParams::default(), &object).await.unwrap()
}

#[tokio::test]
async fn definitions_are_accepted_by_a_client_side_apply() {
    let Some(cluster) = cluster().await else { return };
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    for crd in serin::cli::crds::files().unwrap() {
        let file = format!("{directory}/{}", crd.name);
        cluster.plane.kubectl(&["apply", "-f", &file]).await.unwrap().success().unwrap();
    }
    let client = cluster.plane.client().await.unwrap();
    let crds = Api::<CustomResourceDefinition>::all(client).list(&ListParams::default()).await.unwrap();
    let ours: Vec<_> = crds.items.into_iter().filter(|crd| crd.spec.group == "argoproj.io").collect();
    assert_eq!(ours.len(), 5);
    for crd in ours {
        let conditions = crd.status.unwrap().conditions.unwrap();
        let holding: Vec<_> =
            conditions.iter().filter(|c| c.status == "True").map(|c| c.type_.as_str()).collect();
        assert_eq!(holding, ["NamesAccepted", "Established"], "{:?}", crd.metadata.name);
        let applied = &crd.metadata.annotations.unwrap()["kubectl.kubernetes.io/last-applied-configuration"];
        assert!(applied.len() > 10_000);
    }
}

#[tokio::test]
async fn every_field_that_the_types_know_is_stored_and_no_other_appears() {
    let Some(cluster) = cluster().await else { return };
    let namespace = cluster.plane.namespace("fields").await.unwrap();
    let objects: Vec<Value> = serde_json::from_str(EVERYTHING).unwrap();
    for mut object in objects {
        let kind = object["kind"].as_str().unwrap().to_owned();
        object["metadata"] = json!({"name": "everything"});
        let mut stored = create(&cluster.plane, &namespace, &object).await;
        if kind == "Rollout" {
            assert_eq!(stored.data.get("status"), None, "the status is a subresource");
            let api = api(cluster.plane.client().await.unwrap(), &namespace, &kind);
            let status = Patch::Merge(json!({"status": object["status"]}));
            stored = api.patch_status("everything", &strict(), &status).await.unwrap();
        }
        for part in ["spec", "status"] {
            assert_eq!(stored.data.get(part), object.get(part), "{part} of {kind}");
        }
    }
}

#[tokio::test]
async fn templates_get_the_defaults_of_the_reference_and_keep_what_is_not_known() {
    let Some(cluster) = cluster().await else { return };
    let namespace = cluster.plane.namespace("template").await.unwrap();
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "demo"},
        "spec": {"template": {
            "metadata": {"labels": {"app": "demo"}, "name": "dropped"},
            "spec": {
                "containers": [{
                    "name": "demo",
                    "ports": [{"containerPort": 8080}],
                    "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"key": "a"}}}],
                    "livenessProbe": {"grpc": {"port": 8080}, "newer": 1},
                    "resources": {"limits": {"cpu": 0.5}},
                    "newer": {"deep": [1]},
                }],
                "imagePullSecrets": [{}],
                "volumes": [{"name": "v", "newerSource": {}}],
                "newer": true,
            },
        }},
    });
    let stored = create(&cluster.plane, &namespace, &rollout).await;
    let expected = json!({
        "metadata": {"labels": {"app": "demo"}},
        "spec": {
            "containers": [{
                "name": "demo",
                "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                "env": [{"name": "A", "valueFrom": {"secretKeyRef": {"key": "a", "name": ""}}}],
                "livenessProbe": {"grpc": {"port": 8080, "service": ""}, "newer": 1},
                "resources": {"limits": {"cpu": 0.5}},
                "newer": {"deep": [1]},
            }],
            "imagePullSecrets": [{"name": ""}],
            "volumes": [{"name": "v", "newerSource": {}}],
            "newer": true,
        },
    });
    assert_eq!(stored.data["spec"]["template"], expected);
}

#[tokio::test]
async fn a_selector_cannot_be_changed() {
    let Some(cluster) = cluster().await else { return };
    let namespace = cluster.plane.namespace("selector").await.unwrap();
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "demo"},
        "spec": {"selector": {"matchLabels": {"app": "demo"}}},
    });
    create(&cluster.plane, &namespace, &rollout).await;
    let api = api(cluster.plane.client().await.unwrap(), &namespace, "Rollout");
    let change = |app: &str| Patch::Merge(json!({"spec": {"selector": {"matchLabels": {"app": app}}}}));
    api.patch("demo", &PatchParams::default(), &change("demo")).await.unwrap();
    let error = api.patch("demo", &PatchParams::default(), &change("other")).await.unwrap_err();
    assert!(error.to_string().contains("spec.selector: Invalid value: is immutable"), "{error}");
}

#[tokio::test]
async fn a_run_has_its_status_in_the_object_itself() {
    let Some(cluster) = cluster().await else { return };
    let namespace = cluster.plane.namespace("status").await.unwrap();
    let run = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": "demo"},
        "spec": {"metrics": []},
    });
    create(&cluster.plane, &namespace, &run).await;
    let api = api(cluster.plane.client().await.unwrap(), &namespace, "AnalysisRun");
    let patched =
        api.patch("demo", &strict(), &Patch::Merge(json!({"status": {"phase": "Running"}}))).await.unwrap();
    assert_eq!(patched.data["status"], json!({"phase": "Running"}));
    let patched = api.patch("demo", &strict(), &Patch::Merge(json!({"status": null}))).await.unwrap();
    assert_eq!(patched.data.get("status"), None);
}

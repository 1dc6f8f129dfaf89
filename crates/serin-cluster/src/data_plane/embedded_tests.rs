//! A whole embedded cluster with real traffic: API, controllers, kubelet, pods and proxy.

use std::time::Duration;

use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::{DataPlane, Settings, run};
use crate::actors::{self, ActorName};
use crate::api::store::{self, Store};
use crate::http::Front;
use crate::kubelet::{KubeletSettings, run_probed};
use serin_clock::{self as clock, Clock};

fn cluster(network: u8) -> (Client, DataPlane) {
    let client = Front::new(Store::new(&store::Settings::default(), Clock::System.now()), Clock::System)
        .client("default");
    let plane = DataPlane::bind(Settings { network, ..Settings::default() }, 7).unwrap();
    let (sender, probes) = mpsc::channel(64);
    let fast = Duration::from_millis(20);
    let settings = KubeletSettings {
        start_latency: fast,
        drain: Duration::from_millis(500),
        ..KubeletSettings::default()
    };
    tokio::spawn(run_probed(client.clone(), settings, Clock::System, probes));
    tokio::spawn(actors::run(client.clone(), ActorName::all(), Clock::System));
    tokio::spawn(run(plane.clone(), client.clone(), Clock::System, sender));
    (client, plane)
}

fn api(client: &Client, group: &str, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind));
    Api::default_namespaced_with(client.clone(), &resource)
}

async fn create(client: &Client, group: &str, kind: &str, name: &str, spec: Value, annotations: Value) {
    let version = if group.is_empty() { "v1".to_owned() } else { format!("{group}/v1") };
    let object = json!({"apiVersion": version, "kind": kind, "spec": spec,
        "metadata": {"name": name, "annotations": annotations}});
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api(client, group, kind).create(&PostParams::default(), &object).await.unwrap();
}

async fn revision(client: &Client, name: &str, image: &str) {
    let labels = json!({"app": "web", "colour": name});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{
        "name": "c", "image": image, "ports": [{"containerPort": 18080}],
        "readinessProbe": {"httpGet": {"path": "/color", "port": 18080}, "periodSeconds": 1}}]}});
    let spec = json!({"replicas": 2, "selector": {"matchLabels": labels}, "template": template});
    create(client, "apps", "ReplicaSet", name, spec, json!({"rollout.argoproj.io/revision": "5"})).await;
    let spec = json!({"selector": {"colour": name}, "ports": [{"port": 80, "targetPort": 18080}]});
    create(client, "", "Service", name, spec, Value::Null).await;
}

async fn ingress(client: &Client, name: &str, annotations: Value) {
    let backend = json!({"service": {"name": name, "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    let spec =
        json!({"ingressClassName": "nginx", "rules": [{"host": "demo.local", "http": {"paths": paths}}]});
    create(client, "networking.k8s.io", "Ingress", name, spec, annotations).await;
}

async fn get(plane: &DataPlane) -> String {
    let mut stream = TcpStream::connect(plane.ingress().unwrap()).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: demo.local\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

async fn until_answered(plane: &DataPlane, text: &str) {
    for _ in 0..400 {
        if get(plane).await.contains(text) {
            return;
        }
        clock::sleep(Duration::from_millis(20)).await;
    }
    panic!("no answer has {text}: {:?} {:?}", plane.tally(), plane.notes());
}

#[tokio::test]
async fn a_canary_gets_its_share_and_scaling_costs_no_request() {
    let (client, plane) = cluster(78);
    revision(&client, "blue", "rollouts-demo:blue").await;
    ingress(&client, "blue", Value::Null).await;
    until_answered(&plane, "colour blue").await;
    revision(&client, "yellow", "rollouts-demo:yellow").await;
    let weight = |weight: &str| json!({"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": weight});
    ingress(&client, "yellow", weight("50")).await;
    until_answered(&plane, "revision 5").await;
    until_answered(&plane, "colour yellow").await;
    // From here on nothing may fail, whatever is scaled.
    let before = plane.tally();
    let sets = api(&client, "apps", "ReplicaSet");
    for (round, replicas) in [4, 1, 3, 1].into_iter().enumerate() {
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        let name = if round % 2 == 0 { "blue" } else { "yellow" };
        sets.patch(name, &PatchParams::default(), &patch).await.unwrap();
        for _ in 0..100 {
            assert!(get(&plane).await.starts_with("HTTP/1.1 200"));
            clock::sleep(Duration::from_millis(2)).await;
        }
    }
    let tally = plane.tally().since(&before);
    assert_eq!((tally.failed(), tally.total()), (0, 400));
    let yellow: u64 =
        tally.origins.iter().filter(|(o, _)| o.colour == "yellow").map(|(_, c)| c.answers).sum();
    assert!((150..=250).contains(&yellow), "{yellow}");
    let patch = Patch::Merge(json!({"metadata": {"annotations": weight("0")}}));
    api(&client, "networking.k8s.io", "Ingress")
        .patch("yellow", &PatchParams::default(), &patch)
        .await
        .unwrap();
    clock::sleep(Duration::from_millis(500)).await;
    for _ in 0..50 {
        assert!(get(&plane).await.contains("colour blue"));
    }
}

#[tokio::test]
async fn a_pod_that_fails_its_probe_gets_no_request() {
    let (client, plane) = cluster(79);
    revision(&client, "blue", "rollouts-demo:bad-blue").await;
    ingress(&client, "blue", Value::Null).await;
    clock::sleep(Duration::from_millis(1_500)).await;
    assert!(get(&plane).await.starts_with("HTTP/1.1 503"));
    let pods = api(&client, "", "Pod").list(&kube::api::ListParams::default()).await.unwrap();
    let ready = |pod: &DynamicObject| pod.data["status"]["containerStatuses"][0]["ready"] == true;
    assert_eq!((pods.items.len(), pods.items.iter().filter(|pod| ready(pod)).count()), (2, 0));
}

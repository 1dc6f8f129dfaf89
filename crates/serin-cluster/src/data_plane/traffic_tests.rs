//! Real requests through the proxy to pods that listen, without an API.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::config::config;
use super::driver::{DataPlane, Pods, serve};
use super::pods::listening;
use super::{Settings, Tally};
use crate::kubelet::Probed;
use crate::view::View;

const NETWORK: u8 = 77;

struct Scene {
    view: View,
    pods: Pods,
    probed: mpsc::Receiver<Probed>,
    version: u64,
}

impl Scene {
    fn new() -> Self {
        let plane = DataPlane::bind(Settings { network: NETWORK, ..Settings::default() }, 1).unwrap();
        let listener = plane.listener.try_clone().unwrap();
        tokio::spawn(serve(listener, Arc::clone(&plane.proxy)));
        let (sender, probed) = mpsc::channel(16);
        let pods = Pods { plane, probed: sender, running: BTreeMap::new() };
        Self { view: View::default(), pods, probed, version: 0 }
    }

    fn put(&mut self, resource: &str, name: &str, mut object: Value) {
        self.version += 1;
        object["metadata"]["namespace"] = "shop".into();
        object["metadata"]["name"] = name.into();
        object["metadata"]["uid"] = format!("{resource}/{name}").into();
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.view.applied(&Arc::from(resource), object);
    }

    fn pod(&mut self, name: &str, address: &str, image: &str) {
        self.put(
            "pods",
            name,
            json!({
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "c", "image": image, "ports": [{"containerPort": 18080}],
                    "readinessProbe": {"httpGet": {"path": "/", "port": 18080}}}]},
                "status": {"podIP": address, "containerStatuses": [{"state": {"running": {}}}]},
            }),
        );
    }

    fn service(&mut self, name: &str, addresses: &[&str]) {
        self.put("services", name, json!({"spec": {"ports": [{"port": 80, "targetPort": 18080}]}}));
        let endpoints: Vec<Value> =
            addresses.iter().map(|ip| json!({"addresses": [ip], "conditions": {"ready": true}})).collect();
        self.put(
            "endpointslices.discovery.k8s.io",
            name,
            json!({
                "metadata": {"labels": {"kubernetes.io/service-name": name}},
                "ports": [{"name": "", "port": 18080}],
                "endpoints": endpoints,
            }),
        );
    }

    fn ingress(&mut self, name: &str, service: &str, annotations: &Value) {
        self.put("ingresses.networking.k8s.io", name, json!({
            "metadata": {"annotations": annotations},
            "spec": {"rules": [{"host": "demo.local", "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": service, "port": {"number": 80}}}}]}}]},
        }));
    }

    fn apply(&mut self) {
        self.pods.update(listening(&self.view, NETWORK));
        self.pods.plane.proxy.apply(config(&self.view));
    }

    async fn get(&self, path: &str, headers: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.pods.plane.ingress().unwrap()).await.unwrap();
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: demo.local\r\nConnection: close\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
        (status, body)
    }

    fn tally(&self) -> Tally {
        self.pods.plane.tally()
    }

    /// Answers by colour.
    fn colours(&self) -> BTreeMap<String, u64> {
        self.tally().origins.into_iter().map(|(origin, count)| (origin.colour, count.answers)).collect()
    }
}

fn canary(weight: &str) -> Value {
    json!({
        "nginx.ingress.kubernetes.io/canary": "true",
        "nginx.ingress.kubernetes.io/canary-weight": weight,
        "nginx.ingress.kubernetes.io/canary-by-header": "X-Canary",
    })
}

/// Blue is stable at .1 and .2, yellow the canary at .3; `third` is the third number of the addresses.
fn blue_and_yellow(third: u8, weight: &str) -> Scene {
    let mut scene = Scene::new();
    let at = |last: u8| format!("10.244.{third}.{last}");
    scene.pod("blue-1", &at(1), "rollouts-demo:blue");
    scene.pod("blue-2", &at(2), "rollouts-demo:blue");
    scene.pod("yellow", &at(3), "rollouts-demo:yellow");
    scene.service("stable", &[&at(1), &at(2)]);
    scene.service("canary", &[&at(3)]);
    scene.ingress("stable", "stable", &Value::Null);
    scene.ingress("canary", "canary", &canary(weight));
    scene.apply();
    scene
}

#[tokio::test]
async fn the_share_of_answers_follows_the_weight() {
    let scene = blue_and_yellow(1, "20");
    for _ in 0..1_000 {
        let (status, body) = scene.get("/color", "").await;
        assert!(status == 200 && ["\"blue\"", "\"yellow\""].contains(&body.as_str()), "{status} {body}");
    }
    let yellow = scene.colours()["yellow"];
    // Five standard deviations of a thousand draws at 20 %.
    assert!((137..=263).contains(&yellow), "{yellow}");
    assert_eq!((scene.tally().failed(), scene.tally().total()), (0, 1_000));
}

#[tokio::test]
async fn the_header_decides_and_endpoints_take_turns() {
    let scene = blue_and_yellow(2, "0");
    assert_eq!(scene.get("/color", "X-Canary: always\r\n").await, (200, "\"yellow\"".to_owned()));
    let mut pods = BTreeSet::new();
    for _ in 0..4 {
        pods.insert(scene.get("/", "X-Canary: never\r\n").await.1);
    }
    assert_eq!(pods.len(), 2, "{pods:?}");
}

#[tokio::test]
async fn a_pod_that_went_away_costs_no_request() {
    let mut scene = blue_and_yellow(3, "0");
    // The endpoints still have it, as they do until the news has arrived.
    scene.view.deleted(
        &Arc::from("pods"),
        json!({"metadata": {"namespace": "shop", "name": "blue-1",
        "uid": "pods/blue-1", "resourceVersion": "99"}}),
    );
    scene.apply();
    for _ in 0..10 {
        assert_eq!(scene.get("/color", "").await.0, 200);
    }
    assert_eq!(scene.tally().failed(), 0);
}

#[tokio::test]
async fn requests_in_flight_are_answered_while_a_pod_drains() {
    let mut scene = Scene::new();
    scene.pod("slow", "10.244.4.1", "rollouts-demo:slow");
    scene.service("stable", &["10.244.4.1"]);
    scene.ingress("stable", "stable", &Value::Null);
    scene.apply();
    let began = scene.pods.plane.ingress().unwrap();
    let request = tokio::spawn(async move {
        let mut stream = TcpStream::connect(began).await.unwrap();
        stream
            .write_all(b"GET /color HTTP/1.1\r\nHost: demo.local\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    });
    serin_clock::sleep(Duration::from_millis(300)).await;
    scene.pods.running.clear();
    serin_clock::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect("127.77.4.1:18080").await.is_err(), "it takes no new connections");
    assert!(request.await.unwrap().contains("200 OK"));
}

#[tokio::test]
async fn failures_are_counted_by_kind() {
    let mut scene = Scene::new();
    scene.pod("bad", "10.244.5.1", "rollouts-demo:bad-red");
    scene.service("stable", &["10.244.5.1"]);
    scene.ingress("stable", "stable", &Value::Null);
    scene.apply();
    assert_eq!(scene.get("/", "").await.0, 500);
    scene.pods.running.clear();
    assert_eq!(scene.get("/", "").await.0, 502);
    scene.service("stable", &[]);
    scene.apply();
    assert_eq!(scene.get("/", "").await.0, 503);
    scene.view = View::default();
    scene.apply();
    assert_eq!(scene.get("/", "").await.0, 404);
    let tally = scene.tally();
    assert_eq!((tally.failed(), tally.unanswered, tally.unruled), (3, 2, 1));
}

#[tokio::test]
async fn probes_tell_which_pods_answer() {
    let mut scene = Scene::new();
    scene.pod("good", "10.244.6.1", "rollouts-demo:blue");
    scene.pod("bad", "10.244.6.2", "rollouts-demo:bad-blue");
    scene.apply();
    let first = scene.probed.recv().await.unwrap();
    assert_eq!((first.key.name.as_str(), first.container.as_str(), first.is_answering), ("good", "c", true));
    let next = tokio::time::timeout(Duration::from_millis(300), scene.probed.recv()).await;
    assert!(next.is_err(), "a pod that answers 500 is not ready: {next:?}");
}

#[tokio::test]
async fn a_client_is_bound_by_a_cookie() {
    let mut scene = blue_and_yellow(7, "50");
    scene.ingress(
        "stable",
        "stable",
        &json!({"nginx.ingress.kubernetes.io/affinity": "cookie",
        "nginx.ingress.kubernetes.io/session-cookie-name": "route"}),
    );
    scene.apply();
    let mut stream = TcpStream::connect(scene.pods.plane.ingress().unwrap()).await.unwrap();
    stream.write_all(b"GET /color HTTP/1.1\r\nHost: demo.local\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let colour = answer.split_once("\r\n\r\n").unwrap().1;
    for _ in 0..20 {
        assert_eq!(scene.get("/color", &format!("Cookie: {cookie}\r\n")).await.1, colour);
    }
}

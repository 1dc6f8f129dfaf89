//! Rust clients: through the socket, and without one.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use http::Request;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, ListParams, PostParams, WatchEvent, WatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use serin_cluster::http::{Server, ServerSettings};

use crate::embedded::front;

fn config_map(name: &str) -> ConfigMap {
    serde_json::from_value(json!({"metadata": {"name": name}})).unwrap()
}

#[tokio::test]
async fn a_client_needs_no_socket() {
    let client = front().client("default");
    let maps = Api::<ConfigMap>::default_namespaced(client.clone());
    let made = maps.create(&PostParams::default(), &config_map("a")).await.unwrap();
    let params = WatchParams::default().timeout(1);
    let version = made.metadata.resource_version.unwrap();
    let events = maps.watch(&params, &version).await.unwrap();
    maps.create(&PostParams::default(), &config_map("b")).await.unwrap();
    // The watch ends by itself when its second is over.
    let events: Vec<WatchEvent<ConfigMap>> = events.try_collect().await.unwrap();
    assert!(
        matches!(&events[..], [WatchEvent::Added(map)] if map.metadata.name.as_deref() == Some("b")),
        "{events:?}"
    );
    let named = maps.list_metadata(&ListParams::default()).await.unwrap();
    assert_eq!(named.items.len(), 2);
    assert_eq!(client.apiserver_version().await.unwrap().git_version, "v1.36.3");
}

#[tokio::test]
async fn a_watch_is_told_at_once() {
    let settings = ServerSettings::default();
    let front = front();
    let server = Server::start(front, settings).await.unwrap();
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig()).unwrap();
    let config =
        kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
    let maps = Api::<ConfigMap>::default_namespaced(kube::Client::try_from(config).unwrap());
    let mut events = maps.watch(&WatchParams::default(), "0").await.unwrap().boxed();
    for name in ["a", "b", "c"] {
        maps.create(&PostParams::default(), &config_map(name)).await.unwrap();
        loop {
            let event =
                tokio::time::timeout(Duration::from_secs(5), events.try_next()).await.unwrap().unwrap();
            let Some(WatchEvent::Added(map)) = event else { panic!("not an addition: {event:?}") };
            if map.metadata.name.as_deref() == Some(name) {
                break;
            }
        }
    }
}

#[tokio::test]
async fn who_has_no_token_is_turned_away() {
    let settings = ServerSettings { token: Some("right".to_owned()), ..ServerSettings::default() };
    let server = Server::start(front(), settings).await.unwrap();
    for (token, expected) in [("wrong", 401), ("right", 200)] {
        let text = server.kubeconfig().replace("token: right", &format!("token: {token}"));
        let kubeconfig = Kubeconfig::from_yaml(&text).unwrap();
        let config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.unwrap();
        let client = kube::Client::try_from(config).unwrap();
        let answer = client.request::<Value>(Request::get("/api").body(Vec::new()).unwrap()).await;
        let code = match answer {
            Ok(_) => 200,
            Err(kube::Error::Api(status)) => status.code,
            Err(error) => panic!("{error}"),
        };
        assert_eq!(code, expected, "{token}");
    }
}

#[tokio::test]
async fn refusals_are_statuses() {
    let client = front().client("default");
    for (request, code, part) in [
        (Request::get("/api/v1/pods?limit=x"), 400, "parsing \"x\": invalid syntax"),
        (Request::get("/api/v1/pods").header("accept", "text/html"), 406, "application/json"),
        (
            Request::post("/api/v1/namespaces/default/pods").header("content-type", "text/html"),
            415,
            "accepted media types include: application/json",
        ),
        (
            Request::post("/api/v1/namespaces/default/pods").header("content-type", "application/json"),
            400,
            "JSON",
        ),
        (Request::get("/api/v1/nothings"), 404, "the server could not find the requested resource"),
    ] {
        let answer = client.request::<Value>(request.body(b"{".to_vec()).unwrap()).await;
        let Err(kube::Error::Api(status)) = answer else { panic!("{answer:?}") };
        assert_eq!(status.code, code, "{}", status.message);
        assert!(status.message.contains(part), "{}", status.message);
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let first = Server::start(front(), ServerSettings::default()).await.unwrap();
    let settings = ServerSettings { port: first.address().port(), ..ServerSettings::default() };
    let error = Server::start(front(), settings).await.unwrap_err();
    assert!(error.to_string().contains(&first.address().to_string()), "{error}");
}

//! Probes of readiness, for as long as the pod listens.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::directory::Directory;
use super::pods::{Check, Listening, Probe};
use crate::kubelet::Probed;
use serin_clock as clock;

/// Probes one container again and again, and tells when the answer changes.
pub(super) async fn probe(
    pod: Listening,
    probe: Probe,
    directory: Arc<Directory>,
    client: Client<HttpConnector, Body>,
    probed: mpsc::Sender<Probed>,
) {
    let mut told = false;
    let mut in_a_row = 0;
    loop {
        let tried =
            tokio::time::timeout(probe.timeout, is_answering(&pod, &probe.check, &directory, &client));
        let is_answering = tried.await.unwrap_or(false);
        in_a_row = if is_answering == told { 0 } else { in_a_row + 1 };
        let enough = if is_answering { probe.successes } else { probe.failures };
        if in_a_row >= enough {
            told = is_answering;
            in_a_row = 0;
            let result = Probed { key: pod.key.clone(), container: probe.container.clone(), is_answering };
            if probed.send(result).await.is_err() {
                return;
            }
        }
        if probe.check == Check::Nothing {
            return;
        }
        clock::sleep(probe.period).await;
    }
}

async fn is_answering(
    pod: &Listening,
    check: &Check,
    directory: &Directory,
    client: &Client<HttpConnector, Body>,
) -> bool {
    match check {
        Check::Nothing => true,
        Check::Tcp { port } => match directory.find(pod.address, *port) {
            Some((at, _)) => TcpStream::connect(at).await.is_ok(),
            None => false,
        },
        Check::Http { path, port } => {
            let Some((at, _)) = directory.find(pod.address, *port) else { return false };
            let Ok(uri) = format!("http://{at}{path}").parse::<Uri>() else { return false };
            let Ok(request) = Request::get(uri).header("user-agent", "kube-probe/1.36").body(Body::empty())
            else {
                return false;
            };
            let answer = client.request(request).await;
            answer.is_ok_and(|answer| (200..400).contains(&answer.status().as_u16()))
        }
    }
}

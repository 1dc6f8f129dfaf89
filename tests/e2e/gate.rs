//! A gate between a controller and the API server: it passes everything on, and after a chosen number of writes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{Method, Request as HttpRequest, StatusCode};
use axum::response::{IntoResponse, Response};
use kube::Client;
use serde_json::json;
use serin::cluster::control_plane::ControlPlane;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The state that requests share.
struct Passage {
    client: Client,
    /// How many more writes may pass.
    left: AtomicU64,
    shut: Notify,
}

/// An HTTP server that speaks for the user `serin` to the API server. What is written through it is carried out, but of
/// the last write that may pass nobody ever hears, and later ones do not arrive.
pub(crate) struct Gate {
    passage: Arc<Passage>,
    server: JoinHandle<()>,
    pub(crate) kubeconfig: PathBuf,
}

impl Gate {
    /// A gate that is open. `name` tells its kubeconfig from others of the same control plane.
    pub(crate) async fn open(plane: &ControlPlane, name: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let kubeconfig = plane.directory().join(format!("{name}.kubeconfig"));
        write_kubeconfig(&kubeconfig, &format!("http://{address}"));
        let client = plane.serin_client().await.unwrap();
        let passage = Arc::new(Passage { client, left: AtomicU64::new(u64::MAX), shut: Notify::new() });
        let routes = Router::new().fallback(pass).with_state(Arc::clone(&passage));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { passage, server, kubeconfig }
    }

    /// From now on this many writes may pass.
    pub(crate) fn allow(&self, writes: u64) {
        self.passage.left.store(writes, Ordering::SeqCst);
    }

    /// Returns when the last write that may pass has been carried out.
    pub(crate) async fn shut(&self) {
        self.passage.shut.notified().await;
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn write_kubeconfig(path: &Path, server: &str) {
    let value = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "gate",
        "clusters": [{"name": "gate", "cluster": {"server": server}}],
        "users": [{"name": "gate", "user": {}}],
        "contexts": [{"name": "gate", "context": {"cluster": "gate", "user": "gate"}}],
    });
    std::fs::write(path, value.to_string()).unwrap();
}

async fn pass(State(passage): State<Arc<Passage>>, request: Request) -> Response {
    let is_write = !matches!(*request.method(), Method::GET | Method::HEAD);
    let is_last = if is_write {
        let take_one = |left: u64| left.checked_sub(1);
        match passage.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one) {
            Ok(before) => before == 1,
            Err(_) => return std::future::pending().await,
        }
    } else {
        false
    };
    let answer = forward(&passage.client, request).await;
    if is_last {
        passage.shut.notify_one();
        return std::future::pending().await;
    }
    answer
}

async fn forward(client: &Client, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    // The client knows whom it speaks to.
    head.headers.remove(HOST);
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    match client.send(HttpRequest::from_parts(head, kube::client::Body::from(body))).await {
        Ok(answer) => answer.map(Body::new),
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

//! A gate between a controller and the API server: it passes everything on, and after a chosen number of writes nothing.
//! One write can be held, to be carried out when nobody waits for it any more.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{Method, Request as HttpRequest, StatusCode};
use axum::response::{IntoResponse, Response};
use kube::Client;
use serde_json::json;
use serin_testbed::ControlPlane;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// The state that requests share.
struct Passage {
    client: Client,
    /// How many more writes may pass.
    left: AtomicU64,
    shut: Notify,
    /// The path of the write to hold.
    to_hold: Mutex<Option<String>>,
    held: Notify,
    let_go: Notify,
}

impl Passage {
    fn is_to_be_held(&self, path: &str) -> bool {
        self.to_hold.lock().unwrap().take_if(|end| path.ends_with(end.as_str())).is_some()
    }
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
        let passage = Arc::new(Passage {
            client,
            left: AtomicU64::new(u64::MAX),
            shut: Notify::new(),
            to_hold: Mutex::default(),
            held: Notify::new(),
            let_go: Notify::new(),
        });
        let routes = Router::new().fallback(pass).with_state(Arc::clone(&passage));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { passage, server, kubeconfig }
    }

    /// From now on this many writes may pass.
    pub(crate) fn allow(&self, writes: u64) {
        self.passage.left.store(writes, Ordering::SeqCst);
    }

    /// The next write whose path ends so is held, and nobody hears what becomes of it.
    pub(crate) fn hold(&self, path: &str) {
        *self.passage.to_hold.lock().unwrap() = Some(path.to_owned());
    }

    /// Returns when the write is held.
    pub(crate) async fn held(&self) {
        self.passage.held.notified().await;
    }

    /// Lets the write that is held go on to the API server.
    pub(crate) fn let_go(&self) {
        self.passage.let_go.notify_one();
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
    if is_write && passage.is_to_be_held(request.uri().path()) {
        // Aside, for the one who waits for the answer will go.
        tokio::spawn(async move {
            passage.held.notify_one();
            passage.let_go.notified().await;
            forward(&passage.client, request).await
        });
        return std::future::pending().await;
    }
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

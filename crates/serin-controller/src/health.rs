//! What is served over HTTP beside the work: `/healthz` says that the process lives, `/readyz` that it knows the
//! cluster, `/metrics` how it fares.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus::TEXT_FORMAT;
use tokio::net::TcpListener;

use super::dispatch::Dispatcher;
use super::fence::Fence;
use super::metrics::scrape;
use super::reconcile::Reconciler;
use super::start::StartError;
use serin_core::domain::plan::ObjectKind;
use serin_machine::caches::Caches;

/// A server, and the flag that chooses its port.
#[derive(Debug, Clone, Copy)]
pub enum Page {
    /// `/healthz` and `/readyz`.
    Health,
    /// `/metrics`.
    Metrics,
}

/// Takes the port, on all addresses of the machine.
pub async fn bind(page: Page, port: u16) -> Result<TcpListener, StartError> {
    let (pages, flag) = match page {
        Page::Health => ("/healthz and /readyz", "--healthzPort"),
        Page::Metrics => ("/metrics", "--metricsPort"),
    };
    let error = |error: std::io::Error| StartError::Port { pages, flag, port, cause: error.to_string() };
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Ok(listener) => Ok(listener),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => Err(error(e)),
        // A machine without IPv6.
        Err(_) => TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await.map_err(error),
    }
}

/// Answers until it is dropped.
pub async fn serve(listener: TcpListener, routes: Router) {
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(%error, "an HTTP server ended");
    }
}

/// `/healthz` and `/readyz`.
pub fn health<S: Send + Sync + 'static>(reconciler: Arc<Reconciler<S>>) -> Router {
    let ready = async move || readiness(&reconciler.caches, &reconciler.fence);
    Router::new().route("/healthz", get(async || "ok")).route("/readyz", get(ready))
}

/// `/metrics`.
pub fn metrics<S: Send + Sync + 'static>(
    reconciler: Arc<Reconciler<S>>,
    dispatcher: Arc<Dispatcher>,
) -> Router {
    let metrics = async move || {
        let (reconciler, dispatcher) = (Arc::clone(&reconciler), Arc::clone(&dispatcher));
        // With many Rollouts the page is long, and making it must not hold up what else this thread has to do.
        let page = tokio::task::spawn_blocking(move || scrape::page(&reconciler, &dispatcher)).await;
        let failed = |why: String| (StatusCode::INTERNAL_SERVER_ERROR, why).into_response();
        match page {
            Ok(Ok(page)) => ([(CONTENT_TYPE, TEXT_FORMAT)], page).into_response(),
            Ok(Err(error)) => failed(error.to_string()),
            Err(error) => failed(error.to_string()),
        }
    };
    Router::new().route("/metrics", get(metrics))
}

/// The answer of `/readyz`. A replica that stands by is ready, too: there is nothing more for it to wait for.
fn readiness(caches: &Caches, fence: &Fence) -> (StatusCode, String) {
    let missing: Vec<_> = caches.missing().into_iter().map(ObjectKind::plural).collect();
    if missing.is_empty() {
        return (StatusCode::OK, format!("ok: this replica {}\n", fence.describe()));
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for the first list of: {}\n", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::super::fence::Standing;
    use super::*;
    use serin_machine::kinds;

    #[test]
    fn readiness_names_what_is_missing() {
        let caches = Caches::default();
        caches.of(ObjectKind::Service).write().swap();
        let (status, text) = readiness(&caches, &Fence::open());
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text, "waiting for the first list of: rollouts, replicasets, ingresses, pods\n");
    }

    #[test]
    fn a_replica_that_stands_by_is_ready() {
        let caches = Caches::default();
        kinds::always().for_each(|kind| drop(caches.of(kind).write().swap()));
        let ok = |text: &str| (StatusCode::OK, text.to_owned());
        let alone = readiness(&caches, &Fence::open());
        assert_eq!(alone, ok("ok: this replica leads, without an election\n"));
        let standby = Fence::of(watch::channel(Standing::Standby { holder: Some("a_1".into()) }).1);
        assert_eq!(readiness(&caches, &standby), ok("ok: this replica stands by for a_1\n"));
    }
}

//! The health server: `/healthz` says that the process lives, `/readyz` that it knows the cluster.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use super::cache::Caches;
use super::object::resource_type;
use super::start::StartError;

/// Takes the port, on all addresses of the machine.
pub async fn bind(port: u16) -> Result<TcpListener, StartError> {
    let error = |error: std::io::Error| StartError::Port { port, cause: error.to_string() };
    match TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port))).await {
        Ok(listener) => Ok(listener),
        Err(e) if e.kind() == std::io::ErrorKind::AddrInUse => Err(error(e)),
        // A machine without IPv6.
        Err(_) => TcpListener::bind(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))).await.map_err(error),
    }
}

/// Answers until it is dropped. `caches` shows what the controller knows.
pub async fn serve<C>(listener: TcpListener, caches: Arc<C>)
where
    C: AsRef<Caches> + Send + Sync + 'static,
{
    let routes = Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(async move || readiness(caches.as_ref().as_ref())));
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(%error, "the health server ended");
    }
}

/// The answer of `/readyz`.
fn readiness(caches: &Caches) -> (StatusCode, String) {
    let missing: Vec<_> = caches.missing().into_iter().map(|kind| resource_type(kind).plural).collect();
    if missing.is_empty() {
        return (StatusCode::OK, "ok".into());
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for the first list of: {}\n", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_names_what_is_missing() {
        let caches = Caches::default();
        caches.services.write().swap();
        let (status, text) = readiness(&caches);
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(text, "waiting for the first list of: rollouts, replicasets, ingresses, pods\n");
        caches.rollouts.write().swap();
        caches.replica_sets.write().swap();
        caches.ingresses.write().swap();
        caches.pods.write().swap();
        assert_eq!(readiness(&caches), (StatusCode::OK, "ok".into()));
    }
}

//! One pod that listens and answers.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::sync::watch;

use super::directory::{Directory, Identity};
use super::persona::{Persona, answer};
use super::pods::Listening;
use serin_clock as clock;

/// A pod that listens. When dropped it takes no more connections, and ends what has begun.
#[derive(Debug)]
pub(super) struct Server {
    identity: Identity,
    address: Ipv4Addr,
    ports: BTreeSet<u16>,
    directory: Arc<Directory>,
    stop: watch::Sender<()>,
}

impl Server {
    /// A server that listens nowhere yet.
    pub(super) fn new(pod: &Listening, directory: &Arc<Directory>) -> Self {
        Self {
            identity: Arc::new(RwLock::new(pod.persona.clone())),
            address: pod.address,
            ports: BTreeSet::new(),
            directory: Arc::clone(directory),
            stop: watch::Sender::new(()),
        }
    }

    /// Follows what the pod is: its revision may get another number, a Service may name another port.
    pub(super) fn update(&mut self, pod: &Listening) {
        pod.persona.clone_into(&mut self.identity.write().unwrap_or_else(PoisonError::into_inner));
        for port in &pod.ports {
            if self.ports.contains(port) {
                continue;
            }
            match self.listen(pod.bind, *port) {
                Ok(()) => _ = self.ports.insert(*port),
                Err(error) => {
                    tracing::warn!(pod = %pod.key.name, %port, %error, "a pod cannot listen");
                }
            }
        }
    }

    /// Listens for `port`; where that port may not be had, on another one that the directory leads to.
    fn listen(&self, bind: Ipv4Addr, port: u16) -> io::Result<()> {
        let listener = TcpListener::bind((bind, port)).or_else(|_| TcpListener::bind((bind, 0)))?;
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let at: SocketAddr = listener.local_addr()?;
        let router = Router::new().fallback(respond).with_state(Arc::clone(&self.identity));
        let mut stop = self.stop.subscribe();
        tokio::spawn(async move {
            let stopped = async move { while stop.changed().await.is_ok() {} };
            // It ends without an error.
            let _ended = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
        });
        self.directory.insert(self.address, port, at, &self.identity);
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for port in &self.ports {
            self.directory.remove(self.address, *port);
        }
    }
}

async fn respond(State(identity): State<Identity>, request: Request) -> Response {
    let persona: Persona = identity.read().unwrap_or_else(PoisonError::into_inner).clone();
    let answer = answer(&persona, request.uri().path());
    if !answer.delay.is_zero() {
        clock::sleep(answer.delay).await;
    }
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, headers, answer.body).into_response()
}

//! A server on the loopback address.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderMap};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::front::Front;
use super::message::header;
use super::{answer, kubeconfig, tls};
use crate::api::status::{Reason, Status};
use serin_clock as clock;

/// How a server is reached.
#[derive(Debug, Clone, Default)]
pub struct ServerSettings {
    /// The port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Whether connections are encrypted, with a certificate made for this server.
    pub tls: bool,
    /// The bearer token that every request has to carry; none lets everyone on this machine in.
    pub token: Option<String>,
}

/// A server that answers for a [`Front`] until it is dropped; its connections end with it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    authority: Option<String>,
    token: Option<String>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens, and answers from then on. The error of a port that is taken names the port.
    pub async fn start(front: Front, settings: ServerSettings) -> io::Result<Self> {
        let wanted = SocketAddr::from((Ipv4Addr::LOCALHOST, settings.port));
        let listener = TcpListener::bind(wanted)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {wanted}: {error}")))?;
        let address = listener.local_addr()?;
        let (acceptor, authority) = if settings.tls {
            let (acceptor, authority) = tls::acceptor()?;
            (Some(acceptor), Some(authority))
        } else {
            (None, None)
        };
        let gate = Gate { front, token: settings.token.clone(), acceptor };
        let task = tokio::spawn(accept(listener, gate));
        Ok(Self { address, authority, token: settings.token, task })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for clients, e.g. `http://127.0.0.1:8001`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The text of a kubeconfig file for clients.
    #[must_use]
    pub fn kubeconfig(&self) -> String {
        kubeconfig::text(&self.url(), self.authority.as_deref(), self.token.as_deref())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whether a request carries the token.
fn is_authorized(headers: &HeaderMap, token: &str) -> bool {
    header(headers, AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer ")) == Some(token)
}

/// What a connection has to pass.
#[derive(Clone)]
struct Gate {
    front: Front,
    token: Option<String>,
    acceptor: Option<TlsAcceptor>,
}

/// How long to leave the listener alone after it failed, e.g. for want of file descriptors.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

async fn accept(listener: TcpListener, gate: Gate) {
    // Dropped with this task, and all connections with it.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(gate.clone().serve(stream));
            }
            Err(error) => {
                tracing::warn!(%error, "the embedded API cannot accept a connection");
                clock::sleep(AFTER_FAILURE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

impl Gate {
    async fn serve(self, stream: TcpStream) {
        // Events are small, and should not wait for each other.
        let _best_effort = stream.set_nodelay(true);
        match self.acceptor.clone() {
            None => self.converse(stream).await,
            Some(acceptor) => match acceptor.accept(stream).await {
                Ok(stream) => self.converse(stream).await,
                Err(error) => tracing::debug!(%error, "a client of the embedded API did not get through TLS"),
            },
        }
    }

    async fn converse(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(|request: http::Request<Incoming>| {
            let gate = self.clone();
            async move {
                let is_allowed =
                    gate.token.as_deref().is_none_or(|token| is_authorized(request.headers(), token));
                Ok::<_, Infallible>(if is_allowed {
                    gate.front.respond(request).await
                } else {
                    answer::refusal(&Status::new(Reason::Unauthorized, "Unauthorized"))
                })
            }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new());
        builder.http2().timer(TokioTimer::new());
        if let Err(error) = builder.serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "a connection to the embedded API broke");
        }
    }
}

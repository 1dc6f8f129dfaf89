//! Connections, through a proxy where the environment names one (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

/// Connects to a server, or to the proxy that leads to it.
///
/// Both kinds of servers are reached by tunnels (`CONNECT`), so that a proxy sees neither requests nor credentials.
#[derive(Clone)]
pub(super) struct Connector {
    direct: HttpConnector,
    proxies: Arc<Matcher>,
}

impl fmt::Debug for Connector {
    /// Addresses of proxies may hold passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Connector {
    /// A connector that uses the proxies of the environment.
    pub(super) fn from_environment() -> Self {
        Self::new(Matcher::from_env())
    }

    fn new(proxies: Matcher) -> Self {
        let mut direct = HttpConnector::new();
        // TLS is spoken on its connections as well.
        direct.enforce_http(false);
        Self { direct, proxies: Arc::new(proxies) }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Failure>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        // The resolver takes any number of names at a time.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        let Some(proxy) = self.proxies.intercept(&server) else {
            return Box::pin(async move { direct.call(server).await.map_err(Failure::from) });
        };
        let mut tunnel = Tunnel::new(proxy.uri().clone(), direct);
        if let Some(login) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(login.clone());
        }
        Box::pin(async move {
            let connected = tunnel.call(with_port(server)).await;
            connected.map_err(|error| Failure::from(format!("the proxy: {}", super::root_cause(&error))))
        })
    }
}

/// The address with its port. A tunnel takes 443 for one that names none.
fn with_port(server: Uri) -> Uri {
    let (None, Some("http"), Some(host)) = (server.port(), server.scheme_str(), server.host()) else {
        return server;
    };
    let with_port = Uri::builder().scheme("http").authority(format!("{host}:80")).path_and_query("/").build();
    with_port.unwrap_or(server)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A proxy that notes what it is asked for, and refuses.
    async fn asked_of_the_proxy(server: &str, without: &str) -> Option<String> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let proxy = format!("http://me:hush@{}", listener.local_addr().expect("an address"));
        let matcher = Matcher::builder().all(proxy).no(without.to_owned()).build();
        let noted = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.expect("a request");
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let answer = Connector::new(matcher).call(server.parse().expect("a URL")).await;
        let said = answer.map(|_| ()).expect_err("a failure").to_string();
        if !said.starts_with("the proxy: ") {
            noted.abort();
            return None;
        }
        assert!(!said.contains("hush"), "{said}");
        Some(noted.await.expect("a request"))
    }

    #[tokio::test]
    async fn servers_are_reached_through_the_proxy_that_is_set() {
        for (server, line) in [
            ("https://metrics.example/a?b", "CONNECT metrics.example:443 HTTP/1.1\r\n"),
            ("http://metrics.example/a?b", "CONNECT metrics.example:80 HTTP/1.1\r\n"),
            ("http://metrics.example:9090/", "CONNECT metrics.example:9090 HTTP/1.1\r\n"),
        ] {
            let asked = asked_of_the_proxy(server, "").await.expect(server);
            assert!(asked.starts_with(line), "{asked}");
            assert!(asked.contains("Proxy-Authorization: Basic bWU6aHVzaA==\r\n"), "{asked}");
        }
        let direct = asked_of_the_proxy("http://127.0.0.1:1/", "127.0.0.1").await;
        assert_eq!(direct, None, "it is not asked for what it is not for");
    }
}

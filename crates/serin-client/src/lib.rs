//! A client that asks again when the connection ended before the answer to a question.
//!
//! The API server closes connections that were idle for 90 seconds, and the client keeps them for just as long: a
//! request that is sent in that moment is lost. A read can be repeated. A write may have been carried out, so its
//! loss is told to whoever sent it.

use std::error::Error;
use std::future::{Ready, ready};
use std::io;
use std::iter::successors;

use http::{Method, Request, Response};
use kube::client::{Body, ClientBuilder};
use kube::{Client, Config};
use tower::BoxError;
use tower::buffer::BufferLayer;
use tower::retry::{Policy, RetryLayer};

/// How many requests may wait for the connections, as many as in the client itself.
const BUFFERED: usize = 1024;

/// A client of the cluster of `config`, which sends a lost read (a GET) once more and everything else once.
///
/// # Errors
/// What `config` says cannot be used: credentials or certificates that cannot be read, a proxy of an unknown kind.
pub fn client(config: Config) -> kube::Result<Client> {
    // A request that may be sent again needs a service that can be cloned, and a buffer makes one of any.
    let buffered = ClientBuilder::try_from(config)?.with_layer(&BufferLayer::new(BUFFERED));
    Ok(buffered.with_layer(&RetryLayer::new(Reread::Once)).build())
}

/// What is left of the attempts of a request.
#[derive(Debug, Clone, Copy)]
enum Reread {
    Once,
    No,
}

impl<B> Policy<Request<Body>, Response<B>, BoxError> for Reread {
    type Future = Ready<()>;

    fn retry(
        &mut self,
        _: &mut Request<Body>,
        result: &mut Result<Response<B>, BoxError>,
    ) -> Option<Self::Future> {
        let Err(error) = result else { return None };
        match std::mem::replace(self, Self::No) {
            Self::Once if is_lost(error.as_ref()) => Some(ready(())),
            Self::Once | Self::No => None,
        }
    }

    fn clone_request(&mut self, request: &Request<Body>) -> Option<Request<Body>> {
        if request.method() != Method::GET {
            return None;
        }
        let mut copy = Request::new(Body::empty());
        request.method().clone_into(copy.method_mut());
        request.uri().clone_into(copy.uri_mut());
        request.headers().clone_into(copy.headers_mut());
        request.extensions().clone_into(copy.extensions_mut());
        Some(copy)
    }
}

/// Whether the connection ended after the request was sent and before an answer began.
fn is_lost(error: &(dyn Error + 'static)) -> bool {
    successors(Some(error), |&error| error.source()).any(|error| {
        let ended = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message);
        let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
        ended || matches!(kind, Some(io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe))
    })
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::{Api, PostParams};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

    use super::*;

    /// The method of the next request on `connection`, unless that has ended.
    async fn method(connection: &mut TcpStream) -> Option<String> {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            if connection.read(&mut byte).await.ok()? == 0 {
                return None;
            }
            head.push(byte[0]);
        }
        String::from_utf8(head).ok()?.split(' ').next().map(str::to_owned)
    }

    /// Answers the first request of each connection with an empty object, and ends the connection at the second.
    async fn serve(listener: TcpListener, seen: UnboundedSender<String>) {
        while let Ok((mut connection, _)) = listener.accept().await {
            let Some(first) = method(&mut connection).await else { continue };
            seen.send(first).unwrap();
            let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
            connection.write_all(answer.as_bytes()).await.unwrap();
            if let Some(second) = method(&mut connection).await {
                seen.send(second).unwrap();
            }
        }
    }

    /// Maps on that server, which has answered one request, and the requests after it.
    async fn used() -> (Api<ConfigMap>, UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, mut seen) = unbounded_channel();
        tokio::spawn(serve(listener, sender));
        let maps = Api::default_namespaced(client(Config::new(address.parse().unwrap())).unwrap());
        maps.get("first").await.unwrap();
        assert_eq!(seen.recv().await.unwrap(), "GET");
        (maps, seen)
    }

    #[tokio::test]
    async fn a_lost_read_is_sent_again() {
        let (maps, mut seen) = used().await;
        maps.get("second").await.unwrap();
        assert_eq!((seen.recv().await.unwrap(), seen.recv().await.unwrap()), ("GET".into(), "GET".into()));
    }

    #[tokio::test]
    async fn a_lost_write_is_not() {
        let (maps, mut seen) = used().await;
        let lost = maps.create(&PostParams::default(), &ConfigMap::default()).await.unwrap_err();
        let kube::Error::Service(cause) = &lost else { panic!("{lost}") };
        assert!(is_lost(cause.as_ref()), "{lost:?}");
        assert_eq!(seen.recv().await.unwrap(), "POST");
        maps.get("third").await.unwrap();
        assert_eq!(seen.recv().await.unwrap(), "GET", "the write was sent once");
    }
}

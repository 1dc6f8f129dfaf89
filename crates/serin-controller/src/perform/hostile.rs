//! Servers that redirect, and servers that do not do what they should.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::IntoResponse;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{Network, perform};
use serin_core::domain::effect::{
    Effect, EffectAction, EffectFailure, EffectName, EffectOutput, HttpRequest,
};

/// A performer that has no API server.
fn network() -> Network {
    let none = async |_: http::Request<kube::client::Body>| {
        Ok::<_, std::convert::Infallible>(http::Response::new(axum::body::Body::empty()))
    };
    Network::new(kube::Client::new(tower::service_fn(none), "default"))
}

/// Sends a request that may take `limit`.
async fn exchange(request: HttpRequest, limit: Duration) -> Result<EffectOutput, EffectFailure> {
    let effect = Effect { name: EffectName("q".into()), action: EffectAction::Exchange(request), limit };
    perform(&network(), &effect).await
}

async fn failure(url: String) -> String {
    let answer = exchange(HttpRequest::get(url), Duration::from_secs(20)).await;
    answer.expect_err("a failure").to_string()
}

/// Says what arrived. `/redirect/STATUS/PLACE` leads to a place.
async fn redirecting() -> SocketAddr {
    let answer = async |method: Method, uri: Uri, headers: HeaderMap, body: String| {
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        if let Some((status, place)) = path.strip_prefix("/redirect/").and_then(|rest| rest.split_once('/')) {
            let status = StatusCode::from_bytes(status.as_bytes()).expect("a status");
            return (status, [("location", place.to_owned())]).into_response();
        }
        let token = headers.get("x-token").map_or("none", |token| token.to_str().expect("text"));
        format!("{method} {path} token={token} body={body}").into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

#[tokio::test]
async fn redirects_are_followed_without_credentials_for_others() {
    let server = redirecting().await;
    let here = format!("http://{server}");
    let there = format!("http://localhost:{}", server.port());
    for (method, path, body, expected) in [
        ("GET", "/redirect/302//x?y".to_owned(), "", Ok("GET /x?y token=t body=".to_owned())),
        ("POST", "/redirect/302//x".to_owned(), "hello", Ok("GET /x token=t body=".to_owned())),
        ("POST", "/redirect/303//x".to_owned(), "hello", Ok("GET /x token=t body=".to_owned())),
        ("POST", "/redirect/307//x".to_owned(), "hello", Ok("POST /x token=t body=hello".to_owned())),
        ("PUT", format!("/redirect/308/{here}/x"), "hello", Ok("PUT /x token=t body=hello".to_owned())),
        ("GET", format!("/redirect/301/{there}/x"), "", Ok("GET /x token=none body=".to_owned())),
        ("POST", format!("/redirect/302/{there}/x"), "hello", Ok("GET /x token=none body=".to_owned())),
        ("POST", format!("/redirect/307/{there}/x"), "hello", Err("which must not see the body")),
        ("GET", "/redirect/302/ftp://elsewhere/".to_owned(), "", Err("a redirect to what is not an address")),
        ("GET", "/redirect/302//redirect/302//x".to_owned(), "", Ok("GET /x token=t body=".to_owned())),
    ] {
        let request = HttpRequest {
            method: method.into(),
            headers: vec![("x-token".into(), "t".into())],
            body: body.as_bytes().to_vec(),
            ..HttpRequest::get(format!("{here}{path}"))
        };
        match (exchange(request, Duration::from_secs(20)).await, expected) {
            (Ok(EffectOutput::Response { status: 200, body }), Ok(expected)) => {
                assert_eq!(String::from_utf8_lossy(&body), expected, "{path}");
            }
            (Err(failure), Err(expected)) => assert!(failure.to_string().contains(expected), "{failure}"),
            (answer, expected) => panic!("{path}: {answer:?}, not {expected:?}"),
        }
    }
}

#[tokio::test]
async fn redirects_in_circles_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let circle = Router::new().fallback(async || (StatusCode::FOUND, [("location", "/")]));
    tokio::spawn(async move { axum::serve(listener, circle).await });
    assert_eq!(failure(format!("http://{address}/")).await, "stopped after 10 redirects");
}

/// A server that reads a request, if it wants to, and answers with these bytes. It hangs up if that is all.
async fn raw(reads: bool, answer: &'static [u8], hangs_up: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = talk(&mut stream, reads, answer).await;
            if !hangs_up {
                kept.push(stream);
            }
        }
    });
    address
}

async fn talk(stream: &mut TcpStream, reads: bool, answer: &[u8]) -> std::io::Result<()> {
    if reads {
        let mut request = [0; 1024];
        let _length = stream.read(&mut request).await?;
    }
    stream.write_all(answer).await
}

#[tokio::test]
async fn servers_that_fail_halfway_are_named_for_what_they_do() {
    for (reads, answer, expected) in [
        (true, &b""[..], "connection closed before message completed"),
        (true, b"HTTP/1.1 200 OK\r\ncontent-le", "connection closed before message completed"),
        (true, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello", "the answer is not complete: "),
        (
            true,
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe",
            "the answer is not complete: ",
        ),
        (true, b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "invalid HTTP"),
    ] {
        let address = raw(reads, answer, true).await;
        let said = failure(format!("http://{address}/")).await;
        assert!(said.contains(expected), "{:?}: {said}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test]
async fn servers_that_stay_silent_run_out_of_time() {
    let limit = Duration::from_millis(300);
    for answer in [&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"] {
        let address = raw(true, answer, false).await;
        let request = HttpRequest::get(format!("http://{address}/"));
        assert_eq!(exchange(request, limit).await, Err(EffectFailure::TimedOut(limit)));
    }
}

/// A server with a certificate that nobody has signed.
async fn self_signed() -> SocketAddr {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".into()]).expect("a certificate");
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 1024];
            let _length = stream.read(&mut request).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi").await;
            let _ = stream.shutdown().await;
        }
    });
    address
}

#[tokio::test]
async fn certificates_are_checked_unless_the_metric_says_otherwise() {
    let url = format!("https://localhost:{}/", self_signed().await.port());
    let said = failure(url.clone()).await;
    assert!(said.contains("invalid peer certificate"), "{said}");
    let request = HttpRequest { insecure: true, ..HttpRequest::get(url) };
    let answer = exchange(request, Duration::from_secs(20)).await;
    assert_eq!(answer, Ok(EffectOutput::Response { status: 200, body: b"hi".to_vec() }));
}

#[tokio::test]
async fn servers_without_tls_are_named_as_such() {
    let address = raw(true, b"HTTP/1.1 400 Bad Request\r\n\r\n", true).await;
    let said = failure(format!("https://{address}/")).await;
    assert!(said.contains("corrupt message"), "{said}");
}

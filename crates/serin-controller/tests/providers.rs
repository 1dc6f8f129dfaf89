//! Plays the golden files of metric providers through the real performer, with a server over TLS.

#[path = "../../../tests/support/provider_vectors.rs"]
mod provider_vectors;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use provider_vectors::{Seen, Vector, all, known};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serin_controller::perform::{Network, Perform};
use serin_core::domain::effect::{EffectAction, EffectFailure, EffectOutput, KnownEffects};
use serin_core::measure::Unfinished;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Where the files of the server are, once they are there.
const FILES: &str = "SERIN_TEST_CERTIFICATES";

/// What the server is to answer, and what it was asked.
#[derive(Default)]
struct Script {
    answers: VecDeque<(u16, Vec<u8>)>,
    seen: Vec<Seen>,
}

type Shared = Arc<Mutex<Script>>;

/// Runs in a process of its own, since the machine's certificates are named by the environment (`SSL_CERT_FILE`).
#[test]
fn providers_speak_over_tls_as_the_golden_files_say() {
    if let Some(files) = std::env::var_os(FILES) {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        return runtime.block_on(play_all(std::path::Path::new(&files)));
    }
    let files = tempfile::tempdir().expect("a directory");
    write_certificates(files.path());
    let this = std::env::current_exe().expect("this program");
    let status = Command::new(this)
        .args(["--exact", "providers_speak_over_tls_as_the_golden_files_say", "--nocapture"])
        .env(FILES, files.path())
        .env("SSL_CERT_FILE", files.path().join("authority.pem"))
        .env_remove("SSL_CERT_DIR")
        .status();
    assert!(status.expect("a process").success());
}

fn write_certificates(folder: &std::path::Path) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("an authority").pem();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
    let leaf = leaf.signed_by(&key, &issuer).expect("a certificate").pem();
    for (name, text) in [("authority.pem", authority), ("server.pem", leaf), ("key.pem", key.serialize_pem())]
    {
        std::fs::write(folder.join(name), text).expect("a file");
    }
}

async fn serve(folder: &std::path::Path, script: Shared) -> SocketAddr {
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
            tokio::spawn(async move {
                let stream = acceptor.accept(stream).await.expect("a handshake");
                let answer = service_fn(|request| answer(request, Arc::clone(&script)));
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    address
}

async fn answer(request: Request<Incoming>, script: Shared) -> hyper::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes().to_vec();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let seen = Seen {
        method: parts.method.to_string(),
        target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    };
    let mut script = script.lock().unwrap_or_else(PoisonError::into_inner);
    script.seen.push(seen);
    let (status, body) = script.answers.pop_front().unwrap_or((418, Vec::new()));
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status.try_into().expect("a status");
    Ok(response)
}

async fn play_all(folder: &std::path::Path) {
    let script = Shared::default();
    let address = serve(folder, Arc::clone(&script)).await;
    let server = format!("https://localhost:{}", address.port());
    let vectors = all();
    let vectors: Vec<_> = vectors.iter().filter(|(_, vector)| !vector.is_elsewhere()).collect();
    assert!(vectors.len() > 120, "only {}", vectors.len());
    for (file, vector) in vectors {
        println!("{file}: {}", vector.name);
        play(vector, &server, &script).await;
    }
}

/// Measures until there is an outcome, with a performer of its own.
async fn play(vector: &Vector, server: &str, script: &Shared) {
    let answers = vector.exchanges.iter().map(|exchange| (exchange.answer.status, exchange.answer.body()));
    *script.lock().expect("a script") = Script { answers: answers.collect(), seen: Vec::new() };
    let refuse = async |_: Request<kube::client::Body>| {
        Ok::<_, std::convert::Infallible>(Response::new(Body::empty()))
    };
    let network = Network::new(kube::Client::new(tower::service_fn(refuse), "default"));
    let mut effects = KnownEffects::new();
    let outcome = loop {
        let (outcome, asked) = vector.look(server, &effects);
        let new: Vec<_> = asked.iter().filter(|effect| !effects.contains_key(&effect.name)).collect();
        if !matches!(outcome, Err(Unfinished::Waiting)) {
            break outcome;
        }
        for effect in new {
            let answer: Result<EffectOutput, EffectFailure> = match &effect.action {
                EffectAction::ReadSecret { namespace, name } => vector.secret(namespace, name, server),
                EffectAction::Exchange(_) | EffectAction::ListPods { .. } => {
                    network.perform(&effect.action).await
                }
            };
            effects.insert(effect.name.clone(), known(answer));
        }
    };
    vector.check_outcome(outcome, server);
    let seen = std::mem::take(&mut script.lock().expect("a script").seen);
    assert_eq!(seen.len(), vector.exchanges.len(), "{}: requests", vector.name);
    seen.iter().enumerate().for_each(|(index, seen)| vector.check_request(index, seen));
}

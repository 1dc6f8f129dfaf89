//! The ingress proxy: takes a request, asks [`route`] where it goes, and sends it there.
//!
//! As nginx does it: the body is read before it is sent on, a connection that fails is tried at the next endpoint, and
//! so is a request that was sent and not answered if repeating it does no harm; three endpoints at most.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{self, HeaderName};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, request};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;

use super::config::{Config, Endpoint};
use super::directory::Directory;
use super::persona::Persona;
use super::route::{Binding, Decision, Head, binding_key, route};
use super::tally::{Origin, Tally};
use serin_values::random::Rng;
use serin_values::text_hash::text_hash;

/// How many endpoints are tried.
const TRIES: usize = 3;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest body of a request in bytes.
const BODY_BYTES: usize = 1 << 20;
/// Headers that are about one connection only.
const HOP_BY_HOP: [HeaderName; 6] = [
    header::CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// The proxy and what it has counted.
#[derive(Debug)]
pub(super) struct Proxy {
    config: RwLock<Arc<Config>>,
    directory: Arc<Directory>,
    tally: Mutex<Tally>,
    client: Client<HttpConnector, Body>,
    random: Mutex<Rng>,
    /// Counts requests, so that endpoints take turns.
    turn: AtomicUsize,
}

/// Why an endpoint gave no answer.
enum Miss {
    /// The request was not sent.
    Unsent,
    /// It was sent, and the connection broke.
    Broken,
    /// It was sent, and nothing came in time.
    Late,
}

impl Proxy {
    pub(super) fn new(directory: Arc<Directory>, client: Client<HttpConnector, Body>, seed: u64) -> Self {
        Self {
            config: RwLock::default(),
            directory,
            tally: Mutex::default(),
            client,
            random: Mutex::new(Rng::seeded(seed)),
            turn: AtomicUsize::new(0),
        }
    }

    pub(super) fn apply(&self, config: Config) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.config.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn tally(&self) -> Tally {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn count(&self, count: impl FnOnce(&mut Tally)) {
        count(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn random(&self) -> u64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).next()
    }

    /// The endpoints in the order in which they are tried: from the one whose turn it is, or to which the client is bound.
    fn order(&self, endpoints: &[Endpoint], binding: Option<&Binding>) -> Vec<Endpoint> {
        let first = match binding.and_then(|binding| binding.value.as_ref()) {
            Some(value) => text_hash(value)
                .bytes()
                .fold(0, |sum: usize, byte| sum.wrapping_mul(31).wrapping_add(byte.into())),
            None => self.turn.fetch_add(1, Ordering::Relaxed),
        };
        let first = first % endpoints.len().max(1);
        endpoints[first..].iter().chain(&endpoints[..first]).take(TRIES).copied().collect()
    }

    async fn send(
        &self,
        endpoint: Endpoint,
        head: &request::Parts,
        body: &Bytes,
    ) -> Result<(Response, Persona), Miss> {
        let (at, persona) = self.directory.find(endpoint.address, endpoint.port).ok_or(Miss::Unsent)?;
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let uri: Uri = format!("http://{at}{path}").parse().map_err(|_| Miss::Unsent)?;
        let mut request = Request::new(Body::from(body.clone()));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = head.headers.clone();
        let answer = tokio::time::timeout(PATIENCE, self.client.request(request)).await;
        match answer {
            Ok(Ok(answer)) => Ok((answer.map(Body::new).into_response(), persona)),
            Ok(Err(error)) if error.is_connect() => Err(Miss::Unsent),
            Ok(Err(_)) => Err(Miss::Broken),
            Err(_) => Err(Miss::Late),
        }
    }
}

/// Answers a request of a client.
pub(super) async fn respond(
    State(proxy): State<Arc<Proxy>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (mut head, body) = request.into_parts();
    let config = proxy.config();
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or(head.uri.host()).unwrap_or_default().to_owned();
    let asked = Head { host: &host, path: head.uri.path(), headers: &head.headers };
    let (upstream, binding) = match route(&config, &asked, proxy.random()) {
        Decision::Forward { upstream, binding, .. } => (upstream, binding),
        Decision::NoRule => {
            proxy.count(|tally| tally.unruled += 1);
            return plain(StatusCode::NOT_FOUND);
        }
        Decision::NoEndpoint { .. } => {
            proxy.count(|tally| tally.unanswered += 1);
            return plain(StatusCode::SERVICE_UNAVAILABLE);
        }
    };
    let Ok(body) = to_bytes(body, BODY_BYTES).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    forward_headers(&mut head.headers, &host, client);
    let endpoints = config.upstreams.get(&upstream).map(Vec::as_slice).unwrap_or_default();
    let mut status = StatusCode::BAD_GATEWAY;
    for endpoint in proxy.order(endpoints, binding.as_ref()) {
        match proxy.send(endpoint, &head, &body).await {
            Ok((mut answer, persona)) => {
                let is_error = answer.status().is_server_error();
                proxy
                    .count(|tally| tally.answered(Origin::new(&host, &persona, &upstream.service), is_error));
                remove_hop_by_hop(answer.headers_mut());
                if let Some(binding) = binding.filter(|binding| binding.value.is_none()) {
                    let value = format!("{:016x}|{}", proxy.random(), binding_key(&upstream));
                    bind(answer.headers_mut(), &binding.cookie, &value);
                }
                return answer;
            }
            Err(Miss::Unsent) => {}
            Err(Miss::Broken) if is_repeatable(&head.method) => {}
            Err(Miss::Late) if is_repeatable(&head.method) => status = StatusCode::GATEWAY_TIMEOUT,
            Err(Miss::Broken) => break,
            Err(Miss::Late) => {
                status = StatusCode::GATEWAY_TIMEOUT;
                break;
            }
        }
    }
    proxy.count(|tally| tally.unanswered += 1);
    plain(status)
}

/// Whether sending a request twice does no harm.
fn is_repeatable(method: &Method) -> bool {
    !matches!(method.as_str(), "POST" | "LOCK" | "PATCH")
}

fn plain(status: StatusCode) -> Response {
    (status, format!("{status}\n")).into_response()
}

fn bind(headers: &mut HeaderMap, cookie: &str, value: &str) {
    if let Ok(cookie) = HeaderValue::from_str(&format!("{cookie}={value}; Path=/; HttpOnly")) {
        headers.append(header::SET_COOKIE, cookie);
    }
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    for name in named {
        headers.remove(name.as_str());
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    headers.remove("keep-alive");
}

/// Headers of the request as the pod gets it.
fn forward_headers(headers: &mut HeaderMap, host: &str, client: SocketAddr) {
    remove_hop_by_hop(headers);
    // The body is whole now, and its length is set anew.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::EXPECT);
    let address = client.ip().to_string();
    let told = [
        ("host", host),
        ("x-real-ip", &address),
        ("x-forwarded-for", &address),
        ("x-forwarded-host", host),
        ("x-forwarded-proto", "http"),
    ];
    for (name, value) in told {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
}

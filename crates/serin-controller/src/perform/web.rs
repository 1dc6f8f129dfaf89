//! Exchanges with other servers, as the HTTP client of Go has them: redirects are followed, and the environment says which
//! proxies there are.
//!
//! What a request logs in with goes to no other host than the one that it names.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use http::header::{CONTENT_ENCODING, CONTENT_TYPE, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use super::super::failure::root_cause;
use super::proxy::Connector;
use super::signer::{Keys, Signer};
use super::tls;
use serin_core::domain::effect::{EffectFailure, EffectOutput, HttpRequest, LARGEST_BODY};

type Http = Client<HttpsConnector<Connector>, Full<Bytes>>;

/// How long a connection that nobody uses is kept for the next exchange.
const IDLE: Duration = Duration::from_mins(1);

/// How often a request is sent to another place before that is an error.
const REDIRECTS: usize = 10;

/// The name that servers know the controller by, where a request has none of its own.
const AGENT: &str = concat!("serin/", env!("CARGO_PKG_VERSION"));

/// The clients for other servers.
#[derive(Debug, Default)]
pub(super) struct Web {
    /// Made with the first exchange, since it reads the machine's certificates.
    checked: OnceLock<Http>,
    unchecked: OnceLock<Http>,
    signer: Signer,
}

/// A request that is sent, perhaps to several places in turn.
struct Sent {
    method: Method,
    url: Uri,
    headers: HeaderMap,
    body: Bytes,
    keys: Option<Keys>,
    insecure: bool,
}

impl Web {
    /// Sends a request and reads the answer.
    pub(super) async fn exchange(
        &self,
        request: &HttpRequest,
        now: SystemTime,
    ) -> Result<EffectOutput, EffectFailure> {
        let mut sent = self.prepare(request, now).await?;
        for _ in 0..=REDIRECTS {
            let answer = self.send(&sent, now).await?;
            match sent.redirected(&answer)? {
                Some(next) => sent = next,
                None => return read(answer).await,
            }
        }
        Err(EffectFailure::Failed(format!("stopped after {REDIRECTS} redirects")))
    }

    async fn prepare(&self, request: &HttpRequest, now: SystemTime) -> Result<Sent, EffectFailure> {
        let (url, keys) = match &request.signature {
            None => (request.url.clone(), None),
            Some(signature) => {
                let (url, keys) = self.signer.prepare(&request.url, signature, now).await?;
                (url, Some(keys))
            }
        };
        let failed = |error: &dyn std::fmt::Display| EffectFailure::Failed(error.to_string());
        let mut builder = Request::builder().method(request.method.as_str()).uri(url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let (mut parts, ()) = builder.body(()).map_err(|error| failed(&error))?.into_parts();
        parts.headers.entry(USER_AGENT).or_insert(http::HeaderValue::from_static(AGENT));
        Ok(Sent {
            method: parts.method,
            url: parts.uri,
            headers: parts.headers,
            body: Bytes::from(request.body.clone()),
            keys,
            insecure: request.insecure,
        })
    }

    async fn send(&self, sent: &Sent, now: SystemTime) -> Result<Response<Incoming>, EffectFailure> {
        let mut request = Request::new(Full::new(sent.body.clone()));
        request.method_mut().clone_from(&sent.method);
        request.uri_mut().clone_from(&sent.url);
        request.headers_mut().clone_from(&sent.headers);
        if let Some(keys) = &sent.keys {
            keys.sign(&mut request, &sent.body, now)?;
        }
        let http = self.client(sent.insecure).map_err(|error| EffectFailure::Failed(error.to_string()))?;
        http.request(request).await.map_err(|error| EffectFailure::Failed(root_cause(&error)))
    }

    /// The client that checks certificates, or the one that does not.
    ///
    /// # Errors
    /// The machine's certificates cannot be read.
    fn client(&self, insecure: bool) -> std::io::Result<&Http> {
        let client = if insecure { &self.unchecked } else { &self.checked };
        if let Some(http) = client.get() {
            return Ok(http);
        }
        let builder = HttpsConnectorBuilder::new();
        let builder = if insecure {
            builder.with_tls_config(tls::unchecked()?)
        } else {
            builder.with_native_roots()?
        };
        let connector = builder.https_or_http().enable_http1().wrap_connector(Connector::from_environment());
        let http = Client::builder(TokioExecutor::new()).pool_idle_timeout(IDLE).build(connector);
        Ok(client.get_or_init(|| http))
    }
}

impl Sent {
    /// The request that an answer asks for in place of this one, if it does.
    ///
    /// # Errors
    /// It names no place, or one that must not see the body.
    fn redirected(&self, answer: &Response<Incoming>) -> Result<Option<Self>, EffectFailure> {
        let keeps_method = match answer.status().as_u16() {
            301..=303 => [Method::GET, Method::HEAD].contains(&self.method),
            307 | 308 => true,
            _ => return Ok(None),
        };
        let Some(location) = answer.headers().get(LOCATION) else { return Ok(None) };
        let failed = |what: &str| EffectFailure::Failed(format!("a redirect to {what}"));
        let location = location.to_str().map_err(|_| failed("what is not an address"))?;
        let url = joined(&self.url, location).ok_or_else(|| failed("what is not an address"))?;
        let is_same = is_trusted(&self.url, &url);
        let method = if keeps_method { self.method.clone() } else { Method::GET };
        let body = if keeps_method { self.body.clone() } else { Bytes::new() };
        if !is_same && !body.is_empty() {
            return Err(failed("another host, which must not see the body of the request"));
        }
        let mut headers = self.headers.clone();
        if !is_same {
            headers.clear();
            headers.insert(USER_AGENT, http::HeaderValue::from_static(AGENT));
        } else if body.is_empty() {
            headers.remove(CONTENT_TYPE);
            headers.remove(CONTENT_ENCODING);
        }
        let keys = self.keys.clone().filter(|_| is_same);
        Ok(Some(Self { method, url, headers, body, keys, insecure: self.insecure && is_same }))
    }
}

/// Whether what was meant for one place may be sent to the other: the same host, and not without TLS where there was TLS.
fn is_trusted(from: &Uri, to: &Uri) -> bool {
    let host = |url: &Uri| url.host().map(str::to_lowercase);
    host(from) == host(to) && (from.scheme_str() != Some("https") || to.scheme_str() == Some("https"))
}

/// The place that `location` is, as seen from `base`.
fn joined(base: &Uri, location: &str) -> Option<Uri> {
    let location = location.split('#').next()?;
    let is_absolute = location.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    let (scheme, authority) = (base.scheme_str()?, base.authority()?.as_str());
    let text = if is_absolute {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') || location.is_empty() {
        format!("{scheme}://{authority}{}{location}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{location}")
    };
    let url: Uri = text.parse().ok()?;
    (url.host().is_some() && matches!(url.scheme_str(), Some("http" | "https"))).then_some(url)
}

/// Reads the body of an answer.
async fn read(answer: Response<Incoming>) -> Result<EffectOutput, EffectFailure> {
    let status = answer.status().as_u16();
    match Limited::new(answer.into_body(), LARGEST_BODY).collect().await {
        Ok(body) => Ok(EffectOutput::Response { status, body: body.to_bytes().to_vec() }),
        Err(error) if error.is::<LengthLimitError>() => Err(EffectFailure::TooLarge),
        Err(error) => {
            let cause = root_cause(error.as_ref());
            Err(EffectFailure::Failed(format!("the answer is not complete: {cause}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_from_where_the_redirect_was() {
        let base: Uri = "https://one.example:8443/a/b?c=d".parse().expect("a URL");
        for (location, expected) in [
            ("https://two.example/x", Some("https://two.example/x")),
            ("//two.example/x", Some("https://two.example/x")),
            ("/x?y#z", Some("https://one.example:8443/x?y")),
            ("x", Some("https://one.example:8443/a/x")),
            ("?x", Some("https://one.example:8443/a/b?x")),
            (
                "/login?next=https://one.example",
                Some("https://one.example:8443/login?next=https://one.example"),
            ),
            ("ftp://two.example/", None),
            ("https://", None),
        ] {
            let found = joined(&base, location).map(|url| url.to_string());
            assert_eq!(found.as_deref(), expected, "{location}");
        }
    }

    #[test]
    fn hosts_are_trusted_with_what_was_meant_for_them() {
        let url = |text: &str| text.parse::<Uri>().expect("a URL");
        for (from, to, expected) in [
            ("https://one.example/", "https://ONE.example:8443/x", true),
            ("http://one.example/", "https://one.example/", true),
            ("https://one.example/", "http://one.example/", false),
            ("https://one.example/", "https://two.example/", false),
            ("https://one.example/", "https://one.example.evil/", false),
        ] {
            assert_eq!(is_trusted(&url(from), &url(to)), expected, "{from} {to}");
        }
    }
}

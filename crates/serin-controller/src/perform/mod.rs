//! Performs effects: what plans ask for beside writes.

#[cfg(feature = "aws")]
mod aws;
#[cfg(test)]
mod hostile;
mod proxy;
mod tls;
#[cfg(not(feature = "aws"))]
mod unsigned;
mod web;

use std::future::Future;
use std::pin::Pin;

use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};
use serde_json::json;
use serin_clock::Clock;

use super::failure::root_cause;
#[cfg(feature = "aws")]
use aws as signer;
use serin_core::domain::effect::{Effect, EffectAction, EffectFailure, EffectOutput};
#[cfg(not(feature = "aws"))]
use unsigned as signer;
use web::Web;

/// What an effect gives, sooner or later.
pub type Performance<'a> = Pin<Box<dyn Future<Output = Result<EffectOutput, EffectFailure>> + Send + 'a>>;

/// What performs effects.
pub trait Perform: Send + Sync + std::fmt::Debug {
    /// Does it. Whoever drops the future stops it.
    fn perform<'a>(&'a self, action: &'a EffectAction) -> Performance<'a>;
}

/// Performs an effect within its time.
pub(super) async fn perform(performer: &dyn Perform, effect: &Effect) -> Result<EffectOutput, EffectFailure> {
    let answer = tokio::time::timeout(effect.limit, performer.perform(&effect.action)).await;
    answer.unwrap_or(Err(EffectFailure::TimedOut(effect.limit)))
}

/// Performs nothing: each effect fails.
#[derive(Debug)]
pub struct Unable;

impl Perform for Unable {
    fn perform<'a>(&'a self, _: &'a EffectAction) -> Performance<'a> {
        Box::pin(async { Err(EffectFailure::Failed("this controller performs no effects".into())) })
    }
}

/// Performs effects over the network.
pub struct Network {
    kubernetes: kube::Client,
    web: Web,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}

impl Network {
    /// Reads Secrets through `kubernetes`, and trusts other servers as the machine does.
    #[must_use]
    pub fn new(kubernetes: kube::Client) -> Self {
        Self { kubernetes, web: Web::default() }
    }

    async fn read_secret(&self, namespace: &str, name: &str) -> Result<EffectOutput, EffectFailure> {
        let secrets = Api::<Secret>::namespaced(self.kubernetes.clone(), namespace);
        match secrets.get_opt(name).await {
            Ok(Some(secret)) => {
                let data = secret.data.into_iter().flatten();
                Ok(EffectOutput::Secret(data.map(|(key, value)| (key, value.0)).collect()))
            }
            Ok(None) => Err(EffectFailure::NotFound(format!("Secret \"{namespace}/{name}\""))),
            Err(error) => Err(EffectFailure::Failed(root_cause(&error))),
        }
    }

    async fn list_pods(&self, namespace: &str, labels: &str) -> Result<EffectOutput, EffectFailure> {
        let failed = |error: kube::Error| EffectFailure::Failed(root_cause(&error));
        let resource = ApiResource::erase::<Pod>(&());
        let pods = Api::<DynamicObject>::namespaced_with(self.kubernetes.clone(), namespace, &resource);
        let list = pods.list(&ListParams::default().labels(labels)).await.map_err(failed)?;
        let without_spec =
            |pod: DynamicObject| json!({"metadata": pod.metadata, "status": pod.data["status"]});
        Ok(EffectOutput::Pods(list.items.into_iter().map(without_spec).collect()))
    }
}

impl Perform for Network {
    fn perform<'a>(&'a self, action: &'a EffectAction) -> Performance<'a> {
        match action {
            EffectAction::Exchange(request) => {
                // Signatures hold for minutes around the time of the machine.
                Box::pin(self.web.exchange(request, Clock::System.now().into()))
            }
            EffectAction::ReadSecret { namespace, name } => Box::pin(self.read_secret(namespace, name)),
            EffectAction::ListPods { namespace, labels } => Box::pin(self.list_pods(namespace, labels)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;

    use axum::Router;
    use axum::body::Body;
    use axum::http::HeaderMap;
    use axum::routing::{get, post};
    use http::{Request, Response};
    use serde_json::{Value, json};
    use tokio::net::TcpListener;

    use serin_core::domain::effect::{HttpRequest, LARGEST_BODY};

    use super::*;

    /// An API server that knows one Secret.
    fn kubernetes() -> kube::Client {
        let answer = async |request: Request<kube::client::Body>| {
            let (status, body) = match request.uri().path() {
                "/api/v1/namespaces/shop/secrets/keys" => (200, json!({"data": {"token": "aHVzaA=="}})),
                "/api/v1/namespaces/shop/secrets/absent" => (404, refusal(404, "NotFound")),
                _ => (403, refusal(403, "Forbidden")),
            };
            let answer = Response::builder().status(status).body(Body::from(body.to_string()));
            Ok::<_, std::convert::Infallible>(answer.expect("an answer"))
        };
        kube::Client::new(tower::service_fn(answer), "default")
    }

    fn refusal(code: u16, reason: &str) -> Value {
        json!({"kind": "Status", "status": "Failure", "message": "you may not", "reason": reason, "code": code})
    }

    /// A server on this machine.
    async fn server() -> SocketAddr {
        let echo = async |headers: HeaderMap, body: String| {
            format!("{} {body}", headers["x-token"].to_str().expect("text"))
        };
        let routes = Router::new()
            .route("/echo", post(echo))
            .route("/huge", get(async || vec![b'x'; LARGEST_BODY + 1]));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }

    fn request(method: &str, url: String) -> EffectAction {
        let headers = vec![("x-token".to_owned(), "t".to_owned())];
        let request = HttpRequest { headers, body: b"hello".to_vec(), ..HttpRequest::get(url) };
        EffectAction::Exchange(HttpRequest { method: method.into(), ..request })
    }

    #[tokio::test]
    async fn exchanges_are_answered_with_status_and_body() {
        let (network, address) = (Network::new(kubernetes()), server().await);
        let url = |path: &str| format!("http://{address}{path}");
        let echoed = network.perform(&request("POST", url("/echo"))).await;
        assert_eq!(echoed, Ok(EffectOutput::Response { status: 200, body: b"t hello".to_vec() }));
        assert_eq!(network.perform(&request("GET", url("/huge"))).await, Err(EffectFailure::TooLarge));
    }

    #[tokio::test]
    async fn exchanges_that_cannot_be_say_why() {
        let network = Network::new(kubernetes());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let free = listener.local_addr().expect("an address");
        drop(listener);
        for (method, url, expected) in [
            ("GET", format!("http://{free}/"), "refused"),
            ("GET", "http:// /".to_owned(), "invalid uri"),
            ("GE T", format!("http://{free}/"), "invalid HTTP method"),
        ] {
            let failure = network.perform(&request(method, url)).await.expect_err("a failure").to_string();
            assert!(failure.contains(expected), "{failure}");
        }
    }

    #[tokio::test]
    async fn secrets_are_read_one_by_one() {
        let network = Network::new(kubernetes());
        let read = |name: &str| EffectAction::ReadSecret { namespace: "shop".into(), name: name.into() };
        let data = BTreeMap::from([("token".to_owned(), b"hush".to_vec())]);
        assert_eq!(network.perform(&read("keys")).await, Ok(EffectOutput::Secret(data)));
        let absent = network.perform(&read("absent")).await.expect_err("a failure");
        assert_eq!(absent.to_string(), "Secret \"shop/absent\" not found");
        let forbidden = network.perform(&read("forbidden")).await.expect_err("a failure");
        assert!(forbidden.to_string().contains("you may not"), "{forbidden}");
    }
}

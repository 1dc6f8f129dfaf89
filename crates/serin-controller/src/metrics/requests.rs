//! Counts the requests of a client by what they ask for and how they are answered.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::TryFutureExt;
use http::{Method, Request, Response, StatusCode};
use prometheus::{IntCounterVec, IntGaugeVec};
use tower::{Layer, Service};

/// Stands for the name of every object: one series an object would be series without end.
const ANY_NAME: &str = "N/A";

/// Puts a count in front of a client's requests.
#[derive(Debug, Clone)]
pub struct CountRequests {
    /// By kind, namespace, name, verb and status code.
    pub(super) requests: IntCounterVec,
    /// The watches that are interrupted, by resource.
    pub(super) interrupted: IntGaugeVec,
}

impl<S> Layer<S> for CountRequests {
    type Service = Counted<S>;

    fn layer(&self, inner: S) -> Counted<S> {
        Counted { inner, count: self.clone() }
    }
}

/// A client whose requests are counted.
#[derive(Debug, Clone)]
pub struct Counted<S> {
    inner: S,
    count: CountRequests,
}

impl<S, B, A> Service<Request<B>> for Counted<S>
where
    S: Service<Request<B>, Response = Response<A>>,
    S::Future: Send + 'static,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<A>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (count, target) = (self.count.clone(), Target::of(&request));
        let answered = self.inner.call(request);
        Box::pin(answered.inspect_ok(move |answer| count.answered(&target, answer.status())))
    }
}

impl CountRequests {
    fn answered(&self, target: &Target, status: StatusCode) {
        let Target { resource, namespace, verb } = target;
        let labels = [resource, namespace, ANY_NAME, verb, status.as_str()];
        self.requests.with_label_values(&labels).inc();
        if *verb == WATCH && status.is_success() {
            self.interrupted.with_label_values(&[resource]).set(0);
        }
    }
}

const WATCH: &str = "Watch";

/// What a request is about.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    resource: String,
    namespace: String,
    verb: &'static str,
}

impl Target {
    fn of<B>(request: &Request<B>) -> Self {
        let uri = request.uri();
        let (resource, namespace, has_name) = parse(uri.path());
        let is_watch = uri.query().is_some_and(|query| query.split('&').any(|part| part == "watch=true"));
        let verb = match *request.method() {
            Method::GET if is_watch => WATCH,
            Method::GET if has_name => "Get",
            Method::GET => "List",
            Method::POST => "Create",
            Method::PUT => "Update",
            Method::PATCH => "Patch",
            Method::DELETE => "Delete",
            _ => "Unknown",
        };
        Self { resource: resource.to_owned(), namespace: namespace.to_owned(), verb }
    }
}

/// Resource, namespace and whether an object is named. Paths that are about no resource count as named.
fn parse(path: &str) -> (&str, &str, bool) {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let (["api", _, of_group @ ..] | ["apis", _, _, of_group @ ..]) = parts.as_slice() else {
        return ("", "", true);
    };
    match of_group {
        [] => ("", "", true),
        ["namespaces", namespace, resource, rest @ ..] => (resource, namespace, !rest.is_empty()),
        [resource, rest @ ..] => (resource, "", !rest.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(method: &Method, uri: &str) -> String {
        let request = Request::builder().method(method).uri(uri).body(()).expect("a request");
        let Target { resource, namespace, verb } = Target::of(&request);
        format!("{verb} {resource} {namespace}").trim_end().to_owned()
    }

    #[test]
    fn requests_are_told_apart_as_the_api_server_does() {
        let rollouts = "/apis/argoproj.io/v1alpha1/rollouts";
        assert_eq!(target(&Method::GET, &format!("{rollouts}?&watch=true&x=1")), "Watch rollouts");
        assert_eq!(target(&Method::GET, &format!("{rollouts}?limit=500")), "List rollouts");
        let one = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/web";
        assert_eq!(target(&Method::GET, one), "Get rollouts shop");
        assert_eq!(target(&Method::PATCH, &format!("{one}/status")), "Patch rollouts shop");
        assert_eq!(target(&Method::POST, "/api/v1/namespaces/shop/events"), "Create events shop");
        assert_eq!(target(&Method::GET, "/api/v1/pods"), "List pods");
        let lease = "/apis/coordination.k8s.io/v1/namespaces/argo-rollouts/leases/l";
        assert_eq!(target(&Method::PUT, lease), "Update leases argo-rollouts");
        assert_eq!(target(&Method::GET, "/apis/argoproj.io/v1alpha1"), "Get");
        assert_eq!(target(&Method::GET, "/version"), "Get");
    }

    #[tokio::test]
    async fn answers_are_counted_and_a_watch_that_begins_is_not_interrupted() {
        let metrics = super::super::Metrics::default();
        metrics.watch_interrupted("services");
        let server = tower::service_fn(async |request: Request<()>| {
            let refused = request.method() == Method::POST;
            let status = if refused { StatusCode::FORBIDDEN } else { StatusCode::OK };
            Ok::<_, std::convert::Infallible>(Response::builder().status(status).body(()).expect("an answer"))
        });
        let mut client = metrics.count_requests().layer(server);
        for (method, uri) in [
            (Method::POST, "/api/v1/namespaces/shop/services"),
            (Method::POST, "/api/v1/namespaces/shop/services"),
            (Method::GET, "/api/v1/services?watch=true"),
        ] {
            let request = Request::builder().method(method).uri(uri).body(()).expect("a request");
            client.call(request).await.expect("an answer");
        }
        let count = |labels: &[&str]| metrics.count_requests().requests.with_label_values(labels).get();
        assert_eq!(count(&["services", "shop", "N/A", "Create", "403"]), 2);
        assert_eq!(count(&["services", "", "N/A", "Watch", "200"]), 1);
        assert_eq!(metrics.count_requests().interrupted.with_label_values(&["services"]).get(), 0);
    }
}

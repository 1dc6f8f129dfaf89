//! The actors at work: watches everything that the API serves, and sends what [`Crew`] asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use http::header::{CONTENT_TYPE, USER_AGENT};
use jiff::Timestamp;
use kube::{Client, Error};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::crew::{Crew, Ticket};
use super::request::FIELD_MANAGER;
use super::roster::ActorName;
use crate::api::request::{PatchType, Request, Response, Target, Verb};
use crate::api::status::{Reason, Status};
use crate::view::{Detail, Resource, Sight, discover, follow};
use serin_clock::{self as clock, Clock};
use serin_values::time::after;

/// How many requests may be under way at the same time.
const UNDER_WAY: usize = 64;
/// After an error of the API the next try waits this long.
const RETRY: Duration = Duration::from_millis(300);
/// How often it is asked what the API serves, apart from when a definition has changed.
const DISCOVERY: Duration = Duration::from_secs(30);
/// From the change of a definition until its resource is served.
const DEFINITION_DELAY: Duration = Duration::from_millis(100);
/// The resource whose objects define resources.
const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";
/// How many sights may wait.
const SIGHTS: usize = 256;

/// Runs `actors` until dropped. It carries on when the API server is away.
pub async fn run(client: Client, actors: BTreeSet<ActorName>, clock: Clock) {
    let mut crew = Crew::new(&actors);
    let mut watches = Watches::new(client.clone());
    let mut under_way = FuturesUnordered::new();
    let mut discovery = clock.now();
    loop {
        if discovery <= clock.now() {
            crew.know(watches.renew().await, clock.now());
            discovery = later(&clock, DISCOVERY);
        }
        for (ticket, request) in crew.step(clock.now(), UNDER_WAY.saturating_sub(under_way.len())) {
            under_way.push(send(&client, ticket, request));
        }
        let is_full = under_way.len() >= UNDER_WAY;
        let wake = crew.wake().filter(|_| !is_full).unwrap_or(Timestamp::MAX).min(discovery);
        tokio::select! {
            biased;
            Some((ticket, response)) = under_way.next() => crew.finished(ticket, &response, clock.now()),
            Some((resource, sight)) = watches.sights.recv() => {
                if &*resource == DEFINITIONS {
                    discovery = discovery.min(later(&clock, DEFINITION_DELAY));
                }
                crew.saw(&resource, sight, clock.now());
            }
            () = clock.sleep_until(wake) => {}
        }
    }
}

fn later(clock: &Clock, duration: Duration) -> Timestamp {
    after(clock.now(), duration)
}

/// One watch a resource.
struct Watches {
    client: Client,
    tasks: JoinSet<()>,
    running: BTreeMap<Arc<str>, (Resource, AbortHandle)>,
    sender: mpsc::Sender<(Arc<str>, Sight)>,
    sights: mpsc::Receiver<(Arc<str>, Sight)>,
}

impl Watches {
    fn new(client: Client) -> Self {
        let (sender, sights) = mpsc::channel(SIGHTS);
        Self { client, tasks: JoinSet::new(), running: BTreeMap::new(), sender, sights }
    }

    /// Watches what the API serves now, and says what that is.
    async fn renew(&mut self) -> Vec<Resource> {
        let resources = loop {
            match discover(&self.client).await {
                Ok(resources) => break resources,
                Err(error) => tracing::debug!(%error, "it is not known yet what the API serves"),
            }
            clock::sleep(RETRY).await;
        };
        let wanted = |resource: &Resource| resource.is_watchable && !is_ignored(&resource.name);
        self.running.retain(|name, (known, task)| {
            let is_kept = resources.iter().any(|resource| resource.name == *name && resource == known);
            if !is_kept {
                task.abort();
            }
            is_kept
        });
        for resource in resources.iter().filter(|resource| wanted(resource)) {
            if !self.running.contains_key(&resource.name) {
                let detail = detail(&resource.name);
                let watch = follow(self.client.clone(), resource.clone(), detail, self.sender.clone());
                let task = self.tasks.spawn(watch);
                self.running.insert(Arc::clone(&resource.name), (resource.clone(), task));
            }
        }
        while self.tasks.try_join_next().is_some() {}
        resources
    }
}

/// Events are many, own nothing, and no actor reads them.
fn is_ignored(name: &str) -> bool {
    matches!(name, "events" | "events.events.k8s.io")
}

/// Of definitions, which are larger than all else, no actor reads more than the metadata.
fn detail(name: &str) -> Detail {
    if name == DEFINITIONS { Detail::Metadata } else { Detail::Whole }
}

async fn send(client: &Client, ticket: Ticket, request: Request) -> (Ticket, Response) {
    let result = match http_request(&request) {
        Ok(request) => client.request::<Value>(request).await,
        Err(error) => Err(Error::HttpError(error)),
    };
    let response = match result {
        Ok(body) => Response::Done { code: 200, body, warnings: Vec::new() },
        Err(error) => {
            tracing::debug!(%error, target = ?request.target, "a request of an actor failed");
            Response::Refused(refusal(&error))
        }
    };
    (ticket, response)
}

fn refusal(error: &Error) -> Status {
    let Error::Api(status) = error else {
        return Status::new(Reason::InternalError, error.to_string());
    };
    let reason = match (status.code, status.reason.as_str()) {
        (400, _) => Reason::BadRequest,
        (403, _) => Reason::Forbidden,
        (404, _) => Reason::NotFound,
        (409, "AlreadyExists") => Reason::AlreadyExists,
        (409, _) => Reason::Conflict,
        (422, _) => Reason::Invalid,
        (429, _) => Reason::TooManyRequests,
        _ => Reason::InternalError,
    };
    Status::new(reason, status.message.clone())
}

/// The HTTP request that `request` is on the wire.
pub fn http_request(request: &Request) -> Result<http::Request<Vec<u8>>, http::Error> {
    let method = match request.verb {
        Verb::Get | Verb::List | Verb::Watch => http::Method::GET,
        Verb::Create => http::Method::POST,
        Verb::Update => http::Method::PUT,
        Verb::Patch => http::Method::PATCH,
        Verb::Delete | Verb::DeleteCollection => http::Method::DELETE,
    };
    let content_type = match request.patch_type {
        None => "application/json",
        Some(PatchType::Json) => "application/json-patch+json",
        Some(PatchType::Merge) => "application/merge-patch+json",
        Some(PatchType::Strategic) => "application/strategic-merge-patch+json",
        Some(PatchType::Apply) => "application/apply-patch+yaml",
    };
    let is_write = !matches!(request.verb, Verb::Get | Verb::List | Verb::Watch);
    let mut path = path(&request.target);
    if is_write && !matches!(request.verb, Verb::Delete | Verb::DeleteCollection) {
        path = format!("{path}?fieldManager={FIELD_MANAGER}");
    }
    let body = if request.body.is_null() { Vec::new() } else { request.body.to_string().into_bytes() };
    http::Request::builder()
        .method(method)
        .uri(path)
        .header(CONTENT_TYPE, content_type)
        .header(USER_AGENT, FIELD_MANAGER)
        .body(body)
}

fn path(target: &Target) -> String {
    let root = if target.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", target.group) };
    let namespace = target.namespace.as_ref().map(|name| format!("/namespaces/{name}")).unwrap_or_default();
    let name = target.name.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
    let sub = target.subresource.as_ref().map(|name| format!("/{name}")).unwrap_or_default();
    format!("{root}/{}{namespace}/{}{name}{sub}", target.version, target.resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_path_and_content_type() {
        let target = Target {
            group: "apps".into(),
            version: "v1".into(),
            resource: "replicasets".into(),
            namespace: Some("shop".into()),
            name: Some("web".into()),
            subresource: Some("status".into()),
        };
        let request = Request {
            verb: Verb::Patch,
            patch_type: Some(PatchType::Merge),
            target,
            body: serde_json::json!({"a": 1}),
            ..Request::default()
        };
        let sent = http_request(&request).unwrap();
        assert_eq!(
            sent.uri(),
            "/apis/apps/v1/namespaces/shop/replicasets/web/status?fieldManager=kube-controller-manager"
        );
        assert_eq!(
            (sent.method().as_str(), sent.headers()["content-type"].to_str().unwrap()),
            ("PATCH", "application/merge-patch+json")
        );
        assert_eq!(sent.body(), br#"{"a":1}"#);
    }
}

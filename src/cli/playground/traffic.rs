//! Requests through the playground's ingress, and their responses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use futures::{StreamExt, stream};
use http::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::error::PlaygroundError;
use serin_clock::sleep;

/// Maximum number of concurrent requests of a sample.
const AT_ONCE: usize = 16;
/// Delay between two requests of a steady visitor.
const PACE: Duration = Duration::from_millis(10);
/// Number of answers in one look at the traffic.
pub(super) const LOOK: u64 = 100;
/// Delay between two looks.
const LOOKS_APART: Duration = Duration::from_millis(20);
/// Time limit for traffic to change as expected.
const PATIENCE: Duration = Duration::from_secs(15);
/// The colour of failed requests.
pub(super) const FAILED: &str = "failed";

/// Number of answers by colour, including [`FAILED`].
pub(super) type Answers = BTreeMap<String, u64>;

/// A visitor, who sends requests to one host through the ingress.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    client: Client<HttpConnector, Body>,
    url: String,
    host: String,
    header: Option<(&'static str, &'static str)>,
}

impl Visitor {
    pub(super) fn new(ingress: SocketAddr, host: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        Self { client, url: format!("http://{ingress}/color"), host: host.to_owned(), header: None }
    }

    /// The same visitor with a header in every request.
    pub(super) fn with_header(&self, name: &'static str, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self.clone() }
    }

    /// The colour of one answer.
    pub(super) async fn visit(&self) -> String {
        let mut request = Request::get(&self.url).header("host", &self.host);
        if let Some((name, value)) = self.header {
            request = request.header(name, value);
        }
        let Ok(request) = request.body(Body::empty()) else { return FAILED.to_owned() };
        let Ok(answer) = self.client.request(request).await else { return FAILED.to_owned() };
        let is_good = answer.status().is_success();
        match axum::body::to_bytes(Body::new(answer.into_body()), 4096).await {
            Ok(body) if is_good => String::from_utf8_lossy(&body).trim().trim_matches('"').to_owned(),
            Ok(_) | Err(_) => FAILED.to_owned(),
        }
    }

    /// The colours of `number` answers.
    pub(super) async fn sample(&self, number: usize) -> Answers {
        let visits = stream::iter(0..number).map(|_| self.visit()).buffer_unordered(AT_ONCE);
        visits
            .fold(Answers::new(), async |mut answers, colour| {
                *answers.entry(colour).or_default() += 1;
                answers
            })
            .await
    }

    /// Sends requests until a look satisfies the condition that `what` describes.
    pub(super) async fn until(
        &self,
        what: &str,
        holds: impl Fn(&Answers) -> bool,
    ) -> Result<(), PlaygroundError> {
        let mut last = Answers::new();
        let looks = async {
            loop {
                last = self.sample(usize::try_from(LOOK).unwrap_or(usize::MAX)).await;
                if holds(&last) {
                    return;
                }
                sleep(LOOKS_APART).await;
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, looks).await;
        in_time.map_err(|_| {
            PlaygroundError::Story(format!("timed out waiting until {what}; the last answers are {last:?}"))
        })
    }

    /// Sends requests one after the other until dropped, and reports each one.
    pub(super) async fn keep_coming(self, tell: impl Fn(Visit)) {
        loop {
            let begun = Instant::now();
            let colour = self.visit().await;
            tell(Visit { begun, ended: Instant::now(), colour });
            sleep(PACE).await;
        }
    }

    /// A visitor who sends requests continuously and records every answer.
    pub(super) fn stay(&self) -> Steady {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let memory = Arc::clone(&seen);
        let tell = move |visit| memory.lock().unwrap_or_else(PoisonError::into_inner).push(visit);
        Steady { seen, task: tokio::spawn(self.clone().keep_coming(tell)) }
    }
}

/// A request and its response.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    pub(super) colour: String,
}

/// A steady visitor.
#[derive(Debug)]
pub(super) struct Steady {
    seen: Arc<Mutex<Vec<Visit>>>,
    task: JoinHandle<()>,
}

impl Steady {
    /// The visits so far, in order.
    pub(super) fn seen(&self) -> Vec<Visit> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The number of answers by colour so far.
    pub(super) fn answers(&self) -> Answers {
        self.seen().into_iter().fold(Answers::new(), |mut answers, visit| {
            *answers.entry(visit.colour).or_default() += 1;
            answers
        })
    }

    /// The number of failed requests so far.
    pub(super) fn failed(&self) -> usize {
        self.seen().iter().filter(|visit| visit.colour == FAILED).count()
    }
}

impl Drop for Steady {
    fn drop(&mut self) {
        self.task.abort();
    }
}

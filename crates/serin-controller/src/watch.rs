//! One watch a kind: keeps its cache up to date and triggers the Rollouts that a change concerns.
//!
//! Each watch has a backoff of its own, so that one that fails does not slow the others. A watch goes on from where it
//! was when the API server comes back; it lists anew only when the server has forgotten that point.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt};
use jiff::Timestamp;
use kube::core::{DynamicResourceScope, PartialObjectMeta};
use kube::runtime::watcher::{Config, Error, Event, watcher};
use kube::{Api, Client, Resource};
use tokio::sync::mpsc;

use super::apply::Server;
use super::dispatch::Dispatcher;
use super::failure::root_cause;
use super::reconcile::Reconciler;
use super::start::StartError;
use super::watched::{Served, Watched};
use serin_clock as clock;
use serin_core::domain::plan::ObjectKind;
use serin_machine::cache::{Change, Closed, Shared};
use serin_machine::kinds::{self, Extent};
use serin_machine::object::RawObject;
use serin_machine::trigger;
use serin_values::backoff::Backoff;
use serin_values::random::Rng;
use serin_values::time::after;

/// The waits while the API server cannot be reached; the longest is how late its return is noticed.
const AWAY: Backoff = Backoff::doubling(Duration::from_millis(200), Duration::from_secs(2));
/// The waits while the API server answers with an error.
const REFUSED: Backoff = Backoff::doubling(Duration::from_millis(200), Duration::from_secs(5));
/// How long after its start a watch may take to tell what was missed.
const RESUMPTION: Duration = Duration::from_secs(1);
/// How long a list may take without one object of it arriving.
const LIST_PATIENCE: Duration = Duration::from_mins(1);
/// How long at most between two looks for a kind that the cluster does not serve.
const ABSENT: Duration = Duration::from_secs(30);
/// How many objects a page of a list has.
const PAGE: u32 = 500;

/// Where the watch of a kind looks.
#[derive(Debug, Clone)]
pub struct Place {
    /// The only namespace; all if not set.
    pub namespace: Option<String>,
    /// The id in the label of the Rollouts to look after; those without the label if not set.
    pub instance_id: Option<String>,
}

/// The watch of a kind.
pub struct Watch<S> {
    client: Client,
    kind: ObjectKind,
    place: Place,
    reconciler: Arc<Reconciler<S>>,
    dispatcher: Arc<Dispatcher>,
    /// Told what is refused before the watch has begun, if the controller is of no use without it.
    fatal: Option<mpsc::Sender<StartError>>,
    rng: Rng,
    /// Whether the watch has ever told anything.
    has_watched: bool,
    trouble: Trouble,
}

/// The failures of a watch in a row.
#[derive(Debug, Default, PartialEq)]
struct Trouble {
    /// How often the API server said nothing.
    silences: u32,
    /// How often it has answered with an error since.
    refusals: u32,
}

impl Trouble {
    /// Counts a failure and returns the longest wait before the next attempt.
    fn count(&mut self, has_answered: bool) -> Duration {
        if !has_answered {
            self.refusals = 0;
        }
        let (count, waits) =
            if has_answered { (&mut self.refusals, REFUSED) } else { (&mut self.silences, AWAY) };
        let wait = waits.delay(*count);
        *count = count.saturating_add(1);
        wait
    }
}

impl<S: Server> Watch<S> {
    /// A watch of `kind`. Without `fatal`, a refusal before it has begun is noted in the cache.
    pub fn new(
        client: Client,
        kind: ObjectKind,
        place: Place,
        reconciler: &Arc<Reconciler<S>>,
        dispatcher: &Arc<Dispatcher>,
        fatal: Option<mpsc::Sender<StartError>>,
        rng: Rng,
    ) -> Self {
        Self {
            client,
            kind,
            place,
            reconciler: Arc::clone(reconciler),
            dispatcher: Arc::clone(dispatcher),
            fatal,
            rng,
            has_watched: false,
            trouble: Trouble::default(),
        }
    }

    /// Watches forever.
    pub async fn run(mut self) {
        let labels = kinds::row(self.kind).labels.selector(self.place.instance_id.as_deref());
        let mut config = Config::default().page_size(PAGE);
        if let Some(labels) = &labels {
            config = config.labels(labels);
        }
        loop {
            self.choose_version().await;
            match kinds::row(self.kind).extent {
                Extent::Whole => self.follow(pin!(watcher(self.api::<Watched>(), config.clone()))).await,
                Extent::Metadata => {
                    let stream = watcher(self.api::<PartialObjectMeta<Watched>>(), config.clone());
                    let stream = stream.map(|event| event.map(|event| mapped(event, of_metadata)));
                    self.follow(pin!(stream)).await;
                }
            }
        }
    }

    /// Where there is a choice, the cluster is asked in which of its versions it serves the kind.
    async fn choose_version(&self) {
        let of = self.kind.resource();
        if of.versions.len() < 2 {
            return;
        }
        for version in of.versions {
            let group_version = format!("{}/{version}", of.group);
            let served = self.client.list_api_group_resources(&group_version).await;
            if served.is_ok_and(|list| list.resources.iter().any(|one| one.name == of.plural)) {
                return self.cache().write().serve_in(version);
            }
        }
    }

    fn api<K: Resource<DynamicType = Served, Scope = DynamicResourceScope>>(&self) -> Api<K> {
        let (client, version) = (self.client.clone(), self.cache().read().version());
        let served = Served { kind: self.kind, version };
        match &self.place.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &served),
            None => Api::all_with(client, &served),
        }
    }

    fn cache(&self) -> &Shared {
        self.reconciler.caches.of(self.kind)
    }

    /// Follows a stream until it has to be started anew.
    async fn follow(
        &mut self,
        mut stream: std::pin::Pin<&mut impl Stream<Item = Result<Event<Watched>, Error>>>,
    ) {
        let mut listing = false;
        loop {
            let event = if listing {
                let Ok(event) = tokio::time::timeout(LIST_PATIENCE, stream.next()).await else {
                    return;
                };
                event
            } else {
                stream.next().await
            };
            match event {
                Some(Ok(event)) => {
                    listing = matches!(event, Event::Init | Event::InitApply(_));
                    if !matches!(event, Event::Init) {
                        self.recovered();
                    }
                    self.has_watched |= matches!(event, Event::Apply(_) | Event::Delete(_));
                    self.take(event);
                }
                Some(Err(error)) => {
                    self.wait_after(&error).await;
                    if must_list_anew(&error) || is_unserved(&error) {
                        return;
                    }
                }
                None => return,
            }
        }
    }

    /// Brings the cache up to date, and only then triggers.
    fn take(&self, event: Event<Watched>) {
        let mut is_first = false;
        let changes = {
            let mut cache = self.cache().write();
            match event {
                Event::Init => {
                    cache.begin();
                    return;
                }
                Event::InitApply(object) => {
                    cache.collect(object.0);
                    return;
                }
                Event::InitDone => {
                    is_first = !cache.is_ready();
                    cache.swap()
                }
                Event::Apply(object) => cache.put(object.0).into_iter().collect(),
                Event::Delete(object) => cache.remove(object.0).into_iter().collect(),
            }
        };
        self.trigger(&changes, is_first);
    }

    fn trigger(&self, changes: &[Change], is_first: bool) {
        let caches = &self.reconciler.caches;
        let mut concerned: BTreeSet<_> =
            changes.iter().flat_map(|change| trigger::concerned(change, caches)).collect();
        if is_first {
            concerned.extend(trigger::waiting(self.kind, caches));
        }
        if kinds::row(self.kind).is_primary {
            self.reconciler.needs.notify_one();
        }
        // Also where nothing is concerned: the last cache may have become ready.
        self.dispatcher.trigger(&concerned, self.reconciler.clock.now());
    }

    /// What waits for the first list is told that there will be none for now; what looked at objects, that they are gone.
    fn close(&self, why: Closed) {
        let resource = self.kind.plural();
        let said = match &why {
            Closed::Absent => "the cluster does not serve it",
            Closed::Refused(said) => said,
        };
        let said = said.to_owned();
        let changes = self.cache().write().close(why);
        if let Some(changes) = changes {
            tracing::warn!(resource, error = said, "the watch is refused; tries again");
            self.trigger(&changes, true);
        }
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.trouble) != Trouble::default() {
            tracing::info!(resource = self.kind.plural(), "the watch goes on");
        }
    }

    async fn wait_after(&mut self, error: &Error) {
        let resource = self.kind.plural();
        // An API server that has just come back refuses everything for a moment, which is no reason to end.
        let is_first = self.trouble == Trouble::default();
        let is_new = !self.cache().read().is_ready() || (!self.has_watched && is_first);
        let missing_right = StartError::of_list(self.kind, error).filter(|_| is_new);
        if let Some(missing_right) = missing_right {
            match &self.fatal {
                Some(fatal) => drop(fatal.try_send(missing_right)),
                None => self.close(Closed::Refused(root_cause(error))),
            }
        } else if self.fatal.is_none() && is_unserved(error) {
            self.close(Closed::Absent);
            return clock::sleep(self.rng.duration(ABSENT / 2, ABSENT)).await;
        } else if is_first {
            tracing::warn!(resource, error = root_cause(error), "the watch is interrupted; tries again");
        } else {
            tracing::debug!(resource, error = root_cause(error), "the watch is still interrupted");
        }
        self.reconciler.metrics.watch_interrupted(resource);
        let now = self.reconciler.clock.now();
        let most = self.trouble.count(has_answered(error));
        let wait = self.rng.duration(most / 2, most);
        self.doubt(after(now, wait + RESUMPTION), (!has_answered(error)).then_some(now));
        clock::sleep(wait).await;
    }

    /// What the cache shows may be old until the watch is resumed; the API server may have fallen silent.
    fn doubt(&self, resumed: Timestamp, silent: Option<Timestamp>) {
        let mut cache = self.cache().write();
        cache.doubt_until(resumed);
        if let Some(silent) = silent {
            cache.silent(silent);
        }
    }
}

/// An object of which only the metadata was received.
fn of_metadata(object: PartialObjectMeta<Watched>) -> Watched {
    Watched(RawObject { metadata: object.metadata, ..RawObject::default() })
}

fn mapped<A, B>(event: Event<A>, map: impl FnOnce(A) -> B) -> Event<B> {
    match event {
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
        Event::InitApply(object) => Event::InitApply(map(object)),
        Event::Apply(object) => Event::Apply(map(object)),
        Event::Delete(object) => Event::Delete(map(object)),
    }
}

/// Whether the error is what the API server said, and not that it says nothing.
fn has_answered(error: &Error) -> bool {
    match error {
        Error::InitialListFailed(error) | Error::WatchStartFailed(error) | Error::WatchFailed(error) => {
            matches!(error, kube::Error::Api(_))
        }
        Error::WatchError(_) | Error::NoResourceVersion => true,
    }
}

/// Whether the error is that the cluster knows no such kind.
fn is_unserved(error: &Error) -> bool {
    match error {
        Error::InitialListFailed(kube::Error::Api(status))
        | Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 404,
        Error::InitialListFailed(_)
        | Error::WatchStartFailed(_)
        | Error::WatchError(_)
        | Error::WatchFailed(_)
        | Error::NoResourceVersion => false,
    }
}

/// Whether the API server no longer knows the point from which the watch was to go on, or knows none so late.
fn must_list_anew(error: &Error) -> bool {
    match error {
        Error::WatchStartFailed(kube::Error::Api(status)) => {
            status.code == 410 || status.message.contains("Too large resource version")
        }
        Error::WatchStartFailed(_)
        | Error::InitialListFailed(_)
        | Error::WatchError(_)
        | Error::WatchFailed(_)
        | Error::NoResourceVersion => false,
    }
}

impl<S> std::fmt::Debug for Watch<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_begins_to_answer_is_asked_again_soon() {
        let mut trouble = Trouble::default();
        let silent: Vec<_> = (0..6).map(|_| trouble.count(false).as_millis()).collect();
        assert_eq!(silent, [200, 400, 800, 1_600, 2_000, 2_000]);
        let refused: Vec<_> = (0..6).map(|_| trouble.count(true).as_millis()).collect();
        assert_eq!(refused, [200, 400, 800, 1_600, 3_200, 5_000]);
        assert_eq!((trouble.count(false).as_millis(), trouble.count(true).as_millis()), (2_000, 200));
    }

    #[test]
    fn a_forgotten_or_unknown_version_is_listed_anew() {
        let answer = |code: u16, message: &str| {
            let status = serde_json::json!({"code": code, "message": message});
            let status = serde_json::from_value(status).expect("a status");
            Error::WatchStartFailed(kube::Error::Api(Box::new(status)))
        };
        assert!(must_list_anew(&answer(410, "too old resource version")));
        assert!(must_list_anew(&answer(504, "Timeout: Too large resource version: 9, current: 1")));
        assert!(!must_list_anew(&answer(503, "unavailable")) && !must_list_anew(&Error::NoResourceVersion));
    }
}

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
use kube::Api;
use kube::runtime::watcher::{Config, Error, Event, watcher};
use tokio::sync::mpsc;

use super::apply::Server;
use super::cache::Change;
use super::dispatch::Dispatcher;
use super::failure::root_cause;
use super::object::{ObjectKey, resource_type};
use super::queue::later;
use super::reconcile::Reconciler;
use super::run::RunError;
use super::start::StartError;
use super::trigger::{Trigger, rollouts};
use serin_clock as clock;
use serin_values::random::Rng;

/// The first wait after an error; it doubles up to one of the two below.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// The longest wait while the API server cannot be reached: how late its return is noticed.
const AWAY_MOST: Duration = Duration::from_secs(2);
/// The longest wait while the API server answers with an error.
const REFUSED_MOST: Duration = Duration::from_secs(5);
/// How long after its start a watch may take to tell what was missed.
const RESUMPTION: Duration = Duration::from_secs(1);
/// How long a list may take without one object of it arriving.
const LIST_PATIENCE: Duration = Duration::from_mins(1);
/// How many objects a page of a list has.
const PAGE: u32 = 500;

/// A watch of the kind `T`.
pub struct Watch<S, T: Trigger> {
    api: Api<T::Wire>,
    /// The label selector of the watched objects, if not all of the kind are watched.
    labels: Option<String>,
    reconciler: Arc<Reconciler<S>>,
    dispatcher: Arc<Dispatcher>,
    /// Told what is refused before the watch has begun, if the controller is of no use without it.
    fatal: Option<mpsc::Sender<RunError>>,
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
        let (count, most) =
            if has_answered { (&mut self.refusals, REFUSED_MOST) } else { (&mut self.silences, AWAY_MOST) };
        let wait = RETRY_FIRST.saturating_mul(2_u32.saturating_pow(*count)).min(most);
        *count = count.saturating_add(1);
        wait
    }
}

impl<S: Server, T: Trigger> Watch<S, T> {
    /// A watch through `api`, of the objects that `labels` selects if it is set. Without `fatal`, a refusal before it has
    /// begun is noted in the cache.
    pub fn new(
        api: Api<T::Wire>,
        labels: Option<String>,
        reconciler: &Arc<Reconciler<S>>,
        dispatcher: &Arc<Dispatcher>,
        fatal: Option<&mpsc::Sender<RunError>>,
        rng: Rng,
    ) -> Self {
        let (reconciler, dispatcher) = (Arc::clone(reconciler), Arc::clone(dispatcher));
        Self {
            api,
            labels,
            reconciler,
            dispatcher,
            fatal: fatal.cloned(),
            rng,
            has_watched: false,
            trouble: Trouble::default(),
        }
    }

    /// Watches forever.
    pub async fn run(mut self) {
        let mut config = Config::default().page_size(PAGE);
        if let Some(labels) = &self.labels {
            config = config.labels(labels);
        }
        loop {
            let stream = watcher(self.api.clone(), config.clone());
            self.follow(pin!(stream)).await;
        }
    }

    /// Follows a stream until it has to be started anew.
    async fn follow(
        &mut self,
        mut stream: std::pin::Pin<&mut impl Stream<Item = Result<Event<T::Wire>, Error>>>,
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
                    if must_list_anew(&error) {
                        return;
                    }
                }
                None => return,
            }
        }
    }

    /// Brings the cache up to date, and only then triggers.
    fn take(&self, event: Event<T::Wire>) {
        let mut is_first = false;
        let changes = {
            let mut cache = T::cache(&self.reconciler.caches).write();
            match event {
                Event::Init => {
                    cache.begin();
                    return;
                }
                Event::InitApply(object) => {
                    cache.collect(ObjectKey::of(&object), T::prune(object));
                    return;
                }
                Event::InitDone => {
                    is_first = !cache.is_ready();
                    cache.swap()
                }
                Event::Apply(object) => {
                    cache.put(ObjectKey::of(&object), T::prune(object)).into_iter().collect()
                }
                Event::Delete(object) => {
                    cache.remove(ObjectKey::of(&object), &T::prune(object)).into_iter().collect()
                }
            }
        };
        self.trigger(&changes, is_first);
    }

    fn trigger(&self, changes: &[Change<T>], is_first: bool) {
        let caches = &self.reconciler.caches;
        let mut concerned: BTreeSet<_> = changes.iter().flat_map(|change| rollouts(change, caches)).collect();
        if is_first {
            concerned.extend(T::waiting(caches));
        }
        // Also where nothing is concerned: the last cache may have become ready.
        self.dispatcher.trigger(&concerned, self.reconciler.clock.now());
    }

    /// What waits for the first list is told that there will be none for now.
    fn refused(&self, said: &str) {
        let resource = resource_type(T::KIND).plural;
        let caches = &self.reconciler.caches;
        if T::cache(caches).write().refuse(said.to_owned()) {
            tracing::warn!(resource, error = said, "the watch is refused; tries again");
            self.dispatcher.trigger(&T::waiting(caches), self.reconciler.clock.now());
        }
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.trouble) != Trouble::default() {
            tracing::info!(resource = resource_type(T::KIND).plural, "the watch goes on");
        }
    }

    async fn wait_after(&mut self, error: &Error) {
        let resource = resource_type(T::KIND).plural;
        // An API server that has just come back refuses everything for a moment, which is no reason to end.
        let is_first = self.trouble == Trouble::default();
        let is_new = !T::cache(&self.reconciler.caches).read().is_ready() || (!self.has_watched && is_first);
        let missing_right = StartError::of_list(T::KIND, error).filter(|_| is_new);
        if let Some(missing_right) = missing_right {
            match &self.fatal {
                Some(fatal) => drop(fatal.try_send(missing_right.into())),
                None => self.refused(&root_cause(error)),
            }
        } else if is_first {
            tracing::warn!(resource, error = root_cause(error), "the watch is interrupted; tries again");
        } else {
            tracing::debug!(resource, error = root_cause(error), "the watch is still interrupted");
        }
        self.reconciler.metrics.watch_interrupted(resource);
        let now = self.reconciler.clock.now();
        let most = self.trouble.count(has_answered(error));
        let wait = self.rng.duration(most / 2, most);
        self.doubt(later(now, wait + RESUMPTION), (!has_answered(error)).then_some(now));
        clock::sleep(wait).await;
    }

    /// What the cache shows may be old until the watch is resumed; the API server may have fallen silent.
    fn doubt(&self, resumed: Timestamp, silent: Option<Timestamp>) {
        let mut cache = T::cache(&self.reconciler.caches).write();
        cache.doubt_until(resumed);
        if let Some(silent) = silent {
            cache.silent(silent);
        }
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

impl<S, T: Trigger> std::fmt::Debug for Watch<S, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("kind", &T::KIND).finish_non_exhaustive()
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

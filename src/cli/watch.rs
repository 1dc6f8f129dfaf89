//! Watches that survive an unreachable API server, and the objects that they have seen.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::stream::{self, BoxStream, Stream, StreamExt};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher::{Config, Error, Event, watcher};

use super::failure::Failure;
use serin_clock::sleep;
use serin_controller::failure::root_cause;
use serin_values::backoff::Backoff;

/// The delays after failures. The longest limits how late the return of the API server is noticed.
const RETRY: Backoff = Backoff::doubling(Duration::from_millis(200), Duration::from_secs(3));

/// An event of a watch.
pub(super) type News = Result<Event<DynamicObject>, Error>;

/// An endless stream of events. After a failure the objects are listed again, so that recovery is visible.
pub(super) fn news(objects: Api<DynamicObject>, settings: Config) -> impl Stream<Item = News> + Send {
    let begin = move || watcher(objects.clone(), settings.clone()).boxed();
    let watch = Watch { events: begin(), begin, failures: 0, is_broken: false };
    stream::unfold(watch, |mut watch| async move {
        let news = watch.next().await?;
        Some((news, watch))
    })
}

struct Watch<F> {
    events: BoxStream<'static, News>,
    begin: F,
    /// The number of consecutive failures.
    failures: u32,
    is_broken: bool,
}

impl<F: Fn() -> BoxStream<'static, News>> Watch<F> {
    async fn next(&mut self) -> Option<News> {
        if self.is_broken {
            sleep(RETRY.delay(self.failures.saturating_sub(1))).await;
            self.events = (self.begin)();
        }
        let news = self.events.next().await?;
        self.is_broken = news.is_err();
        match &news {
            Err(_) => self.failures = self.failures.saturating_add(1),
            Ok(Event::Init) => {}
            Ok(Event::InitApply(_) | Event::InitDone | Event::Apply(_) | Event::Delete(_)) => {
                self.failures = 0;
            }
        }
        Some(news)
    }
}

/// Namespace and name of an object.
pub(super) type Key = (String, String);

/// The objects of a watch, as last seen.
#[derive(Debug, Default)]
pub(super) struct Sight {
    pub(super) objects: BTreeMap<Key, DynamicObject>,
    /// The objects of a list that is not complete yet.
    listed: BTreeMap<Key, DynamicObject>,
    /// True after a complete list.
    is_complete: bool,
    /// The reason why the objects may be out of date.
    pub(super) trouble: Option<Trouble>,
}

/// The reason why a watch has no current data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The API server does not answer, or answers with an error.
    Away(Absence),
    /// The user must not watch these objects.
    Refused(String),
    /// The cluster does not have the kind.
    UnknownKind,
}

/// The API server cannot be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Absence {
    pub(super) since: Timestamp,
    pub(super) cause: String,
    /// The number of failed attempts since then.
    pub(super) failures: u32,
}

impl Absence {
    /// The message for users, with local time.
    pub(super) fn words(&self) -> String {
        let Self { since, cause, .. } = self;
        let since = since.to_zoned(TimeZone::system()).strftime("%H:%M:%S");
        format!("cannot reach the API server since {since}, retrying: {cause}")
    }
}

impl Sight {
    /// Applies an event at that time.
    pub(super) fn hear(&mut self, news: News, now: Timestamp) {
        let event = match news {
            Ok(event) => event,
            Err(error) => {
                self.trouble = self.trouble_of(&error, now);
                return;
            }
        };
        match event {
            Event::Init => return self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(key(&object), object);
                return;
            }
            Event::InitDone => {
                self.objects = std::mem::take(&mut self.listed);
                self.is_complete = true;
            }
            Event::Apply(object) => {
                self.objects.insert(key(&object), object);
            }
            Event::Delete(object) => {
                self.objects.remove(&key(&object));
            }
        }
        self.trouble = None;
    }

    fn trouble_of(&self, error: &Error, now: Timestamp) -> Option<Trouble> {
        let answer = match error {
            Error::InitialListFailed(kube::Error::Api(status))
            | Error::WatchStartFailed(kube::Error::Api(status)) => Some(status.as_ref()),
            // The API server no longer has this resource version. A new list follows.
            Error::WatchError(_) => return self.trouble.clone(),
            Error::InitialListFailed(_)
            | Error::WatchStartFailed(_)
            | Error::WatchFailed(_)
            | Error::NoResourceVersion => None,
        };
        match answer {
            Some(status) if status.code == 403 || status.code == 401 => {
                Some(Trouble::Refused(status.message.clone()))
            }
            Some(status) if status.code == 404 => Some(Trouble::UnknownKind),
            Some(_) | None => Some(Trouble::Away(self.absence(error, now))),
        }
    }

    fn absence(&self, error: &Error, now: Timestamp) -> Absence {
        let cause = root_cause(error);
        match &self.trouble {
            Some(Trouble::Away(known)) => {
                Absence { cause, since: known.since, failures: known.failures.saturating_add(1) }
            }
            Some(Trouble::Refused(_) | Trouble::UnknownKind) | None => {
                Absence { since: now, cause, failures: 1 }
            }
        }
    }

    /// Changes the selection. The objects are unknown until the next complete list.
    pub(super) const fn widen(&mut self) {
        self.is_complete = false;
    }

    /// The reason why nothing was ever seen, if the user must not watch these objects.
    pub(super) fn refusal(&self) -> Option<Failure> {
        match &self.trouble {
            Some(Trouble::Refused(said)) if self.objects.is_empty() => Some(Failure::Refused(said.clone())),
            Some(Trouble::Away(_) | Trouble::Refused(_) | Trouble::UnknownKind) | None => None,
        }
    }

    /// True if the current objects are known, as far as possible.
    pub(super) fn is_settled(&self) -> bool {
        self.is_complete || matches!(self.trouble, Some(Trouble::Refused(_) | Trouble::UnknownKind))
    }

    /// True if it is known that there are no objects.
    pub(super) fn is_empty(&self) -> bool {
        self.is_complete && self.objects.is_empty()
    }

    pub(super) fn absence_now(&self) -> Option<&Absence> {
        match &self.trouble {
            Some(Trouble::Away(absence)) => Some(absence),
            Some(Trouble::Refused(_) | Trouble::UnknownKind) | None => None,
        }
    }
}

fn key(object: &DynamicObject) -> Key {
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    (text(&object.metadata.namespace), text(&object.metadata.name))
}

/// Reports once on standard error that the API server is unreachable, and once that it is back.
#[derive(Debug, Default)]
pub(super) struct Announcer {
    is_away: bool,
}

impl Announcer {
    pub(super) fn look(&mut self, sight: &Sight) {
        match sight.absence_now() {
            Some(absence) if !self.is_away => eprintln!("{}", absence.words()),
            None if self.is_away => eprintln!("the API server is back"),
            Some(_) | None => {}
        }
        self.is_away = sight.absence_now().is_some();
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use kube::core::{ApiResource, Status};

    use super::*;
    use serin_core::api::Rollout;

    fn object(name: &str) -> DynamicObject {
        DynamicObject::new(name, &ApiResource::erase::<Rollout>(&()))
    }

    fn status(code: u16) -> Box<Status> {
        Status { message: "why".to_owned(), code, ..Status::default() }.boxed()
    }

    fn refused(code: u16) -> News {
        Err(Error::WatchStartFailed(kube::Error::Api(status(code))))
    }

    /// The sight after events one second apart.
    fn seen(all: impl IntoIterator<Item = News>) -> Sight {
        let mut sight = Sight::default();
        for (second, news) in (0..).zip(all) {
            sight.hear(news, Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second));
        }
        sight
    }

    fn list(names: &[&str]) -> Vec<News> {
        let items = names.iter().map(|name| Ok(Event::InitApply(object(name))));
        std::iter::once(Ok(Event::Init)).chain(items).chain([Ok(Event::InitDone)]).collect()
    }

    fn names(sight: &Sight) -> Vec<&str> {
        sight.objects.keys().map(|(_, name)| name.as_str()).collect()
    }

    #[test]
    fn each_failure_is_a_trouble_of_its_own() {
        for code in [401, 403] {
            let sight = seen([refused(code)]);
            assert_eq!(sight.refusal(), Some(Failure::Refused("why".to_owned())), "{code}");
            assert!(sight.is_settled() && sight.absence_now().is_none(), "{code}");
            // The last seen objects stay visible.
            let seen = seen(list(&["a"]).into_iter().chain([refused(code)]));
            assert_eq!((seen.refusal(), names(&seen)), (None, vec!["a"]), "{code}");
        }
        let unknown = seen([refused(404)]);
        assert!(unknown.is_settled() && unknown.absence_now().is_none() && unknown.refusal().is_none());
        let away = seen([refused(500), refused(500), Err(Error::NoResourceVersion)]);
        let absence = away.absence_now().expect("an absence");
        assert_eq!((absence.since, absence.failures), (Timestamp::UNIX_EPOCH, 3));
        assert!(!away.is_settled() && away.refusal().is_none());
        // An API server with expired history is reachable.
        let forgotten = || Err(Error::WatchError(status(410)));
        assert_eq!(seen([forgotten()]).trouble, None);
        assert!(seen([refused(500), forgotten()]).absence_now().is_some());
        assert_eq!(seen([refused(500)].into_iter().chain(list(&[]))).trouble, None);
    }

    #[tokio::test]
    async fn the_waits_are_short_again_when_all_is_well() {
        let begin = || stream::empty().boxed();
        let news = [Ok(Event::Init), Ok(Event::InitDone), refused(500)];
        let mut watch = Watch { events: stream::iter(news).boxed(), begin, failures: 5, is_broken: false };
        for failures in [5, 0, 1] {
            assert!(watch.next().await.is_some());
            assert_eq!(watch.failures, failures);
        }
        assert!(watch.is_broken);
    }

    #[test]
    fn a_list_counts_when_it_is_complete() {
        let half = [Ok(Event::Init), Ok(Event::InitApply(object("b")))];
        let begun = seen(list(&["a"]).into_iter().chain(half));
        assert_eq!(names(&begun), ["a"]);
        let half = [Ok(Event::Init), Ok(Event::InitApply(object("b")))];
        let mut anew = seen(list(&["a"]).into_iter().chain(half).chain(list(&["c"])));
        assert_eq!(names(&anew), ["c"]);
        assert!(anew.is_settled());
        anew.widen();
        assert!(!anew.is_settled() && !anew.is_empty());
    }
}

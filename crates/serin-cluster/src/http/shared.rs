//! State that the parts of the HTTP front share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::documents::Documents;
use crate::api::store::Store;
use serin_clock::Clock;

/// The store behind a front, its clock, and the notification of changes.
pub(super) struct Shared {
    store: Mutex<Store>,
    /// Rings when the store has changed. Who waits is woken in the order of waiting, so that in virtual time the same
    /// things happen in the same order each time.
    news: Notify,
    clock: Clock,
    /// What was made last, and the revision of the definitions that it was made from.
    documents: Mutex<(u64, Arc<Documents>)>,
}

impl Shared {
    pub(super) fn new(store: Store, clock: Clock) -> Self {
        let documents = Mutex::new((0, Arc::new(Documents::new(Vec::new()))));
        Self { store: Mutex::new(store), news: Notify::new(), clock, documents }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns when the store has changed since this was called.
    pub(super) fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// The store. Who panicked with it in hand has left it as whole as any refused request does.
    pub(super) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes all watches that wait for a change.
    pub(super) fn ring(&self) {
        self.news.notify_waiters();
    }

    /// What is served beside the objects. To make it takes long, and who asks for one page asks for many.
    pub(super) fn documents(&self) -> Arc<Documents> {
        let (revision, definitions) = {
            let store = self.store();
            (store.definitions_revision(), store.definitions())
        };
        let mut known = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        if known.0 != revision {
            *known = (revision, Arc::new(Documents::new(definitions)));
        }
        Arc::clone(&known.1)
    }
}

//! What happened, in order: the past that watchers read and that lists of an older revision are made from.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use super::key::Key;

/// One write.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The resourceVersion that the write made.
    pub(crate) revision: u64,
    pub(crate) key: Key,
    /// The object before it; none where it was made.
    pub(crate) before: Option<Arc<Value>>,
    /// The object after it; none where it was deleted.
    pub(crate) after: Option<Arc<Value>>,
}

/// The latest changes, at most `capacity` of them.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    changes: VecDeque<Change>,
    capacity: usize,
    /// The newest revision that is forgotten.
    floor: u64,
}

impl Log {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { changes: VecDeque::new(), capacity: capacity.max(1), floor: 0 }
    }

    /// The newest revision that is forgotten: what happened after it is known.
    pub(crate) const fn floor(&self) -> u64 {
        self.floor
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        while self.changes.len() > self.capacity {
            self.forget_oldest();
        }
    }

    /// Forgets what happened up to `revision`, and that too.
    pub(crate) fn compact(&mut self, revision: u64) {
        while self.changes.front().is_some_and(|change| change.revision <= revision) {
            self.forget_oldest();
        }
        self.floor = self.floor.max(revision);
    }

    fn forget_oldest(&mut self) {
        if let Some(change) = self.changes.pop_front() {
            self.floor = change.revision;
        }
    }

    /// What happened after `revision`, oldest first.
    pub(crate) fn since(&self, revision: u64) -> impl DoubleEndedIterator<Item = &Change> {
        let start = self.changes.partition_point(|change| change.revision <= revision);
        self.changes.range(start..)
    }
}

//! Read your own writes: no decision is made on caches that do not show yet what this controller wrote last.
//!
//! After each successful write the resource version that it made (or the uid that it deleted) is remembered for the
//! Rollout on whose behalf it was made. The Rollout is not decided on again before the cache of that kind shows it.
//! A write that never shows up counts as seen after [`PATIENCE`]: a stale decision is still harmless, since every
//! write that follows from it carries a precondition.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::caches::Caches;
use serin_core::domain::object::ObjectRef;

/// How long a write is waited for.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
/// How long a ReplicaSet is waited for: other Pods may have become available instead of those that it lost.
pub const PATIENCE_WITH_COUNTS: SignedDuration = SignedDuration::from_secs(10);

/// What a write left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trace {
    /// The object in this resource version.
    Version(String),
    /// Nothing: the object of this uid was deleted.
    Gone(String),
    /// A ReplicaSet that reports so many available Pods at most, once its controller has noticed which ones it lost.
    Reports {
        /// How many.
        available: i32,
    },
}

impl Trace {
    const fn patience(&self) -> SignedDuration {
        match self {
            Self::Version(_) | Self::Gone(_) => PATIENCE,
            Self::Reports { .. } => PATIENCE_WITH_COUNTS,
        }
    }
}

/// A successful write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The object.
    pub object: ObjectRef,
    /// What it left behind.
    pub trace: Trace,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.object.kind.name(), self.object.key.name)
    }
}

/// What the freshness of a write is judged by.
pub trait Sight {
    /// Whether the write is visible.
    fn shows(&self, write: &Write) -> bool;
}

impl Sight for Caches {
    fn shows(&self, write: &Write) -> bool {
        match &write.trace {
            Trace::Version(version) => self.have_reached(write.object.kind, version),
            Trace::Gone(uid) => !self.has_living(&write.object, uid),
            Trace::Reports { available } => {
                let replica_set = self.find(&write.object);
                let reported = replica_set.and_then(|entry| Some(entry.replica_set()?.available()));
                reported.is_none_or(|reported| reported <= *available)
            }
        }
    }
}

/// The writes of one Rollout that are not known to be visible.
#[derive(Debug, Default)]
pub struct Freshness {
    pending: BTreeMap<ObjectRef, (Write, Timestamp)>,
}

impl Freshness {
    /// Remembers a write; it takes the place of an earlier one on the same object.
    pub fn record(&mut self, write: Write, now: Timestamp) {
        self.pending.insert(write.object.clone(), (write, now));
    }

    /// The first write that is neither visible nor given up at `now`; those before it are forgotten.
    pub fn awaited(&mut self, sight: &impl Sight, now: Timestamp) -> Option<&Write> {
        self.pending.retain(|_, (write, since)| {
            now.duration_since(*since) < write.trace.patience() && !sight.shows(write)
        });
        self.pending.values().next().map(|(write, _)| write)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::testing::raw;
    use serin_core::domain::plan::ObjectKind;

    struct Seen(BTreeSet<String>);

    impl Sight for Seen {
        fn shows(&self, write: &Write) -> bool {
            self.0.contains(&write.object.key.name)
        }
    }

    fn replica_set(name: &str) -> ObjectRef {
        ObjectRef::new(ObjectKind::ReplicaSet, "shop", name)
    }

    fn write(name: &str) -> Write {
        Write { object: replica_set(name), trace: Trace::Version("7".into()) }
    }

    fn names(freshness: &mut Freshness, seen: &[&str], seconds: i64) -> Option<String> {
        let sight = Seen(seen.iter().map(|name| (*name).to_owned()).collect());
        let now = Timestamp::from_second(seconds).expect("a time");
        freshness.awaited(&sight, now).map(|write| write.object.key.name.clone())
    }

    #[test]
    fn every_write_must_become_visible() {
        let mut freshness = Freshness::default();
        assert_eq!(names(&mut freshness, &[], 0), None);
        freshness.record(write("a"), Timestamp::UNIX_EPOCH);
        freshness.record(write("b"), Timestamp::UNIX_EPOCH);
        assert_eq!(names(&mut freshness, &[], 1).as_deref(), Some("a"));
        assert_eq!(names(&mut freshness, &["a"], 2).as_deref(), Some("b"));
        assert_eq!(names(&mut freshness, &["b"], 3), None, "`a` was seen before");
    }

    #[test]
    fn a_write_that_never_shows_is_given_up_after_five_minutes() {
        let mut freshness = Freshness::default();
        freshness.record(write("a"), Timestamp::UNIX_EPOCH);
        assert_eq!(names(&mut freshness, &[], 299).as_deref(), Some("a"));
        assert_eq!(names(&mut freshness, &[], 300), None);
    }

    #[test]
    fn a_deletion_is_visible_when_the_uid_is_gone_or_leaving() {
        let caches = Caches::default();
        let put = |uid: &str, deleted: Option<&str>| {
            let meta = json!({"name": "r", "namespace": "shop", "uid": uid, "deletionTimestamp": deleted});
            caches.of(ObjectKind::ReplicaSet).write().put(raw(json!({"metadata": meta})));
        };
        let deletion = Write { object: replica_set("r"), trace: Trace::Gone("u1".into()) };
        assert!(caches.shows(&deletion));
        put("u1", None);
        assert!(!caches.shows(&deletion));
        put("u1", Some("2026-01-02T03:04:05Z"));
        assert!(caches.shows(&deletion));
        put("u2", None);
        assert!(caches.shows(&deletion));
    }

    #[test]
    fn an_eviction_is_visible_when_the_replica_set_counts_without_the_pod() {
        let caches = Caches::default();
        let put = |available: i32| {
            let metadata = json!({"name": "r", "namespace": "shop", "uid": "u1"});
            let status = json!({"replicas": 3, "availableReplicas": available});
            let object = raw(json!({"metadata": metadata, "status": status}));
            caches.of(ObjectKind::ReplicaSet).write().put(object);
        };
        let trace = Trace::Reports { available: 1 };
        let eviction = Write { object: replica_set("r"), trace };
        assert!(caches.shows(&eviction), "a ReplicaSet that is gone has no more to count");
        put(3);
        assert!(!caches.shows(&eviction));
        put(2);
        assert!(!caches.shows(&eviction), "one of the two that it lost still counts");
        put(1);
        assert!(caches.shows(&eviction));

        put(3);
        let mut freshness = Freshness::default();
        freshness.record(eviction, Timestamp::UNIX_EPOCH);
        let mut is_awaited = |seconds| {
            let now = Timestamp::from_second(seconds).expect("a time");
            freshness.awaited(&caches, now).is_some()
        };
        assert_eq!((is_awaited(9), is_awaited(10)), (true, false), "others may have taken their place");
    }
}

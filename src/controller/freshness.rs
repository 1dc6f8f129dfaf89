//! Read your own writes: no decision is made on caches that do not show yet what this controller wrote last.
//!
//! After each successful write the resource version that it made (or the uid that it deleted) is remembered for the
//! Rollout on whose behalf it was made. The Rollout is not decided on again before the cache of that kind shows it.
//! A write that never shows up counts as seen after [`PATIENCE`]: a stale decision is still harmless, since every
//! write that follows from it carries a precondition.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::cache::Caches;
use super::object::{ObjectKey, resource_type};
use serin_core::domain::plan::ObjectKind;

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
    /// The kind of the object.
    pub kind: ObjectKind,
    /// Its name, in the namespace of the Rollout.
    pub name: String,
    /// What it left behind.
    pub trace: Trace,
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", resource_type(self.kind).kind, self.name)
    }
}

/// What the freshness of a write is judged by.
pub trait Sight {
    /// Whether the write is visible.
    fn shows(&self, namespace: &str, write: &Write) -> bool;
}

impl Sight for Caches {
    fn shows(&self, namespace: &str, write: &Write) -> bool {
        let key = || ObjectKey::new(namespace, &write.name);
        match &write.trace {
            Trace::Version(version) => self.have_reached(write.kind, version),
            Trace::Gone(uid) => !self.has_living(write.kind, &key(), uid),
            Trace::Reports { available } => {
                let sets = self.replica_sets.read();
                sets.get(&key()).is_none_or(|entry| entry.view.status.available <= *available)
            }
        }
    }
}

/// The writes of one Rollout that are not known to be visible.
#[derive(Debug, Default)]
pub struct Freshness {
    pending: BTreeMap<(ObjectKind, String), (Write, Timestamp)>,
}

impl Freshness {
    /// Remembers a write; it takes the place of an earlier one on the same object.
    pub fn record(&mut self, write: Write, now: Timestamp) {
        self.pending.insert((write.kind, write.name.clone()), (write, now));
    }

    /// The first write that is neither visible nor given up at `now`; those before it are forgotten.
    pub fn awaited(&mut self, namespace: &str, sight: &impl Sight, now: Timestamp) -> Option<&Write> {
        self.pending.retain(|_, (write, since)| {
            now.duration_since(*since) < write.trace.patience() && !sight.shows(namespace, write)
        });
        self.pending.values().next().map(|(write, _)| write)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    struct Seen(BTreeSet<String>);

    impl Sight for Seen {
        fn shows(&self, _: &str, write: &Write) -> bool {
            self.0.contains(&write.name)
        }
    }

    fn write(name: &str) -> Write {
        Write { kind: ObjectKind::ReplicaSet, name: name.into(), trace: Trace::Version("7".into()) }
    }

    fn names(freshness: &mut Freshness, seen: &[&str], seconds: i64) -> Option<String> {
        let sight = Seen(seen.iter().map(|name| (*name).to_owned()).collect());
        let now = Timestamp::from_second(seconds).expect("a time");
        freshness.awaited("shop", &sight, now).map(|write| write.name.clone())
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
        use crate::controller::entry::{Entry, ReplicaSetEntry};

        let caches = Caches::default();
        let put = |uid: &str, deleted: Option<&str>| {
            let meta = serde_json::json!({"name": "r", "uid": uid, "deletionTimestamp": deleted});
            let wire = serde_json::from_value(serde_json::json!({"metadata": meta})).expect("an object");
            caches.replica_sets.write().put(ObjectKey::new("shop", "r"), ReplicaSetEntry::prune(wire));
        };
        let deletion =
            Write { kind: ObjectKind::ReplicaSet, name: "r".into(), trace: Trace::Gone("u1".into()) };
        assert!(caches.shows("shop", &deletion));
        put("u1", None);
        assert!(!caches.shows("shop", &deletion));
        put("u1", Some("2026-01-02T03:04:05Z"));
        assert!(caches.shows("shop", &deletion));
        put("u2", None);
        assert!(caches.shows("shop", &deletion));
    }

    #[test]
    fn an_eviction_is_visible_when_the_replica_set_counts_without_the_pod() {
        use crate::controller::entry::{Entry, ReplicaSetEntry};

        let caches = Caches::default();
        let put = |available: i32| {
            let object = serde_json::json!({
                "metadata": {"name": "r", "uid": "u1"}, "status": {"replicas": 3, "availableReplicas": available},
            });
            let wire = serde_json::from_value(object).expect("an object");
            caches.replica_sets.write().put(ObjectKey::new("shop", "r"), ReplicaSetEntry::prune(wire));
        };
        let trace = Trace::Reports { available: 1 };
        let eviction = Write { kind: ObjectKind::ReplicaSet, name: "r".into(), trace };
        assert!(caches.shows("shop", &eviction), "a ReplicaSet that is gone has no more to count");
        put(3);
        assert!(!caches.shows("shop", &eviction));
        put(2);
        assert!(!caches.shows("shop", &eviction), "one of the two that it lost still counts");
        put(1);
        assert!(caches.shows("shop", &eviction));

        put(3);
        let mut freshness = Freshness::default();
        freshness.record(eviction, Timestamp::UNIX_EPOCH);
        let mut is_awaited = |seconds| {
            let now = Timestamp::from_second(seconds).expect("a time");
            freshness.awaited("shop", &caches, now).is_some()
        };
        assert_eq!((is_awaited(9), is_awaited(10)), (true, false), "others may have taken their place");
    }
}

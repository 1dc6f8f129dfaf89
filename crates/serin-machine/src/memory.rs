//! What is remembered of a primary object from one decision to the next.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::freshness::{Freshness, Sight, Write};
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::Precondition;
use serin_core::rollout::snapshot::Remembered;

/// What is remembered of one primary object.
#[derive(Debug)]
pub struct Memory {
    /// The state of the object that all this is about, as it was last seen.
    pub seen: Precondition,
    /// The writes that the caches may not show yet.
    freshness: Freshness,
    /// What the next decision is told.
    pub kept: Remembered,
    /// The last problem that was reported, so that it is reported once.
    pub warned: Option<String>,
    /// Its namespace is being deleted, and so will it be.
    pub is_leaving: bool,
}

impl Memory {
    fn of(seen: &Precondition) -> Self {
        let (seen, freshness) = (seen.clone(), Freshness::default());
        Self { seen, freshness, kept: Remembered::default(), warned: None, is_leaving: false }
    }

    /// A write succeeded; the next decision waits for it.
    pub fn record(&mut self, write: Write, now: Timestamp) {
        self.freshness.record(write, now);
    }

    /// A problem was met. True if it was not the last one that was reported.
    pub fn is_news(&mut self, problem: &str) -> bool {
        let is_news = self.warned.as_deref() != Some(problem);
        if is_news {
            self.warned = Some(problem.to_owned());
        }
        is_news
    }
}

/// What is known of earlier attempts.
#[derive(Debug, PartialEq)]
pub enum Recalled {
    /// The namespace ends; nothing is left to be done.
    Leaving,
    /// The caches do not show that write yet.
    Stale(String),
    /// The caches show everything; this is what the last attempt left behind.
    Fresh(Remembered),
}

/// What is remembered of all primary objects.
#[derive(Debug, Default)]
pub struct Memories(BTreeMap<ObjectRef, Memory>);

impl Memories {
    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is remembered of `object`, if anything.
    #[must_use]
    pub fn get(&self, object: &ObjectRef) -> Option<&Memory> {
        self.0.get(object)
    }

    /// The memory of `object`, which was last in the state `seen`.
    pub fn of(&mut self, object: &ObjectRef, seen: &Precondition) -> &mut Memory {
        self.0.entry(object.clone()).or_insert_with(|| Memory::of(seen))
    }

    /// The object of that name is seen in the state `seen`. If another one was known by that name, which therefore was
    /// deleted, it is forgotten, and its last state returned.
    pub fn meet(&mut self, object: &ObjectRef, seen: &Precondition) -> Option<Precondition> {
        let memory = self.of(object, seen);
        let before = std::mem::replace(&mut memory.seen, seen.clone());
        if before.uid == seen.uid {
            return None;
        }
        *memory = Memory::of(seen);
        Some(before)
    }

    /// What the last attempt left behind.
    pub fn recall(&mut self, object: &ObjectRef, sight: &impl Sight, now: Timestamp) -> Recalled {
        let Some(memory) = self.0.get_mut(object) else { return Recalled::Fresh(Remembered::default()) };
        if memory.is_leaving {
            return Recalled::Leaving;
        }
        match memory.freshness.awaited(sight, now) {
            Some(write) => Recalled::Stale(write.to_string()),
            None => Recalled::Fresh(memory.kept.clone()),
        }
    }

    /// The object is gone, and with it all that was remembered; its last state, if it was known.
    pub fn forget(&mut self, object: &ObjectRef) -> Option<Precondition> {
        self.0.remove(object).map(|memory| memory.seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::freshness::Trace;
    use serin_core::domain::plan::ObjectKind;

    struct Blind;

    impl Sight for Blind {
        fn shows(&self, _: &Write) -> bool {
            false
        }
    }

    fn state(uid: &str) -> Precondition {
        Precondition { uid: uid.into(), resource_version: "1".into() }
    }

    #[test]
    fn nothing_is_remembered_of_an_object_that_was_made_anew() {
        let (mut memories, web) = (Memories::default(), ObjectRef::new(ObjectKind::Rollout, "shop", "web"));
        assert_eq!(memories.meet(&web, &state("u1")), None);
        let memory = memories.of(&web, &state("u1"));
        memory
            .record(Write { object: web.clone(), trace: Trace::Version("2".into()) }, Timestamp::UNIX_EPOCH);
        assert!(memory.is_news("it burns") && !memory.is_news("it burns"));
        let recalled = |memories: &mut Memories| memories.recall(&web, &Blind, Timestamp::UNIX_EPOCH);
        assert_eq!(recalled(&mut memories), Recalled::Stale("Rollout web".into()));
        assert_eq!(memories.meet(&web, &state("u1")), None);
        assert_eq!(memories.meet(&web, &state("u2")), Some(state("u1")));
        assert_eq!(recalled(&mut memories), Recalled::Fresh(Remembered::default()));
        assert_eq!(memories.forget(&web), Some(state("u2")));
        assert!(memories.is_empty() && memories.forget(&web).is_none());
    }
}

//! Which Rollout is decided on next, and when: a queue without a clock, threads or waiting of its own.
//!
//! - A key is in the queue once, however often it is added, at the earliest time that was asked for.
//! - A key that was handed out is not handed out again before it is [done](Queue::done); what is added meanwhile
//!   waits.
//! - Keys are handed out in the order in which they became due, so none can starve.
//! - A key that fails waits longer each time. A trigger shortens the wait, but not below [`FLOOR`]: a Rollout that
//!   fails whenever it is touched and is touched often must not become a storm of requests.
//!
//! The queue is bounded by the number of Rollouts: each has at most one entry, and [`Next::Forget`] drops it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use serin_values::backoff::Backoff;
use serin_values::random::Rng;
use serin_values::time::after;

/// The waits after failures that may pass by themselves: from 100 ms to 10 s.
pub const TRANSIENT: Backoff = Backoff::doubling(Duration::from_millis(100), Duration::from_secs(10));
/// The waits after refusals: from 5 s to 30 s.
pub const REFUSED: Backoff = Backoff::doubling(Duration::from_secs(5), Duration::from_secs(30));
/// A trigger does not end the wait after a failure sooner than this.
pub const FLOOR: Duration = Duration::from_millis(500);

/// How a key is to be continued after it was worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// All went well; look again at that time at the latest.
    At(Timestamp),
    /// Nothing was done, for want of fresh caches or because somebody else was faster: again after this time. It is
    /// no failure.
    Soon(Duration),
    /// Something failed that may pass by itself.
    Transient,
    /// Something failed that somebody must mend.
    Refused,
    /// The object is gone.
    Forget,
}

/// What is known of one key.
#[derive(Debug, Default)]
struct Slot {
    /// When it is due, and its place among those that are due at the same time; `None` while it is worked on.
    due: Option<(Timestamp, u64)>,
    /// Whether it is being worked on.
    running: bool,
    /// The earliest time that was asked for while it was being worked on.
    again: Option<Timestamp>,
    /// Failures in a row.
    failures: u32,
    /// Not before this time, whatever triggers it.
    floor: Option<Timestamp>,
}

/// How much there is to do, and was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// How often a key got a time at which it is due.
    pub adds: u64,
    /// How often a key was not done with after it was worked on.
    pub retries: u64,
    /// How many keys are due.
    pub depth: u64,
}

/// The queue.
#[derive(Debug)]
pub struct Queue<K> {
    slots: BTreeMap<K, Slot>,
    due: BTreeSet<(Timestamp, u64, K)>,
    sequence: u64,
    adds: u64,
    retries: u64,
    rng: Rng,
}

impl<K: Ord + Clone> Queue<K> {
    /// An empty queue whose jitter comes from `rng`.
    #[must_use]
    pub const fn new(rng: Rng) -> Self {
        Self { slots: BTreeMap::new(), due: BTreeSet::new(), sequence: 0, adds: 0, retries: 0, rng }
    }

    /// Asks for `key` to be worked on now.
    pub fn add(&mut self, key: &K, now: Timestamp) {
        let slot = self.slots.entry(key.clone()).or_default();
        let at = slot.floor.map_or(now, |floor| floor.max(now));
        self.schedule(key, at);
    }

    /// The next key that is due at `now`; it is the caller's until [`done`](Self::done).
    pub fn pop(&mut self, now: Timestamp) -> Option<K> {
        if self.next_due()? > now {
            return None;
        }
        let (_, _, key) = self.due.pop_first()?;
        if let Some(slot) = self.slots.get_mut(&key) {
            slot.due = None;
            slot.running = true;
        }
        Some(key)
    }

    /// When the next key becomes due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _, _)| *at)
    }

    /// `key`, which was handed out, has been worked on.
    pub fn done(&mut self, key: &K, next: Next, now: Timestamp) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.running = false;
        self.retries += u64::from(matches!(next, Next::Soon(_) | Next::Transient | Next::Refused));
        let asked = slot.again.take();
        slot.floor = None;
        let at = match next {
            Next::Forget if asked.is_none() => {
                self.slots.remove(key);
                return;
            }
            Next::Forget => None,
            Next::At(at) => {
                slot.failures = 0;
                Some(at)
            }
            Next::Soon(wait) => Some(after(now, wait)),
            Next::Transient => Some(self.failed(key, now, TRANSIENT)),
            Next::Refused => Some(self.failed(key, now, REFUSED)),
        };
        let floor = self.slots.get(key).and_then(|slot| slot.floor);
        let asked = asked.map(|asked| floor.map_or(asked, |floor| floor.max(asked)));
        for at in [at, asked].into_iter().flatten() {
            self.schedule(key, at);
        }
    }

    /// How much there is to do at `now`.
    #[must_use]
    pub fn load(&self, now: Timestamp) -> Load {
        let depth = self.due.iter().take_while(|(at, _, _)| *at <= now).count();
        let depth = u64::try_from(depth).unwrap_or(u64::MAX);
        Load { adds: self.adds, retries: self.retries, depth }
    }

    /// Number of keys that are waiting or worked on.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The end of the wait after one more failure.
    fn failed(&mut self, key: &K, now: Timestamp, waits: Backoff) -> Timestamp {
        let failures = self.slots.get(key).map_or(0, |slot| slot.failures);
        let wait = waits.jittered(failures, &mut self.rng);
        if let Some(slot) = self.slots.get_mut(key) {
            slot.failures = failures.saturating_add(1);
            slot.floor = Some(after(now, wait.min(FLOOR)));
        }
        after(now, wait)
    }

    fn schedule(&mut self, key: &K, at: Timestamp) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        if slot.running {
            slot.again = Some(slot.again.map_or(at, |again| again.min(at)));
            return;
        }
        if let Some((due, place)) = slot.due {
            if due <= at {
                return;
            }
            self.due.remove(&(due, place, key.clone()));
        }
        self.adds += u64::from(slot.due.is_none());
        self.sequence += 1;
        slot.due = Some((at, self.sequence));
        self.due.insert((at, self.sequence, key.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).expect("a time")
    }

    fn queue() -> Queue<&'static str> {
        Queue::new(Rng::seeded(7))
    }

    #[test]
    fn keys_come_in_the_order_in_which_they_became_due() {
        let mut q = queue();
        q.add(&"b", at(1));
        q.add(&"a", at(2));
        q.add(&"b", at(3));
        assert_eq!((q.pop(at(3)), q.pop(at(3)), q.pop(at(3))), (Some("b"), Some("a"), None));
    }

    #[test]
    fn a_key_is_never_handed_out_twice_at_the_same_time() {
        let mut q = queue();
        q.add(&"a", at(0));
        assert_eq!(q.pop(at(0)), Some("a"));
        q.add(&"a", at(1));
        q.add(&"a", at(2));
        assert_eq!(q.pop(at(9)), None);
        q.done(&"a", Next::At(at(5_000)), at(9));
        assert_eq!(q.pop(at(9)), Some("a"), "it was asked for meanwhile");
        q.done(&"a", Next::At(at(5_000)), at(10));
        assert_eq!((q.pop(at(4_999)), q.pop(at(5_000))), (None, Some("a")));
    }

    #[test]
    fn the_earliest_of_several_times_counts() {
        let mut q = queue();
        q.add(&"a", at(0));
        q.pop(at(0));
        q.done(&"a", Next::At(at(1_000)), at(0));
        q.add(&"a", at(500));
        assert_eq!(q.next_due(), Some(at(500)));
        q.add(&"a", at(700));
        assert_eq!(q.next_due(), Some(at(500)));
    }

    #[test]
    fn failures_wait_longer_each_time_up_to_ten_seconds() {
        let mut q = queue();
        q.add(&"a", at(0));
        let (mut now, mut waits) = (at(0), Vec::new());
        for _ in 0..12 {
            assert_eq!(q.pop(now), Some("a"));
            q.done(&"a", Next::Transient, now);
            let due = q.next_due().expect("a retry");
            waits.push(due.duration_since(now).as_millis());
            now = due;
        }
        assert!((50..=100).contains(&waits[0]), "{waits:?}");
        assert!((400..=800).contains(&waits[3]), "{waits:?}");
        assert!(waits[8..].iter().all(|wait| (5_000..=10_000).contains(wait)), "{waits:?}");
        assert!(waits[8..].windows(2).any(|pair| pair[0] != pair[1]), "no jitter in {waits:?}");
        q.pop(now);
        q.done(&"a", Next::At(now), now);
        q.pop(now);
        q.done(&"a", Next::Transient, now);
        let wait = q.next_due().expect("a retry").duration_since(now).as_millis();
        assert!(wait <= 100, "a success starts over");
    }

    #[test]
    fn a_trigger_shortens_the_wait_after_a_refusal_but_not_below_the_floor() {
        let mut q = queue();
        q.add(&"a", at(0));
        q.pop(at(0));
        q.done(&"a", Next::Refused, at(0));
        assert!(q.next_due() >= Some(at(2_500)));
        q.add(&"a", at(10));
        assert_eq!(q.next_due(), Some(at(500)));
        q.pop(at(500));
        q.add(&"a", at(501));
        q.done(&"a", Next::Refused, at(502));
        assert_eq!(q.next_due(), Some(at(1_002)), "also when it comes while the key is worked on");
    }

    #[test]
    fn the_load_counts_what_is_due_and_what_comes_back() {
        let mut q = queue();
        for key in ["a", "b", "c"] {
            q.add(&key, at(0));
        }
        q.add(&"a", at(5));
        assert_eq!(q.load(at(5)), Load { adds: 3, retries: 0, depth: 3 });
        q.pop(at(5));
        q.pop(at(5));
        q.done(&"a", Next::At(at(100)), at(6));
        q.done(&"b", Next::Refused, at(6));
        assert_eq!(q.load(at(6)), Load { adds: 5, retries: 1, depth: 1 });
        assert_eq!(q.load(at(100)).depth, 2);
    }

    #[test]
    fn soon_is_no_failure() {
        let mut q = queue();
        q.add(&"a", at(0));
        for round in 0..20 {
            let now = at(round * 50);
            assert_eq!(q.pop(now), Some("a"));
            q.done(&"a", Next::Soon(Duration::from_millis(50)), now);
            assert_eq!(q.next_due(), Some(at((round + 1) * 50)));
        }
    }

    #[test]
    fn a_forgotten_key_leaves_nothing_unless_it_was_asked_for_again() {
        let mut q = queue();
        q.add(&"a", at(0));
        q.pop(at(0));
        q.done(&"a", Next::Forget, at(0));
        assert!(q.is_empty() && q.next_due().is_none());
        q.add(&"a", at(1));
        q.pop(at(1));
        q.add(&"a", at(2));
        q.done(&"a", Next::Forget, at(3));
        assert_eq!((q.len(), q.pop(at(3))), (1, Some("a")));
    }

    #[test]
    fn a_key_that_always_fails_does_not_hold_up_the_others() {
        let mut q = queue();
        q.add(&"poisoned", at(0));
        q.add(&"good", at(0));
        let (mut good, mut poisoned) = (0, 0);
        for millisecond in 0..10_000 {
            let now = at(millisecond);
            q.add(&"poisoned", now);
            q.add(&"good", now);
            while let Some(key) = q.pop(now) {
                let bad = key == "poisoned";
                *(if bad { &mut poisoned } else { &mut good }) += 1;
                q.done(&key, if bad { Next::Transient } else { Next::At(at(100_000)) }, now);
            }
        }
        assert_eq!(good, 10_000);
        assert!(poisoned <= 25, "{poisoned} attempts in ten seconds");
    }
}

//! How many Events of one Rollout are sent one by one, and what becomes of the rest.
//!
//! A long update makes dozens of Events. The first [`BURST`] are sent as they come; then they are collected, those of
//! one reason in one Event, and sent every [`HOLD`]. Nothing is dropped, and what warns is never kept back. (The event
//! recorder of client-go has the same burst and drops what exceeds it: `EventSourceObjectSpamFilter` in
//! `client-go/tools/record`.)

use jiff::{SignedDuration, Timestamp};

use super::letter::Letter;
use serin_core::domain::event::EventType;

/// How many Events are sent one by one.
const BURST: u32 = 25;
/// How long it takes until one more may be sent by itself.
const REFILL: SignedDuration = SignedDuration::from_mins(5);
/// How long the others are collected.
const HOLD: SignedDuration = SignedDuration::from_mins(2);

/// What one Rollout may still send, and what it has collected.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    refilled: Timestamp,
    held: Vec<Letter>,
    due: Timestamp,
}

impl Allowance {
    /// A whole burst.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { left: BURST, refilled: now, held: Vec::new(), due: now }
    }

    /// Takes an Event; what is to be sent now, in order.
    pub(super) fn admit(&mut self, letter: Letter, now: Timestamp) -> Vec<Letter> {
        self.refill(now);
        if letter.note.reason.event_type() == EventType::Warning {
            let mut all = self.release();
            all.push(letter);
            return all;
        }
        if self.held.is_empty() && self.left > 0 {
            self.left -= 1;
            return vec![letter];
        }
        self.hold(letter, now);
        Vec::new()
    }

    fn hold(&mut self, letter: Letter, now: Timestamp) {
        if self.held.is_empty() {
            self.due = now.checked_add(HOLD).unwrap_or(now);
        }
        let same = self.held.iter().position(|earlier| earlier.note.reason == letter.note.reason);
        let letter = match same {
            Some(index) => self.held.remove(index).followed_by(letter),
            None => letter,
        };
        self.held.push(letter);
    }

    /// When what was collected is to be sent, if there is any.
    pub(super) fn due(&self) -> Option<Timestamp> {
        (!self.held.is_empty()).then_some(self.due)
    }

    /// What was collected.
    pub(super) fn release(&mut self) -> Vec<Letter> {
        std::mem::take(&mut self.held)
    }

    /// Whether it is as a new one would be.
    pub(super) fn is_whole(&mut self, now: Timestamp) -> bool {
        self.refill(now);
        self.left == BURST && self.held.is_empty()
    }

    fn refill(&mut self, now: Timestamp) {
        while self.left < BURST && now.duration_since(self.refilled) >= REFILL {
            self.left += 1;
            self.refilled = self.refilled.checked_add(REFILL).unwrap_or(now);
        }
        if self.left == BURST {
            self.refilled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serin_core::domain::event::{EventNote, EventReason};
    use serin_core::domain::object::ObjectRef;
    use serin_core::domain::plan::ObjectKind;
    use serin_core::domain::plan::Precondition;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn letter(reason: EventReason, message: &str) -> Letter {
        let rollout = Precondition { uid: "u".into(), resource_version: "7".into() };
        Letter::new(
            ObjectRef::new(ObjectKind::Rollout, "shop", "web"),
            rollout,
            EventNote::new(reason, message),
            START,
            1,
        )
    }

    fn used_up() -> Allowance {
        let mut allowance = Allowance::new(START);
        for number in 0..BURST {
            let sent = allowance.admit(letter(EventReason::ScalingReplicaSet, &number.to_string()), START);
            assert_eq!(sent.len(), 1);
        }
        allowance
    }

    fn messages(letters: &[Letter]) -> Vec<(&str, u32)> {
        letters.iter().map(|letter| (letter.note.message.as_str(), letter.count)).collect()
    }

    #[test]
    fn what_exceeds_the_burst_comes_later_one_event_for_each_reason_the_newest_last() {
        let mut allowance = used_up();
        assert_eq!(allowance.due(), None);
        for (reason, message) in [
            (EventReason::TrafficWeightUpdated, "to 20"),
            (EventReason::RolloutPaused, "paused"),
            (EventReason::TrafficWeightUpdated, "to 60"),
        ] {
            assert!(allowance.admit(letter(reason, message), START).is_empty(), "{message}");
        }
        assert_eq!(allowance.due(), Some(START + HOLD));
        let sent = allowance.release();
        assert_eq!(messages(&sent), [("paused", 1), ("to 60; before: to 20", 2)]);
        assert_eq!(allowance.due(), None);
    }

    #[test]
    fn a_warning_is_sent_at_once_and_takes_along_what_came_before() {
        let mut allowance = used_up();
        allowance.admit(letter(EventReason::RolloutPaused, "paused"), START);
        let sent = allowance.admit(letter(EventReason::RolloutAborted, "aborted"), START);
        assert_eq!(messages(&sent), [("paused", 1), ("aborted", 1)]);
    }

    #[test]
    fn time_brings_the_allowance_back() {
        let mut allowance = used_up();
        assert!(!allowance.is_whole(START + REFILL));
        let sent = allowance.admit(letter(EventReason::RolloutPaused, "paused"), START + REFILL);
        assert_eq!(sent.len(), 1);
        assert!(allowance.admit(letter(EventReason::RolloutPaused, "again"), START + REFILL).is_empty());
        allowance.release();
        assert!(allowance.is_whole(START + REFILL * 30));
    }
}

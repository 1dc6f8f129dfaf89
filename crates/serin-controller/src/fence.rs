//! The fence: no request is begun, and none goes on, at a time when another controller may lead.
//!
//! A leader may write for [`Grant::renewal`] after it sent the last renewal of its lease that went well, and what it
//! sends in that time is over before the lease is: nobody else takes a lease that is not over.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use serin_clock::Moment;

/// How a controller stands in the election of a leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Another one leads, or it is not known yet who does.
    Standby {
        /// Who holds the lease, as far as is known.
        holder: Option<String>,
    },
    /// This one leads.
    Leading(Grant),
    /// It cannot take part, for the reason given.
    Barred(String),
    /// It has led and does not any more, for the reason given.
    Lost(String),
}

/// What a leader was granted with the last renewal of its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// When the renewal was sent. Others count from when they see it, which is later.
    pub sent: Moment,
    /// For how long after that requests may begin.
    pub renewal: Duration,
    /// When after that all of them are over.
    pub lease: Duration,
}

impl Grant {
    /// When a request that begins at `now` has to be over; `None` if none may begin.
    #[must_use]
    pub fn deadline(&self, now: Moment) -> Option<Instant> {
        let elapsed = now.since(&self.sent);
        (elapsed < self.renewal).then(|| now.monotonic + self.lease.saturating_sub(elapsed))
    }
}

/// Says whether requests may be sent.
#[derive(Debug, Clone)]
pub struct Fence(Option<watch::Receiver<Standing>>);

impl Fence {
    /// A fence that is always open: for the only controller of a cluster.
    #[must_use]
    pub const fn open() -> Self {
        Self(None)
    }

    /// A fence that is open while `standing` says that this controller leads.
    #[must_use]
    pub const fn of(standing: watch::Receiver<Standing>) -> Self {
        Self(Some(standing))
    }

    /// When a request of at most `longest` that begins at `now` has to be over; `None` if none may begin.
    #[must_use]
    pub fn deadline(&self, now: Moment, longest: Duration) -> Option<Instant> {
        let latest = now.monotonic + longest;
        match self.0.as_ref().map(|standing| standing.borrow().clone()) {
            None => Some(latest),
            Some(Standing::Leading(grant)) => grant.deadline(now).map(|deadline| deadline.min(latest)),
            Some(Standing::Standby { .. } | Standing::Barred(_) | Standing::Lost(_)) => None,
        }
    }

    /// Whether this controller leads, as far as it knows.
    #[must_use]
    pub fn leads(&self) -> bool {
        self.0.as_ref().is_none_or(|standing| matches!(*standing.borrow(), Standing::Leading(_)))
    }

    /// In a few words, how this controller stands.
    #[must_use]
    pub fn describe(&self) -> String {
        match self.0.as_ref().map(|standing| standing.borrow().clone()) {
            None => "leads, without an election".into(),
            Some(Standing::Leading(_)) => "leads".into(),
            Some(Standing::Standby { holder: Some(holder) }) => format!("stands by for {holder}"),
            Some(Standing::Standby { holder: None }) => "stands by".into(),
            Some(Standing::Barred(why)) => format!("cannot lead: {why}"),
            Some(Standing::Lost(why)) => format!("leads no more: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use serin_clock::Clock;

    const SECOND: Duration = Duration::from_secs(1);
    const LONGEST: Duration = Duration::from_secs(5);

    fn grant(sent: Moment) -> Grant {
        Grant { sent, renewal: 10 * SECOND, lease: 15 * SECOND }
    }

    fn fence(standing: Standing) -> Fence {
        Fence::of(watch::channel(standing).1)
    }

    #[tokio::test(start_paused = true)]
    async fn requests_of_a_leader_are_over_before_its_lease_is() {
        let sent = Clock::starting_at(Timestamp::UNIX_EPOCH).moment();
        let fence = fence(Standing::Leading(grant(sent)));
        let left = |elapsed: Duration| {
            let now = Moment { monotonic: sent.monotonic + elapsed, ..sent };
            fence.deadline(now, LONGEST).map(|deadline| deadline - now.monotonic)
        };
        assert_eq!(left(Duration::ZERO), Some(LONGEST));
        assert_eq!(left(9 * SECOND), Some(LONGEST));
        assert_eq!(left(Duration::from_millis(9_999)), Some(LONGEST));
        assert_eq!(left(10 * SECOND), None);
        let short = Grant { lease: 11 * SECOND, ..grant(sent) };
        let late = Moment { monotonic: sent.monotonic + 9 * SECOND, ..sent };
        assert_eq!(short.deadline(late), Some(sent.monotonic + 11 * SECOND), "no longer than the lease");
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_has_no_grant_although_its_monotonic_clock_stood_still() {
        let sent = Clock::starting_at(Timestamp::UNIX_EPOCH).moment();
        let now = Moment { wall: Timestamp::from_second(10).expect("a time"), ..sent };
        assert_eq!(grant(sent).deadline(now), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_leader_may_send() {
        let now = Clock::System.moment();
        assert!(Fence::open().deadline(now, LONGEST).is_some() && Fence::open().leads());
        for standing in [
            Standing::Standby { holder: None },
            Standing::Barred("no namespace".into()),
            Standing::Lost("too slow".into()),
        ] {
            let fence = fence(standing);
            assert_eq!((fence.deadline(now, LONGEST), fence.leads()), (None, false), "{fence:?}");
        }
    }
}

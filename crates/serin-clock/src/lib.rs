//! The only place where time is read or waited for.
//!
//! Decisions get the time as an argument; the shell gets it from here, so that tests can drive it: under
//! tokio's paused clock both [`Clock::now`] and [`sleep`] follow virtual time.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// Where the shell gets its time from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The machine's wall clock.
    System,
    /// Time that starts at `base` and advances with tokio's clock, which tests can pause.
    Virtual {
        /// The time shown at `start`.
        base: Timestamp,
        /// The tokio instant at which the clock was made.
        start: Instant,
    },
}

impl Clock {
    /// A clock that shows `base` now and advances with tokio's clock.
    #[must_use]
    pub fn starting_at(base: Timestamp) -> Self {
        Self::Virtual { base, start: Instant::now() }
    }

    /// The present time.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "the one place that may read the time")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Virtual { base, start } => {
                let elapsed = SignedDuration::try_from(start.elapsed()).unwrap_or(SignedDuration::MAX);
                base.checked_add(elapsed).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// The present time by both clocks.
    #[must_use]
    pub fn moment(&self) -> Moment {
        Moment { monotonic: Instant::now(), wall: self.now() }
    }

    /// Returns when `deadline` has come; at once if it has passed.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        if let Ok(left) = Duration::try_from(deadline.duration_since(self.now())) {
            sleep(left).await;
        }
    }
}

/// A point in time by two clocks, of which each knows what the other does not: the monotonic one is never set, and the
/// wall clock goes on while the machine sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// By the monotonic clock.
    pub monotonic: Instant,
    /// By the wall clock.
    pub wall: Timestamp,
}

impl Moment {
    /// How long ago `earlier` may be at most: what the clock says by which more time has passed.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        let monotonic = self.monotonic.saturating_duration_since(earlier.monotonic);
        let wall = Duration::try_from(self.wall.duration_since(earlier.wall)).unwrap_or_default();
        monotonic.max(wall)
    }
}

/// Does `work` unless it takes until `deadline`; `None` if it does.
///
/// The time is looked at before every bit of the work, so that nothing of it is done after the deadline even if this
/// process was stopped in between.
pub async fn until<F: Future>(deadline: Instant, work: F) -> Option<F::Output> {
    let mut work = pin!(work);
    let mut alarm = pin!(tokio::time::sleep_until(deadline));
    poll_fn(|context| {
        let is_over = alarm.as_mut().poll(context).is_ready() || Instant::now() >= deadline;
        if is_over { Poll::Ready(None) } else { work.as_mut().poll(context).map(Some) }
    })
    .await
}

/// Waits for `duration`.
#[allow(clippy::disallowed_methods, reason = "the one place that may wait")]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_two_clocks_the_one_that_is_ahead_counts() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let earlier = clock.moment();
        sleep(Duration::from_secs(3)).await;
        let now = clock.moment();
        assert_eq!(now.since(&earlier), Duration::from_secs(3));
        let slept = Moment { wall: Timestamp::from_second(60).expect("a time"), ..now };
        assert_eq!(slept.since(&earlier), Duration::from_mins(1));
        let set_back = Moment { wall: Timestamp::MIN, ..now };
        assert_eq!(set_back.since(&earlier), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn work_ends_at_its_deadline() {
        let deadline = Instant::now() + Duration::from_secs(2);
        assert_eq!(until(deadline, async { 1 }).await, Some(1));
        assert_eq!(until(deadline, std::future::pending::<()>()).await, None);
        assert_eq!(Instant::now(), deadline);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_begun_at_or_after_the_deadline() {
        let mut begun = false;
        assert_eq!(until(Instant::now(), async { begun = true }).await, None);
        assert!(!begun);
    }
}

//! The only place where time is read or waited for.
//!
//! Decisions get the time as an argument; the shell gets it from here, so that tests can drive it: under
//! tokio's paused clock both [`Clock::now`] and [`sleep`] follow virtual time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

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
        start: tokio::time::Instant,
    },
}

impl Clock {
    /// A clock that shows `base` now and advances with tokio's clock.
    #[must_use]
    pub fn starting_at(base: Timestamp) -> Self {
        Self::Virtual { base, start: tokio::time::Instant::now() }
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

    /// Returns when `deadline` has come; at once if it has passed.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        if let Ok(left) = Duration::try_from(deadline.duration_since(self.now())) {
            sleep(left).await;
        }
    }
}

/// Waits for `duration`.
#[allow(clippy::disallowed_methods, reason = "the one place that may wait")]
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(duration).await;
}

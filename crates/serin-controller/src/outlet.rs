//! The one way out for requests about Rollouts: behind the fence, with a bound on their time, and judged by how the
//! connection to the API server does.

use std::time::Duration;

use http::Request;
use jiff::{SignedDuration, Timestamp};

use super::apply::Server;
use super::fence::Fence;
use super::metrics::Metrics;
use serin_clock::{Clock, until};
use serin_machine::caches::Caches;
use serin_machine::failure::WriteError;
use serin_machine::object::RawObject;

/// How long a request may take.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// How long after it has broken off watches the word of an API server about rights is not final: one that has just
/// started does not know them yet.
const UNSETTLED: SignedDuration = SignedDuration::from_secs(10);

/// A server behind the fence.
#[derive(Debug)]
pub struct Outlet<'a, S> {
    /// Where requests go.
    pub server: &'a S,
    /// Whether they may.
    pub fence: &'a Fence,
    /// Tells how the watches do.
    pub caches: &'a Caches,
    /// Where it is counted that they may not.
    pub metrics: &'a Metrics,
    /// Where the time comes from.
    pub clock: Clock,
}

impl<S: Server> Server for Outlet<'_, S> {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
        let now = self.clock.moment();
        let Some(deadline) = self.fence.deadline(now, REQUEST_TIMEOUT) else {
            self.metrics.fenced();
            return Err(WriteError::Transient(format!("this replica {}", self.fence.describe())));
        };
        match until(deadline, self.server.send(request)).await {
            None => {
                let waited = self.clock.moment().since(&now).as_secs_f64();
                Err(WriteError::Transient(format!("no answer within {waited:.1} s")))
            }
            Some(Err(WriteError::Forbidden(why))) if self.is_unsettled(now.wall) => {
                Err(WriteError::Transient(why))
            }
            Some(answer) => answer,
        }
    }
}

impl<S> Outlet<'_, S> {
    /// Whether the API server may have been started a moment ago.
    fn is_unsettled(&self, now: Timestamp) -> bool {
        now.checked_sub(UNSETTLED).is_ok_and(|before| self.caches.were_silent_since(before))
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::super::double::Double;
    use super::super::fence::{Grant, Standing};
    use super::*;
    use serin_clock::sleep;
    use serin_core::domain::plan::ObjectKind;

    /// A server that takes its time.
    struct Slow(Duration);

    impl Server for Slow {
        async fn send(&self, _: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
            sleep(self.0).await;
            Ok(RawObject::default())
        }
    }

    struct World {
        clock: Clock,
        caches: Caches,
        metrics: Metrics,
        standing: watch::Sender<Standing>,
    }

    impl World {
        /// A world in which this controller leads, with a lease of 15 s that has just been renewed.
        fn new() -> Self {
            let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
            let (renewal, lease) = (Duration::from_secs(10), Duration::from_secs(15));
            let grant = Grant { sent: clock.moment(), renewal, lease };
            let (caches, metrics) = (Caches::default(), Metrics::default());
            Self { clock, caches, metrics, standing: watch::channel(Standing::Leading(grant)).0 }
        }

        async fn send(&self, server: &impl Server) -> Result<RawObject, WriteError> {
            let fence = Fence::of(self.standing.subscribe());
            let (caches, metrics, clock) = (&self.caches, &self.metrics, self.clock);
            let outlet = Outlet { server, fence: &fence, caches, metrics, clock };
            outlet.send(Request::new(Vec::new())).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_leader_whose_lease_was_not_renewed_sends_nothing() {
        let (world, server) = (World::new(), Double::default());
        sleep(Duration::from_millis(9_999)).await;
        assert!(world.send(&server).await.is_ok());
        sleep(Duration::from_millis(1)).await;
        assert!(matches!(world.send(&server).await, Err(WriteError::Transient(_))));
        world.standing.send_replace(Standing::Lost("somebody else leads".into()));
        assert!(world.send(&server).await.is_err());
        assert_eq!(server.lines().len(), 1);
        assert_eq!(world.metrics.fence_refusals.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_is_over_before_its_lease_is() {
        let world = World::new();
        sleep(Duration::from_secs(9)).await;
        assert!(world.send(&Slow(Duration::from_millis(4_900))).await.is_ok());
        let world = World::new();
        let short = Grant {
            sent: world.clock.moment(),
            renewal: Duration::from_secs(10),
            lease: Duration::from_secs(12),
        };
        world.standing.send_replace(Standing::Leading(short));
        sleep(Duration::from_secs(9)).await;
        let begin = world.clock.now();
        assert!(matches!(
            world.send(&Slow(Duration::from_millis(4_900))).await,
            Err(WriteError::Transient(_))
        ));
        assert_eq!(world.clock.now().duration_since(begin), SignedDuration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_right_that_is_missing_just_after_a_break_may_be_there_soon() {
        let world = World::new();
        let server = Double::failing("", WriteError::Forbidden("no".into()));
        assert_eq!(world.send(&server).await.err(), Some(WriteError::Forbidden("no".into())));
        world.caches.of(ObjectKind::Service).write().silent(world.clock.now());
        sleep(Duration::from_secs(1)).await;
        assert_eq!(world.send(&server).await.err(), Some(WriteError::Transient("no".into())));
        let renewed = World::new();
        renewed
            .caches
            .of(ObjectKind::Service)
            .write()
            .silent(Timestamp::UNIX_EPOCH - SignedDuration::from_secs(11));
        assert_eq!(renewed.send(&server).await.err(), Some(WriteError::Forbidden("no".into())));
    }
}

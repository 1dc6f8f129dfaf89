//! The shell around the decisions: watch, cache, queue, observe, apply.
//!
//! Watches fill [`cache`]s; what changes there triggers Rollouts, by [`trigger`], into the [`queue`]. For each key that
//! is due, [`reconcile`] makes a snapshot ([`observe`]), has it decided on ([`serin_core::rollout::decide`]) and carries
//! the plan out ([`apply`]). [`run`] starts all this and ends it.
//!
//! Where nothing changes nothing is sent: there is no polling, and no list but at the start of a watch. A decision is
//! made only when every cache has been filled, and not before the caches show the last write of the same Rollout
//! ([`freshness`]). What decisions say is none of this module's business.

mod allowance;
pub mod apply;
pub mod cache;
pub mod dispatch;
#[cfg(test)]
mod double;
pub mod entry;
pub mod events;
pub mod failure;
pub mod fence;
pub mod freshness;
pub mod health;
pub mod lease;
pub mod metrics;
pub mod object;
pub mod observe;
pub mod outlet;
pub mod queue;
pub mod reconcile;
pub mod request;
pub mod run;
pub mod start;
pub mod trigger;
pub mod watch;
pub mod workload;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `f`; a panic in it ends there and becomes its message.
fn bulkhead<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic without a message".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_at_the_bulkhead() {
        assert_eq!(bulkhead(|| 1), Ok(1));
        assert_eq!(bulkhead(|| -> u8 { panic!("no {}", "way") }), Err("no way".to_owned()));
        assert_eq!(bulkhead(|| -> u8 { panic!("no") }), Err("no".to_owned()));
    }
}

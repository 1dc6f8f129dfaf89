//! From what was observed to a plan that does no harm.

use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use thiserror::Error;

use serin_core::domain::plan::{ObjectKind, Plan, Precondition};
use serin_core::guard;
use serin_core::rollout::decide;
use serin_core::rollout::snapshot::Snapshot;

/// What came of a look at a primary object.
#[derive(Debug)]
pub enum Deliberation {
    /// There is no such object.
    Absent,
    /// It was decided on.
    Made {
        /// The state of the object that was decided on.
        seen: Precondition,
        /// What to do, or why nothing is done.
        plan: Result<Plan, Stall>,
    },
}

/// Why there is no plan to carry out.
#[derive(Debug, Error)]
pub enum Stall {
    /// The decision panicked.
    #[error("The controller has a bug that this {} brings out: {problem}", kind.name())]
    Bug {
        /// The kind of the primary object.
        kind: ObjectKind,
        /// What the panic said.
        problem: String,
    },
    /// The plan would do harm.
    #[error("The controller holds back a write that would be unsafe: {0}")]
    Unsafe(#[from] guard::Refusal),
}

/// The plan that `decide` makes about an object of `kind`; a panic in it is a bug that stalls this object alone.
pub fn planned(kind: ObjectKind, decide: impl FnOnce() -> Plan) -> Result<Plan, Stall> {
    bulkhead(decide).map_err(|problem| Stall::Bug { kind, problem })
}

/// What to do about a Rollout, if it does no harm.
pub fn safe_plan(snapshot: &Snapshot, now: Timestamp) -> Result<Plan, Stall> {
    let plan = planned(ObjectKind::Rollout, || decide(snapshot, now))?;
    guard::check(snapshot, &plan)?;
    Ok(plan)
}

/// Runs `f`; a panic in it ends there and becomes its message.
pub fn bulkhead<T>(f: impl FnOnce() -> T) -> Result<T, String> {
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

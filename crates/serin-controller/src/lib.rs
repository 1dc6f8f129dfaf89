//! The shell around the decisions: watch, cache, queue, observe, apply.
//!
//! What needs no I/O is in [`serin_machine`]: here are the watches that fill its caches, the tasks that work off its queue,
//! and the requests that its plans ask for. [`watch`] fills the caches and triggers primary objects into the queue of
//! [`dispatch`]. For each that is due, [`reconcile`] has it decided on and carries the plan out ([`apply`]). The effects that
//! plans ask for run beside all this ([`perform`]). [`run`] starts it and ends it.
//!
//! Where nothing changes nothing is sent: there is no polling, and no list but at the start of a watch. A decision is
//! made only when every cache has been filled, and not before the caches show the last write of the same Rollout
//! ([`serin_machine::freshness`]). What decisions say is none of this module's business.

mod allowance;
pub mod apply;
pub mod dispatch;
#[cfg(test)]
mod double;
mod effects;
pub mod events;
pub mod failure;
pub mod fence;
pub mod health;
pub mod lease;
mod letter;
pub mod metrics;
pub mod outlet;
pub mod perform;
pub mod reconcile;
mod report;
pub mod run;
pub mod start;
pub mod watch;
mod watched;

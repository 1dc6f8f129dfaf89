//! The controller as values, without I/O.
//!
//! | module | what it is |
//! |---|---|
//! | [`kinds`] | the table of what is watched: how an object is pruned, when two differ |
//! | [`object`], [`entry`], [`content`], [`packed`] | an object as it arrives, and what is kept of it |
//! | [`cache`], [`caches`] | what the cluster looks like, as far as the watches have told |
//! | [`trigger`] | from a changed object to the primary objects that look at it |
//! | [`queue`] | which primary object is decided on next, and when |
//! | [`observe`], [`decide`] | from the caches to a snapshot, and from there to a plan |
//! | [`carry`], [`request`], [`failure`] | carrying out a plan: one request after the other, until it ends |
//! | [`effects`] | what runs beside writes, what waits for room, and the answers |
//! | [`memory`], [`freshness`] | what is remembered for the next decision; none is made on caches that do not show the last write |
//!
//! A *primary* object is one that is decided on: a Rollout, an AnalysisRun. A new kind is one file in [`kinds`] and a line
//! of its table, and a line of the table in `serin_core::domain::kind`; a new primary kind also is a case of [`decide`].

pub mod bulkhead;
pub mod cache;
pub mod caches;
pub mod carry;
pub mod content;
pub mod decide;
pub mod effects;
pub mod entry;
pub mod failure;
pub mod freshness;
pub mod kinds;
pub mod memory;
pub mod object;
pub mod observe;
pub mod packed;
pub mod queue;
pub mod request;
#[cfg(test)]
mod testing;
pub mod trigger;

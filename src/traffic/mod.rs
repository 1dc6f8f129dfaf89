//! Traffic routers: pure renderers of the objects that carry weights.
//!
//! A router here gets objects as they were observed and a weight, and returns what has to be written; it has no
//! client, no clock and no state. Objects are opaque JSON, so fields that are newer than this program survive.

pub mod error;
pub mod merge_patch;
pub mod nginx;

//! The clusters that Serin is tried on, and their actors.
//!
//! [`api`] is an embedded Kubernetes API and [`http`] serves it; `serin-testbed` has a real one;
//! [`kubelet`] makes the pods of such a cluster start, become ready and end, without running anything. [`actors`] are
//! its controllers; [`data_plane`] makes its pods answer real requests through a proxy; [`view`] is what they see.
//! [`namespace`] makes a place of its own in any of them.

pub mod actors;
pub mod api;
pub mod data_plane;
pub mod http;
pub mod kubelet;
pub mod namespace;
pub mod view;

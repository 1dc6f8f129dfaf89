//! The clusters that Serin is tried on, and their actors.
//!
//! [`api`] is an embedded Kubernetes API and [`http`] serves it; [`control_plane`] is a real one on this machine;
//! [`kubelet`] makes the pods of such a cluster start, become ready and end, without running anything. [`actors`] are
//! its controllers; [`data_plane`] makes its pods answer real requests through a proxy; [`view`] is what they see.
//! [`namespace`] makes a place of its own in any of them, and [`reread`] the client that asks them.

pub mod actors;
pub mod api;
pub mod control_plane;
pub mod data_plane;
pub mod http;
pub mod kubelet;
pub mod namespace;
pub mod reread;
pub mod view;

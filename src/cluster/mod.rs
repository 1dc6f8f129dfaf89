//! The clusters that Serin is tried on, and their actors.
//!
//! [`api`] is an embedded Kubernetes API and [`http`] serves it; [`control_plane`] is a real one on this machine;
//! [`kubelet`] makes the pods of such a cluster start, become ready and end, without running anything.

pub mod api;
pub mod control_plane;
pub mod http;
pub mod kubelet;

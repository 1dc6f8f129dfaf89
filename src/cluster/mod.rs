//! The clusters that Serin is tried on, and their actors.
//!
//! [`control_plane`] is a real Kubernetes API on this machine; [`kubelet`] makes the pods of such a cluster start,
//! become ready and end, without running anything.

pub mod actors;
pub mod api;
pub mod control_plane;
pub mod data_plane;
pub mod kubelet;
pub mod view;

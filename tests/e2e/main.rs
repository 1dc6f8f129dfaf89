//! Whole scenarios on a real Kubernetes API.

#![allow(clippy::unwrap_used, reason = "the code of tests may panic, outside of test functions, too")]

#[path = "../support/mod.rs"]
mod support;

mod control_plane;
mod crash;
mod definitions;
mod errors;
mod fields;
mod gate;
mod kubelet;
mod manifests;
mod outage;
mod quiet;
mod rollouts;
mod template;
mod unreadable;
mod workload;

//! The contract: facts about the Kubernetes API, each held by the embedded API and by a real API server alike.
//!
//! A fact sends raw requests and asserts values that a wrong server would not give. Every fact runs in a namespace of
//! its own in both worlds; without a control plane only the embedded one is asked, and the run says so.

#[path = "../support/mod.rs"]
mod support;
mod world;

mod apply;
mod create;
mod custom;
mod custom_checks;
mod delete;
mod errors;
mod eviction;
mod expiry;
mod formats;
mod generation;
mod list;
mod patch;
mod random;
mod scale;
mod tables;
mod update;
mod versions;
mod watch;

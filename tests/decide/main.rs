//! The level of decisions: no server, no time but the model's, thousands of plans a second.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../conformance/mod.rs"]
mod conformance;

mod commands;
mod economy;
mod edge_cases;
mod guard;
mod recordings;
mod scene;
mod takeover;
mod workload;
mod world;

//! The level of decisions: no server, no time but the model's, thousands of plans a second.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../conformance/mod.rs"]
mod conformance;

mod anti_affinity;
mod argo_cd;
mod commands;
mod duration;
mod economy;
mod edge_cases;
mod faults;
mod fuzz;
mod guard;
mod histories;
mod hostile;
#[path = "../support/hostile.rs"]
mod hostile_cases;
mod ping_pong;
mod recordings;
mod refused;
mod requests;
mod scene;
mod takeover;
mod workload;
mod world;

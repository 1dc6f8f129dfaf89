//! The level of decisions: no server, no time but the model's, thousands of plans a second.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod anti_affinity;
mod commands;
mod guard;
mod ping_pong;
mod recordings;
mod requests;
mod workload;
mod world;

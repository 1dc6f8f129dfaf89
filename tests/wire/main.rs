//! The embedded API as its clients see it: the real kubectl, and what a real API server says of the same.

#![allow(clippy::unwrap_used, reason = "the code of tests may panic, outside of test functions, too")]

#[path = "../support/mod.rs"]
mod support;

mod both;
mod client;
mod embedded;
mod kubectl;
mod same;

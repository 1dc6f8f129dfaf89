//! The scenarios, what was recorded of the reference (version 1.9.1) in three runs of each, the deliberate differences, and
//! how a run is judged by them.
//!
//! Who plays them is another matter: `tests/e2e/conformance` plays them on clusters, `tests/decide` with decisions alone.

#![allow(dead_code, reason = "each test binary uses some of it")]

pub(crate) mod compare;
mod diff;
pub(crate) mod differences;
pub(crate) mod facets;
pub(crate) mod journal;
pub(crate) mod kinds;
pub(crate) mod scenario;
pub(crate) mod stored;

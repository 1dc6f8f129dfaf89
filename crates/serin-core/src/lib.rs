//! The custom resources, and what to do about a Rollout.
//!
//! Everything here is a pure function of what was observed and of the time: no I/O, no clock, no randomness.
//!
//! | floor | modules | what they are |
//! |---|---|---|
//! | 0 | [`api`] | the custom resources as Rust types, and their definitions (CRDs) |
//! | 1 | [`domain`] | hashes, replica counts, weights; what a plan may contain |
//! | 2 | [`traffic`] | what a router needs for a split of the traffic |
//! | 3 | [`rollout`] | the decision: from a snapshot to a plan |
//! | 3 | [`guard`] | what no plan may do |
//! | 4 | [`measure`] | what to ask a metric provider, and what its answer says |
//! | 5 | [`analysis`] | the decision about an AnalysisRun |

pub mod analysis;
pub mod api;
pub mod domain;
pub mod guard;
pub mod measure;
pub mod rollout;
pub mod traffic;

//! The custom resources, and what to do about a Rollout.
//!
//! Everything here is a pure function of what was observed and of the time: no I/O, no clock, no randomness.
//!
//! | floor | modules | what they are |
//! |---|---|---|
//! | 0 | [`api`] | the custom resources as Rust types, and their definitions (CRDs) |
//! | 1 | [`domain`] | hashes, replica counts, weights; what a plan may contain |
//! | 2 | [`traffic`] | what a router needs for a split of the traffic |
//! | 3 | [`analysis_template`] | from the templates of an analysis to the AnalysisRun |
//! | 4 | [`rollout`] | the decision: from a snapshot to a plan |
//! | 4 | [`guard`] | what no plan may do |
//! | 5 | [`measure`] | what to ask a metric provider, and what its answer says |
//! | 6 | [`analysis`] | the decision about an AnalysisRun |

pub mod analysis;
pub mod analysis_template;
pub mod api;
pub mod domain;
pub mod guard;
pub mod measure;
pub mod rollout;
pub mod traffic;

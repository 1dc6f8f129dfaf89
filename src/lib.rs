//! Serin: progressive delivery for Kubernetes.
//!
//! The crate is built in floors; a module may use the floors below its own and nothing above (`tests/tidy.rs`
//! holds it to that).
//!
//! | floor | modules | what they are |
//! |---|---|---|
//! | 0 | [`api`] | the custom resources as Rust types, and their definitions (CRDs) |
//! | 1 | [`domain`] | values and arithmetic: hashes, replica counts, weights, durations; what a plan may contain |
//! | 2 | [`rollout`], [`traffic`], [`guard`] | decisions: pure functions from what was observed to a plan |
//! | 3 | [`clock`], [`controller`], [`cluster`] | the shell: watches, cache, queue and requests; an embedded cluster, and a real one for tests |
//! | 4 | [`cli`] | the command line, and the playground |

pub mod api;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod controller;
pub mod domain;
pub mod guard;
pub mod rollout;
pub mod traffic;

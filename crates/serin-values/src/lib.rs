//! Values and arithmetic that know nothing of Rollouts.
//!
//! | module | what it has |
//! |---|---|
//! | [`backoff`] | delays between retries: exponential, with jitter |
//! | [`duration`] | durations as Argo Rollouts writes them |
//! | [`go_text`] | numbers and quoted texts as Go writes them |
//! | [`json_path`] | paths into JSON, as kubectl writes them |
//! | [`merge_patch`] | JSON merge patches: how two values differ, and a value with a patch applied |
//! | [`owner`] | owner references |
//! | [`quantity`] | amounts of resources |
//! | [`random`] | random numbers that follow from a seed |
//! | [`selector`] | label selectors |
//! | [`text_hash`] | short hashes of texts, as Kubernetes makes them |
//! | [`time`] | times plus durations, without overflow |

pub mod backoff;
pub mod duration;
pub mod go_text;
pub mod json_path;
pub mod merge_patch;
pub mod owner;
pub mod quantity;
pub mod random;
pub mod selector;
pub mod text_hash;
pub mod time;

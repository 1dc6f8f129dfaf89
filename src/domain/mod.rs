//! Values and arithmetic that decisions are made of.

pub mod affinity;
pub mod condition;
pub mod duration;
pub mod event;
pub mod hash;
pub mod json_path;
pub mod merge_patch;
pub mod plan;
pub mod quantity;
pub mod replicas;
pub mod selector;
pub mod step;
pub mod template;
pub mod time;
pub mod weight;

//! Values and arithmetic that decisions are made of.

pub mod condition;
pub mod event;
pub mod plan;
pub mod hash;
pub mod quantity;
pub mod duration;
pub mod merge_patch;
pub mod replicas;
pub mod template;

//! Values and arithmetic that decisions are made of.

pub mod duration;
pub mod hash;
pub mod quantity;
pub mod replicas;
pub mod step_label;
pub mod template;
pub mod weight;

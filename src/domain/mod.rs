//! Values and arithmetic that decisions are made of.

pub mod hash;
pub mod quantity;
pub mod replicas;
pub mod template;

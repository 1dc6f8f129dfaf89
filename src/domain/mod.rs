//! Values and arithmetic that decisions are made of.

pub mod event;
pub mod plan;
pub mod selector;

//! Values and arithmetic that decisions are made of.

pub mod affinity;
pub mod condition;
pub mod effect;
pub mod event;
pub mod hash;
pub mod kind;
pub mod object;
pub mod pause;
pub mod plan;
pub mod replicas;
pub mod spec;
pub mod step;
pub mod template;
pub mod time;
pub mod weight;
pub mod workload;

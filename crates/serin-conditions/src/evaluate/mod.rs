//! Evaluates an expression that was checked.

mod calculation;
mod failure;
mod machine;
mod members;
mod operators;
mod predicates;

pub(crate) use machine::evaluate;

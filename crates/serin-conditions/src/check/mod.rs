//! Checks an expression against the type of a result, before it is evaluated.

mod calls;
mod checker;
mod members;
mod operators;

pub(crate) use checker::{Names, check};

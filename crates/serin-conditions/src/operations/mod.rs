//! Operations on values.

mod arithmetic;
mod equality;
mod members;

pub(crate) use arithmetic::{add, divide, multiply, subtract};
pub(crate) use arithmetic::{compare, float_of, int_of, negate, power, remainder, truncated};
pub(crate) use equality::{contains, equal};
pub(crate) use members::{Missing, fetch, items, slice};

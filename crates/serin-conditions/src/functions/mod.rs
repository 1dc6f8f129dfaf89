//! The functions and methods of the language.

mod convert;
mod dates;
mod lists;
mod maps;
mod methods;
mod numbers;
mod predicates;
mod signature;
mod strings;
mod table;

pub(crate) use lists::{is_descending, sorted};
pub(crate) use methods::method;
pub(crate) use predicates::{Predicate, predicate};
pub(crate) use signature::{Context, Function, Overload, Scope, Signature};
pub(crate) use table::function;

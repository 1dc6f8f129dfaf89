//! The functions and methods of the language.

mod convert;
mod dates;
mod function;
mod lists;
mod maps;
mod methods;
mod numbers;
mod strings;
mod table;

pub(crate) use function::{Context, Function, Overload, Scope, Signature};
pub(crate) use lists::{is_descending, sorted};
pub(crate) use methods::{Method, method};
pub(crate) use table::function;

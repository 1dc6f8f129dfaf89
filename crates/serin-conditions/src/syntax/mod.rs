//! From the text of a condition to its tree.

mod lexer;
mod operators;
mod parser;
mod postfix;
mod tree;

pub(crate) use parser::parse;
pub(crate) use tree::{Binary, Node, NodeKind, Unary};

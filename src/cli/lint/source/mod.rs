//! Parses files into documents with positions.

pub(super) mod files;
pub(super) mod node;
pub(super) mod parse;
mod parts;
mod scalar;

#[cfg(test)]
mod tests;

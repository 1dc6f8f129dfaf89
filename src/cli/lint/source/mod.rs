//! Texts, and the documents in them with the place of each of their parts.

pub(super) mod files;
pub(super) mod node;
pub(super) mod parse;
mod parts;
mod scalar;

#[cfg(test)]
mod tests;

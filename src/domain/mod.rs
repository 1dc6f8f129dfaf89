//! Values and arithmetic that decisions are made of.

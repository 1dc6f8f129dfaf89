//! The safety check that every write passes.

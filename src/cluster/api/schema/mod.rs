//! Schemas of custom resources.

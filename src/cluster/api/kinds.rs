//! The built-in kinds: what the API has to know of each.

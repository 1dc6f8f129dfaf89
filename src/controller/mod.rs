//! The shell around the decisions: watch, cache, queue, observe, apply.

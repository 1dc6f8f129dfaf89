//! What to do about a Rollout: `decide` and its parts.

//! What is kept of a Rollout.

use crate::packed::Packed;
use serin_core::api::{LabelSelector, Rollout as Resource};
use serin_core::rollout::Unreadable;

/// What is kept of a Rollout.
#[derive(Debug, Clone)]
pub enum Rollout {
    /// It is what the kind's types say.
    Readable {
        /// All of it.
        object: Packed<Resource>,
        /// `spec.selector`.
        selector: Option<LabelSelector>,
    },
    /// It is not.
    Unreadable(Box<Unreadable>),
}

impl Rollout {
    /// The Rollout; `None` if it cannot be read.
    #[must_use]
    pub fn object(&self) -> Option<Resource> {
        match self {
            Self::Readable { object, .. } => object.get(),
            Self::Unreadable(_) => None,
        }
    }

    /// `spec.selector`.
    #[must_use]
    pub const fn selector(&self) -> Option<&LabelSelector> {
        match self {
            Self::Readable { selector, .. } => selector.as_ref(),
            Self::Unreadable(_) => None,
        }
    }
}

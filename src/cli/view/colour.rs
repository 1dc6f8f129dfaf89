//! Terminal colours.

use serin_insight::facts::Role;

/// A terminal colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
}

impl Colour {
    /// The colour of a role.
    pub(super) const fn of(role: Role) -> Self {
        match role {
            Role::Stable | Role::Active => Self::Green,
            Role::Canary => Self::Yellow,
            Role::Preview | Role::Ping | Role::Pong => Self::Blue,
        }
    }

    /// The escape sequence. Uses bright blue, which is legible on black.
    pub(super) const fn begin(self) -> &'static str {
        match self {
            Self::Red => "\x1b[31m",
            Self::Green => "\x1b[32m",
            Self::Yellow => "\x1b[33m",
            Self::Blue => "\x1b[94m",
        }
    }
}

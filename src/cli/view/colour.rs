//! Terminal colours.

/// A terminal colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
}

impl Colour {
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

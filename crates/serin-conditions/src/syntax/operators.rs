//! Operators and how closely they bind.

use super::tree::{Binary, Unary};

/// The strength with which a pipe binds: less than every operator.
pub(crate) const PIPE: u32 = 0;

/// The operator that `text` is before an operand, and the strength with which it binds.
pub(crate) fn unary(text: &str) -> Option<(Unary, u32)> {
    Some(match text {
        "not" => (Unary::Not("not"), 50),
        "!" => (Unary::Not("!"), 50),
        "-" => (Unary::Minus, 90),
        "+" => (Unary::Plus, 90),
        _ => return None,
    })
}

/// The operator that `text` is between operands, and the strength with which it binds.
pub(crate) fn binary(text: &str) -> Option<(Binary, u32)> {
    Some(match text {
        "or" => (Binary::Or("or"), 10),
        "||" => (Binary::Or("||"), 10),
        "and" => (Binary::And("and"), 15),
        "&&" => (Binary::And("&&"), 15),
        "==" => (Binary::Equal, 20),
        "!=" => (Binary::Unequal, 20),
        "<" => (Binary::Less, 20),
        ">" => (Binary::Greater, 20),
        "<=" => (Binary::AtMost, 20),
        ">=" => (Binary::AtLeast, 20),
        "in" => (Binary::In, 20),
        "matches" => (Binary::Matches, 20),
        "contains" => (Binary::Contains, 20),
        "startsWith" => (Binary::StartsWith, 20),
        "endsWith" => (Binary::EndsWith, 20),
        ".." => (Binary::Range, 25),
        "+" => (Binary::Plus, 30),
        "-" => (Binary::Minus, 30),
        "*" => (Binary::Times, 60),
        "/" => (Binary::Divide, 60),
        "%" => (Binary::Remainder, 60),
        "**" => (Binary::Power("**"), 100),
        "^" => (Binary::Power("^"), 100),
        "??" => (Binary::Coalesce, 500),
        _ => return None,
    })
}

impl Binary {
    /// True if `a op b op c` is `a op (b op c)`.
    pub(super) fn is_right_associative(self) -> bool {
        matches!(self, Self::Power(_))
    }

    /// True if `a op b op c` is `a op b and b op c`.
    pub(super) fn is_chained(self) -> bool {
        matches!(self, Self::Less | Self::Greater | Self::AtMost | Self::AtLeast)
    }

    /// True if `not` may stand before it.
    pub(super) fn is_negatable(self) -> bool {
        matches!(self, Self::In | Self::Matches | Self::Contains | Self::StartsWith | Self::EndsWith)
    }
}

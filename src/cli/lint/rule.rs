//! Rules: names, severities and explanations.

use serde::Serialize;

/// The severity of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// The controller, or the API server, refuses it.
    Error,
    /// It is valid, but probably not intended.
    Warning,
    /// It is valid and may be intended, but has consequences that not everyone expects.
    Note,
}

impl Severity {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A rule that manifests can break.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// The stable name: short words joined by `-`.
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    /// A phrase that describes a violation.
    pub(super) summary: &'static str,
    /// The reason for the rule, in one or two sentences.
    pub(super) why: &'static str,
}

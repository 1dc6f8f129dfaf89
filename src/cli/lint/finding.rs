//! What was found: a rule that a field breaks, and where the field stands.

use serde::Serialize;
use serde_json::Value;

use super::rules::Rule;
use super::source::node::Mark;

/// How bad it is to break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    /// The controller, or the API server, refuses it.
    Error,
    /// It is legal, but surely not meant.
    Warning,
    /// It is legal, and may be meant; not everybody expects what follows from it.
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

/// What breaks a rule, without the place in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remark {
    /// Path of the field, such as `spec.strategy.canary.steps[0].setWeight`; empty for the whole document.
    pub(super) field: String,
    /// The value as JSON; empty where the field is missing.
    pub(super) value: String,
    pub(super) problem: String,
    /// What would be right; empty where `problem` says it.
    pub(super) remedy: String,
}

impl Remark {
    pub(super) fn new(
        field: impl Into<String>,
        value: impl Into<Value>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let value = value.into().to_string();
        Self { field: field.into(), value, problem: problem.into(), remedy: remedy.into() }
    }

    /// One about the whole document.
    pub(super) fn whole(problem: impl Into<String>) -> Self {
        let (field, value, remedy) = (String::new(), String::new(), String::new());
        Self { field, value, problem: problem.into(), remedy }
    }
}

/// Which object something was found in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ObjectName {
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) rule: &'static Rule,
    pub(super) file: String,
    /// None where the file itself is at fault.
    pub(super) at: Option<Mark>,
    pub(super) object: Option<ObjectName>,
    pub(super) remark: Remark,
}

impl Finding {
    /// What findings are put in order by.
    pub(super) fn order(&self) -> (&str, Option<Mark>, &str, &str, &str) {
        (&self.file, self.at, self.rule.id, &self.remark.field, &self.remark.problem)
    }

    /// Whether it is about the status, which the API server ignores where an object is applied.
    pub(super) fn is_about_status(&self) -> bool {
        self.remark.field == "status" || self.remark.field.starts_with("status.")
    }

    /// What is wrong and what would be right, without the field.
    pub(super) fn message(&self) -> String {
        let Remark { value, problem, remedy, .. } = &self.remark;
        let value = if value.is_empty() { String::new() } else { format!("{}: ", shortened(value)) };
        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
        format!("{value}{problem}{remedy}")
    }
}

/// A value that fits into a line.
fn shortened(value: &str) -> String {
    const LENGTH_MAX: usize = 100;
    match value.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}

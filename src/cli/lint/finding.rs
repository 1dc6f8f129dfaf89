//! Findings: a rule, the field that breaks it, and its position.

use serde::Serialize;
use serde_json::Value;

use super::rule::Rule;
use super::source::node::Mark;

/// A violation, without its position in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Remark {
    /// Path of the field, such as `spec.strategy.canary.steps[0].setWeight`; empty for the whole document.
    pub(super) field: String,
    /// The value as JSON; empty where the field is missing.
    pub(super) value: String,
    pub(super) problem: String,
    /// The remedy; empty if `problem` contains it.
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

    /// A remark about the whole document.
    pub(super) fn whole(problem: impl Into<String>) -> Self {
        let (field, value, remedy) = (String::new(), String::new(), String::new());
        Self { field, value, problem: problem.into(), remedy }
    }
}

/// The object of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct ObjectName {
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) namespace: Option<String>,
    pub(super) name: String,
}

/// A violation with its position.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Finding {
    pub(super) rule: &'static Rule,
    pub(super) file: String,
    /// `None` if the problem is the file itself.
    pub(super) at: Option<Mark>,
    pub(super) object: Option<ObjectName>,
    pub(super) remark: Remark,
}

impl Finding {
    /// The sort key of findings.
    pub(super) fn order(&self) -> (&str, Option<Mark>, &str, &str, &str) {
        (&self.file, self.at, self.rule.id, &self.remark.field, &self.remark.problem)
    }

    /// True if it is about the status, which the API server ignores when an object is applied.
    pub(super) fn is_about_status(&self) -> bool {
        self.remark.field == "status" || self.remark.field.starts_with("status.")
    }

    /// Problem and remedy, without the field.
    pub(super) fn message(&self) -> String {
        let Remark { value, problem, remedy, .. } = &self.remark;
        let value = if value.is_empty() { String::new() } else { format!("{}: ", shortened(value)) };
        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
        format!("{value}{problem}{remedy}")
    }
}

/// Shortens a value to fit into a line.
fn shortened(value: &str) -> String {
    const LENGTH_MAX: usize = 100;
    match value.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}...", &value[..end]),
        None => value.to_owned(),
    }
}

//! What is wrong with a Rollout's spec: where, which value, and what would be right.

use std::fmt;

use serde_json::Value;

/// One mistake in a Rollout's spec, or in what it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecError {
    /// Path of the field, such as `spec.strategy.canary.steps[0].setWeight`.
    pub path: String,
    /// The value that the field has, as JSON; empty when the field is missing.
    pub value: String,
    /// What is wrong with the value.
    pub problem: String,
    /// What to do about it; empty where `problem` says what would be right.
    pub remedy: String,
    /// The relation to other objects, for callers with words of their own.
    pub relation: Relation,
}

/// The relation of a mistake to another object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Relation {
    /// The field itself is wrong.
    #[default]
    None,
    /// The object does not exist.
    Missing,
    /// The Ingress has no rule for the stable Service.
    NoRule,
    /// The Service belongs to another Rollout.
    Foreign,
    /// The Service selects pods by this label, which the pods do not match.
    Label(String),
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, value, problem, remedy, relation: _ } = self;
        if value.is_empty() {
            write!(f, "{path}: Required value: {problem}")?;
        } else {
            write!(f, "{path}: Invalid value: {value}: {problem}")?;
        }
        if remedy.is_empty() { Ok(()) } else { write!(f, "; {remedy}") }
    }
}

/// Every mistake that was found, in the order of the spec; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecErrors(Vec<SpecError>);

impl SpecErrors {
    /// The mistakes, in the order of the spec.
    pub fn iter(&self) -> impl Iterator<Item = &SpecError> {
        self.0.iter()
    }
}

impl fmt::Display for SpecErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; also " };
            write!(f, "{separator}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecErrors {}

/// A path to a field.
#[derive(Debug, Clone)]
pub(super) struct Path(String);

impl Path {
    pub(super) fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The path of a field below this one; `name` may itself have several parts.
    pub(super) fn field(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }

    /// The path of an item of this list.
    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

/// Mistakes as they are found.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<SpecError>);

impl Findings {
    /// A field has a value that it must not have.
    pub(super) fn invalid(&mut self, path: &Path, value: impl Into<Value>, problem: impl Into<String>) {
        self.invalid_but(path, value, problem, "");
    }

    /// As [`invalid`](Self::invalid), with what to do about it.
    pub(super) fn invalid_but(
        &mut self,
        path: &Path,
        value: impl Into<Value>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        self.related(Relation::None, path, value, problem, remedy);
    }

    /// As [`invalid_but`](Self::invalid_but), for a mistake in relation to another object.
    pub(super) fn related(
        &mut self,
        relation: Relation,
        path: &Path,
        value: impl Into<Value>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let value = value.into().to_string();
        self.0.push(SpecError {
            path: path.0.clone(),
            value,
            problem: problem.into(),
            remedy: remedy.into(),
            relation,
        });
    }

    /// A field that must be set is not.
    pub(super) fn required(&mut self, path: &Path, problem: impl Into<String>) {
        let (value, remedy) = (String::new(), String::new());
        let relation = Relation::None;
        self.0.push(SpecError { path: path.0.clone(), value, problem: problem.into(), remedy, relation });
    }

    /// How many mistakes were found.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Success when nothing was found.
    pub(super) fn into_result(self) -> Result<(), SpecErrors> {
        self.into_result_with(Some(()))
    }

    /// `value` when nothing was found. It may be missing only when something was.
    pub(super) fn into_result_with<T>(self, value: Option<T>) -> Result<T, SpecErrors> {
        debug_assert!(value.is_some() || !self.0.is_empty(), "missing without a reason");
        value.filter(|_| self.0.is_empty()).ok_or(SpecErrors(self.0))
    }
}

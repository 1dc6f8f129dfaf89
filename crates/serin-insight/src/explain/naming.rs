//! Names of objects and mistakes in causes.

use super::cause::Mistake;
use serin_core::domain::plan::ObjectKind;
use serin_core::rollout::validate::SpecErrors;

/// The mistakes of a spec, each with its remedy.
pub(super) fn mistakes(errors: &SpecErrors) -> Vec<Mistake> {
    let mistake = |error: &serin_core::rollout::validate::SpecError| {
        let (path, value) = (error.path.clone(), error.value.clone());
        let remedy = if error.remedy.is_empty() { String::new() } else { format!("; {}", error.remedy) };
        Mistake { path, value, problem: format!("{}{remedy}", error.problem) }
    };
    errors.iter().map(mistake).collect()
}

/// Formats kind and name.
pub(super) fn object(kind: ObjectKind, name: &str) -> String {
    format!("{} {name}", kind.name())
}

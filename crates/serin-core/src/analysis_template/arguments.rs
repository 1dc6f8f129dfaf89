//! Arguments: what a Rollout gives to its templates, and what a run gets of it.

use serde_json::Value;
use thiserror::Error;

use super::field;
use crate::api::analysis::{Argument, RolloutArgument, RolloutValueFrom};

/// Pod hashes of the revisions that arguments may ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hashes<'a> {
    /// Hash of the new revision, if there is one.
    pub latest: Option<&'a str>,
    /// Hash of the stable revision; `None` before the first deployment is complete.
    pub stable: Option<&'a str>,
}

/// An argument of a Rollout that has no value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("argument \"{name}\": {problem}")]
pub struct ArgumentError {
    /// Name of the argument.
    pub name: String,
    /// Why it has no value.
    pub problem: String,
}

/// Resolves the arguments of a Rollout to values. `rollout` is the whole object.
///
/// An argument without value and source is the empty text, as in the reference.
///
/// # Errors
///
/// Every argument whose source has no value.
pub fn resolve_arguments(
    arguments: &[RolloutArgument],
    rollout: &Value,
    hashes: Hashes<'_>,
) -> Result<Vec<Argument>, Vec<ArgumentError>> {
    let mut resolved = Vec::new();
    let mut errors = Vec::new();
    for argument in arguments {
        let name = argument.name.clone();
        match resolve(argument, rollout, hashes) {
            Ok(value) => resolved.push(Argument { name, value: Some(value), value_from: None }),
            Err(problem) => errors.push(ArgumentError { name, problem }),
        }
    }
    if errors.is_empty() { Ok(resolved) } else { Err(errors) }
}

fn resolve(argument: &RolloutArgument, rollout: &Value, hashes: Hashes<'_>) -> Result<String, String> {
    match &argument.value_from {
        Some(RolloutValueFrom { pod_template_hash_value: Some(revision), .. }) => hash(revision, hashes),
        Some(RolloutValueFrom { field_ref: Some(field), .. }) => field::value_of(rollout, &field.field_path),
        Some(_) | None => Ok(argument.value.clone().unwrap_or_default()),
    }
}

fn hash(revision: &str, hashes: Hashes<'_>) -> Result<String, String> {
    let (hash, which) = match revision {
        "Latest" => (hashes.latest, "new"),
        "Stable" => (hashes.stable, "stable"),
        other => return Err(format!("podTemplateHashValue must be Latest or Stable, not {other:?}")),
    };
    let missing =
        || format!("podTemplateHashValue is {revision}, but the Rollout has no {which} revision yet");
    hash.map(str::to_owned).ok_or_else(missing)
}

/// An argument that a template declares, and that nothing gives a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("args.{0} was not resolved")]
pub struct Unresolved(pub String);

/// Merges the arguments of a caller, a Rollout or an Experiment, into the declarations of the templates.
///
/// A value of the caller replaces value and source of the declaration. A source of the caller replaces the source.
/// Arguments that no template declares are dropped.
///
/// # Errors
///
/// The first argument without value and source.
pub fn merge_arguments(declared: &[Argument], given: &[Argument]) -> Result<Vec<Argument>, Unresolved> {
    let mut merged = declared.to_vec();
    for argument in given {
        let Some(known) = merged.iter_mut().find(|known| known.name == argument.name) else { continue };
        if argument.value.is_some() {
            known.value.clone_from(&argument.value);
            known.value_from = None;
        } else if argument.value_from.is_some() {
            known.value_from.clone_from(&argument.value_from);
        }
    }
    match merged.iter().find(|argument| argument.value.is_none() && argument.value_from.is_none()) {
        Some(argument) => Err(Unresolved(argument.name.clone())),
        None => Ok(merged),
    }
}

//! Several templates as one.

use std::collections::BTreeSet;

use thiserror::Error;

use super::collect::Collected;
use crate::api::AnalysisTemplateSpec;
use crate::api::analysis::Argument;

/// Templates of one analysis that contradict each other. The texts are those of the reference.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Conflict {
    /// Two metrics have one name.
    #[error("two metrics have the same name '{0}'")]
    Metric(String),
    /// Two rules of `dryRun` are equal.
    #[error("two Dry-Run metric rules have the same name '{0}'")]
    DryRun(String),
    /// Two rules of `measurementRetention` are for the same metrics.
    #[error("two Measurement Retention metric rules have the same name '{0}'")]
    Retention(String),
    /// Two declarations of an argument have different values.
    #[error("Argument `{name}` specified multiple times with different values: '{first}', '{second}'")]
    Argument {
        /// Name of the argument.
        name: String,
        /// The value of an earlier template.
        first: String,
        /// The value of a later one.
        second: String,
    },
}

/// Merges templates into one that includes no others, in the order of [`Collected::templates`].
///
/// # Errors
///
/// The first conflict: of metrics, of `dryRun`, of `measurementRetention`, of arguments.
pub fn flatten(collected: &Collected<'_>) -> Result<AnalysisTemplateSpec, Conflict> {
    let mut flat = AnalysisTemplateSpec::default();
    for (_, template) in collected.templates() {
        flat.metrics.extend_from_slice(&template.metrics);
        flat.dry_run.extend_from_slice(&template.dry_run);
        flat.measurement_retention.extend_from_slice(&template.measurement_retention);
    }
    if let Some(name) = repeated(flat.metrics.iter().map(|metric| metric.name.as_str())) {
        return Err(Conflict::Metric(name.to_owned()));
    }
    if let Some(name) = repeated(flat.dry_run.iter().map(|rule| rule.metric_name.as_str())) {
        return Err(Conflict::DryRun(name.to_owned()));
    }
    if let Some(name) = repeated(flat.measurement_retention.iter().map(|rule| rule.metric_name.as_str())) {
        return Err(Conflict::Retention(name.to_owned()));
    }
    for argument in collected.templates().flat_map(|(_, template)| &template.args) {
        declare(&mut flat.args, argument)?;
    }
    Ok(flat)
}

fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// Adds a declaration of an argument. A value is stronger than a source, and a source than neither; of two sources, the
/// later one is used.
fn declare(all: &mut Vec<Argument>, argument: &Argument) -> Result<(), Conflict> {
    let Some(known) = all.iter_mut().find(|known| known.name == argument.name) else {
        all.push(argument.clone());
        return Ok(());
    };
    match (&known.value, &argument.value) {
        (Some(first), Some(second)) if first != second => Err(Conflict::Argument {
            name: argument.name.clone(),
            first: first.clone(),
            second: second.clone(),
        }),
        (Some(_), _) => Ok(()),
        (None, None) if argument.value_from.is_none() => Ok(()),
        (None, _) => {
            *known = argument.clone();
            Ok(())
        }
    }
}

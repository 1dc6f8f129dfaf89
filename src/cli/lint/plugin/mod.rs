//! `lint` under the name of the reference's plugin: the reference's messages, and errors only. Pipelines that compare
//! outputs see no difference.

mod words;

use super::check::{self, Read};
use super::finding::Finding;
use super::rules::{DUPLICATE_FIELD, UNKNOWN_FIELD, WRONG_TYPE};
use super::source::files::File;
use super::world::World;
use super::{controller, object};
use crate::cli::failure::Failure;
use crate::cli::output::print;
use serin_core::rollout::validate::validate;

/// Prints the errors of each Rollout in the files, and fails with the first one.
pub(super) fn lint(files: &[File]) -> Result<(), Failure> {
    let (objects, unread) = object::objects(files);
    let (rollouts, misread) = check::read(&objects);
    // The reference checks only fields.
    let misread = misread.iter().filter(|finding| [&UNKNOWN_FIELD, &WRONG_TYPE].contains(&finding.rule));
    if let Some(finding) = unread.iter().chain(misread).next() {
        return Err(Failure::Failed(unreadable(finding)));
    }
    let world = check::world(&objects);
    let errors: Vec<String> = rollouts.iter().flat_map(|read| errors(read, &world)).collect();
    for error in &errors {
        let body = error.split_once(": ").map_or(error.as_str(), |(_, body)| body);
        print(&format!("{body}\n"))?;
    }
    errors.into_iter().next().map_or(Ok(()), |first| Err(Failure::Failed(first)))
}

/// The error of the reference's decoder about a file.
fn unreadable(finding: &Finding) -> String {
    let name = finding.remark.field.rsplit('.').next().unwrap_or_default();
    let decoding = "error unmarshaling JSON: while decoding JSON: json";
    if *finding.rule == UNKNOWN_FIELD {
        return format!("{decoding}: unknown field {name:?}");
    }
    if *finding.rule == DUPLICATE_FIELD {
        let line = finding.at.map_or(0, |at| at.line);
        return format!("error converting YAML to JSON: yaml: line {line}: {}", finding.remark.problem);
    }
    let field = match finding.remark.field.as_str() {
        "" => String::new(),
        field => format!("{field}: "),
    };
    format!("{}: {field}{}", finding.file, finding.message())
}

/// The errors about a Rollout. Features that this version does not support are not errors, because the reference
/// supports them.
fn errors(read: &Read<'_>, world: &World) -> Vec<String> {
    let spec = validate(&read.rollout);
    let spec = spec.err().iter().flat_map(|errors| errors.iter().cloned()).collect::<Vec<_>>();
    if !spec.is_empty() {
        return words::all(&spec, &read.rollout);
    }
    words::all(&controller::references(&read.rollout, world), &read.rollout)
}

//! The metadata of any object.

use serde_json::Value;

use super::SpecError;
use super::error::{Findings, Path};
use super::names;
use super::pod_template::{annotation_keys, labels};

/// The form of the names of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameForm {
    /// Letters, digits, dashes and dots.
    Subdomain,
    /// The same without dots, and shorter.
    Label,
}

/// What the API server would refuse in `metadata`, of an object of a kind whose names have that form.
#[must_use]
pub fn metadata_mistakes(metadata: &Value, form: NameForm) -> Vec<SpecError> {
    let mut found = Findings::default();
    let path = Path::new("metadata");
    let check = match form {
        NameForm::Subdomain => names::dns_subdomain,
        NameForm::Label => names::dns_label,
    };
    if let Some(name) = metadata.get("name").and_then(Value::as_str)
        && let Err(problem) = check(name)
    {
        found.invalid(&path.field("name"), name, problem);
    }
    labels(metadata.get("labels"), &path.field("labels"), &mut found);
    annotation_keys(metadata.get("annotations"), &path.field("annotations"), &mut found);
    found.into_result().err().map(|errors| errors.iter().cloned().collect()).unwrap_or_default()
}

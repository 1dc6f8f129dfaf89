//! The labels and annotations of a role: `canaryMetadata`, `stableMetadata`, `previewMetadata`, `activeMetadata`.
//!
//! These checks go beyond the reference. It writes such metadata on live pods whatever it is: a label that the selector
//! asks for takes them away from their ReplicaSet, which then makes new ones without end.

use super::error::{Findings, Path};
use super::names;
use crate::api::{LabelSelector, TemplateMetadata, keys};
use serin_values::selector::asks_for;

/// Checks the metadata of a role in a Rollout with that selector.
pub(super) fn check(
    metadata: Option<&TemplateMetadata>,
    selector: &LabelSelector,
    path: &Path,
    found: &mut Findings,
) {
    let Some(metadata) = metadata else { return };
    let labels = path.field("labels");
    for (key, value) in &metadata.labels {
        if key == keys::POD_HASH_LABEL {
            found.invalid_but(
                &labels,
                key.as_str(),
                "Serin tells revisions apart by this label",
                "remove it",
            );
        } else if asks_for(selector, key) {
            let problem = "spec.selector asks for this label, so that it must not change";
            found.invalid_but(&labels, key.as_str(), problem, "use another label");
        } else if let Err(problem) = names::qualified_name(key) {
            found.invalid(&labels, key.as_str(), problem);
        } else if let Err(problem) = names::label_value(value) {
            found.invalid(&labels, value.as_str(), problem);
        }
    }
    for key in metadata.annotations.keys() {
        if let Err(problem) = names::qualified_name(&key.to_lowercase()) {
            found.invalid(&path.field("annotations"), key.as_str(), problem);
        }
    }
}

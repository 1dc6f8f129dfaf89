//! What a write may ask for beside its body.

use serde_json::Value;

use super::super::request::{PatchType, Verb};
use super::super::status::{Cause, Status};
use super::call::Call;
use super::refuse;

/// How long the name of a manager may be.
const MANAGER_MAX: usize = 128;

/// Refuses options that a create, an update or a patch may not have.
pub(super) fn check(call: &Call<'_>) -> Result<(), Status> {
    let options = &call.request.options;
    let (kind, mut causes) = match call.request.verb {
        Verb::Create => ("CreateOptions", Vec::new()),
        Verb::Update => ("UpdateOptions", Vec::new()),
        Verb::Patch => ("PatchOptions", of_patch(call)),
        Verb::Get | Verb::List | Verb::Watch | Verb::Delete | Verb::DeleteCollection => return Ok(()),
    };
    if options.field_manager.len() > MANAGER_MAX {
        causes.push(refuse::too_long("fieldManager", MANAGER_MAX));
    }
    causes.extend(dry_run(&options.dry_run));
    let known = ["", "Ignore", "Strict", "Warn"];
    let asked = options.field_validation.as_deref().unwrap_or_default();
    if !known.contains(&asked) {
        causes.push(refuse::unsupported("fieldValidation", asked, &known));
    }
    if causes.is_empty() { Ok(()) } else { Err(refuse::invalid_kind("meta.k8s.io", kind, "", &causes)) }
}

fn of_patch(call: &Call<'_>) -> Vec<Cause> {
    let options = &call.request.options;
    if call.request.patch_type != Some(PatchType::Apply) {
        let why = "may not be specified for non-apply patch";
        return options.force.map(|_| refuse::not_allowed("force", why)).into_iter().collect();
    }
    if options.field_manager.is_empty() {
        return vec![refuse::required("fieldManager", "is required for apply patch")];
    }
    Vec::new()
}

/// Nothing or all of a request is tried.
pub(super) fn dry_run(asked: &[String]) -> Option<Cause> {
    let is_known = asked.iter().all(|word| word == "All");
    (!is_known).then(|| refuse::unsupported_value("dryRun", &Value::from(asked), &["All"]))
}

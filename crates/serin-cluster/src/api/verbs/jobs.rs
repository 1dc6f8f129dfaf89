//! Jobs: the selector and labels that tell a Job's pods from those of others.

use serde_json::Value;

use super::super::store::object::{at, copy, fill, name, set, uid};

/// Makes the selector of a new Job, unless its maker does so by hand; `sent` is what the maker sent.
pub(super) fn before_create(sent: &Value, job: &mut Value) {
    if at(job, &["spec", "manualSelector"]) == &Value::Bool(true) {
        return;
    }
    let (uid, name) = (uid(job).to_owned(), name(job).to_owned());
    let labels = [
        ("batch.kubernetes.io/controller-uid", &uid),
        ("controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("job-name", &name),
    ];
    for (label, value) in labels {
        fill(job, &["spec", "template", "metadata", "labels", label], value.as_str());
    }
    fill(job, &["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"], uid);
    // A Job without labels of its own has those of its template, of which these are now a part.
    if at(sent, &["metadata", "labels"]).as_object().is_none_or(serde_json::Map::is_empty) {
        let labels = at(job, &["spec", "template", "metadata", "labels"]).clone();
        set(job, &["metadata", "labels"], labels);
    }
}

/// Keeps what the system made when a PUT leaves it out.
pub(super) fn before_update(live: &Value, candidate: &mut Value) {
    if at(candidate, &["spec", "selector"]).is_null() {
        copy(candidate, live, &["spec", "selector"]);
    }
}

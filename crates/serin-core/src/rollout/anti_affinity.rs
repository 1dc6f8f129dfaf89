//! `antiAffinity`: while an update is under way, pods of the new revision keep off the nodes of the stable one's.
//!
//! The term stands in the template of the ReplicaSet alone. It names the stable revision, so that it changes with that, and
//! it goes when the revision is promoted.

use serde_json::{Map, Value, json};

use super::context::Context;
use super::draft::Draft;
use super::snapshot::ReplicaSetView;
use crate::domain::affinity::{apart_from, terms_about_revisions};
use crate::domain::plan::Purpose;
use serin_values::merge_patch::merge_patch;

/// The affinity that the user gives the pods. Null without one.
fn of_user<'a>(cx: &Context<'a>) -> &'a Value {
    affinity(cx.spec.template.as_value())
}

fn affinity(template: &Value) -> &Value {
    template.pointer("/spec/affinity").unwrap_or(&Value::Null)
}

/// The affinity of the current template's ReplicaSet: the user's, and the term where one is due. Null without either.
fn wanted(cx: &Context<'_>) -> Value {
    let stable = cx.status.stable_rs.as_deref().filter(|hash| *hash != cx.current_hash);
    match stable.zip(cx.spec.common().anti_affinity) {
        Some((stable, strictness)) => {
            let namespace = cx.spec.namespace().unwrap_or_default();
            apart_from(of_user(cx), stable, namespace, strictness)
        }
        None => of_user(cx).clone(),
    }
}

/// The merge patch that gives a template with affinity `live` the terms about revisions that `wanted` has; nothing if it
/// has them.
fn patch(live: &Value, wanted: &Value) -> Option<Value> {
    if terms_about_revisions(live) == terms_about_revisions(wanted) {
        return None;
    }
    let spec = |affinity: &Value| {
        let affinity = Some(affinity).filter(|affinity| !affinity.is_null());
        Value::from_iter(affinity.map(|affinity| ("affinity", affinity.clone())))
    };
    merge_patch(&spec(live), &spec(wanted)).map(|spec| json!({"spec": spec}))
}

/// The merge patch of a template that is as the user wrote it.
pub(super) fn template_patch(cx: &Context<'_>) -> Value {
    patch(of_user(cx), &wanted(cx)).unwrap_or_else(|| Map::new().into())
}

/// The merge patch of the template of a ReplicaSet whose term is missing or stale. A revision that is stable already is
/// left alone: whoever promoted it may have left the term, which no pod that runs has to fear.
pub(super) fn stale_patch(cx: &Context<'_>, rs: &ReplicaSetView) -> Option<Value> {
    let is_due = !cx.is_stable(rs);
    patch(affinity(&rs.template), &wanted(cx)).filter(|_| is_due)
}

/// Takes the term from the ReplicaSet of a revision that becomes the stable one.
pub(super) fn release(cx: &Context<'_>, draft: &mut Draft) {
    let Some(new) = cx.new_rs else { return };
    if let Some(template) = patch(affinity(&new.template), of_user(cx)) {
        draft.patch_replica_set(new, &json!({"spec": {"template": template}}), Purpose::SyncReplicaSet);
    }
}

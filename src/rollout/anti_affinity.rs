//! `antiAffinity`: while an update is under way, pods of the new revision keep off the nodes of the stable one's.
//!
//! The term stands in the template of the ReplicaSet alone. It names the stable revision, so that it changes with that, and
//! it goes when the revision is promoted.

use serde_json::{Map, Value, json};

use super::context::{Context, Strategy};
use super::snapshot::ReplicaSetView;
use crate::domain::affinity::{Strictness, apart_from, terms_about_revisions};
use crate::domain::merge_patch::merge_patch;

fn strictness(cx: &Context<'_>) -> Option<Strictness> {
    let configured = match cx.strategy {
        Strategy::Canary(canary) => canary.anti_affinity.as_ref(),
        Strategy::BlueGreen(blue_green) => blue_green.anti_affinity.as_ref(),
    }?;
    let preferred = configured.preferred_during_scheduling_ignored_during_execution.as_ref();
    Some(preferred.map_or(Strictness::Required, |preferred| Strictness::Preferred(preferred.weight)))
}

/// The affinity of the current template's ReplicaSet: the user's, and the term where one is due. Null without either.
fn wanted(cx: &Context<'_>) -> Value {
    let users = cx.rollout.spec.template.as_value().pointer("/spec/affinity").unwrap_or(&Value::Null);
    let stable = cx.status.stable_rs.as_deref().filter(|hash| *hash != cx.current_hash);
    match stable.zip(strictness(cx)) {
        Some((stable, strictness)) => {
            let namespace = cx.rollout.metadata.namespace.as_deref().unwrap_or_default();
            apart_from(users, stable, namespace, strictness)
        }
        None => users.clone(),
    }
}

/// The merge patch that gives a template with affinity `live` the terms about revisions that it is to have; nothing if it
/// has them.
fn patch(cx: &Context<'_>, live: &Value) -> Option<Value> {
    let wanted = wanted(cx);
    if terms_about_revisions(live) == terms_about_revisions(&wanted) {
        return None;
    }
    let spec = |affinity: &Value| {
        let affinity = Some(affinity).filter(|affinity| !affinity.is_null());
        Value::from_iter(affinity.map(|affinity| ("affinity", affinity.clone())))
    };
    merge_patch(&spec(live), &spec(&wanted)).map(|spec| json!({"spec": spec}))
}

/// The merge patch of a template that is as the user wrote it.
pub(super) fn template_patch(cx: &Context<'_>) -> Value {
    let users = cx.rollout.spec.template.as_value().pointer("/spec/affinity").unwrap_or(&Value::Null);
    patch(cx, users).unwrap_or_else(|| Map::new().into())
}

/// The merge patch of the template of a ReplicaSet whose term is missing, stale or no longer due.
pub(super) fn stale_patch(cx: &Context<'_>, rs: &ReplicaSetView) -> Option<Value> {
    patch(cx, rs.template.pointer("/spec/affinity").unwrap_or(&Value::Null))
}

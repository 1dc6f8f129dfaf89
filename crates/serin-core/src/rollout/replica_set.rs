//! The ReplicaSets of revisions: how one is made, taken into possession, and what is written on it.

use serde_json::{Map, Value, json};

use super::context::Context;
use super::draft::Draft;
use super::snapshot::{FailureCause, ReplicaSetView};
use super::valid::ValidRollout;
use super::{anti_affinity, metadata};
use crate::api::keys;
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Action, ObjectKind, Op, Purpose};
use crate::domain::template;
use serin_values::merge_patch::apply_merge_patch;
use serin_values::owner::controller_reference;

/// Annotations of a Rollout that its ReplicaSets do not get as they are.
const NOT_COPIED: [&str; 10] = [
    keys::LAST_APPLIED,
    keys::REVISION,
    keys::REVISION_HISTORY,
    keys::DESIRED_REPLICAS,
    keys::SCALE_DOWN_DEADLINE,
    keys::EPHEMERAL_METADATA,
    keys::NOTIFIED,
    keys::WORKLOAD_GENERATION,
    keys::TEMPLATE_DIGEST,
    keys::STORED_TEMPLATE_DIGEST,
];

/// Marks by which Argo CD knows what lies in Git, and how it is to be synchronised. On an object that does not lie
/// there they would be lies.
const ARGO_CD: &str = "argocd.argoproj.io/";

/// Takes orphans into possession; true if there were any, and nothing else is to be decided yet.
pub(super) fn adopt(cx: &Context<'_>, draft: &mut Draft) -> bool {
    for rs in cx.owned.iter().filter(|rs| !rs.owned) {
        let mut owners = rs.owner_references.clone();
        owners.push(owner_reference(cx.spec));
        let mut metadata = json!({"ownerReferences": owners});
        if let Some(digest) = cx.identity.digest_of_impostor(rs) {
            metadata["annotations"] = json!({keys::TEMPLATE_DIGEST: digest});
        }
        draft.patch_replica_set(rs, &json!({"metadata": metadata}), Purpose::AdoptReplicaSet);
    }
    cx.owned.iter().any(|rs| !rs.owned)
}

/// The ownerReference that ReplicaSets of the Rollout carry.
fn owner_reference(rollout: &ValidRollout<'_>) -> Value {
    controller_reference(keys::API_VERSION, keys::ROLLOUT, rollout.name(), rollout.uid())
}

/// Makes the ReplicaSet of the current template, of that size.
pub(super) fn create(cx: &Context<'_>, draft: &mut Draft, size: i32) {
    let hash = cx.current_hash.clone();
    let revision = cx.revision();
    record_revision(cx, draft, revision);
    let name = format!("{}-{hash}", cx.spec.name());
    let message = format!("Created ReplicaSet {name} (revision {revision})");
    draft.push(Op {
        kind: ObjectKind::ReplicaSet,
        namespace: None,
        action: Action::Create { body: new_replica_set(cx, &name, &hash, revision, size) },
        name: name.clone(),
        purposes: vec![Purpose::CreateReplicaSet],
        events: vec![EventNote::new(EventReason::NewReplicaSetCreated, message)],
    });
    if size > 0 {
        let message = format!("Scaled up ReplicaSet {name} (revision {revision}) from 0 to {size}");
        draft.tell_last(EventReason::ScalingReplicaSet, message);
    }
}

fn new_replica_set(cx: &Context<'_>, name: &str, hash: &str, revision: i64, size: i32) -> Value {
    let spec = cx.spec;
    let ephemeral = metadata::of_created(cx, hash);
    let mut template = spec.template.as_value().clone();
    let mut labels: Map<_, _> =
        spec.template.labels().into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    labels.insert(keys::POD_HASH_LABEL.into(), hash.into());
    template = apply_merge_patch(&template, &json!({"metadata": {"labels": labels}}));
    template = apply_merge_patch(&template, &anti_affinity::template_patch(cx));
    let mut annotations = copied_annotations(cx);
    annotations.insert(keys::REVISION.into(), revision.to_string().into());
    annotations.insert(keys::DESIRED_REPLICAS.into(), cx.replicas.to_string().into());
    annotations.insert(keys::TEMPLATE_DIGEST.into(), cx.identity.digest.clone().into());
    if let Some(annotation) = metadata::annotation(&ephemeral) {
        template = apply_merge_patch(&template, &metadata::template_patch(&ephemeral));
        annotations.insert(keys::EPHEMERAL_METADATA.into(), annotation.into());
    }
    let selector = spec.selector.and_then(|s| serde_json::to_value(s).ok()).unwrap_or_default();
    let selector = apply_merge_patch(&selector, &json!({"matchLabels": {keys::POD_HASH_LABEL: hash}}));
    json!({
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": spec.namespace(),
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [owner_reference(cx.spec)],
        },
        "spec": {
            "replicas": size,
            "minReadySeconds": spec.min_ready_seconds,
            "selector": selector,
            "template": template,
        },
    })
}

fn copied_annotations(cx: &Context<'_>) -> Map<String, Value> {
    let copied = cx
        .spec
        .annotations()
        .filter(|(key, _)| !NOT_COPIED.contains(key) && !key.starts_with(ARGO_CD))
        .map(|(key, value)| (key.to_owned(), value.into()));
    let generation = cx.workload.map(|workload| workload.generation.to_string().into());
    copied.chain(generation.map(|generation| (keys::WORKLOAD_GENERATION.to_owned(), generation))).collect()
}

/// Brings annotations, `minReadySeconds` and anti-affinity of the current ReplicaSet, and the Rollout's revision, in line.
pub(super) fn sync(cx: &Context<'_>, draft: &mut Draft) {
    let Some(new) = cx.new_rs else { return };
    let revision = cx.revision();
    let mut wanted = copied_annotations(cx);
    if new.revision() < revision {
        wanted.insert(keys::REVISION.into(), revision.to_string().into());
        if new.revision() > 0 {
            wanted.insert(keys::REVISION_HISTORY.into(), history_with(new).into());
        }
    }
    let record = cx.identity.record(new);
    if record.is_due {
        wanted.extend(record.annotations);
    }
    wanted.retain(|key, value| new.annotations.get(key).map(String::as_str) != value.as_str());
    let mut patch = Map::new();
    if !wanted.is_empty() {
        patch.insert("metadata".into(), json!({"annotations": wanted}));
    }
    let mut spec = Map::new();
    if new.min_ready_seconds != cx.spec.min_ready_seconds {
        spec.insert("minReadySeconds".into(), cx.spec.min_ready_seconds.into());
    }
    spec.extend(anti_affinity::stale_patch(cx, new).map(|template| ("template".to_owned(), template)));
    if !spec.is_empty() {
        patch.insert("spec".into(), spec.into());
    }
    if !patch.is_empty() {
        draft.patch_replica_set(new, &Value::Object(patch), Purpose::SyncReplicaSet);
    }
    record_revision(cx, draft, revision);
}

fn history_with(rs: &ReplicaSetView) -> String {
    match rs.annotations.get(keys::REVISION_HISTORY) {
        Some(history) if !history.is_empty() => format!("{history},{}", rs.revision()),
        Some(_) | None => rs.revision().to_string(),
    }
}

fn record_revision(cx: &Context<'_>, draft: &mut Draft, revision: i64) {
    if cx.spec.annotation(keys::REVISION) == Some(&revision.to_string()) {
        return;
    }
    let message = format!("Rollout updated to revision {revision}");
    draft.patch_rollout(
        &json!({"metadata": {"annotations": {keys::REVISION: revision.to_string()}}}),
        Purpose::RecordRevision(revision),
        vec![EventNote::new(EventReason::RolloutUpdated, message)],
    );
}

/// Gives the template another hash if the one that it has is taken: by a ReplicaSet that was created for the template and
/// has another one now, or by one that belongs to something else. The salt of the hash is the collision count. True if
/// it does, and nothing else is to be decided yet.
pub(super) fn avoid_collision(cx: &Context<'_>, draft: &mut Draft) -> bool {
    let has_hash = |rs: &&&ReplicaSetView| rs.hash() == cx.current_hash;
    let taken = cx.new_rs.is_none().then(|| cx.owned.iter().find(has_hash)).flatten();
    if taken.is_none() && in_the_way(cx).is_none_or(|(is_ours, _)| is_ours) {
        return false;
    }
    if let Some(rs) = taken.filter(|rs| cx.identity.is_edited(rs)) {
        let name = &rs.id.name;
        let message = format!(
            "The pod template of ReplicaSet {name} was edited: it no longer is that of revision {}. The Rollout creates \
             another ReplicaSet for that template",
            rs.revision()
        );
        draft.tell(EventReason::ReplicaSetEdited, message);
    }
    draft.status.collision_count = Some(cx.status.collision_count.unwrap_or(0).saturating_add(1));
    true
}

/// Whether the ReplicaSet of the current template is there, but without the label by which it is found.
pub(super) fn has_lost_its_hash(cx: &Context<'_>) -> bool {
    in_the_way(cx) == Some((true, false))
}

/// Of the ReplicaSet that has the name which the current one is to get: whether it is just that one, and whether it has
/// the hash label.
fn in_the_way(cx: &Context<'_>) -> Option<(bool, bool)> {
    let failure = cx.snapshot.last_failure.as_ref()?;
    let FailureCause::AlreadyExists { owner_uid, template, digest, has_hash } = &failure.cause else {
        return None;
    };
    if failure.kind != ObjectKind::ReplicaSet
        || failure.name != format!("{}-{}", cx.spec.name(), cx.current_hash)
    {
        return None;
    }
    let is_owned = owner_uid.as_deref() == Some(cx.spec.uid());
    let ephemeral = metadata::of_created(cx, &cx.current_hash);
    let is_equal = template::templates_equal(template, cx.spec.template.as_value(), &ephemeral)
        || digest.as_ref() == Some(&cx.identity.digest);
    Some((is_owned && is_equal, *has_hash))
}

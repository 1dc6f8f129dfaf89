//! The workload that `spec.workloadRef` names: what the Rollout takes from it, and when it gives up its own pods.
//!
//! What it gives is filled into a copy of the Rollout for the time of one decision. Writes are patches of single fields, so
//! that nothing of it is ever stored in the Rollout but the workload's generation.

use std::borrow::Cow;

use serde_json::json;

use super::context::Context;
use super::draft::Draft;
use super::snapshot::{ReplicaSetView, Snapshot, WorkloadView};
use super::views::total;
use crate::api::rollout::WorkloadRef;
use crate::api::{Rollout, RolloutPhase, keys};
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Action, ObjectKind, Op, Purpose};

/// The kinds that a template may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `v1` PodTemplate.
    PodTemplate,
}

impl WorkloadKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Deployment, Self::ReplicaSet, Self::PodTemplate];

    /// The kind that `reference` asks for; `None` for one that no template may come from.
    #[must_use]
    pub fn of(reference: &WorkloadRef) -> Option<Self> {
        let asked = (reference.api_version.as_deref()?, reference.kind.as_deref()?);
        Self::ALL.into_iter().find(|kind| (kind.api_version(), kind.as_str()) == asked)
    }

    /// `kind`, as manifests have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::ReplicaSet => "ReplicaSet",
            Self::PodTemplate => "PodTemplate",
        }
    }

    /// `apiVersion`, as manifests have it.
    const fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::ReplicaSet => "apps/v1",
            Self::PodTemplate => "v1",
        }
    }
}

/// A workload in the namespace of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkloadName {
    /// Its kind.
    pub kind: WorkloadKind,
    /// `metadata.name`.
    pub name: String,
}

/// The workload that `rollout` names, if its template may come from there.
pub(super) fn named(rollout: &Rollout) -> Option<WorkloadName> {
    let reference = rollout.spec.workload_ref.as_ref()?;
    Some(WorkloadName { kind: WorkloadKind::of(reference)?, name: reference.name.clone()? })
}

/// When the pods of a Deployment go whose template the Rollout runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScaleDown {
    Never,
    /// All at once, when the Rollout is healthy.
    OnSuccess,
    /// One for each available pod of the Rollout.
    Progressively,
}

impl ScaleDown {
    /// What `reference` asks for; `None` for a word that means nothing.
    pub(super) fn of(reference: &WorkloadRef) -> Option<Self> {
        match reference.scale_down.as_deref() {
            None | Some("never") => Some(Self::Never),
            Some("onsuccess") => Some(Self::OnSuccess),
            Some("progressively") => Some(Self::Progressively),
            Some(_) => None,
        }
    }
}

/// The workload of the snapshot, if the Rollout names one and it is there.
pub(super) fn found(snapshot: &Snapshot) -> Option<&WorkloadView> {
    snapshot.workload.as_ref()?.as_ref().ok()
}

/// The Rollout with the template that it takes from its workload, and with that one's selector if it has none.
#[must_use]
pub fn filled(snapshot: &Snapshot) -> Cow<'_, Rollout> {
    let Some(workload) = found(snapshot) else { return Cow::Borrowed(&snapshot.rollout) };
    Cow::Owned(filled_by(&snapshot.rollout, workload))
}

/// `rollout` with the template of `workload`, and with its selector if it has none.
#[must_use]
pub fn filled_by(rollout: &Rollout, workload: &WorkloadView) -> Rollout {
    let mut rollout = rollout.clone();
    rollout.spec.template = workload.template.clone();
    rollout.spec.selector = rollout.spec.selector.or_else(|| workload.selector.clone());
    rollout
}

/// Writes down which state of the workload this decision is about: on the Rollout and in its status, which tools compare.
pub(super) fn record(cx: &Context<'_>, draft: &mut Draft) {
    let generation = cx.workload.map(|workload| workload.generation);
    draft.status.workload_observed_generation = generation.map(|generation| generation.to_string());
    let Some(generation) = generation else { return };
    let annotations = cx.rollout.metadata.annotations.as_ref();
    let recorded = annotations.and_then(|annotations| annotations.get(keys::WORKLOAD_GENERATION));
    if recorded.is_none_or(|recorded| *recorded != generation.to_string()) {
        let patch = json!({"metadata": {"annotations": {keys::WORKLOAD_GENERATION: generation.to_string()}}});
        draft.patch_rollout(&patch, Purpose::RecordWorkload(generation), Vec::new());
    }
}

/// The size of a Rollout that sets none, and what to tell about it: that of the workload whose place it takes, else the one
/// that the Rollout has, so that nobody loses pods to the default; else 1.
pub(super) fn default_replicas(snapshot: &Snapshot) -> (i32, Vec<EventNote>) {
    let has_size =
        |workload: &&WorkloadView| workload.kind != WorkloadKind::PodTemplate && workload.replicas > 0;
    if let Some(workload) = found(snapshot).filter(has_size) {
        let (kind, name, replicas) = (workload.kind.as_str(), &workload.id.name, workload.replicas);
        let message = format!("spec.replicas is not set; it is set to {replicas}, the size of {kind} {name}");
        return (replicas, vec![EventNote::new(EventReason::ReplicasFromWorkload, message)]);
    }
    let running = snapshot.replica_sets.iter().filter(|rs| rs.owned && rs.has_pods());
    let Some(replicas) = running.filter_map(ReplicaSetView::desired_replicas).max() else {
        return (1, Vec::new());
    };
    let message = format!("spec.replicas was removed; it stays {replicas}, the current size of the Rollout");
    (replicas, vec![EventNote::new(EventReason::ReplicasKept, message)])
}

/// Lets the Deployment give up pods for which the Rollout has others, as far as the user wants that. It never gets more.
pub(super) fn scale_down(cx: &Context<'_>, draft: &mut Draft) {
    let reference = cx.rollout.spec.workload_ref.as_ref();
    let Some((workload, mode)) = cx.workload.zip(reference.and_then(ScaleDown::of)) else { return };
    let covered = total(cx.owned.iter().map(|rs| rs.status.available.min(draft.planned_size(rs))));
    let is_healthy = cx.status.phase == Some(RolloutPhase::Healthy) && covered >= cx.replicas;
    let to = match mode {
        ScaleDown::OnSuccess if is_healthy => 0,
        ScaleDown::Never | ScaleDown::OnSuccess => return,
        // The Rollout is the smaller one: pods go when it has as many as it asks for.
        ScaleDown::Progressively if cx.replicas < workload.replicas && covered < cx.replicas => return,
        ScaleDown::Progressively => cx.replicas.saturating_sub(covered).max(0),
    };
    let mut events = Vec::new();
    if to + cx.replicas < workload.replicas {
        let (name, from) = (&workload.id.name, workload.replicas);
        let message = format!(
            "Scaled down Deployment {name} from {from} to {to}: the Rollout replaces it with {} pods, \
             as spec.replicas asks",
            cx.replicas
        );
        events.push(EventNote::new(EventReason::ScalingWorkload, message));
    }
    if workload.kind == WorkloadKind::Deployment && covered > 0 && to < workload.replicas {
        draft.push(Op {
            kind: ObjectKind::Deployment,
            name: workload.id.name.clone(),
            action: Action::Patch {
                precondition: workload.id.precondition(),
                patch: json!({"spec": {"replicas": to}}),
            },
            purposes: vec![Purpose::ScaleWorkload { from: workload.replicas, to }],
            events,
        });
    }
}

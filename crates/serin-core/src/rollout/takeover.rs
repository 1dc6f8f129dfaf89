//! A Rollout takes the place of the workload that its template comes from: its size, and when the workload releases its own
//! pods.

use serde_json::json;

use super::context::Context;
use super::draft::Draft;
use super::sizes::Sizes;
use super::snapshot::{ReplicaSetView, Snapshot, WorkloadView};
use super::views::total;
use super::workload::found;
use crate::api::{RolloutPhase, keys};
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Action, ObjectKind, Op, Purpose};
use crate::domain::workload::{ScaleDown, WorkloadKind};

/// Writes down which state of the workload this decision is about on the Rollout; tools compare that with its status.
pub(super) fn record(cx: &Context<'_>, draft: &mut Draft) {
    let Some(generation) = cx.workload.map(|workload| workload.generation) else { return };
    if cx.spec.annotation(keys::WORKLOAD_GENERATION) != Some(&generation.to_string()) {
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
pub(super) fn scale_down(cx: &Context<'_>, sizes: &Sizes<'_>, draft: &mut Draft) {
    let Some((workload, asked)) = cx.workload.zip(cx.spec.workload.as_ref()) else { return };
    let covered = total(cx.owned.iter().map(|rs| rs.status.available.min(sizes.of(rs))));
    let is_healthy = cx.status.phase == Some(RolloutPhase::Healthy) && covered >= cx.replicas;
    let to = match asked.scale_down {
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
            namespace: None,
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

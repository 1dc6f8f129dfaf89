//! What is done about a Rollout whose spec cannot be carried out.
//!
//! Nothing of an update goes on, and none begins. But an abort needs nothing but what is there, and is carried out: weight
//! to 0, Services back to the stable revision, sizes. What runs follows a new size, and counts stay true. The template is
//! that of the ReplicaSet that the status calls the current one, whatever the spec asks for now.

use std::borrow::Cow;

use jiff::Timestamp;

use super::context::Context;
use super::draft::Draft;
use super::snapshot::{ReplicaSetView, Snapshot};
use super::valid::{Strategy, ValidRollout};
use super::{blue_green, canary, revision, status, workload};
use crate::api::strategy::PauseStep;
use crate::api::{PodTemplate, Rollout, RolloutStatus};
use crate::domain::template::restored;

/// Keeps what runs, and carries out an abort.
pub(super) fn keep(snapshot: &Snapshot, before: &RolloutStatus, now: Timestamp, draft: &mut Draft) {
    let owned: Vec<_> = snapshot.replica_sets.iter().filter(|rs| rs.owned && revision::belongs(rs)).collect();
    let is_current = |rs: &&&ReplicaSetView| Some(rs.hash()) == before.current_pod_hash.as_deref();
    let kept = owned.iter().find(is_current).map(|current| (pinned(snapshot, before, current), *current));
    let Some((rollout, current)) = kept else { return status::count_pods(&owned, &mut draft.status) };
    let Some(spec) = ValidRollout::read(&rollout) else {
        return status::count_pods(&owned, &mut draft.status);
    };
    let cx = Context::pinned(snapshot, &spec, before, now, current);
    let outcome = match &spec.strategy {
        Strategy::Canary(_) => canary::keep(&cx, draft),
        Strategy::BlueGreen(strategy) => blue_green::keep(&cx, strategy, draft),
    };
    status::keep(&cx, outcome, draft);
}

/// The Rollout as it can be carried out: with the template that runs, one strategy, and numbers that mean something.
fn pinned(snapshot: &Snapshot, before: &RolloutStatus, current: &ReplicaSetView) -> Rollout {
    let mut rollout = Cow::into_owned(workload::filled(snapshot));
    let spec = &mut rollout.spec;
    let template = restored(&current.template, &current.injected());
    spec.template = PodTemplate::new(template.as_object().cloned().unwrap_or_default());
    spec.workload_ref = None;
    spec.restart_at = None;
    spec.paused = true;
    spec.replicas = spec.replicas.filter(|replicas| *replicas >= 0).or_else(|| current.desired_replicas());
    let was_blue_green = before.blue_green.active_selector.is_some();
    if spec.strategy.canary.is_some() && spec.strategy.blue_green.is_some() {
        spec.strategy.canary.take_if(|_| was_blue_green);
        spec.strategy.blue_green.take_if(|_| !was_blue_green);
    }
    if let Some(canary) = &mut spec.strategy.canary {
        if let Some(routing) = &mut canary.traffic_routing {
            routing.max_traffic_weight = routing.max_traffic_weight.filter(|max| *max > 0);
        }
        // A step that does nothing waits, so that the others keep their places.
        let idle = canary.steps.iter_mut().filter(|step| step.kind().is_none());
        idle.for_each(|step| step.pause = Some(PauseStep::default()));
        let max = canary.total_weight();
        let weights = canary.steps.iter_mut().filter_map(|step| step.set_weight.as_mut());
        weights.for_each(|weight| *weight = (*weight).clamp(0, max));
    }
    rollout
}

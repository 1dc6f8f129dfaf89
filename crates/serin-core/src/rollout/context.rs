//! The facts that every part of a decision asks for, derived once from the snapshot.

use jiff::Timestamp;

use super::rollback::Rollback;
use super::snapshot::{ReplicaSetView, ServiceView, Snapshot, WorkloadView};
use super::valid::{Canary, Strategy, ValidRollout};
use super::views::total;
use super::{revision, workload};
use crate::api::{PauseReason, RolloutStatus, StepKind};
use crate::domain::weight::WEIGHT_MAX_DEFAULT;

/// A snapshot of a valid Rollout, with what follows from it.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) snapshot: &'a Snapshot,
    /// What it asks for, filled from its workload where it names one.
    pub(super) spec: &'a ValidRollout<'a>,
    /// What its template comes from, where that is another object.
    pub(super) workload: Option<&'a WorkloadView>,
    /// The status as it was read.
    pub(super) status: &'a RolloutStatus,
    pub(super) now: Timestamp,
    /// `spec.replicas`.
    pub(super) replicas: i32,
    /// The ReplicaSets that belong to the Rollout, by creation time, then name.
    pub(super) owned: Vec<&'a ReplicaSetView>,
    /// The current template.
    pub(super) identity: revision::Identity<'a>,
    /// The one of the current template.
    pub(super) new_rs: Option<&'a ReplicaSetView>,
    /// The one that serves by default; the same as `new_rs` when the update is complete.
    pub(super) stable_rs: Option<&'a ReplicaSetView>,
    /// The hash label of `new_rs`, or the one that it will get.
    pub(super) current_hash: String,
    /// The identity of the list of steps; empty for blue-green.
    pub(super) step_hash: String,
    pub(super) rollback: Rollback,
    /// The template is not the one that the spec asks for, but the one that runs.
    pub(super) is_pinned: bool,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        snapshot: &'a Snapshot,
        spec: &'a ValidRollout<'a>,
        status: &'a RolloutStatus,
        now: Timestamp,
    ) -> Self {
        let workload = workload::found(snapshot);
        let owned: Vec<_> = snapshot.replica_sets.iter().filter(|rs| revision::belongs(rs)).collect();
        let identity = revision::Identity::new(spec, status);
        let new_rs = identity.find(&owned);
        let current_hash = new_rs.map_or_else(|| identity.hash.clone(), |rs| rs.hash().to_owned());
        let stable_rs = owned.iter().copied().find(|rs| status.stable_rs.as_deref() == Some(rs.hash()));
        let rollback = Rollback::classify(spec, status, &owned, new_rs, stable_rs, now);
        Self {
            snapshot,
            spec,
            workload,
            status,
            now,
            replicas: spec.replicas,
            owned,
            identity,
            new_rs,
            stable_rs,
            current_hash,
            step_hash: step_hash(spec),
            rollback,
            is_pinned: false,
        }
    }

    /// A Rollout whose spec cannot be carried out, with `current` as the ReplicaSet of its template, and unchanged.
    pub(super) fn pinned(
        snapshot: &'a Snapshot,
        spec: &'a ValidRollout<'a>,
        status: &'a RolloutStatus,
        now: Timestamp,
        current: &'a ReplicaSetView,
    ) -> Self {
        let cx = Self::new(snapshot, spec, status, now);
        Self {
            workload: None,
            new_rs: Some(current),
            current_hash: current.hash().to_owned(),
            step_hash: status.current_step_hash.clone().unwrap_or_default(),
            rollback: Rollback::None,
            is_pinned: true,
            ..cx
        }
    }

    /// Whether the status was written for this very spec.
    pub(super) fn is_observed(&self) -> bool {
        self.status.observed_generation == Some(self.spec.generation().to_string())
    }

    /// The ReplicaSets that are not of the current template.
    pub(super) fn older(&self) -> impl Iterator<Item = &'a ReplicaSetView> + '_ {
        self.owned.iter().copied().filter(|rs| !self.is_new(rs))
    }

    /// The ReplicaSets that are neither new nor stable.
    pub(super) fn others(&self) -> impl Iterator<Item = &'a ReplicaSetView> + '_ {
        self.older().filter(|rs| !self.is_stable(rs))
    }

    pub(super) fn is_new(&self, rs: &ReplicaSetView) -> bool {
        self.new_rs.is_some_and(|new| new.id.uid == rs.id.uid)
    }

    pub(super) fn is_stable(&self, rs: &ReplicaSetView) -> bool {
        self.stable_rs.is_some_and(|stable| stable.id.uid == rs.id.uid)
    }

    /// Whether the stable revision is the one that the spec asks for, as the status has it.
    pub(super) fn is_fully_promoted(&self) -> bool {
        self.status.stable_rs == self.status.current_pod_hash
    }

    /// Whether the template or the steps are others than those that the status is about.
    pub(super) fn is_changed(&self) -> bool {
        let template = self.status.current_pod_hash.as_ref().is_some_and(|hash| *hash != self.current_hash);
        let steps = match self.spec.strategy {
            Strategy::Canary(_) => self.status.current_step_hash.as_ref() != Some(&self.step_hash),
            Strategy::BlueGreen(_) => false,
        };
        template || steps
    }

    /// The user wants everything to stand still, or an analysis left it to the user.
    pub(super) fn is_halted(&self) -> bool {
        self.spec.is_paused || self.has_pause(PauseReason::InconclusiveAnalysisRun)
    }

    /// Whether a full promotion was asked for that neither a pause of the user's holds back nor an abort has ended. Of the
    /// two commands the later one counts: an abort that has been carried out has a time.
    pub(super) fn is_promoting_full(&self) -> bool {
        let is_aborted_since = self.status.abort && self.status.aborted_at.is_none();
        self.status.promote_full && !self.spec.is_paused && !is_aborted_since
    }

    pub(super) fn has_pause(&self, reason: PauseReason) -> bool {
        self.status.pause_conditions.iter().any(|c| c.reason == reason)
    }

    /// The user took back the pause that the controller had begun.
    pub(super) fn is_resumed_by_user(&self, reason: PauseReason) -> bool {
        self.status.controller_pause && !self.has_pause(reason)
    }

    pub(super) fn canary(&self) -> Option<&'a Canary<'a>> {
        match &self.spec.strategy {
            Strategy::Canary(canary) => Some(canary),
            Strategy::BlueGreen(_) => None,
        }
    }

    pub(super) fn steps(&self) -> &'a [StepKind<'a>] {
        self.canary().map_or(&[], |c| &c.steps)
    }

    /// The step that `status` is at and its index; none without steps or past the last.
    pub(super) fn step_of(&self, status: &RolloutStatus) -> Option<(usize, StepKind<'a>)> {
        let index = usize::try_from(status.current_step_index?).ok()?;
        self.steps().get(index).map(|kind| (index, *kind))
    }

    /// The number of steps; none without steps.
    pub(super) fn step_count(&self) -> Option<i32> {
        let count = i32::try_from(self.steps().len()).unwrap_or(i32::MAX);
        (count > 0).then_some(count)
    }

    /// Whether weights are set on a router rather than approximated by pods.
    pub(super) fn is_routed(&self) -> bool {
        self.canary().is_some_and(|canary| canary.is_routed)
    }

    /// The weight that stands for all traffic.
    pub(super) fn max_weight(&self) -> i32 {
        self.canary().map_or(WEIGHT_MAX_DEFAULT, |canary| canary.total_weight)
    }

    /// The ReplicaSet that the active Service selects, as `status` has it.
    pub(super) fn active_replica_set(&self, status: &RolloutStatus) -> Option<&'a ReplicaSetView> {
        let active = status.blue_green.active_selector.as_deref();
        self.owned.iter().copied().find(|rs| active == Some(rs.hash()))
    }

    pub(super) fn service(&self, name: &str) -> Option<&'a ServiceView> {
        self.snapshot.services.get(name)
    }

    /// The number of the current template's revision.
    pub(super) fn revision(&self) -> i64 {
        let next = self.older().map(ReplicaSetView::revision).max().unwrap_or(0).saturating_add(1);
        self.new_rs.map_or(next, |rs| rs.revision().max(next))
    }

    pub(super) fn available_total(&self) -> i32 {
        total(self.owned.iter().map(|rs| rs.status.available))
    }
}

fn step_hash(spec: &ValidRollout<'_>) -> String {
    match &spec.strategy {
        Strategy::Canary(canary) => canary.step_hash.clone(),
        Strategy::BlueGreen(_) => String::new(),
    }
}

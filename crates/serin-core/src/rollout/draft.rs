//! A plan in the making: ops, Events, pauses and the next status are collected here and closed into a [`Plan`].

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::context::Context;
use super::snapshot::{Identity, PodView, ReplicaSetView, ServiceView};
use super::{capacity, hold};
use crate::api::rollout_status::RolloutDuration;
use crate::api::{PauseReason, RolloutStatus, keys};
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Action, ObjectKind, Op, Plan, Purpose, Stage, StageName, StatusWrite, Wake};
use serin_values::merge_patch::merge_patch;

/// What is to happen to the pauses and the abort that the status records.
#[derive(Debug, Default)]
pub(super) struct PauseChanges {
    /// Nothing is to remain.
    pub(super) clear: bool,
    /// The user ended a pause, but what follows from that cannot be done yet: keep the record of it.
    pub(super) hold_resume: bool,
    /// These end.
    pub(super) remove: Vec<PauseReason>,
    /// These begin.
    pub(super) add: Vec<PauseReason>,
    /// The update is to be given up, with the reason.
    pub(super) abort: Option<String>,
    /// An abort is to be forgotten.
    pub(super) remove_abort: bool,
}

/// A plan in the making.
#[derive(Debug)]
pub(super) struct Draft {
    rollout: Identity,
    ops: Vec<Op>,
    stage_events: BTreeMap<StageName, Vec<EventNote>>,
    first_events: Vec<EventNote>,
    /// The update that ends with the status.
    pub(super) ended: Option<RolloutDuration>,
    status_events: Vec<EventNote>,
    last_events: Vec<EventNote>,
    notes: Vec<String>,
    wake: Wake,
    held: bool,
    /// The pause of the step is over, and the plan goes on with the next step.
    pub(super) left_step: bool,
    /// The status to come; starts as the one that was read.
    pub(super) status: RolloutStatus,
    /// The status to come if a write of this plan fails.
    pub(super) observed: RolloutStatus,
    pub(super) pauses: PauseChanges,
}

impl Draft {
    pub(super) fn new(rollout: Identity, status: RolloutStatus) -> Self {
        Self {
            rollout,
            ops: Vec::new(),
            stage_events: BTreeMap::new(),
            first_events: Vec::new(),
            ended: None,
            status_events: Vec::new(),
            last_events: Vec::new(),
            notes: Vec::new(),
            wake: Wake::OnChange,
            held: false,
            left_step: false,
            observed: status.clone(),
            status,
            pauses: PauseChanges::default(),
        }
    }

    pub(super) fn push(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Patches an object; patches of one object become one request, and one that goes gets none.
    fn patch(
        &mut self,
        kind: ObjectKind,
        id: &Identity,
        patch: &Value,
        purpose: Purpose,
        events: Vec<EventNote>,
    ) {
        let earlier = self.ops.iter_mut().find(|op| op.kind == kind && op.name == id.name);
        match earlier {
            Some(Op { action: Action::Patch { patch: earlier, .. }, purposes, events: told, .. }) => {
                merge_into(earlier, patch);
                purposes.push(purpose);
                told.extend(events);
                return;
            }
            Some(Op { action: Action::Delete { .. } | Action::Evict { .. }, .. }) => return,
            Some(Op { action: Action::Create { .. }, .. }) | None => {}
        }
        self.ops.push(Op {
            kind,
            name: id.name.clone(),
            action: Action::Patch { precondition: id.precondition(), patch: patch.clone() },
            purposes: vec![purpose],
            events,
        });
    }

    pub(super) fn patch_rollout(&mut self, patch: &Value, purpose: Purpose, events: Vec<EventNote>) {
        let id = self.rollout.clone();
        self.patch(ObjectKind::Rollout, &id, patch, purpose, events);
    }

    pub(super) fn patch_replica_set(&mut self, rs: &ReplicaSetView, patch: &Value, purpose: Purpose) {
        self.patch(ObjectKind::ReplicaSet, &rs.id, patch, purpose, Vec::new());
    }

    pub(super) fn patch_pod(&mut self, pod: &PodView, patch: &Value) {
        self.patch(ObjectKind::Pod, &pod.id, patch, Purpose::LabelPod, Vec::new());
    }

    /// Gives a ReplicaSet a size and records for which size of the Rollout. True if the size changes. One whose pods alone
    /// serve keeps them.
    pub(super) fn scale(
        &mut self,
        cx: &Context<'_>,
        rs: &ReplicaSetView,
        to: i32,
        keep_deadline: bool,
    ) -> bool {
        let to = if to == 0 && capacity::is_needed(cx, self, rs) { rs.replicas } else { to };
        let drop_deadline =
            to == 0 && !keep_deadline && rs.annotations.contains_key(keys::SCALE_DOWN_DEADLINE);
        let is_recorded = rs.desired_replicas() == Some(cx.replicas);
        if rs.replicas == to && is_recorded && !drop_deadline {
            return false;
        }
        let mut patch =
            json!({"metadata": {"annotations": {keys::DESIRED_REPLICAS: cx.replicas.to_string()}}});
        if cx.is_new(rs) && !cx.is_pinned {
            let record = cx.identity.record(rs).annotations;
            patch["metadata"]["annotations"]
                .as_object_mut()
                .into_iter()
                .for_each(|all| all.extend(record.clone()));
        }
        if drop_deadline {
            patch["metadata"]["annotations"][keys::SCALE_DOWN_DEADLINE] = Value::Null;
        }
        if rs.replicas == to {
            self.patch_replica_set(rs, &patch, Purpose::SyncReplicaSet);
            return false;
        }
        patch["spec"] = json!({"replicas": to});
        let direction = if to > rs.replicas { "up" } else { "down" };
        // The revision may be written in the same plan.
        let revision = if cx.is_new(rs) { cx.revision() } else { rs.revision() };
        let message = format!(
            "Scaled {direction} ReplicaSet {} (revision {revision}) from {} to {to}",
            rs.id.name, rs.replicas,
        );
        let purpose = Purpose::ScaleReplicaSet { from: rs.replicas, to };
        let event = EventNote::new(EventReason::ScalingReplicaSet, message);
        self.patch(ObjectKind::ReplicaSet, &rs.id, &patch, purpose, vec![event]);
        true
    }

    pub(super) fn evict(&mut self, pod: &PodView, rs: &ReplicaSetView) {
        self.push(Op {
            kind: ObjectKind::Pod,
            name: pod.id.name.clone(),
            action: Action::Evict {
                precondition: pod.id.precondition(),
                replica_set: rs.id.name.clone(),
                available: rs.status.available,
            },
            purposes: vec![Purpose::EvictPod],
            events: Vec::new(),
        });
    }

    pub(super) fn delete_replica_set(&mut self, rs: &ReplicaSetView) {
        self.push(Op {
            kind: ObjectKind::ReplicaSet,
            name: rs.id.name.clone(),
            action: Action::Delete { precondition: rs.id.precondition() },
            purposes: vec![Purpose::DeleteReplicaSet],
            events: Vec::new(),
        });
    }

    /// Makes a Service select the pods of one revision only.
    pub(super) fn point(&mut self, cx: &Context<'_>, service: &ServiceView, to: &str) {
        let from = service.selected_hash().unwrap_or_default().to_owned();
        let mut patch = json!({"spec": {"selector": {keys::POD_HASH_LABEL: to}}});
        if service.managed_by.is_none() {
            patch["metadata"] = json!({"annotations": {keys::MANAGED_BY_ROLLOUTS: cx.spec.name()}});
        }
        let message = format!("Switched selector for service '{}' from '{from}' to '{to}'", service.id.name);
        let event = EventNote::new(EventReason::SwitchService, message);
        let purpose = Purpose::PointService { from, to: to.to_owned() };
        self.patch(ObjectKind::Service, &service.id, &patch, purpose, vec![event]);
    }

    /// Gives a Service back to its user.
    pub(super) fn release(&mut self, service: &ServiceView) {
        let patch = json!({
            "metadata": {"annotations": {keys::MANAGED_BY_ROLLOUTS: Value::Null}},
            "spec": {"selector": {keys::POD_HASH_LABEL: Value::Null}},
        });
        self.patch(ObjectKind::Service, &service.id, &patch, Purpose::ReleaseService, Vec::new());
    }

    /// An Event that is sent once the ops of `stage` have succeeded.
    pub(super) fn tell_after(&mut self, stage: StageName, reason: EventReason, message: impl Into<String>) {
        self.stage_events.entry(stage).or_default().push(EventNote::new(reason, message));
    }

    /// An Event that is sent once the status has been written.
    pub(super) fn tell(&mut self, reason: EventReason, message: impl Into<String>) {
        self.status_events.push(EventNote::new(reason, message));
    }

    /// An Event that is sent once the status has been written, before those of the ops: of something that ended.
    pub(super) fn tell_first(&mut self, reason: EventReason, message: impl Into<String>) {
        self.first_events.push(EventNote::new(reason, message));
    }

    /// An Event that is sent once the status has been written, after all others.
    pub(super) fn tell_last(&mut self, reason: EventReason, message: impl Into<String>) {
        self.last_events.push(EventNote::new(reason, message));
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Decide again at that time at the latest.
    pub(super) fn wake_at(&mut self, time: jiff::Timestamp) {
        self.wake = self.wake.earliest(Wake::At(time));
    }

    /// Whether the update was given up before, and that is not to be forgotten.
    pub(super) fn is_aborted(&self, cx: &Context<'_>) -> bool {
        cx.status.abort && !self.pauses.remove_abort
    }

    /// Whether the plan so far changes the size of a ReplicaSet.
    pub(super) fn is_scaling(&self) -> bool {
        self.purposes().any(|p| matches!(p, Purpose::ScaleReplicaSet { .. }))
    }

    /// The size of a ReplicaSet once the plan so far is carried out.
    pub(super) fn planned_size(&self, rs: &ReplicaSetView) -> i32 {
        let of_rs = |op: &&Op| op.kind == ObjectKind::ReplicaSet && op.name == rs.id.name;
        let mut purposes = self.ops.iter().filter(of_rs).flat_map(|op| &op.purposes);
        let planned =
            purposes.find_map(|p| if let Purpose::ScaleReplicaSet { to, .. } = p { Some(*to) } else { None });
        planned.unwrap_or(rs.replicas)
    }

    /// Whether the plan so far makes a ReplicaSet.
    pub(super) fn is_creating(&self) -> bool {
        self.purposes().any(|p| matches!(p, Purpose::CreateReplicaSet))
    }

    /// The hash that the selector of a Service has once the plan is carried out.
    pub(super) fn selected_hash(&self, service: &ServiceView) -> String {
        let switched =
            self.ops.iter().filter(|op| op.kind == ObjectKind::Service && op.name == service.id.name);
        let mut purposes = switched.flat_map(|op| &op.purposes);
        let to = purposes
            .find_map(|p| if let Purpose::PointService { to, .. } = p { Some(to.clone()) } else { None });
        to.or_else(|| service.selected_hash().map(str::to_owned)).unwrap_or_default()
    }

    fn purposes(&self) -> impl Iterator<Item = &Purpose> {
        self.ops.iter().flat_map(|op| &op.purposes)
    }

    /// A plan that does nothing yet, and is made again at `until` at the latest.
    pub(super) fn wait(self, until: jiff::Timestamp) -> Plan {
        let mut plan = Plan::nothing(self.rollout.precondition());
        plan.status.held = true;
        plan.wake = Wake::At(until);
        plan
    }

    /// Keeps the status for a later write if nothing in it is waited for, and nothing is told about it.
    pub(super) fn hold(&mut self, cx: &Context<'_>) {
        let tells = [&self.first_events, &self.status_events, &self.last_events];
        if tells.iter().any(|events| !events.is_empty()) {
            return;
        }
        let before = cx.snapshot.rollout.status.as_ref();
        let wait = hold::Wait {
            held_since: cx.snapshot.held_since,
            now: cx.now,
            longest: cx.spec.progress_deadline / 10,
            evicts: self.purposes().any(|p| *p == Purpose::EvictPod),
        };
        if let Some(until) = hold::until(before, &self.status, &wait) {
            self.held = true;
            self.wake_at(until);
        }
    }

    /// Forgets everything that was collected, in favour of the status `before`.
    pub(super) fn start_over(&mut self, before: &RolloutStatus) {
        *self = Self::new(self.rollout.clone(), before.clone());
    }

    /// The plan, with the status write that leads from `before` to the status collected here.
    pub(super) fn close(self, before: Option<&RolloutStatus>) -> Plan {
        let mut stages = BTreeMap::<StageName, Stage>::new();
        let empty = |name| Stage { name, ops: Vec::new(), events: Vec::new() };
        for op in self.ops {
            stages.entry(op.stage()).or_insert_with_key(|name| empty(*name)).ops.push(op);
        }
        for (name, events) in self.stage_events {
            stages.entry(name).or_insert_with_key(|name| empty(*name)).events = events;
        }
        let mut status = status_write(before, &self.status, &self.observed);
        status.ended = self.ended;
        status.first = self.first_events;
        status.events = [self.status_events, self.last_events].concat();
        if self.held {
            status.held = true;
            status.patch = Value::Null;
        }
        Plan {
            rollout: self.rollout.precondition(),
            stages: stages.into_values().collect(),
            status,
            notes: self.notes,
            wake: self.wake,
        }
    }
}

fn merge_into(earlier: &mut Value, patch: &Value) {
    // Nulls of an earlier patch are deletions that must stay, so the two are merged by key rather than applied.
    match (earlier.as_object_mut(), patch.as_object()) {
        (Some(map), Some(changes)) => {
            for (key, change) in changes {
                merge_into(map.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        (Some(_) | None, Some(_) | None) => *earlier = patch.clone(),
    }
}

/// The write that leads from one status, or from none, to the next.
fn status_write(
    before: Option<&RolloutStatus>,
    next: &RolloutStatus,
    observed: &RolloutStatus,
) -> StatusWrite {
    let mut routed = Value::Null;
    if before.map(|status| &status.canary.weights) != Some(&next.canary.weights) {
        let mut with_weights = observed.clone();
        with_weights.canary.weights.clone_from(&next.canary.weights);
        routed = status_patch(before, &with_weights);
    }
    StatusWrite {
        patch: status_patch(before, next),
        observed: status_patch(before, observed),
        routed,
        ..StatusWrite::nothing()
    }
}

fn status_patch(before: Option<&RolloutStatus>, next: &RolloutStatus) -> Value {
    let json = |status: &RolloutStatus| serde_json::to_value(status).unwrap_or_default();
    let is_same = before.map_or_else(|| *next == RolloutStatus::default(), |before| before == next);
    if is_same {
        return Value::Null;
    }
    merge_patch(&before.map_or(Value::Null, json), &json(next))
        .map_or(Value::Null, |patch| json!({"status": patch}))
}

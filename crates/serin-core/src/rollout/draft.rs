//! A plan in the making: ops, Events, pauses and the next status are collected here and closed into a [`Plan`].

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::context::Context;
use super::hold;
use super::snapshot::{Identity, PodView, ReplicaSetView, ServiceView};
use crate::api::RolloutStatus;
use crate::api::rollout_status::RolloutDuration;
use crate::domain::event::{EventNote, EventReason};
use crate::domain::plan::{Action, ObjectKind, Op, Plan, Purpose, Stage, StageName, StatusWrite, Wake};
use serin_values::merge_patch::merge_patch;

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
    /// The status to come; starts as the one that was read.
    pub(super) status: RolloutStatus,
    /// The status to come if a write of this plan fails.
    pub(super) observed: RolloutStatus,
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
            observed: status.clone(),
            status,
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
            namespace: None,
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

    /// Changes the size of a ReplicaSet by `patch`.
    pub(super) fn scale_replica_set(
        &mut self,
        rs: &ReplicaSetView,
        patch: &Value,
        to: i32,
        event: EventNote,
    ) {
        let purpose = Purpose::ScaleReplicaSet { from: rs.replicas, to };
        self.patch(ObjectKind::ReplicaSet, &rs.id, patch, purpose, vec![event]);
    }

    pub(super) fn patch_service(
        &mut self,
        service: &ServiceView,
        patch: &Value,
        purpose: Purpose,
        events: Vec<EventNote>,
    ) {
        self.patch(ObjectKind::Service, &service.id, patch, purpose, events);
    }

    pub(super) fn evict(&mut self, pod: &PodView, rs: &ReplicaSetView) {
        self.push(Op {
            kind: ObjectKind::Pod,
            namespace: None,
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
            namespace: None,
            name: rs.id.name.clone(),
            action: Action::Delete { precondition: rs.id.precondition() },
            purposes: vec![Purpose::DeleteReplicaSet],
            events: Vec::new(),
        });
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
            evicts: self.ops.iter().any(|op| op.purposes.contains(&Purpose::EvictPod)),
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
            seen: self.rollout.precondition(),
            stages: stages.into_values().collect(),
            status,
            effects: Vec::new(),
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

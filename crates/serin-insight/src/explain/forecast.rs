//! Runs the controller's next decisions in a model where pods become available at once and users end every pause.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::picture::Picture;
use super::writes::{self, Write};
use crate::rounding;
use crate::standing::Standing;
use serin_core::api::{Rollout, RolloutPhase, RolloutStatus};
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::{ObjectKind, Plan, Wake};
use serin_core::domain::time::whole_seconds;
use serin_core::guard;
use serin_core::rollout::decide;
use serin_core::rollout::snapshot::{Remembered, Snapshot};
use serin_core::rollout::workload::WorkloadKind;
use serin_machine::carry::Carrying;
use serin_machine::object::RawObject;
use serin_machine::observe::Observed;
use serin_machine::request::{Request, Verb};
use serin_values::merge_patch::apply_merge_patch;
use serin_values::time::after;

/// The maximum number of decisions. A longer forecast is stopped.
const DECISIONS_MAX: usize = 1000;

/// The controller's actions if everything succeeds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forecast {
    /// The next writes, in order, until the Rollout waits for time or for a user.
    pub next: Vec<Write>,
    /// The maximum number of pods of the ReplicaSets.
    pub peak_pods: i64,
    /// The minimum duration.
    pub times: Times,
    /// The number of pauses that only a user ends.
    pub user_pauses: u32,
    /// The end.
    pub end: End,
}

/// The end of a forecast.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum End {
    /// Settled: the Rollout is Healthy, or an aborted update is rolled back.
    Reached,
    /// Stuck: nothing happens any more, but the Rollout is not settled. It keeps this phase and message.
    Stuck(Standing),
    /// Stopped before the end.
    #[default]
    Unseen,
    /// Not valid, because this assumption does not hold.
    Void(Assumption),
}

/// An assumption of a forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assumption {
    /// There is progress within `progressDeadlineSeconds`.
    Progress,
    /// The API server accepts writes.
    Writes,
}

impl End {
    /// The end for a Rollout without further writes. `was_aborted` is true if the forecast started with an abort.
    fn of(rollout: &Rollout, was_aborted: bool) -> Self {
        let standing = Standing::of(rollout);
        let is_aborted = rollout.status.as_ref().is_some_and(|status| status.abort);
        match standing.phase {
            RolloutPhase::Healthy => Self::Reached,
            RolloutPhase::Degraded if is_aborted && was_aborted => Self::Reached,
            RolloutPhase::Degraded | RolloutPhase::Paused | RolloutPhase::Progressing => {
                Self::Stuck(standing)
            }
        }
    }
}

/// The minimum durations of timed waits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Pauses with a duration.
    pub pauses: SignedDuration,
    /// Waits for `minReadySeconds`.
    pub ready: SignedDuration,
    /// Delays before old or aborted pods are scaled down.
    pub delays: SignedDuration,
}

impl Times {
    /// The total in whole seconds.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.pauses.saturating_add(self.ready).saturating_add(self.delays).as_secs()
    }
}

/// Runs the forecast. `left` is the remaining part of `minReadySeconds` for pods that are already ready, if known.
#[must_use]
pub(super) fn forecast(picture: &Picture, left: Option<SignedDuration>) -> Forecast {
    let mut world = World {
        picture: picture.clone(),
        // Stored times have no fractions of a second, so delays are as long as in the spec.
        now: whole_seconds(picture.explain.time).0,
        left: left.map(rounding::left),
        is_told: true,
        forecast: Forecast::default(),
    };
    world.forget_later_restart();
    world.run();
    world.forecast
}

struct World {
    picture: Picture,
    now: Timestamp,
    /// The remaining part of `minReadySeconds` for the first pods.
    left: Option<SignedDuration>,
    /// True while the writes belong to the next stretch.
    is_told: bool,
    forecast: Forecast,
}

impl World {
    fn run(&mut self) {
        let mut was_aborted = None;
        for _ in 0..DECISIONS_MAX {
            // Writes status counts at once, because no one waits for the delayed write.
            let held_since = Some(Timestamp::UNIX_EPOCH);
            let remembered = Remembered { held_since, ..Remembered::default() };
            let Ok(Observed::Complete(snapshot)) = self.picture.observe(remembered) else { return };
            let plan = decide(&snapshot, self.now);
            self.count_pods(&snapshot);
            let is_aborted = snapshot.rollout.status.as_ref().is_some_and(|status| status.abort);
            let was_aborted = *was_aborted.get_or_insert(is_aborted);
            if guard::check(&snapshot, &plan).is_err() {
                return;
            }
            let acts = plan.ops().next().is_some() || !plan.status.patch.is_null();
            if acts {
                self.carry_out(&snapshot.rollout, &plan);
            }
            let moved = self.settle(&snapshot) || acts || self.pass_time(&snapshot, &plan);
            if !moved {
                self.forecast.end = End::of(&snapshot.rollout, was_aborted);
                return;
            }
        }
    }

    fn count_pods(&mut self, snapshot: &Snapshot) {
        let own: i64 = snapshot.replica_sets.iter().map(|rs| i64::from(rs.replicas)).sum();
        let workload = snapshot.workload.as_ref().and_then(|workload| workload.as_ref().ok());
        let others = workload.filter(|workload| workload.kind != WorkloadKind::PodTemplate);
        let pods = own + others.map_or(0, |workload| i64::from(workload.replicas));
        self.forecast.peak_pods = self.forecast.peak_pods.max(pods);
    }

    fn tell(&mut self, writes: Vec<Write>) {
        if self.is_told {
            self.forecast.next.extend(writes);
        }
    }

    /// Applies the plan as if every request succeeded.
    fn carry_out(&mut self, rollout: &Rollout, plan: &Plan) {
        for op in plan.ops() {
            self.tell(writes::of_op(op));
        }
        let about = &self.picture.explain;
        let object = ObjectRef::new(ObjectKind::Rollout, &about.namespace, &about.rollout);
        let mut carrying = Carrying::new(plan, &object);
        while let Some((ticket, request)) = carrying.next_request() {
            if matches!(request.verb, Verb::PatchStatus { .. }) {
                self.write_status(rollout, &request.verb);
            } else {
                self.apply(request);
            }
            carrying.answered(ticket, Ok(RawObject::default()));
        }
    }

    fn write_status(&mut self, rollout: &Rollout, verb: &Verb) {
        let before = rollout.status.clone().unwrap_or_default();
        if let (Some(stored), Verb::PatchStatus { patch, .. }) = (self.picture.rollout_mut(), verb) {
            *stored = apply_merge_patch(stored, patch);
            let next: RolloutStatus = serde_json::from_value(stored["status"].clone()).unwrap_or_default();
            let (changes, is_end) = writes::of_status(rollout, &before, &next);
            self.tell(changes);
            self.is_told &= !is_end;
        }
    }

    fn apply(&mut self, Request { target: ObjectRef { kind, key }, verb }: Request) {
        let (now, name) = (self.now, key.name.as_str());
        match &verb {
            Verb::Create { body } => {
                let made = json!({
                    "kind": kind.name(),
                    "metadata": {"name": name, "uid": name, "creationTimestamp": now, "generation": 1},
                });
                self.picture.add([apply_merge_patch(body, &made)]);
            }
            Verb::Patch { patch, .. } | Verb::PatchStatus { patch, .. } => {
                if let Some(object) = self.picture.find_mut(kind, name) {
                    change(object, patch);
                }
            }
            Verb::Delete { .. } => {
                let is_it = |one: &Value| one["kind"] == kind.name() && one["metadata"]["name"] == name;
                self.picture.items.retain(|one| !is_it(one));
            }
            Verb::Evict { .. } => {
                if let Some(pod) = self.picture.find_mut(kind, name) {
                    // A new pod replaces it at once.
                    pod["metadata"]["creationTimestamp"] = json!(now);
                }
            }
            Verb::Read => {}
        }
    }

    /// Makes all wanted pods available and removes the others. Returns true if that changes anything.
    fn settle(&mut self, snapshot: &Snapshot) -> bool {
        let mut waits = SignedDuration::ZERO;
        let mut changes = false;
        for name in snapshot.replica_sets.iter().map(|rs| &rs.id.name) {
            let Some(object) = self.picture.find_mut(ObjectKind::ReplicaSet, name) else { continue };
            let size = object.pointer("/spec/replicas").and_then(Value::as_i64).unwrap_or(1);
            let generation = object["metadata"]["generation"].clone();
            let status = json!({
                "replicas": size, "readyReplicas": size, "availableReplicas": size, "fullyLabeledReplicas": size,
                "observedGeneration": generation,
            });
            let has_grown = object.pointer("/status/availableReplicas").and_then(Value::as_i64) < Some(size);
            if has_grown && size > 0 {
                let seconds = object.pointer("/spec/minReadySeconds").and_then(Value::as_i64).unwrap_or(0);
                waits = waits.max(SignedDuration::from_secs(seconds));
            }
            let number = |field: &str| object["status"][field].as_i64().unwrap_or(0);
            let is_settled = ["replicas", "readyReplicas", "availableReplicas"].map(number) == [size; 3]
                && object["status"]["observedGeneration"] == generation;
            changes |= !is_settled;
            object["status"] = status;
        }
        let waits = self.left.take().filter(|left| changes && *left < waits).unwrap_or(waits);
        self.forecast.times.ready = self.forecast.times.ready.saturating_add(waits);
        self.now = after(self.now, waits);
        let pods = self
            .picture
            .items
            .iter()
            .position(|one| one["kind"] == "Pod" && !one["metadata"]["deletionTimestamp"].is_null());
        if let Some(index) = pods {
            self.picture.items.remove(index);
            return true;
        }
        changes
    }

    /// Advances the time to the plan's next look, or lets a user end a pause. Returns true if there was something to
    /// wait for.
    fn pass_time(&mut self, snapshot: &Snapshot, plan: &Plan) -> bool {
        let status = snapshot.rollout.status.clone().unwrap_or_default();
        match plan.wake {
            Wake::At(time) if time > self.now && !snapshot.rollout.spec.paused => {
                let waits = time.duration_since(self.now);
                let times = &mut self.forecast.times;
                let kind =
                    if status.pause_conditions.is_empty() { &mut times.delays } else { &mut times.pauses };
                *kind = kind.saturating_add(waits);
                self.now = time;
                true
            }
            Wake::At(_) | Wake::OnChange => self.end_pause(snapshot, &status),
        }
    }

    fn end_pause(&mut self, snapshot: &Snapshot, status: &RolloutStatus) -> bool {
        let Some(rollout) = self.picture.rollout_mut() else { return false };
        let patch = if snapshot.rollout.spec.paused {
            json!({"spec": {"paused": false}})
        } else if !status.pause_conditions.is_empty() && status.controller_pause {
            json!({"status": {"pauseConditions": null}})
        } else {
            return false;
        };
        change(rollout, &patch);
        self.forecast.user_pauses += 1;
        true
    }

    /// Drops a restart that is scheduled for later.
    fn forget_later_restart(&mut self) {
        let now = self.now;
        let Some(rollout) = self.picture.rollout_mut() else { return };
        let at = rollout.pointer("/spec/restartAt").and_then(Value::as_str).and_then(|at| at.parse().ok());
        if at.is_some_and(|at: Timestamp| at > now) {
            change(rollout, &json!({"spec": {"restartAt": null}}));
        }
    }
}

/// Merges `patch` into an object as the API server does, including the generation.
fn change(object: &mut Value, patch: &Value) {
    let changed = apply_merge_patch(object, patch);
    let is_other = changed["spec"] != object["spec"];
    *object = changed;
    if is_other {
        let generation = object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or(0);
        object["metadata"]["generation"] = json!(generation + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rollout_with_nothing_left_to_do_is_at_its_end() {
        let stuck = |phase, message: &str| End::Stuck(Standing { phase, message: message.to_owned() });
        for (status, was_aborted, end) in [
            (json!({"phase": "Healthy"}), false, End::Reached),
            (json!({"phase": "Degraded", "message": "why", "abort": true}), true, End::Reached),
            // A good update that would be aborted at its deadline.
            (
                json!({"phase": "Degraded", "message": "why", "abort": true}),
                false,
                stuck(RolloutPhase::Degraded, "why"),
            ),
            (json!({"phase": "Degraded", "message": "why"}), false, stuck(RolloutPhase::Degraded, "why")),
            (
                json!({"phase": "Progressing", "message": "old pods"}),
                false,
                stuck(RolloutPhase::Progressing, "old pods"),
            ),
            (json!({"phase": "Paused"}), true, stuck(RolloutPhase::Paused, "")),
        ] {
            let rollout = json!({"metadata": {"name": "demo"}, "spec": {}, "status": status});
            let rollout = serde_json::from_value(rollout).unwrap();
            assert_eq!(End::of(&rollout, was_aborted), end, "{status}");
        }
    }
}

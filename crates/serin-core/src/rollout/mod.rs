//! What to do about a Rollout: [`decide`] and its parts.
//!
//! Everything here is a pure function of what was observed and of the time. A decision looks at one [`Snapshot`] and
//! gives one [`Plan`]; carrying the plan out changes the world, and the next snapshot shows it. A plan is never a
//! step of a script that has to be finished: whatever was lost on the way is decided again.

mod anti_affinity;
mod blue_green;
mod canary;
mod capacity;
mod conditions;
mod context;
mod draft;
mod duration;
mod hold;
mod keep;
pub mod labels;
mod metadata;
mod outcome;
mod pauses;
pub mod phase;
mod progress;
mod promotion;
mod replica_set;
mod requests;
mod restart;
mod revision;
mod rollback;
mod scale;
mod selections;
mod sizes;
pub mod snapshot;
mod status;
mod takeover;
pub mod valid;
pub mod validate;
mod views;
pub mod workload;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::api::{Rollout, RolloutStatus};
use crate::domain::event::EventReason;
use crate::domain::object::{ObjectKey, ObjectRef};
use crate::domain::plan::{ObjectKind, Plan, Purpose, StageName};
use crate::traffic;
pub use conditions::{abort_reason, invalid_reason};
use context::Context;
use draft::Draft;
use snapshot::{Identity, ServiceView, Snapshot};
use valid::Strategy;
use workload::{WorkloadKind, WorkloadName};

/// The objects beside its ReplicaSets that a decision about a Rollout looks at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObservedKeys {
    /// Those that it names: Services, what its routers read and write, the workload that its template comes from.
    pub objects: BTreeSet<ObjectRef>,
    /// Whether the Pods of its ReplicaSets are looked at.
    pub pods: bool,
}

impl ObservedKeys {
    /// The objects of `kind`.
    pub fn of_kind(&self, kind: ObjectKind) -> impl Iterator<Item = &ObjectKey> {
        self.objects.iter().filter(move |object| object.kind == kind).map(|object| &object.key)
    }

    /// The names of the objects of `kind`.
    #[must_use]
    pub fn names(&self, kind: ObjectKind) -> BTreeSet<String> {
        self.of_kind(kind).map(|key| key.name.clone()).collect()
    }

    /// The workload that the template comes from.
    #[must_use]
    pub fn workload(&self) -> Option<&ObjectRef> {
        self.objects.iter().find(|object| WorkloadKind::observed_as(object.kind).is_some())
    }
}

/// Which objects a decision about `rollout` looks at.
#[must_use]
pub fn observed_keys(rollout: &Rollout) -> ObservedKeys {
    let canary = rollout.spec.strategy.canary.as_ref();
    let blue_green = rollout.spec.strategy.blue_green.as_ref();
    let of_canary = canary.map(|c| [c.stable_service.as_ref(), c.canary_service.as_ref()]);
    let of_blue_green = blue_green.map(|b| [Some(&b.active_service), b.preview_service.as_ref()]);
    let pair = canary.and_then(|c| c.ping_pong.as_ref());
    let of_pair = pair.map(|pair| [Some(&pair.ping_service), Some(&pair.pong_service)]);
    let services = of_canary.into_iter().chain(of_blue_green).chain(of_pair).flatten().flatten();
    let metadata = canary.is_some_and(|c| c.canary_metadata.is_some() || c.stable_metadata.is_some())
        || blue_green.is_some_and(|b| b.preview_metadata.is_some() || b.active_metadata.is_some());
    let restarted_at = rollout.status.as_ref().and_then(|s| s.restarted_at.as_ref());
    let restart_at = rollout.spec.restart_at.as_ref();
    let restarts = restart_at.is_some() && restart_at != restarted_at;
    let namespace = rollout.metadata.namespace.as_deref().unwrap_or_default();
    let service = |name: &String| ObjectRef::new(ObjectKind::Service, namespace, name);
    let services = services.filter(|name| !name.is_empty()).map(service);
    let routed = traffic::routers(rollout).into_iter().flat_map(|router| router.observe_keys());
    let workload = rollout.spec.workload_ref.as_ref().and_then(WorkloadName::of);
    let workload = workload.map(|named| ObjectRef::new(named.kind.observed(), namespace, named.name));
    ObservedKeys { objects: services.chain(routed).chain(workload).collect(), pods: metadata || restarts }
}

/// What to do now. Total: mistakes of users and missing objects become conditions in the plan's status.
#[must_use]
pub fn decide(snapshot: &Snapshot, now: Timestamp) -> Plan {
    let rollout = &snapshot.rollout;
    let id = Identity::of(rollout);
    if rollout.metadata.deletion_timestamp.is_some() {
        return Plan::nothing(id.precondition());
    }
    let before = status::sound(rollout, now);
    let mut draft = Draft::new(id, before.clone());
    let rollout = &*workload::filled(snapshot);
    let spec = match validate::check(snapshot, rollout) {
        Ok(spec) => spec,
        Err(refusal) => {
            let is_new = before.observed_generation != rollout.metadata.generation.map(|g| g.to_string());
            let arriving = hold::until_arrived(snapshot.held_since, now);
            return match (refusal, arriving) {
                (validate::Refusal::Reference(_), Some(until)) if is_new => draft.wait(until),
                (refusal, _) => refuse(draft, snapshot, &before, now, &refusal.to_string()),
            };
        }
    };
    if !spec.is_sized() {
        let (replicas, events) = takeover::default_replicas(snapshot);
        draft.patch_rollout(
            &json!({"spec": {"replicas": replicas}}),
            Purpose::DefaultReplicas(replicas),
            events,
        );
        return draft.close(rollout.status.as_ref());
    }
    let cx = Context::new(snapshot, &spec, &before, now);
    if replica_set::adopt(&cx, &mut draft) {
        return draft.close(rollout.status.as_ref());
    }
    if replica_set::avoid_collision(&cx, &mut draft) {
        return draft.close(rollout.status.as_ref());
    }
    announce(rollout, &before, &mut draft);
    release(&cx, &mut draft);
    takeover::record(&cx, &mut draft);
    let outcome = match &spec.strategy {
        Strategy::Canary(_) => canary::decide(&cx, &mut draft),
        Strategy::BlueGreen(strategy) => Ok(blue_green::decide(&cx, strategy, &mut draft)),
    };
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return refuse(draft, snapshot, &before, now, &error.to_string()),
    };
    takeover::scale_down(&cx, &outcome.sizes, &mut draft);
    status::finish(&cx, outcome, &mut draft);
    draft.hold(&cx);
    draft.close(rollout.status.as_ref())
}

/// How long an update of `rollout` may come no further before it counts as stuck.
#[must_use]
pub fn progress_deadline(rollout: &Rollout) -> SignedDuration {
    rollout.spec.progress_deadline()
}

/// Why [`decide`] writes nothing but a condition about the spec, if that is so before any router was asked.
#[must_use]
pub fn refusal(snapshot: &Snapshot) -> Option<validate::Refusal> {
    validate::check(snapshot, &workload::filled(snapshot)).err()
}

/// A Rollout without a status has not been seen before.
fn announce(rollout: &Rollout, before: &RolloutStatus, draft: &mut Draft) {
    if before.phase.is_none() && before.conditions.is_empty() {
        let (namespace, name) = (&rollout.metadata.namespace, &rollout.metadata.name);
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let message = format!("Rollout resource added to informer: {}/{}", text(namespace), text(name));
        draft.tell_after(StageName::Announce, EventReason::RolloutAddedToInformer, message);
    }
}

/// Services that the Rollout managed and names no longer select all of its pods again, and canary Ingresses that no
/// router of its refers to any more get no more traffic.
fn release(cx: &Context<'_>, draft: &mut Draft) {
    let named = observed_keys(&cx.snapshot.rollout);
    let is_named =
        |service: &&ServiceView| named.of_kind(ObjectKind::Service).any(|key| key.name == service.id.name);
    let unnamed = cx.snapshot.services.values().filter(|service| !is_named(service));
    unnamed
        .filter(|service| service.managed_by.is_some())
        .for_each(|service| selections::release(service, draft));
    let unnamed = cx.snapshot.objects.iter().filter(|(object, _)| !named.objects.contains(object));
    let releases = unnamed.filter_map(|(_, object)| traffic::withdraw(cx.spec.uid(), object));
    releases.for_each(|op| draft.push(op));
}

/// A condition that says what is wrong with the spec, until the spec or the world changes; what runs is kept.
fn refuse(mut draft: Draft, snapshot: &Snapshot, before: &RolloutStatus, now: Timestamp, why: &str) -> Plan {
    let rollout = &snapshot.rollout;
    draft.start_over(before);
    announce(rollout, before, &mut draft);
    keep::keep(snapshot, before, now, &mut draft);
    let name = rollout.metadata.name.as_deref().unwrap_or_default();
    for status in [&mut draft.status, &mut draft.observed] {
        conditions::set_invalid(status, now, name, why);
        status.observed_generation = rollout.metadata.generation.map(|g| g.to_string());
        phase::derive(rollout, status);
    }
    draft.close(rollout.status.as_ref())
}

/// A Rollout whose JSON is not what the kind's types say.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Which one it is.
    pub id: Identity,
    /// `metadata.generation`.
    pub generation: i64,
    /// The whole object as it was received.
    pub object: Value,
    /// Where in the object the problem is, e.g. `spec.strategy.canary.steps[2].setWeight`.
    pub path: String,
    /// What is wrong there.
    pub problem: String,
}

/// What to do about a Rollout that cannot be read: a condition that says where and why, and nothing else.
///
/// A status that can itself not be read is left alone but for its conditions, phase and message.
#[must_use]
pub fn decide_unreadable(rollout: &Unreadable, now: Timestamp) -> Plan {
    let status = rollout.object.get("status").cloned().unwrap_or_default();
    let conditions = status.get("conditions").cloned().unwrap_or_default();
    let before = RolloutStatus {
        conditions: serde_json::from_value(conditions).unwrap_or_default(),
        phase: serde_json::from_value(status.get("phase").cloned().unwrap_or_default()).unwrap_or_default(),
        message: status.get("message").and_then(Value::as_str).map(ToOwned::to_owned),
        observed_generation: status.get("observedGeneration").and_then(Value::as_str).map(ToOwned::to_owned),
        ..RolloutStatus::default()
    };
    let mut draft = Draft::new(rollout.id.clone(), before.clone());
    let why = format!("{}: {}", rollout.path, rollout.problem);
    conditions::set_invalid(&mut draft.status, now, &rollout.id.name, &why);
    draft.status.observed_generation = Some(rollout.generation.to_string());
    phase::derive(&Rollout::default(), &mut draft.status);
    draft.close(Some(&before))
}

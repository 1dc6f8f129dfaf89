//! Carrying out a [`Plan`] as a value: which request comes next, and what an answer means. Whoever drives it sends the
//! requests: the controller, the tests, a forecast.
//!
//! Stages come in order, then the status. A stage begins only when every op before it has succeeded. Ops of one stage do
//! not depend on each other: one that is refused does not keep the rest of its stage from being tried, since the refusal
//! is about that object alone. One that meets another state than it was decided on, or a server that does not answer,
//! ends the plan: what is left would act on a picture that is known to be wrong.
//!
//! Writes of the primary object itself come first in their stage. They fail when the object has changed since it was
//! read, and so keep the rest of the plan from acting on what nobody asks for any more.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::failure::WriteError;
use crate::freshness::{Trace, Write};
use crate::object::RawObject;
use crate::request::{Request, Verb};
use serin_core::api::keys;
use serin_core::api::rollout_status::RolloutDuration;
use serin_core::domain::event::EventNote;
use serin_core::domain::object::ObjectRef;
use serin_core::domain::plan::{Action, ObjectKind, Op, Plan, Precondition, Stage, StageName};
use serin_core::rollout::snapshot::{Failure, FailureCause};

/// How many Pods are written at the same time.
const POD_CONCURRENCY: usize = 10;

/// How far a plan got.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// Everything was carried out.
    Done,
    /// An object was not in the state that the plan was decided on.
    Conflict(String),
    /// A request may go well next time.
    Transient(String),
    /// The namespace is being deleted.
    NamespaceEnds(String),
    /// The API server refused a request; it is the first that it refused.
    Refused(Failure),
}

/// What carrying out a plan has done.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The writes that succeeded, in order.
    pub writes: Vec<Write>,
    /// The Events that are due, in order.
    pub events: Vec<EventNote>,
    /// The update that ended, if its end was written.
    pub ended: Option<RolloutDuration>,
    /// How far it got.
    pub ending: Ending,
}

/// Which request an answer belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(usize);

/// A plan that is being carried out.
#[derive(Debug)]
pub struct Carrying<'p> {
    plan: &'p Plan,
    /// The primary object.
    object: &'p ObjectRef,
    /// What is left, the next last.
    left: Vec<Part<'p>>,
    /// The requests that go side by side now.
    group: Vec<Attempt<'p>>,
    /// The states that earlier writes of this plan have made.
    newest: BTreeMap<ObjectRef, Precondition>,
    /// How many Pods each ReplicaSet has lost by evictions of this plan.
    lost: BTreeMap<String, i32>,
    /// Traffic has been moved.
    is_routed: bool,
    /// The rest of the stage is left out.
    is_skipping: bool,
    outcome: Outcome,
}

/// A part of a plan.
#[derive(Debug)]
enum Part<'p> {
    /// A stage begins, if nothing has gone wrong before.
    StageBegin,
    /// Ops that may go side by side.
    Group(Vec<&'p Op>),
    /// A stage ends; its Events follow if nothing has gone wrong.
    StageEnd(&'p Stage),
    /// The status.
    Status,
}

/// A request that is to be sent, was sent or was answered.
#[derive(Debug)]
struct Attempt<'p> {
    /// What it carries out; the status if nothing.
    op: Option<&'p Op>,
    request: Request,
    state: State,
}

#[derive(Debug)]
enum State {
    Unsent,
    Sent,
    /// The object is to be looked at, since the write met something: this. What it means depends on what is there.
    Looking(String),
    LookSent(String),
    Answered(Box<Result<RawObject, Ending>>),
}

impl<'p> Carrying<'p> {
    /// Begins with `plan` for the primary object `object`.
    #[must_use]
    pub fn new(plan: &'p Plan, object: &'p ObjectRef) -> Self {
        let outcome = Outcome { writes: Vec::new(), events: Vec::new(), ended: None, ending: Ending::Done };
        let (before, after): (Vec<_>, Vec<_>) =
            plan.stages.iter().partition(|stage| stage.name < StageName::Pods);
        let stages = |stages: Vec<&'p Stage>| stages.into_iter().flat_map(|stage| parts(stage, object.kind));
        let parts = stages(before).chain([Part::Status]).chain(stages(after));
        let mut left: Vec<_> = parts.collect();
        left.reverse();
        let (newest, lost) = (BTreeMap::new(), BTreeMap::new());
        Self {
            plan,
            object,
            left,
            group: Vec::new(),
            newest,
            lost,
            is_routed: false,
            is_skipping: false,
            outcome,
        }
    }

    /// A request that is to be sent now, beside those that were not answered yet. `None` means to wait for an answer or,
    /// where none is missing, that the plan has [ended](Self::end).
    pub fn next_request(&mut self) -> Option<(Ticket, Request)> {
        while self.group.is_empty() {
            match self.left.pop()? {
                Part::StageBegin => self.is_skipping = self.outcome.ending != Ending::Done,
                Part::Group(ops) if !self.is_skipping => {
                    self.group = ops.into_iter().map(|op| self.attempt(op)).collect();
                }
                Part::Group(_) => {}
                Part::StageEnd(stage) => self.end_stage(stage),
                Part::Status => self.begin_status(),
            }
        }
        let in_flight =
            self.group.iter().filter(|one| matches!(one.state, State::Sent | State::LookSent(_))).count();
        if in_flight >= POD_CONCURRENCY {
            return None;
        }
        let (place, attempt) = self
            .group
            .iter_mut()
            .enumerate()
            .find(|(_, one)| matches!(one.state, State::Unsent | State::Looking(_)))?;
        let Request { target, verb } = attempt.request.clone();
        let (verb, state) = match std::mem::replace(&mut attempt.state, State::Sent) {
            State::Looking(met) => (Verb::Read, State::LookSent(met)),
            State::Unsent | State::Sent | State::LookSent(_) | State::Answered(_) => (verb, State::Sent),
        };
        attempt.state = state;
        Some((Ticket(place), Request { target, verb }))
    }

    /// The answer to a request.
    pub fn answered(&mut self, Ticket(place): Ticket, answer: Result<RawObject, WriteError>) {
        let Some(attempt) = self.group.get_mut(place) else { return };
        attempt.state = match &attempt.state {
            State::LookSent(met) => State::Answered(Box::new(looked(&attempt.request, met, answer))),
            State::Unsent | State::Sent | State::Looking(_) | State::Answered(_) => {
                written(&attempt.request, answer)
            }
        };
        if self.group.iter().all(|one| matches!(one.state, State::Answered(_))) {
            self.end_group();
        }
    }

    /// What it has done.
    #[must_use]
    pub fn end(mut self) -> Outcome {
        if self.outcome.ending != Ending::Done && self.outcome.writes.is_empty() {
            // Nothing has happened, and the next attempt would tell it again.
            self.outcome.events.clear();
        }
        self.outcome
    }

    fn attempt(&self, op: &'p Op) -> Attempt<'p> {
        let namespace = op.namespace.as_ref().unwrap_or(&self.object.key.namespace);
        let target = ObjectRef::new(op.kind, namespace, &op.name);
        let newer = |decided_on: &Precondition| self.newest.get(&target).unwrap_or(decided_on).clone();
        let verb = match &op.action {
            Action::Create { body } => Verb::Create { body: body.clone() },
            Action::Patch { precondition, patch } => {
                Verb::Patch { precondition: newer(precondition), patch: patch.clone() }
            }
            Action::Delete { precondition } => Verb::Delete { precondition: newer(precondition) },
            Action::Evict { precondition, .. } => Verb::Evict { precondition: precondition.clone() },
        };
        Attempt { op: Some(op), request: Request { target, verb }, state: State::Unsent }
    }

    /// The whole status if everything before has succeeded; else what was observed and which weights were set, and nothing
    /// at all when the picture was wrong.
    fn begin_status(&mut self) {
        let status = &self.plan.status;
        let patch = match &self.outcome.ending {
            Ending::Done => &status.patch,
            Ending::Refused(_) | Ending::Transient(_) | Ending::Conflict(_)
                if self.is_routed && !status.routed.is_null() =>
            {
                &status.routed
            }
            Ending::Refused(_) | Ending::Transient(_) => &status.observed,
            Ending::Conflict(_) | Ending::NamespaceEnds(_) => return,
        };
        if patch.is_null() {
            return self.end_status();
        }
        let precondition = self.newest.get(self.object).unwrap_or(&self.plan.seen).clone();
        let verb = Verb::PatchStatus { precondition, patch: patch.clone() };
        let request = Request { target: self.object.clone(), verb };
        self.group = vec![Attempt { op: None, request, state: State::Unsent }];
    }

    fn end_status(&mut self) {
        if self.outcome.ending == Ending::Done {
            let status = &self.plan.status;
            self.outcome.events.splice(0..0, status.first.iter().cloned());
            self.outcome.events.extend(status.events.iter().cloned());
            self.outcome.ended.clone_from(&status.ended);
        }
    }

    fn end_stage(&mut self, stage: &Stage) {
        if self.outcome.ending == Ending::Done {
            self.is_routed |= stage.name == StageName::Route;
            self.outcome.events.extend(stage.events.iter().cloned());
        }
    }

    /// Every request of the group was answered: what that means, in their order.
    fn end_group(&mut self) {
        let (mut is_status, mut pods_alone) = (false, true);
        for Attempt { op, request, state } in std::mem::take(&mut self.group) {
            is_status |= op.is_none();
            pods_alone &= op.is_some_and(is_pod);
            let State::Answered(answer) = state else { continue };
            match (*answer, op) {
                (Ok(object), Some(op)) => self.succeeded(op, request.target, &object),
                (Ok(object), None) => self.wrote(request.target, &object),
                (Err(ending), _) => self.failed(ending),
            }
        }
        if is_status {
            return self.end_status();
        }
        // The versions of Pods change all the time, so that a conflict there says little about the rest.
        self.is_skipping = match &self.outcome.ending {
            Ending::Done | Ending::Refused(_) => false,
            Ending::Conflict(_) => !pods_alone,
            Ending::Transient(_) | Ending::NamespaceEnds(_) => true,
        };
    }

    fn succeeded(&mut self, op: &Op, target: ObjectRef, object: &RawObject) {
        self.outcome.events.extend(op.events.iter().cloned());
        match &op.action {
            Action::Delete { precondition } => self.removed(target, precondition),
            Action::Evict { precondition, replica_set, available } => {
                let of = ObjectRef::new(ObjectKind::ReplicaSet, &target.key.namespace, replica_set);
                self.removed(target, precondition);
                let lost = self.lost.entry(replica_set.clone()).or_default();
                *lost += 1;
                let trace = Trace::Reports { available: available - *lost };
                self.outcome.writes.push(Write { object: of, trace });
            }
            Action::Create { .. } | Action::Patch { .. } => self.wrote(target, object),
        }
    }

    fn removed(&mut self, object: ObjectRef, decided_on: &Precondition) {
        self.outcome.writes.push(Write { object, trace: Trace::Gone(decided_on.uid.clone()) });
    }

    fn wrote(&mut self, target: ObjectRef, object: &RawObject) {
        let (Some(uid), Some(version)) = (&object.metadata.uid, &object.metadata.resource_version) else {
            return;
        };
        let newest = Precondition { uid: uid.clone(), resource_version: version.clone() };
        self.newest.insert(target.clone(), newest);
        self.outcome.writes.push(Write { object: target, trace: Trace::Version(version.clone()) });
    }

    /// The first thing that goes wrong is the one that counts.
    fn failed(&mut self, ending: Ending) {
        if self.outcome.ending == Ending::Done {
            self.outcome.ending = ending;
        }
    }
}

/// The parts of a stage of a plan about an object of the kind `primary`.
fn parts(stage: &Stage, primary: ObjectKind) -> impl Iterator<Item = Part<'_>> {
    let (of_primary, of_others): (Vec<_>, Vec<_>) = stage.ops.iter().partition(|op| op.kind == primary);
    let ops = [of_primary, of_others].concat();
    let groups: Vec<_> =
        ops.chunk_by(|a, b| is_pod(a) && is_pod(b)).map(|group| Part::Group(group.to_vec())).collect();
    [Part::StageBegin].into_iter().chain(groups).chain([Part::StageEnd(stage)])
}

fn is_pod(op: &Op) -> bool {
    op.kind == ObjectKind::Pod
}

/// What the answer to a write means.
fn written(request: &Request, answer: Result<RawObject, WriteError>) -> State {
    match (answer, &request.verb) {
        (Ok(object), _) => State::Answered(Box::new(Ok(object))),
        (Err(WriteError::Conflict(met)), Verb::Delete { .. }) => State::Looking(met),
        (Err(error @ WriteError::AlreadyExists), _) => State::Looking(error.to_string()),
        (Err(error), _) => State::Answered(Box::new(Err(ending(&request.target, error)))),
    }
}

/// What it means that this is there, where a deletion met another state or an object was to be created.
fn looked(request: &Request, met: &str, found: Result<RawObject, WriteError>) -> Result<RawObject, Ending> {
    match (&request.verb, found) {
        (Verb::Delete { .. }, Err(WriteError::Conflict(_))) => Ok(RawObject::default()),
        (Verb::Delete { .. }, _) => Err(Ending::Conflict(met.to_owned())),
        (_, Ok(object)) => Err(Ending::Refused(in_the_way(&request.target, object))),
        (_, Err(error)) => Err(ending(&request.target, error)),
    }
}

/// What stands where an object was to be created.
fn in_the_way(target: &ObjectRef, mut object: RawObject) -> Failure {
    let owners = object.metadata.owner_references.unwrap_or_default();
    let owner_uid = owners.into_iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid);
    let template = object.spec.get_mut("template").map(Value::take).unwrap_or_default();
    let labels = object.metadata.labels.unwrap_or_default();
    let digest = object.metadata.annotations.and_then(|mut all| all.remove(keys::TEMPLATE_DIGEST));
    let has_hash = labels.get(keys::POD_HASH_LABEL).is_some_and(|hash| !hash.is_empty());
    let cause = FailureCause::AlreadyExists { owner_uid, template, digest, has_hash };
    Failure { kind: target.kind, name: target.key.name.clone(), cause }
}

/// How a plan ends when the write of that object fails with `error`.
fn ending(target: &ObjectRef, error: WriteError) -> Ending {
    let refused =
        |cause| Ending::Refused(Failure { kind: target.kind, name: target.key.name.clone(), cause });
    match error {
        WriteError::Conflict(message) => Ending::Conflict(message),
        WriteError::AlreadyExists => Ending::Conflict(error.to_string()),
        WriteError::Transient(message) => Ending::Transient(message),
        WriteError::NamespaceEnds(message) => Ending::NamespaceEnds(message),
        WriteError::Forbidden(message) => refused(FailureCause::Forbidden(message)),
        WriteError::Rejected(message) => refused(FailureCause::Rejected(message)),
    }
}

#[cfg(test)]
mod tests;

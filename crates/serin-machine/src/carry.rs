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
    Answered(Result<RawObject, Ending>),
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
            State::LookSent(met) => State::Answered(looked(&attempt.request, met, answer)),
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
        let precondition = self.newest.get(self.object).unwrap_or(&self.plan.rollout).clone();
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
            match (state, op) {
                (State::Answered(Ok(object)), Some(op)) => self.succeeded(op, request.target, &object),
                (State::Answered(Ok(object)), None) => self.wrote(request.target, &object),
                (State::Answered(Err(ending)), _) => self.failed(ending),
                (State::Unsent | State::Sent | State::Looking(_) | State::LookSent(_), _) => {}
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
        (Ok(object), _) => State::Answered(Ok(object)),
        (Err(WriteError::Conflict(met)), Verb::Delete { .. }) => State::Looking(met),
        (Err(error @ WriteError::AlreadyExists), _) => State::Looking(error.to_string()),
        (Err(error), _) => State::Answered(Err(ending(&request.target, error))),
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
mod tests {
    use serde_json::json;

    use super::*;
    use serin_core::domain::event::EventReason;
    use serin_core::domain::plan::{Purpose, StageName, StatusWrite, Wake};

    /// A server that notes what it is sent and answers as it was told to.
    #[derive(Default)]
    struct Double {
        failing: Option<(&'static str, WriteError)>,
        sent: Vec<(String, Verb)>,
    }

    impl Double {
        /// A server that answers requests whose line contains `part` with `error`.
        fn failing(part: &'static str, error: WriteError) -> Self {
            Self { failing: Some((part, error)), sent: Vec::new() }
        }

        fn answer(&mut self, Request { target, verb }: Request) -> Result<RawObject, WriteError> {
            let line = format!("{} {}/{}", verb.name(), target.kind.plural(), target.key.name);
            self.sent.push((line.clone(), verb));
            if let Some((_, error)) = self.failing.as_ref().filter(|(part, _)| line.contains(part)) {
                return Err(error.clone());
            }
            let metadata = json!({"uid": "u", "resourceVersion": (100 + self.sent.len()).to_string()});
            let object = json!({"metadata": metadata, "spec": {"template": {"spec": {"found": true}}}});
            Ok(serde_json::from_value(object).expect("an object"))
        }

        fn lines(&self) -> Vec<&str> {
            self.sent.iter().map(|(line, _)| line.as_str()).collect()
        }

        fn status(&self, index: usize) -> Value {
            match &self.sent[index].1 {
                Verb::PatchStatus { patch, .. } => patch["status"].clone(),
                other => panic!("{other:?}"),
            }
        }
    }

    fn precondition() -> Precondition {
        Precondition { uid: "u".into(), resource_version: "1".into() }
    }

    fn note(message: &str) -> EventNote {
        EventNote::new(EventReason::ScalingReplicaSet, message)
    }

    fn patch(kind: ObjectKind, name: &str) -> Op {
        let action = Action::Patch { precondition: precondition(), patch: json!({"spec": {}}) };
        let purposes = vec![Purpose::ScaleReplicaSet { from: 0, to: 1 }];
        Op { kind, namespace: None, name: name.into(), action, purposes, events: vec![note(name)] }
    }

    fn plan(stages: Vec<Vec<Op>>) -> Plan {
        let stage =
            |(i, ops)| Stage { name: StageName::Create, ops, events: vec![note(&format!("stage {i}"))] };
        Plan {
            rollout: precondition(),
            stages: stages.into_iter().enumerate().map(stage).collect(),
            status: StatusWrite {
                patch: json!({"status": {"whole": true}}),
                observed: json!({"status": {"observed": true}}),
                routed: json!({"status": {"routed": true}}),
                events: vec![note("status")],
                ..StatusWrite::nothing()
            },
            notes: Vec::new(),
            wake: Wake::OnChange,
        }
    }

    fn web() -> ObjectRef {
        ObjectRef::new(ObjectKind::Rollout, "shop", "web")
    }

    fn run(plan: &Plan, server: &mut Double) -> (Outcome, Vec<String>) {
        let web = web();
        let mut carrying = Carrying::new(plan, &web);
        while let Some((ticket, request)) = carrying.next_request() {
            let answer = server.answer(request);
            carrying.answered(ticket, answer);
        }
        let outcome = carrying.end();
        let events = outcome.events.iter().map(|note| note.message.clone()).collect();
        (outcome, events)
    }

    fn two_stages() -> Plan {
        plan(vec![
            vec![patch(ObjectKind::ReplicaSet, "a"), patch(ObjectKind::ReplicaSet, "b")],
            vec![patch(ObjectKind::Service, "s")],
        ])
    }

    #[test]
    fn stages_then_status_each_followed_by_its_events() {
        let mut server = Double::default();
        let (outcome, events) = run(&two_stages(), &mut server);
        assert_eq!(outcome.ending, Ending::Done);
        let lines =
            ["PATCH replicasets/a", "PATCH replicasets/b", "PATCH services/s", "PATCH_STATUS rollouts/web"];
        assert_eq!(server.lines(), lines);
        assert_eq!(server.status(3), json!({"whole": true}));
        assert_eq!(events, ["a", "b", "stage 0", "s", "stage 1", "status"]);
        assert_eq!(outcome.writes.len(), 4);
        assert_eq!(outcome.writes[0].trace, Trace::Version("101".into()));
    }

    #[test]
    fn a_refusal_ends_the_plan_after_its_stage_and_writes_only_what_was_observed() {
        let refusal = WriteError::Rejected("the webhook says no".into());
        let mut server = Double::failing("replicasets/a", refusal);
        let (outcome, events) = run(&two_stages(), &mut server);
        assert_eq!(
            server.lines(),
            ["PATCH replicasets/a", "PATCH replicasets/b", "PATCH_STATUS rollouts/web"]
        );
        assert_eq!(server.status(2), json!({"observed": true}));
        assert_eq!(events, ["b"]);
        let cause = FailureCause::Rejected("the webhook says no".into());
        let failure = Failure { kind: ObjectKind::ReplicaSet, name: "a".into(), cause };
        assert_eq!(outcome.ending, Ending::Refused(failure));
    }

    #[test]
    fn where_nothing_was_written_nothing_is_told() {
        let mut server = Double::failing("PATCH", WriteError::Rejected("no".into()));
        let (_, events) = run(&plan(vec![vec![], vec![patch(ObjectKind::ReplicaSet, "a")]]), &mut server);
        assert!(events.is_empty(), "{events:?}");
    }

    #[test]
    fn a_conflict_ends_the_plan_at_once() {
        let mut server = Double::failing("/a", WriteError::Conflict("m".into()));
        let (outcome, events) = run(&two_stages(), &mut server);
        assert_eq!(server.lines(), ["PATCH replicasets/a"]);
        assert!(events.is_empty() && outcome.ending == Ending::Conflict("m".into()));
    }

    #[test]
    fn a_namespace_that_is_being_deleted_ends_the_plan_without_a_word() {
        let mut server = Double::failing("/a", WriteError::NamespaceEnds("m".into()));
        let (outcome, events) = run(&two_stages(), &mut server);
        assert_eq!(server.lines(), ["PATCH replicasets/a"]);
        assert!(events.is_empty() && outcome.ending == Ending::NamespaceEnds("m".into()));
    }

    #[test]
    fn a_server_that_is_away_ends_the_stage() {
        let mut server = Double::failing("/a", WriteError::Transient("m".into()));
        let (outcome, _) = run(&two_stages(), &mut server);
        assert_eq!(server.lines(), ["PATCH replicasets/a", "PATCH_STATUS rollouts/web"]);
        assert_eq!(outcome.ending, Ending::Transient("m".into()));
    }

    #[test]
    fn a_conflict_of_one_pod_does_not_hold_up_the_stage() {
        let mut server = Double::failing("pods/p1", WriteError::Conflict("m".into()));
        let pods = [patch(ObjectKind::Pod, "p1"), patch(ObjectKind::Pod, "p2")];
        let ops = pods.into_iter().chain([patch(ObjectKind::ReplicaSet, "a")]).collect();
        let (outcome, events) = run(&plan(vec![ops]), &mut server);
        assert_eq!(events, ["p2", "a"]);
        assert_eq!(outcome.ending, Ending::Conflict("m".into()));
    }

    #[test]
    fn a_weight_that_was_set_is_recorded_even_if_the_plan_fails_later() {
        let mut server = Double::failing("replicasets/a", WriteError::Conflict("m".into()));
        let mut plan =
            plan(vec![vec![patch(ObjectKind::Ingress, "i")], vec![patch(ObjectKind::ReplicaSet, "a")]]);
        plan.stages[0].name = StageName::Route;
        plan.stages[1].name = StageName::Scale;
        let (_, events) = run(&plan, &mut server);
        assert_eq!(server.status(2), json!({"routed": true}));
        assert_eq!(events, ["i", "stage 0"]);
    }

    #[test]
    fn pods_are_labelled_after_the_status_has_been_written() {
        let mut server = Double::failing("pods/p", WriteError::Conflict("m".into()));
        let mut plan =
            plan(vec![vec![patch(ObjectKind::Pod, "p")], vec![patch(ObjectKind::ReplicaSet, "a")]]);
        plan.stages[0].name = StageName::Pods;
        let (outcome, events) = run(&plan, &mut server);
        assert_eq!(server.lines(), ["PATCH replicasets/a", "PATCH_STATUS rollouts/web", "PATCH pods/p"]);
        assert_eq!(events, ["a", "stage 1", "status"]);
        assert_eq!(outcome.ending, Ending::Conflict("m".into()));
    }

    #[test]
    fn later_writes_of_an_object_go_on_from_the_earlier() {
        let mut server = Double::default();
        let rollout = patch(ObjectKind::Rollout, "web");
        run(&plan(vec![vec![rollout.clone()], vec![rollout]]), &mut server);
        let version = |(_, verb): &(String, Verb)| match verb {
            Verb::Patch { precondition, .. } | Verb::PatchStatus { precondition, .. } => {
                precondition.resource_version.clone()
            }
            other => panic!("{other:?}"),
        };
        let versions: Vec<_> = server.sent.iter().map(version).collect();
        assert_eq!(versions, ["1", "101", "102"], "patch, patch, status");
    }

    #[test]
    fn writes_of_the_rollout_guard_those_of_other_objects() {
        let conflict = WriteError::Conflict("m".into());
        let mut server = Double::failing("rollouts/web", conflict);
        let ops = vec![patch(ObjectKind::ReplicaSet, "a"), patch(ObjectKind::Rollout, "web")];
        run(&plan(vec![ops]), &mut server);
        assert_eq!(server.lines(), ["PATCH rollouts/web"]);
    }

    #[test]
    fn what_stands_in_the_way_of_a_creation_is_looked_at() {
        let mut server = Double::failing("CREATE", WriteError::AlreadyExists);
        let mut op = patch(ObjectKind::ReplicaSet, "a");
        op.action = Action::Create { body: json!({"metadata": {"name": "a"}}) };
        let (outcome, _) = run(&plan(vec![vec![op]]), &mut server);
        assert_eq!(server.lines()[..2], ["CREATE replicasets/a", "READ replicasets/a"]);
        let Ending::Refused(failure) = outcome.ending else { panic!("{outcome:?}") };
        let template = json!({"spec": {"found": true}});
        let cause = FailureCause::AlreadyExists { owner_uid: None, template, digest: None, has_hash: false };
        assert_eq!(failure.cause, cause);
    }

    #[test]
    fn deleting_what_is_gone_is_done() {
        let gone = WriteError::Conflict("not found".into());
        let mut server = Double::failing("replicasets/a", gone);
        let mut op = patch(ObjectKind::ReplicaSet, "a");
        op.action = Action::Delete { precondition: precondition() };
        let (outcome, _) = run(&plan(vec![vec![op]]), &mut server);
        assert_eq!(outcome.ending, Ending::Done);
        assert_eq!(outcome.writes[0].trace, Trace::Gone("u".into()));
    }

    #[test]
    fn pods_go_side_by_side_and_everything_else_one_after_the_other() {
        let pods: Vec<_> = (0..12).map(|i| patch(ObjectKind::Pod, &format!("p{i}"))).collect();
        let mut ops = vec![patch(ObjectKind::ReplicaSet, "a")];
        ops.extend(pods);
        let (plan, web) = (plan(vec![ops]), web());
        let mut carrying = Carrying::new(&plan, &web);
        let (first, _) = carrying.next_request().expect("the ReplicaSet");
        assert!(carrying.next_request().is_none(), "its answer is missing");
        carrying.answered(first, Ok(RawObject::default()));
        let in_flight: Vec<_> = std::iter::from_fn(|| carrying.next_request()).collect();
        assert_eq!(in_flight.len(), POD_CONCURRENCY);
        carrying.answered(in_flight[3].0, Ok(RawObject::default()));
        assert!(carrying.next_request().is_some() && carrying.next_request().is_none());
    }

    #[test]
    fn an_op_may_be_about_an_object_of_another_namespace() {
        let mut op = patch(ObjectKind::Service, "s");
        op.namespace = Some("gateway".into());
        let (plan, web) = (plan(vec![vec![op]]), web());
        let (_, request) = Carrying::new(&plan, &web).next_request().expect("a request");
        assert_eq!(request.target, ObjectRef::new(ObjectKind::Service, "gateway", "s"));
    }
}

//! Carries out a [`Plan`]: its stages in order, then the status.
//!
//! A stage begins only when every op before it has succeeded. Ops of one stage do not depend on each other: one that
//! is refused does not keep the rest of its stage from being tried, since the refusal is about that object alone. One
//! that meets another state than it was decided on, or a server that does not answer, ends the plan: what is left
//! would act on a picture that is known to be wrong.
//!
//! Writes of the Rollout itself come first in their stage. They fail when the Rollout has changed since it was read, and
//! so keep the rest of the plan from acting on what nobody asks for any more.

use std::collections::BTreeMap;
use std::future::Future;

use futures::StreamExt;
use futures::stream;
use http::Request;
use serde_json::Value;

use super::failure::WriteError;
use super::freshness::{Trace, Write};
use super::object::{ObjectKey, RawObject};
use super::request;
use serin_core::api::keys;
use serin_core::api::rollout_status::RolloutDuration;
use serin_core::domain::event::EventNote;
use serin_core::domain::plan::{Action, ObjectKind, Op, Plan, Precondition, Stage, StageName, StatusWrite};
use serin_core::rollout::snapshot::{Failure, FailureCause};

/// How many Pods are patched at the same time.
const POD_CONCURRENCY: usize = 10;

/// What answers requests.
pub trait Server: Send + Sync {
    /// Sends a request and reads the object that comes back.
    fn send(&self, request: Request<Vec<u8>>) -> impl Future<Output = Result<RawObject, WriteError>> + Send;
}

impl Server for kube::Client {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
        Ok(self.request(request).await?)
    }
}

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

/// Carries out `plan` for the Rollout of that key.
pub async fn apply(plan: &Plan, key: &ObjectKey, server: &impl Server) -> Outcome {
    let outcome = Outcome { writes: Vec::new(), events: Vec::new(), ended: None, ending: Ending::Done };
    let mut run =
        Run { key, server, newest: BTreeMap::new(), lost: BTreeMap::new(), is_routed: false, outcome };
    let after_status = |stage: &&Stage| stage.name >= StageName::Pods;
    for stage in plan.stages.iter().filter(|stage| !after_status(stage)) {
        run.whole_stage(stage).await;
    }
    run.status(&plan.status, &plan.rollout).await;
    for stage in plan.stages.iter().filter(after_status) {
        run.whole_stage(stage).await;
    }
    if run.outcome.ending != Ending::Done && run.outcome.writes.is_empty() {
        // Nothing has happened, and the next attempt would tell it again.
        run.outcome.events.clear();
    }
    run.outcome
}

struct Run<'a, S> {
    key: &'a ObjectKey,
    server: &'a S,
    /// The states that earlier writes of this plan have made.
    newest: BTreeMap<(ObjectKind, String), Precondition>,
    /// How many Pods each ReplicaSet has lost by evictions of this plan.
    lost: BTreeMap<String, i32>,
    /// Traffic has been moved.
    is_routed: bool,
    outcome: Outcome,
}

impl<S: Server> Run<'_, S> {
    async fn whole_stage(&mut self, stage: &Stage) {
        if self.outcome.ending != Ending::Done {
            return;
        }
        self.stage(stage).await;
        if self.outcome.ending == Ending::Done {
            self.is_routed |= stage.name == StageName::Route;
            self.outcome.events.extend(stage.events.iter().cloned());
        }
    }

    async fn stage(&mut self, stage: &Stage) {
        let is_pod = |op: &Op| op.kind == ObjectKind::Pod;
        let (of_rollout, of_others): (Vec<_>, Vec<_>) =
            stage.ops.iter().partition(|op| op.kind == ObjectKind::Rollout);
        let ops = [of_rollout, of_others].concat();
        for group in ops.chunk_by(|a, b| is_pod(a) && is_pod(b)) {
            let attempts: Vec<_> = group.iter().copied().map(|op| self.attempt(op)).collect();
            let answers: Vec<_> = stream::iter(attempts).buffered(POD_CONCURRENCY).collect().await;
            for (op, answer) in group.iter().zip(answers) {
                match answer {
                    Ok(object) => self.succeeded(op, &object),
                    Err(ending) => self.failed(ending),
                }
            }
            // The versions of Pods change all the time, so that a conflict there says little about the rest.
            let may_go_on = match &self.outcome.ending {
                Ending::Done | Ending::Refused(_) => true,
                Ending::Conflict(_) => group.iter().copied().all(is_pod),
                Ending::Transient(_) | Ending::NamespaceEnds(_) => false,
            };
            if !may_go_on {
                return;
            }
        }
    }

    async fn attempt(&self, op: &Op) -> Result<RawObject, Ending> {
        let key = ObjectKey::new(&self.key.namespace, &op.name);
        let newer = self.newest.get(&(op.kind, op.name.clone()));
        let answer = match request::of_action(op.kind, &key, &op.action, newer) {
            Ok(request) => self.server.send(request).await,
            Err(error) => Err(WriteError::Rejected(error.to_string())),
        };
        match (answer, &op.action) {
            (Ok(object), _) => Ok(object),
            (Err(WriteError::Conflict(_)), Action::Delete { .. }) if self.is_gone(op.kind, &key).await => {
                Ok(RawObject::default())
            }
            (Err(WriteError::AlreadyExists), _) => Err(self.existing(op.kind, &key).await),
            (Err(error), _) => Err(ending(op.kind, &op.name, error)),
        }
    }

    /// What stands where an object was to be created.
    async fn existing(&self, kind: ObjectKind, key: &ObjectKey) -> Ending {
        let mut object = match self.read(kind, key).await {
            Ok(object) => object,
            Err(error) => return ending(kind, &key.name, error),
        };
        let owners = object.metadata.owner_references.unwrap_or_default();
        let owner_uid =
            owners.into_iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid);
        let template = object.spec.get_mut("template").map(Value::take).unwrap_or_default();
        let labels = object.metadata.labels.unwrap_or_default();
        let digest = object.metadata.annotations.and_then(|mut all| all.remove(keys::TEMPLATE_DIGEST));
        let has_hash = labels.get(keys::POD_HASH_LABEL).is_some_and(|hash| !hash.is_empty());
        let cause = FailureCause::AlreadyExists { owner_uid, template, digest, has_hash };
        Ending::Refused(Failure { kind, name: key.name.clone(), cause })
    }

    async fn is_gone(&self, kind: ObjectKind, key: &ObjectKey) -> bool {
        matches!(self.read(kind, key).await, Err(WriteError::Conflict(_)))
    }

    async fn read(&self, kind: ObjectKind, key: &ObjectKey) -> Result<RawObject, WriteError> {
        match request::of_read(kind, key) {
            Ok(request) => self.server.send(request).await,
            Err(error) => Err(WriteError::Rejected(error.to_string())),
        }
    }

    fn succeeded(&mut self, op: &Op, object: &RawObject) {
        self.outcome.events.extend(op.events.iter().cloned());
        match &op.action {
            Action::Delete { precondition } => self.removed(op, precondition),
            Action::Evict { precondition, replica_set, available } => {
                self.removed(op, precondition);
                let lost = self.lost.entry(replica_set.clone()).or_default();
                *lost += 1;
                let trace = Trace::Reports { available: available - *lost };
                self.outcome.writes.push(Write {
                    kind: ObjectKind::ReplicaSet,
                    name: replica_set.clone(),
                    trace,
                });
            }
            Action::Create { .. } | Action::Patch { .. } => self.wrote(op.kind, &op.name, object),
        }
    }

    fn removed(&mut self, op: &Op, decided_on: &Precondition) {
        let trace = Trace::Gone(decided_on.uid.clone());
        self.outcome.writes.push(Write { kind: op.kind, name: op.name.clone(), trace });
    }

    fn wrote(&mut self, kind: ObjectKind, name: &str, object: &RawObject) {
        let (Some(uid), Some(version)) = (&object.metadata.uid, &object.metadata.resource_version) else {
            return;
        };
        let newest = Precondition { uid: uid.clone(), resource_version: version.clone() };
        self.newest.insert((kind, name.to_owned()), newest);
        self.outcome.writes.push(Write {
            kind,
            name: name.to_owned(),
            trace: Trace::Version(version.clone()),
        });
    }

    /// The first thing that goes wrong is the one that counts.
    fn failed(&mut self, ending: Ending) {
        if self.outcome.ending == Ending::Done {
            self.outcome.ending = ending;
        }
    }

    /// Writes the whole status if everything before has succeeded; else what was observed and which weights were
    /// set, and nothing at all when the picture was wrong.
    async fn status(&mut self, status: &StatusWrite, decided_on: &Precondition) {
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
        if !patch.is_null() {
            let newer = self.newest.get(&(ObjectKind::Rollout, self.key.name.clone()));
            let answer = match request::of_status(self.key, patch, newer.unwrap_or(decided_on)) {
                Ok(request) => self.server.send(request).await,
                Err(error) => Err(WriteError::Rejected(error.to_string())),
            };
            match answer {
                Ok(object) => self.wrote(ObjectKind::Rollout, &self.key.name, &object),
                Err(error) => self.failed(ending(ObjectKind::Rollout, &self.key.name, error)),
            }
        }
        if self.outcome.ending == Ending::Done {
            self.outcome.events.splice(0..0, status.first.iter().cloned());
            self.outcome.events.extend(status.events.iter().cloned());
            self.outcome.ended.clone_from(&status.ended);
        }
    }
}

/// How a plan ends when the write of that object fails with `error`.
fn ending(kind: ObjectKind, name: &str, error: WriteError) -> Ending {
    let refused = |cause| Ending::Refused(Failure { kind, name: name.to_owned(), cause });
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
    use std::time::Duration;

    use jiff::Timestamp;
    use serde_json::json;
    use tokio::sync::watch;

    use super::super::cache::Caches;
    use super::super::double::Double;
    use super::super::fence::{Fence, Grant, Standing};
    use super::super::metrics::Metrics;
    use super::super::outlet::Outlet;
    use super::*;
    use serin_clock::Clock;
    use serin_core::domain::event::EventReason;
    use serin_core::domain::plan::{Purpose, StageName, Wake};

    fn precondition() -> Precondition {
        Precondition { uid: "u".into(), resource_version: "1".into() }
    }

    fn note(message: &str) -> EventNote {
        EventNote::new(EventReason::ScalingReplicaSet, message)
    }

    fn patch(kind: ObjectKind, name: &str) -> Op {
        let action = Action::Patch { precondition: precondition(), patch: json!({"spec": {}}) };
        let purposes = vec![Purpose::ScaleReplicaSet { from: 0, to: 1 }];
        Op { kind, name: name.into(), action, purposes, events: vec![note(name)] }
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

    async fn run(plan: &Plan, server: &Double) -> (Outcome, Vec<String>) {
        let outcome = apply(plan, &ObjectKey::new("shop", "web"), server).await;
        let events = outcome.events.iter().map(|note| note.message.clone()).collect();
        (outcome, events)
    }

    fn two_stages() -> Plan {
        plan(vec![
            vec![patch(ObjectKind::ReplicaSet, "a"), patch(ObjectKind::ReplicaSet, "b")],
            vec![patch(ObjectKind::Service, "s")],
        ])
    }

    #[tokio::test]
    async fn stages_then_status_each_followed_by_its_events() {
        let server = Double::default();
        let (outcome, events) = run(&two_stages(), &server).await;
        assert_eq!(outcome.ending, Ending::Done);
        let lines =
            ["PATCH replicasets/a", "PATCH replicasets/b", "PATCH services/s", "PATCH rollouts/web/status"];
        assert_eq!(server.lines(), lines);
        assert_eq!(server.body(3)["status"], json!({"whole": true}));
        assert_eq!(events, ["a", "b", "stage 0", "s", "stage 1", "status"]);
        assert_eq!(outcome.writes.len(), 4);
        assert_eq!(outcome.writes[0].trace, Trace::Version("101".into()));
    }

    #[tokio::test]
    async fn a_refusal_ends_the_plan_after_its_stage_and_writes_only_what_was_observed() {
        let refusal = WriteError::Rejected("the webhook says no".into());
        let server = Double::failing("replicasets/a", refusal);
        let (outcome, events) = run(&two_stages(), &server).await;
        assert_eq!(
            server.lines(),
            ["PATCH replicasets/a", "PATCH replicasets/b", "PATCH rollouts/web/status"]
        );
        assert_eq!(server.body(2)["status"], json!({"observed": true}));
        assert_eq!(events, ["b"]);
        let cause = FailureCause::Rejected("the webhook says no".into());
        let failure = Failure { kind: ObjectKind::ReplicaSet, name: "a".into(), cause };
        assert_eq!(outcome.ending, Ending::Refused(failure));
    }

    #[tokio::test]
    async fn where_nothing_was_written_nothing_is_told() {
        let server = Double::failing("PATCH", WriteError::Rejected("no".into()));
        let (_, events) = run(&plan(vec![vec![], vec![patch(ObjectKind::ReplicaSet, "a")]]), &server).await;
        assert!(events.is_empty(), "{events:?}");
    }

    #[tokio::test]
    async fn a_conflict_ends_the_plan_at_once() {
        let server = Double::failing("/a", WriteError::Conflict("m".into()));
        let (outcome, events) = run(&two_stages(), &server).await;
        assert_eq!(server.lines(), ["PATCH replicasets/a"]);
        assert!(events.is_empty() && outcome.ending == Ending::Conflict("m".into()));
    }

    #[tokio::test]
    async fn a_namespace_that_is_being_deleted_ends_the_plan_without_a_word() {
        let server = Double::failing("/a", WriteError::NamespaceEnds("m".into()));
        let (outcome, events) = run(&two_stages(), &server).await;
        assert_eq!(server.lines(), ["PATCH replicasets/a"]);
        assert!(events.is_empty() && outcome.ending == Ending::NamespaceEnds("m".into()));
    }

    /// A server before whose first answer the controller stands still for longer than its lease lasts.
    struct Freezing(Double);

    impl Server for Freezing {
        async fn send(&self, request: Request<Vec<u8>>) -> Result<RawObject, WriteError> {
            let answer = self.0.send(request).await;
            if self.0.lines().len() == 1 {
                tokio::time::advance(Duration::from_secs(20)).await;
            }
            answer
        }
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_plan_that_was_decided_before_the_lease_was_over_nothing_is_sent_after() {
        let clock = Clock::starting_at(Timestamp::UNIX_EPOCH);
        let (renewal, lease) = (Duration::from_secs(10), Duration::from_secs(15));
        let grant = Grant { sent: clock.moment(), renewal, lease };
        // The other controller leads now, but nobody has told this one.
        let (_told, standing) = watch::channel(Standing::Leading(grant));
        let (server, fence) = (Freezing(Double::default()), Fence::of(standing));
        let (caches, metrics) = (Caches::default(), Metrics::default());
        let outlet = Outlet { server: &server, fence: &fence, caches: &caches, metrics: &metrics, clock };
        let outcome = apply(&two_stages(), &ObjectKey::new("shop", "web"), &outlet).await;
        assert_eq!(server.0.lines(), ["PATCH replicasets/a"], "this one was sent in time");
        assert!(matches!(outcome.ending, Ending::Transient(_)), "{:?}", outcome.ending);
    }

    #[tokio::test]
    async fn a_server_that_is_away_ends_the_stage() {
        let server = Double::failing("/a", WriteError::Transient("m".into()));
        let (outcome, _) = run(&two_stages(), &server).await;
        assert_eq!(server.lines(), ["PATCH replicasets/a", "PATCH rollouts/web/status"]);
        assert_eq!(outcome.ending, Ending::Transient("m".into()));
    }

    #[tokio::test]
    async fn a_conflict_of_one_pod_does_not_hold_up_the_stage() {
        let server = Double::failing("pods/p1", WriteError::Conflict("m".into()));
        let pods = [patch(ObjectKind::Pod, "p1"), patch(ObjectKind::Pod, "p2")];
        let ops = pods.into_iter().chain([patch(ObjectKind::ReplicaSet, "a")]).collect();
        let (outcome, events) = run(&plan(vec![ops]), &server).await;
        assert_eq!(events, ["p2", "a"]);
        assert_eq!(outcome.ending, Ending::Conflict("m".into()));
    }

    #[tokio::test]
    async fn a_weight_that_was_set_is_recorded_even_if_the_plan_fails_later() {
        let server = Double::failing("replicasets/a", WriteError::Conflict("m".into()));
        let mut plan =
            plan(vec![vec![patch(ObjectKind::Ingress, "i")], vec![patch(ObjectKind::ReplicaSet, "a")]]);
        plan.stages[0].name = StageName::Route;
        plan.stages[1].name = StageName::Scale;
        let (_, events) = run(&plan, &server).await;
        assert_eq!(server.body(2)["status"], json!({"routed": true}));
        assert_eq!(events, ["i", "stage 0"]);
    }

    #[tokio::test]
    async fn pods_are_labelled_after_the_status_has_been_written() {
        let server = Double::failing("pods/p", WriteError::Conflict("m".into()));
        let mut plan =
            plan(vec![vec![patch(ObjectKind::Pod, "p")], vec![patch(ObjectKind::ReplicaSet, "a")]]);
        plan.stages[0].name = StageName::Pods;
        let (outcome, events) = run(&plan, &server).await;
        assert_eq!(server.lines(), ["PATCH replicasets/a", "PATCH rollouts/web/status", "PATCH pods/p"]);
        assert_eq!(events, ["a", "stage 1", "status"]);
        assert_eq!(outcome.ending, Ending::Conflict("m".into()));
    }

    #[tokio::test]
    async fn later_writes_of_an_object_go_on_from_the_earlier() {
        let server = Double::default();
        let rollout = patch(ObjectKind::Rollout, "web");
        run(&plan(vec![vec![rollout.clone()], vec![rollout]]), &server).await;
        let versions =
            (0..3).map(|i| server.body(i)["metadata"]["resourceVersion"].clone()).collect::<Vec<_>>();
        assert_eq!(versions, ["1", "101", "102"], "patch, patch, status");
    }

    #[tokio::test]
    async fn writes_of_the_rollout_guard_those_of_other_objects() {
        let conflict = WriteError::Conflict("m".into());
        let server = Double::failing("rollouts/web", conflict);
        let ops = vec![patch(ObjectKind::ReplicaSet, "a"), patch(ObjectKind::Rollout, "web")];
        run(&plan(vec![ops]), &server).await;
        assert_eq!(server.lines(), ["PATCH rollouts/web"]);
    }

    #[tokio::test]
    async fn what_stands_in_the_way_of_a_creation_is_looked_at() {
        let server = Double::failing("POST", WriteError::AlreadyExists);
        let mut op = patch(ObjectKind::ReplicaSet, "a");
        op.action = Action::Create { body: json!({"metadata": {"name": "a"}}) };
        let (outcome, _) = run(&plan(vec![vec![op]]), &server).await;
        assert_eq!(server.lines()[..2], ["POST replicasets", "GET replicasets/a"]);
        let Ending::Refused(failure) = outcome.ending else { panic!("{outcome:?}") };
        let template = json!({"spec": {"found": true}});
        let cause = FailureCause::AlreadyExists { owner_uid: None, template, digest: None, has_hash: false };
        assert_eq!(failure.cause, cause);
    }

    #[tokio::test]
    async fn deleting_what_is_gone_is_done() {
        let gone = WriteError::Conflict("not found".into());
        let server = Double::failing("replicasets/a", gone);
        let mut op = patch(ObjectKind::ReplicaSet, "a");
        op.action = Action::Delete { precondition: precondition() };
        let (outcome, _) = run(&plan(vec![vec![op]]), &server).await;
        assert_eq!(outcome.ending, Ending::Done);
        assert_eq!(outcome.writes[0].trace, Trace::Gone("u".into()));
    }
}

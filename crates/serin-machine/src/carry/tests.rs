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
        let Verb::PatchStatus { patch, .. } = &self.sent[index].1 else { panic!("{:?}", self.sent[index]) };
        patch["status"].clone()
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
    let stage = |(i, ops)| Stage { name: StageName::Create, ops, events: vec![note(&format!("stage {i}"))] };
    Plan {
        seen: precondition(),
        stages: stages.into_iter().enumerate().map(stage).collect(),
        status: StatusWrite {
            patch: json!({"status": {"whole": true}}),
            observed: json!({"status": {"observed": true}}),
            routed: json!({"status": {"routed": true}}),
            events: vec![note("status")],
            ..StatusWrite::nothing()
        },
        effects: Vec::new(),
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
    assert_eq!(server.lines(), ["PATCH replicasets/a", "PATCH replicasets/b", "PATCH_STATUS rollouts/web"]);
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
    let mut plan = plan(vec![vec![patch(ObjectKind::Pod, "p")], vec![patch(ObjectKind::ReplicaSet, "a")]]);
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
    let version = |(_, verb): &(String, Verb)| {
        let (Verb::Patch { precondition, .. } | Verb::PatchStatus { precondition, .. }) = verb else {
            panic!("{verb:?}")
        };
        precondition.resource_version.clone()
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

//! The guard refuses what cannot be right, whoever asks for it.

use serde_json::json;
use serin::api::keys;
use serin::domain::plan::{Action, ObjectKind, Op, Plan, Purpose, Stage, StageName};
use serin::guard::{Refusal, check};
use serin::rollout::snapshot::{Identity, Snapshot};

use crate::recordings::play;

/// A plan of one patch.
fn plan(snapshot: &Snapshot, kind: ObjectKind, id: &Identity, purpose: Purpose) -> Plan {
    let action = Action::Patch { precondition: id.precondition(), patch: json!({}) };
    let op = Op { kind, name: id.name.clone(), action, purposes: vec![purpose], events: Vec::new() };
    let mut plan = Plan::nothing(Identity::of(&snapshot.rollout).precondition());
    plan.stages = vec![Stage { name: StageName::Scale, ops: vec![op], events: Vec::new() }];
    plan
}

/// The settled end of `nginx-steps`, and the index of the ReplicaSet that serves.
fn settled() -> (Snapshot, usize) {
    let snapshot = play("nginx-steps").snapshot();
    let serving = snapshot.replica_sets.iter().position(|rs| rs.status.available > 0).unwrap();
    (snapshot, serving)
}

fn scale(snapshot: &Snapshot, index: usize, to: i32) -> Result<(), Refusal> {
    let rs = &snapshot.replica_sets[index];
    let purpose = Purpose::ScaleReplicaSet { from: rs.replicas, to };
    check(snapshot, &plan(snapshot, ObjectKind::ReplicaSet, &rs.id, purpose))
}

#[test]
fn the_last_pods_stay() {
    let (snapshot, serving) = settled();
    assert!(matches!(scale(&snapshot, serving, 0), Err(Refusal::LastPods { wanted: 2, to: 0, .. })));
    assert_eq!(scale(&snapshot, serving, 1), Ok(()));
}

#[test]
fn the_last_pods_go_when_none_are_wanted() {
    let (mut snapshot, serving) = settled();
    snapshot.rollout.spec.replicas = Some(0);
    assert_eq!(scale(&snapshot, serving, 0), Ok(()));
}

#[test]
fn pods_that_the_stable_service_selects_stay() {
    let (mut snapshot, serving) = settled();
    let other = 1 - serving;
    snapshot.replica_sets[other].replicas = 2;
    snapshot.replica_sets[other].status.available = 2;
    let refused = scale(&snapshot, serving, 0);
    assert!(matches!(refused, Err(Refusal::ServedPods { service, .. }) if service == "stable"));
    assert_eq!(scale(&snapshot, other, 0), Ok(()), "no Service selects those");
}

#[test]
fn users_are_not_sent_to_a_revision_without_pods() {
    let (snapshot, serving) = settled();
    let empty = snapshot.replica_sets[1 - serving].labels[keys::POD_HASH_LABEL].clone();
    let full = snapshot.replica_sets[serving].labels[keys::POD_HASH_LABEL].clone();
    let point = |service: &str, to: &str| {
        let purpose = Purpose::PointService { from: full.clone(), to: to.to_owned() };
        check(&snapshot, &plan(&snapshot, ObjectKind::Service, &snapshot.services[service].id, purpose))
    };
    assert!(matches!(point("stable", &empty), Err(Refusal::EmptyService { hash, .. }) if hash == empty));
    assert_eq!(point("stable", &full), Ok(()));
}

#[test]
fn weight_needs_pods() {
    let (snapshot, _) = settled();
    let id = Identity { name: "demo-demo-canary".into(), uid: "u".into(), resource_version: "1".into() };
    let route =
        |weight| check(&snapshot, &plan(&snapshot, ObjectKind::Ingress, &id, Purpose::Route { weight }));
    assert_eq!(route(20), Err(Refusal::EmptyRoute { weight: 20 }), "only the stable revision has pods");
    assert_eq!(route(0), Ok(()));
}

#[test]
fn replica_sets_with_pods_are_not_deleted() {
    let (snapshot, serving) = settled();
    let delete = |index: usize| {
        let id = &snapshot.replica_sets[index].id;
        check(&snapshot, &plan(&snapshot, ObjectKind::ReplicaSet, id, Purpose::DeleteReplicaSet))
    };
    assert!(matches!(delete(serving), Err(Refusal::DeletedPods { .. })));
    assert_eq!(delete(1 - serving), Ok(()));
}

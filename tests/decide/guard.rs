//! The guard refuses what cannot be right, whoever asks for it.

use serde_json::json;
use serin_core::api::keys;
use serin_core::api::rollout_status::PingPongSide;
use serin_core::api::strategy::PingPong;
use serin_core::domain::plan::{Action, ObjectKind, Op, Plan, Purpose, Stage, StageName};
use serin_core::guard::{Refusal, check};
use serin_core::rollout::snapshot::{Identity, Snapshot};

use crate::recordings::play;

/// A plan of one patch.
fn plan(snapshot: &Snapshot, kind: ObjectKind, id: &Identity, purpose: Purpose) -> Plan {
    let action = Action::Patch { precondition: id.precondition(), patch: json!({}) };
    let op = Op {
        kind,
        namespace: None,
        name: id.name.clone(),
        action,
        purposes: vec![purpose],
        events: Vec::new(),
    };
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
fn users_of_the_stable_one_of_a_pair_keep_their_pods() {
    let (mut snapshot, serving) = settled();
    let other = 1 - serving;
    snapshot.replica_sets[other].replicas = 2;
    snapshot.replica_sets[other].status.available = 2;
    let canary = snapshot.rollout.spec.strategy.canary.as_mut().unwrap();
    canary.stable_service = None;
    canary.ping_pong = Some(PingPong { ping_service: "stable".into(), pong_service: "canary".into() });
    let side = |snapshot: &mut Snapshot, side| {
        snapshot.rollout.status.as_mut().unwrap().canary.stable_ping_pong = Some(side);
    };
    side(&mut snapshot, PingPongSide::Ping);
    assert!(matches!(scale(&snapshot, serving, 0), Err(Refusal::ServedPods { .. })));
    let hash = snapshot.replica_sets[other].labels[keys::POD_HASH_LABEL].clone();
    snapshot.services.get_mut("canary").unwrap().selector.insert(keys::POD_HASH_LABEL.into(), hash);
    side(&mut snapshot, PingPongSide::Pong);
    assert_eq!(scale(&snapshot, serving, 0), Ok(()), "the other one is the stable one now");
}

/// Scales a Deployment from 4 pods to `to`, and the ReplicaSet that serves from 2 to `size`.
fn scale_workload(snapshot: &Snapshot, serving: usize, to: i32, size: i32) -> Result<(), Refusal> {
    let deployment = Identity { name: "web".into(), uid: "u".into(), resource_version: "1".into() };
    let purpose = Purpose::ScaleWorkload { from: 4, to };
    let mut both = plan(snapshot, ObjectKind::Deployment, &deployment, purpose);
    let purpose = Purpose::ScaleReplicaSet { from: 2, to: size };
    let of_set = plan(snapshot, ObjectKind::ReplicaSet, &snapshot.replica_sets[serving].id, purpose);
    both.stages.extend(of_set.stages);
    check(snapshot, &both)
}

#[test]
fn a_workload_keeps_the_pods_that_nothing_makes_up_for() {
    let (mut snapshot, serving) = settled();
    assert_eq!(scale_workload(&snapshot, serving, 0, 2), Ok(()), "the Rollout has the two that it wants");
    assert_eq!(scale_workload(&snapshot, serving, 5, 1), Ok(()), "more is no harm");
    let refused = scale_workload(&snapshot, serving, 0, 1);
    assert!(matches!(refused, Err(Refusal::UncoveredPods { from: 4, to: 0, covered: 1, .. })), "{refused:?}");
    assert_eq!(scale_workload(&snapshot, serving, 1, 1), Ok(()), "one here and one there");
    snapshot.rollout.spec.replicas = Some(0);
    let refused = scale_workload(&snapshot, serving, 0, 0);
    assert!(matches!(refused, Err(Refusal::UncoveredPods { covered: 0, .. })), "never both without pods");
    snapshot.rollout.spec.replicas = Some(9);
    assert!(scale_workload(&snapshot, serving, 1, 2).is_err(), "the Deployment had all that there were");
    assert_eq!(scale_workload(&snapshot, serving, 2, 2), Ok(()), "and no more than those are lost");
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

//! The safety check that every plan passes before anything of it is sent.
//!
//! The rules here do not know strategies or steps. They look at what a plan would do to the world that the snapshot
//! shows, and refuse what cannot be right whatever the reason for it: so a mistake in a decision becomes a stall with
//! an explanation instead of an outage.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::api::{Rollout, keys};
use crate::domain::plan::{Action, ObjectKind, Op, Plan, Purpose};
use crate::rollout::snapshot::{ReplicaSetView, Snapshot};

/// Why a plan must not be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The last available pods would go.
    #[error("scaling ReplicaSet {replica_set} to {to} would leave no available pod of {wanted} wanted")]
    LastPods {
        /// The ReplicaSet that would shrink last.
        replica_set: String,
        /// The size that it would get.
        to: i32,
        /// The size of the Rollout.
        wanted: i32,
    },
    /// Pods would go to which a Service sends requests.
    #[error("scaling ReplicaSet {replica_set} to 0 would leave Service {service} without pods")]
    ServedPods {
        /// The ReplicaSet.
        replica_set: String,
        /// The Service that selects its pods.
        service: String,
    },
    /// Pods of a workload would go for which the Rollout has no others.
    #[error(
        "scaling {workload} from {from} to {to} would lose pods, but the Rollout replaces only {covered}"
    )]
    UncoveredPods {
        /// The workload.
        workload: String,
        /// The size that it has.
        from: i32,
        /// The size that it would get.
        to: i32,
        /// The Rollout's available pods.
        covered: i64,
    },
    /// A ReplicaSet that still has pods would be deleted.
    #[error("ReplicaSet {replica_set} still has pods and must not be deleted")]
    DeletedPods {
        /// The ReplicaSet.
        replica_set: String,
    },
    /// Users would be sent to a revision without pods.
    #[error("Service {service} would select {hash:?}, which has no available pod")]
    EmptyService {
        /// The Service.
        service: String,
        /// The revision that it would select.
        hash: String,
    },
    /// Traffic would be routed to a revision without pods.
    #[error("weight {weight} would go to a revision without available pods")]
    EmptyRoute {
        /// The canary's weight.
        weight: i32,
    },
}

/// Refuses a plan that would take capacity from under the traffic that the snapshot shows.
pub fn check(snapshot: &Snapshot, plan: &Plan) -> Result<(), Refusal> {
    check_capacity(snapshot, plan)?;
    for op in plan.ops() {
        for purpose in &op.purposes {
            check_purpose(snapshot, plan, op, purpose)?;
        }
    }
    Ok(())
}

fn check_purpose(snapshot: &Snapshot, plan: &Plan, op: &Op, purpose: &Purpose) -> Result<(), Refusal> {
    match purpose {
        Purpose::ScaleReplicaSet { to: 0, .. } => check_unserved(snapshot, &op.name),
        Purpose::DeleteReplicaSet => check_deletable(snapshot, &op.name),
        Purpose::PointService { from, to } => check_target(snapshot, &op.name, from, to),
        Purpose::Route { weight } => check_route(snapshot, *weight),
        Purpose::ScaleWorkload { from, to } => check_covered(snapshot, plan, &op.name, *from, *to),
        Purpose::ScaleReplicaSet { .. }
        | Purpose::DefaultReplicas(_)
        | Purpose::RecordRevision(_)
        | Purpose::RecordWorkload(_)
        | Purpose::AdoptReplicaSet
        | Purpose::CreateReplicaSet
        | Purpose::SyncReplicaSet
        | Purpose::DelayScaleDown(_)
        | Purpose::DeleteExpired
        | Purpose::CreateJob
        | Purpose::DeleteJob
        | Purpose::KeepReplicaSet
        | Purpose::LabelReplicaSet
        | Purpose::ReleaseService
        | Purpose::LabelPod
        | Purpose::EvictPod => Ok(()),
    }
}

fn hash(rs: &ReplicaSetView) -> &str {
    rs.labels.get(keys::POD_HASH_LABEL).map_or("", String::as_str)
}

/// Whether users reach the Rollout through the Service whatever the weights are.
fn carries_users(rollout: &Rollout, service: &str) -> bool {
    let stable = rollout.status.as_ref().and_then(|status| status.canary.stable_ping_pong);
    rollout.spec.strategy.carries_users(service, stable)
}

/// Pods of a ReplicaSet that can be available once it has `size`.
fn usable(rs: &ReplicaSetView, size: i32) -> i64 {
    rs.status.available.min(size).into()
}

fn available<'a>(sets: impl Iterator<Item = &'a ReplicaSetView>) -> i64 {
    sets.map(|rs| i64::from(rs.status.available)).sum()
}

/// Our own writes never take the last available pod, unless the Rollout allows that.
fn check_capacity(snapshot: &Snapshot, plan: &Plan) -> Result<(), Refusal> {
    let wanted = snapshot.rollout.spec.desired_replicas();
    let sizes = new_sizes(plan);
    let Some((name, to)) = sizes.iter().next_back() else { return Ok(()) };
    let before: i64 = snapshot.replica_sets.iter().map(|rs| usable(rs, rs.replicas)).sum();
    let after = usable_after(snapshot, &sizes);
    if snapshot.rollout.spec.must_have_pods() && before > 0 && after <= 0 {
        return Err(Refusal::LastPods { replica_set: (*name).to_owned(), to: *to, wanted });
    }
    Ok(())
}

/// Available pods that remain when the ReplicaSets have these sizes.
fn usable_after(snapshot: &Snapshot, sizes: &BTreeMap<&str, i32>) -> i64 {
    let size = |rs: &ReplicaSetView| sizes.get(rs.id.name.as_str()).copied().unwrap_or(rs.replicas);
    snapshot.replica_sets.iter().map(|rs| usable(rs, size(rs))).sum()
}

/// A workload gives up no pod that the Rollout wants and does not have, and not its last one before the Rollout has any.
fn check_covered(
    snapshot: &Snapshot,
    plan: &Plan,
    workload: &str,
    from: i32,
    to: i32,
) -> Result<(), Refusal> {
    let covered = usable_after(snapshot, &new_sizes(plan));
    let wanted = i64::from(from.min(snapshot.rollout.spec.desired_replicas()));
    if to < from && (covered <= 0 || i64::from(to) + covered < wanted) {
        return Err(Refusal::UncoveredPods { workload: workload.to_owned(), from, to, covered });
    }
    Ok(())
}

fn new_sizes(plan: &Plan) -> BTreeMap<&str, i32> {
    let scaled = plan.ops().filter(|op| matches!(op.action, Action::Patch { .. }));
    scaled
        .filter(|op| op.kind == ObjectKind::ReplicaSet)
        .filter_map(|op| {
            let to = op
                .purposes
                .iter()
                .find_map(|p| if let Purpose::ScaleReplicaSet { to, .. } = p { Some(*to) } else { None })?;
            Some((op.name.as_str(), to))
        })
        .collect()
}

/// A Service keeps its pods as long as any are wanted, unless the Rollout allows all of them to be missing. The preview of
/// a blue-green Rollout carries no users' traffic.
fn check_unserved(snapshot: &Snapshot, name: &str) -> Result<(), Refusal> {
    let Some(rs) = snapshot.replica_sets.iter().find(|rs| rs.id.name == name) else { return Ok(()) };
    let served = snapshot.services.values().find(|service| {
        let selects = service.selected_hash() == Some(hash(rs));
        selects && carries_users(&snapshot.rollout, &service.id.name)
    });
    match served {
        Some(service) if snapshot.rollout.spec.must_have_pods() && rs.status.available > 0 => {
            let (replica_set, service) = (name.to_owned(), service.id.name.clone());
            Err(Refusal::ServedPods { replica_set, service })
        }
        Some(_) | None => Ok(()),
    }
}

fn check_deletable(snapshot: &Snapshot, name: &str) -> Result<(), Refusal> {
    let rs = snapshot.replica_sets.iter().find(|rs| rs.id.name == name);
    if rs.is_some_and(|rs| rs.replicas == 0 && rs.status.replicas == 0) {
        return Ok(());
    }
    Err(Refusal::DeletedPods { replica_set: name.to_owned() })
}

/// Users are only ever sent to a revision that has pods, unless none had any.
fn check_target(snapshot: &Snapshot, service: &str, from: &str, to: &str) -> Result<(), Refusal> {
    let of = |wanted: &str| available(snapshot.replica_sets.iter().filter(|rs| hash(rs) == wanted));
    let loses = of(to) <= 0 && (from.is_empty() || of(from) > 0);
    if carries_users(&snapshot.rollout, service) && loses && snapshot.rollout.spec.desired_replicas() > 0 {
        return Err(Refusal::EmptyService { service: service.to_owned(), hash: to.to_owned() });
    }
    Ok(())
}

/// Weight goes to the current revision, which is never the stable one while it has any.
fn check_route(snapshot: &Snapshot, weight: i32) -> Result<(), Refusal> {
    let status = snapshot.rollout.status.as_ref();
    let stable = status.and_then(|s| s.stable_rs.as_deref());
    let others = snapshot.replica_sets.iter().filter(|rs| Some(hash(rs)) != stable);
    if weight > 0 && available(others) <= 0 {
        return Err(Refusal::EmptyRoute { weight });
    }
    Ok(())
}

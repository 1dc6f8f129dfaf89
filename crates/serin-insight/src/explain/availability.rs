//! Finds causes about pods: creation, availability, eviction and termination.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde_json::json;

use super::cause::{Cause, Finding};
use super::naming::object;
use super::pods::{Trouble, Troubled, trouble};
use super::scene::Scene;
use serin_core::api::keys;
use serin_core::domain::plan::{ObjectKind, Purpose};
use serin_core::rollout::snapshot::ReplicaSetView;
use serin_values::selector::selects;

/// The ReplicaSets with fewer available pods than wanted.
fn incomplete<'a>(scene: &Scene<'a>) -> Vec<&'a ReplicaSetView> {
    let mut sets = scene.replica_sets();
    sets.retain(|rs| rs.status.available < rs.replicas);
    sets
}

/// The unavailable pods of a ReplicaSet, with reasons.
fn troubled(scene: &Scene<'_>, rs: &ReplicaSetView) -> Vec<Troubled> {
    let min_ready = SignedDuration::from_secs(rs.min_ready_seconds.into());
    scene.pods_of(rs).filter_map(|pod| trouble(pod, min_ready, scene.now)).collect()
}

/// A ReplicaSet whose pods are refused on creation: by a quota, a webhook, or a missing service account.
pub(super) fn no_pods(scene: &Scene<'_>) -> Option<Finding> {
    let rs = incomplete(scene).into_iter().find(|rs| rs.status.failure.is_some())?;
    let failure = rs.status.failure.as_ref()?;
    let cause = Cause::NoPods {
        replica_set: rs.id.name.clone(),
        said: failure.message.clone(),
        has: rs.status.replicas,
        wants: rs.replicas,
    };
    Some(Finding::of(cause).since(Some(failure.since)))
}

/// A pod that needs a user to become available.
pub(super) fn broken_pods(scene: &Scene<'_>) -> Option<Finding> {
    incomplete(scene).into_iter().find_map(|rs| {
        let broken: Vec<_> = troubled(scene, rs).into_iter().filter(|one| one.trouble.needs_help()).collect();
        let worst = broken.iter().max_by(|a, b| a.trouble.cmp(&b.trouble).then(b.pod.cmp(&a.pod)))?;
        let kind = std::mem::discriminant(&worst.trouble);
        let alike = broken.iter().filter(|one| std::mem::discriminant(&one.trouble) == kind).count();
        let since = broken.iter().filter_map(|one| one.since).min();
        let cause = Cause::Pod {
            pod: worst.pod.clone(),
            replica_set: rs.id.name.clone(),
            trouble: worst.trouble.clone(),
            alike,
            way_back: scene.way_back(),
        };
        Some(Finding::of(cause).since(since))
    })
}

/// Pods that are starting, or that the ReplicaSet controller has not created yet.
pub(super) fn coming_pods(scene: &Scene<'_>) -> Option<Finding> {
    let changed = scene.replica_sets().into_iter().find(|rs| rs.generation > rs.status.observed_generation);
    if let Some(rs) = changed {
        return Some(Finding::of(Cause::Unnoticed { replica_set: rs.id.name.clone() }));
    }
    let rs = incomplete(scene).into_iter().next()?;
    let coming = troubled(scene, rs);
    let replica_set = rs.id.name.clone();
    let exist = scene.pods_of(rs).filter(|pod| pod.metadata.deletion_timestamp.is_none()).count();
    let are_all_there = usize::try_from(rs.replicas).is_ok_and(|wants| exist >= wants);
    let ends = coming.iter().map(|one| young_until(&one.trouble)).collect::<Option<Vec<_>>>();
    if let Some(until) = ends.and_then(|ends| ends.into_iter().max()).filter(|_| are_all_there) {
        let since = coming.iter().filter_map(|one| one.since).max();
        let min_ready = SignedDuration::from_secs(rs.min_ready_seconds.into());
        return Some(Finding::of(Cause::Young { replica_set, min_ready }).since(since).until(Some(until)));
    }
    let unready = coming.iter().find_map(|one| match &one.trouble {
        Trouble::Unready { container } => Some((one, container.clone())),
        Trouble::Starts
        | Trouble::Young { .. }
        | Trouble::Unschedulable { .. }
        | Trouble::Crashes { .. }
        | Trouble::Unmakeable { .. }
        | Trouble::Image { .. } => None,
    });
    let starts = coming.iter().find(|one| young_until(&one.trouble).is_none());
    let (one, container) = unready.map_or((starts, None), |(one, container)| (Some(one), Some(container)));
    let cause = Cause::Starts {
        replica_set,
        pod: one.map(|one| one.pod.clone()),
        unready: container,
        available: rs.status.available,
        wants: rs.replicas,
    };
    Some(Finding::of(cause).since(one.and_then(|one| one.since)))
}

fn young_until(trouble: &Trouble) -> Option<Timestamp> {
    if let Trouble::Young { until } = trouble { Some(*until) } else { None }
}

/// The remaining part of `minReadySeconds` if nothing else is missing.
pub(super) fn ready_left(scene: &Scene<'_>) -> Option<SignedDuration> {
    let sets = incomplete(scene);
    let ends = sets.iter().flat_map(|rs| troubled(scene, rs)).map(|one| young_until(&one.trouble));
    let last = ends.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    Some(last.duration_since(scene.now))
}

/// The pods that a restart has not replaced yet.
fn due<'s>(scene: &'s Scene<'_>) -> Vec<&'s Pod> {
    let at = scene.rollout.spec.restart_at.as_ref();
    let Some(at) = at.filter(|at| at.0 <= scene.now && scene.before.restarted_at.as_ref() != Some(at)) else {
        return Vec::new();
    };
    let is_old = |pod: &&Pod| {
        let created = pod.metadata.creation_timestamp.as_ref();
        pod.metadata.deletion_timestamp.is_none() && created.is_some_and(|created| created.0 < at.0)
    };
    scene
        .replica_sets()
        .into_iter()
        .flat_map(|rs| scene.pods_of(rs).filter(is_old).collect::<Vec<_>>())
        .collect()
}

/// A restart that a `PodDisruptionBudget` blocks.
pub(super) fn budget(scene: &Scene<'_>) -> Option<Finding> {
    let mut purposes = scene.plan.ops().flat_map(|op| &op.purposes);
    if !purposes.any(|purpose| *purpose == Purpose::EvictPod) {
        return None;
    }
    let due = due(scene);
    let pod = due.first()?;
    let labels = pod.metadata.labels.clone().unwrap_or_default();
    let forbids = |budget: &PodDisruptionBudget| {
        let selector = budget.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let allowed = budget.status.as_ref().and_then(|status| status.disruptions_allowed).unwrap_or(0);
        allowed <= 0 && selector.is_some_and(|selector| selects(selector, &labels))
    };
    let budgets: Vec<PodDisruptionBudget> = scene.picture.all("PodDisruptionBudget");
    let budget = budgets.into_iter().find(forbids)?;
    let since = scene.rollout.spec.restart_at.as_ref().map(|at| at.0);
    let cause = Cause::Budget {
        budget: budget.metadata.name.clone().unwrap_or_default(),
        relief: relief(&budget, scene.rollout.spec.desired_replicas()),
        left: due.len(),
    };
    Some(Finding::of(cause).since(since))
}

/// A patch of the budget that allows one eviction. The budget may protect more pods than `replicas` of the Rollout.
/// `None` if the budget would allow an eviction with all pods healthy.
fn relief(budget: &PodDisruptionBudget, replicas: i32) -> Option<String> {
    let spec = budget.spec.as_ref()?;
    let expected = budget.status.as_ref().and_then(|status| status.expected_pods).unwrap_or(0).max(replicas);
    let patch = match (&spec.max_unavailable, &spec.min_available) {
        (Some(IntOrString::Int(0)), _) => json!({"spec": {"maxUnavailable": 1}}),
        (Some(IntOrString::String(share)), _) if share == "0%" => json!({"spec": {"maxUnavailable": 1}}),
        (Some(_), _) | (None, None) => return None,
        (None, Some(IntOrString::Int(least))) if *least < expected => return None,
        (None, Some(IntOrString::Int(_) | IntOrString::String(_))) => {
            json!({"spec": {"minAvailable": expected.saturating_sub(1).max(0)}})
        }
    };
    Some(patch.to_string())
}

/// A restart that continues without a user.
pub(super) fn restart(scene: &Scene<'_>) -> Option<Finding> {
    let at = scene.rollout.spec.restart_at.as_ref().filter(|at| at.0 <= scene.now)?;
    if scene.before.restarted_at.as_ref() == Some(at) {
        return None;
    }
    let starting = incomplete(scene).iter().map(|rs| rs.replicas - rs.status.available).sum();
    Some(Finding::of(Cause::Restart { left: due(scene).len(), starting }).since(Some(at.0)))
}

/// Old pods that wait for a delay, or that are terminating.
pub(super) fn leaving(scene: &Scene<'_>) -> Option<Finding> {
    let deadline = |rs: &ReplicaSetView| {
        let text = rs.annotations.get(keys::SCALE_DOWN_DEADLINE)?;
        text.parse::<Timestamp>().ok().filter(|until| *until > scene.now && rs.replicas > 0)
    };
    let delayed = scene.replica_sets().into_iter().find_map(|rs| Some((rs, deadline(rs)?)));
    if let Some((rs, until)) = delayed {
        let cause = Cause::Delay { replica_set: rs.id.name.clone(), pods: rs.replicas };
        return Some(Finding::of(cause).until(Some(until)));
    }
    let going: Vec<&Pod> = scene
        .replica_sets()
        .into_iter()
        .flat_map(|rs| {
            scene.pods_of(rs).filter(|pod| pod.metadata.deletion_timestamp.is_some()).collect::<Vec<_>>()
        })
        .collect();
    if let Some(pod) = going.first() {
        let object = object(ObjectKind::Pod, pod.metadata.name.as_deref().unwrap_or_default());
        let since = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
        return Some(Finding::of(Cause::Leaving { object, pods: going.len() }).since(since));
    }
    let rs = scene.replica_sets().into_iter().find(|rs| rs.status.replicas > rs.replicas)?;
    let object = object(ObjectKind::ReplicaSet, &rs.id.name);
    let pods = usize::try_from(rs.status.replicas - rs.replicas).unwrap_or(0);
    Some(Finding::of(Cause::Leaving { object, pods }))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_budget_is_relieved_by_one_of_all_the_pods_that_it_protects() {
        let min = |count: i32| Some(json!({"spec": {"minAvailable": count}}).to_string());
        let max = Some(json!({"spec": {"maxUnavailable": 1}}).to_string());
        for (spec, expected_pods, patch) in [
            (json!({"minAvailable": 5}), 5, min(4)),
            // It also protects other pods, which a patch must not expose.
            (json!({"minAvailable": 10}), 10, min(9)),
            (json!({"minAvailable": "100%"}), 10, min(9)),
            (json!({"maxUnavailable": 0}), 5, max.clone()),
            (json!({"maxUnavailable": "0%"}), 5, max),
            // Unhealthy pods exhaust the budget, not its limits.
            (json!({"minAvailable": 4}), 5, None),
            (json!({"maxUnavailable": 1}), 5, None),
        ] {
            let status = json!({"currentHealthy": 5, "desiredHealthy": 5, "disruptionsAllowed": 0, "expectedPods": expected_pods});
            let budget: Value = json!({"metadata": {}, "spec": spec, "status": status});
            let budget = serde_json::from_value(budget).unwrap();
            assert_eq!(relief(&budget, 5), patch, "{spec}");
        }
    }
}

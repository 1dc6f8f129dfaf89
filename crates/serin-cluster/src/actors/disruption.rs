//! The status of `PodDisruptionBudgets`: how many pods there should be, how many are healthy, how many may go.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::actor::{Actor, Step};
use super::deployments::DEPLOYMENTS;
use super::pods::{PODS, is_over, is_ready, is_selected};
use super::replica_sets::REPLICA_SETS;
use super::request::{Call, is_merged, with_condition};
use crate::view::{Change, Object, Place, View};
use serin_values::time::after;

const BUDGETS: &str = "poddisruptionbudgets.policy";
/// A pod that was evicted but is not being deleted after this long does not count as disrupted any more.
const DISRUPTED_SECONDS: i64 = 120;

/// Keeps the status of `PodDisruptionBudgets`.
#[derive(Debug)]
pub(super) struct Disruption;

impl Actor for Disruption {
    fn concerned(&self, view: &View, change: &Change) -> Vec<Place> {
        let namespace = &change.place.namespace;
        match &*change.place.resource {
            BUDGETS => vec![change.place.clone()],
            PODS => {
                let is_meant = |budget: &&Object| change.objects().any(|pod| covers(budget, pod));
                let budgets = view.within(BUDGETS, namespace).filter(is_meant);
                budgets.map(|budget| Place::new(BUDGETS, namespace, budget.name())).collect()
            }
            // The scale of a controller is what percentages are of.
            REPLICA_SETS | DEPLOYMENTS => {
                let budgets = view.within(BUDGETS, namespace);
                budgets.map(|budget| Place::new(BUDGETS, namespace, budget.name())).collect()
            }
            _ => Vec::new(),
        }
    }

    fn step(&self, view: &View, place: &Place, now: Timestamp) -> Step {
        let Some(budget) = view.get(place) else { return Step::default() };
        if !view.is_listed(PODS) || budget.is_deleted() {
            return Step::default();
        }
        let (patch, wake) = status(view, budget, now);
        let status = budget.at("/status");
        // Entries of a map vanish by null only, so the map is compared whole.
        let is_same = is_merged(status, &patch) && !status["observedGeneration"].is_null();
        let calls = if is_same { Vec::new() } else { vec![Call::patch_status(view, place, budget, &patch)] };
        Step { calls, wake }
    }
}

/// Whether the budget is about `pod`. An empty selector selects every pod of the namespace, a missing one none.
fn covers(budget: &Object, pod: &Object) -> bool {
    let selector = budget.at("/spec/selector");
    let is_empty = |field: &str| match &selector[field] {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    if selector.is_object() && is_empty("matchLabels") && is_empty("matchExpressions") {
        return true;
    }
    is_selected(selector, pod)
}

fn status(view: &View, budget: &Object, now: Timestamp) -> (Value, Option<Timestamp>) {
    let pods: Vec<&Object> =
        view.within(PODS, budget.namespace()).filter(|pod| !is_over(pod) && covers(budget, pod)).collect();
    let (expected, desired) = expected(view, budget, &pods);
    let (disrupted, wake) = disrupted(budget, &pods, now);
    let is_disrupted = |pod: &Object| disrupted.get(pod.name()).is_some_and(|time| !time.is_null());
    let healthy = pods.iter().filter(|pod| !pod.is_deleted() && !is_disrupted(pod) && is_ready(pod)).count();
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    let allowed = if expected > 0 { (healthy - desired).max(0) } else { 0 };
    let said = if allowed > 0 { ("True", "SufficientPods", "") } else { ("False", "InsufficientPods", "") };
    let conditions: Vec<Value> = budget.list("/status/conditions").cloned().collect();
    let mut conditions = with_condition(&conditions, "DisruptionAllowed", said, now);
    for condition in conditions.iter_mut().filter(|condition| condition["type"] == "DisruptionAllowed") {
        condition["observedGeneration"] = budget.at("/metadata/generation").clone();
    }
    let mut patch = json!({
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "disruptionsAllowed": allowed,
        "observedGeneration": budget.at("/metadata/generation").as_i64().unwrap_or(0),
        "conditions": conditions,
    });
    if !disrupted.is_empty() {
        patch["disruptedPods"] = disrupted.into();
    }
    (patch, wake)
}

/// How many pods there should be, and how many healthy ones there must be.
fn expected(view: &View, budget: &Object, pods: &[&Object]) -> (i64, i64) {
    let count = i64::try_from(pods.len()).unwrap_or(i64::MAX);
    let most = budget.at("/spec/maxUnavailable");
    if !most.is_null() {
        let expected = scale(view, pods);
        return (expected, (expected - share(most, expected)).max(0));
    }
    let least = budget.at("/spec/minAvailable");
    match least {
        Value::String(_) => {
            let expected = scale(view, pods);
            (expected, share(least, expected))
        }
        Value::Number(_) => (count, least.as_i64().unwrap_or(0)),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => (count, 1),
    }
}

/// A number, or a percentage of `total`, rounded up.
fn share(value: &Value, total: i64) -> i64 {
    let percent =
        value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|text| text.parse::<i64>().ok());
    percent.map_or_else(|| value.as_i64().unwrap_or(0), |percent| (total * percent + 99) / 100)
}

/// The sum of the sizes of all controllers of the pods. A Deployment counts instead of its ReplicaSets.
fn scale(view: &View, pods: &[&Object]) -> i64 {
    let mut sizes = std::collections::BTreeMap::new();
    for pod in pods {
        let owner =
            pod.controller().and_then(|owner| Some((owner.uid, view.get(view.place_of(owner.uid)?)?)));
        let Some((uid, set)) = owner else { continue };
        let deployment = set
            .controller()
            .filter(|owner| owner.kind == "Deployment")
            .and_then(|owner| Some((owner.uid, view.get(view.place_of(owner.uid)?)?)));
        let (uid, scaled) = deployment.unwrap_or((uid, set));
        sizes.insert(uid.to_owned(), scaled.integer("/spec/replicas").unwrap_or(1));
    }
    sizes.values().sum()
}

/// The pods whose eviction was granted and not yet begun; null for those that need no entry any more. And when the
/// next entry is over.
fn disrupted(budget: &Object, pods: &[&Object], now: Timestamp) -> (Map<String, Value>, Option<Timestamp>) {
    let mut entries = Map::new();
    let mut wake: Option<Timestamp> = None;
    for (name, since) in budget.at("/status/disruptedPods").as_object().into_iter().flatten() {
        let until = since.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        let until = until.map(|time| after(time, SignedDuration::from_secs(DISRUPTED_SECONDS)));
        let is_there = pods.iter().any(|pod| pod.name() == name && !pod.is_deleted());
        let until = until.filter(|until| is_there && *until > now);
        if until.is_none() {
            entries.insert(name.clone(), Value::Null);
        } else {
            entries.insert(name.clone(), since.clone());
            wake = [wake, until].into_iter().flatten().min();
        }
    }
    (entries, wake)
}

#[cfg(test)]
mod tests {
    use super::super::ActorName;
    use super::super::world::World;
    use super::*;

    /// A budget over four pods of a ReplicaSet of five, three of them ready.
    fn world(spec: &Value) -> World {
        let mut world = World::new(ActorName::Disruption);
        let mut spec = spec.clone();
        if spec["selector"].is_null() {
            spec["selector"] = json!({"matchLabels": {"app": "web"}});
        }
        world.put(BUDGETS, "shop", "web", json!({"metadata": {"generation": 3}, "spec": spec}));
        world.put(REPLICA_SETS, "shop", "web", json!({"metadata": {"uid": "rs"}, "spec": {"replicas": 5}}));
        for (name, ready) in [("a", "True"), ("b", "True"), ("c", "True"), ("d", "False")] {
            let owners = json!([{"kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": true}]);
            world.put(
                PODS,
                "shop",
                name,
                json!({
                    "metadata": {"labels": {"app": "web"}, "ownerReferences": owners},
                    "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]},
                }),
            );
        }
        world.settle();
        world
    }

    /// expectedPods, desiredHealthy, currentHealthy, disruptionsAllowed.
    fn counts(world: &World) -> [i64; 4] {
        let budget = world.get(BUDGETS, "shop", "web").unwrap();
        ["expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"]
            .map(|field| budget.integer(&format!("/status/{field}")).unwrap())
    }

    #[test]
    fn numbers_and_percentages_count_from_pods_or_from_the_scale() {
        for (spec, expected) in [
            (json!({"minAvailable": 2}), [4, 2, 3, 1]),
            (json!({"minAvailable": 4}), [4, 4, 3, 0]),
            (json!({"minAvailable": "50%"}), [5, 3, 3, 0]),
            (json!({"maxUnavailable": 3}), [5, 2, 3, 1]),
            (json!({"maxUnavailable": "30%"}), [5, 3, 3, 0]),
            (json!({"maxUnavailable": 9}), [5, 0, 3, 3]),
            (json!({}), [4, 1, 3, 2]),
            (json!({"minAvailable": 1, "selector": {}}), [4, 1, 3, 2]),
            (json!({"minAvailable": 0, "selector": {"matchLabels": {"app": "x"}}}), [0, 0, 0, 0]),
        ] {
            assert_eq!(counts(&world(&spec)), expected, "{spec}");
        }
    }

    #[test]
    fn the_condition_says_whether_a_pod_may_go() {
        let mut world = world(&json!({"minAvailable": 2}));
        let condition = |world: &World| {
            let budget = world.get(BUDGETS, "shop", "web").unwrap();
            let condition = budget.condition("DisruptionAllowed").unwrap();
            (
                condition["status"].clone(),
                condition["reason"].clone(),
                condition["observedGeneration"].clone(),
            )
        };
        assert_eq!(condition(&world), (json!("True"), json!("SufficientPods"), json!(3)));
        world.remove(PODS, "shop", "a");
        world.settle();
        assert_eq!(condition(&world), (json!("False"), json!("InsufficientPods"), json!(3)));
    }

    #[test]
    fn an_evicted_pod_does_not_count_while_its_eviction_is_under_way() {
        let mut world = world(&json!({"minAvailable": 1}));
        let now = world.now.to_string();
        world.change(BUDGETS, "shop", "web", |budget| budget["status"]["disruptedPods"] = json!({"a": now}));
        world.settle();
        assert_eq!(counts(&world), [4, 1, 2, 1]);
        world.pass(DISRUPTED_SECONDS);
        assert_eq!(counts(&world), [4, 1, 3, 2]);
        let budget = world.get(BUDGETS, "shop", "web").unwrap();
        assert_eq!(budget.at("/status/disruptedPods"), &json!({}));
    }

    #[test]
    fn a_deployment_counts_instead_of_its_sets() {
        let mut world = world(&json!({"maxUnavailable": 1}));
        world.put(DEPLOYMENTS, "shop", "web", json!({"metadata": {"uid": "d"}, "spec": {"replicas": 8}}));
        world.change(REPLICA_SETS, "shop", "web", |set| {
            set["metadata"]["ownerReferences"] =
                json!([{"kind": "Deployment", "name": "web", "uid": "d", "controller": true}]);
        });
        world.settle();
        assert_eq!(counts(&world), [8, 7, 3, 0]);
    }
}

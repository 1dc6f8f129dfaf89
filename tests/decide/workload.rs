//! A template that comes from a workload: how it is followed, and when the workload gives up its pods.

use jiff::SignedDuration;
use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::{ObjectKind, Plan, Purpose};
use serin_core::rollout::decide;
use serin_core::rollout::snapshot::Snapshot;

use crate::world::World;

const DEPLOYMENT: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 5
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
"#;

/// A Rollout of the Deployment `web`.
fn rollout(scale_down: &str, strategy: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {{name: web}}\nspec:\n  replicas: 5\n  \
         workloadRef: {{apiVersion: apps/v1, kind: Deployment, name: web, scaleDown: {scale_down}}}\n  \
         strategy: {strategy}\n"
    )
}

const STEPS: &str = "{canary: {steps: [{setWeight: 20}, {pause: {}}]}}";

fn world(manifests: &[&str]) -> World {
    let mut world = World::new();
    for manifest in manifests {
        world.apply(manifest);
    }
    world
}

/// The Deployment and its Rollout, settled.
fn deployed(scale_down: &str) -> World {
    let mut world = world(&[DEPLOYMENT, &rollout(scale_down, STEPS)]);
    world.pass(5_000);
    assert_eq!(phase(&world), "Healthy");
    world
}

fn phase(world: &World) -> &str {
    world.rollout()["status"]["phase"].as_str().unwrap_or_default()
}

fn message(world: &World) -> &str {
    world.rollout()["status"]["message"].as_str().unwrap_or_default()
}

fn set_image(world: &mut World, image: &str) {
    let mut containers =
        world.get(ObjectKind::Deployment, "web").unwrap()["spec"]["template"]["spec"]["containers"].clone();
    containers[0]["image"] = image.into();
    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
    world.patch(ObjectKind::Deployment, "web", &patch);
}

fn promote(world: &mut World) {
    world.patch(ObjectKind::Rollout, "web", &json!({"status": {"pauseConditions": null}}));
}

/// `spec.replicas` of the Deployment.
fn size(world: &World) -> i64 {
    world.get(ObjectKind::Deployment, "web").unwrap()["spec"]["replicas"].as_i64().unwrap()
}

/// Revision, its history and size of each ReplicaSet, oldest first.
fn revisions(world: &World) -> Vec<(String, String, i64)> {
    let text = |rs: &Value, key: &str| rs["metadata"]["annotations"][key].as_str().unwrap_or("-").to_owned();
    let mut sets: Vec<_> = world.all(ObjectKind::ReplicaSet).collect();
    sets.sort_by_key(|rs| rs["metadata"]["creationTimestamp"].to_string());
    sets.into_iter()
        .map(|rs| {
            (
                text(rs, keys::REVISION),
                text(rs, keys::REVISION_HISTORY),
                rs["spec"]["replicas"].as_i64().unwrap(),
            )
        })
        .collect()
}

fn generation(object: &Value) -> String {
    object["metadata"]["generation"].to_string()
}

#[test]
fn the_template_is_used_and_never_stored() {
    let mut world = deployed("never");
    let spec = world.rollout()["spec"].clone();
    set_image(&mut world, "web:2");
    world.pass(5_000);
    promote(&mut world);
    world.pass(20_000);
    assert_eq!(phase(&world), "Healthy");
    let expected = [("1", "-", 0), ("2", "-", 5)].map(|(n, history, size)| (n.into(), history.into(), size));
    assert_eq!(revisions(&world), expected);
    let images = |rs: &Value| rs["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    let images: Vec<_> = world.all(ObjectKind::ReplicaSet).map(images).collect();
    assert!(images.contains(&json!("web:1")) && images.contains(&json!("web:2")));
    assert_eq!(world.rollout()["spec"], spec, "nothing of the workload is in the Rollout");
    assert_eq!(world.rollout()["status"]["selector"], "app=web", "it is the workload's");
    assert_eq!(size(&world), 5);
}

#[test]
fn the_generation_of_the_workload_is_noted_where_tools_look() {
    let mut world = deployed("never");
    for replicas in [4, 3] {
        world.patch(ObjectKind::Deployment, "web", &json!({"spec": {"replicas": replicas}}));
        world.pass(1_000);
        let current = generation(world.get(ObjectKind::Deployment, "web").unwrap());
        let noted = |object: &Value| object["metadata"]["annotations"][keys::WORKLOAD_GENERATION].clone();
        assert_eq!(noted(world.rollout()), current.as_str());
        assert_eq!(world.rollout()["status"]["workloadObservedGeneration"], current.as_str());
        assert!(world.all(ObjectKind::ReplicaSet).all(|rs| noted(rs) == current.as_str()));
    }
    assert_eq!(revisions(&world), [("1".to_owned(), "-".to_owned(), 5)], "another size is no revision");

    // Without the reference the note means nothing any more.
    let template = world.get(ObjectKind::Deployment, "web").unwrap()["spec"]["template"].clone();
    let own = json!({"workloadRef": null, "selector": {"matchLabels": {"app": "web"}}, "template": template});
    world.patch(ObjectKind::Rollout, "web", &json!({"spec": own}));
    world.pass(1_000);
    assert_eq!(world.rollout()["status"]["workloadObservedGeneration"], Value::Null);
    assert_eq!(revisions(&world).len(), 1, "the same template is the same revision");
    assert!(world.plan().is_empty());
}

#[test]
fn the_earlier_template_brings_the_earlier_revision_back() {
    let mut world = deployed("never");
    for image in ["web:2", "web:1"] {
        set_image(&mut world, image);
        world.pass(5_000);
        promote(&mut world);
        world.pass(20_000);
    }
    let expected = [("3", "1", 5), ("2", "-", 0)].map(|(n, history, size)| (n.into(), history.into(), size));
    assert_eq!(revisions(&world), expected);
    assert_eq!(phase(&world), "Healthy");
}

/// A controller of another version may have given the ReplicaSet another hash; the record counts only for the template that
/// it was made of.
#[test]
fn a_record_of_another_generation_does_not_hide_a_new_template() {
    let mut world = deployed("never");
    set_image(&mut world, "web:2");
    let is_creation = |plan: &Plan| plan.ops().any(|op| op.purposes == [Purpose::CreateReplicaSet]);
    assert_eq!(
        generation(world.rollout()),
        world.rollout()["status"]["observedGeneration"].as_str().unwrap()
    );
    assert!(is_creation(&world.plan()));
}

#[test]
fn a_workload_that_is_not_there_stops_the_rollout_and_releases_nothing() {
    let mut world = deployed("onsuccess");
    world.forget(ObjectKind::Deployment, "web");
    let sets: Vec<Value> = world.all(ObjectKind::ReplicaSet).cloned().collect();
    world.pass(60_000);
    assert_eq!(
        message(&world),
        "InvalidSpec: The Rollout \"web\" is invalid: spec.workloadRef.name: Invalid value: \"web\": Deployment \"web\" not \
         found; create it in the Rollout's namespace"
    );
    assert_eq!(world.all(ObjectKind::ReplicaSet).cloned().collect::<Vec<_>>(), sets, "they stay as they are");

    world.apply(DEPLOYMENT);
    world.pass(5_000);
    assert_eq!((phase(&world), message(&world)), ("Healthy", ""));
    assert_eq!(revisions(&world).len(), 1);
}

#[test]
fn a_workload_that_comes_late_is_waited_for() {
    let mut world = world(&[&rollout("never", STEPS)]);
    world.pass(5_000);
    assert_eq!(phase(&world), "Degraded");
    assert_eq!(world.all(ObjectKind::ReplicaSet).count(), 0);
    world.apply(DEPLOYMENT);
    world.pass(5_000);
    assert_eq!(phase(&world), "Healthy");
}

#[test]
fn a_pod_template_has_no_selector_to_give() {
    let template = DEPLOYMENT.replace("apps/v1", "v1").replace("Deployment", "PodTemplate");
    let template = template
        .replace("spec:\n  replicas: 5\n  selector: {matchLabels: {app: web}}\n  template:", "template:");
    let of_pod_template =
        rollout("never", STEPS).replace("apps/v1", "v1").replace("Deployment", "PodTemplate");
    let mut world = world(&[&template, &of_pod_template]);
    world.pass(5_000);
    assert!(
        message(&world).ends_with(
            "spec.selector: Required value: name labels of the PodTemplate, which has no selector"
        )
    );
    world.patch(ObjectKind::Rollout, "web", &json!({"spec": {"selector": {"matchLabels": {"app": "web"}}}}));
    world.pass(5_000);
    assert_eq!(phase(&world), "Healthy");

    world.patch(ObjectKind::PodTemplate, "web", &json!({"template": {"spec": {"restartPolicy": "Never"}}}));
    world.pass(5_000);
    let path = "spec.workloadRef (PodTemplate web).template.spec.restartPolicy: ";
    assert!(message(&world).contains(path), "{}", message(&world));
}

#[test]
fn a_selector_must_select_the_pods_of_the_workload() {
    let of_others =
        rollout("never", STEPS).replace("replicas: 5", "selector: {matchLabels: {app: api}}\n  replicas: 5");
    let mut world = world(&[DEPLOYMENT, &of_others]);
    world.pass(3_000);
    let problem = "spec.workloadRef (Deployment web).spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: \
                   spec.selector does not select pods with these labels";
    assert!(message(&world).contains(problem), "{}", message(&world));
}

#[test]
fn services_must_select_the_pods_of_the_workload() {
    let service =
        |selector: &str| format!("{{kind: Service, metadata: {{name: s}}, spec: {{selector: {selector}}}}}");
    let canary = rollout("never", "{canary: {stableService: s}}");
    let mut refused = world(&[DEPLOYMENT, &canary, &service("{app: api}")]);
    refused.pass(3_000);
    assert!(message(&refused).contains("spec.strategy.canary.stableService"), "{}", message(&refused));
    let mut accepted = world(&[DEPLOYMENT, &canary, &service("{app: web}")]);
    accepted.pass(5_000);
    assert_eq!(phase(&accepted), "Healthy");
}

#[test]
fn a_success_scales_the_deployment_down_whatever_the_strategy() {
    assert_eq!(size(&deployed("never")), 5);
    assert_eq!(size(&deployed("onsuccess")), 0);
    let active = "{kind: Service, metadata: {name: active}, spec: {selector: {app: web}}}";
    let mut world =
        world(&[active, DEPLOYMENT, &rollout("onsuccess", "{blueGreen: {activeService: active}}")]);
    world.pass(5_000);
    assert_eq!((phase(&world), size(&world)), ("Healthy", 0));
    assert!(world.plan().is_empty());
}

#[test]
fn a_revision_that_never_serves_leaves_the_deployment_to_the_next() {
    for mode in ["onsuccess", "progressively"] {
        let broken = DEPLOYMENT.replace("web:1", "web:nonexistent");
        let mut world = world(&[&broken, &rollout(mode, "{canary: {}}")]);
        world.pass(60_000);
        assert_eq!((phase(&world), size(&world)), ("Progressing", 5), "{mode}");
        set_image(&mut world, "web:2");
        world.pass(60_000);
        assert_eq!((phase(&world), size(&world)), ("Healthy", 0), "{mode}");
    }
}

/// `kubectl apply` of a manifest that has the size in it, say.
#[test]
fn a_deployment_that_was_scaled_up_again_goes_again() {
    for mode in ["onsuccess", "progressively"] {
        let mut world = deployed(mode);
        world.patch(ObjectKind::Deployment, "web", &json!({"spec": {"replicas": 2}}));
        world.pass(0);
        assert_eq!(size(&world), 0, "{mode}");
        world.patch(ObjectKind::Rollout, "web", &json!({"spec": {"workloadRef": {"scaleDown": "never"}}}));
        world.patch(ObjectKind::Deployment, "web", &json!({"spec": {"replicas": 2}}));
        world.pass(60_000);
        assert_eq!(size(&world), 2, "{mode}: unless it is to stay");
    }
}

/// Who scales it up in the middle of an update may have a reason.
#[test]
fn a_deployment_that_was_scaled_up_stays_until_all_is_well() {
    let mut world = deployed("onsuccess");
    set_image(&mut world, "web:2");
    world.pass(5_000);
    world.patch(ObjectKind::Deployment, "web", &json!({"spec": {"replicas": 2}}));
    world.pass(60_000);
    assert_eq!((phase(&world), size(&world)), ("Paused", 2));
    assert_eq!(world.rollout()["status"]["availableReplicas"], 5, "there are enough pods");
    promote(&mut world);
    world.pass(60_000);
    assert_eq!((phase(&world), size(&world)), ("Healthy", 0));
}

/// A Rollout in the middle of its first deployment, of which so many pods are available.
fn halfway(mode: &str, available: i32) -> (Snapshot, World) {
    let mut world = world(&[DEPLOYMENT, &rollout(mode, "{canary: {}}")]);
    world.pass(1_000);
    let mut snapshot = world.snapshot();
    snapshot.replica_sets[0].status.available = available;
    (snapshot, world)
}

/// The size that the plan gives to the Deployment.
fn scaled_to(plan: &Plan) -> Option<i32> {
    let purposes = plan.ops().flat_map(|op| &op.purposes);
    purposes
        .into_iter()
        .find_map(|p| if let Purpose::ScaleWorkload { to, .. } = p { Some(*to) } else { None })
}

#[test]
fn progressively_each_available_pod_takes_the_place_of_one() {
    for (available, expected) in [(0, None), (1, Some(4)), (3, Some(2)), (5, Some(0))] {
        let (snapshot, world) = halfway("progressively", available);
        assert_eq!(scaled_to(&decide(&snapshot, world.now)), expected, "{available} available");
    }
}

#[test]
fn the_deployment_is_never_given_more_pods() {
    let (mut snapshot, world) = halfway("progressively", 1);
    snapshot.workload.as_mut().unwrap().as_mut().unwrap().replicas = 3;
    assert_eq!(scaled_to(&decide(&snapshot, world.now)), None);
}

#[test]
fn a_rollout_without_pods_takes_none_from_the_deployment() {
    for mode in ["onsuccess", "progressively"] {
        let empty = rollout(mode, "{canary: {}}").replace("replicas: 5", "replicas: 0");
        let mut world = world(&[DEPLOYMENT, &empty]);
        world.pass(60_000);
        assert_eq!((phase(&world), size(&world)), ("Healthy", 5), "{mode}");
    }
}

/// Pods that the same plan takes away from an old ReplicaSet make up for nothing.
#[test]
fn pods_that_go_with_the_plan_do_not_count() {
    let strategy = "{canary: {maxSurge: 0, maxUnavailable: 2, steps: [{setWeight: 40}, {pause: {}}]}}";
    let mut world = world(&[DEPLOYMENT, &rollout("progressively", strategy)]);
    world.pass(5_000);
    set_image(&mut world, "web:2");
    world.pass(0);
    let mut snapshot = world.snapshot();
    let stable = &mut snapshot.replica_sets[0];
    assert_eq!(stable.replicas, 3, "it makes room");
    (stable.replicas, stable.status.replicas, stable.status.available) = (5, 5, 5);
    assert_eq!(scaled_to(&decide(&snapshot, world.now)), None, "it is gone already");
    snapshot.workload.as_mut().unwrap().as_mut().unwrap().replicas = 5;
    let plan = decide(&snapshot, world.now);
    let shrinks = Purpose::ScaleReplicaSet { from: 5, to: 3 };
    assert!(plan.ops().any(|op| op.purposes.contains(&shrinks)), "{plan:#?}");
    assert_eq!(scaled_to(&plan), Some(2));
}

/// The Deployment and the Rollout together have what is wanted, and in the end no more.
#[test]
fn capacity_is_kept_all_the_way_through() {
    for mode in ["onsuccess", "progressively"] {
        let mut world = world(&[DEPLOYMENT, &rollout(mode, "{canary: {}}")]);
        world.stagger = SignedDuration::from_millis(700);
        let mut sizes = vec![size(&world)];
        for _ in 0..100 {
            world.pass(100);
            let available = |rs: &Value| rs["status"]["availableReplicas"].as_i64().unwrap_or_default();
            let covered: i64 = world.all(ObjectKind::ReplicaSet).map(available).sum();
            assert!(size(&world) + covered >= 5, "{mode}: {} and {covered}", size(&world));
            sizes.push(size(&world));
        }
        sizes.dedup();
        let expected: &[i64] = if mode == "onsuccess" { &[5, 0] } else { &[5, 4, 3, 2, 1, 0] };
        assert_eq!(sizes, expected, "{mode}");
    }
}

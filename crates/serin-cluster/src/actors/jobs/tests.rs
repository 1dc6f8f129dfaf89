use super::super::ActorName;
use super::super::world::World;
use super::*;

fn world(spec: Value) -> World {
    let mut world = World::new(ActorName::Jobs);
    let mut spec = spec;
    spec["template"] = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c"}], "restartPolicy": "Never"}});
    world.put(JOBS, "shop", "sum", json!({"metadata": {"generation": 1}, "spec": spec}));
    world.settle();
    world
}

fn job(world: &World) -> Object {
    world.get(JOBS, "shop", "sum").unwrap()
}

fn end(world: &mut World, phase: &str) {
    let now = world.now;
    for pod in world.all(PODS).iter().filter(|pod| is_active(pod)) {
        world.change(PODS, "shop", pod.name(), |pod| {
            pod["status"] = json!({"phase": phase,
                "containerStatuses": [{"state": {"terminated": {"finishedAt": now.to_string()}}}]});
        });
    }
    world.settle();
}

#[test]
fn a_job_completes_when_its_pod_succeeds() {
    let mut world = world(json!({"completions": 1, "parallelism": 1}));
    let pods = world.all(PODS);
    assert_eq!(pods.len(), 1);
    let uid = job(&world).uid().to_owned();
    for label in ["batch.kubernetes.io/controller-uid", "controller-uid"] {
        assert_eq!(pods[0].label(label), Some(uid.as_str()));
    }
    assert_eq!((pods[0].label("job-name"), pods[0].label("a")), (Some("sum"), Some("b")));
    assert_eq!(job(&world).at("/status/active"), 1);
    end(&mut world, "Succeeded");
    let ended = job(&world);
    assert!(ended.is_true("Complete") && ended.is_true("SuccessCriteriaMet"));
    assert_eq!((ended.at("/status/succeeded"), ended.at("/status/active")), (&json!(1), &Value::Null));
    assert!(ended.time("/status/completionTime").is_some());
    assert!(world.events().contains(&"Completed Job completed".to_owned()));
    let written = world.log.len();
    world.pass(3600);
    assert_eq!(world.log.len(), written);
}

#[test]
fn no_more_pods_run_at_a_time_than_are_parallel() {
    let mut world = world(json!({"completions": 5, "parallelism": 2}));
    let mut counts = Vec::new();
    for _ in 0..3 {
        counts.push(world.all(PODS).iter().filter(|pod| is_active(pod)).count());
        end(&mut world, "Succeeded");
    }
    assert_eq!((counts, world.all(PODS).len()), (vec![2, 2, 1], 5));
    assert!(job(&world).is_true("Complete"));
}

#[test]
fn a_failed_pod_is_replaced_later_and_later_until_the_limit() {
    let mut world = world(json!({"completions": 1, "backoffLimit": 2}));
    for (wait, pods) in [(10, 2), (20, 3)] {
        end(&mut world, "Failed");
        world.pass(wait - 1);
        assert_eq!(world.all(PODS).len(), pods - 1);
        world.pass(1);
        assert_eq!(world.all(PODS).len(), pods);
    }
    end(&mut world, "Failed");
    let failed = job(&world);
    assert_eq!(failed.condition("Failed").unwrap()["reason"], "BackoffLimitExceeded");
    assert!(failed.is_true("FailureTarget"));
    assert_eq!(failed.at("/status/failed"), 3);
    assert!(failed.at("/status/completionTime").is_null());
    world.pass(3600);
    assert_eq!(world.all(PODS).len(), 3);
}

#[test]
fn the_deadline_ends_running_pods() {
    let mut world = world(json!({"completions": 1, "activeDeadlineSeconds": 30}));
    world.pass(29);
    assert!(job(&world).condition("Failed").is_none());
    world.pass(1);
    assert_eq!(job(&world).condition("Failed").unwrap()["reason"], "DeadlineExceeded");
    assert!(world.all(PODS).is_empty());
}

#[test]
fn a_suspended_job_has_no_pods_until_it_is_resumed() {
    let mut world = world(json!({"completions": 1, "suspend": true}));
    assert!(world.all(PODS).is_empty() && job(&world).is_true("Suspended"));
    world.change(JOBS, "shop", "sum", |job| job["spec"]["suspend"] = false.into());
    world.settle();
    assert_eq!(world.all(PODS).len(), 1);
    assert!(!job(&world).is_true("Suspended"));
}

#[test]
fn an_ended_job_goes_after_its_time() {
    let mut world = world(json!({"completions": 1, "ttlSecondsAfterFinished": 60}));
    end(&mut world, "Succeeded");
    world.pass(59);
    assert!(!job(&world).is_deleted());
    world.pass(1);
    assert!(job(&world).is_deleted());
    assert_eq!(job(&world).finalizers().collect::<Vec<_>>(), ["foregroundDeletion"]);
}

#[test]
fn a_success_counts_even_when_its_pod_is_gone() {
    let mut world = world(json!({"completions": 2}));
    end(&mut world, "Succeeded");
    let done = world.all(PODS).iter().find(|pod| !is_active(pod)).unwrap().name().to_owned();
    world.remove(PODS, "shop", &done);
    world.settle();
    assert_eq!(job(&world).at("/status/succeeded"), 1);
}

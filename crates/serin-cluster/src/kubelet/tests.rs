//! The kubelet's decisions, without an API.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, PodStatus};
use serde_json::{Value, json};

use super::{KubeletSettings, Node, Outcome, Request};

fn settings() -> KubeletSettings {
    KubeletSettings::default()
}

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_700_000_000_000 + milliseconds).unwrap()
}

/// A pod on the node with one container `c`, with `spec` merged into its spec.
fn pod(spec: &Value) -> Pod {
    let mut whole = json!({"nodeName": "node", "containers": [{"name": "c", "image": "demo:blue"}]});
    for (field, value) in spec.as_object().unwrap() {
        whole[field] = value.clone();
    }
    serde_json::from_value(json!({
        "metadata": {"name": "p", "namespace": "n", "uid": "u1", "resourceVersion": "1", "generation": 1},
        "spec": whole,
        "status": {"phase": "Pending"},
    }))
    .unwrap()
}

fn container(fields: &Value) -> Value {
    let mut container = json!({"name": "c", "image": "demo:blue"});
    for (field, value) in fields.as_object().unwrap() {
        container[field] = value.clone();
    }
    json!({"containers": [container]})
}

fn deleted(mut pod: Pod, version: &str) -> Pod {
    pod.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(at(0)));
    pod.metadata.deletion_grace_period_seconds = Some(30);
    pod.metadata.resource_version = Some(version.to_owned());
    pod
}

/// A node and an API that does at once what it is asked for.
struct World {
    node: Node,
    pod: Pod,
    /// Milliseconds, and what was asked for then.
    log: Vec<(i64, Request)>,
    time: i64,
}

impl World {
    fn new(pod: Pod) -> Self {
        let mut node = Node::new(settings());
        node.applied(pod.clone(), at(0));
        Self { node, pod, log: Vec::new(), time: 0 }
    }

    /// Lets time pass until `end`, stopping only where the node wants to be woken.
    fn run_until(&mut self, end: i64) {
        while let Some(wake) = self.node.wake() {
            let wake = wake.duration_since(at(0)).as_millis();
            let wake = i64::try_from(wake).unwrap();
            if wake > end {
                break;
            }
            self.time = self.time.max(wake);
            for request in self.node.step(at(self.time), 64) {
                self.log.push((self.time, request.clone()));
                self.answer(&request);
            }
        }
        self.time = end;
    }

    fn answer(&mut self, request: &Request) {
        let now = at(self.time);
        let next: u64 = self.pod.metadata.resource_version.as_ref().unwrap().parse::<u64>().unwrap() + 1;
        self.pod.metadata.resource_version = Some(next.to_string());
        match request {
            Request::Bind { key, .. } => {
                self.pod.spec.as_mut().unwrap().node_name = Some("node".to_owned());
                self.node.finished(key, Outcome::Done(None), now);
                self.node.applied(self.pod.clone(), now);
            }
            Request::WriteStatus { key, status, .. } => {
                self.pod.status = Some((**status).clone());
                self.node.finished(key, Outcome::Done(Some(Box::new(self.pod.clone()))), now);
            }
            Request::Delete { key, .. } => {
                self.node.finished(key, Outcome::Done(None), now);
                self.node.deleted(&self.pod);
            }
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Pod)) {
        change(&mut self.pod);
        let next: u64 = self.pod.metadata.resource_version.as_ref().unwrap().parse::<u64>().unwrap() + 1;
        self.pod.metadata.resource_version = Some(next.to_string());
        self.node.applied(self.pod.clone(), at(self.time));
    }

    fn status(&self) -> &PodStatus {
        self.pod.status.as_ref().unwrap()
    }

    fn phase(&self) -> &str {
        self.status().phase.as_deref().unwrap()
    }

    fn condition(&self, kind: &str) -> (&str, &str) {
        let list = self.status().conditions.as_ref().unwrap();
        let found = list.iter().find(|condition| condition.type_ == kind).unwrap();
        (&found.status, found.reason.as_deref().unwrap_or(""))
    }

    fn waits_for(&self) -> &str {
        let state = self.status().container_statuses.as_ref().unwrap()[0].state.as_ref().unwrap();
        state.waiting.as_ref().unwrap().reason.as_deref().unwrap()
    }

    fn exit(&self) -> (i32, &str) {
        let state = self.status().container_statuses.as_ref().unwrap()[0].state.as_ref().unwrap();
        let terminated = state.terminated.as_ref().unwrap();
        (terminated.exit_code, terminated.reason.as_deref().unwrap())
    }

    fn times(&self) -> Vec<i64> {
        self.log.iter().map(|(time, _)| *time).collect()
    }
}

#[test]
fn an_unbound_pod_is_bound_and_runs_after_the_start_latency() {
    let mut world = World::new(pod(&json!({"nodeName": null})));
    world.run_until(2499);
    assert!(matches!(&world.log[..], [(0, Request::Bind { uid, .. })] if uid == "u1"));
    world.run_until(10_000);
    assert_eq!(world.times(), [0, 2500], "one request to bind, one to report, and silence");
    assert_eq!(world.phase(), "Running");
    for kind in ["Initialized", "PodScheduled", "ContainersReady", "Ready"] {
        assert_eq!(world.condition(kind), ("True", ""), "{kind}");
    }
    let status = world.status();
    assert_eq!(status.pod_ip.as_deref(), Some("10.244.0.1"));
    assert_eq!(status.start_time.as_ref().unwrap().0, at(2000), "whole seconds");
    assert!(status.container_statuses.as_ref().unwrap()[0].ready);
}

#[test]
fn pods_of_other_nodes_and_gated_pods_are_left_alone() {
    for spec in
        [json!({"nodeName": "other"}), json!({"nodeName": null, "schedulingGates": [{"name": "wait"}]})]
    {
        let mut world = World::new(pod(&spec));
        world.run_until(10_000);
        assert!(world.log.is_empty(), "{spec}");
    }
}

#[test]
fn a_readiness_probe_delays_readiness_from_the_start_of_the_container() {
    let mut world = World::new(pod(&container(&json!({"readinessProbe": {"initialDelaySeconds": 4}}))));
    world.run_until(6499);
    assert_eq!((world.phase(), world.condition("Ready")), ("Running", ("False", "ContainersNotReady")));
    world.run_until(6500);
    assert_eq!(world.condition("Ready"), ("True", ""));
    assert_eq!(world.times(), [2500, 6500]);
}

#[test]
fn a_real_probe_has_the_last_word() {
    let mut world = World::new(pod(&json!({})));
    world.run_until(3000);
    let key = world.log[0].1.key().clone();
    world.node.probed(&key, "c", false, at(3000));
    world.run_until(3500);
    assert_eq!(world.condition("Ready"), ("False", "ContainersNotReady"));
    world.node.probed(&key, "c", true, at(3500));
    world.run_until(4000);
    assert_eq!(world.condition("Ready"), ("True", ""));
}

#[test]
fn readiness_gates_wait_for_conditions_of_others_which_stay() {
    let gate = "example.com/load-balancer";
    let mut world = World::new(pod(&json!({"readinessGates": [{"conditionType": gate}]})));
    world.run_until(5000);
    assert_eq!(world.condition("ContainersReady"), ("True", ""));
    assert_eq!(world.condition("Ready"), ("False", "ReadinessGatesNotReady"));
    assert!(!world.status().conditions.as_ref().unwrap().iter().any(|condition| condition.type_ == gate));
    world.change(|pod| {
        let foreign =
            serde_json::from_value(json!({"type": gate, "status": "True", "reason": "Healthy"})).unwrap();
        pod.status.as_mut().unwrap().conditions.as_mut().unwrap().push(foreign);
    });
    world.run_until(6000);
    assert_eq!(world.condition("Ready"), ("True", ""));
    assert_eq!(world.condition(gate), ("True", "Healthy"));
}

#[test]
fn a_post_start_hook_holds_the_pod_back() {
    let hook = json!({"lifecycle": {"postStart": {"exec": {"command": ["sleep", "3"]}}}});
    let mut world = World::new(pod(&container(&hook)));
    world.run_until(5499);
    assert_eq!(world.phase(), "Pending");
    world.run_until(5500);
    assert_eq!((world.phase(), world.condition("Ready")), ("Running", ("True", "")));
}

#[test]
fn bad_pods_never_become_ready() {
    let mut world = World::new(pod(&container(&json!({"command": ["/bad-command"]}))));
    world.run_until(60_000);
    assert_eq!((world.phase(), world.waits_for()), ("Pending", "CrashLoopBackOff"));
    assert_eq!(world.condition("Ready").0, "False");
    assert_eq!(world.times(), [2500]);

    let mut world = World::new(pod(&container(&json!({"image": "demo:error"}))));
    world.run_until(4000);
    assert_eq!((world.phase(), world.waits_for()), ("Pending", "ErrImagePull"));
    world.run_until(60_000);
    assert_eq!((world.phase(), world.waits_for()), ("Pending", "ImagePullBackOff"));
    assert_eq!(world.times(), [2500, 4500]);
}

#[test]
fn jobs_end_as_their_command_says() {
    for (command, phase, exit, over) in [
        (json!(["sleep", "5"]), "Succeeded", (0, "Completed"), 7500),
        (json!(["sh", "-c", "sleep 2; exit 3"]), "Failed", (3, "Error"), 4500),
        (json!(["sleep 5"]), "Failed", (128, "StartError"), 2500),
        (json!(["true"]), "Succeeded", (0, "Completed"), 2500),
    ] {
        let mut spec = container(&json!({"command": command}));
        spec["restartPolicy"] = "Never".into();
        let mut world = World::new(pod(&spec));
        world.run_until(60_000);
        assert_eq!((world.phase(), world.exit()), (phase, exit), "{command}");
        assert_eq!(world.times().last(), Some(&over), "{command}");
        assert_eq!(world.condition("Ready"), ("False", "PodCompleted"), "{command}");
    }
}

#[test]
fn a_deleted_pod_drains_and_is_deleted_by_its_identity() {
    let mut world = World::new(pod(&json!({})));
    world.run_until(5000);
    world.change(|pod| *pod = deleted(pod.clone(), "7"));
    world.run_until(5999);
    assert_eq!(world.times(), [2500]);
    world.run_until(6000);
    assert!(matches!(&world.log[1], (6000, Request::Delete { uid, .. }) if uid == "u1"));
    world.run_until(60_000);
    assert_eq!(world.log.len(), 2);
}

#[test]
fn a_deleted_pod_that_a_finalizer_holds_gets_an_outcome_first() {
    let mut world = World::new(pod(&json!({})));
    world.run_until(5000);
    world.change(|pod| {
        pod.metadata.finalizers = Some(vec!["batch.kubernetes.io/job-tracking".to_owned()]);
        *pod = deleted(pod.clone(), "7");
    });
    world.run_until(6000);
    assert_eq!((world.phase(), world.exit()), ("Failed", (137, "Error")));
    assert!(matches!(world.log.last(), Some((6000, Request::Delete { .. }))));
}

#[test]
fn a_pod_that_ran_before_the_kubelet_did_is_not_started_again() {
    let mut before = World::new(pod(&json!({})));
    before.run_until(3000);
    let mut after = World::new(before.pod.clone());
    after.run_until(60_000);
    assert!(after.log.is_empty(), "{:?}", after.log);
}

#[test]
fn one_request_at_a_time_and_again_after_a_failure() {
    let mut node = Node::new(settings());
    let unbound = pod(&json!({"nodeName": null}));
    node.applied(unbound.clone(), at(0));
    let [request] = &node.step(at(0), 64)[..] else { panic!("one request") };
    assert!(node.step(at(60_000), 64).is_empty(), "it is under way");
    node.finished(request.key(), Outcome::Failed, at(1000));
    assert!(node.step(at(1499), 64).is_empty());
    assert_eq!(node.step(at(1500), 64).len(), 1);
    // While it was under way the pod changed: there is no reason to wait.
    let mut newer = unbound;
    newer.metadata.resource_version = Some("2".to_owned());
    node.applied(newer, at(1600));
    assert!(node.step(at(1600), 64).is_empty());
    node.finished(request.key(), Outcome::Outdated, at(1700));
    assert_eq!(node.step(at(1700), 64).len(), 1);
}

#[test]
fn a_burst_is_sent_in_parts() {
    let mut node = Node::new(settings());
    for number in 0..5 {
        let mut unbound = pod(&json!({"nodeName": null}));
        unbound.metadata.name = Some(format!("p{number}"));
        node.applied(unbound, at(0));
    }
    assert_eq!(node.step(at(0), 3).len(), 3);
    assert_eq!(node.wake(), Some(at(0)), "the rest is due");
    assert_eq!(node.step(at(0), 3).len(), 2);
    assert_eq!(node.wake(), None);
}

#[test]
fn what_is_older_or_gone_does_not_count() {
    let mut node = Node::new(settings());
    let mut newer = pod(&json!({}));
    newer.metadata.resource_version = Some("20".to_owned());
    node.applied(newer.clone(), at(0));
    node.applied(pod(&json!({"nodeName": null})), at(0));
    assert!(node.step(at(0), 64).is_empty(), "the unbound pod is the older one");
    node.relisted(Vec::new(), at(0));
    assert_eq!(node.wake(), None);
    // Another pod by the same name starts a life of its own.
    node.applied(newer, at(0));
    let mut other = pod(&json!({}));
    other.metadata.uid = Some("u2".to_owned());
    node.applied(other, at(2000));
    assert!(node.step(at(4499), 64).is_empty());
    let [Request::WriteStatus { uid, .. }] = &node.step(at(4500), 64)[..] else { panic!("one status") };
    assert_eq!(uid, "u2");
}

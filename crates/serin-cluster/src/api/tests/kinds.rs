//! What is particular to kinds.

use super::*;

const PODS: &str = "/api/v1/namespaces/default/pods";
const SETS: &str = "/apis/apps/v1/namespaces/default/replicasets";
const SERVICES: &str = "/api/v1/namespaces/default/services";
const BUDGETS: &str = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";

impl World {
    fn with_account() -> Self {
        let mut world = Self::new();
        let account = json!({"metadata": {"name": "default"}});
        world.ok(Verb::Create, "/api/v1/namespaces/default/serviceaccounts", account);
        world
    }

    fn make_pod(&mut self, name: &str) -> Value {
        let pod = json!({"metadata": {"name": name, "labels": {"app": "x"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]}});
        self.ok(Verb::Create, PODS, pod)
    }

    fn bind(&mut self, name: &str) {
        let binding = json!({"metadata": {"name": name}, "target": {"kind": "Node", "name": "n1"}});
        self.ok(Verb::Create, &format!("{PODS}/{name}/binding"), binding);
    }

    fn make_set(&mut self) -> Value {
        let set = json!({"metadata": {"name": "r"}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}}});
        self.ok(Verb::Create, SETS, set)
    }
}

#[test]
fn pods_need_their_service_account() {
    let mut world = World::new();
    let pod = json!({"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let refused = world.refused(Verb::Create, PODS, pod);
    assert_eq!(
        refused.message,
        "pods \"p\" is forbidden: error looking up service account default/default: serviceaccount \"default\" not found"
    );
    let mut world = World::with_account();
    let pod = world.make_pod("p");
    assert_eq!(pod["status"], json!({"phase": "Pending", "qosClass": "BestEffort"}));
    assert_eq!(pod["spec"]["tolerations"].as_array().map(Vec::len), Some(2));
    assert_eq!(pod["metadata"]["generation"], 1);
}

#[test]
fn a_bound_pod_ends_after_its_grace_period() {
    let mut world = World::with_account();
    world.make_pod("p");
    world.bind("p");
    let path = format!("{PODS}/p");
    let going = world.ok(Verb::Delete, &path, Value::Null);
    assert_eq!(going["metadata"]["deletionTimestamp"], "2026-01-01T00:00:30Z");
    assert_eq!(going["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(going["metadata"]["generation"], 2);
    let longer = world.ok(Verb::Delete, &path, json!({"gracePeriodSeconds": 60}));
    assert_eq!(version(&longer), version(&going));
    let shorter = world.ok(Verb::Delete, &path, json!({"gracePeriodSeconds": 5}));
    assert_eq!(shorter["metadata"]["deletionTimestamp"], "2026-01-01T00:00:05Z");
    let mut watch = world.watch(&format!("{PODS}?resourceVersion={}", version(&shorter)));
    world.ok(Verb::Delete, &path, json!({"gracePeriodSeconds": 0}));
    assert_eq!(world.seen(&mut watch), ["MODIFIED p", "DELETED p"]);
}

#[test]
fn a_pod_is_bound_once() {
    let mut world = World::with_account();
    world.make_pod("p");
    world.bind("p");
    let binding = json!({"metadata": {"name": "p"}, "target": {"name": "n2"}});
    let refused = world.refused(Verb::Create, &format!("{PODS}/p/binding"), binding);
    assert_eq!(
        refused.message,
        "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\""
    );
    let bound = world.get(&format!("{PODS}/p"));
    assert_eq!(bound["status"]["conditions"][0]["type"], "PodScheduled");
}

#[test]
fn evictions_spend_the_budget() {
    let mut world = World::with_account();
    world.make_pod("p");
    world.bind("p");
    world.patch(
        &format!("{PODS}/p/status"),
        json!({"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
    );
    let budget = json!({"metadata": {"name": "b"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "x"}}}});
    world.ok(Verb::Create, BUDGETS, budget);
    let evict = |world: &mut World| {
        world.send(Verb::Create, &format!("{PODS}/p/eviction"), json!({"metadata": {"name": "p"}}))
    };
    let early = evict(&mut world).expect_err("not yet computed");
    assert_eq!(early.reason.code(), 429);
    assert_eq!(early.details["retryAfterSeconds"], 10);
    let status = |allowed: i64| {
        json!({"status": {"observedGeneration": 1, "disruptionsAllowed": allowed,
        "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 1}})
    };
    world.patch(&format!("{BUDGETS}/b/status"), status(0));
    let spent = evict(&mut world).expect_err("no disruption left");
    assert_eq!(
        spent.details["causes"][0],
        json!({"reason": "DisruptionBudget", "message": "The disruption budget b needs 1 healthy pods and has 1 currently"})
    );
    world.patch(&format!("{BUDGETS}/b/status"), status(1));
    assert_eq!(evict(&mut world).expect("allowed").0, 201);
    let budget = world.get(&format!("{BUDGETS}/b"));
    assert_eq!(budget["status"]["disruptionsAllowed"], 0);
    assert!(budget["status"]["disruptedPods"]["p"].is_string());
    assert!(object::is_terminating(&world.get(&format!("{PODS}/p"))));
}

#[test]
fn specification_and_status_are_changed_apart() {
    let mut world = World::new();
    let made = world.make_set();
    assert_eq!((&made["metadata"]["generation"], &made["status"]), (&json!(1), &json!({"replicas": 0})));
    let both = json!({"spec": {"replicas": 3}, "status": {"replicas": 9}});
    let main = world.patch(&format!("{SETS}/r"), both.clone());
    assert_eq!((&main["spec"]["replicas"], &main["status"]["replicas"]), (&json!(3), &json!(0)));
    assert_eq!(main["metadata"]["generation"], 2);
    let other = json!({"spec": {"replicas": 4}, "status": {"replicas": 9}});
    let status = world.patch(&format!("{SETS}/r/status"), other);
    assert_eq!((&status["spec"]["replicas"], &status["status"]["replicas"]), (&json!(3), &json!(9)));
    assert_eq!(status["metadata"]["generation"], 2);
}

#[test]
fn the_selector_of_a_set_is_immutable() {
    let mut world = World::new();
    world.make_set();
    let labels = json!({"app": "y"});
    let change =
        json!({"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}});
    let refused = world.refused(Verb::Patch, &format!("{SETS}/r"), change);
    assert_eq!(
        refused.message,
        "ReplicaSet.apps \"r\" is invalid: spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"y\"}}: field is \
         immutable"
    );
}

#[test]
fn a_scale_is_read_and_written() {
    let mut world = World::new();
    world.make_set();
    let path = format!("{SETS}/r/scale");
    let scale = world.get(&path);
    assert_eq!(scale["spec"], json!({"replicas": 2}));
    assert_eq!(scale["status"], json!({"replicas": 0, "selector": "app=x"}));
    let scaled = world.ok(Verb::Update, &path, json!({"metadata": {"name": "r"}, "spec": {"replicas": 7}}));
    assert_eq!(scaled["spec"]["replicas"], 7);
    assert_eq!(world.get(&format!("{SETS}/r"))["metadata"]["generation"], 2);
    let outdated = json!({"metadata": {"name": "r", "resourceVersion": "1"}, "spec": {"replicas": 8}});
    assert_eq!(world.refused(Verb::Update, &path, outdated).reason, Reason::Conflict);
    let negative = world.refused(Verb::Patch, &path, json!({"spec": {"replicas": -8}}));
    assert!(
        negative.message.starts_with("Scale.autoscaling \"r\" is invalid: spec.replicas: Invalid value: -8")
    );
}

#[test]
fn services_keep_their_address() {
    let mut world = World::new();
    let body = json!({"metadata": {"name": "s"}, "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}});
    let made = world.ok(Verb::Create, SERVICES, body.clone());
    let address = made["spec"]["clusterIP"].as_str().expect("an address").to_owned();
    assert!(address.starts_with("10.96."));
    let put = world.ok(Verb::Update, &format!("{SERVICES}/s"), body);
    assert_eq!(put["spec"]["clusterIP"], address.as_str());
    let refused =
        world.refused(Verb::Patch, &format!("{SERVICES}/s"), json!({"spec": {"clusterIP": "10.96.0.77"}}));
    assert!(refused.message.ends_with("may not change once set"), "{}", refused.message);
}

#[test]
fn jobs_orphan_their_pods_unless_told_otherwise() {
    let mut world = World::new();
    let jobs = "/apis/batch/v1/namespaces/default/jobs";
    let job = json!({"metadata": {"name": "j"}, "spec": {"template": {"spec": {"restartPolicy": "Never",
        "containers": [{"name": "c", "image": "i"}]}}}});
    let made = world.ok(Verb::Create, jobs, job);
    assert_eq!(made["metadata"]["labels"]["job-name"], "j");
    let going = world.ok(Verb::Delete, &format!("{jobs}/j"), Value::Null);
    assert_eq!(going["metadata"]["finalizers"], json!(["orphan"]));
}

#[test]
fn an_emptied_namespace_goes_when_it_is_finalized() {
    let mut world = World::new();
    world.ok(Verb::Create, "/api/v1/namespaces", json!({"metadata": {"name": "a"}}));
    world.ok(Verb::Delete, "/api/v1/namespaces/a", Value::Null);
    world.ok(Verb::Update, "/api/v1/namespaces/a/finalize", json!({"metadata": {"name": "a"}, "spec": {}}));
    world.refused(Verb::Get, "/api/v1/namespaces/a", Value::Null);
}

#[test]
fn a_definition_makes_a_resource_with_a_schema() {
    let mut world = World::new();
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "required": ["replicas"],
        "properties": {"replicas": {"type": "integer"}, "size": {"type": "string", "default": "m"}}}}});
    let definition = json!({"metadata": {"name": "boxes.ex.com"}, "spec": {"group": "ex.com", "scope": "Namespaced",
        "names": {"plural": "boxes", "kind": "Box"}, "versions": [{"name": "v1", "served": true, "storage": true,
            "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}]}});
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    let made = world.ok(Verb::Create, definitions, definition);
    assert_eq!(made["status"]["conditions"][1]["type"], "Established");
    let boxes = "/apis/ex.com/v1/namespaces/default/boxes";
    let body = |spec: Value| json!({"apiVersion": "ex.com/v1", "kind": "Box", "metadata": {"name": "a"}, "spec": spec});
    let made = world.ok(Verb::Create, boxes, body(json!({"replicas": 1, "foo": 1})));
    assert_eq!(made["spec"], json!({"replicas": 1, "size": "m"}));
    let refused = world.refused(Verb::Update, &format!("{boxes}/a"), body(json!({"replicas": 2})));
    assert!(
        refused
            .message
            .contains("metadata.resourceVersion: Invalid value: 0: must be specified for an update")
    );
    let refused = world.refused(Verb::Patch, &format!("{boxes}/a"), json!({"spec": {"replicas": null}}));
    assert_eq!(refused.message, "Box.ex.com \"a\" is invalid: spec.replicas: Required value");
    world.ok(Verb::Delete, &format!("{definitions}/boxes.ex.com"), Value::Null);
    let gone = world.refused(Verb::Get, &format!("{boxes}/a"), Value::Null);
    assert_eq!(gone.message, "the server could not find the requested resource");
}

#[test]
fn applied_fields_have_owners() {
    let mut world = World::new();
    let apply = |world: &mut World, name: &str, manager: &str, value: &str| {
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": value}});
        let mut sent = request(Verb::Patch, &format!("{MAPS}/{name}"), body);
        sent.patch_type = Some(PatchType::Apply);
        manager.clone_into(&mut sent.options.field_manager);
        world.store.handle(&sent, world.now)
    };
    let Response::Done { code, body, .. } = apply(&mut world, "one", "f1", "x") else { panic!("it is made") };
    assert_eq!((code, &body["metadata"]["managedFields"][0]["manager"]), (201, &json!("f1")));
    let Response::Refused(status) = apply(&mut world, "one", "f2", "y") else { panic!("a conflict") };
    assert_eq!((status.reason, &status.details["causes"][0]["field"]), (Reason::Conflict, &json!(".data.a")));
    let Response::Done { body: again, .. } = apply(&mut world, "one", "f1", "x") else {
        panic!("it is the same")
    };
    assert_eq!(again, body);
}

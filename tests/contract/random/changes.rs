//! What may be changed of objects, soundly or not.

use serde_json::{Value, json};
use serin_values::random::Rng;

use super::operation::{Change, Kind};

/// One in so many changes is one that a server refuses, or that it does not make.
const ONE_WRONG_IN: u64 = 6;

/// A number below `bound`.
pub(crate) fn below(rng: &mut Rng, bound: usize) -> usize {
    usize::try_from(rng.next() % bound as u64).unwrap_or_default()
}

/// One of several.
pub(crate) fn pick<T: Clone>(rng: &mut Rng, of: &[T]) -> T {
    of[below(rng, of.len())].clone()
}

/// A change of an object, or of its status.
pub(crate) fn draw(rng: &mut Rng, kind: Kind, of_status: bool) -> Change {
    let is_wrong = rng.next().is_multiple_of(ONE_WRONG_IN);
    let choices = match (of_status, is_wrong) {
        (true, false) => statuses(kind),
        (true, true) => wrong_statuses(kind),
        (false, false) if rng.next().is_multiple_of(2) => metadata(),
        (false, false) => specs(kind),
        (false, true) if rng.next().is_multiple_of(2) => wrong_metadata(),
        (false, true) => wrong_specs(kind),
    };
    let (path, value) = pick(rng, &choices);
    Change { path, value }
}

type Choices = Vec<(&'static str, Value)>;

fn metadata() -> Choices {
    let owner = |controls: bool| {
        json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "owner", "controller": controls,
            "uid": "11111111-2222-3333-4444-555555555555"}])
    };
    vec![
        ("/metadata/labels/app", json!("a")),
        ("/metadata/labels/app", json!("b")),
        ("/metadata/labels/app", Value::Null),
        ("/metadata/labels/tier", json!("x")),
        ("/metadata/labels/tier", json!("y")),
        ("/metadata/labels/tier", json!("")),
        ("/metadata/labels/tier", Value::Null),
        ("/metadata/labels", Value::Null),
        ("/metadata/labels", json!({})),
        ("/metadata/labels", json!({"app": "b", "tier": "y"})),
        ("/metadata/annotations/note", json!("1")),
        ("/metadata/annotations/note", json!("2")),
        ("/metadata/annotations/note", Value::Null),
        ("/metadata/annotations", json!({})),
        ("/metadata/annotations", Value::Null),
        ("/metadata/finalizers", json!(["x.io/hold"])),
        ("/metadata/finalizers", json!(["x.io/hold", "x.io/other"])),
        ("/metadata/finalizers", json!([])),
        ("/metadata/finalizers", Value::Null),
        ("/metadata/finalizers", Value::Null),
        ("/metadata/ownerReferences", owner(true)),
        ("/metadata/ownerReferences", owner(false)),
        ("/metadata/ownerReferences", Value::Null),
        ("/metadata/managedFields", json!([])),
        ("/metadata/managedFields", json!([{}])),
        ("/metadata/generateName", json!("other-")),
        ("/metadata/generation", json!(7)),
        ("/metadata/creationTimestamp", json!("2020-01-01T00:00:00Z")),
        ("/metadata/selfLink", json!("/here")),
    ]
}

fn wrong_metadata() -> Choices {
    vec![
        ("/metadata/labels/tier", json!("not ok")),
        ("/metadata/labels/not~1a~1key", json!("x")),
        ("/metadata/labels/tier", json!(1)),
        ("/metadata/labels", json!("x")),
        ("/metadata/annotations/not a key", json!("x")),
        ("/metadata/annotations", json!({"k": true})),
        ("/metadata/finalizers", json!(["hold"])),
        ("/metadata/finalizers", json!("x.io/hold")),
        ("/metadata/ownerReferences", json!([{"kind": "Pod", "name": "x"}])),
        ("/metadata/uid", json!("99999999-2222-3333-4444-555555555555")),
        ("/metadata/name", json!("other")),
        ("/metadata/namespace", json!("other")),
        ("/metadata/resourceVersion", json!("1")),
        ("/metadata/resourceVersion", json!("x")),
        ("/metadata/deletionTimestamp", json!("2020-01-01T00:00:00Z")),
        ("/metadata/deletionGracePeriodSeconds", json!(3)),
        ("/metadata/creationTimestamp", json!("yesterday")),
        ("/metadata/bogus", json!(1)),
        ("/bogus", json!(1)),
        ("/spec/bogus", json!({"a": [1]})),
        ("/kind", json!("Other")),
        ("/kind", Value::Null),
        ("/apiVersion", json!("other/v1")),
        ("/metadata", Value::Null),
        ("/spec", Value::Null),
        ("/spec", json!("x")),
    ]
}

fn specs(kind: Kind) -> Choices {
    match kind {
        Kind::ReplicaSet => [replicated(), templated()].concat(),
        Kind::Pod => pods(),
        Kind::Service => services(),
        Kind::Rollout => [replicated(), templated(), strategies()].concat(),
        Kind::Budget => vec![
            ("/spec/minAvailable", json!(0)),
            ("/spec/minAvailable", json!("50%")),
            ("/spec/minAvailable", json!(2)),
            ("/spec/unhealthyPodEvictionPolicy", json!("AlwaysAllow")),
            ("/spec/unhealthyPodEvictionPolicy", Value::Null),
        ],
    }
}

fn replicated() -> Choices {
    vec![
        ("/spec/replicas", json!(0)),
        ("/spec/replicas", json!(1)),
        ("/spec/replicas", json!(3)),
        ("/spec/replicas", Value::Null),
        ("/spec/minReadySeconds", json!(5)),
        ("/spec/minReadySeconds", json!(0)),
        ("/spec/minReadySeconds", Value::Null),
    ]
}

fn templated() -> Choices {
    let containers = "/spec/template/spec/containers";
    vec![
        ("/spec/template/metadata/labels/extra", json!("1")),
        ("/spec/template/metadata/labels/extra", Value::Null),
        ("/spec/template/metadata/annotations", json!({"a": "b"})),
        ("/spec/template/metadata/creationTimestamp", Value::Null),
        ("/spec/template/spec/terminationGracePeriodSeconds", json!(5)),
        ("/spec/template/spec/nodeSelector", json!({"disk": "ssd"})),
        ("/spec/template/spec/nodeSelector", Value::Null),
        ("/spec/template/spec/serviceAccountName", json!("other")),
        ("/spec/template/spec/hostNetwork", json!(false)),
        ("/spec/template/spec/containers/0/image", json!("demo:yellow")),
        (
            "/spec/template/spec/containers/0/env",
            json!([{"name": "A", "value": ""}, {"name": "B", "value": "b"}]),
        ),
        ("/spec/template/spec/containers/0/ports", json!([{"containerPort": 8080}])),
        ("/spec/template/spec/containers/0/resources", json!({"limits": {"cpu": "0.5", "memory": "1024Ki"}})),
        ("/spec/template/spec/containers/0/resources/limits/cpu", json!(1)),
        (containers, json!([{"name": "main", "image": "demo:green"}])),
        (
            containers,
            json!([{"name": "side", "image": "side:2"}, {"name": "third", "image": "x", "args": ["-v"]}]),
        ),
        (
            containers,
            json!([{"name": "main", "image": "demo:red", "ports": [{"containerPort": 80, "name": "http"}],
                "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 3}, "lifecycle": {"preStop": {"sleep": {"seconds": 1}}}}]),
        ),
        (
            "/spec/template/spec/volumes",
            json!([{"name": "v", "emptyDir": {}}, {"name": "c", "configMap": {"name": "c"}}]),
        ),
        ("/spec/template/spec/tolerations", json!([{"key": "k", "operator": "Exists"}])),
        ("/spec/template/spec/initContainers", json!([{"name": "init", "image": "i:1"}])),
    ]
}

fn strategies() -> Choices {
    vec![
        ("/spec/paused", json!(true)),
        ("/spec/paused", json!(false)),
        ("/spec/paused", Value::Null),
        ("/spec/restartAt", json!("2026-01-02T03:04:05Z")),
        ("/spec/restartAt", Value::Null),
        ("/spec/revisionHistoryLimit", json!(3)),
        ("/spec/progressDeadlineSeconds", json!(30)),
        ("/spec/strategy/canary/steps", json!([{"setWeight": 10}, {"pause": {"duration": "10s"}}])),
        ("/spec/strategy/canary/steps", json!([{"pause": {"duration": 10}}])),
        ("/spec/strategy/canary/steps", json!([])),
        ("/spec/strategy/canary/maxSurge", json!("25%")),
        ("/spec/strategy/canary/maxSurge", json!(1)),
        ("/spec/strategy/canary/stableService", json!("stable")),
        ("/spec/strategy", json!({"blueGreen": {"activeService": "active", "autoPromotionEnabled": false}})),
        ("/spec/workloadRef", json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"})),
    ]
}

fn pods() -> Choices {
    let tolerations = json!([
        {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
        {"key": "k", "operator": "Exists"}]);
    vec![
        ("/spec/containers/0/image", json!("demo:yellow")),
        ("/spec/containers/1/image", json!("side:2")),
        ("/spec/activeDeadlineSeconds", json!(100)),
        ("/spec/activeDeadlineSeconds", json!(50)),
        ("/spec/tolerations", tolerations),
        ("/spec/containers", json!([{"name": "main", "image": "demo:green"}])),
        ("/spec/containers", json!([{"name": "side", "image": "side:3"}])),
        ("/spec/terminationGracePeriodSeconds", json!(30)),
        ("/spec/readinessGates", json!([{"conditionType": "x/y"}])),
        ("/spec/restartPolicy", json!("Always")),
    ]
}

fn services() -> Choices {
    vec![
        (
            "/spec/ports",
            json!([{"name": "http", "port": 80}, {"name": "more", "port": 81, "targetPort": "named"}]),
        ),
        ("/spec/ports", json!([{"name": "http", "port": 80, "targetPort": 8080}])),
        ("/spec/ports", json!([{"port": 443, "protocol": "UDP", "appProtocol": "x/y"}])),
        ("/spec/selector/app", json!("other")),
        ("/spec/selector/more", json!("1")),
        ("/spec/selector", Value::Null),
        ("/spec/type", json!("NodePort")),
        ("/spec/type", json!("LoadBalancer")),
        ("/spec/type", json!("ClusterIP")),
        ("/spec/sessionAffinity", json!("ClientIP")),
        ("/spec/sessionAffinity", json!("None")),
        ("/spec/publishNotReadyAddresses", json!(true)),
        ("/spec/publishNotReadyAddresses", json!(false)),
        ("/spec/externalTrafficPolicy", json!("Local")),
        ("/spec/externalIPs", json!(["1.2.3.4"])),
        ("/spec/internalTrafficPolicy", json!("Local")),
    ]
}

fn wrong_specs(kind: Kind) -> Choices {
    match kind {
        Kind::ReplicaSet => wrong_templates(),
        Kind::Pod => vec![
            ("/spec/containers", json!([])),
            ("/spec/containers", Value::Null),
            ("/spec/containers/0/image", json!("")),
            ("/spec/containers/0/name", json!("renamed")),
            ("/spec/restartPolicy", json!("Never")),
            ("/spec/nodeName", json!("elsewhere")),
            ("/spec/hostNetwork", json!(true)),
            ("/spec/activeDeadlineSeconds", json!("soon")),
            ("/spec/tolerations", Value::Null),
            ("/spec/priority", json!(5)),
            ("/spec/serviceAccountName", json!("nobody")),
        ],
        Kind::Service => vec![
            ("/spec/type", json!("Other")),
            ("/spec/type", json!("ExternalName")),
            ("/spec/ports", json!([])),
            ("/spec/ports", Value::Null),
            ("/spec/ports", json!([{"port": 80}, {"port": 81}])),
            ("/spec/ports", json!([{"port": 0}])),
            ("/spec/ports", json!([{"port": 80, "nodePort": 80}])),
            ("/spec/ports", json!([{"port": "http"}])),
            ("/spec/clusterIP", json!("None")),
            ("/spec/clusterIP", json!("x")),
            ("/spec/clusterIP", json!("")),
            ("/spec/sessionAffinity", json!("Other")),
            ("/spec/selector", json!({"k": "not ok"})),
            ("/spec/externalName", json!("example.com")),
        ],
        Kind::Rollout => [
            wrong_templates(),
            vec![
                ("/spec/strategy/canary/steps", json!([{"setWeight": "x"}])),
                ("/spec/strategy/canary/steps", json!({"setWeight": 1})),
                ("/spec/strategy/blueGreen", json!({})),
                ("/spec/paused", json!("yes")),
                ("/spec/restartAt", json!("soon")),
                ("/spec/revisionHistoryLimit", json!(3_000_000_000_u64)),
            ],
        ]
        .concat(),
        Kind::Budget => vec![
            ("/spec/minAvailable", json!("x")),
            ("/spec/maxUnavailable", json!(1)),
            ("/spec/selector", Value::Null),
        ],
    }
}

fn wrong_templates() -> Choices {
    vec![
        ("/spec/replicas", json!(-1)),
        ("/spec/replicas", json!("3")),
        ("/spec/replicas", json!(2.5)),
        ("/spec/minReadySeconds", json!(-1)),
        ("/spec/selector", json!({"matchLabels": {"app": "changed"}})),
        ("/spec/selector", Value::Null),
        ("/spec/selector", json!({})),
        ("/spec/template/metadata/labels", json!({"app": "nothing"})),
        ("/spec/template/metadata/labels/app", json!(1)),
        ("/spec/template/spec/containers", json!([])),
        ("/spec/template/spec/containers", json!([{"name": "main"}])),
        ("/spec/template/spec/containers", json!([{"name": "x", "image": "a"}, {"name": "x", "image": "b"}])),
        ("/spec/template/spec/containers/0/ports", json!([{"containerPort": 70000}])),
        ("/spec/template/spec/containers/0/ports", json!([{"containerPort": "http"}])),
        ("/spec/template/spec/containers/0/imagePullPolicy", json!("Sometimes")),
        ("/spec/template/spec/restartPolicy", json!("Never")),
        ("/spec/template/spec/bogus", json!(1)),
        ("/spec/template", Value::Null),
    ]
}

fn statuses(kind: Kind) -> Choices {
    let condition = |status: &str| {
        json!([{"type": "Ready", "status": status, "reason": "Tested",
            "lastTransitionTime": "2026-01-02T03:04:05Z"}])
    };
    match kind {
        Kind::ReplicaSet => vec![
            ("/status/replicas", json!(2)),
            ("/status/replicas", json!(0)),
            ("/status/readyReplicas", json!(1)),
            ("/status/readyReplicas", Value::Null),
            ("/status/availableReplicas", json!(1)),
            ("/status/availableReplicas", Value::Null),
            ("/status/observedGeneration", json!(1)),
            ("/status/conditions", condition("True")),
            ("/status/conditions", condition("False")),
            ("/status/conditions", Value::Null),
            ("/metadata/annotations/note", json!("of status")),
            ("/spec/replicas", json!(9)),
        ],
        Kind::Pod => vec![
            ("/status/phase", json!("Running")),
            ("/status/phase", json!("Running")),
            ("/status/phase", json!("Pending")),
            ("/status/phase", json!("Succeeded")),
            ("/status/conditions", condition("True")),
            ("/status/conditions", condition("True")),
            ("/status/conditions", condition("False")),
            ("/status/podIP", json!("10.1.2.3")),
            ("/status/podIP", Value::Null),
            ("/status/message", json!("m")),
            (
                "/status/containerStatuses",
                json!([{"name": "main", "image": "demo:blue", "imageID": "", "ready": true, "restartCount": 0,
                    "state": {"running": {"startedAt": "2026-01-02T03:04:05Z"}}}]),
            ),
            ("/metadata/labels/tier", json!("of status")),
            ("/spec/hostNetwork", json!(true)),
        ],
        Kind::Service => vec![
            ("/status/loadBalancer", json!({"ingress": [{"ip": "1.2.3.4"}]})),
            ("/status/loadBalancer", json!({})),
            ("/status/conditions", condition("True")),
            ("/status/conditions", Value::Null),
            ("/metadata/annotations/note", json!("of status")),
            ("/spec/selector/app", json!("of status")),
        ],
        Kind::Rollout => statuses_of_rollouts(condition("True")),
        Kind::Budget => vec![
            ("/status/disruptionsAllowed", json!(1)),
            ("/status/disruptionsAllowed", json!(0)),
            ("/status/disruptionsAllowed", json!(5)),
            ("/status/observedGeneration", json!(1)),
            ("/status/observedGeneration", json!(9)),
            ("/status/currentHealthy", json!(3)),
            ("/status/desiredHealthy", json!(1)),
        ],
    }
}

fn statuses_of_rollouts(ready: Value) -> Choices {
    vec![
        ("/status/replicas", json!(2)),
        ("/status/phase", json!("Paused")),
        ("/status/phase", Value::Null),
        ("/status/message", json!("m")),
        ("/status/conditions", ready),
        (
            "/status/pauseConditions",
            json!([{"reason": "CanaryPauseStep", "startTime": "2026-01-02T03:04:05Z"}]),
        ),
        ("/status/pauseConditions", Value::Null),
        ("/status/abort", json!(true)),
        ("/status/selector", json!("app=a")),
        ("/status/canary", json!({"weights": {"canary": {"weight": 5}}})),
        ("/status", Value::Null),
        ("/metadata/annotations/note", json!("of status")),
        ("/spec/replicas", json!(9)),
    ]
}

fn wrong_statuses(kind: Kind) -> Choices {
    match kind {
        Kind::ReplicaSet => vec![
            ("/status/replicas", json!(-1)),
            ("/status/readyReplicas", json!(5)),
            ("/status/availableReplicas", json!(3)),
            ("/status/replicas", json!("2")),
            ("/status/bogus", json!(1)),
        ],
        Kind::Pod => vec![
            ("/status/phase", json!(1)),
            ("/status/conditions", json!([{"type": "Ready"}])),
            ("/status/startTime", json!("yesterday")),
            ("/status/bogus", json!(1)),
        ],
        Kind::Service => vec![
            ("/status/loadBalancer", json!({"ingress": [{"ip": "x"}]})),
            ("/status/loadBalancer", json!("x")),
            ("/status/conditions", json!([{"type": "x"}])),
        ],
        Kind::Rollout => vec![
            ("/status/replicas", json!("2")),
            ("/status/pauseConditions", json!([{"reason": 1}])),
            ("/status/bogus", json!(1)),
            ("/status", json!("x")),
        ],
        Kind::Budget => {
            vec![("/status/disruptionsAllowed", json!(-1)), ("/status/currentHealthy", json!("x"))]
        }
    }
}

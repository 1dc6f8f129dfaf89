//! Generated Rollouts.

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;
use serin_values::merge_patch::apply_merge_patch;

use crate::scene::template;
use crate::world::World;

/// The Services of every world, whether a Rollout names them or not.
pub(super) const SERVICES: [&str; 6] = ["stable", "canary", "ping", "pong", "active", "preview"];

/// What a Rollout consists of; each family is drawn as often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Pods,
    StableService,
    CanaryService,
    BothServices,
    PingPong,
    Router,
    BlueGreen,
    Preview,
}

impl Family {
    const ALL: [Self; 8] = [
        Self::Pods,
        Self::StableService,
        Self::CanaryService,
        Self::BothServices,
        Self::PingPong,
        Self::Router,
        Self::BlueGreen,
        Self::Preview,
    ];

    fn is_blue_green(self) -> bool {
        matches!(self, Self::BlueGreen | Self::Preview)
    }

    /// The fields that make it what it is.
    fn fields(self) -> Value {
        match self {
            Self::Pods => json!({}),
            Self::StableService => json!({"stableService": "stable"}),
            Self::CanaryService => json!({"canaryService": "canary"}),
            Self::BothServices => json!({"stableService": "stable", "canaryService": "canary"}),
            Self::PingPong => json!({"pingPong": {"pingService": "ping", "pongService": "pong"}}),
            Self::Router => json!({
                "stableService": "stable", "canaryService": "canary",
                "trafficRouting": {"nginx": {"stableIngress": "web"}},
            }),
            Self::BlueGreen => json!({"activeService": "active"}),
            Self::Preview => json!({"activeService": "active", "previewService": "preview"}),
        }
    }
}

/// The Deployment of every world, whether a Rollout refers to it or not.
pub(super) const WORKLOAD: &str = "workload";

/// A Rollout in the making.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    /// `spec`, but for where its template is.
    pub(super) spec: Value,
    pub(super) source: Source,
    /// How long its pods take to become ready, in milliseconds.
    pub(super) latency: i64,
}

impl Shape {
    /// One whose template is its own, and whose pods are ready after a moment.
    pub(super) fn of(spec: Value) -> Self {
        Self { spec, source: Source::Own, latency: 900 }
    }

    /// A world in which it has just been applied.
    pub(super) fn world(&self) -> World {
        let mut world = World::new();
        world.start_latency = SignedDuration::from_millis(self.latency);
        for name in SERVICES {
            world.create(ObjectKind::Service, service(name));
        }
        world.create(ObjectKind::Ingress, ingress());
        world.create(ObjectKind::Deployment, deployment("uid-workload"));
        let spec = apply_merge_patch(&self.spec, &self.source.fields());
        let rollout = json!({
            "apiVersion": keys::API_VERSION, "kind": keys::ROLLOUT, "metadata": {"name": "demo"}, "spec": spec,
        });
        world.create(ObjectKind::Rollout, rollout);
        world
    }
}

/// Where the template of a Rollout is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Own,
    /// In the Deployment, of whose pods so becomes what `scaleDown` says.
    Workload(&'static str),
}

impl Source {
    /// The fields of `spec` that say so, and take back what said otherwise.
    pub(super) fn fields(self) -> Value {
        match self {
            Self::Own => json!({
                "selector": {"matchLabels": {"app": "demo"}}, "template": template(1), "workloadRef": null,
            }),
            Self::Workload(scale_down) => json!({
                "selector": null, "template": null, "workloadRef": {
                    "apiVersion": "apps/v1", "kind": "Deployment", "name": WORKLOAD, "scaleDown": scale_down,
                },
            }),
        }
    }
}

pub(super) fn any_source() -> impl Strategy<Value = Source> {
    let scale_down = select(vec!["never", "onsuccess", "progressively"]);
    prop_oneof![4 => Just(Source::Own), 1 => scale_down.prop_map(Source::Workload)]
}

/// The Deployment that a Rollout may refer to.
pub(super) fn deployment(uid: &str) -> Value {
    let selector = json!({"matchLabels": {"app": "demo"}});
    json!({
        "metadata": {"name": WORKLOAD, "uid": uid},
        "spec": {"replicas": 3, "selector": selector, "template": template(1)},
    })
}

/// A Service as a user writes it.
pub(super) fn service(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"selector": {"app": "demo"}}})
}

/// The Ingress of the users.
pub(super) fn ingress() -> Value {
    let backend = json!({"service": {"name": "stable", "port": {"number": 80}}});
    let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
    let spec = json!({"ingressClassName": "nginx", "rules": [{"http": {"paths": [path]}}]});
    json!({"metadata": {"name": "web"}, "spec": spec})
}

pub(super) fn any(family: Family) -> impl Strategy<Value = Shape> {
    let of_spec = (
        prop::option::weighted(0.9, 0..=10_i32),
        strategy(family),
        some(select(vec![10, 60]), "progressDeadlineSeconds"),
        some(any_bool(), "progressDeadlineAbort"),
        some(select(vec![1, 3, 8]), "minReadySeconds"),
        some(select(vec![1, 3]), "revisionHistoryLimit"),
        some(select(vec![json!({"revisions": 1}), json!({"revisions": 3})]), "rollbackWindow"),
    );
    (of_spec, any_source(), select(vec![0, 900, 2_500])).prop_map(|(fields, source, latency)| {
        let (replicas, strategy, deadline, abort, settling, history, window) = fields;
        let mut spec = Map::from_iter([("strategy".to_owned(), strategy)]);
        spec.extend(replicas.map(|replicas| ("replicas".to_owned(), replicas.into())));
        spec.insert("progressDeadlineSeconds".to_owned(), 20.into());
        let blue_green = &spec["strategy"]["blueGreen"];
        let least = blue_green["scaleDownDelayRevisionLimit"].as_i64().unwrap_or(0);
        let history = history.filter(|(_, limit)| limit.as_i64() >= Some(least));
        spec.extend([deadline, abort, settling, history, window].into_iter().flatten());
        Shape { spec: spec.into(), source, latency }
    })
}

fn any_bool() -> impl Strategy<Value = bool> {
    select(vec![true, false])
}

/// A strategy of any family.
pub(super) fn any_strategy() -> impl Strategy<Value = Value> {
    select(Family::ALL.to_vec()).prop_flat_map(strategy)
}

/// A strategy of the same family.
pub(super) fn of(family: Family) -> impl Strategy<Value = Value> {
    strategy(family)
}

/// A strategy of the family, as `spec.strategy` has it.
fn strategy(family: Family) -> BoxedStrategy<Value> {
    if family.is_blue_green() { blue_green(family) } else { canary(family) }
}

/// A field that is there at times.
fn some<T: Into<Value> + Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
    name: &'static str,
) -> impl Strategy<Value = Option<(String, Value)>> {
    prop::option::weighted(0.3, value.prop_map(move |value| (name.to_owned(), value.into())))
}

/// What the pods of each role get, as far as the Rollout says so.
fn metadata(roles: [&'static str; 2]) -> impl Strategy<Value = Vec<(String, Value)>> {
    let role = |role| some(Just(json!({"labels": {"role": role}, "annotations": {"of": role}})), role);
    (role(roles[0]), role(roles[1])).prop_map(|(one, other)| one.into_iter().chain(other).collect())
}

fn anti_affinity() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"requiredDuringSchedulingIgnoredDuringExecution": {}}),
        json!({"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}}),
    ])
}

fn limit() -> impl Strategy<Value = Value> {
    select(["0", "1", "2", "0%", "10%", "25%", "50%", "100%"].map(limit_of).to_vec())
}

fn limit_of(text: &str) -> Value {
    text.parse::<i32>().map_or_else(|_| text.into(), Value::from)
}

fn delay() -> impl Strategy<Value = i32> {
    select(vec![0, 1, 5, 30])
}

fn canary(family: Family) -> BoxedStrategy<Value> {
    let is_routed = family == Family::Router;
    let common = (
        steps(is_routed),
        some(limit(), "maxSurge"),
        some(limit(), "maxUnavailable"),
        some(threshold(), "replicaProgressThreshold"),
        metadata(["canaryMetadata", "stableMetadata"]),
        some(anti_affinity(), "antiAffinity"),
    );
    let routed = (
        some(delay(), "scaleDownDelaySeconds"),
        some(select(vec![0, 1]), "scaleDownDelayRevisionLimit"),
        some(delay(), "abortScaleDownDelaySeconds"),
        some(any_bool(), "dynamicStableScale"),
        some(select(vec![1, 2]), "minPodsPerReplicaSet"),
        some(select(vec![100, 1_000]), "maxTrafficWeight"),
        some(Just(json!({"canary-by-header": "X-Canary"})), "additionalIngressAnnotations"),
    );
    (common, routed)
        .prop_map(move |((steps, surge, unavailable, threshold, metadata, affinity), routed)| {
            let mut fields = family.fields();
            let (delay, limit, abort, dynamic, least, max_weight, header) = routed;
            if let Some(routing) = fields.get_mut("trafficRouting").and_then(Value::as_object_mut) {
                routing.extend(max_weight);
                routing["nginx"].as_object_mut().unwrap().extend(header);
            }
            let all = fields.as_object_mut().unwrap();
            all.extend(
                [steps, surge, unavailable, threshold, affinity].into_iter().flatten().chain(metadata),
            );
            if is_routed {
                // A stable revision that shrinks with its traffic has no delays.
                let is_dynamic = dynamic.as_ref().is_some_and(|(_, is_dynamic)| *is_dynamic == true);
                all.extend([limit, dynamic, least].into_iter().flatten());
                all.extend([delay, abort].into_iter().flatten().filter(|_| !is_dynamic));
            }
            if limits_are_zero(all) {
                all.remove("maxUnavailable");
                all.remove("maxSurge");
            }
            json!({"canary": fields})
        })
        .boxed()
}

/// Whether both limits are written as zero, which is no valid spec.
fn limits_are_zero(fields: &Map<String, Value>) -> bool {
    let zero =
        |field: &str| fields.get(field).is_some_and(|limit| *limit == json!(0) || *limit == json!("0%"));
    zero("maxSurge") && (zero("maxUnavailable") || !fields.contains_key("maxUnavailable"))
}

fn threshold() -> impl Strategy<Value = Value> {
    select(vec![json!({"type": "Percent", "value": 50}), json!({"type": "Pod", "value": 1})])
}

fn steps(is_routed: bool) -> impl Strategy<Value = Option<(String, Value)>> {
    let weight = select(vec![0, 1, 20, 34, 50, 70, 95, 100]).prop_map(|weight| json!({"setWeight": weight}));
    let pause =
        select(vec![json!({}), json!({"duration": 1}), json!({"duration": "5s"}), json!({"duration": 20})]);
    let pause = pause.prop_map(|pause| json!({"pause": pause}));
    let scale = select(vec![
        json!({"weight": 50}),
        json!({"weight": 0}),
        json!({"replicas": 1}),
        json!({"replicas": 12}),
        json!({"matchTrafficWeight": true}),
    ]);
    let scale = scale.prop_map(|scale| json!({"setCanaryScale": scale}));
    let of_scales = u32::from(is_routed);
    let step = prop_oneof![3 => weight, 2 => pause, of_scales => scale];
    prop::collection::vec(step, 0..5)
        .prop_map(|steps| (!steps.is_empty()).then(|| ("steps".to_owned(), steps.into())))
}

fn blue_green(family: Family) -> BoxedStrategy<Value> {
    let fields = (
        some(any_bool(), "autoPromotionEnabled"),
        some(select(vec![1, 10, 40]), "autoPromotionSeconds"),
        some(0..4_i32, "previewReplicaCount"),
        some(delay(), "scaleDownDelaySeconds"),
        some(select(vec![0, 1]), "scaleDownDelayRevisionLimit"),
        some(delay(), "abortScaleDownDelaySeconds"),
        some(limit(), "maxUnavailable"),
        metadata(["activeMetadata", "previewMetadata"]),
        some(anti_affinity(), "antiAffinity"),
    );
    fields
        .prop_map(move |(enabled, seconds, count, delay, limit, abort, unavailable, metadata, affinity)| {
            let mut fields = family.fields();
            let all = fields.as_object_mut().unwrap();
            all.extend([enabled, seconds, count, delay, limit, abort, unavailable].into_iter().flatten());
            all.extend(metadata.into_iter().chain(affinity));
            json!({"blueGreen": fields})
        })
        .boxed()
}

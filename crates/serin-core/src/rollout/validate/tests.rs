use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::*;
use crate::api::{BlueGreenStrategy, CanaryStep, CanaryStrategy, TrafficRouting};
use serin_values::merge_patch::apply_merge_patch;

mod objects;

/// A valid Rollout with `spec` merged into it.
fn rollout(spec: &Value) -> Rollout {
    let valid = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "demo", "namespace": "default", "uid": "u", "resourceVersion": "1"},
        "spec": {
            "selector": {"matchLabels": {"app": "demo"}},
            "template": {
                "metadata": {"labels": {"app": "demo"}},
                "spec": {"containers": [{"name": "demo", "image": "demo:1"}]},
            },
        },
    });
    serde_json::from_value(apply_merge_patch(&valid, &json!({"spec": spec}))).unwrap()
}

fn canary(fields: &Value) -> Rollout {
    rollout(&json!({"strategy": {"canary": fields}}))
}

fn routed(routing: &Value, steps: &Value) -> Rollout {
    canary(&json!({
        "canaryService": "canary", "stableService": "stable", "trafficRouting": routing, "steps": steps,
    }))
}

fn errors<T>(result: Result<T, SpecErrors>) -> Vec<String> {
    result.err().iter().flat_map(|errors| errors.iter().map(ToString::to_string)).collect()
}

/// Asserts that the only mistake of `rollout` starts with `error`.
fn refused(rollout: &Rollout, error: &str) {
    let found = errors(validate(rollout));
    assert!(found.len() == 1 && found[0].starts_with(error), "{error:?} is not {found:#?}");
}

fn accepted(rollout: &Rollout) {
    assert_eq!(errors(validate(rollout)), [""; 0]);
}

#[test]
fn an_error_names_field_value_and_what_would_be_right() {
    let text = validate(&canary(&json!({"steps": [{"setWeight": 101}]}))).unwrap_err().to_string();
    assert_eq!(
        text,
        "spec.strategy.canary.steps[0].setWeight: Invalid value: 101: must be between 0 and 100"
    );

    let both = validate(&rollout(&json!({"replicas": -1}))).unwrap_err().to_string();
    let text = "spec.replicas: Invalid value: -1: must be 0 or more; also \
                spec.strategy: Required value: set one of blueGreen and canary";
    assert_eq!(both, text);
}

#[test]
fn a_weight_is_a_share_of_max_traffic_weight() {
    let nginx = |max: i32| json!({"nginx": {"stableIngress": "i"}, "maxTrafficWeight": max});
    accepted(&routed(&nginx(1000), &json!([{"setWeight": 1000}])));
    let field = "spec.strategy.canary.steps[0].setWeight";
    refused(
        &routed(&nginx(1000), &json!([{"setWeight": 1001}])),
        &format!("{field}: Invalid value: 1001: must be between 0 and 1000"),
    );
    let max = "spec.strategy.canary.trafficRouting.maxTrafficWeight";
    refused(&routed(&nginx(0), &json!([])), &format!("{max}: Invalid value: 0: must be 1 or more"));
    let istio = json!({"istio": {}, "maxTrafficWeight": 10});
    refused(&routed(&istio, &json!([])), &format!("{max}: Invalid value: 10: works with nginx and plugins"));
}

#[test]
fn a_step_is_of_exactly_one_of_the_eight_kinds() {
    let step = "spec.strategy.canary.steps[0]";
    refused(&canary(&json!({"steps": [{}]})), &format!("{step}: Required value: a step must have one of"));
    let two = json!([{"setWeight": 5, "setCanaryScale": {"weight": 5}}]);
    let routing = json!({"nginx": {"stableIngress": "i"}});
    let error = format!(r#"{step}: Invalid value: "setCanaryScale, setWeight": a step does one thing; make"#);
    refused(&routed(&routing, &two), &error);
}

#[test]
fn header_routes_need_a_router_one_comparison_and_a_managed_route() {
    let step = |value: Value| json!([{"setHeaderRoute": {"name": "h", "match": [{"headerName": "a", "headerValue": value}]}}]);
    let istio = json!({"istio": {}, "managedRoutes": [{"name": "h"}]});
    let alb = json!({"alb": {"ingress": "i", "servicePort": 80}, "managedRoutes": [{"name": "h"}]});
    let at = "spec.strategy.canary.steps[0].setHeaderRoute";
    accepted(&routed(&istio, &step(json!({"regex": "x"}))));
    accepted(&routed(&alb, &step(json!({"exact": "x"}))));
    refused(
        &routed(&json!({"nginx": {}}), &step(json!({"exact": "x"}))),
        &format!(r#"{at}: Invalid value: "h": header routes work with"#),
    );
    let value = format!("{at}.match[0].headerValue");
    refused(&routed(&istio, &step(json!({}))), &format!("{value}: Required value: set one of"));
    let two = step(json!({"exact": "x", "regex": "x"}));
    refused(
        &routed(&istio, &two),
        &format!(r#"{value}: Invalid value: "exact, regex": must have exactly one"#),
    );
    refused(
        &routed(&alb, &step(json!({"regex": "x"}))),
        &format!("{value}.exact: Required value: alb compares"),
    );

    let good = step(json!({"exact": "x"}));
    let managed =
        "spec.strategy.canary.trafficRouting.managedRoutes: Required value: must list the route \"h\"";
    refused(&routed(&json!({"istio": {}}), &good), managed);
    let other = json!({"istio": {}, "managedRoutes": [{"name": "o"}]});
    let error =
        format!(r#"{at}.name: Invalid value: "h": must be one of trafficRouting.managedRoutes, which are o"#);
    refused(&routed(&other, &good), &error);
}

#[test]
fn mirror_routes_are_checked_whole() {
    let step = |request: Value| json!([{"setMirrorRoute": {"name": "m", "match": [request]}}]);
    let istio = json!({"istio": {}, "managedRoutes": [{"name": "m"}]});
    let at = "spec.strategy.canary.steps[0].setMirrorRoute";
    let all = json!({"method": {"exact": "GET"}, "path": {"prefix": "/"}, "headers": {"a": {"regex": "x"}}});
    accepted(&routed(&istio, &step(all)));
    for (request, field) in [
        (json!({"method": {}}), "method"),
        (json!({"path": {}}), "path"),
        (json!({"headers": {"a": {}}}), "headers.a"),
    ] {
        let error = format!("{at}.match[0].{field}: Required value: set one of exact, prefix and regex");
        refused(&routed(&istio, &step(request)), &error);
    }
}

#[test]
fn arguments_name_metadata_that_exists() {
    let step = |path: &str| {
        let argument = json!({"name": "a", "valueFrom": {"fieldRef": {"fieldPath": path}}});
        canary(&json!({"steps": [{"analysis": {"args": [argument]}}]}))
    };
    let known = ["metadata.name", "metadata.labels", "metadata.labels['app']", "metadata.annotations['A/b']"];
    for path in known.into_iter().chain(["status.phase", "spec.x"]) {
        accepted(&step(path));
    }
    for path in ["metadata", "metadata.nmae", "metadata.labels['a b']", "metadata.labels[app]"] {
        let field = "spec.strategy.canary.steps[0].analysis.args[0].valueFrom.fieldRef.fieldPath";
        refused(&step(path), &format!("{field}: Invalid value: {path:?}: must be metadata.name"));
    }
}

#[test]
fn surge_and_unavailable_are_not_both_zero() {
    let limits =
        |surge: Value, unavailable: Value| canary(&json!({"maxSurge": surge, "maxUnavailable": unavailable}));
    accepted(&limits(json!(0), json!(1)));
    accepted(&limits(json!("5"), json!(0)));
    for zero in [json!(0), json!("0%"), json!("0")] {
        let error =
            format!("spec.strategy.canary.maxSurge: Invalid value: {zero}: maxSurge and maxUnavailable");
        refused(&limits(zero, json!("0%")), &error);
    }
}

#[test]
fn limits_are_numbers_or_percentages() {
    let surge = |limit: Value| canary(&json!({"maxSurge": limit}));
    let field = "spec.strategy.canary.maxSurge: Invalid value";
    for limit in [json!(5), json!("5"), json!("5%"), json!("1000000%"), json!(i32::MAX)] {
        accepted(&surge(limit));
    }
    for limit in [json!("abc"), json!(""), json!("5 %"), json!("99999999999%"), json!("２5%")] {
        refused(
            &surge(limit.clone()),
            &format!("{field}: {limit}: must be a number of pods or a percentage"),
        );
    }
    for limit in [json!(-1), json!("-1%")] {
        refused(&surge(limit.clone()), &format!("{field}: {limit}: must be 0 or more"));
    }
    let blue_green = json!({"activeService": "a", "maxUnavailable": "x", "previewReplicaCount": -1});
    let found = errors(validate(&rollout(&json!({"strategy": {"blueGreen": blue_green}}))));
    let fields: Vec<_> = found.iter().map(|error| error.split(": ").next().unwrap_or_default()).collect();
    let path = "spec.strategy.blueGreen";
    assert_eq!(fields, [format!("{path}.previewReplicaCount"), format!("{path}.maxUnavailable")]);
}

#[test]
fn labels_of_a_role_leave_pods_where_they_are() {
    let role = |labels: Value| {
        let selector = json!({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]});
        let fields = json!({"canary": {"stableMetadata": {"labels": labels}}});
        rollout(&json!({"selector": selector, "strategy": fields}))
    };
    let field = "spec.strategy.canary.stableMetadata.labels: Invalid value";
    accepted(&role(json!({"role": "stable", "example.com/role": ""})));
    for key in ["app", "tier"] {
        refused(&role(json!({key: "x"})), &format!("{field}: {key:?}: spec.selector asks for this label"));
    }
    let hash = "rollouts-pod-template-hash";
    refused(&role(json!({hash: "x"})), &format!("{field}: {hash:?}: Serin tells revisions apart"));
    refused(&role(json!({"a b": "x"})), &format!("{field}: \"a b\": the name must be"));
    refused(&role(json!({"role": "a b"})), &format!("{field}: \"a b\": must be at most 63"));
}

#[test]
fn routers_that_split_between_services_need_both() {
    let with = |fields: &Value| {
        let routing = json!({"istio": {"destinationRule": {"name": "d", "canarySubsetName": "c", "stableSubsetName": "s"}}});
        canary(&apply_merge_patch(&json!({"trafficRouting": routing}), fields))
    };
    accepted(&with(&json!({})));
    let found = errors(validate(&with(&json!({"trafficRouting": {"smi": {}}}))));
    let problem = "Required value: trafficRouting.smi splits traffic between two Services";
    let field = |name: &str| format!("spec.strategy.canary.{name}: {problem}");
    assert_eq!(found, [field("stableService"), field("canaryService")]);
}

#[test]
fn ping_pong_with_alb_needs_a_root_service() {
    let with = |alb: Value| {
        canary(&json!({
            "pingPong": {"pingService": "a", "pongService": "b"}, "trafficRouting": {"alb": alb},
        }))
    };
    accepted(&with(json!({"ingress": "i", "servicePort": 80, "rootService": "r"})));
    let field =
        "spec.strategy.canary.trafficRouting.alb.rootService: Required value: with pingPong, alb needs";
    refused(&with(json!({"ingress": "i", "servicePort": 80})), field);
}

#[test]
fn dynamic_stable_scale_excludes_a_delay() {
    let mut fields = json!({"canaryService": "c", "stableService": "s", "trafficRouting": {"nginx": {}}});
    fields["dynamicStableScale"] = json!(true);
    accepted(&canary(&fields));
    fields["scaleDownDelaySeconds"] = json!(30);
    let field = "spec.strategy.canary.scaleDownDelaySeconds: Invalid value: 30: cannot be used with";
    refused(&canary(&fields), field);
}

#[test]
fn blue_green_keeps_no_more_waiting_revisions_than_history() {
    let with =
        |limit: i32| json!({"blueGreen": {"activeService": "a", "scaleDownDelayRevisionLimit": limit}});
    accepted(&rollout(&json!({"strategy": with(10)})));
    let field = "spec.strategy.blueGreen.scaleDownDelayRevisionLimit";
    refused(
        &rollout(&json!({"strategy": with(11)})),
        &format!("{field}: Invalid value: 11: must not be greater"),
    );
}

#[test]
fn a_workload_takes_the_place_of_the_template() {
    let with = |version: &str, kind: &str| {
        rollout(&json!({
            "workloadRef": {"apiVersion": version, "kind": kind, "name": "d"},
            "template": null, "selector": null,
            "strategy": {"canary": {}},
        }))
    };
    for (version, kind) in [("apps/v1", "Deployment"), ("apps/v1", "ReplicaSet"), ("v1", "PodTemplate")] {
        accepted(&with(version, kind));
    }
    refused(&with("v1", "Pod"), r#"spec.workloadRef: Invalid value: "v1/Pod": must be a Deployment or"#);
    refused(&with("", "Deployment"), r#"spec.workloadRef: Invalid value: "/Deployment": must be"#);
    refused(&with("apps/v1beta1", "Deployment"), r#"spec.workloadRef: Invalid value: "apps/v1beta1/Dep"#);
}

/// A Rollout of the workload `reference`, with `template` beside it.
fn of_workload(reference: &Value, template: &Value) -> Rollout {
    let complete = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "d"});
    let reference = apply_merge_patch(&complete, reference);
    let fields = json!({"workloadRef": reference, "template": null, "strategy": {"canary": {}}});
    let mut spec = rollout(&fields).spec;
    spec.template = serde_json::from_value(template.clone()).unwrap();
    Rollout { spec, ..rollout(&json!({})) }
}

#[test]
fn a_workload_has_a_name_and_says_when_its_pods_go() {
    let with = |reference: &Value| of_workload(reference, &json!({}));
    for mode in ["", "never", "onsuccess", "progressively"] {
        accepted(&with(&json!({"scaleDown": mode})));
    }
    let path = "spec.workloadRef";
    let error = format!(r#"{path}.scaleDown: Invalid value: "onSuccess": must be never, onsuccess or"#);
    refused(&with(&json!({"scaleDown": "onSuccess"})), &error);
    refused(&with(&json!({"name": ""})), &format!("{path}.name: Required value: name a Deployment of"));
    accepted(&with(&json!({"kind": "ReplicaSet", "scaleDown": "never"})));
    for kind in [json!({"kind": "ReplicaSet"}), json!({"apiVersion": "v1", "kind": "PodTemplate"})] {
        let reference = apply_merge_patch(&kind, &json!({"scaleDown": "progressively"}));
        let error =
            format!(r#"{path}.scaleDown: Invalid value: "progressively": must be never, because only a"#);
        refused(&with(&reference), &error);
    }
}

#[test]
fn pods_come_from_one_place() {
    let container = json!({"name": "demo", "image": "demo:1"});
    for template in [
        json!({"metadata": {"labels": {"a": "b"}}}),
        json!({"metadata": {"annotations": {"a": "b"}}}),
        json!({"spec": {"containers": [container]}}),
    ] {
        let words = "template must be empty for workload reference rollout; workloadRef names the source";
        let error = format!("spec.template: Invalid value: {template}: {words}");
        refused(&of_workload(&json!({}), &template), &error);
    }
    accepted(&of_workload(&json!({}), &json!({"spec": {"containers": []}})));
}

#[test]
fn what_is_not_built_is_named_with_its_field() {
    assert_eq!(
        unbuilt_features(&routed(&json!({"nginx": {}}), &json!([{"setWeight": 1}, {"pause": {}}]))),
        []
    );
    let routing = json!({"plugins": {"a/b": {}}, "istio": {}, "nginx": {}});
    let steps = json!([{"setWeight": 1}, {"analysis": {}}, {"plugin": {"name": "a/b"}}]);
    let all = routed(&routing, &steps);
    assert_eq!(unbuilt_routers(&all), ["istio", "plugins"]);
    let paths: Vec<String> = unbuilt_features(&all).into_iter().map(|unbuilt| unbuilt.path).collect();
    let expected = ["trafficRouting.istio", "trafficRouting.plugins", "steps[1].analysis", "steps[2].plugin"];
    assert_eq!(paths, expected.map(|path| format!("spec.strategy.canary.{path}")));
    let text = unbuilt_features(&all)[2].to_string();
    let start = "spec.strategy.canary.steps[1].analysis: this version of Serin cannot run an analysis yet;";
    assert!(text.starts_with(start), "{text}");
}

/// The fields of a type, as manifests have them.
fn fields<T: schemars::JsonSchema>() -> BTreeSet<String> {
    let schema = schemars::schema_for!(T);
    let properties = schema.get("properties").and_then(Value::as_object).unwrap();
    properties.keys().cloned().collect()
}

/// Asserts that every field of `T` is among `built`, or refused when it is set below `path`.
fn built_or_refused<T: schemars::JsonSchema>(path: &str, built: &[&str], with: impl Fn(&Value) -> Rollout) {
    let all = fields::<T>();
    let built: BTreeSet<String> = built.iter().map(|name| (*name).to_owned()).collect();
    assert!(built.is_subset(&all), "{path}: no longer there: {:?}", built.difference(&all));
    for field in all.difference(&built) {
        let set = if field == "plugins" { json!({"a/b": {}}) } else { json!({}) };
        let found = unbuilt_features(&with(&json!({field: set})));
        let paths: Vec<&str> = found.iter().map(|unbuilt| unbuilt.path.as_str()).collect();
        assert_eq!(paths, [format!("{path}.{field}")], "it is ignored");
    }
    for field in built {
        assert_eq!(unbuilt_features(&with(&json!({&field: null}))), [], "{field}");
    }
}

/// What is built of the spec.
const SPEC: &[&str] = &[
    "replicas",
    "selector",
    "template",
    "workloadRef",
    "minReadySeconds",
    "rollbackWindow",
    "strategy",
    "revisionHistoryLimit",
    "paused",
    "progressDeadlineSeconds",
    "progressDeadlineAbort",
    "restartAt",
    // How many runs are kept: as long as no analysis is accepted, there are none.
    "analysis",
];

/// What is built of the blue-green strategy.
const BLUE_GREEN: &[&str] = &[
    "activeService",
    "previewService",
    "previewReplicaCount",
    "autoPromotionEnabled",
    "autoPromotionSeconds",
    "maxUnavailable",
    "scaleDownDelaySeconds",
    "scaleDownDelayRevisionLimit",
    "abortScaleDownDelaySeconds",
    "antiAffinity",
    "previewMetadata",
    "activeMetadata",
];

/// What is built of the canary strategy.
const CANARY: &[&str] = &[
    "canaryService",
    "stableService",
    "steps",
    "trafficRouting",
    "maxSurge",
    "maxUnavailable",
    "antiAffinity",
    "canaryMetadata",
    "stableMetadata",
    "scaleDownDelaySeconds",
    "scaleDownDelayRevisionLimit",
    "abortScaleDownDelaySeconds",
    "dynamicStableScale",
    "pingPong",
    "minPodsPerReplicaSet",
    "replicaProgressThreshold",
];

/// To take a field in and do nothing about it is worse than to refuse it. What a strategy of the other kind, or one without
/// router, has no use for is left out of account, as the reference does.
#[test]
fn no_field_is_silently_ignored() {
    built_or_refused::<RolloutSpec>("spec", SPEC, rollout);
    let blue_green = |fields: &Value| rollout(&json!({"strategy": {"blueGreen": fields}}));
    built_or_refused::<BlueGreenStrategy>("spec.strategy.blueGreen", BLUE_GREEN, blue_green);
    built_or_refused::<CanaryStrategy>("spec.strategy.canary", CANARY, canary);
    // Managed routes are made by steps that are refused.
    let routing = |fields: &Value| routed(fields, &json!([]));
    let built = ["nginx", "managedRoutes", "maxTrafficWeight"];
    built_or_refused::<TrafficRouting>("spec.strategy.canary.trafficRouting", &built, routing);
    let step = |fields: &Value| routed(&json!({"nginx": {}}), &json!([fields]));
    let built = ["setWeight", "pause", "setCanaryScale"];
    built_or_refused::<CanaryStep>("spec.strategy.canary.steps[0]", &built, step);
}

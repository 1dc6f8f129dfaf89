use std::collections::BTreeMap;

use serde_json::json;

use super::*;
use crate::domain::object::ObjectRef;
use crate::domain::plan::{Action, ObjectKind, Precondition, Purpose};
use serin_values::merge_patch::apply_merge_patch;

/// A Rollout's nginx settings, owned, so that a test can change one and borrow a router.
struct Settings {
    stable_ingresses: Vec<String>,
    prefix: String,
    additional: BTreeMap<String, String>,
    canary: BTreeMap<String, String>,
    max_weight: Option<i32>,
}

impl Settings {
    fn new() -> Self {
        Self {
            stable_ingresses: vec!["web".to_owned()],
            prefix: DEFAULT_ANNOTATION_PREFIX.to_owned(),
            additional: BTreeMap::new(),
            canary: BTreeMap::new(),
            max_weight: None,
        }
    }

    fn additional(mut self, key: &str, value: &str) -> Self {
        self.additional.insert(key.to_owned(), value.to_owned());
        self
    }

    fn canary(mut self, key: &str, value: &str) -> Self {
        self.canary.insert(key.to_owned(), value.to_owned());
        self
    }

    fn router(&self) -> NginxRouter<'_> {
        NginxRouter {
            namespace: "shop",
            rollout: "demo",
            uid: "rollout-uid",
            stable_service: "demo-stable",
            canary_service: "demo-canary",
            stable_ingresses: &self.stable_ingresses,
            annotation_prefix: &self.prefix,
            additional_annotations: &self.additional,
            canary_annotations: &self.canary,
            max_weight: self.max_weight,
            field_manager: "serin",
        }
    }

    fn render(&self, canary: Option<&Value>, weight: i32) -> Option<Op> {
        self.router().render(&stable_ingress(), canary, weight).unwrap()
    }

    /// The canary Ingress as it stands after it was made with `weight`.
    fn made(&self, weight: i32) -> Value {
        let mut body = created(self.render(None, weight));
        body["metadata"]["uid"] = json!("canary-uid");
        body["metadata"]["resourceVersion"] = json!("7");
        body["metadata"]["namespace"] = json!("default");
        body
    }

    fn patch(&self, canary: &Value, weight: i32) -> Value {
        patched(self.render(Some(canary), weight))
    }
}

fn created(op: Option<Op>) -> Value {
    match op.map(|op| op.action) {
        Some(Action::Create { body }) => body,
        other => panic!("nothing is created but {other:?}"),
    }
}

fn patched(op: Option<Op>) -> Value {
    match op.map(|op| op.action) {
        Some(Action::Patch { patch, .. }) => patch,
        other => panic!("nothing is patched but {other:?}"),
    }
}

/// Name, purposes and Event of an op on an Ingress.
fn described(op: &Op) -> (&str, &[Purpose], Vec<String>) {
    assert_eq!(op.kind, ObjectKind::Ingress);
    let events = op.events.iter().map(|event| format!("{}: {}", event.reason, event.message)).collect();
    (&op.name, &op.purposes, events)
}

fn path(path: &str, service: &str) -> Value {
    json!({"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}})
}

fn stable_ingress() -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "web",
            "labels": {"app": "demo"},
            "annotations": {
                "kubernetes.io/ingress.class": "nginx",
                "nginx.ingress.kubernetes.io/ssl-redirect": "true",
            },
        },
        "spec": {
            "ingressClassName": "nginx",
            "defaultBackend": {"service": {"name": "fallback", "port": {"number": 80}}},
            "tls": [{"hosts": ["demo.example.com"], "secretName": "demo-tls"}],
            "rules": [
                {"host": "demo.example.com", "http": {"paths": [path("/", "demo-stable"), path("/api", "api")]}},
                {"host": "other.example.com", "http": {"paths": [path("/", "other")]}},
            ],
        },
    })
}

fn annotation<'v>(ingress: &'v Value, key: &str) -> Option<&'v str> {
    ingress["metadata"]["annotations"].get(key).and_then(Value::as_str)
}

#[test]
fn the_canary_ingress_is_built_from_the_stable_one() {
    let settings = Settings::new().additional("canary-by-header", "X-Canary").canary("team", "a");
    let op = settings.render(None, 20).unwrap();
    let event = "CreatingCanaryIngress: Creating canary ingress `demo-web-canary` with weight `20`";
    let purpose = Purpose::Route { weight: 20 };
    assert_eq!(described(&op), ("demo-web-canary", &[purpose][..], vec![event.to_owned()]));
    let body = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {
            "name": "demo-web-canary",
            "annotations": {
                "kubernetes.io/ingress.class": "nginx",
                "nginx.ingress.kubernetes.io/canary": "true",
                "nginx.ingress.kubernetes.io/canary-weight": "20",
                "nginx.ingress.kubernetes.io/canary-by-header": "X-Canary",
                "team": "a",
            },
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "demo", "uid": "rollout-uid",
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": ["demo.example.com"], "secretName": "demo-tls"}],
            "rules": [
                {"host": "demo.example.com", "http": {"paths": [path("/", "demo-canary"), path("/api", "api")]}},
            ],
        },
    });
    assert_eq!(op.action, Action::Create { body });
}

#[test]
fn a_new_weight_changes_one_annotation() {
    let settings = Settings::new();
    let op = settings.render(Some(&settings.made(20)), 50).unwrap();
    let event = "PatchingCanaryIngress: Updating Ingress `demo-web-canary` to desiredWeight '50'";
    let purpose = Purpose::Route { weight: 50 };
    assert_eq!(described(&op), ("demo-web-canary", &[purpose][..], vec![event.to_owned()]));
    let patch = json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "50"}}});
    let precondition = Precondition { uid: "canary-uid".to_owned(), resource_version: "7".to_owned() };
    assert_eq!(op.action, Action::Patch { precondition, patch });
}

#[test]
fn max_traffic_weight_adds_the_total() {
    let made = Settings::new().made(10);
    let settings = Settings { max_weight: Some(1000), ..Settings::new() };
    let annotations = json!({
        "nginx.ingress.kubernetes.io/canary-weight": "15",
        "nginx.ingress.kubernetes.io/canary-weight-total": "1000",
    });
    assert_eq!(settings.patch(&made, 15), json!({"metadata": {"annotations": annotations}}));
}

#[test]
fn a_total_that_ingress_nginx_would_ignore_is_scaled_up() {
    for (max, weight, written) in [(50, 25, ("75", "150")), (1, 1, ("101", "101")), (100, 30, ("30", "100"))]
    {
        let settings = Settings { max_weight: Some(max), ..Settings::new() };
        let made = settings.made(weight);
        let shown = |key| annotation(&made, key).unwrap_or("absent").to_owned();
        assert_eq!(shown("nginx.ingress.kubernetes.io/canary-weight"), written.0, "{weight} of {max}");
        assert_eq!(shown("nginx.ingress.kubernetes.io/canary-weight-total"), written.1, "{weight} of {max}");
        assert_eq!(settings.render(Some(&made), weight), None);
    }
}

#[test]
fn a_weight_outside_of_the_range_is_refused() {
    for (max_weight, weight) in [(None, 101), (None, -1), (Some(1000), 1001)] {
        let settings = Settings { max_weight, ..Settings::new() };
        let max = max_weight.unwrap_or(100);
        assert_eq!(
            settings.router().render(&stable_ingress(), None, weight),
            Err(TrafficError::WeightOutOfRange { weight, max })
        );
    }
}

#[test]
fn a_changed_path_replaces_the_rules_whole() {
    let settings = Settings::new();
    let mut stable = stable_ingress();
    stable["spec"]["rules"][0]["http"]["paths"][0]["path"] = json!("/shop");
    let patch = patched(settings.router().render(&stable, Some(&settings.made(10)), 10).unwrap());
    let paths = json!([path("/shop", "demo-canary"), path("/api", "api")]);
    assert_eq!(patch, json!({"spec": {"rules": [{"host": "demo.example.com", "http": {"paths": paths}}]}}));
}

#[test]
fn nothing_is_written_when_nothing_differs() {
    let settings = Settings::new().additional("canary-by-header", "X-Canary").canary("team", "a");
    assert_eq!(settings.render(Some(&settings.made(20)), 20), None);
}

#[test]
fn after_the_patch_nothing_is_left_to_write() {
    let settings = Settings::new().canary("team", "a");
    let mut canary = Settings::new().made(10);
    canary["spec"]["defaultBackend"] = json!({"service": {"name": "x", "port": {"number": 1}}});
    canary["metadata"]["labels"] = json!({"tracked-by": "somebody"});
    let patch = settings.patch(&canary, 40);
    assert_eq!(patch["spec"], json!({"defaultBackend": null}));
    assert_eq!(settings.render(Some(&apply_merge_patch(&canary, &patch)), 40), None);
}

#[test]
fn a_rule_is_needed_that_uses_the_stable_service() {
    let mut stable = stable_ingress();
    stable["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = json!("elsewhere");
    let error = Settings::new().router().render(&stable, None, 0).unwrap_err().to_string();
    assert!(error.contains("ingress `web` has no rules using service demo-stable backend"), "{error}");
    assert!(error.contains("its rules use api, elsewhere, other;"), "{error}");
}

#[test]
fn an_ingress_with_only_a_default_backend_cannot_have_a_canary() {
    let mut stable = stable_ingress();
    stable["spec"] = json!({"defaultBackend": {"service": {"name": "demo-stable", "port": {"number": 80}}}});
    let error = Settings::new().router().render(&stable, None, 0).unwrap_err().to_string();
    assert!(error.contains("its rules use no Service"), "{error}");
}

#[test]
fn rules_without_services_are_skipped() {
    let mut stable = stable_ingress();
    let rules = stable["spec"]["rules"].as_array_mut().unwrap();
    rules.push(json!({"host": "bare.example.com"}));
    let resource = json!({"resource": {"kind": "Bucket", "name": "b", "apiGroup": "x.io"}});
    rules[0]["http"]["paths"]
        .as_array_mut()
        .unwrap()
        .push(json!({"path": "/s", "pathType": "Prefix", "backend": resource}));
    let body = created(Settings::new().router().render(&stable, None, 0).unwrap());
    assert_eq!(body["spec"]["rules"].as_array().map(Vec::len), Some(1));
    assert_eq!(body["spec"]["rules"][0]["http"]["paths"][2]["backend"], resource);
}

#[test]
fn the_canary_mark_is_restored_and_foreign_metadata_survives() {
    let settings = Settings::new();
    let mut canary = settings.made(10);
    canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary"] = json!("false");
    canary["metadata"]["annotations"]["cert-manager.io/issued"] = json!("yes");
    canary["metadata"]["labels"] = json!({"tracked-by": "somebody"});
    let patch = json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary": "true"}}});
    assert_eq!(settings.patch(&canary, 10), patch);
}

#[test]
fn an_annotation_that_the_rollout_dropped_goes_only_if_we_alone_set_it() {
    let before = Settings::new().additional("canary-by-header", "X-Canary").canary("team", "a");
    let header = "nginx.ingress.kubernetes.io/canary-by-header";
    let managed = |manager: &str, keys: &[&str]| {
        let annotations: Map<String, Value> =
            keys.iter().map(|key| (format!("f:{key}"), json!({}))).collect();
        json!({"manager": manager, "fieldsV1": {"f:metadata": {"f:annotations": annotations}}})
    };
    let mut canary = before.made(10);
    assert_eq!(Settings::new().render(Some(&canary), 10), None, "no record, nothing is taken away");

    canary["metadata"]["managedFields"] =
        json!([managed("serin", &[header, "team"]), managed("kubectl", &["team"])]);
    let patch = json!({"metadata": {"annotations": {header: null}}});
    assert_eq!(Settings::new().patch(&canary, 10), patch);
    assert_eq!(before.render(Some(&canary), 10), None, "what the Rollout still has stays");
}

#[test]
fn additional_annotations_get_the_prefix_once() {
    let keys = ["canary-by-header", "nginx.ingress.kubernetes.io/canary-by-cookie"];
    let settings = Settings::new().additional(keys[0], "X").additional(keys[1], "y");
    let made = settings.made(0);
    assert_eq!(annotation(&made, "nginx.ingress.kubernetes.io/canary-by-header"), Some("X"));
    assert_eq!(annotation(&made, "nginx.ingress.kubernetes.io/canary-by-cookie"), Some("y"));
}

#[test]
fn additional_annotations_with_another_prefix_are_refused() {
    for key in ["nginx.ingress.kubernetes.iox/canary", "a/b", "nginx.ingress.kubernetes.io/", ""] {
        let settings = Settings::new().additional(key, "x");
        let error = settings.router().render(&stable_ingress(), None, 0).unwrap_err().to_string();
        let start = "spec.strategy.canary.trafficRouting.nginx.additionalIngressAnnotations: Invalid value: ";
        assert!(error.starts_with(&format!("{start}{key:?}: ")), "{error}");
    }
}

#[test]
fn weights_and_mark_cannot_be_overridden() {
    let settings = Settings::new()
        .additional("canary", "false")
        .canary("nginx.ingress.kubernetes.io/canary-weight", "99");
    let made = settings.made(5);
    assert_eq!(annotation(&made, "nginx.ingress.kubernetes.io/canary"), Some("true"));
    assert_eq!(annotation(&made, "nginx.ingress.kubernetes.io/canary-weight"), Some("5"));
}

#[test]
fn the_prefix_can_be_another() {
    let settings = Settings { prefix: "ingress.acme.io".to_owned(), ..Settings::new() };
    let made = settings.made(5);
    assert_eq!(annotation(&made, "ingress.acme.io/canary"), Some("true"));
    assert_eq!(annotation(&made, "ingress.acme.io/canary-weight"), Some("5"));
    assert_eq!(annotation(&made, "nginx.ingress.kubernetes.io/canary"), None);
}

#[test]
fn a_canary_ingress_of_somebody_else_is_not_touched() {
    let settings = Settings::new();
    let mut canary = settings.made(10);
    canary["metadata"]["ownerReferences"][0]["uid"] = json!("another-uid");
    let error = settings.router().render(&stable_ingress(), Some(&canary), 20).unwrap_err().to_string();
    let text =
        "canary ingress `demo-web-canary` controlled by different object: Rollout demo (uid another-uid);";
    assert!(error.starts_with(text), "{error}");

    canary["metadata"]["ownerReferences"] = json!([]);
    let error = settings.router().render(&stable_ingress(), Some(&canary), 20).unwrap_err().to_string();
    assert!(error.contains("controlled by different object: it has no controller;"), "{error}");
}

#[test]
fn an_object_that_no_cluster_gave_is_not_patched() {
    let settings = Settings::new();
    let mut canary = settings.made(10);
    canary["metadata"]["resourceVersion"].take();
    let error = settings.router().render(&stable_ingress(), Some(&canary), 20).unwrap_err();
    let field = "metadata.resourceVersion";
    assert_eq!(
        error,
        TrafficError::Incomplete { kind: "Ingress", name: "demo-web-canary".to_owned(), field }
    );
}

#[test]
fn the_canary_name_is_cut_to_what_kubernetes_allows() {
    let name = canary_ingress_name("rollout", "stable-ingress");
    assert_eq!(name, "rollout-stable-ingress-canary");
    assert_eq!(
        canary_ingress_name("rollout", "additional-stable-ingress"),
        "rollout-additional-stable-ingress-canary"
    );
    let (rollout, ingress) = ("r".repeat(140), "i".repeat(150));
    let joined = format!("{rollout}-{ingress}");
    assert_eq!(canary_ingress_name(&rollout, &ingress), format!("{}-canary", &joined[..246]));
    assert_eq!(canary_ingress_name(&rollout, &ingress).len(), 253);
    assert_eq!(canary_ingress_name("rollout", ""), "");
}

#[test]
fn two_ingresses_do_not_fight_over_one_canary() {
    let long = "i".repeat(245);
    let settings =
        Settings { stable_ingresses: vec![format!("{long}-a"), format!("{long}-b")], ..Settings::new() };
    let mut stable = stable_ingress();
    stable["metadata"]["name"] = json!(settings.stable_ingresses[1]);
    let error = settings.router().render(&stable, None, 0).unwrap_err();
    assert!(matches!(error, TrafficError::SharedCanaryName { .. }), "{error}");
}

#[test]
fn stable_and_canary_ingresses_are_observed() {
    let settings = Settings { stable_ingresses: vec!["a".to_owned(), "b".to_owned()], ..Settings::new() };
    let ingress = |name| ObjectRef::new(ObjectKind::Ingress, "shop", name);
    let expected = ["a", "demo-a-canary", "b", "demo-b-canary"].map(ingress);
    assert_eq!(settings.router().observe_keys(), expected);
}

#[test]
fn the_class_annotation_wins_over_the_field() {
    let mut ingress = stable_ingress();
    ingress["metadata"]["annotations"]["kubernetes.io/ingress.class"] = json!("public");
    assert_eq!(ingress_class(&ingress), "public");
    ingress["metadata"]["annotations"]["kubernetes.io/ingress.class"] = json!("");
    assert_eq!(ingress_class(&ingress), "nginx");
    assert_eq!(ingress_class(&json!({})), "");
}

#[test]
fn a_canary_that_is_no_longer_referred_to_is_set_to_zero() {
    let made = Settings::new().made(30);
    let op = release("rollout-uid", &made).unwrap();
    assert_eq!(op.as_ref().map(|op| &op.purposes[..]), Some(&[Purpose::Route { weight: 0 }][..]));
    let patch = patched(op);
    assert_eq!(
        patch,
        json!({"metadata": {"annotations": {"nginx.ingress.kubernetes.io/canary-weight": "0"}}})
    );
    assert_eq!(release("rollout-uid", &apply_merge_patch(&made, &patch)).unwrap(), None);
    assert_eq!(release("another-uid", &made).unwrap(), None);
}

#[test]
fn what_ingress_nginx_would_ignore_is_said() {
    let good = Settings::new()
        .additional("canary-by-header", "X-Canary")
        .additional("canary-by-header-pattern", r"^v[0-9]+\.x$")
        .additional("session-cookie-name", "c")
        .canary("team", "any, text");
    assert_eq!(advice(&good.router(), &stable_ingress()), []);

    let bad = [
        ("canary-by-header", "X,Canary", "letters, digits"),
        ("canary-by-header-pattern", "a b", "no spaces"),
        ("canary-by-cookie", "a\nb", "line breaks"),
        ("rewrite-target", "/", "takes this setting from the stable Ingress"),
    ];
    for (key, value, part) in bad {
        let settings = Settings::new().additional(key, value);
        let found: Vec<String> =
            advice(&settings.router(), &stable_ingress()).iter().map(ToString::to_string).collect();
        assert!(found.len() == 1 && found[0].contains(part) && found[0].contains(key), "{found:?}");
    }
}

#[test]
fn a_canary_service_that_is_also_a_primary_is_said() {
    let mut stable = stable_ingress();
    stable["spec"]["rules"][1]["http"]["paths"][0]["backend"]["service"]["name"] = json!("demo-canary");
    let found = advice(&Settings::new().router(), &stable);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].field.as_str(), found[0].value.as_str()),
        ("backends of ingress `web`", "demo-canary")
    );
}

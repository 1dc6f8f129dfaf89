//! The objects that a Rollout names, and those that are made for it.

use super::*;
use crate::domain::object::{ObjectRef, Objects};
use crate::domain::plan::ObjectKind;
use crate::rollout::snapshot::{Identity, ServiceView};

/// A Service that selects `selector`.
fn service(name: &str, selector: &[(&str, &str)], managed_by: Option<&str>) -> (String, ServiceView) {
    let view = ServiceView {
        id: Identity { name: name.to_owned(), uid: "s".to_owned(), resource_version: "1".to_owned() },
        selector: selector.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        managed_by: managed_by.map(str::to_owned),
    };
    (name.to_owned(), view)
}

fn services<const N: usize>(list: [(String, ServiceView); N]) -> BTreeMap<String, ServiceView> {
    BTreeMap::from(list)
}

#[test]
fn services_exist_select_the_pods_and_belong_to_nobody_else() {
    let demo = canary(&json!({"canaryService": "canary", "stableService": "stable"}));
    let own = [("app", "demo"), ("rollouts-pod-template-hash", "abc")];
    let good = services([service("canary", &own, Some("demo")), service("stable", &own, None)]);
    assert_eq!(errors(validate_references(&demo, &[], &good, &Objects::default())), [""; 0]);

    let bad = services([service("canary", &[("app", "x"), ("tier", "web")], Some("other"))]);
    let found = errors(validate_references(&demo, &[], &bad, &Objects::default()));
    let canary = r#"spec.strategy.canary.canaryService: Invalid value: "canary": "#;
    let starts = [
        format!(
            r#"{canary}the Service selects pods with app=x, but that label of spec.template is "demo"; "#
        ),
        format!(
            "{canary}the Service selects pods with tier=web, but that label of spec.template is not set; "
        ),
        format!(r#"{canary}the Service is managed by another Rollout, "other"; use another Service"#),
        r#"spec.strategy.canary.stableService: Invalid value: "stable": service "stable" not found; "#
            .to_owned(),
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(&start), "{start:?} does not begin {found:?}");
    }
}

/// Which revisions a Service is compared with depends on what the field is for.
#[test]
fn services_go_on_selecting_the_revision_that_serves() {
    let template = |version: &str| json!({"metadata": {"labels": {"app": "demo", "version": version}}});
    let (one, two) = (template("1"), template("2"));
    let of = |strategy: Value| {
        rollout(&json!({"strategy": strategy, "template": {"metadata": {"labels": {"version": "3"}}}}))
    };
    let selector = [("app", "demo"), ("version", "3"), ("rollouts-pod-template-hash", "two")];
    let all = services(["a", "b"].map(|name| service(name, &selector, None)));
    let running = |hash, template, is_stable| Running { replica_set: hash, hash, template, is_stable };
    let stable = running("one", &one, true);
    let selected = running("two", &two, false);
    let same = template("3");
    let same = running("same", &same, true);
    let check = |strategy: &Value, running: &[Running<'_>]| {
        let found = validate_references(&of(strategy.clone()), running, &all, &Objects::default());
        let fields = errors(found);
        let fields: Vec<String> =
            fields.iter().filter_map(|error| error.split(": ").next()).map(str::to_owned).collect();
        fields.iter().map(|path| path.rsplit('.').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    let blue_green = json!({"blueGreen": {"activeService": "a", "previewService": "b"}});
    let canary = json!({"canary": {"canaryService": "a", "stableService": "b"}});
    let pair = json!({"canary": {"pingPong": {"pingService": "a", "pongService": "b"}}});
    for strategy in [&blue_green, &canary, &pair] {
        assert_eq!(check(strategy, &[]), [""; 0], "only the new revision runs");
        assert_eq!(check(strategy, &[same]), [""; 0], "the stable revision has the label");
    }
    assert_eq!(check(&blue_green, &[stable]), ["activeService"]);
    assert_eq!(check(&blue_green, &[selected]), ["activeService"], "the users are there");
    assert_eq!(check(&canary, &[stable]), ["canaryService", "stableService"]);
    assert_eq!(check(&canary, &[selected]), ["stableService"]);
    assert_eq!(check(&pair, &[stable]), ["pingService", "pongService"]);
}

#[test]
fn every_field_that_names_a_service_is_checked() {
    let strategies = [
        (json!({"blueGreen": {"activeService": "a"}}), &["activeService"][..]),
        (
            json!({"blueGreen": {"activeService": "a", "previewService": "p"}}),
            &["activeService", "previewService"],
        ),
        (json!({"canary": {"stableService": "s"}}), &["stableService"]),
        (
            json!({"canary": {"pingPong": {"pingService": "a", "pongService": "b"}}}),
            &["pingPong.pingService", "pingPong.pongService"],
        ),
    ];
    for (strategy, fields) in strategies {
        let rollout = rollout(&json!({"strategy": strategy}));
        let found = errors(validate_references(&rollout, &[], &BTreeMap::new(), &Objects::default()));
        assert_eq!(found.len(), fields.len(), "{found:?}");
        for (found, field) in found.iter().zip(fields) {
            assert!(found.contains(&format!(".{field}: Invalid value: ")), "{field}: {found}");
        }
    }
}

#[test]
fn ingresses_exist_and_use_the_stable_service() {
    let own = [("app", "demo")];
    let services = services([service("canary", &own, None), service("stable", &own, None)]);
    let ingress = |service: &str| {
        let path = json!({"path": "/", "backend": {"service": {"name": service, "port": {"number": 80}}}});
        json!({"metadata": {"name": "web"}, "spec": {"rules": [{"http": {"paths": [path]}}]}})
    };
    let check = |nginx: Value, service: &str| {
        let rollout = routed(&json!({"nginx": nginx}), &json!([]));
        let namespace = rollout.metadata.namespace.clone().unwrap_or_default();
        let web = ObjectRef::new(ObjectKind::Ingress, namespace, "web");
        let objects = Objects::from_iter([(web, ingress(service))]);
        errors(validate_references(&rollout, &[], &services, &objects)).join("|")
    };
    let at = "spec.strategy.canary.trafficRouting.nginx";
    assert_eq!(check(json!({"stableIngress": "web"}), "stable"), "");
    assert_eq!(check(json!({"stableIngresses": ["web"]}), "stable"), "");
    let cases = [
        (json!({}), "stable", format!("{at}.stableIngress: Required value: set either stableIngress or")),
        (
            json!({"stableIngress": "web", "stableIngresses": ["web"]}),
            "stable",
            format!(
                r#"{at}.stableIngress: Invalid value: "web": must not be set together with stableIngresses"#
            ),
        ),
        (
            json!({"stableIngress": "no"}),
            "stable",
            format!(r#"{at}.stableIngress: Invalid value: "no": ingress "no" not found; create it"#),
        ),
        (
            json!({"stableIngresses": ["web", "no"]}),
            "stable",
            format!(r#"{at}.stableIngresses[1]: Invalid value: "no": ingress "no" not found; create it"#),
        ),
        (
            json!({"stableIngress": "web"}),
            "other",
            format!(
                r#"{at}.stableIngress: Invalid value: "web": ingress `web` has no rules using service stable backend; "#
            ),
        ),
    ];
    for (nginx, service, start) in cases {
        let found = check(nginx, service);
        assert!(found.starts_with(&start) && !found.contains('|'), "{start:?} does not begin {found:?}");
    }
}

/// A name that no object can have is misspelt; and what the names lead to must have a name, too.
#[test]
fn names_are_those_that_objects_can_have() {
    for (strategy, field) in [
        (json!({"blueGreen": {"activeService": "My_Service"}}), "blueGreen.activeService"),
        (json!({"blueGreen": {"activeService": "a", "previewService": "b."}}), "blueGreen.previewService"),
        (json!({"canary": {"canaryService": "A"}}), "canary.canaryService"),
        (json!({"canary": {"stableService": "a.b"}}), "canary.stableService"),
        (
            json!({"canary": {"pingPong": {"pingService": "a b", "pongService": "b"}}}),
            "canary.pingPong.pingService",
        ),
        (
            json!({"canary": {"pingPong": {"pingService": "a", "pongService": "B"}}}),
            "canary.pingPong.pongService",
        ),
    ] {
        refused(&rollout(&json!({"strategy": strategy})), &format!("spec.strategy.{field}: Invalid value: "));
    }
    let named = |length: usize| {
        let mut rollout = canary(&json!({}));
        rollout.metadata.name = Some("a".repeat(length));
        rollout
    };
    accepted(&named(242));
    refused(&named(243), "metadata.name: Invalid value: ");
}

#[test]
fn what_nginx_is_told_to_write_can_be_written() {
    let nginx = |fields: Value| routed(&json!({"nginx": fields}), &json!([]));
    let at = "spec.strategy.canary.trafficRouting.nginx";
    for (fields, field) in [
        (json!({"annotationPrefix": "a/b"}), "annotationPrefix"),
        (json!({"stableIngress": "my_ingress"}), "stableIngress"),
        (json!({"stableIngresses": ["web", "Web"]}), "stableIngresses[1]"),
        (json!({"additionalIngressAnnotations": {"a/b": ""}}), "additionalIngressAnnotations.a/b"),
        (json!({"additionalIngressAnnotations": {"a b": ""}}), "additionalIngressAnnotations.a b"),
        (json!({"canaryIngressAnnotations": {"a b/c": ""}}), "canaryIngressAnnotations.a b/c"),
    ] {
        refused(&nginx(fields), &format!("{at}.{field}: Invalid value: "));
    }
    accepted(&nginx(json!({
        "annotationPrefix": "custom.example",
        "stableIngresses": ["web", "web.example"],
        "additionalIngressAnnotations": {"Canary-By-Header": "", "custom.example/a": ""},
        "canaryIngressAnnotations": {"Example.com/a": "any text!"},
    })));
    // The name of the canary Ingress is cut after 246 characters, five of which are for the Rollout.
    let dotted = |before: usize| format!("{}.{}", "a".repeat(before), "b".repeat(10));
    accepted(&nginx(json!({"stableIngress": dotted(239)})));
    let error = format!(
        "{at}.stableIngress: Invalid value: {:?}: the canary Ingress would get the name",
        dotted(240)
    );
    refused(&nginx(json!({"stableIngress": dotted(240)})), &error);
}

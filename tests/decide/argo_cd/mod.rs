//! Argo CD reads a Rollout's health from its status, acts by patches, and compares live objects with those in Git. It
//! does so by scripts of its own, which these tables follow.

mod actions;
mod drift;
mod health;

use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

/// What lies in Git: a Rollout with that strategy, the Services that it may name, and an Ingress.
fn in_git(strategy: &Value) -> Vec<Value> {
    let service = |name: &str| {
        json!({"kind": "Service", "metadata": {"name": name, "annotations": tracking("Service", name)},
               "spec": {"selector": {"app": "demo"}}})
    };
    let backend = json!({"service": {"name": "stable", "port": {"number": 80}}});
    let paths = json!([{"path": "/", "pathType": "Prefix", "backend": backend}]);
    let ingress = json!({
        "kind": "Ingress",
        "metadata": {"name": "web", "labels": {"app.kubernetes.io/instance": "shop"}, "annotations": tracking("Ingress", "web")},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "demo.local", "http": {"paths": paths}}]},
    });
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {
            "name": "demo", "labels": {"app.kubernetes.io/instance": "shop"}, "annotations": tracking("Rollout", "demo"),
        },
        "spec": {
            "replicas": 4,
            "selector": {"matchLabels": {"app": "demo"}},
            "template": {
                "metadata": {"labels": {"app": "demo"}},
                "spec": {"containers": [{"name": "demo", "image": "demo:1"}]},
            },
            "strategy": strategy,
        },
    });
    ["stable", "canary"].map(service).into_iter().chain([ingress, rollout]).collect()
}

/// The marks by which Argo CD finds its objects, and some that steer a synchronisation.
fn tracking(kind: &str, name: &str) -> Value {
    json!({
        "argocd.argoproj.io/tracking-id": format!("shop:argoproj.io/{kind}:shop/{name}"),
        "argocd.argoproj.io/sync-wave": "1",
        "argocd.argoproj.io/sync-options": "PruneLast=true",
        "team": "web",
    })
}

fn canary() -> Value {
    json!({"canary": {"steps": [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "10s"}}]}})
}

fn routed() -> Value {
    let routing = json!({"nginx": {"stableIngress": "web"}});
    let mut strategy = canary();
    strategy["canary"]["stableService"] = "stable".into();
    strategy["canary"]["canaryService"] = "canary".into();
    strategy["canary"]["trafficRouting"] = routing;
    strategy
}

fn blue_green() -> Value {
    json!({"blueGreen": {"activeService": "stable", "previewService": "canary", "autoPromotionEnabled": false}})
}

/// Git as it is, applied and settled.
fn deployed(strategy: &Value) -> World {
    let mut world = World::new();
    for object in in_git(strategy) {
        world.apply(&object.to_string());
    }
    world.pass(10_000);
    assert_eq!(world.rollout()["status"]["phase"], "Healthy");
    world
}

/// A later commit with another template.
fn update(world: &mut World, version: &str) {
    let template = json!({"metadata": {"annotations": {"v": version}}});
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"template": template}}));
}

/// In the pause that waits for somebody.
fn paused(strategy: &Value) -> World {
    let mut world = deployed(strategy);
    update(&mut world, "2");
    world.pass(10_000);
    assert_eq!(world.rollout()["status"]["phase"], "Paused");
    world
}

//! Missing or invalid Ingresses: the commands that `explain` prints unblock the Rollout.

use serde_json::{Value, json};

use super::case::{Case, service};

/// An Ingress that sends requests to a Service.
fn ingress(name: &str, service: &str) -> Value {
    let path = json!({"path": "/", "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}});
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
        "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [path]}}]},
    })
}

fn routed(stable_ingress: &str) -> Value {
    json!({"strategy": {"canary": {
        "canaryService": "active", "stableService": "stable", "steps": [],
        "trafficRouting": {"nginx": {"stableIngress": stable_ingress}},
    }}})
}

fn stable_service() -> Value {
    let mut stable = service("demo", &Value::Null);
    stable["metadata"]["name"] = "stable".into();
    stable
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingress_is_named_that_is_there() {
    Case {
        objects: vec![service("demo", &Value::Null), stable_service(), ingress("web", "stable")],
        spec: routed("gone"),
        waits_for: "reference",
        says: "Ingress gone, which the Rollout references, does not exist.",
        commands: &[1],
        editor: "sed -i s/stableIngress:.gone/stableIngress:\\ web/",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingress_is_made() {
    Case {
        objects: vec![service("demo", &Value::Null), stable_service()],
        spec: routed("gone"),
        waits_for: "reference",
        says: "Ingress gone, which the Rollout references, does not exist.",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ingress_leads_to_the_stable_service() {
    Case {
        objects: vec![service("demo", &Value::Null), stable_service(), ingress("web", "active")],
        spec: routed("web"),
        waits_for: "reference",
        says: "Ingress web has no rule for the stable Service stable.",
        editor: "sed -i s/name:.active/name:\\ stable/",
        ..Case::default()
    }
    .ends()
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ingress_of_a_canary_is_another_one_where_its_name_is_taken() {
    Case {
        objects: vec![
            service("demo", &Value::Null),
            stable_service(),
            ingress("web", "stable"),
            ingress("other", "stable"),
            ingress("demo-web-canary", "active"),
        ],
        spec: routed("web"),
        waits_for: "router",
        says: "canary ingress `demo-web-canary` controlled by different object",
        editor: "sed -i s/stableIngress:.web/stableIngress:\\ other/",
        ..Case::default()
    }
    .ends()
    .await;
}

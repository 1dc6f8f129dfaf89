//! What is forgotten: a subject of its own, as the embedded API is given a short memory for it.

use serde_json::json;
use serin::cluster::api::store::Settings;

use crate::custom::define;
use crate::world::{MERGE, World, facts, hold_after, text};

#[tokio::test]
async fn forgetting() {
    let settings = Settings { log_capacity: 50, ..Settings::default() };
    hold_after(&facts![a_version_of_long_ago_is_gone], &settings, |_| Box::pin(async {})).await;
}

/// Of a resource that is younger than the version asked for: a real server remembers all changes of older ones.
async fn a_version_of_long_ago_is_gone(w: World) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "youths.expiry.contract.test"},
        "spec": {"group": "expiry.contract.test", "scope": "Namespaced", "names": {"kind": "Youth", "plural": "youths"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    define(&w, &definition).await;
    w.config_map("a", &json!({})).await;
    for number in 0..60 {
        w.patch(MERGE, "v1/configmaps/a", &json!({"data": {"k": number.to_string()}})).await.done();
    }
    let mut watch = w.watch("expiry.contract.test/v1/youths?resourceVersion=1").await;
    let event = watch.next().await.expect("an event");
    assert_eq!(event["type"], "ERROR");
    let status = &event["object"];
    let found = (&status["kind"], &status["code"], &status["reason"]);
    assert_eq!(found, (&json!("Status"), &json!(410), &json!("Expired")));
    assert!(text(&status["message"]).starts_with("too old resource version: 1 ("), "{status}");
    assert_eq!(watch.next().await, None);
}

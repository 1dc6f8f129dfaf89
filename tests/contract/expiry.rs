//! What is forgotten: a subject of its own, as the embedded API is given a short memory for it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use serin_cluster::api::store::Settings;

use crate::custom::define;
use crate::world::{MERGE, World, facts, hold_after, names, text};

#[tokio::test]
async fn forgetting() {
    let settings = Settings { log_capacity: 50, ..Settings::default() };
    let facts = facts![
        a_version_of_long_ago_is_gone,
        a_list_of_a_forgotten_version_is_refused,
        a_list_that_is_forgotten_is_continued_as_it_is_now,
    ];
    hold_after(&facts, &settings, |w| Box::pin(define_youths(w))).await;
}

const YOUTHS: &str = "expiry.contract.test/v1/youths";

/// A resource that is younger than the versions asked for: a real server remembers all changes of older ones.
async fn define_youths(w: World) {
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "youths.expiry.contract.test"},
        "spec": {"group": "expiry.contract.test", "scope": "Namespaced", "names": {"kind": "Youth", "plural": "youths"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}});
    define(&w, &definition).await;
}

/// The refusal of what is forgotten.
fn expired(message: &str, metadata: &Value) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": metadata, "status": "Failure", "message": message,
        "reason": "Expired", "code": 410})
}

async fn a_list_of_a_forgotten_version_is_refused(w: World) {
    if !w.forget().await {
        return;
    }
    for query in ["resourceVersion=1&resourceVersionMatch=Exact", "resourceVersion=1&limit=1"] {
        let answer = w.get(&format!("{YOUTHS}?{query}")).await;
        let expected = expired("The resourceVersion for the provided list is too old.", &json!({}));
        assert_eq!((answer.code, answer.body), (410, expected), "{query}");
    }
}

/// A token of a list that was begun in another version, with the same place.
fn token_from(token: &str, version: i64) -> String {
    let mut inside: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).expect("base64")).expect("JSON");
    inside["rv"] = version.into();
    URL_SAFE_NO_PAD.encode(inside.to_string())
}

async fn a_list_that_is_forgotten_is_continued_as_it_is_now(w: World) {
    for name in ["a", "b", "c"] {
        let youth =
            json!({"apiVersion": "expiry.contract.test/v1", "kind": "Youth", "metadata": {"name": name}});
        w.post(YOUTHS, &youth).await.done();
    }
    let first = w.get(&format!("{YOUTHS}?limit=1")).await.done();
    if !w.forget().await {
        return;
    }
    w.delete(&format!("{YOUTHS}/b"), &Value::Null).await.done();
    let old = token_from(&text(&first["metadata"]["continue"]), 1);
    let refused = w.get(&format!("{YOUTHS}?limit=1&continue={old}")).await;
    let rest = text(&refused.body["metadata"]["continue"]);
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new \
        list without the continue parameter, or use the continue token in this response to retrieve the remainder of \
        the results. Continuing with the provided token results in an inconsistent list - objects that were created, \
        modified, or deleted between the time the first chunk was returned and now may show up in the list.";
    assert_eq!((refused.code, &refused.body), (410, &expired(message, &json!({"continue": rest}))));
    let now = w.get(&format!("{YOUTHS}?limit=1&continue={rest}")).await.done();
    assert_eq!(names(&now), ["c"]);
}

async fn a_version_of_long_ago_is_gone(w: World) {
    w.config_map("a", &json!({})).await;
    for number in 0..60 {
        w.patch(MERGE, "v1/configmaps/a", &json!({"data": {"k": number.to_string()}})).await.done();
    }
    let mut watch = w.watch(&format!("{YOUTHS}?resourceVersion=1")).await;
    let event = watch.next().await.expect("an event");
    assert_eq!(event["type"], "ERROR");
    let status = &event["object"];
    let found = (&status["kind"], &status["code"], &status["reason"]);
    assert_eq!(found, (&json!("Status"), &json!(410), &json!("Expired")));
    assert!(text(&status["message"]).starts_with("too old resource version: 1 ("), "{status}");
    assert_eq!(watch.next().await, None);
}

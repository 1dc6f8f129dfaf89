//! Facts about quantities, times, and other forms of values.

use serde_json::{Value, json};

use crate::world::{MERGE, World, facts, hold, pod, service, text};

#[tokio::test]
async fn forms_of_values() {
    hold(&facts![
        quantities_are_canonical,
        quantities_are_checked,
        quantities_are_not_negative,
        requests_are_at_most_limits,
        limits_are_requests,
        times_have_whole_seconds,
        times_are_in_utc,
        micro_times_have_six_digits,
        times_are_checked,
        counts_or_percentages,
        percentages_are_checked,
        secrets_are_base64,
        annotations_are_strings,
    ])
    .await;
}

async fn requests(w: &World, requests: Value) -> crate::world::Answer {
    w.admit_pods().await;
    let mut wanted = pod("a");
    wanted["spec"]["containers"][0]["resources"] = json!({"requests": requests});
    w.post("v1/pods?dryRun=All", &wanted).await
}

async fn quantities_are_canonical(w: World) {
    for (given, expected) in [
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1500m", "1500m"),
        ("0.1", "100m"),
        ("2.50", "2500m"),
        ("1024", "1024"),
        ("2048Ki", "2Mi"),
        ("1.5Gi", "1536Mi"),
        ("1000k", "1M"),
        ("1e3", "1e3"),
        ("0.0005", "1m"),
        ("5", "5"),
    ] {
        let made = requests(&w, json!({"memory": "1Gi", "cpu": given})).await.done();
        let found = &made["spec"]["containers"][0]["resources"]["requests"]["cpu"];
        assert_eq!(found, expected, "{given}");
    }
    let made = requests(&w, json!({"cpu": 2})).await.done();
    assert_eq!(made["spec"]["containers"][0]["resources"]["requests"]["cpu"], "2");
}

async fn quantities_are_checked(w: World) {
    let body = requests(&w, json!({"cpu": "1 core"})).await.refused(400, "BadRequest");
    assert!(text(&body["message"]).contains("quantities must match the regular expression"), "{body}");
}

async fn quantities_are_not_negative(w: World) {
    let refused = requests(&w, json!({"cpu": "-1"})).await;
    let message = refused.invalid("FieldValueInvalid", "spec.containers[0].resources.requests[cpu]");
    assert_eq!(message, r#"Invalid value: "-1": must be greater than or equal to 0"#);
}

async fn requests_are_at_most_limits(w: World) {
    let mut wanted = pod("a");
    wanted["spec"]["containers"][0]["resources"] =
        json!({"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}});
    w.admit_pods().await;
    let refused = w.post("v1/pods", &wanted).await;
    let message = refused.invalid("FieldValueInvalid", "spec.containers[0].resources.requests");
    assert_eq!(message, r#"Invalid value: "2": must be less than or equal to cpu limit of 1500m"#);
}

async fn limits_are_requests(w: World) {
    let mut wanted = pod("a");
    wanted["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
    w.admit_pods().await;
    let made = w.post("v1/pods", &wanted).await.done();
    let found = &made["spec"]["containers"][0]["resources"]["requests"];
    assert_eq!(
        (found, &made["status"]["qosClass"]),
        (&json!({"cpu": "1", "memory": "1Gi"}), &json!("Guaranteed"))
    );
}

async fn started(w: &World, time: &str) -> crate::world::Answer {
    w.pod("a").await;
    w.patch(MERGE, "v1/pods/a/status", &json!({"status": {"startTime": time}})).await
}

async fn times_have_whole_seconds(w: World) {
    let new = started(&w, "2026-01-02T03:04:05.678Z").await.done();
    assert_eq!(new["status"]["startTime"], "2026-01-02T03:04:05Z");
}

async fn times_are_in_utc(w: World) {
    let new = started(&w, "2026-01-02T03:04:05+02:00").await.done();
    assert_eq!(new["status"]["startTime"], "2026-01-02T01:04:05Z");
}

async fn micro_times_have_six_digits(w: World) {
    let lease = |name: &str, time: &str| {
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": name}, "spec": {"renewTime": time}})
    };
    let at = "coordination.k8s.io/v1/leases";
    let made = w.post(at, &lease("a", "2026-01-02T03:04:05.678000Z")).await.done();
    assert_eq!(made["spec"]["renewTime"], "2026-01-02T03:04:05.678000Z");
    let body = w.post(at, &lease("b", "2026-01-02T03:04:05.678Z")).await.refused(400, "BadRequest");
    assert!(text(&body["message"]).ends_with(r#"cannot parse ".678Z" as ".000000""#), "{body}");
}

async fn times_are_checked(w: World) {
    let answer = started(&w, "yesterday").await;
    assert!([400, 422].contains(&answer.code), "{}", answer.text);
    assert!(text(&answer.body["message"]).contains(r#"parsing time "yesterday" as "#), "{}", answer.text);
}

async fn counts_or_percentages(w: World) {
    let budget = |name: &str, least: Value| {
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name}, "spec": {"minAvailable": least}})
    };
    for (name, value) in [("a", json!("25%")), ("b", json!(3))] {
        let made = w.post("policy/v1/poddisruptionbudgets", &budget(name, value.clone())).await.done();
        assert_eq!(made["spec"]["minAvailable"], value);
    }
}

async fn percentages_are_checked(w: World) {
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "a"},
        "spec": {"minAvailable": "25"}});
    let refused = w.post("policy/v1/poddisruptionbudgets", &budget).await;
    let message = refused.invalid("FieldValueInvalid", "spec.minAvailable");
    assert!(message.starts_with(r#"Invalid value: "25": a valid percent string must be"#), "{message}");
}

async fn secrets_are_base64(w: World) {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "?"}});
    let body = w.post("v1/secrets", &secret).await.refused(400, "BadRequest");
    assert!(text(&body["message"]).contains("illegal base64 data at input byte 0"), "{body}");
}

async fn annotations_are_strings(w: World) {
    let mut wanted = service("a");
    wanted["metadata"]["annotations"] = json!({"k": 1});
    let body = w.post("v1/services", &wanted).await.refused(400, "BadRequest");
    assert!(
        text(&body["message"]).contains(
            "cannot unmarshal number into Go struct field ObjectMeta.metadata.annotations of type string"
        ),
        "{body}"
    );
}

//! Facts about kinds that are served in several versions: autoscalers, and events of both groups.

use serde_json::{Value, json};

use crate::world::{APPLY, MERGE, World, facts, hold, text};

#[tokio::test]
async fn versions() {
    hold(&facts![
        the_first_version_has_a_field_for_the_cpu,
        what_the_first_version_lacks_is_in_annotations,
        what_is_measured_is_in_annotations,
        a_round_trip_through_the_first_version_loses_nothing,
        what_is_sent_in_the_first_version_is_a_metric,
        annotations_that_cannot_be_read_are_dropped,
        owners_name_the_version_of_the_request,
        a_change_takes_fields_from_owners_in_another_version,
        applying_in_another_version_is_a_conflict,
        events_of_both_groups_have_owners_in_their_own_names,
        a_change_of_an_event_forgets_owners_of_the_other_group,
    ])
    .await;
}

const FIRST: &str = "autoscaling/v1/horizontalpodautoscalers";
const SECOND: &str = "autoscaling/v2/horizontalpodautoscalers";

fn autoscaler(version: &str, spec: &Value) -> Value {
    let mut all = json!({"maxReplicas": 3,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"}});
    all.as_object_mut().expect("an object").extend(spec.as_object().expect("an object").clone());
    json!({"apiVersion": format!("autoscaling/{version}"), "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "annotations": {"own": "x"}}, "spec": all})
}

fn cpu(percentage: u8) -> Value {
    json!({"type": "Resource", "resource": {"name": "cpu",
        "target": {"type": "Utilization", "averageUtilization": percentage}}})
}

fn metrics() -> Value {
    json!([
        {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}}},
        cpu(50),
        {"type": "ContainerResource", "containerResource": {"name": "cpu", "container": "c",
            "target": {"type": "Utilization", "averageUtilization": 60}}},
        {"type": "Pods", "pods": {"metric": {"name": "rps", "selector": {"matchLabels": {"a": "b"}}},
            "target": {"type": "AverageValue", "averageValue": "5"}}},
        {"type": "External", "external": {"metric": {"name": "q"}, "target": {"type": "Value", "value": "5"}}},
        {"type": "Object", "object": {"metric": {"name": "o"}, "describedObject": {"kind": "Service", "name": "s"},
            "target": {"type": "AverageValue", "averageValue": "2k"}}},
    ])
}

async fn the_first_version_has_a_field_for_the_cpu(w: World) {
    w.post(SECOND, &autoscaler("v2", &json!({"metrics": [cpu(50)]}))).await.done();
    let shown = w.get(&format!("{FIRST}/a")).await.done();
    assert_eq!(shown["apiVersion"], "autoscaling/v1");
    assert_eq!(shown["metadata"]["annotations"], json!({"own": "x"}));
    let spec = json!({"maxReplicas": 3, "minReplicas": 1, "targetCPUUtilizationPercentage": 50,
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "absent"}});
    assert_eq!(shown["spec"], spec);
    assert_eq!(shown["status"], json!({"currentReplicas": 0, "desiredReplicas": 0}));
}

async fn what_the_first_version_lacks_is_in_annotations(w: World) {
    let behavior = json!({"scaleDown": {"stabilizationWindowSeconds": 5}});
    w.post(SECOND, &autoscaler("v2", &json!({"metrics": metrics(), "behavior": behavior}))).await.done();
    let shown = w.get(&format!("{FIRST}/a")).await.done();
    let annotation = |name: &str| {
        text(&shown["metadata"]["annotations"][format!("autoscaling.alpha.kubernetes.io/{name}")])
    };
    assert_eq!(
        annotation("metrics"),
        r#"[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"100Mi"}},{"type":"ContainerResource","containerResource":{"name":"cpu","targetAverageUtilization":60,"container":"c"}},{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"5","selector":{"matchLabels":{"a":"b"}}}},{"type":"External","external":{"metricName":"q","targetValue":"5"}},{"type":"Object","object":{"target":{"kind":"Service","name":"s"},"metricName":"o","targetValue":"0","averageValue":"2k"}}]"#
    );
    assert_eq!(
        annotation("behavior"),
        r#"{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15},{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":{"StabilizationWindowSeconds":5,"SelectPolicy":"Max","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":null}}"#
    );
    assert_eq!(shown["spec"].get("metrics"), None);
    assert_eq!(shown["spec"].get("behavior"), None);
}

async fn what_is_measured_is_in_annotations(w: World) {
    w.post(SECOND, &autoscaler("v2", &json!({}))).await.done();
    let condition = json!({"type": "AbleToScale", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z",
        "reason": "R", "message": "a < b"});
    let status = json!({"status": {"currentReplicas": 2, "desiredReplicas": 2, "conditions": [condition],
        "currentMetrics": [{"type": "Resource", "resource": {"name": "cpu",
            "current": {"averageUtilization": 30, "averageValue": "30m"}}}]}});
    w.patch(MERGE, &format!("{SECOND}/a/status"), &status).await.done();
    let shown = w.get(&format!("{FIRST}/a")).await.done();
    let annotations = json!({"own": "x",
        "autoscaling.alpha.kubernetes.io/conditions": r#"[{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z","reason":"R","message":"a \u003c b"}]"#,
        "autoscaling.alpha.kubernetes.io/current-metrics": r#"[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":30,"currentAverageValue":"30m"}}]"#});
    assert_eq!(shown["metadata"]["annotations"], annotations);
    let expected = json!({"currentReplicas": 2, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 30});
    assert_eq!(shown["status"], expected);
}

async fn a_round_trip_through_the_first_version_loses_nothing(w: World) {
    let behavior = json!({"scaleDown": {"stabilizationWindowSeconds": 5}});
    let spec = json!({"metrics": metrics(), "behavior": behavior});
    let made = w.post(SECOND, &autoscaler("v2", &spec)).await.done();
    let mut first = w.get(&format!("{FIRST}/a")).await.done();
    first["metadata"]["labels"] = json!({"new": "yes"});
    w.put(&format!("{FIRST}/a"), &first).await.done();
    let shown = w.get(&format!("{SECOND}/a")).await.done();
    assert_eq!(shown["metadata"]["labels"], json!({"new": "yes"}));
    assert_eq!(shown["metadata"]["annotations"], json!({"own": "x"}));
    let mut metrics = made["spec"]["metrics"].as_array().expect("a list").clone();
    // That of the field comes last.
    let own = metrics.remove(1);
    metrics.push(own);
    assert_eq!(shown["spec"]["metrics"], Value::Array(metrics));
    assert_eq!(shown["spec"]["behavior"], made["spec"]["behavior"]);
}

async fn what_is_sent_in_the_first_version_is_a_metric(w: World) {
    for (name, spec, percentage) in
        [("a", json!({"targetCPUUtilizationPercentage": 44}), 44), ("b", json!({}), 80)]
    {
        let mut sent = autoscaler("v1", &spec);
        sent["metadata"]["name"] = name.into();
        let made = w.post(FIRST, &sent).await.done();
        assert_eq!(made["spec"]["targetCPUUtilizationPercentage"], percentage);
        let shown = w.get(&format!("{SECOND}/{name}")).await.done();
        assert_eq!(shown["spec"]["metrics"], json!([cpu(percentage)]));
        assert_eq!(shown["status"], json!({"desiredReplicas": 0, "currentMetrics": null}));
    }
}

async fn annotations_that_cannot_be_read_are_dropped(w: World) {
    let mut sent = autoscaler("v1", &json!({"targetCPUUtilizationPercentage": 44}));
    sent["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"] = "?".into();
    let made = w.post(FIRST, &sent).await.done();
    assert_eq!(made["metadata"]["annotations"], json!({"own": "x"}));
    assert_eq!(w.get(&format!("{SECOND}/a")).await.done()["spec"]["metrics"], json!([cpu(44)]));
}

/// Version and fields of each owner's part below `within`.
fn owners(object: &Value, within: &str) -> Vec<(String, Vec<String>)> {
    let entries = object["metadata"]["managedFields"].as_array().expect("owners");
    let fields = |entry: &Value| {
        let fields = entry["fieldsV1"].pointer(within).and_then(Value::as_object).into_iter().flatten();
        fields.map(|(name, _)| name.clone()).collect()
    };
    entries.iter().map(|entry| (text(&entry["apiVersion"]), fields(entry))).collect()
}

fn owner(version: &str, fields: &[&str]) -> (String, Vec<String>) {
    (version.to_owned(), fields.iter().map(|&field| field.to_owned()).collect())
}

async fn owners_name_the_version_of_the_request(w: World) {
    w.post(FIRST, &autoscaler("v1", &json!({"targetCPUUtilizationPercentage": 44}))).await.done();
    let fields = ["f:maxReplicas", "f:minReplicas", "f:scaleTargetRef", "f:targetCPUUtilizationPercentage"];
    for at in [FIRST, SECOND] {
        let shown = w.get(&format!("{at}/a")).await.done();
        assert_eq!(owners(&shown, "/f:spec"), [owner("autoscaling/v1", &fields)], "{at}");
    }
}

async fn a_change_takes_fields_from_owners_in_another_version(w: World) {
    w.post(
        &format!("{FIRST}?fieldManager=one"),
        &autoscaler("v1", &json!({"targetCPUUtilizationPercentage": 44})),
    )
    .await
    .done();
    let patch = json!({"spec": {"metrics": [cpu(55)], "maxReplicas": 3}});
    let changed = w.patch(MERGE, &format!("{SECOND}/a?fieldManager=two"), &patch).await.done();
    let expected = [
        owner("autoscaling/v1", &["f:maxReplicas", "f:minReplicas", "f:scaleTargetRef"]),
        owner("autoscaling/v2", &["f:metrics"]),
    ];
    assert_eq!(owners(&changed, "/f:spec"), expected);
}

async fn applying_in_another_version_is_a_conflict(w: World) {
    w.post(
        &format!("{FIRST}?fieldManager=one"),
        &autoscaler("v1", &json!({"targetCPUUtilizationPercentage": 44})),
    )
    .await
    .done();
    let config = autoscaler("v2", &json!({"metrics": [cpu(55)]}));
    let body =
        w.patch(APPLY, &format!("{SECOND}/a?fieldManager=two"), &config).await.refused(409, "Conflict");
    let expected = r#"Apply failed with 1 conflict: conflict with "one" using autoscaling/v1: .spec.targetCPUUtilizationPercentage"#;
    assert_eq!(body["message"], expected);
    let forced = w.patch(APPLY, &format!("{SECOND}/a?fieldManager=two&force=true"), &config).await.done();
    assert_eq!(forced["spec"]["metrics"], json!([cpu(55)]));
}

const CORE_EVENTS: &str = "v1/events";
const NEW_EVENTS: &str = "events.k8s.io/v1/events";

fn new_event(w: &World) -> Value {
    json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "a"},
        "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "reason": "Tried", "action": "Try", "note": "n",
        "reportingController": "x.io/c", "reportingInstance": "i",
        "regarding": {"kind": "Pod", "name": "p", "namespace": w.namespace}})
}

async fn events_of_both_groups_have_owners_in_their_own_names(w: World) {
    w.post(NEW_EVENTS, &new_event(&w)).await.done();
    let fields = ["f:action", "f:eventTime", "f:note", "f:reason", "f:regarding", "f:reportingController"];
    for at in [NEW_EVENTS, CORE_EVENTS] {
        let shown = w.get(&format!("{at}/a")).await.done();
        let found = owners(&shown, "");
        assert_eq!((found.len(), found[0].0.as_str()), (1, "events.k8s.io/v1"), "{at}");
        assert!(fields.iter().all(|field| found[0].1.iter().any(|own| own == field)), "{at}: {found:?}");
    }
}

async fn a_change_of_an_event_forgets_owners_of_the_other_group(w: World) {
    w.post(&format!("{NEW_EVENTS}?fieldManager=one"), &new_event(&w)).await.done();
    let patch = json!({"metadata": {"labels": {"a": "b"}}});
    let changed = w.patch(MERGE, &format!("{CORE_EVENTS}/a?fieldManager=two"), &patch).await.done();
    assert_eq!(owners(&changed, ""), [owner("v1", &["f:metadata"])]);
    assert_eq!((&changed["message"], &changed["involvedObject"]["name"]), (&json!("n"), &json!("p")));
}

//! Finding and merging templates.

use super::*;

fn found(collected: &Collected<'_>) -> Vec<String> {
    collected.templates().map(|(name, _)| name.to_string()).collect()
}

#[test]
fn included_templates_follow_the_one_that_includes_them() {
    let templates = Templates::new(&[
        ("a", json!({"templates": included(&["c", "cluster/x", "b"])})),
        ("b", json!({"templates": included(&["c"])})),
        ("c", json!({})),
        ("cluster/x", json!({"templates": included(&["d", "cluster/y"])})),
        ("cluster/y", json!({})),
        ("d", json!({})),
    ]);
    let collected = templates.collect(&["b", "a", "b"]);
    assert_eq!(collected.errors, []);
    let expected = ["b", "c", "a", "d", "cluster/x", "cluster/y"].map(|name| named(name).to_string());
    assert_eq!(found(&collected), expected);
    assert_eq!(collected.names.len(), 6);
}

#[test]
fn references_name_a_scope() {
    let list: Vec<TemplateRef> =
        serde_json::from_value(included(&["a", "cluster/b", ""])).expect("references");
    assert_eq!(
        messages(&references(&list)),
        ["AnalysisTemplate 'a'", "ClusterAnalysisTemplate 'b'", "AnalysisTemplate ''"]
    );
}

#[test]
fn every_template_that_cannot_be_used_is_reported() {
    let templates = Templates::new(&[
        ("a", json!({"templates": included(&["gone", "cluster/gone", "gone"])})),
        ("bad", json!({"metrics": [{"name": "m", "count": {}, "provider": {}}]})),
    ]);
    let collected = templates.collect(&["a", "", "bad"]);
    let said = messages(&collected.errors);
    assert_eq!(
        said[..3],
        [
            "AnalysisTemplate 'gone' not found",
            "ClusterAnalysisTemplate 'gone' not found",
            "AnalysisTemplate '' not found"
        ]
    );
    assert!(said[3].starts_with("AnalysisTemplate 'bad' cannot be read: metrics[0].count: "), "{}", said[3]);
    assert_eq!(said.len(), 4);
    let watched: Vec<_> = ["a", "bad", "gone", "cluster/gone"].map(named).into();
    assert_eq!(collected.names.iter().cloned().collect::<Vec<_>>(), watched);
}

#[test]
fn a_cycle_is_an_error_that_names_it() {
    let templates = Templates::new(&[
        ("a", json!({"templates": included(&["b"])})),
        ("b", json!({"templates": included(&["cluster/c"])})),
        ("cluster/c", json!({"templates": included(&["b"])})),
        ("own", json!({"templates": included(&["own"])})),
    ]);
    let start = "templates include each other in a cycle: ";
    let end = "; remove one of these references";
    let cycle = "AnalysisTemplate 'b' -> ClusterAnalysisTemplate 'c' -> AnalysisTemplate 'b'";
    assert_eq!(messages(&templates.collect(&["a"]).errors), [format!("{start}{cycle}{end}")]);
    let own = "AnalysisTemplate 'own' -> AnalysisTemplate 'own'";
    assert_eq!(messages(&templates.collect(&["own"]).errors), [format!("{start}{own}{end}")]);
}

#[test]
fn there_is_a_limit_to_the_number_of_templates() {
    let names: Vec<String> = (0..=TEMPLATES_MAX).map(|index| format!("t{index}")).collect();
    let next = |index: usize| names.get(index + 1).map(String::as_str).into_iter().collect::<Vec<_>>();
    let chain: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(index, name)| (name.as_str(), json!({"templates": included(&next(index))})))
        .collect();
    let templates = Templates::new(&chain);
    let collected = templates.collect(&["t0", "t1"]);
    assert_eq!(collected.errors, [TemplateError::TooMany]);
    assert_eq!(collected.names.len(), TEMPLATES_MAX);
    assert_eq!(templates.collect(&["t1"]).errors, []);
}

#[test]
fn templates_are_merged_in_their_order() {
    let mut foo = measures(&["foo"], &json!([{"name": "foo", "value": "true"}]));
    foo["dryRun"] = json!([{"metricName": "foo"}]);
    foo["measurementRetention"] = json!([{"metricName": "foo", "limit": 3}]);
    let bar = measures(&["bar"], &json!([{"name": "bar", "value": "true"}]));
    let templates = Templates::new(&[("foo", foo), ("cluster/bar", bar)]);
    let flat = flatten(&templates.collect(&["cluster/bar", "foo"])).expect("no conflict");
    let names: Vec<_> = flat.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["foo", "bar"]);
    assert_eq!(flat.args, args(&json!([{"name": "foo", "value": "true"}, {"name": "bar", "value": "true"}])));
    assert_eq!((flat.dry_run.len(), flat.measurement_retention.len()), (1, 1));
}

#[test]
fn conflicts_have_the_texts_of_the_reference() {
    let rules = |field: &str, rule: Value| json!({ field: [rule] });
    let declared = |value: &str| measures(&[], &json!([{"name": "foo", "value": value}]));
    for (first, second, text) in [
        (
            measures(&["foo"], &json!([])),
            measures(&["foo"], &json!([])),
            "two metrics have the same name 'foo'",
        ),
        (
            rules("dryRun", json!({"metricName": "foo"})),
            rules("dryRun", json!({"metricName": "foo"})),
            "two Dry-Run metric rules have the same name 'foo'",
        ),
        (
            rules("measurementRetention", json!({"metricName": "foo", "limit": 1})),
            rules("measurementRetention", json!({"metricName": "foo", "limit": 2})),
            "two Measurement Retention metric rules have the same name 'foo'",
        ),
        (
            declared("true"),
            declared("false"),
            "Argument `foo` specified multiple times with different values: 'true', 'false'",
        ),
    ] {
        let templates = Templates::new(&[("a", first), ("b", second)]);
        let conflict = flatten(&templates.collect(&["a", "b"])).expect_err(text);
        assert_eq!(conflict.to_string(), text);
    }
}

#[test]
fn of_several_declarations_the_strongest_is_used() {
    let secret = |key: &str| json!({"name": "x", "valueFrom": {"secretKeyRef": {"name": "s", "key": key}}});
    let bare = json!({"name": "x"});
    let value = json!({"name": "x", "value": "v"});
    for (first, second, used) in [
        (&bare, &value, &value),
        (&value, &bare, &value),
        (&value, &value, &value),
        (&value, &secret("k"), &value),
        (&secret("k"), &value, &value),
        (&secret("k"), &bare, &secret("k")),
        (&bare, &secret("k"), &secret("k")),
        (&secret("k"), &secret("l"), &secret("l")),
    ] {
        let templates =
            Templates::new(&[("a", measures(&[], &json!([first]))), ("b", measures(&[], &json!([second])))]);
        let flat = flatten(&templates.collect(&["a", "b"])).expect("no conflict");
        assert_eq!(flat.args, args(&json!([used])), "{first} {second}");
    }
}

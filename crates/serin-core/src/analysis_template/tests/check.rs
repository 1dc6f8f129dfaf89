//! Checks of the templates that a Rollout names.

use super::*;

/// What is said of the analyses of a Rollout with this strategy.
fn findings(templates: &Templates, strategy: &Value) -> Vec<(String, String, String)> {
    let rollout = rollout(strategy);
    let analyses = analyses(&rollout.spec.strategy);
    let found = analyses.iter().flat_map(|(place, analysis)| {
        let collected = collect(&references(&analysis.templates), |name| {
            templates.0.get(name).map(|spec| spec.as_ref().map_err(Clone::clone))
        });
        check(*place, analysis, &collected)
    });
    found.map(|found| (found.path, found.value, found.problem.to_string())).collect()
}

fn step(names: &[&str]) -> Value {
    json!({"canary": {"steps": [{"setWeight": 5}, {"analysis": {"templates": included(names)}}]}})
}

fn background(names: &[&str], args: &Value) -> Value {
    json!({"canary": {"analysis": {"templates": included(names), "args": args}}})
}

const STEP: &str = "spec.strategy.canary.steps[1].analysis.templates";

fn finding(path: &str, value: &str, text: &str) -> (String, String, String) {
    (path.to_owned(), value.to_owned(), text.to_owned())
}

#[test]
fn each_field_of_a_rollout_has_its_path() {
    let none = Templates::default();
    let analysis = json!({"templates": included(&["a", "cluster/b"])});
    let blue_green =
        json!({"blueGreen": {"prePromotionAnalysis": analysis, "postPromotionAnalysis": analysis}});
    let (pre, post) = (
        "spec.strategy.blueGreen.prePromotionAnalysis.templates",
        "spec.strategy.blueGreen.postPromotionAnalysis.templates",
    );
    let (a, b) = ("AnalysisTemplate 'a' not found", "ClusterAnalysisTemplate 'b' not found");
    assert_eq!(
        findings(&none, &blue_green),
        [finding(pre, "a", a), finding(pre, "b", b), finding(post, "a", a), finding(post, "b", b)]
    );
    assert_eq!(findings(&none, &step(&["a"])), [finding(STEP, "a", a)]);
    let path = "spec.strategy.canary.analysis.templates";
    assert_eq!(findings(&none, &background(&["a"], &json!([]))), [finding(path, "a", a)]);
    assert_eq!(findings(&none, &step(&[])), [], "an analysis without templates counts as absent");
}

#[test]
fn conflicts_and_missing_arguments_name_all_templates() {
    let templates = Templates::new(&[
        ("a", measures(&["m"], &json!([{"name": "x"}]))),
        ("cluster/b", measures(&["m"], &json!([]))),
        ("c", measures(&["c"], &json!([{"name": "x", "value": "v"}]))),
    ]);
    let conflict = "two metrics have the same name 'm'";
    assert_eq!(
        findings(&templates, &step(&["a", "cluster/b"])),
        [finding(STEP, "templateNames: [a b]", conflict)]
    );
    let text = "args.x was not resolved";
    assert_eq!(findings(&templates, &step(&["a"])), [finding(STEP, "templateNames: [a]", text)]);
    assert_eq!(findings(&templates, &step(&["a", "c"])), []);
    let path = "spec.strategy.canary.analysis.templates";
    let text = "missing analysis arguments in rollout spec: args.x was not resolved";
    let missing = findings(&templates, &background(&["a"], &json!([{"name": "y", "value": "1"}])));
    assert_eq!(missing, [finding(path, "templateNames: [a]", text)]);
    // The field may not exist yet.
    let later = json!([{"name": "x", "valueFrom": {"fieldRef": {"fieldPath": "status.later"}}}]);
    assert_eq!(findings(&templates, &background(&["a"], &later)), []);
}

#[test]
fn metrics_that_an_update_waits_for_are_valid_and_end() {
    let metric = |fields: &Value| {
        let mut spec = measures(&["m"], &json!([]));
        for (key, value) in fields.as_object().expect("fields") {
            spec["metrics"][0][key] = value.clone();
        }
        spec
    };
    let endless = |count: &str| {
        format!("AnalysisTemplate t has metric m which runs indefinitely. Invalid value for count: {count}")
    };
    for (fields, text) in [
        (json!({}), String::new()),
        (json!({"interval": "1m", "count": 3}), String::new()),
        (json!({"interval": "1m", "count": "{{args.count}}"}), String::new()),
        (json!({"interval": "1m"}), endless("<nil>")),
        (json!({"interval": "1m", "count": 0}), endless("0")),
        (
            json!({"count": 2}),
            "AnalysisTemplate t: metrics[0]: interval must be specified when count > 1".into(),
        ),
        (
            json!({"count": "many"}),
            "AnalysisTemplate t: metrics[0]: count must be a whole number of 32 bits, not \"many\"".into(),
        ),
    ] {
        let templates = Templates::new(&[("t", metric(&fields))]);
        let said: Vec<_> = findings(&templates, &step(&["t"])).into_iter().map(|found| found.2).collect();
        assert_eq!(said.concat(), text, "{fields}");
        assert_eq!(findings(&templates, &background(&["t"], &json!([]))), [], "{fields}");
    }
    let of_cluster = Templates::new(&[("cluster/t", metric(&json!({"interval": "1m"})))]);
    let said = findings(&of_cluster, &step(&["cluster/t"]));
    assert_eq!(said, [finding(STEP, "t", &format!("Cluster{}", endless("<nil>")))]);
}

#[test]
fn a_template_of_templates_needs_no_metric_of_its_own() {
    let templates = Templates::new(&[
        ("all", json!({"templates": included(&["a"])})),
        ("a", measures(&["m"], &json!([]))),
        ("none", json!({})),
    ]);
    assert_eq!(findings(&templates, &step(&["all"])), []);
    let none = finding(STEP, "templateNames: [none]", "no metrics specified");
    assert_eq!(findings(&templates, &step(&["none"])), [none]);
}

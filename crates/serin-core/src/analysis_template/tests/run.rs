//! The AnalysisRun of a Rollout or an Experiment.

use proptest::prelude::*;

use super::*;
use crate::api::analysis::{DryRun, MeasurementRetention};
use crate::api::{AnalysisRunSpec, Experiment, TemplateMetadata, keys};

const REVISION: NewRevision<'_> = NewRevision { hash: "abc", number: 2 };

fn spec(metric: &str) -> AnalysisRunSpec {
    let templates = Templates::new(&[("t", measures(&[metric], &json!([])))]);
    run_spec(&templates.collect(&["t"]), &[], &[], &[]).expect("a spec")
}

fn new_run(place: Place) -> NewRun {
    NewRun::of_rollout(&rollout(&json!({})), place, REVISION, None, spec("m"))
}

fn created(run: &NewRun) -> String {
    match run.choose(|_| None) {
        RunChoice::Create(name) => name,
        RunChoice::Reuse(name) => panic!("{name} does not exist"),
    }
}

#[test]
fn the_spec_has_rules_of_the_caller_first() {
    let mut template = measures(&["a", "b"], &json!([{"name": "x"}]));
    template["dryRun"] = json!([{"metricName": "a"}]);
    template["measurementRetention"] = json!([{"metricName": "a", "limit": 1}]);
    let templates = Templates::new(&[("t", template)]);
    let given = args(&json!([{"name": "x", "value": "1"}, {"name": "other", "value": "2"}]));
    let dry_run = [DryRun { metric_name: "b".into() }];
    let retention = [MeasurementRetention { metric_name: "b".into(), limit: 2 }];
    let spec = run_spec(&templates.collect(&["t"]), &given, &dry_run, &retention).expect("a spec");
    let mut expected = measures(&["a", "b"], &json!([{"name": "x", "value": "1"}]));
    expected["dryRun"] = json!([{"metricName": "b"}, {"metricName": "a"}]);
    expected["measurementRetention"] =
        json!([{"metricName": "b", "limit": 2}, {"metricName": "a", "limit": 1}]);
    assert_eq!(serde_json::to_value(&spec).expect("JSON"), expected);
}

#[test]
fn a_spec_that_cannot_be_made_says_why() {
    let templates = Templates::new(&[
        ("a", measures(&["m"], &json!([{"name": "x"}]))),
        ("b", measures(&["m"], &json!([]))),
    ]);
    let error = |names: &[&str]| run_spec(&templates.collect(names), &[], &[], &[]).expect_err("an error");
    assert_eq!(
        error(&["gone", "cluster/gone"]).to_string(),
        "AnalysisTemplate 'gone' not found; also ClusterAnalysisTemplate 'gone' not found"
    );
    assert_eq!(error(&["a", "b"]).to_string(), "two metrics have the same name 'm'");
    assert_eq!(error(&["a"]).to_string(), "args.x was not resolved");
}

#[test]
fn names_have_the_place_and_a_number_when_taken() {
    for (place, name) in [
        (Place::Background, "web-abc-2"),
        (Place::Step(3), "web-abc-2-3"),
        (Place::PrePromotion, "web-abc-2-pre"),
        (Place::PostPromotion, "web-abc-2-post"),
    ] {
        assert_eq!(created(&new_run(place)), name);
    }
}

#[test]
fn an_existing_run_is_reused_only_if_it_does_the_same() {
    let same = spec("m");
    let other = spec("n");
    let terminated = AnalysisRunSpec { terminate: true, ..same.clone() };
    let expiring =
        AnalysisRunSpec { ttl_strategy: Some(crate::api::analysis::TtlStrategy::default()), ..same.clone() };
    let usable = ExistingRun { controller_uid: Some("u-1"), is_active: true, spec: Some(&same) };
    for (existing, is_reused) in [
        (usable, true),
        (ExistingRun { spec: Some(&expiring), ..usable }, true),
        (ExistingRun { is_active: false, ..usable }, false),
        (ExistingRun { controller_uid: None, ..usable }, false),
        (ExistingRun { controller_uid: Some("u-2"), ..usable }, false),
        (ExistingRun { spec: None, ..usable }, false),
        (ExistingRun { spec: Some(&other), ..usable }, false),
        (ExistingRun { spec: Some(&terminated), ..usable }, false),
    ] {
        let run = new_run(Place::Background);
        let choice = run.choose(|name| (name == "web-abc-2").then_some(existing));
        let expected = if is_reused {
            RunChoice::Reuse("web-abc-2".into())
        } else {
            RunChoice::Create("web-abc-2.1".into())
        };
        assert_eq!(choice, expected, "{existing:?}");
        let failed = ExistingRun { is_active: false, ..usable };
        let second = run.choose(|name| match name {
            "web-abc-2" => Some(failed),
            "web-abc-2.1" => Some(existing),
            _ => None,
        });
        let expected = if is_reused {
            RunChoice::Reuse("web-abc-2.1".into())
        } else {
            RunChoice::Create("web-abc-2.2".into())
        };
        assert_eq!(second, expected, "{existing:?}");
    }
}

fn metadata() -> TemplateMetadata {
    let labels = json!({"app": "mine", "team": "a", keys::POD_HASH_LABEL: "x", keys::ROLLOUT_TYPE_LABEL: "x",
        keys::STEP_INDEX_LABEL: "9", keys::INSTANCE_ID_LABEL: "x"});
    let annotations = json!({"note": "n", keys::REVISION: "99"});
    serde_json::from_value(json!({"labels": labels, "annotations": annotations})).expect("metadata")
}

#[test]
fn labels_of_the_controller_are_the_strongest() {
    let mut rollout = rollout(&json!({}));
    let selector = rollout.spec.selector.as_mut().and_then(|selector| selector.match_labels.as_mut());
    selector
        .expect("labels")
        .extend([(keys::ROLLOUT_TYPE_LABEL.to_owned(), "y".to_owned()), ("zone".into(), "z".into())]);
    rollout.metadata.labels = Some([(keys::INSTANCE_ID_LABEL.to_owned(), "blue".to_owned())].into());
    let run = NewRun::of_rollout(&rollout, Place::Step(1), REVISION, Some(&metadata()), spec("m"));
    let body = run.body("web-abc-2-1");
    assert_eq!(
        body["metadata"],
        json!({
            "name": "web-abc-2-1",
            "namespace": "shop",
            "labels": {"app": "mine", "team": "a", "zone": "z", keys::POD_HASH_LABEL: "abc",
                keys::ROLLOUT_TYPE_LABEL: "Step", keys::STEP_INDEX_LABEL: "1", keys::INSTANCE_ID_LABEL: "blue"},
            "annotations": {"note": "n", keys::REVISION: "2"},
            "ownerReferences": [{"apiVersion": keys::API_VERSION, "kind": "Rollout", "name": "web", "uid": "u-1",
                "controller": true, "blockOwnerDeletion": true}],
        })
    );
    assert_eq!((&body["kind"], &body["spec"]["metrics"][0]["name"]), (&json!("AnalysisRun"), &json!("m")));

    rollout.metadata.labels = None;
    let run = NewRun::of_rollout(&rollout, Place::Background, REVISION, Some(&metadata()), spec("m"));
    let labels = &run.body("web-abc-2")["metadata"]["labels"];
    assert!(labels[keys::STEP_INDEX_LABEL].is_null() && labels[keys::INSTANCE_ID_LABEL].is_null());
}

#[test]
fn an_experiment_owns_its_runs() {
    let object = json!({
        "apiVersion": keys::API_VERSION, "kind": "Experiment",
        "metadata": {"name": "try", "namespace": "shop", "uid": "u-2", "labels": {keys::INSTANCE_ID_LABEL: "blue"}},
        "spec": {"templates": [], "analysisRunMetadata": {"labels": {"team": "a", keys::INSTANCE_ID_LABEL: "x"}}},
    });
    let experiment: Experiment = serde_json::from_value(object).expect("an Experiment");
    let run = NewRun::of_experiment(&experiment, "latency", spec("m"));
    assert_eq!(created(&run), "try-latency");
    let body = run.body("try-latency");
    assert_eq!(body["metadata"]["labels"], json!({"team": "a", keys::INSTANCE_ID_LABEL: "blue"}));
    let owner = &body["metadata"]["ownerReferences"][0];
    assert_eq!((&owner["kind"], &owner["uid"]), (&json!("Experiment"), &json!("u-2")));
}

/// True for a name that Kubernetes accepts.
fn is_subdomain(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_label = |label: &str| {
        label.starts_with(is_letter)
            && label.ends_with(is_letter)
            && label.chars().all(|letter| is_letter(letter) || letter == '-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[test]
fn a_long_name_is_cut_between_letters() {
    for length in 236..=253 {
        for part in ["a.", "a-"] {
            let mut experiment = Experiment::new("", crate::api::ExperimentSpec::default());
            experiment.metadata.name = Some(format!("{:b<length$}", part.repeat((length - 1) / 2)));
            let run = NewRun::of_experiment(&experiment, "latency-of-requests", spec("m"));
            assert!(is_subdomain(&created(&run)), "{}", created(&run));
        }
    }
}

proptest! {
    #[test]
    fn names_are_valid_and_differ(
        name in "([a-z0-9]{1,3}[-.]){0,59}[a-z0-9]{1,3}",
        step in proptest::option::of(0_usize..1000),
        number in 1_i64..,
        collisions in 0_usize..30,
    ) {
        let mut rollout = rollout(&json!({}));
        rollout.metadata.name = Some(name.clone());
        let place = step.map_or(Place::Background, Place::Step);
        let revision = NewRevision { hash: "6d4f9c7b8d", number };
        let run = NewRun::of_rollout(&rollout, place, revision, None, AnalysisRunSpec::default());
        let taken = ExistingRun { controller_uid: None, is_active: true, spec: None };
        let mut names: Vec<String> = Vec::new();
        for _ in 0..=collisions {
            let RunChoice::Create(next) = run.choose(|name| names.iter().any(|known| known == name).then_some(taken))
            else { return Err(TestCaseError::fail("a run of nobody is not reused")) };
            prop_assert!(is_subdomain(&next), "{}", next);
            prop_assert!(!names.contains(&next));
            names.push(next);
        }
        let full = format!("{name}-6d4f9c7b8d-{number}");
        let kept = full.len() + 4 <= 253;
        prop_assert!(!kept || names[0].starts_with(&full));
    }
}

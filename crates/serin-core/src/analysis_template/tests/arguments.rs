//! Arguments and their sources.

use super::*;
use crate::api::analysis::RolloutArgument;

const HASHES: Hashes<'_> = Hashes { latest: Some("new"), stable: Some("old") };

fn object() -> Value {
    json!({
        "metadata": {
            "name": "web", "namespace": "shop", "uid": "u-1",
            "labels": {"tier": "front", "app": "web"},
            "annotations": {"x/y": "a \"b\"\n"},
        },
        "spec": {"replicas": 10, "paused": true, "progressDeadlineSeconds": 1_234_567,
            "template": {"spec": {"containers": [{"image": "nginx:1"}]}}},
        "status": {"pauseConditions": [{"reason": "test-reason", "startTime": null}]},
    })
}

fn resolved(arguments: &Value, hashes: Hashes<'_>) -> Result<Vec<Argument>, Vec<String>> {
    let arguments: Vec<RolloutArgument> = serde_json::from_value(arguments.clone()).expect("arguments");
    resolve_arguments(&arguments, &object(), hashes).map_err(|errors| messages(&errors))
}

fn field(path: &str) -> Value {
    json!({"name": "x", "valueFrom": {"fieldRef": {"fieldPath": path}}})
}

/// The value of an argument, or the problem with it.
fn value(argument: &Value) -> Result<String, String> {
    match resolved(&json!([argument]), HASHES) {
        Ok(all) => Ok(all[0].value.clone().expect("a value")),
        Err(errors) => Err(errors[0].strip_prefix("argument \"x\": ").expect("its name").to_owned()),
    }
}

#[test]
fn fields_of_the_rollout_are_values() {
    for (path, expected) in [
        ("metadata.name", "web"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['app']", "web"),
        ("metadata.labels['gone']", ""),
        ("metadata.annotations['x/y']", "a \"b\"\n"),
        ("metadata.labels", "app=\"web\"\ntier=\"front\""),
        ("metadata.annotations", r#"x/y="a \"b\"\n""#),
        ("spec.template.spec.containers[0].image", "nginx:1"),
        ("status.pauseConditions[0].reason", "test-reason"),
        ("spec.replicas", "10"),
        ("spec.progressDeadlineSeconds", "1.234567e+06"),
        ("spec.paused", "true"),
    ] {
        assert_eq!(value(&field(path)).as_deref(), Ok(expected), "{path}");
    }
}

#[test]
fn a_path_without_a_value_is_an_error() {
    for (path, problem) in [
        ("status.pauseConditions[blah].reason", "invalid index 'blah'"),
        ("status.pauseConditions[12].reason", "index 12 out of range"),
        ("status.pauseConditions[-1].reason", "index -1 out of range"),
        (
            "status.pauseConditions[0].startTime",
            "invalid path status.pauseConditions[0].startTime in rollout",
        ),
        (
            "status.pauseConditions[0]",
            "path status.pauseConditions[0] in rollout must terminate in a primitive value",
        ),
        ("spec.replicas.x", "invalid path spec.replicas.x in rollout"),
        ("spec.gone.x", "invalid path spec.gone.x in rollout"),
        ("", "path  in rollout must terminate in a primitive value"),
        ("metadata.generation", "unsupported fieldPath: metadata.generation"),
        ("metadata.name['x']", "fieldPath \"metadata.name\" does not support subscript"),
    ] {
        assert_eq!(value(&field(path)), Err(problem.to_owned()), "{path}");
    }
}

#[test]
fn hashes_are_values_and_a_missing_one_is_an_error() {
    let hash = |word: &str| json!({"name": "x", "valueFrom": {"podTemplateHashValue": word}});
    assert_eq!(value(&hash("Latest")).as_deref(), Ok("new"));
    assert_eq!(value(&hash("Stable")).as_deref(), Ok("old"));
    let wrong = "podTemplateHashValue must be Latest or Stable, not \"latest\"";
    assert_eq!(value(&hash("latest")), Err(wrong.to_owned()));
    let first = Hashes { latest: Some("new"), stable: None };
    let missing =
        "argument \"x\": podTemplateHashValue is Stable, but the Rollout has no stable revision yet";
    assert_eq!(resolved(&json!([hash("Stable")]), first), Err(vec![missing.to_owned()]));
}

#[test]
fn every_argument_without_a_value_is_reported() {
    let good = json!({"name": "last", "value": "v"});
    let errors = resolved(&json!([field("spec.a"), field("spec.b"), good]), HASHES).expect_err("two errors");
    assert_eq!(
        errors,
        ["argument \"x\": invalid path spec.a in rollout", "argument \"x\": invalid path spec.b in rollout"]
    );
    let empty = args(&json!([{"name": "e", "value": ""}]));
    assert_eq!(resolved(&json!([{"name": "e"}]), HASHES), Ok(empty));
}

fn merged(declared: &Value, given: &Value) -> Result<Vec<Argument>, String> {
    merge_arguments(&args(declared), &args(given)).map_err(|error| error.to_string())
}

#[test]
fn arguments_of_the_caller_replace_those_of_templates() {
    let default = json!([{"name": "foo", "value": "default"}]);
    let overwrite = json!([{"name": "foo", "value": "overwrite"}]);
    let bar = json!([{"name": "bar", "value": "true"}]);
    let secret = json!([{"name": "foo", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
    let both = json!([{"name": "foo", "value": "default", "valueFrom": secret[0]["valueFrom"]}]);
    let bare = json!([{"name": "foo"}]);
    for (declared, given, expected) in [
        (&default, &overwrite, &overwrite),
        (&default, &bar, &default),
        (&default, &bare, &default),
        (&secret, &bare, &secret),
        (&secret, &overwrite, &overwrite),
        (&bare, &secret, &secret),
        (&default, &secret, &both),
    ] {
        assert_eq!(merged(declared, given), Ok(args(expected)), "{declared} {given}");
    }
    assert_eq!(merged(&bare, &bar), Err("args.foo was not resolved".to_owned()));
}

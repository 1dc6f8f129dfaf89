//! Whether a Rollout is accepted, for every spec in `vectors/validation.jsonl` (or the directory `$SERIN_VECTORS`):
//! recorded from the reference, with the errors that it gave.

#[path = "support/mistakes.rs"]
mod mistakes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mistakes::{Mistake, mistakes};
use serde::Deserialize;
use serde_json::{Value, json};
use serin_core::api::Rollout;
use serin_core::rollout::validate::validate;

#[derive(Deserialize)]
struct Line {
    rollout: Value,
    errors: Option<Vec<String>>,
}

/// What is wrong with a spec in our words; nothing when it is accepted.
fn refusal(rollout: &Value) -> Option<String> {
    match serde_path_to_error::deserialize::<_, Rollout>(rollout) {
        Err(error) => Some(format!("cannot be read: {error}")),
        Ok(rollout) => validate(&rollout).err().map(|errors| errors.to_string()),
    }
}

fn lines() -> Vec<Line> {
    let here = || Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let file = std::env::var_os("SERIN_VECTORS").map_or_else(here, PathBuf::from).join("validation.jsonl");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(read).collect()
}

/// Fields with values that the reference accepts, and with which it does nothing or what the API server refuses; how many
/// of the recorded specs have one. See `docs/differences.md`.
const STRICTER: [(&str, usize); 5] = [
    (".maxSurge", 4),
    (".maxUnavailable", 5),
    (".previewReplicaCount", 1),
    (".setCanaryScale.replicas", 1),
    (".trafficRouting", 2),
];

/// The field of `STRICTER` that a spec is refused for, if it is refused for such fields only.
fn stricter(rollout: &Value) -> Option<&'static str> {
    let rollout: Rollout = serde_json::from_value(rollout.clone()).ok()?;
    let errors = validate(&rollout).err()?;
    let field = |path: &str| STRICTER.iter().map(|(field, _)| *field).find(|field| path.ends_with(field));
    let fields: Option<Vec<_>> = errors.iter().map(|error| field(&error.path)).collect();
    fields?.first().copied()
}

#[test]
fn what_the_reference_refuses_is_refused_and_nothing_else() {
    let lines = lines();
    let mut wrong = Vec::new();
    let mut strict = BTreeMap::new();
    for (index, line) in lines.iter().enumerate() {
        let spec = &line.rollout["spec"];
        match (&line.errors, refusal(&line.rollout)) {
            (None, Some(_)) if stricter(&line.rollout).is_some() => {
                *strict.entry(stricter(&line.rollout).unwrap_or_default()).or_insert(0) += 1;
            }
            (None, Some(ours)) => {
                wrong.push(format!("line {}: accepted, but ours: {ours}: {spec}", index + 1));
            }
            (Some(theirs), None) => {
                wrong.push(format!("line {}: {theirs:?}, but accepted: {spec}", index + 1));
            }
            (None, None) | (Some(_), Some(_)) => {}
        }
    }
    println!("{} lines checked, {} disagree", lines.len(), wrong.len());
    assert!(!lines.is_empty(), "there is nothing to check");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if std::env::var_os("SERIN_VECTORS").is_none() {
        assert_eq!(strict, BTreeMap::from(STRICTER), "specs that are refused for a stricter reason");
    }
}

/// The wording may be better than the reference's, but it must be about the same field.
#[test]
fn each_refusal_names_a_field_that_the_reference_names() {
    let leaf = |error: &str| {
        let path = error.split(": ").next().unwrap_or_default();
        let leaf = path.rsplit('.').next().unwrap_or_default();
        // The reference blames what is not set: the router, and the routing.
        match leaf {
            "alb" => "pingPong",
            "setCanaryScale" => "trafficRouting",
            leaf => leaf,
        }
        .to_owned()
    };
    let mut wrong = Vec::new();
    for (index, line) in lines().iter().enumerate() {
        let (Some(theirs), Ok(rollout)) = (&line.errors, serde_json::from_value(line.rollout.clone())) else {
            continue;
        };
        let Err(errors) = validate(&rollout) else { continue };
        let ours: Vec<String> = errors.iter().map(|error| leaf(&error.path)).collect();
        if !theirs.iter().any(|theirs| ours.contains(&leaf(theirs))) {
            wrong.push(format!("line {}: {}, but ours: {errors}", index + 1, theirs.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_the_api_server_refuses_in_a_template_is_named_with_its_path() {
    let mistakes = mistakes();
    assert!(mistakes.len() > 80, "there is something to check");
    for Mistake { spec, container, at } in mistakes {
        let mut one = json!({"name": "demo", "image": "demo:1"});
        apply(&mut one, &container);
        let mut pod = json!({"containers": [one]});
        apply(&mut pod, &spec);
        let rollout = json!({"metadata": {"name": "demo"}, "spec": {
            "selector": {"matchLabels": {"app": "demo"}}, "strategy": {"canary": {}},
            "template": {"metadata": {"labels": {"app": "demo"}}, "spec": pod}}});
        let rollout: Rollout = serde_json::from_value(rollout).expect("a Rollout");
        let found = validate(&rollout).err();
        let paths: Vec<String> =
            found.iter().flat_map(|errors| errors.iter().map(|error| error.path.clone())).collect();
        let expected: Vec<String> = at.iter().map(|at| format!("spec.template.spec.{at}")).collect();
        assert_eq!(paths, expected, "{spec}{container}");
    }
}

/// Sets the fields of `more` in `object`.
fn apply(object: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        object[name] = value.clone();
    }
}

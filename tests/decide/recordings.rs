//! The decisions alone, in the model world, lead through the recorded scenarios as the reference does.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::{Value, json};
use serin::api::keys;
use serin::domain::plan::ObjectKind;

use crate::world::World;

const FOLDER: &str = "tests/conformance";

/// The scenarios that need nothing of a cluster that the model lacks.
const PLAYED: [&str; 32] = [
    "basic-abort-retry",
    "basic-create",
    "basic-no-steps",
    "basic-promote-full",
    "basic-scale-paused",
    "basic-services",
    "basic-spec-paused",
    "basic-steps",
    "basic-third-revision",
    "basic-undo-after",
    "basic-undo-midway",
    "basic-zero",
    "bg-abort",
    "bg-auto",
    "bg-auto-seconds",
    "bg-auto-seconds-off",
    "bg-manual",
    "bg-no-preview",
    "bg-preview-count",
    "bg-rollback-fast",
    "bg-to-canary",
    "deadline-abort",
    "invalid-service",
    "invalid-spec",
    "nginx-annotations",
    "nginx-canary-scale",
    "nginx-dynamic",
    "nginx-min-pods",
    "nginx-steps",
    "nginx-undo",
    "steps-edited",
    "workload-ref",
];

/// A manifest, a script, and manifests that the script applies later.
struct Scenario {
    manifest: String,
    script: String,
    later: Vec<(String, String)>,
}

fn scenario(name: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(format!("scenarios/{name}.scenario"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut parts = text.split("\n=== ").skip(1).map(|part| part.split_once('\n').unwrap());
    let mut found = Scenario { manifest: String::new(), script: String::new(), later: Vec::new() };
    for (head, body) in &mut parts {
        match head.split_once(' ') {
            None if head == "manifest" => body.clone_into(&mut found.manifest),
            None => body.clone_into(&mut found.script),
            Some((_, name)) => found.later.push((name.to_owned(), body.to_owned())),
        }
    }
    found
}

pub(crate) fn play(name: &str) -> World {
    play_in(World::new(), name)
}

fn play_in(mut world: World, name: &str) -> World {
    let scenario = scenario(name);
    world.apply(&scenario.manifest);
    for line in scenario.script.lines().map(|line| line.split(" #").next().unwrap().trim()) {
        if !line.is_empty() && !line.starts_with('#') {
            act(&mut world, &scenario, line);
        }
    }
    let end = world.now + SignedDuration::from_secs(1);
    world.run(end, |_| false);
    world
}

fn act(world: &mut World, scenario: &Scenario, line: &str) {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let name = world.rollout_name();
    let merge = |world: &mut World, patch: Value| world.patch(ObjectKind::Rollout, &name, &patch);
    match verb {
        "wait" => wait(world, rest),
        "settle" => {
            let seconds: f64 = rest.parse().unwrap();
            let end = world.now + SignedDuration::from_secs_f64(seconds);
            world.run(end, |_| false);
        }
        "update" => merge(world, json!({"spec": {"template": {"metadata": {"annotations": {"v": rest}}}}})),
        "image" => image(world, rest),
        "promote" => merge(world, json!({"status": {"pauseConditions": null}})),
        "promote-full" => merge(world, json!({"status": {"promoteFull": true}})),
        "abort" => merge(world, json!({"status": {"abort": true}})),
        "retry" => merge(world, json!({"status": {"abort": false}})),
        "pause" => merge(world, json!({"spec": {"paused": true}})),
        "resume" => merge(world, json!({"spec": {"paused": false}})),
        "scale" => merge(world, json!({"spec": {"replicas": rest.parse::<i32>().unwrap()}})),
        "spec" => merge(world, json!({"spec": serde_json::from_str::<Value>(rest).unwrap()})),
        "status" => merge(world, json!({"status": serde_json::from_str::<Value>(rest).unwrap()})),
        "undo" => undo(world, rest),
        "patch" => patch(world, rest),
        "apply" => {
            let manifest = scenario.later.iter().find(|(name, _)| name == rest).unwrap();
            world.apply(&manifest.1);
        }
        other => panic!("no script word {other:?}"),
    }
}

fn wait(world: &mut World, words: &str) {
    let mut words = words.split(' ');
    let phase = words.next().unwrap().to_owned();
    let step = words.find_map(|w| w.strip_prefix("step=").map(ToOwned::to_owned));
    let end = world.now + SignedDuration::from_secs(120);
    let done = |world: &World| {
        let rollout = world.rollout();
        let status = &rollout["status"];
        let is_fresh =
            status["observedGeneration"].as_str() == Some(&rollout["metadata"]["generation"].to_string());
        let is_at = step.as_ref().is_none_or(|step| {
            serde_json::from_str::<Value>(step).is_ok_and(|step| status["currentStepIndex"] == step)
        });
        is_fresh && status["phase"] == phase.as_str() && is_at
    };
    assert!(world.run(end, done), "waited in vain for {phase} {step:?}: {:#}", world.rollout()["status"]);
}

fn image(world: &mut World, image: &str) {
    let mut containers = world.rollout()["spec"]["template"]["spec"]["containers"].clone();
    containers[0]["image"] = image.into();
    let name = world.rollout_name();
    world.patch(
        ObjectKind::Rollout,
        &name,
        &json!({"spec": {"template": {"spec": {"containers": containers}}}}),
    );
}

/// `KIND NAME JSON`: a merge patch of another object.
fn patch(world: &mut World, words: &str) {
    let (kind, rest) = words.split_once(' ').unwrap();
    let (name, body) = rest.split_once(' ').unwrap();
    let kind = match kind {
        "svc" => ObjectKind::Service,
        "ing" => ObjectKind::Ingress,
        "deploy" => ObjectKind::Deployment,
        other => panic!("the model patches no {other:?}"),
    };
    world.patch(kind, name, &serde_json::from_str(body).unwrap());
}

fn undo(world: &mut World, revision: &str) {
    let sets = world.all(ObjectKind::ReplicaSet);
    let of_revision = sets.filter(|rs| rs["metadata"]["annotations"][keys::REVISION] == revision);
    let templates: Vec<Value> = of_revision.map(|rs| rs["spec"]["template"].clone()).collect();
    let mut template = templates.into_iter().next().expect("a ReplicaSet of that revision");
    template["metadata"]["labels"].as_object_mut().unwrap().remove(keys::POD_HASH_LABEL);
    let before = world.rollout()["spec"]["template"].clone();
    let patch = serin::domain::merge_patch::merge_patch(&before, &template).unwrap_or_default();
    let name = world.rollout_name();
    world.patch(ObjectKind::Rollout, &name, &json!({"spec": {"template": patch}}));
}

/// What differs from the recording, a line each.
fn differences(name: &str, world: &World) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(format!("recorded/{name}.json"));
    let recorded: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut found = Vec::new();
    for (facet, values) in &world.seen {
        let values = without_start(facet, values);
        let variants = recorded["sequences"][facet].as_array().cloned().unwrap_or_default();
        let variants: Vec<Vec<String>> = variants
            .iter()
            .map(|v| v.as_array().unwrap().iter().map(text).collect::<Vec<_>>())
            .map(|v| without_start(facet, &v).to_vec())
            .collect();
        let may_be_shorter = facet == "rollout.phase" || facet.starts_with("rollout.condition.");
        let fits = |variant: &Vec<String>| {
            variant == values
                || may_be_shorter && is_subsequence(values, variant) && values.last() == variant.last()
        };
        if !variants.iter().any(fits) {
            found.push(format!("{facet}: {values:?} recorded {variants:?}"));
        }
    }
    found.extend(difference_of_events(&world.events, &recorded));
    found
}

fn difference_of_events(events: &[String], recorded: &Value) -> Option<String> {
    let events: Vec<_> = events.iter().take(25).cloned().collect();
    let variants = recorded["events"].as_array().unwrap().iter();
    let reasons = |v: &Value| -> Vec<String> {
        let lines = v.as_array().unwrap().iter().take(25);
        lines.map(|line| line.as_str().unwrap().split(':').next().unwrap().to_owned()).collect()
    };
    let variants: Vec<_> = variants.map(reasons).collect();
    (!variants.contains(&events)).then(|| format!("events: {events:#?} recorded {variants:#?}"))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// A ReplicaSet may be created at its first size.
fn without_start<'v>(facet: &str, values: &'v [String]) -> &'v [String] {
    match values {
        [first, rest @ ..] if facet.ends_with(".replicas") && first == "0" && !rest.is_empty() => rest,
        _ => values,
    }
}

fn is_subsequence(part: &[String], whole: &[String]) -> bool {
    let mut whole = whole.iter();
    part.iter().all(|value| whole.any(|other| other == value))
}

#[test]
fn decisions_lead_where_the_recordings_do() {
    let only = std::env::var("SERIN_SCENARIOS").unwrap_or_default();
    let names = PLAYED.iter().copied();
    let mut failed = Vec::new();
    for name in names.filter(|name| only.is_empty() || only.split(' ').any(|o| o == *name)) {
        let world = play(name);
        let found = differences(name, &world);
        println!(
            "{name}: {} writes, {} events, {} differences",
            world.writes.len(),
            world.events.len(),
            found.len()
        );
        failed.extend(found.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Whatever write it dies after, the controller that comes after it takes the update to the same end by the same way,
/// and needs no more than one write for each that the first one made.
#[test]
fn a_death_after_any_write_does_no_harm() {
    for name in [
        "basic-no-steps",
        "basic-third-revision",
        "bg-manual",
        "invalid-spec",
        "nginx-annotations",
        "nginx-dynamic",
    ] {
        let undisturbed = play(name).writes.len();
        for n in 1..=undisturbed {
            let mut world = World::new();
            world.dies_after = Some(n);
            let world = play_in(world, name);
            let found: Vec<_> =
                differences(name, &world).into_iter().filter(|d| !d.starts_with("events")).collect();
            assert!(found.is_empty(), "{name}, death after write {n}: {}", found.join("\n"));
            assert!(
                world.writes.len() <= undisturbed + 3,
                "{name}, death after write {n}: {:#?}",
                world.writes
            );
        }
    }
}

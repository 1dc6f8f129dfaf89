//! The decisions alone, in the model world, lead through the recorded scenarios as the reference does.

use jiff::SignedDuration;
use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::conformance::compare::compare;
use crate::conformance::scenario::{Act, Scenario, is_at};
use crate::conformance::stored::{self, Stored};
use crate::world::World;

/// The scenarios that need something of a cluster that the model lacks.
const NOT_PLAYED: [(&str, &str); 3] = [
    ("basic-defaults", "an API server fills in defaults"),
    ("restart", "pods are objects of their own"),
    ("workload-ref", "a Deployment has ReplicaSets of its own"),
];

fn stored(name: &str) -> Stored {
    stored::chosen(Some(name)).unwrap().remove(0)
}

pub(crate) fn play(name: &str) -> World {
    play_in(World::new(), &stored(name).scenario)
}

fn play_in(mut world: World, scenario: &Scenario) -> World {
    world.apply(&scenario.manifest);
    for line in &scenario.script {
        act(&mut world, scenario, &line.act);
    }
    let end = world.now + SignedDuration::from_secs(1);
    world.run(end, |_| false);
    world
}

fn act(world: &mut World, scenario: &Scenario, act: &Act) {
    let merge = |world: &mut World, patch: Value| {
        let name = world.rollout_name();
        world.patch(ObjectKind::Rollout, &name, &patch);
    };
    match act {
        Act::Wait { phase, step, limit } => {
            let end = world.now + SignedDuration::try_from(*limit).unwrap();
            let found = world.run(end, |world| is_at(world.rollout(), phase, *step));
            assert!(found, "waited in vain for {phase} {step:?}: {:#}", world.rollout()["status"]);
        }
        Act::Settle(duration) => {
            let end = world.now + SignedDuration::try_from(*duration).unwrap();
            world.run(end, |_| false);
        }
        Act::Update(version) => {
            merge(world, json!({"spec": {"template": {"metadata": {"annotations": {"v": version}}}}}));
        }
        Act::Image(name) => image(world, name),
        Act::Promote => merge(world, json!({"status": {"pauseConditions": null}})),
        Act::PromoteFull => merge(world, json!({"status": {"promoteFull": true}})),
        Act::Abort => merge(world, json!({"status": {"abort": true}})),
        Act::Retry => merge(world, json!({"status": {"abort": false}})),
        Act::Pause => merge(world, json!({"spec": {"paused": true}})),
        Act::Resume => merge(world, json!({"spec": {"paused": false}})),
        Act::Scale(replicas) => merge(world, json!({"spec": {"replicas": replicas}})),
        Act::Spec(patch) => merge(world, json!({"spec": patch})),
        Act::Status(patch) => merge(world, json!({"status": patch})),
        Act::Undo(revision) => undo(world, revision),
        Act::Apply(name) => world.apply(&scenario.later[name]),
        Act::Restart | Act::Patch { .. } | Act::Delete { .. } => panic!("the model has nothing for {act:?}"),
    }
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

fn undo(world: &mut World, revision: &str) {
    let sets = world.all(ObjectKind::ReplicaSet);
    let of_revision = sets.filter(|rs| rs["metadata"]["annotations"][keys::REVISION] == revision);
    let templates: Vec<Value> = of_revision.map(|rs| rs["spec"]["template"].clone()).collect();
    let mut template = templates.into_iter().next().expect("a ReplicaSet of that revision");
    template["metadata"]["labels"].as_object_mut().unwrap().remove(keys::POD_HASH_LABEL);
    let before = world.rollout()["spec"]["template"].clone();
    let patch = serin_values::merge_patch::merge_patch(&before, &template).unwrap_or_default();
    let name = world.rollout_name();
    world.patch(ObjectKind::Rollout, &name, &json!({"spec": {"template": patch}}));
}

/// What differs from the recording, a line each. The model lacks what an API server adds to objects, so that these are not
/// compared as a whole.
fn differences(stored: &Stored, world: &World) -> Vec<String> {
    let mut found = compare(&stored.recording, &world.run_so_far());
    found.retain(|difference| !is_object(&difference.facet));
    let deliberate = stored::differences().unwrap().without(is_object);
    deliberate.unexpected(&stored.name, &found)
}

fn is_object(facet: &str) -> bool {
    facet.starts_with('/')
}

#[test]
fn decisions_lead_where_the_recordings_do() {
    let wanted = std::env::var("SERIN_SCENARIOS").ok();
    let mut failed = Vec::new();
    for stored in stored::chosen(wanted.as_deref()).unwrap_or_else(|why| panic!("{why}")) {
        if NOT_PLAYED.iter().any(|(name, _)| *name == stored.name) {
            continue;
        }
        let world = play_in(World::new(), &stored.scenario);
        let found = differences(&stored, &world);
        let (name, writes, events) = (&stored.name, world.writes.len(), world.events.len());
        println!("{name}: {writes} writes, {events} events, {} differences", found.len());
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
        let stored = stored(name);
        let undisturbed = play(name).writes.len();
        for n in 1..=undisturbed {
            let mut world = World::new();
            world.dies_after = Some(n);
            let world = play_in(world, &stored.scenario);
            let found: Vec<_> =
                differences(&stored, &world).into_iter().filter(|d| !d.starts_with("events")).collect();
            assert!(found.is_empty(), "{name}, death after write {n}: {}", found.join("\n"));
            assert!(
                world.writes.len() <= undisturbed + 3,
                "{name}, death after write {n}: {:#?}",
                world.writes
            );
        }
    }
}

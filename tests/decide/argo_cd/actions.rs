//! What the menu of Argo CD offers on a Rollout, which patches it sends, and what comes of them.

use serde_json::{Value, json};
use serin_core::domain::plan::ObjectKind;

use super::{blue_green, canary, deployed, paused, update};
use crate::world::World;

/// An entry of the menu: its name, when it is there, and the patches of the status and of the rest.
struct Action {
    name: &'static str,
    is_offered: fn(&Value) -> bool,
    status: fn(&Value) -> Value,
    main: fn(&Value) -> Value,
}

const NOTHING: fn(&Value) -> Value = |_| Value::Null;

const MENU: [Action; 7] = [
    Action {
        name: "restart",
        is_offered: |_| true,
        status: NOTHING,
        main: |_| json!({"spec": {"restartAt": "2026-01-01T00:00:00Z"}}),
    },
    Action {
        name: "resume",
        is_offered: |ro| {
            is_waiting(ro) || ro["status"]["pauseConditions"].is_null() && ro["spec"]["paused"] == true
        },
        status: |ro| if is_waiting(ro) { json!({"pauseConditions": null}) } else { Value::Null },
        main: |ro| {
            if ro["spec"]["paused"] == true { json!({"spec": {"paused": false}}) } else { Value::Null }
        },
    },
    Action {
        name: "abort",
        is_offered: |ro| !is_promoted(ro) && !is_aborted(ro),
        status: |_| json!({"abort": true}),
        main: NOTHING,
    },
    Action {
        name: "retry",
        is_offered: |ro| !is_promoted(ro) && is_aborted(ro),
        status: |_| json!({"abort": null}),
        main: NOTHING,
    },
    Action {
        name: "pause",
        is_offered: |ro| !is_promoted(ro) && !is_aborted(ro) && ro["spec"]["paused"] != true,
        status: NOTHING,
        main: |_| json!({"spec": {"paused": true}}),
    },
    Action {
        name: "promote-full",
        is_offered: |ro| !is_promoted(ro),
        status: |_| json!({"promoteFull": true}),
        main: NOTHING,
    },
    Action {
        name: "skip-current-step",
        is_offered: |ro| steps(ro).is_some_and(|count| index(ro) != count),
        status: |ro| {
            let mut status = json!({"currentStepIndex": index(ro) + 1});
            if is_waiting(ro) {
                status["pauseConditions"] = Value::Null;
            }
            status
        },
        main: NOTHING,
    },
];

fn is_waiting(ro: &Value) -> bool {
    ro["status"]["pauseConditions"].as_array().is_some_and(|all| !all.is_empty())
}

fn is_aborted(ro: &Value) -> bool {
    ro["status"]["abort"] == true
}

fn is_promoted(ro: &Value) -> bool {
    ro["status"]["currentPodHash"] == ro["status"]["stableRS"]
}

fn steps(ro: &Value) -> Option<u64> {
    let steps = ro["spec"]["strategy"]["canary"]["steps"].as_array()?;
    Some(steps.len().try_into().unwrap())
}

/// The script counts with it: without an index it would fail.
fn index(ro: &Value) -> u64 {
    ro["status"]["currentStepIndex"].as_u64().expect("an index")
}

fn offered(world: &World) -> Vec<&'static str> {
    MENU.iter().filter(|action| (action.is_offered)(world.rollout())).map(|action| action.name).collect()
}

/// Chooses an entry of the menu, which must be there; the status is written first.
fn choose(world: &mut World, name: &str, seconds: i64) {
    let action = MENU.iter().find(|action| action.name == name).unwrap();
    assert!((action.is_offered)(world.rollout()), "{name} is not offered");
    let rollout = world.rollout().clone();
    let (status, main) = ((action.status)(&rollout), (action.main)(&rollout));
    if !status.is_null() {
        world.patch(ObjectKind::Rollout, "demo", &json!({"status": status}));
    }
    if !main.is_null() {
        world.patch(ObjectKind::Rollout, "demo", &main);
    }
    world.pass(seconds * 1000);
}

/// The phase with the step, and the sizes of the revisions.
fn seen(world: &World) -> String {
    let status = &world.rollout()["status"];
    let mut sets: Vec<(String, i64)> = world
        .all(ObjectKind::ReplicaSet)
        .map(|rs| {
            let revision = rs["metadata"]["annotations"]["rollout.argoproj.io/revision"].as_str().unwrap();
            (revision.to_owned(), rs["spec"]["replicas"].as_i64().unwrap())
        })
        .collect();
    sets.sort();
    let sizes: Vec<String> = sets.iter().map(|(revision, size)| format!("r{revision}={size}")).collect();
    let step = status["currentStepIndex"].as_u64().map_or(String::new(), |step| format!(" at {step}"));
    format!("{}{step} {}", status["phase"].as_str().unwrap(), sizes.join(" "))
}

#[test]
fn the_menu_offers_what_makes_sense() {
    let settled = ["restart"];
    assert_eq!(
        offered(&deployed(&canary())),
        settled,
        "the index is that of the end after a first deployment, too"
    );
    assert_eq!(offered(&deployed(&blue_green())), settled);
    let all = ["restart", "resume", "abort", "pause", "promote-full", "skip-current-step"];
    assert_eq!(offered(&paused(&canary())), all);
    assert_eq!(offered(&paused(&blue_green())), all[..5]);
    let mut aborted = paused(&canary());
    choose(&mut aborted, "abort", 60);
    assert_eq!(offered(&aborted), ["restart", "retry", "promote-full", "skip-current-step"]);
    let mut held = paused(&canary());
    choose(&mut held, "pause", 5);
    assert_eq!(offered(&held), ["restart", "resume", "abort", "promote-full", "skip-current-step"]);
}

#[test]
fn each_choice_does_what_its_name_says() {
    let after = |mut world: World, name: &str, seconds: i64| {
        choose(&mut world, name, seconds);
        world
    };
    let start = || paused(&canary());
    assert_eq!(seen(&start()), "Paused at 1 r1=3 r2=1");
    assert_eq!(seen(&after(start(), "resume", 8)), "Paused at 3 r1=2 r2=2");
    assert_eq!(seen(&after(start(), "resume", 60)), "Healthy at 4 r1=0 r2=4");
    assert_eq!(seen(&after(start(), "skip-current-step", 8)), "Paused at 3 r1=2 r2=2");
    assert_eq!(seen(&after(start(), "promote-full", 20)), "Healthy at 4 r1=0 r2=4");
    let aborted = after(start(), "abort", 20);
    assert_eq!(seen(&aborted), "Degraded at 0 r1=4 r2=0");
    assert_eq!(seen(&after(aborted, "retry", 10)), "Paused at 1 r1=3 r2=1");
    let held = after(start(), "pause", 5);
    assert_eq!(held.rollout()["status"]["message"], "manually paused");
    assert_eq!(seen(&after(held, "resume", 8)), "Paused at 3 r1=2 r2=2", "one resume ends both pauses");
    let green = after(paused(&blue_green()), "promote-full", 60);
    assert_eq!(seen(&green), "Healthy r1=0 r2=4");
    assert_eq!(seen(&after(paused(&blue_green()), "resume", 60)), "Healthy r1=0 r2=4");
}

#[test]
fn a_restart_replaces_the_pods() {
    let mut world = deployed(&canary());
    let pods = |world: &World| {
        let names =
            world.all(ObjectKind::Pod).map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let before = pods(&world);
    let now = world.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": {"restartAt": now}}));
    world.pass(60_000);
    assert!(pods(&world).is_disjoint(&before));
    assert_eq!(seen(&world), "Healthy at 4 r1=4");
}

#[test]
fn a_new_commit_can_be_applied_at_any_time() {
    let mut world = paused(&canary());
    choose(&mut world, "abort", 10);
    update(&mut world, "3");
    world.pass(10_000);
    assert_eq!(seen(&world), "Paused at 1 r1=3 r2=0 r3=1");
}

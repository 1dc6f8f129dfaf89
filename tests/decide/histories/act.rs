//! What happens to a Rollout: acts of its user, and of the cluster.

use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use super::shape::{self, Family, SERVICES, Source, WORKLOAD};
use crate::scene::template;
use crate::world::World;

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// The template of that number, or one like it whose pods never become ready.
    Template {
        number: u32,
        is_broken: bool,
    },
    Abort,
    Retry,
    Promote,
    PromoteFull,
    Pause,
    Resume,
    Restart,
    Scale(i32),
    ScaleWorkload(i32),
    /// The template moves to the Deployment, or back.
    Move(Source),
    /// Another strategy, or the same one with other fields.
    Strategy(Value),
    /// A Service or the Ingress is deleted.
    Lose(Lost),
    /// Nobody may read Deployments any more.
    Forbid,
    /// Everything that was deleted is there again.
    Arrive,
    /// Somebody takes the hash from the selector of a Service.
    Reset(&'static str),
    /// Pods that are made from now on take longer than the deadline to become ready.
    Late,
    OnTime,
    /// All pods of the stable revision, or of the current one, stop being ready.
    Unready {
        is_stable: bool,
    },
    /// They are ready again.
    Ready,
    /// One pod is gone.
    Evict,
    /// Somebody sets another image on a ReplicaSet.
    Edit {
        is_stable: bool,
    },
}

/// An object that a Rollout needs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lost {
    Service(&'static str),
    Ingress,
    Workload,
}

pub(super) fn any(family: Family) -> impl Strategy<Value = Act> {
    let broken = prop::bool::weighted(0.2);
    let template = (1_u32..4, broken).prop_map(|(number, is_broken)| Act::Template { number, is_broken });
    let command = select(vec![
        Act::Abort,
        Act::Retry,
        Act::Promote,
        Act::Promote,
        Act::PromoteFull,
        Act::Pause,
        Act::Resume,
        Act::Restart,
    ]);
    let lost = select(SERVICES.to_vec()).prop_map(Lost::Service);
    let lost =
        prop_oneof![4 => lost, 1 => Just(Lost::Ingress), 1 => Just(Lost::Workload)].prop_map(Act::Lose);
    let of_pods = select(vec![
        Act::Late,
        Act::OnTime,
        Act::Unready { is_stable: true },
        Act::Unready { is_stable: false },
        Act::Ready,
        Act::Evict,
        Act::Edit { is_stable: true },
        Act::Edit { is_stable: false },
    ]);
    let strategy = prop_oneof![shape::any_strategy(), shape::of(family)].prop_map(Act::Strategy);
    prop_oneof![
        6 => template,
        6 => command,
        2 => (0..=10_i32).prop_map(Act::Scale),
        1 => prop_oneof![2 => (0..=5_i32).prop_map(Act::ScaleWorkload), 1 => shape::any_source().prop_map(Act::Move)],
        1 => strategy,
        1 => lost,
        1 => prop_oneof![3 => Just(Act::Arrive), 1 => Just(Act::Forbid)],
        1 => select(SERVICES.to_vec()).prop_map(Act::Reset),
        4 => of_pods,
    ]
}

impl Act {
    pub(super) fn carry_out(&self, world: &mut World) {
        match self {
            Self::Template { number, is_broken } => set_template(world, *number, *is_broken),
            Self::Abort => status(world, &json!({"abort": true})),
            Self::Retry => status(world, &json!({"abort": false})),
            Self::Promote => promote(world),
            Self::PromoteFull => {
                let known = &world.rollout()["status"];
                if known["currentPodHash"] != known["stableRS"] {
                    status(world, &json!({"promoteFull": true}));
                }
            }
            Self::Pause => spec(world, &json!({"paused": true})),
            Self::Resume => spec(world, &json!({"paused": null})),
            Self::Restart => {
                let now = world.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
                spec(world, &json!({"restartAt": now}));
            }
            Self::Scale(size) => spec(world, &json!({"replicas": size})),
            Self::ScaleWorkload(size) => workload(world, &json!({"replicas": size})),
            Self::Move(source) => spec(world, &source.fields()),
            Self::Strategy(strategy) => {
                spec(world, &json!({"strategy": null}));
                spec(world, &json!({"strategy": strategy}));
            }
            Self::Lose(Lost::Service(name)) => world.forget(ObjectKind::Service, name),
            Self::Lose(Lost::Ingress) => world.forget(ObjectKind::Ingress, "web"),
            Self::Lose(Lost::Workload) => world.forget(ObjectKind::Deployment, WORKLOAD),
            Self::Forbid => world.forbid_deployments(),
            Self::Arrive => arrive(world),
            Self::Reset(name) => reset(world, name),
            Self::Late => world.start_latency = SignedDuration::from_secs(90),
            Self::OnTime => world.start_latency = SignedDuration::from_millis(900),
            Self::Unready { is_stable } => {
                if let Some(name) = replica_set(world, *is_stable) {
                    world.unready_pods(&name);
                }
            }
            Self::Ready => world.heal_pods(),
            Self::Evict => {
                let pod = world.all(ObjectKind::Pod).next();
                if let Some(name) = pod.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned()) {
                    world.remove(ObjectKind::Pod, &name);
                }
            }
            Self::Edit { is_stable } => {
                if let Some(name) = replica_set(world, *is_stable) {
                    let containers = json!([{"name": "demo", "image": "demo:edited"}]);
                    let patch = json!({"spec": {"template": {"spec": {"containers": containers}}}});
                    world.patch(ObjectKind::ReplicaSet, &name, &patch);
                }
            }
        }
    }
}

fn spec(world: &mut World, patch: &Value) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"spec": patch}));
}

/// Writes the template where it is: into the Rollout, or into the Deployment.
fn set_template(world: &mut World, number: u32, is_broken: bool) {
    let mut template = template(number);
    if is_broken {
        template["spec"]["containers"][0]["image"] = "nonexistent".into();
    }
    let is_own = world.rollout()["spec"]["workloadRef"].is_null();
    if is_own {
        spec(world, &json!({"template": template}));
    } else {
        workload(world, &json!({"template": template}));
    }
}

fn workload(world: &mut World, patch: &Value) {
    if world.get(ObjectKind::Deployment, WORKLOAD).is_some() {
        world.patch(ObjectKind::Deployment, WORKLOAD, &json!({"spec": patch}));
    }
}

fn status(world: &mut World, patch: &Value) {
    world.patch(ObjectKind::Rollout, "demo", &json!({"status": patch}));
}

/// What the reference's plugin sends: it ends the pause that there is, or else the step.
fn promote(world: &mut World) {
    let rollout = world.rollout().clone();
    if rollout["spec"]["paused"] == true {
        spec(world, &json!({"paused": null}));
    }
    let known = &rollout["status"];
    let is_paused = known["pauseConditions"].as_array().is_some_and(|pauses| !pauses.is_empty());
    let steps = rollout["spec"]["strategy"]["canary"]["steps"].as_array().map_or(0, Vec::len);
    let index = known["currentStepIndex"].as_u64().unwrap_or(0);
    if is_paused {
        status(world, &json!({"pauseConditions": null}));
    } else if steps > 0 {
        let next = index + u64::from(index < steps as u64);
        status(world, &json!({"pauseConditions": null, "currentStepIndex": next}));
    }
}

fn arrive(world: &mut World) {
    for name in SERVICES {
        if world.get(ObjectKind::Service, name).is_none() {
            world.create(ObjectKind::Service, shape::service(name));
        }
    }
    if world.get(ObjectKind::Ingress, "web").is_none() {
        world.create(ObjectKind::Ingress, shape::ingress());
    }
    world.permit_deployments();
    if world.get(ObjectKind::Deployment, WORKLOAD).is_none() {
        // Another one of the same name.
        let uid = format!("uid-workload-{}", world.writes.len());
        world.create(ObjectKind::Deployment, shape::deployment(&uid));
    }
}

fn reset(world: &mut World, service: &str) {
    if world.get(ObjectKind::Service, service).is_some() {
        let patch = json!({"spec": {"selector": {keys::POD_HASH_LABEL: null}}});
        world.patch(ObjectKind::Service, service, &patch);
    }
}

/// The name of the ReplicaSet that the status calls stable, or current.
fn replica_set(world: &World, is_stable: bool) -> Option<String> {
    let field = if is_stable { "stableRS" } else { "currentPodHash" };
    let hash = world.rollout()["status"][field].as_str()?;
    let mut sets = world.all(ObjectKind::ReplicaSet);
    let set = sets.find(|rs| rs["metadata"]["labels"][keys::POD_HASH_LABEL] == hash)?;
    set["metadata"]["name"].as_str().map(ToOwned::to_owned)
}

/// Everything is there, and pods that can become ready do.
pub(super) fn heal(world: &mut World) {
    world.start_latency = SignedDuration::from_millis(900);
    arrive(world);
    world.heal_pods();
    world.pass(0);
}

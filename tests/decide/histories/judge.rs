//! How a history must end.

use serde_json::Value;
use serin_core::api::keys;
use serin_core::domain::plan::ObjectKind;

use crate::world::World;

/// How a history ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Healthy,
    /// At a pause that only the user ends.
    Paused,
    /// Taken back, by the user or because its pods did not become ready.
    Aborted,
    /// Its pods do not become ready.
    Stuck,
}

/// The sum of all delays of the Rollout, in milliseconds, and the time that its pods may take one after the other.
pub(super) fn longest(world: &World) -> i64 {
    let spec = &world.rollout()["spec"];
    let seconds = |value: &Value| {
        let of_text = value.as_str().map(|text| text.trim_end_matches('s').parse::<i64>().unwrap());
        of_text.or(value.as_i64()).unwrap_or(0)
    };
    let canary = &spec["strategy"]["canary"];
    let blue_green = &spec["strategy"]["blueGreen"];
    let steps = canary["steps"].as_array();
    let pauses: i64 = steps.into_iter().flatten().map(|step| seconds(&step["pause"]["duration"])).sum();
    let delays: i64 = [canary, blue_green]
        .iter()
        .flat_map(|strategy| {
            ["scaleDownDelaySeconds", "abortScaleDownDelaySeconds", "autoPromotionSeconds"]
                .map(|f| seconds(&strategy[f]).max(30))
        })
        .sum();
    let count = steps.map_or(0, |steps| i64::try_from(steps.len()).unwrap());
    let per_pod = 1 + seconds(&spec["minReadySeconds"]);
    let pods = (seconds(&spec["replicas"]) + 2) * (count + 2) * per_pod;
    (pauses + delays + 2 * seconds(&spec["progressDeadlineSeconds"]) + pods + 60) * 1_000
}

fn is_broken(template: &Value) -> bool {
    template["spec"]["containers"][0]["image"] == "nonexistent"
}

/// How it ended, or what is wrong with that.
pub(super) fn end(world: &World) -> Result<End, String> {
    let rollout = world.rollout();
    let (spec, status) = (&rollout["spec"], &rollout["status"]);
    let size = spec["replicas"].as_i64().expect("a size");
    let says = format!(
        "{} {}, {}",
        status["phase"].as_str().unwrap_or("no phase"),
        status["message"],
        world.sizes()
    );
    let is_broken = is_broken(world.template_of(rollout).expect("the template"));
    if status["observedGeneration"] != rollout["metadata"]["generation"].to_string().as_str() {
        return Err(format!("the spec is not observed: {says}"));
    }
    match status["phase"].as_str() {
        Some("Healthy") if is_broken && size > 0 => Err(format!("its pods are not ready: {says}")),
        Some("Healthy") => healthy(world, &says).map(|()| End::Healthy),
        Some("Paused") if spec["paused"] == true => Ok(End::Paused),
        Some("Paused") if at_pause_of_user(spec, status) => Ok(End::Paused),
        Some("Degraded") if status["abort"] == true => aborted(world, &says).map(|()| End::Aborted),
        Some("Degraded") if is_broken && said(status).starts_with("ProgressDeadlineExceeded") => {
            Ok(End::Stuck)
        }
        _ => Err(format!("no end: {says}")),
    }
}

fn said(status: &Value) -> &str {
    status["message"].as_str().unwrap_or_default()
}

/// Whether it waits at a pause that has no end of its own.
fn at_pause_of_user(spec: &Value, status: &Value) -> bool {
    let blue_green = &spec["strategy"]["blueGreen"];
    if blue_green.is_object() {
        return blue_green["autoPromotionEnabled"] == false && said(status) == "BlueGreenPause";
    }
    let index = status["currentStepIndex"].as_u64().and_then(|index| usize::try_from(index).ok());
    let step = index.map(|index| &spec["strategy"]["canary"]["steps"][index]);
    step.is_some_and(|step| step["pause"].is_object() && step["pause"]["duration"].is_null())
        && said(status) == "CanaryPauseStep"
}

/// The ReplicaSet of that hash.
fn replica_set<'w>(world: &'w World, hash: &Value) -> Option<&'w Value> {
    world.all(ObjectKind::ReplicaSet).find(|rs| rs["metadata"]["labels"][keys::POD_HASH_LABEL] == *hash)
}

/// Users reach the revision through the Services of their strategy.
fn serves(world: &World, hash: &Value, says: &str) -> Result<(), String> {
    let rollout = world.rollout();
    let strategy = &rollout["spec"]["strategy"];
    let side = match rollout["status"]["canary"]["stablePingPong"].as_str() {
        Some("ping") => "pingService",
        _ => "pongService",
    };
    let names = [
        &strategy["canary"]["stableService"],
        &strategy["canary"]["pingPong"][side],
        &strategy["blueGreen"]["activeService"],
    ];
    for name in names.into_iter().filter_map(Value::as_str) {
        let service = world.get(ObjectKind::Service, name).expect("the Service");
        let selected = &service["spec"]["selector"][keys::POD_HASH_LABEL];
        if selected != hash && rollout["spec"]["replicas"] != 0 {
            return Err(format!("Service {name} selects {selected}, not {hash}: {says}"));
        }
    }
    Ok(())
}

fn healthy(world: &World, says: &str) -> Result<(), String> {
    let status = &world.rollout()["status"];
    if status["currentPodHash"] != status["stableRS"] {
        return Err(format!("healthy, and not promoted: {says}"));
    }
    if !["", "0"].contains(&world.weight().as_str()) {
        return Err(format!("healthy, and weight {}: {says}", world.weight()));
    }
    serves(world, &status["stableRS"], says)
}

/// The stable revision, if there is one, serves all.
fn aborted(world: &World, says: &str) -> Result<(), String> {
    let rollout = world.rollout();
    let stable = &rollout["status"]["stableRS"];
    let Some(rs) = replica_set(world, stable) else { return Ok(()) };
    let is_broken = is_broken(&rs["spec"]["template"]);
    // `minPodsPerReplicaSet` may ask for more.
    if rs["spec"]["replicas"].as_i64() < rollout["spec"]["replicas"].as_i64() {
        return Err(format!("aborted, and the stable revision has another size: {says}"));
    }
    if is_broken {
        return Ok(());
    }
    if !["", "0"].contains(&world.weight().as_str()) {
        return Err(format!("aborted, and weight {}: {says}", world.weight()));
    }
    serves(world, stable, says)
}

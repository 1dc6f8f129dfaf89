//! The status that a pod has at a moment of its life.
//!
//! It is computed over the status that is there: times of what has not changed stay, and conditions of others are kept.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting,
    ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodSpec, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::behaviour::{Fate, fate, ready_delay};
use super::life::{Moment, PodLife};
use serin_values::time::after;

/// The address of the node; one that is reserved for documentation, since no machine has it.
const HOST_ADDRESS: &str = "192.0.2.1";

/// The status at `moment`, and when a container becomes ready next.
pub(super) fn at(
    pod: &Pod,
    life: &PodLife,
    moment: Moment,
    now: Timestamp,
) -> (PodStatus, Option<Timestamp>) {
    let mut status = begun(pod, life, now);
    let Some(spec) = &pod.spec else {
        return (status, None);
    };
    let is_over = matches!(moment, Moment::Over { .. });
    let courses: Vec<Course> =
        spec.containers.iter().map(|container| state(spec, container, life, moment, now)).collect();
    let ready_at = courses.iter().filter_map(|course| course.ready_at).min();
    let all_ready = !is_over && courses.iter().all(|course| course.is_ready);
    let phase = match moment {
        Moment::NoImage { .. } | Moment::CrashLoops => "Pending",
        Moment::Runs { .. } => "Running",
        Moment::Over { .. } if courses.iter().all(|course| course.exit_code == Some(0)) => "Succeeded",
        Moment::Over { .. } => "Failed",
    };
    let present = status.container_statuses.take().unwrap_or_default();
    let described = spec
        .containers
        .iter()
        .zip(courses)
        .map(|(container, course)| describe(pod, container, course, &present));
    status.container_statuses = Some(described.collect());
    status.phase = Some(phase.to_owned());
    set_conditions(
        &mut status,
        spec,
        all_ready,
        if is_over { "PodCompleted" } else { "ContainersNotReady" },
        now,
    );
    (status, ready_at)
}

/// The status of a pod that was deleted while it ran.
pub(super) fn killed(pod: &Pod, now: Timestamp) -> PodStatus {
    let mut status = pod.status.clone().unwrap_or_default();
    status.phase = Some("Failed".to_owned());
    for container in status.container_statuses.iter_mut().flatten() {
        container.ready = false;
        container.started = Some(false);
        container.state = Some(terminated("Error", 137, now, now));
    }
    if let Some(spec) = &pod.spec {
        set_conditions(&mut status, spec, false, "ContainersNotReady", now);
    }
    status
}

/// What holds from the moment on that the node has taken the pod up.
fn begun(pod: &Pod, life: &PodLife, now: Timestamp) -> PodStatus {
    let mut status = pod.status.clone().unwrap_or_default();
    let address = status.pod_ip.get_or_insert_with(|| life.address.to_string()).clone();
    status.pod_ips.get_or_insert_with(|| vec![PodIP { ip: address }]);
    status.host_ip.get_or_insert_with(|| HOST_ADDRESS.to_owned());
    status.host_ips.get_or_insert_with(|| vec![HostIP { ip: HOST_ADDRESS.to_owned() }]);
    let started = status.start_time.get_or_insert_with(|| whole(now)).0;
    status.observed_generation = pod.metadata.generation.or(status.observed_generation);
    if let Some(inits) = pod.spec.as_ref().and_then(|spec| spec.init_containers.as_ref()) {
        let present = status.init_container_statuses.take().unwrap_or_default();
        let done = |container| {
            let state = Course {
                state: terminated("Completed", 0, started, started),
                exit_code: Some(0),
                is_ready: true,
                ready_at: None,
            };
            describe(pod, container, state, &present)
        };
        status.init_container_statuses = Some(inits.iter().map(done).collect());
    }
    status
}

/// How one container fares.
struct Course {
    state: ContainerState,
    exit_code: Option<i32>,
    is_ready: bool,
    ready_at: Option<Timestamp>,
}

fn state(spec: &PodSpec, container: &Container, life: &PodLife, moment: Moment, now: Timestamp) -> Course {
    let idle = |state| Course { state, exit_code: None, is_ready: false, ready_at: None };
    let fate = fate(spec, container);
    match (moment, fate) {
        (Moment::NoImage { is_backing_off }, Fate::HasNoImage) => {
            idle(waiting(if is_backing_off { "ImagePullBackOff" } else { "ErrImagePull" }))
        }
        (Moment::CrashLoops, Fate::CrashLoops) => idle(waiting("CrashLoopBackOff")),
        (Moment::NoImage { .. } | Moment::CrashLoops, _) => idle(waiting("ContainerCreating")),
        (Moment::Runs { since }, _) => running(container, life, since, now),
        (Moment::Over { since, at }, fate) => ended(fate, since, at),
    }
}

fn running(container: &Container, life: &PodLife, since: Timestamp, now: Timestamp) -> Course {
    let earliest = after(since, ready_delay(container));
    let is_due = now >= earliest;
    let is_answering = life.probed.get(&container.name).copied().unwrap_or(true);
    let state = ContainerState {
        running: Some(ContainerStateRunning { started_at: Some(whole(since)) }),
        ..ContainerState::default()
    };
    Course {
        state,
        exit_code: None,
        is_ready: is_due && is_answering,
        ready_at: (!is_due).then_some(earliest),
    }
}

fn ended(fate: Fate, since: Timestamp, at: Timestamp) -> Course {
    let (reason, code) = match fate {
        Fate::CannotStart => ("StartError", 128),
        Fate::Ends { code, .. } if code != 0 => ("Error", code),
        Fate::Ends { .. } | Fate::Serves | Fate::CrashLoops | Fate::HasNoImage => ("Completed", 0),
    };
    Course {
        state: terminated(reason, code, since, at),
        exit_code: Some(code),
        is_ready: false,
        ready_at: None,
    }
}

fn waiting(reason: &str) -> ContainerState {
    let waiting = ContainerStateWaiting { reason: Some(reason.to_owned()), message: None };
    ContainerState { waiting: Some(waiting), ..ContainerState::default() }
}

fn terminated(reason: &str, exit_code: i32, since: Timestamp, at: Timestamp) -> ContainerState {
    let terminated = ContainerStateTerminated {
        reason: Some(reason.to_owned()),
        exit_code,
        started_at: Some(whole(since)),
        finished_at: Some(whole(at)),
        ..ContainerStateTerminated::default()
    };
    ContainerState { terminated: Some(terminated), ..ContainerState::default() }
}

/// The entry of `container` in the status, over the one that is there.
fn describe(
    pod: &Pod,
    container: &Container,
    course: Course,
    present: &[ContainerStatus],
) -> ContainerStatus {
    let old = present.iter().find(|status| status.name == container.name);
    let is_running = course.state.running.is_some();
    let image = container.image.clone().unwrap_or_default();
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let has_begun = is_running || course.exit_code.is_some();
    let state_now = match old.and_then(|status| status.state.as_ref()) {
        // The start that was reported first is the one that counts.
        Some(before) if is_running && before.running.is_some() => before.clone(),
        _ => course.state,
    };
    ContainerStatus {
        name: container.name.clone(),
        ready: course.is_ready,
        started: Some(is_running),
        container_id: has_begun.then(|| format!("containerd://{uid}-{}", container.name)),
        image_id: if has_begun { image.clone() } else { String::new() },
        image,
        state: Some(state_now),
        ..old.cloned().unwrap_or_default()
    }
}

/// The conditions that a kubelet owns. `unready` is the reason why the containers are not ready when they are not.
fn set_conditions(status: &mut PodStatus, spec: &PodSpec, all_ready: bool, unready: &str, now: Timestamp) {
    let gates: Vec<&str> =
        spec.readiness_gates.iter().flatten().map(|gate| gate.condition_type.as_str()).collect();
    let conditions = status.conditions.get_or_insert_default();
    let is_true =
        |kind: &str| conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True");
    let gates_open = gates.iter().all(|gate| is_true(gate));
    let over = (unready == "PodCompleted").then_some(unready);
    set_condition(conditions, "PodScheduled", true, None, now);
    set_condition(conditions, "Initialized", true, over, now);
    set_condition(conditions, "ContainersReady", all_ready, (!all_ready).then_some(unready), now);
    let reason = match (all_ready, gates_open) {
        (true, true) => None,
        (true, false) => Some("ReadinessGatesNotReady"),
        (false, _) => Some(unready),
    };
    set_condition(conditions, "Ready", reason.is_none(), reason, now);
}

fn set_condition(
    list: &mut Vec<PodCondition>,
    kind: &str,
    is_true: bool,
    reason: Option<&str>,
    now: Timestamp,
) {
    let value = if is_true { "True" } else { "False" };
    let index = list.iter().position(|condition| condition.type_ == kind).unwrap_or_else(|| {
        list.push(PodCondition { type_: kind.to_owned(), ..PodCondition::default() });
        list.len() - 1
    });
    let condition = &mut list[index];
    if condition.status != value {
        value.clone_into(&mut condition.status);
        condition.last_transition_time = Some(whole(now));
    }
    condition.reason = reason.map(str::to_owned);
}

/// The whole second that `time` is in: what the API keeps of a time.
fn whole(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

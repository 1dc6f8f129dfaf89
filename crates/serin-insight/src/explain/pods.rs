//! Reads from a pod's status why the pod is not available.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStateWaiting, ContainerStatus, Pod, PodCondition};

use serin_values::time::after;

/// The reason why a pod is not available, the worst last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The pod is starting.
    Starts,
    /// The pod is ready, but not yet for `minReadySeconds`.
    Young {
        /// The time at which it becomes available.
        until: Timestamp,
    },
    /// The containers run, but the pod is not ready.
    Unready {
        /// A container that is not ready.
        container: String,
    },
    /// The pod cannot be scheduled.
    Unschedulable {
        /// The scheduler's message.
        said: String,
    },
    /// A container crashes repeatedly.
    Crashes {
        /// The container.
        container: String,
        /// The number of restarts.
        restarts: i32,
        /// The last termination, such as `exit code 1`.
        ended: String,
    },
    /// A container cannot be created because something it needs is missing or invalid.
    Unmakeable {
        /// The container.
        container: String,
        /// The kubelet's message.
        said: String,
    },
    /// An image cannot be pulled.
    Image {
        /// The container.
        container: String,
        /// The image.
        image: String,
        /// The kubelet's message.
        said: String,
    },
}

impl Trouble {
    /// True if the problem probably needs a user to solve it.
    #[must_use]
    pub(super) const fn needs_help(&self) -> bool {
        match self {
            Self::Starts | Self::Young { .. } | Self::Unready { .. } => false,
            Self::Unschedulable { .. }
            | Self::Crashes { .. }
            | Self::Unmakeable { .. }
            | Self::Image { .. } => true,
        }
    }

    /// True if another image may solve the problem.
    #[must_use]
    pub const fn may_be_of_image(&self) -> bool {
        match self {
            Self::Image { .. } | Self::Crashes { .. } | Self::Unready { .. } => true,
            Self::Starts | Self::Young { .. } | Self::Unschedulable { .. } | Self::Unmakeable { .. } => false,
        }
    }
}

/// A pod that is not available.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Troubled {
    /// Its name.
    pub pod: String,
    /// The reason.
    pub trouble: Trouble,
    /// The time since when.
    pub since: Option<Timestamp>,
}

/// The reason why `pod` has not been available for `min_ready`. `None` if it is available or is being deleted.
#[must_use]
pub(super) fn trouble(pod: &Pod, min_ready: SignedDuration, now: Timestamp) -> Option<Troubled> {
    if pod.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let (trouble, since) = find(pod, min_ready, now)?;
    let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    Some(Troubled { pod: pod.metadata.name.clone().unwrap_or_default(), trouble, since: since.or(created) })
}

fn find(pod: &Pod, min_ready: SignedDuration, now: Timestamp) -> Option<(Trouble, Option<Timestamp>)> {
    let since = |condition: &PodCondition| condition.last_transition_time.as_ref().map(|time| time.0);
    if let Some(ready) = condition(pod, "Ready").filter(|ready| ready.status == "True") {
        let from = since(ready)?;
        let until = after(from, min_ready);
        return (until > now).then_some((Trouble::Young { until }, Some(from)));
    }
    if let Some(worst) = containers(pod).filter_map(of_container).max() {
        return Some((worst, None));
    }
    let scheduled = condition(pod, "PodScheduled").filter(|scheduled| scheduled.status == "False");
    if let Some(unscheduled) = scheduled.filter(|one| one.reason.as_deref() == Some("Unschedulable")) {
        let said = unscheduled.message.clone().unwrap_or_default();
        return Some((Trouble::Unschedulable { said }, since(unscheduled)));
    }
    let all_run = containers(pod).count() > 0 && containers(pod).all(is_running_or_done);
    match containers(pod).find(|one| !one.ready).filter(|_| all_run) {
        Some(unready) => {
            let from = condition(pod, "Ready").and_then(since);
            Some((Trouble::Unready { container: unready.name.clone() }, from))
        }
        None => Some((Trouble::Starts, None)),
    }
}

fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<&'a PodCondition> {
    pod.status.as_ref()?.conditions.iter().flatten().find(|condition| condition.type_ == kind)
}

fn containers(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let init = status.and_then(|status| status.init_container_statuses.as_ref());
    let main = status.and_then(|status| status.container_statuses.as_ref());
    init.into_iter().chain(main).flatten()
}

fn is_running_or_done(container: &ContainerStatus) -> bool {
    let state = container.state.as_ref();
    state.is_some_and(|state| state.running.is_some() || state.terminated.is_some())
}

fn of_container(container: &ContainerStatus) -> Option<Trouble> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let name = container.name.clone();
    match waiting.reason.as_deref()? {
        "ErrImagePull"
        | "ImagePullBackOff"
        | "InvalidImageName"
        | "ErrImageNeverPull"
        | "ImageInspectError"
        | "RegistryUnavailable" => {
            Some(Trouble::Image { container: name, image: container.image.clone(), said: words(waiting) })
        }
        "CrashLoopBackOff" => Some(Trouble::Crashes {
            container: name,
            restarts: container.restart_count,
            ended: ended(container),
        }),
        "CreateContainerConfigError"
        | "CreateContainerError"
        | "RunContainerError"
        | "PreCreateHookError"
        | "PostStartHookError" => Some(Trouble::Unmakeable { container: name, said: words(waiting) }),
        _ => None,
    }
}

fn words(waiting: &ContainerStateWaiting) -> String {
    let reason = waiting.reason.clone().unwrap_or_default();
    match waiting.message.as_deref().filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason,
    }
}

/// The last termination of a container.
fn ended(container: &ContainerStatus) -> String {
    let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    last.map_or_else(String::new, |end| match end.reason.as_deref() {
        Some("OOMKilled") => "out of memory (OOMKilled)".to_owned(),
        Some(_) | None => format!("exit code {}", end.exit_code),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(status: &Value) -> Option<(Trouble, Option<Timestamp>)> {
        let meta = json!({"name": "p", "creationTimestamp": "2026-01-01T00:00:00Z"});
        let pod =
            serde_json::from_value(json!({"metadata": meta, "spec": {"containers": []}, "status": status}));
        let now = "2026-01-01T00:01:00Z".parse().unwrap();
        let troubled = trouble(&pod.unwrap(), SignedDuration::from_secs(30), now)?;
        Some((troubled.trouble, troubled.since))
    }

    fn container(state: &Value) -> Value {
        json!({
            "name": "web", "image": "shop:2", "imageID": "", "ready": false, "restartCount": 3, "state": state,
            "lastState": {"terminated": {"exitCode": 7, "reason": "Error"}},
        })
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_status_says_what_is_wrong() {
        let created = time("2026-01-01T00:00:00Z");
        let later = time("2026-01-01T00:00:40Z");
        let name = || "web".to_owned();
        let waits = |reason: &str| json!({"containerStatuses": [container(&json!({"waiting": {"reason": reason, "message": "no"}}))]});
        let condition = |kind: &str, status: &str, reason: &str| {
            json!([{
                "type": kind, "status": status, "reason": reason, "message": "no",
                "lastTransitionTime": "2026-01-01T00:00:40Z",
            }])
        };
        let runs = container(&json!({"running": {}}));
        let image =
            Trouble::Image { container: name(), image: "shop:2".into(), said: "ErrImagePull: no".into() };
        for (status, expected) in [
            (waits("ErrImagePull"), Some((image, created))),
            (
                waits("CrashLoopBackOff"),
                Some((
                    Trouble::Crashes { container: name(), restarts: 3, ended: "exit code 7".into() },
                    created,
                )),
            ),
            (
                waits("CreateContainerConfigError"),
                Some((
                    Trouble::Unmakeable { container: name(), said: "CreateContainerConfigError: no".into() },
                    created,
                )),
            ),
            (waits("ContainerCreating"), Some((Trouble::Starts, created))),
            (
                json!({"conditions": condition("PodScheduled", "False", "Unschedulable")}),
                Some((Trouble::Unschedulable { said: "no".into() }, later)),
            ),
            (
                json!({"conditions": condition("Ready", "False", ""), "containerStatuses": [runs]}),
                Some((Trouble::Unready { container: name() }, later)),
            ),
            (
                json!({"conditions": condition("Ready", "True", "")}),
                Some((Trouble::Young { until: time("2026-01-01T00:01:10Z") }, later)),
            ),
            (
                json!({"conditions": [{
                    "type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:30Z",
                }]}),
                None,
            ),
        ] {
            assert_eq!(of(&status), expected.map(|(trouble, since)| (trouble, Some(since))), "{status}");
        }
    }
}

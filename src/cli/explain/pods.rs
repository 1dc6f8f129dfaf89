//! What keeps a pod from being available, by its own status.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStateWaiting, ContainerStatus, Pod, PodCondition};

use serin_core::domain::time::after;

/// Why a pod is not available, the worst last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trouble {
    /// It is on its way.
    Starts,
    /// It is ready, but not for long enough.
    Young {
        /// When it will be.
        until: Timestamp,
    },
    /// Its containers run, but it is not ready.
    Unready {
        /// A container that is not.
        container: String,
    },
    /// No node takes it.
    Unschedulable {
        /// What the scheduler said.
        said: String,
    },
    /// A container ends again and again.
    Crashes {
        /// Its name.
        container: String,
        /// How often it was started again.
        restarts: i32,
        /// How it ended last, such as `exit code 1`.
        ended: String,
    },
    /// A container cannot be made, for something that it needs is missing or wrong.
    Unmakeable {
        /// Its name.
        container: String,
        /// What the kubelet said.
        said: String,
    },
    /// An image cannot be had.
    Image {
        /// The container that needs it.
        container: String,
        /// The image.
        image: String,
        /// What the kubelet said.
        said: String,
    },
}

impl Trouble {
    /// Whether it does not pass by itself, as far as can be seen.
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

    /// Whether another image may end it.
    #[must_use]
    pub(super) const fn may_be_of_image(&self) -> bool {
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
    /// Why.
    pub trouble: Trouble,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// What keeps `pod` from being available for `min_ready`; `None` if it is, or is being deleted.
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

/// How a container ended last.
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

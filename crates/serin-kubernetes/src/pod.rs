//! A pod in short: its readiness, and the one word that says best what it is doing.

use jiff::Timestamp;
use serde_json::Value;

use crate::age;
use crate::object::{condition, holds, items, number, text};

/// How often containers were started anew.
#[derive(Debug, Default, Clone, Copy)]
pub struct Restarts {
    /// How often.
    pub count: i64,
    /// When the last one before had ended.
    pub last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &Value) {
        self.count += number(&container["restartCount"]);
        self.last = self.last.max(age::time(&container["lastState"]["terminated"]["finishedAt"]));
    }
}

/// What a pod does, in short, as `kubectl get pods` prints it.
#[derive(Debug)]
pub struct Summary {
    /// Number of its containers that are ready.
    pub ready: usize,
    /// Number of its containers, sidecars among them.
    pub total: usize,
    /// The one word that says best what it is doing.
    pub reason: String,
    /// How often its containers were started anew.
    pub restarts: Restarts,
}

impl Summary {
    /// What `pod`, an object as JSON, does.
    #[must_use]
    pub fn of(pod: &Value) -> Self {
        let (spec, status) = (&pod["spec"], &pod["status"]);
        let sidecars = items(&spec["initContainers"]).iter().filter(|init| init["restartPolicy"] == "Always");
        let phase = text(&status["phase"]);
        let reason = text(&status["reason"]);
        let mut summary = Self {
            ready: 0,
            total: items(&spec["containers"]).len() + sidecars.count(),
            reason: if reason.is_empty() { phase } else { reason }.to_owned(),
            restarts: Restarts::default(),
        };
        if condition(pod, "PodScheduled").is_some_and(|scheduled| scheduled["reason"] == "SchedulingGated") {
            "SchedulingGated".clone_into(&mut summary.reason);
        }
        let (is_initializing, sidecar_restarts) = summary.add_init_containers(pod);
        if !is_initializing || holds(pod, "Initialized") {
            summary.restarts = sidecar_restarts;
            summary.add_containers(pod);
        }
        if !pod["metadata"]["deletionTimestamp"].is_null() {
            if reason == "NodeLost" {
                "Unknown".clone_into(&mut summary.reason);
            } else if !matches!(phase, "Succeeded" | "Failed") {
                "Terminating".clone_into(&mut summary.reason);
            }
        }
        summary
    }

    /// Takes in the init containers up to the one that runs; says whether one does, and the restarts of sidecars.
    fn add_init_containers(&mut self, pod: &Value) -> (bool, Restarts) {
        let specs = items(&pod["spec"]["initContainers"]);
        let mut sidecar_restarts = Restarts::default();
        for (index, container) in items(&pod["status"]["initContainerStatuses"]).iter().enumerate() {
            self.restarts.add(container);
            let spec = specs.iter().find(|spec| spec["name"] == container["name"]);
            let is_sidecar = spec.is_some_and(|spec| spec["restartPolicy"] == "Always");
            if is_sidecar {
                sidecar_restarts.add(container);
            }
            let (terminated, waiting) = (&container["state"]["terminated"], &container["state"]["waiting"]);
            if !terminated.is_null() && number(&terminated["exitCode"]) == 0 {
                continue;
            }
            if is_sidecar && container["started"] == true {
                self.ready += usize::from(container["ready"] == true);
                continue;
            }
            let why = text(&waiting["reason"]);
            self.reason = if !terminated.is_null() {
                format!("Init:{}", ended(terminated))
            } else if !why.is_empty() && why != "PodInitializing" {
                format!("Init:{why}")
            } else {
                format!("Init:{index}/{}", specs.len())
            };
            return (true, sidecar_restarts);
        }
        (false, sidecar_restarts)
    }

    fn add_containers(&mut self, pod: &Value) {
        let mut is_running = false;
        for container in items(&pod["status"]["containerStatuses"]).iter().rev() {
            self.restarts.add(container);
            let state = &container["state"];
            let waiting = text(&state["waiting"]["reason"]);
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.reason);
            } else if !state["terminated"].is_null() {
                self.reason = ended(&state["terminated"]);
            } else if container["ready"] == true && !state["running"].is_null() {
                is_running = true;
                self.ready += 1;
            }
        }
        // One of several containers has ended, and another still runs.
        if self.reason == "Completed" && is_running {
            if holds(pod, "Ready") { "Running" } else { "NotReady" }.clone_into(&mut self.reason);
        }
    }
}

/// How a container ended.
fn ended(terminated: &Value) -> String {
    let reason = text(&terminated["reason"]);
    match number(&terminated["signal"]) {
        _ if !reason.is_empty() => reason.to_owned(),
        0 => format!("ExitCode:{}", number(&terminated["exitCode"])),
        signal => format!("Signal:{signal}"),
    }
}

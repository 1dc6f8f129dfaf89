//! The row of a pod: its readiness, and the one word that says best what it is doing.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::format::{condition, holds, items, name, number, or_none, text};
use super::{AGE, BuiltIn, NAME, age};

const RESTARTS: &str = "The number of times the containers in this pod have been restarted and when the last container \
    in this pod has restarted.";

pub(super) const PODS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        super::text("Ready").meaning("The aggregate readiness state of this pod for accepting traffic."),
        super::text("Status").meaning("The aggregate status of the containers in this pod."),
        super::text("Restarts").meaning(RESTARTS),
        AGE,
        super::wide("IP").of("core/v1.PodStatus", "podIP"),
        super::wide("Node").of("core/v1.PodSpec", "nodeName"),
        super::wide("Nominated Node").of("core/v1.PodStatus", "nominatedNodeName"),
        super::wide("Readiness Gates").of("core/v1.PodSpec", "readinessGates"),
    ],
    cells,
};

/// The condition of a row whose pod has ended, by which clients may hide it.
pub(super) fn completed(pod: &Value) -> Option<Value> {
    let (reason, message) = match text(&pod["status"]["phase"]) {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!({"type": "Completed", "status": "True", "reason": reason, "message": message}))
}

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let summary = Summary::of(pod);
    let restarts = match (summary.restarts.count, summary.restarts.last) {
        (0, _) | (_, None) => summary.restarts.count.to_string(),
        (count, Some(last)) => format!("{count} ({} ago)", age::between(last, now)),
    };
    vec![
        name(pod),
        format!("{}/{}", summary.ready, summary.total).into(),
        summary.reason.into(),
        restarts.into(),
        age::of(pod, now),
        or_none(text(&status["podIPs"][0]["ip"])).into(),
        or_none(text(&spec["nodeName"])).into(),
        or_none(text(&status["nominatedNodeName"])).into(),
        gates(pod).into(),
    ]
}

fn gates(pod: &Value) -> String {
    let gates = items(&pod["spec"]["readinessGates"]);
    let open = gates.iter().filter(|gate| holds(pod, text(&gate["conditionType"]))).count();
    or_none(if gates.is_empty() { String::new() } else { format!("{open}/{}", gates.len()) })
}

#[derive(Default, Clone, Copy)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &Value) {
        self.count += number(&container["restartCount"]);
        self.last = self.last.max(age::time(&container["lastState"]["terminated"]["finishedAt"]));
    }
}

/// What a pod does, in short, as `kubectl get pods` prints it.
pub struct Summary {
    /// Number of its containers that are ready.
    pub ready: usize,
    /// Number of its containers, sidecars among them.
    pub total: usize,
    /// The one word that says best what it is doing.
    pub reason: String,
    restarts: Restarts,
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

    /// How often its containers were started anew.
    #[must_use]
    pub fn restarts(&self) -> i64 {
        self.restarts.count
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

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(pod: &Value) -> [String; 3] {
        let cells = cells(pod, "2026-01-01T00:10:00Z".parse().unwrap());
        [1, 2, 3].map(|index| cells[index].as_str().unwrap().to_owned())
    }

    #[test]
    fn the_reason_says_what_keeps_a_pod() {
        let running = json!({"state": {"running": {}}, "ready": true});
        let waiting = |reason: &str| json!({"state": {"waiting": {"reason": reason}}});
        let ended =
            |code: i64, reason: &str| json!({"state": {"terminated": {"exitCode": code, "reason": reason}}});
        let pod = |phase: &str, containers: &[&Value]| json!({"spec": {"containers": containers}, "status": {"phase": phase, "containerStatuses": containers}});
        for (pod, ready, reason) in [
            (pod("Running", &[&running]), "1/1", "Running"),
            (pod("Pending", &[&waiting("ImagePullBackOff")]), "0/1", "ImagePullBackOff"),
            (pod("Running", &[&running, &ended(0, "Completed")]), "1/2", "NotReady"),
            (pod("Failed", &[&ended(3, "")]), "0/1", "ExitCode:3"),
            (pod("Running", &[&waiting("A"), &waiting("B")]), "0/2", "A"),
        ] {
            assert_eq!(printed(&pod), [ready, reason, "0"], "{pod}");
        }
    }

    #[test]
    fn init_containers_come_first() {
        let pod = |state: Value| {
            json!({
                "spec": {"initContainers": [{"name": "a"}, {"name": "b"}], "containers": [{}]},
                "status": {"phase": "Pending", "initContainerStatuses": [
                    {"name": "a", "state": {"terminated": {"exitCode": 0}}}, {"name": "b", "state": state}]},
            })
        };
        assert_eq!(printed(&pod(json!({"running": {}})))[1], "Init:1/2");
        assert_eq!(
            printed(&pod(json!({"waiting": {"reason": "CrashLoopBackOff"}})))[1],
            "Init:CrashLoopBackOff"
        );
        assert_eq!(printed(&pod(json!({"terminated": {"exitCode": 2, "signal": 9}})))[1], "Init:Signal:9");
    }

    #[test]
    fn deletion_and_restarts_are_seen() {
        let pod = json!({
            "metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"},
            "spec": {"containers": [{}]},
            "status": {"phase": "Running", "containerStatuses": [{
                "restartCount": 2, "ready": true, "state": {"running": {}},
                "lastState": {"terminated": {"finishedAt": "2026-01-01T00:09:00Z"}}}]},
        });
        assert_eq!(printed(&pod), ["1/1", "Terminating", "2 (60s ago)"]);
    }
}

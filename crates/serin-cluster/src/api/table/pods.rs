//! The row of a pod: its readiness, and the one word that says best what it is doing.

use jiff::Timestamp;
use serde_json::{Value, json};

use serin_kubernetes::age;
use serin_kubernetes::pod::Summary;

use super::column::{self, AGE, BuiltIn, NAME};
use super::format::{holds, items, name, or_none, text};

const RESTARTS: &str = "The number of times the containers in this pod have been restarted and when the last container \
    in this pod has restarted.";

pub(super) const PODS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        column::text("Ready").meaning("The aggregate readiness state of this pod for accepting traffic."),
        column::text("Status").meaning("The aggregate status of the containers in this pod."),
        column::text("Restarts").meaning(RESTARTS),
        AGE,
        column::wide("IP").of("core/v1.PodStatus", "podIP"),
        column::wide("Node").of("core/v1.PodSpec", "nodeName"),
        column::wide("Nominated Node").of("core/v1.PodStatus", "nominatedNodeName"),
        column::wide("Readiness Gates").of("core/v1.PodSpec", "readinessGates"),
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

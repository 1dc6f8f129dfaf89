//! Rows of what runs pods: replica sets, deployments, jobs; and pod templates.

use jiff::Timestamp;
use serde_json::Value;

use super::format::{holds, joined, labels, name, number, selector};
use super::{BuiltIn, NAME, age, number as count, text, wide};

pub(super) fn find(group: &str, plural: &str) -> Option<BuiltIn> {
    match (group, plural) {
        ("apps", "replicasets") => Some(REPLICA_SETS),
        ("apps", "deployments") => Some(DEPLOYMENTS),
        ("batch", "jobs") => Some(JOBS),
        ("", "podtemplates") => Some(POD_TEMPLATES),
        _ => None,
    }
}

const REPLICA_SETS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        count("Desired"),
        count("Current"),
        count("Ready"),
        text("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |set, now| {
        let counts = [&set["spec"]["replicas"], &set["status"]["replicas"], &set["status"]["readyReplicas"]];
        let mut cells = vec![name(set)];
        cells.extend(counts.map(|value| number(value).into()));
        cells.push(age::of(set, now));
        cells.extend(containers(&set["spec"]["template"]));
        cells.push(selector(&set["spec"]["selector"]).into());
        cells
    },
};

const DEPLOYMENTS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        text("Ready"),
        text("Up-to-date"),
        text("Available"),
        text("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |deployment, now| {
        let (spec, status) = (&deployment["spec"], &deployment["status"]);
        let ready = format!("{}/{}", number(&status["readyReplicas"]), number(&spec["replicas"]));
        let mut cells = vec![
            name(deployment),
            ready.into(),
            number(&status["updatedReplicas"]).into(),
            number(&status["availableReplicas"]).into(),
            age::of(deployment, now),
        ];
        cells.extend(containers(&spec["template"]));
        cells.push(selector(&spec["selector"]).into());
        cells
    },
};

const JOBS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        text("Status"),
        text("Completions"),
        text("Duration"),
        text("Age"),
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    cells: |job, now| {
        let mut cells =
            vec![name(job), job_state(job).into(), completions(job).into(), duration(job, now).into()];
        cells.push(age::of(job, now));
        cells.extend(containers(&job["spec"]["template"]));
        cells.push(selector(&job["spec"]["selector"]).into());
        cells
    },
};

const POD_TEMPLATES: BuiltIn = BuiltIn {
    columns: &[NAME, text("Containers"), text("Images"), text("Pod Labels")],
    cells: |object, _| {
        let template = &object["template"];
        let mut cells = vec![name(object)];
        cells.extend(containers(template));
        cells.push(labels(&template["metadata"]["labels"]).into());
        cells
    },
};

/// Names and images of a template's containers.
fn containers(template: &Value) -> [Value; 2] {
    let list = &template["spec"]["containers"];
    [joined(list, "name").into(), joined(list, "image").into()]
}

fn job_state(job: &Value) -> &'static str {
    let is_deleted = !job["metadata"]["deletionTimestamp"].is_null();
    let states = [
        ("Complete", holds(job, "Complete")),
        ("Failed", holds(job, "Failed")),
        ("Terminating", is_deleted),
        ("Suspended", holds(job, "Suspended")),
        ("FailureTarget", holds(job, "FailureTarget")),
        ("SuccessCriteriaMet", holds(job, "SuccessCriteriaMet")),
    ];
    states.into_iter().find(|(_, is_so)| *is_so).map_or("Running", |(state, _)| state)
}

fn completions(job: &Value) -> String {
    let done = number(&job["status"]["succeeded"]);
    match (job["spec"]["completions"].as_i64(), number(&job["spec"]["parallelism"])) {
        (Some(wanted), _) => format!("{done}/{wanted}"),
        (None, parallel @ 2..) => format!("{done}/1 of {parallel}"),
        (None, _) => format!("{done}/1"),
    }
}

fn duration(job: &Value, now: Timestamp) -> String {
    let time = |field: &str| age::time(&job["status"][field]);
    time("startTime")
        .map_or_else(String::new, |start| age::between(start, time("completionTime").unwrap_or(now)))
}

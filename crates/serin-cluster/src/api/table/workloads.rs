//! Rows of what runs pods: replica sets, deployments, jobs; and pod templates.

use jiff::Timestamp;
use serde_json::Value;

use super::column::{AGE, BuiltIn, NAME, number as count, text, wide};
use super::format::{holds, joined, labels, name, number, selector};
use serin_kubernetes::age;

pub(super) fn find(group: &str, plural: &str) -> Option<BuiltIn> {
    match (group, plural) {
        ("apps", "replicasets") => Some(REPLICA_SETS),
        ("apps", "deployments") => Some(DEPLOYMENTS),
        ("batch", "jobs") => Some(JOBS),
        ("", "podtemplates") => Some(POD_TEMPLATES),
        _ => None,
    }
}

const CONTAINER_NAMES: &str = "Names of each container in the template.";
const IMAGES: &str = "Images referenced by each container in the template.";

const REPLICA_SETS: BuiltIn = BuiltIn {
    columns: &[
        NAME,
        count("Desired").of("apps/v1.ReplicaSetSpec", "replicas"),
        count("Current").of("apps/v1.ReplicaSetStatus", "replicas"),
        count("Ready").of("apps/v1.ReplicaSetStatus", "readyReplicas"),
        AGE,
        wide("Containers").meaning(CONTAINER_NAMES),
        wide("Images").meaning(IMAGES),
        wide("Selector").of("apps/v1.ReplicaSetSpec", "selector"),
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
        text("Ready").meaning("Number of the pod with ready state"),
        text("Up-to-date").of("apps/v1.DeploymentStatus", "updatedReplicas"),
        text("Available").of("apps/v1.DeploymentStatus", "availableReplicas"),
        AGE,
        wide("Containers").meaning(CONTAINER_NAMES),
        wide("Images").meaning(IMAGES),
        wide("Selector").of("apps/v1.DeploymentSpec", "selector"),
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
        text("Status").meaning("Status of the job."),
        text("Completions").of("batch/v1.JobStatus", "succeeded"),
        text("Duration").meaning("Time required to complete the job."),
        AGE,
        wide("Containers").meaning(CONTAINER_NAMES),
        wide("Images").meaning(IMAGES),
        wide("Selector").of("batch/v1.JobSpec", "selector"),
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
    columns: &[
        NAME,
        text("Containers").meaning(CONTAINER_NAMES),
        text("Images").meaning(IMAGES),
        text("Pod Labels").meaning("The labels for the pod template."),
    ],
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
